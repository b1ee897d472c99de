//! Why a helper refused a request: one shape for every door.

use serde::{Deserialize, Serialize};

/// A refusal as the API sends it. `code` is for programs, `message` and `hint` are for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// What kind of refusal.
    pub code: Code,
    /// What was wrong and where.
    pub message: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The helpers that did not answer or did not agree, where that is the reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub helpers: Vec<u8>,
}

/// The kinds of refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// The request does not decode, is too large, or names what does not exist in its format.
    Malformed,
    /// No such study, result or address.
    Unknown,
    /// The signature is missing, wrong, or of a key that may not do this.
    Forbidden,
    /// The study's or the helper's rules do not allow it (cohort, capacity, already sealed, not sealed).
    Policy,
    /// A contribution that this helper cannot store: its commitment, length, kind or an element is wrong.
    Contribution,
    /// The circuit does not compile against the study, or compiles to another program here.
    Circuit,
    /// Too few helpers answered in time; the same request can be tried again with a new attempt.
    Unavailable,
    /// Helpers disagree: sets, sessions or keys. Trying again may help; `helpers` says who.
    Disagreement,
    /// This helper is full, stopping or its disk failed.
    Busy,
    /// Not built yet.
    NotBuilt,
}

impl Refusal {
    /// A refusal without a hint.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Refusal { code, message: message.into(), hint: None, helpers: Vec::new() }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds the helpers it is about.
    #[must_use]
    pub fn about(mut self, helpers: Vec<u8>) -> Self {
        self.helpers = helpers;
        self
    }

    /// Whether the same wish may succeed when tried again as a new attempt.
    pub fn may_retry(&self) -> bool {
        matches!(self.code, Code::Unavailable | Code::Disagreement | Code::Busy)
    }
}
