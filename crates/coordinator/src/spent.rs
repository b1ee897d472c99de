//! Attempts that began in this life: none begins twice.
//!
//! A message of an attempt that is over and forgotten may still be on its way. Were the attempt begun again, that
//! message would be taken for a new one: it may say that its sender has signed nothing, which was true only then.

use std::collections::{BTreeSet, VecDeque};

use quorate_hash::Digest;

/// So many are remembered: by the time that so many newer ones began, no message of an older one is on its way.
const REMEMBERED_MAX: usize = 4_096;

/// The attempts that began in this life, the latest of them.
#[derive(Debug, Default)]
pub(crate) struct Spent {
    known: BTreeSet<Digest>,
    order: VecDeque<Digest>,
}

impl Spent {
    /// Whether this attempt began before.
    pub(crate) fn contains(&self, attempt: &Digest) -> bool {
        self.known.contains(attempt)
    }

    /// An attempt begins.
    pub(crate) fn add(&mut self, attempt: Digest) {
        if self.known.insert(attempt) {
            self.order.push_back(attempt);
        }
        if self.order.len() > REMEMBERED_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(number: usize) -> Digest {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&number.to_le_bytes());
        Digest(bytes)
    }

    #[test]
    fn the_latest_are_remembered_and_memory_is_bounded() {
        let mut spent = Spent::default();
        (0..=REMEMBERED_MAX).for_each(|number| spent.add(attempt(number)));
        spent.add(attempt(1));
        assert!(!spent.contains(&attempt(0)));
        assert!((1..=REMEMBERED_MAX).all(|number| spent.contains(&attempt(number))));
        assert_eq!((spent.known.len(), spent.order.len()), (REMEMBERED_MAX, REMEMBERED_MAX));
    }
}
