//! Links: the live connections to other helpers, and the way out for frames.

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
}

/// The far end: frames to write. Dropping it takes the connection off the list.
pub(crate) struct Outlet {
    links: Arc<Links>,
    other: u8,
    id: u64,
    frames: UnboundedReceiver<Vec<u8>>,
    queued: Arc<AtomicUsize>,
}

impl Links {
    /// Lists a new connection to `other`, which replaces any before it: the old outlet ends.
    pub(crate) fn connect(self: &Arc<Self>, other: u8, limit: usize) -> Outlet {
        let (sender, frames) = unbounded_channel();
        let queued = Arc::new(AtomicUsize::new(0));
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        self.live.insert(other, Link { id, frames: sender, queued: Arc::clone(&queued), limit });
        Outlet { links: Arc::clone(self), other, id, frames, queued }
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
