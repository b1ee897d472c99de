//! Links: the live connections to other helpers, and the way out for frames.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use dashmap::DashMap;
use quorate_wire::limits::MESSAGE_MAX;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tracing::error;

/// What a queued frame costs beside its bytes.
const FRAME_COST: usize = 64;

/// The live connections, by helper number.
#[derive(Default)]
pub(crate) struct Links {
    live: DashMap<u8, Link>,
    next: AtomicU64,
    dropped: AtomicU64,
}

/// The near end of one connection's queue.
struct Link {
    id: u64,
    frames: UnboundedSender<Vec<u8>>,
    queued: Arc<AtomicUsize>,
    limit: usize,
    round_trip: Arc<RoundTrip>,
}

/// How long a heartbeat and its echo take. Those that waited behind other frames took longer than the way does: a shorter
/// time counts at once, a longer one slowly.
#[derive(Debug, Default)]
pub(super) struct RoundTrip {
    /// Microseconds; 0 until measured.
    us: AtomicU64,
}

impl RoundTrip {
    /// Takes a measurement.
    pub(super) fn measured(&self, took_us: u64) {
        let (known, took_us) = (self.us.load(Ordering::Relaxed), took_us.max(1));
        let us = if known == 0 || took_us < known { took_us } else { known + (took_us - known) / 8 };
        self.us.store(us, Ordering::Relaxed);
    }
}

/// The far end: frames to write. Dropping it takes the connection off the list.
pub(crate) struct Outlet {
    links: Arc<Links>,
    other: u8,
    id: u64,
    frames: UnboundedReceiver<Vec<u8>>,
    queued: Arc<AtomicUsize>,
    round_trip: Arc<RoundTrip>,
}

impl Links {
    /// Lists a new connection to `other`, which replaces any before it: the old outlet ends.
    pub(crate) fn connect(self: &Arc<Self>, other: u8, limit: usize) -> Outlet {
        let (sender, frames) = unbounded_channel();
        let queued = Arc::new(AtomicUsize::new(0));
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let round_trip = Arc::<RoundTrip>::default();
        let link =
            Link { id, frames: sender, queued: Arc::clone(&queued), limit, round_trip: round_trip.clone() };
        self.live.insert(other, link);
        Outlet { links: Arc::clone(self), other, id, frames, queued, round_trip }
    }

    /// Queues a frame, or drops it when there is no connection or no room. The newest is dropped rather than the
    /// oldest: what is queued is the beginning of what the coordinator will send again.
    pub(crate) fn send(&self, to: u8, frame: Vec<u8>) {
        if frame.len() > MESSAGE_MAX {
            error!(to, bytes = frame.len(), "a frame over the limit was not sent: a fault of this program");
            return;
        }
        let sent = self.live.get(&to).is_some_and(|link| {
            let cost = frame.len() + FRAME_COST;
            let before = link.queued.fetch_add(cost, Ordering::Relaxed);
            // A single frame always fits.
            let fits = before == 0 || before + cost <= link.limit;
            let sent = fits && link.frames.send(frame).is_ok();
            if !sent {
                link.queued.fetch_sub(cost, Ordering::Relaxed);
            }
            sent
        });
        if !sent {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The helpers that there is a connection to, ascending.
    pub(crate) fn connected(&self) -> Vec<u8> {
        let mut numbers: Vec<u8> = self.live.iter().map(|link| *link.key()).collect();
        numbers.sort_unstable();
        numbers
    }

    /// Microseconds to other helpers and back, by number, as far as they were measured.
    pub(crate) fn round_trips_us(&self) -> BTreeMap<u8, u64> {
        let trip = |number: u8, us: u64| (us > 0).then_some((number, us));
        let trips = self.live.iter();
        trips.filter_map(|link| trip(*link.key(), link.round_trip.us.load(Ordering::Relaxed))).collect()
    }

    /// The number that the next connection gets.
    #[cfg(test)]
    pub(crate) fn next_id(&self) -> u64 {
        self.next.load(Ordering::Relaxed)
    }

    /// Frames dropped since the start.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

impl Outlet {
    /// The next frame; `None` when a newer connection has replaced this one.
    pub(crate) async fn next(&mut self) -> Option<Vec<u8>> {
        self.frames.recv().await
    }

    /// Where measurements of this connection go.
    pub(super) fn round_trip(&self) -> Arc<RoundTrip> {
        self.round_trip.clone()
    }

    /// A frame that waits already.
    pub(crate) fn waiting(&mut self) -> Option<Vec<u8>> {
        self.frames.try_recv().ok()
    }

    /// Gives back the room of a frame of `bytes` that has been written.
    pub(crate) fn written(&self, bytes: usize) {
        self.queued.fetch_sub(bytes + FRAME_COST, Ordering::Relaxed);
    }
}

impl Drop for Outlet {
    fn drop(&mut self) {
        self.links.live.remove_if(&self.other, |_, link| link.id == self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_without_connection_or_room_are_dropped_and_counted() {
        let links = Arc::new(Links::default());
        links.send(2, vec![1]);
        assert_eq!(links.dropped(), 1);
        let mut outlet = links.connect(2, 1000);
        links.send(2, vec![0; 5000]); // alone: fits
        links.send(2, vec![0; 5000]);
        assert_eq!(links.dropped(), 2);
        let frame = outlet.waiting().unwrap();
        outlet.written(frame.len());
        links.send(2, vec![7]);
        assert_eq!(outlet.waiting(), Some(vec![7]));
        assert_eq!(links.dropped(), 2);
    }

    #[test]
    fn a_heartbeat_that_waited_counts_slowly() {
        let trip = RoundTrip::default();
        for (took, known) in [(0, 1), (900, 113), (100, 100), (8_100, 1_100), (50, 50)] {
            trip.measured(took);
            assert_eq!(trip.us.load(Ordering::Relaxed), known, "after {took}");
        }
    }

    #[tokio::test]
    async fn a_new_connection_replaces_the_old_and_outlives_its_end() {
        let links = Arc::new(Links::default());
        let mut old = links.connect(3, 1000);
        let mut new = links.connect(3, 1000);
        assert_eq!(old.next().await, None);
        drop(old);
        assert_eq!(links.connected(), [3]);
        links.send(3, vec![9]);
        assert_eq!(new.next().await, Some(vec![9]));
        drop(new);
        assert_eq!(links.connected(), [0_u8; 0]);
    }
}
