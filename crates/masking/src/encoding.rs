//! Encoding: vectors as words whose sums cannot overflow, and sums as numbers.
//!
//! A number is clipped to its bound, scaled by a power of two, rounded to the nearest integer, multiplied by its
//! client's weight and written as a word in two's complement. Words are added modulo 2^32 or 2^64; a round is refused
//! if `n * weight_max * bound` could leave the ring's signed range, so every sum is exact.

use bytemuck::Zeroable;
use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

use crate::LENGTH_MAX;

/// The ring that sums are in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ring {
    /// Integers modulo 2^32: four bytes a word.
    Mod32,
    /// Integers modulo 2^64: eight bytes a word.
    Mod64,
}

/// What a vector is and how it becomes words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Encoding {
    /// The ring.
    pub ring: Ring,
    /// Numbers in a vector.
    pub length: u32,
    /// A number `x` becomes `x * 2^fraction_bits`, rounded; 0 for integers.
    pub fraction_bits: u8,
    /// The largest absolute value after scaling.
    pub bound: i64,
    /// The largest weight; 0 if clients have none. Weighted vectors have one word more, the weight itself.
    pub weight_max: u32,
}

/// An encoding that cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncodingFault {
    /// Not a length.
    #[error("vectors of {0} numbers: choose 1 to {LENGTH_MAX}")]
    Length(u32),
    /// Not a bound.
    #[error("a bound of {0} after scaling: it must be at least 1")]
    Bound(i64),
    /// More fraction bits than a number has.
    #[error("{0} fraction bits: choose at most 52, as many as a double has")]
    FractionBits(u8),
    /// The sum would not fit.
    #[error(
        "{clients} clients with weights up to {weight_max} and values up to {bound} (after scaling) need {needed} bits \
         with the sign, and the ring has {bits}"
    )]
    Overflow {
        /// `n`.
        clients: u32,
        /// The largest weight, 1 if there are none.
        weight_max: u32,
        /// The bound.
        bound: i64,
        /// Bits of the largest sum.
        needed: u32,
        /// Bits of the ring.
        bits: u32,
    },
}

/// One client's vector.
#[derive(Clone, Copy)]
pub enum Input<'a> {
    /// Real numbers; those beyond the bound are clipped to it.
    Reals(&'a [f32]),
    /// Integers, taken as they are after scaling: `fraction_bits` says what they mean.
    Integers(&'a [i64]),
}

/// A vector that its own client must mend. Positions are shown, numbers are not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InputFault {
    /// Another length than the round's.
    #[error("a vector of {found} numbers, and the round has {expected}")]
    Length {
        /// The round's.
        expected: u32,
        /// The vector's.
        found: usize,
    },
    /// Neither a number nor an infinity that could be clipped.
    #[error("number {0} of the vector (from 0) is not a number")]
    NotANumber(usize),
    /// An integer beyond the bound.
    #[error("number {0} of the vector (from 0) is beyond the round's bound")]
    Bound(usize),
    /// A weight beyond the largest, or 0, or one where there are none.
    #[error("a weight of {weight}: the round takes {}", match weight_max { 0 => "none (1)".to_owned(), max => format!("1 to {max}") })]
    Weight {
        /// The weight.
        weight: u32,
        /// The round's largest.
        weight_max: u32,
    },
}

/// Words of one ring: a vector, a masked vector or a sum. Wiped when dropped.
pub enum Words {
    /// Of [`Ring::Mod32`].
    Mod32(Vec<u32>),
    /// Of [`Ring::Mod64`].
    Mod64(Vec<u64>),
}

impl Ring {
    /// Bits of a word.
    pub fn bits(self) -> u32 {
        match self {
            Ring::Mod32 => 32,
            Ring::Mod64 => 64,
        }
    }
}

impl Encoding {
    /// Words of one vector, the weight included.
    pub fn words(&self) -> usize {
        self.length as usize + usize::from(self.weight_max > 0)
    }

    /// Bytes of one vector's words.
    pub fn bytes(&self) -> usize {
        self.words() * self.ring.bits() as usize / 8
    }

    /// Whether it is one, and sums of so many clients fit.
    pub fn check(&self, clients: u32) -> Result<(), EncodingFault> {
        if !(1..=LENGTH_MAX).contains(&self.length) {
            return Err(EncodingFault::Length(self.length));
        }
        if self.bound < 1 {
            return Err(EncodingFault::Bound(self.bound));
        }
        if self.fraction_bits > 52 {
            return Err(EncodingFault::FractionBits(self.fraction_bits));
        }
        let weight_max = self.weight_max.max(1);
        let largest = u128::from(clients) * u128::from(weight_max) * u128::from(self.bound.unsigned_abs());
        let needed = u128::BITS - largest.leading_zeros() + 1;
        let bits = self.ring.bits();
        if needed > bits {
            return Err(EncodingFault::Overflow { clients, weight_max, bound: self.bound, needed, bits });
        }
        Ok(())
    }

