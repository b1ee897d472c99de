//! What can go wrong in a protocol. To blame is always a peer, and it is named where it can be known.

use quorate_sharing::HelperNumber;
use quorate_sharing::prss::HelperSet;

/// A protocol that cannot go on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// A message has the wrong number of elements or a non-canonical one.
    #[error("helper {from} sent {what} that does not read: {reason}")]
    Malformed {
        /// The sender.
        from: HelperNumber,
        /// What kind of message.
        what: &'static str,
        /// What is wrong with it; never a value.
        reason: String,
    },
    /// Two holders of a set key do not hold the same.
    #[error(
        "helpers {first} and {second} hold different keys of set {set}: one of them sent different contributions"
    )]
    Key {
        /// This helper.
        first: HelperNumber,
        /// The other.
        second: HelperNumber,
        /// The set.
        set: HelperSet,
    },
    /// A helper is in another session: it heard other nonces or means another set.
    #[error("helper {with} is in another session: the helpers do not mean the same thing")]
    Session {
        /// The other.
        with: HelperNumber,
    },
    /// Opened shares that all honest helpers computed from the same keys are not of degree t.
    #[error("the opened {what} is inconsistent: a helper sent a wrong share")]
    Inconsistent {
        /// What was opened.
        what: &'static str,
    },
}
