//! What can be wrong with a federation file or a card: always the operator's configuration.

use crate::PublicKey;

/// A federation file or card that cannot be used. Each variant says which entry and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FederationError {
    /// Not TOML, an unknown key, or a value of the wrong type; the message has the line.
    #[error("not a valid federation file or card: {message}")]
    Syntax {
        /// The parser's words, with line and column.
        message: String,
    },
    /// The file was written by another version of the format.
    #[error("format {found} is not known here; this version reads format {known}")]
    Format {
        /// The number in the file.
        found: u32,
        /// The number this version reads.
        known: u32,
    },
    /// The number of helpers is outside `2..=HELPERS_MAX`.
    #[error("{found} helpers: a federation has 2 to {max}")]
    HelperCount {
        /// How many the file lists.
        found: usize,
        /// The largest federation.
        max: usize,
    },
    /// The threshold is not in `1..n`.
    #[error(
        "threshold {threshold} with {helpers} helpers: it must be at least 1 and below the number of helpers \
         (any {threshold} helpers together learn nothing, any {threshold}+1 can answer)"
    )]
    Threshold {
        /// The threshold in the file.
        threshold: u8,
        /// The number of helpers in the file.
        helpers: usize,
    },
    /// Two helpers share a name, an address or a key: they would not be independent.
    #[error("helpers {first} and {second} have the same {what}: every helper is a separate organisation")]
    Repeated {
        /// The lower number.
        first: usize,
        /// The higher number.
        second: usize,
        /// `name`, `address`, `peer address` or `key`.
        what: &'static str,
    },
    /// A name is empty, too long, or has characters other than letters, digits, `-`, `_`, `.` and space.
    #[error("helper {helper}: the name {name:?} must be 1 to 64 letters, digits, spaces, '-', '_' or '.'")]
    Name {
        /// The helper's number, or 0 on a card.
        helper: usize,
        /// The name found.
        name: String,
    },
    /// An address is not `host:port`.
    #[error("helper {helper}: {address:?} is not an address; write host:port, as in helper.example.org:7100")]
    Address {
        /// The helper's number, or 0 on a card.
        helper: usize,
        /// The address found.
        address: String,
    },
    /// This key is not in the file.
    #[error("key {key} is not one of the helpers of this federation; ask its organiser for the current file")]
    NotAMember {
        /// The key looked for.
        key: PublicKey,
    },
}