    /// Whether a client's vector can be encoded. `weight` is 1 where the round has none.
    pub fn check_input(&self, input: Input<'_>, weight: u32) -> Result<(), InputFault> {
        let is_weight =
            if self.weight_max == 0 { weight == 1 } else { (1..=self.weight_max).contains(&weight) };
        if !is_weight {
            return Err(InputFault::Weight { weight, weight_max: self.weight_max });
        }
        let found = match input {
            Input::Reals(vector) => vector.len(),
            Input::Integers(vector) => vector.len(),
        };
        if found != self.length as usize {
            return Err(InputFault::Length { expected: self.length, found });
        }
        let bound = self.bound.unsigned_abs();
        let refused = match input {
            Input::Reals(vector) => {
                vector.iter().position(|number| number.is_nan()).map(InputFault::NotANumber)
            }
            Input::Integers(vector) => {
                vector.iter().position(|number| number.unsigned_abs() > bound).map(InputFault::Bound)
            }
        };
        refused.map_or(Ok(()), Err)
    }

    /// A client's vector as words, if it can be encoded.
    pub fn encode(&self, input: Input<'_>, weight: u32) -> Result<Words, InputFault> {
        self.check_input(input, weight)?;
        let mut words = Words::zeros(self);
        match input {
            Input::Reals(vector) => {
                let scale = f64::from(2_u32).powi(i32::from(self.fraction_bits));
                #[expect(
                    clippy::cast_possible_truncation,
                    reason = "the conversion saturates, and then it is clamped"
                )]
                words.fill(vector.iter().map(|&number| {
                    let scaled = (f64::from(number) * scale).round_ties_even();
                    (scaled as i64).clamp(-self.bound, self.bound).wrapping_mul(i64::from(weight))
                }));
            }
            Input::Integers(vector) => {
                words.fill(vector.iter().map(|&number| number.wrapping_mul(i64::from(weight))));
            }
        }
        if self.weight_max > 0 {
            words.set_last(weight.into());
        }
        Ok(words)
    }

    /// What a sum comes to: the numbers after scaling, and the sum of weights where there are any.
    pub fn decode(&self, sum: &Words) -> (Vec<i64>, Option<u64>) {
        let mut numbers = sum.signed();
        let weight = if self.weight_max > 0 { numbers.pop().map(i64::cast_unsigned) } else { None };
        (numbers, weight)
    }

    /// The numbers of a sum that was divided by `divisor`, in the vector's unit.
    pub fn mean(&self, sum: &[i64], divisor: u64) -> Vec<f64> {
        let unit = divisor as f64 * f64::from(2_u32).powi(i32::from(self.fraction_bits));
        sum.iter().map(|&number| number as f64 / unit).collect()
    }
}

impl Words {
    /// A vector of zeros.
    pub fn zeros(encoding: &Encoding) -> Self {
        match encoding.ring {
            Ring::Mod32 => Words::Mod32(vec![0; encoding.words()]),
            Ring::Mod64 => Words::Mod64(vec![0; encoding.words()]),
        }
    }

    /// The little-endian bytes, as they travel.
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Words::Mod32(words) => words.iter().flat_map(|word| word.to_le_bytes()).collect(),
            Words::Mod64(words) => words.iter().flat_map(|word| word.to_le_bytes()).collect(),
        }
    }

    /// Adds the words that `bytes` are, if they are as many; whether they were.
    pub fn add_bytes(&mut self, bytes: &[u8]) -> bool {
        fn add<W: Copy + Zeroable, const N: usize>(
            sums: &mut [W],
            bytes: &[u8],
            add: impl Fn(W, [u8; N]) -> W,
        ) -> bool {
            let (words, rest) = bytes.as_chunks::<N>();
            let fits = rest.is_empty() && words.len() == sums.len();
            if fits {
                sums.iter_mut().zip(words).for_each(|(sum, word)| *sum = add(*sum, *word));
            }
            fits
        }
        match self {
            Words::Mod32(sums) => {
                add(sums, bytes, |sum: u32, word| sum.wrapping_add(u32::from_le_bytes(word)))
            }
            Words::Mod64(sums) => {
                add(sums, bytes, |sum: u64, word| sum.wrapping_add(u64::from_le_bytes(word)))
            }
        }
    }

    /// Writes numbers, in two's complement.
    fn fill(&mut self, numbers: impl Iterator<Item = i64>) {
        match self {
            // The bits above the ring's are the sign's, and `Encoding::check` has room for it.
            #[expect(clippy::cast_possible_truncation, reason = "reduction modulo 2^32")]
            Words::Mod32(words) => {
                words.iter_mut().zip(numbers).for_each(|(word, number)| *word = number as u32)
            }
            Words::Mod64(words) => {
                words.iter_mut().zip(numbers).for_each(|(word, number)| *word = number.cast_unsigned());
            }
        }
    }

    fn set_last(&mut self, number: i64) {
        match self {
            #[expect(clippy::cast_possible_truncation, reason = "reduction modulo 2^32")]
            Words::Mod32(words) => words.last_mut().into_iter().for_each(|word| *word = number as u32),
            Words::Mod64(words) => {
                words.last_mut().into_iter().for_each(|word| *word = number.cast_unsigned())
            }
        }
    }

    /// The words as signed numbers.
    fn signed(&self) -> Vec<i64> {
        match self {
            Words::Mod32(words) => words.iter().map(|word| word.cast_signed().into()).collect(),
            Words::Mod64(words) => words.iter().map(|word| word.cast_signed()).collect(),
        }
    }
}

