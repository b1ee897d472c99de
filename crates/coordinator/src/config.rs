//! What a helper is told at start.

use quorate_federation::{Federation, PublicKey, SecretKey};

/// A helper's identity and rules.
#[derive(Debug)]
pub struct Config {
    /// The federation this helper belongs to.
    pub federation: Federation,
    /// This helper's key; it must be in the federation.
    pub key: SecretKey,
    /// Who may create studies here. Empty: nobody.
    pub owners: Vec<PublicKey>,
    /// Deadlines.
    pub timing: Timing,
}

/// Deadlines, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// A member that has not answered for this long is sent the same messages again.
    pub resend_ms: u64,
    /// An attempt in which nothing arrived for this long is aborted.
    pub stall_ms: u64,
    /// A finished or aborted attempt is remembered for this long, to answer late repetitions.
    pub linger_ms: u64,
}

impl Default for Timing {
    fn default() -> Self {
        Timing { resend_ms: 500, stall_ms: 10_000, linger_ms: 60_000 }
    }
}
