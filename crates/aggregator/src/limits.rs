//! Limits on what the other end may make a process wait for or hold.

use std::time::Duration;

/// Deadlines and counts. A server holds at most `vectors` masked vectors beside the sum, whatever clients do.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// From the TCP connection to the end of the TLS handshake.
    pub handshake: Duration,
    /// From a message's first byte to its last, and for writing one.
    pub transfer: Duration,
    /// Handshakes under way at the same time.
    pub handshakes: usize,
    /// Large messages read at the same time; others wait at their senders.
    pub vectors: usize,
}

impl Default for Limits {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Limits { handshake: seconds(5), transfer: seconds(60), handshakes: 128, vectors: 8 }
    }
}