impl Drop for Words {
    fn drop(&mut self) {
        match self {
            Words::Mod32(words) => words.as_mut_slice().zeroize(),
            Words::Mod64(words) => words.as_mut_slice().zeroize(),
        }
    }
}

impl std::fmt::Debug for Words {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Words::Mod32(words) => write!(f, "Words({} of 32 bits)", words.len()),
            Words::Mod64(words) => write!(f, "Words({} of 64 bits)", words.len()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REALS: Encoding =
        Encoding { ring: Ring::Mod32, length: 4, fraction_bits: 8, bound: 512, weight_max: 0 };

    #[test]
    fn reals_are_clipped_and_rounded_to_nearest() {
        let words = REALS.encode(Input::Reals(&[0.25, -1.001, 7.0, f32::NEG_INFINITY]), 1).unwrap();
        assert_eq!(REALS.decode(&words), (vec![64, -256, 512, -512], None));
        assert_eq!(REALS.mean(&[64, -256], 2), [0.125, -0.5]);
        let halves =
            REALS.encode(Input::Reals(&[0.5 / 256.0, 1.5 / 256.0, 2.5 / 256.0, -0.5 / 256.0]), 1).unwrap();
        assert_eq!(REALS.decode(&halves).0, [0, 2, 2, 0]);
    }

    #[test]
    fn weights_multiply_and_come_last() {
        for ring in [Ring::Mod32, Ring::Mod64] {
            let encoding = Encoding { ring, length: 2, fraction_bits: 0, bound: 100, weight_max: 7 };
            let mut sum = Words::zeros(&encoding);
            for (vector, weight) in [([100, -100], 7), ([-3, 4], 1)] {
                let words = encoding.encode(Input::Integers(&vector), weight).unwrap();
                assert_eq!(words.to_bytes().len(), encoding.bytes());
                assert!(sum.add_bytes(&words.to_bytes()));
            }
            assert_eq!(encoding.decode(&sum), (vec![697, -696], Some(8)));
            assert!(!sum.add_bytes(&[0; 5]) && !sum.add_bytes(&[0; 4]));
        }
    }

    #[test]
    fn what_a_client_must_mend_is_said_without_its_numbers() {
        assert_eq!(
            REALS.encode(Input::Reals(&[0.0; 3]), 1).unwrap_err(),
            InputFault::Length { expected: 4, found: 3 }
        );
        let vector = [0.0, f32::NAN, 0.0, 0.0];
        assert_eq!(REALS.encode(Input::Reals(&vector), 1).unwrap_err(), InputFault::NotANumber(1));
        let vector = [512, -512, -513, i64::MIN];
        assert_eq!(REALS.encode(Input::Integers(&vector), 1).unwrap_err(), InputFault::Bound(2));
        let fault = REALS.encode(Input::Reals(&[0.0; 4]), 2).unwrap_err();
        assert_eq!(fault.to_string(), "a weight of 2: the round takes none (1)");
    }

    #[test]
    fn a_sum_that_could_overflow_is_refused_and_the_largest_that_cannot_is_exact() {
        let encoding = Encoding {
            ring: Ring::Mod32,
            length: 1,
            fraction_bits: 0,
            bound: (1 << 31) / 4 - 1,
            weight_max: 0,
        };
        encoding.check(4).unwrap();
        assert!(matches!(encoding.check(5), Err(EncodingFault::Overflow { needed: 33, bits: 32, .. })));
        let mut sum = Words::zeros(&encoding);
        for _ in 0..4 {
            sum.add_bytes(&encoding.encode(Input::Integers(&[-encoding.bound]), 1).unwrap().to_bytes());
        }
        assert_eq!(encoding.decode(&sum).0, [-4 * encoding.bound]);
        for weight_max in [0, u32::MAX] {
            let widest = Encoding { ring: Ring::Mod64, bound: i64::MAX, weight_max, ..encoding };
            assert!(matches!(widest.check(2), Err(EncodingFault::Overflow { .. })));
        }
    }
}
