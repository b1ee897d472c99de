//! Random projections of vectors: the local part of the check of their norms.
//!
//! `docs/protocols.md`, section 3. After Bell, Gascón, Lepoint, Li, Meiklejohn, Raykova, Yun, "ACORN: Input validation
//! for secure aggregation", USENIX Security 2023, and the modular Johnson-Lindenstrauss lemma of Gentry, Halevi,
//! Lyubashevsky, "Practical non-interactive publicly verifiable secret sharing with thousands of parties", EUROCRYPT
//! 2022:
//!
//! ```text
//! y_j = sum_i R_ji x_i     R_ji independent: 1, 0, -1 with probabilities 1/4, 1/2, 1/4;  j = 1 .. PROJECTIONS
//! ```
//!
//! The coin is tossed after the set was agreed on, so one R serves all contributions of a seal. An entry is the difference
//! of two random bits, and four entries of a column are one byte: x_i is added to the sum of its byte, and a projection is
//! a sum and difference of the 256 sums. Sixteen additions an element give all 64 projections.
//!
//! What is *not* here: what a projection is compared with, which is [`quorate_circuit::Norm`]'s; the comparison.

use std::fmt;

use quorate_circuit::PROJECTIONS;
use quorate_field::Field;
use quorate_sharing::Shares;

use crate::coin::Coin;

/// Projections whose entries for one element are one byte: the bits that are added, then those that are subtracted.
const TOGETHER: usize = 4;

/// Bytes for an element.
const BYTES: usize = PROJECTIONS / TOGETHER;

/// Values of a byte.
const PATTERNS: usize = 256;

/// The projections of one column of vectors, the same for all contributions of a seal.
pub struct Projections {
    /// A byte for each element, for one four of projections after the other.
    patterns: Vec<u8>,
    length: usize,
}

impl Projections {
    /// Those of a column of vectors of `length` elements, of which the first is cell `first` of a row.
    pub fn new(coin: &Coin, first: usize, length: usize) -> Self {
        const WORDS: usize = BYTES / 8;
        let mut words = vec![0; WORDS * length];
        coin.words((WORDS * first) as u64, &mut words);
        Projections { patterns: words.iter().flat_map(|word| word.to_le_bytes()).collect(), length }
    }

    /// The vector's projections: of shares of degree `t`, shares of degree `t`.
    ///
    /// # Panics
    /// If the vector is of another length.
    pub fn project<F: Field>(&self, x: &[F]) -> Shares<F> {
        assert_eq!(x.len(), self.length, "the vector's length");
        let mut projections = Shares::zeros(PROJECTIONS);
        let mut sums = Shares::zeros(PATTERNS);
        let out = projections.as_mut_slice().chunks_exact_mut(TOGETHER);
        for (patterns, out) in self.patterns.chunks_exact(self.length.max(1)).zip(out) {
            let sums = &mut sums.as_mut_slice()[..PATTERNS];
            sums.fill(F::ZERO);
            // The patterns are public: no index depends on a share.
            patterns.iter().zip(x).for_each(|(pattern, x)| sums[usize::from(*pattern)] += *x);
            for (pattern, sum) in sums.iter().enumerate() {
                for (row, out) in out.iter_mut().enumerate() {
                    match (pattern >> row & 1, pattern >> (row + TOGETHER) & 1) {
                        (1, 0) => *out += *sum,
                        (0, 1) => *out -= *sum,
                        _ => (),
                    }
                }
            }
        }
        projections
    }
}

impl fmt::Debug for Projections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Projections(of {} elements)", self.length)
    }
}

#[cfg(test)]
mod tests;
