//! Broken: an invariant that a seed broke.

/// What was broken, when, and how it showed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("at {at_ms} ms: {invariant}: {detail}")]
pub struct Broken {
    /// The invariant, in words.
    pub invariant: &'static str,
    /// How it showed.
    pub detail: String,
    /// The virtual time.
    pub at_ms: u64,
}

/// `Ok`, or the seed is a finding. The world adds the time.
pub(crate) type Held<T = ()> = Result<T, Broken>;

/// A broken invariant.
pub(crate) fn broken<T>(invariant: &'static str, detail: impl Into<String>) -> Held<T> {
    Err(Broken { invariant, detail: detail.into(), at_ms: 0 })
}

/// Holds, or is broken.
pub(crate) fn hold(condition: bool, invariant: &'static str, detail: impl FnOnce() -> String) -> Held {
    if condition { Ok(()) } else { broken(invariant, detail()) }
}
