//! Natural numbers that samplers compute in: words where everything fits them, 512 bits elsewhere.
//!
//! Sums and products stop at the largest number there is. A sampler's parameters are such that this takes a run of 2^16 coins of
//! probability 1/e that all fall on the same side: it has a probability below 2^-94000.

use quorate_field::Integer;

/// A number from 0 up.
pub(super) trait Natural: Copy + Ord {
    /// Bits below which all numbers are.
    const BITS: u32;
    /// 0.
    const ZERO: Self;
    /// 1.
    const ONE: Self;

    /// The number, if there is one.
    fn of(number: &Integer) -> Option<Self>;

    /// The number of one word.
    fn from_word(word: u64) -> Self;

    /// The lowest `bits` bits of as many words as they take, of which the first is the least significant.
    fn read(bits: u32, word: impl FnMut() -> u64) -> Self;

    /// The number as a signed one.
    fn integer(self) -> Integer;

    /// 0 for zero, `floor(log2 self) + 1` otherwise.
    fn bits(self) -> u32;

    /// `self + other`.
    fn plus(self, other: Self) -> Self;

    /// `self * other`.
    fn times(self, other: Self) -> Self;

    /// `floor(self / divisor)`; the divisor is not zero.
    fn over(self, divisor: Self) -> Self;

    /// `self - other`, or zero if that is more.
    fn less(self, other: Self) -> Self;

    /// `|self - other|`.
    fn distance(self, other: Self) -> Self {
        if self < other { other.less(self) } else { self.less(other) }
    }
}

impl Natural for u128 {
    const BITS: u32 = 127;
    const ZERO: u128 = 0;
    const ONE: u128 = 1;

    fn of(number: &Integer) -> Option<u128> {
        u128::try_from(number.to_i128()?).ok()
    }

    fn from_word(word: u64) -> u128 {
        u128::from(word)
    }

    fn read(bits: u32, mut word: impl FnMut() -> u64) -> u128 {
        let low = if bits > 0 { u128::from(word()) } else { 0 };
        let all = if bits > 64 { u128::from(word()) << 64 | low } else { low };
        all & (1_u128 << bits.min(Self::BITS)).wrapping_sub(1)
    }

    fn integer(self) -> Integer {
        Integer::from(self)
    }

    fn bits(self) -> u32 {
        u128::BITS - self.leading_zeros()
    }

    fn plus(self, other: u128) -> u128 {
        self.saturating_add(other)
    }

    fn times(self, other: u128) -> u128 {
        self.saturating_mul(other)
    }

    fn over(self, divisor: u128) -> u128 {
        self.checked_div(divisor).unwrap_or(u128::MAX)
    }

    fn less(self, other: u128) -> u128 {
        self.saturating_sub(other)
    }
}

impl Natural for Integer {
    const BITS: u32 = 510;
    const ZERO: Integer = Integer::ZERO;
    const ONE: Integer = Integer::ONE;

    fn of(number: &Integer) -> Option<Integer> {
        (!number.is_negative()).then_some(*number)
    }

    fn from_word(word: u64) -> Integer {
        Integer::from(word)
    }

    fn read(bits: u32, mut word: impl FnMut() -> u64) -> Integer {
        let mut words = [0; 8];
        let count = bits.min(Self::BITS).div_ceil(64) as usize;
        let (used, _) = words.split_at_mut(count);
        used.fill_with(&mut word);
        if let Some(highest) = used.last_mut().filter(|_| !bits.is_multiple_of(64)) {
            *highest &= (1 << (bits % 64)) - 1;
        }
        let base = Integer::from(1_u128 << 64);
        used.iter().rev().fold(Integer::ZERO, |sum, word| sum.times(base).plus(Integer::from(*word)))
    }

    fn integer(self) -> Integer {
        self
    }

    fn bits(self) -> u32 {
        Integer::bits(&self)
    }

    fn plus(self, other: Integer) -> Integer {
        self.checked_add(&other).unwrap_or_else(largest)
    }

    fn times(self, other: Integer) -> Integer {
        self.checked_mul(&other).unwrap_or_else(largest)
    }

    fn over(self, divisor: Integer) -> Integer {
        self.div_rem(&divisor).map_or_else(largest, |(quotient, _)| quotient)
    }

    fn less(self, other: Integer) -> Integer {
        self.checked_sub(&other).filter(|less| !less.is_negative()).unwrap_or(Integer::ZERO)
    }
}

/// The largest number: `|-2^511|`, which is taken for one less.
fn largest() -> Integer {
    let half = power_of_two(510).unwrap_or_default();
    half.checked_sub(&Integer::ONE).and_then(|less| less.checked_add(&half)).unwrap_or_default()
}

/// `2^exponent`; `None` from 2^511 on.
pub(crate) fn power_of_two(exponent: u32) -> Option<Integer> {
    const STEP: u32 = 96;
    let steps = (0..exponent / STEP)
        .try_fold(Integer::ONE, |power, _| power.checked_mul(&Integer::from(1_u128 << STEP)));
    steps?.checked_mul(&Integer::from(1_u128 << (exponent % STEP)))
}
