//! Which results may be released.
//!
//! A protocol whose result a lying helper can shift unnoticed returns [`Unverified`]; only [`Verified`] values can
//! be released to an analyst or opened as a verdict. Linear work on sealed shares is verified by construction: it
//! sends nothing, and a helper that answers wrongly is caught by the redundancy of the result shares.

/// A value that may be released.
#[derive(Debug)]
pub struct Verified<T>(T);

/// A value that a lying helper may have shifted. It stays closed until it is verified or trusted by name.
#[derive(Debug)]
pub struct Unverified<T>(T);

impl<T> Verified<T> {
    /// For results of local linear work on sealed shares, which no message can have shifted.
    pub(crate) fn local(value: T) -> Self {
        Verified(value)
    }

    /// The value, to be released.
    pub fn release(self) -> T {
        self.0
    }
}

impl<T> Unverified<T> {
    /// For results that depended on messages.
    pub fn new(value: T) -> Self {
        Unverified(value)
    }

    /// Takes the value as it is, because the study says `security = "passive"`: helpers are trusted to follow the
    /// protocol. The one place where that trust is used.
    pub fn trust_helpers_of_passive_study(self) -> Verified<T> {
        Verified(self.0)
    }
}
