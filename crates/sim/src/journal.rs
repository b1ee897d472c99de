//! Journal: a hash over everything that happens, and the story in words for whoever replays a seed.

use sha2::{Digest as _, Sha256};

/// Where a replay's story goes, line by line.
pub type Teller<'a> = Box<dyn FnMut(&str) + 'a>;

/// What happened so far.
pub(crate) struct Journal<'a> {
    hash: Sha256,
    teller: Option<Teller<'a>>,
    entries: u64,
}

impl<'a> Journal<'a> {
    /// An empty journal that tells its story to `teller`.
    pub(crate) fn new(teller: Option<Teller<'a>>) -> Self {
        Journal { hash: Sha256::new(), teller, entries: 0 }
    }

    /// Hashes one event or action.
    pub(crate) fn enter(&mut self, now_us: u64, place: usize, kind: &str, bytes: &[u8]) {
        self.entries += 1;
        self.hash.update(now_us.to_le_bytes());
        self.hash.update((place as u64).to_le_bytes());
        self.hash.update(kind.as_bytes());
        self.hash.update((bytes.len() as u64).to_le_bytes());
        self.hash.update(bytes);
    }

    /// Tells one line, if anybody listens.
    pub(crate) fn tell(&mut self, now_us: u64, line: impl FnOnce() -> String) {
        if let Some(teller) = &mut self.teller {
            teller(&format!("{:>9}.{:03} {}", now_us / 1_000, now_us % 1_000, line()));
        }
    }

    /// Entries so far.
    pub(crate) fn entries(&self) -> u64 {
        self.entries
    }

    /// The hash of all entries, in hexadecimal digits.
    pub(crate) fn digest(&self) -> String {
        self.hash.clone().finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
