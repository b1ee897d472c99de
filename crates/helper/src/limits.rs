//! Limits on what clients and other helpers may make this process wait for or hold.
//!
//! Sizes of messages stand in `quorate_wire::limits`; these are the deadlines, counts and memory around them.

use std::time::Duration;

/// Deadlines, counts and memory. The defaults keep a helper under 300 MB whatever clients do.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// From the TCP connection to the end of the TLS handshake.
    pub handshake: Duration,
    /// From the handshake, or the answer before, to the end of a request's head (HTTP/1.1).
    pub head: Duration,
    /// From a request's head to the end of its body.
    pub body: Duration,
    /// A connection without a request under way is closed after this.
    pub idle: Duration,
    /// API connections at the same time.
    pub connections: usize,
    /// API connections from one IP address at the same time.
    pub connections_per_ip: usize,
    /// Requests under way at the same time; beyond this the API answers "busy".
    pub requests: usize,
    /// Memory for bodies from their first byte until they are answered; beyond this the API answers "busy".
    pub body_bytes: usize,
    /// Requests that wait for the coordinator.
    pub request_queue: usize,
    /// Memory for frames from one helper until the coordinator took them; beyond this its connection is not read.
    pub peer_inbound_bytes: usize,
    /// Memory for frames to one helper; beyond this frames are dropped (and sent again by the coordinator).
    pub peer_outbound_bytes: usize,
    /// An empty frame is sent to every connected helper this often.
    pub peer_heartbeat: Duration,
    /// A helper that sent nothing for this long is disconnected.
    pub peer_silence: Duration,
    /// The longest pause between two attempts to reach a helper.
    pub peer_retry: Duration,
    /// After the signal to stop, replies are waited for this long.
    pub drain: Duration,
    /// After that, the store is waited for this long.
    pub flush: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Limits {
            handshake: seconds(5),
            head: seconds(10),
            body: seconds(30),
            idle: seconds(30),
            connections: 2_048,
            connections_per_ip: 1_024,
            requests: 2_048,
            body_bytes: 32 << 20,
            request_queue: 2_048,
            peer_inbound_bytes: 16 << 20,
            peer_outbound_bytes: 16 << 20,
            peer_heartbeat: seconds(2),
            peer_silence: seconds(10),
            peer_retry: seconds(2),
            drain: seconds(5),
            flush: seconds(4),
        }
    }
}
