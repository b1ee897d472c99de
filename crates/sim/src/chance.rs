//! Chance: everything random in a simulation, from its seed.

use quorate_hash::Tagged;
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

/// A stream of decisions. Streams with different labels or numbers are independent, so that one more decision in one
/// place changes nothing in another.
pub(crate) struct Chance(ChaCha20Rng);

/// A generator for one use of one seed.
pub(crate) fn generator(seed: u64, label: &str, numbers: &[u64]) -> ChaCha20Rng {
    let hash = Tagged::new("quorate/1/sim").u64(seed).bytes(label.as_bytes());
    let hash = numbers.iter().fold(hash, |hash, number| hash.u64(*number));
    ChaCha20Rng::from_seed(hash.finish().0)
}

impl Chance {
    /// The decisions of one part of a simulation.
    pub(crate) fn new(seed: u64, label: &str, number: u64) -> Self {
        Chance(generator(seed, label, &[number]))
    }

    /// 32 bytes.
    pub(crate) fn bytes(&mut self) -> [u8; 32] {
        let mut bytes = [0; 32];
        self.0.fill_bytes(&mut bytes);
        bytes
    }

    /// A number from `low` to `high`, both possible.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.0.next_u64() % (high - low + 1)
    }

    /// An index below `count`.
    pub(crate) fn index(&mut self, count: usize) -> usize {
        usize::try_from(self.between(0, count as u64 - 1)).unwrap_or(0)
    }

    /// Whether something of this probability happens, in thousandths.
    pub(crate) fn hit(&mut self, per_mille: u64) -> bool {
        self.between(0, 999) < per_mille
    }

    /// One of `choices`.
    pub(crate) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.index(choices.len())]
    }
}
