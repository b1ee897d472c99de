//! Exact integers: what a field element stands for, and what bounds and results are computed in.
//!
//! Signed, `-2^511 ..= 2^511-1`, so that a product of two centred elements of any field is exact; everything
//! that could leave the range is checked. For public values and bounds, and for what a contributor reads of its own
//! file: arithmetic, printing, parsing and `to_f64` take variable time, little for what fits 128 bits, as nearly all does.

use std::fmt;
use std::str::FromStr;

use crypto_bigint::{I512, U512};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use subtle::Choice;

/// Longest decimal text of an integer: a sign and the 154 digits of 2^511.
const DIGITS_MAX: usize = 155;

/// An exact signed integer of 512 bits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Integer(I512);

impl Integer {
    /// 0.
    pub const ZERO: Self = Self(I512::ZERO);
    /// 1.
    pub const ONE: Self = Self(I512::ONE);

    /// `self + other`, or `None` outside the range.
    #[must_use]
    pub fn checked_add(&self, other: &Self) -> Option<Self> {
        self.0.checked_add(&other.0).into_option().map(Self)
    }

    /// `self - other`, or `None` outside the range.
    #[must_use]
    pub fn checked_sub(&self, other: &Self) -> Option<Self> {
        let (difference, underflow) = self.0.underflowing_sub(&other.0);
        if underflow.to_bool() { None } else { Some(Self(difference)) }
    }

    /// `self * other`, or `None` outside the range.
    #[must_use]
    pub fn checked_mul(&self, other: &Self) -> Option<Self> {
        if let Some(product) = self.to_i128().zip(other.to_i128()).and_then(|(a, b)| a.checked_mul(b)) {
            return Some(Self::from(product));
        }
        self.0.checked_mul(&other.0).into_option().map(Self)
    }

    /// `-self`, or `None` for `-2^511`.
    #[must_use]
    pub fn checked_neg(&self) -> Option<Self> {
        self.0.checked_neg().into_option().map(Self)
    }

    /// `self < 0`.
    #[must_use]
    pub fn is_negative(&self) -> bool {
        self.0.is_negative().to_bool()
    }

    /// `|self|`; `-2^511`, which has none, becomes the largest integer.
    #[must_use]
    pub fn abs(&self) -> Self {
        if self.is_negative() { self.checked_neg().unwrap_or(Self(I512::MAX)) } else { *self }
    }

    /// Quotient and remainder with `self = q * divisor + r` and `0 <= r < |divisor|` (Euclid).
    /// `None` where the divisor is zero or the quotient leaves the range.
    #[must_use]
    pub fn div_rem(&self, divisor: &Self) -> Option<(Self, Self)> {
        let small = self.to_i128().zip(divisor.to_i128());
        if let Some(both) = small.and_then(|(a, b)| a.checked_div_euclid(b).zip(a.checked_rem_euclid(b))) {
            return Some((Self::from(both.0), Self::from(both.1)));
        }
        let nonzero = divisor.0.to_nz().into_option()?;
        let (quotient, remainder) = self.0.checked_div_rem(&nonzero);
        let (quotient, remainder) = (Self(quotient.into_option()?), Self(remainder));
        if !remainder.is_negative() {
            return Some((quotient, remainder));
        }
        // Truncation rounded towards zero: one more step away from zero makes the remainder positive.
        let quotient = if divisor.is_negative() {
            quotient.checked_add(&Self::ONE)
        } else {
            quotient.checked_sub(&Self::ONE)
        };
        let remainder = if divisor.is_negative() {
            remainder.checked_sub(divisor)
        } else {
            remainder.checked_add(divisor)
        };
        Some((quotient?, remainder?))
    }

    /// `10^exponent`, or `None` from 10^154 on.
    #[must_use]
    pub fn pow10(exponent: u32) -> Option<Self> {
        let ten = Self::from(10_u64);
        (0..exponent).try_fold(Self::ONE, |power, _| power.checked_mul(&ten))
    }

    /// The largest integer whose square is not above `self`; `None` of a negative one.
    #[must_use]
    pub fn floor_root(&self) -> Option<Self> {
        let magnitude = *self.0.as_uint();
        (!self.is_negative()).then(|| Self(*magnitude.floor_sqrt_vartime().as_int()))
    }

    /// Bits of `|self|`: 0 for zero, `floor(log2 |self|) + 1` otherwise.
    #[must_use]
    pub fn bits(&self) -> u32 {
        self.0.abs().bits()
    }

    /// The value, if an `i128` holds it.
    #[must_use]
    pub fn to_i128(&self) -> Option<i128> {
        // Of the two's complement the lower 128 bits, where all bits above repeat the highest of them.
        let words: [u64; 8] = self.0.as_uint().to_words();
        let low = (u128::from(words[1]) << 64 | u128::from(words[0])).cast_signed();
        let above = if low < 0 { u64::MAX } else { 0 };
        words[2..].iter().all(|word| *word == above).then_some(low)
    }

    /// The nearest double or one beside it (each word of the magnitude rounds).
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "the documented rounding")]
    pub fn to_f64(&self) -> f64 {
        let words = self.le_magnitude_words();
        let magnitude = words.iter().rev().fold(0.0, |sum, word| sum * 2_f64.powi(64) + *word as f64);
        if self.is_negative() { -magnitude } else { magnitude }
    }

    /// A number below 2^256 from its words, least significant first.
    pub(crate) fn from_le_words(words: [u64; 4]) -> Self {
        let mut bytes = [0; 64];
        for (word, encoded) in words.iter().zip(bytes.chunks_exact_mut(8)) {
            encoded.copy_from_slice(&word.to_le_bytes());
        }
        Self::from_le_magnitude(&bytes, Choice::from(0))
    }

    /// A number from magnitude (below 2^511) and sign, in constant time.
    pub(crate) fn from_le_magnitude(bytes: &[u8; 64], negative: Choice) -> Self {
        Self(U512::from_le_slice(bytes).as_int().wrapping_neg_if(negative.into()))
    }

    /// Magnitude and sign, in constant time.
    pub(crate) fn to_le_magnitude(self) -> ([u8; 64], Choice) {
        let (magnitude, negative) = self.0.abs_sign();
        (magnitude.to_le_bytes().into(), negative.into())
    }

    fn le_magnitude_words(&self) -> [u64; 8] {
        let (bytes, _) = self.to_le_magnitude();
        let (words, _) = bytes.as_chunks::<8>();
        std::array::from_fn(|i| u64::from_le_bytes(words[i]))
    }
}

macro_rules! from_signed {
    ($($kind:ty),*) => {$(
        impl From<$kind> for Integer {
            fn from(x: $kind) -> Self {
                Self(I512::from(x))
            }
        }
    )*};
}
from_signed!(i32, i64, i128);

macro_rules! from_unsigned {
    ($($kind:ty),*) => {$(
        impl From<$kind> for Integer {
            fn from(x: $kind) -> Self {
                Self(*U512::from(x).as_int())
            }
        }
    )*};
}
from_unsigned!(u32, u64, u128);

impl Default for Integer {
    fn default() -> Self {
        Self::ZERO
    }
}

impl fmt::Display for Integer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Nineteen digits at a time, least significant first.
        const CHUNK: u128 = 10_u128.pow(19);
        let mut words = self.le_magnitude_words();
        let mut chunks = Vec::with_capacity(DIGITS_MAX / 19 + 1);
        while words != [0; 8] {
            let mut remainder = 0;
            for word in words.iter_mut().rev() {
                let dividend = remainder << 64 | u128::from(*word);
                // remainder < 10^19 < 2^64, so the quotient fits a word.
                *word = u64::try_from(dividend / CHUNK).unwrap_or(u64::MAX);
                remainder = dividend % CHUNK;
            }
            chunks.push(remainder);
        }
        let mut text = chunks.pop().unwrap_or(0).to_string();
        for chunk in chunks.iter().rev() {
            text.push_str(&format!("{chunk:019}"));
        }
        f.pad_integral(!self.is_negative(), "", &text)
    }
}

impl fmt::Debug for Integer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is no integer in range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParseIntegerError {
    /// Something else than an optional minus sign and decimal digits.
    #[error("an integer is an optional '-' and decimal digits, nothing else")]
    NotDecimal,
    /// A number that 512 bits cannot hold.
    #[error("the integer does not fit 512 bits")]
    OutOfRange,
}

/// Reads an optional `-` and decimal digits; no plus sign, separators or white space.
impl FromStr for Integer {
    type Err = ParseIntegerError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
            return Err(ParseIntegerError::NotDecimal);
        }
        if let Ok(small) = text.parse::<i128>() {
            return Ok(Self::from(small));
        }
        let ten = Self::from(10_u64);
        let negative = digits.len() < text.len();
        // Built from the signed side, so that -2^511 parses.
        let step = |value: Self, digit: u8| {
            let (value, digit) = (value.checked_mul(&ten)?, Self::from(u64::from(digit - b'0')));
            if negative { value.checked_sub(&digit) } else { value.checked_add(&digit) }
        };
        let significant = digits.trim_start_matches('0');
        if significant.len() > DIGITS_MAX {
            return Err(ParseIntegerError::OutOfRange);
        }
        significant.bytes().try_fold(Self::ZERO, step).ok_or(ParseIntegerError::OutOfRange)
    }
}

/// As a decimal string: JSON numbers lose digits in other languages.
impl Serialize for Integer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Integer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Decimal;

        impl de::Visitor<'_> for Decimal {
            type Value = Integer;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an integer as a decimal string")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Integer, E> {
                text.parse().map_err(E::custom)
            }
        }

        deserializer.deserialize_str(Decimal)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn integer(text: &str) -> Integer {
        text.parse().unwrap()
    }

    #[test]
    fn limits_parse_print_and_overflow() {
        let max = Integer(I512::MAX);
        let min = Integer(I512::MIN);
        assert_eq!(integer(&max.to_string()), max);
        assert_eq!(integer(&min.to_string()), min);
        assert_eq!(max.checked_add(&Integer::ONE), None);
        assert_eq!(min.checked_sub(&Integer::ONE), None);
        assert_eq!(min.checked_neg(), None);
        assert_eq!(min.div_rem(&Integer::from(-1)), None);
        assert_eq!(max.checked_mul(&Integer::from(2)), None);
        assert_eq!((max.bits(), min.bits(), Integer::ZERO.bits()), (511, 512, 0));
        let beyond = format!("{}0", max);
        assert_eq!(beyond.parse::<Integer>(), Err(ParseIntegerError::OutOfRange));
        assert_eq!("9".repeat(100_000).parse::<Integer>(), Err(ParseIntegerError::OutOfRange));
    }

    #[test]
    fn only_plain_decimal_parses() {
        for text in ["", "-", "+1", " 1", "1 ", "1_000", "0x1", "1.0", "--1", "٣"] {
            assert_eq!(text.parse::<Integer>(), Err(ParseIntegerError::NotDecimal), "{text:?}");
        }
        assert_eq!(integer("-0"), Integer::ZERO);
        assert_eq!(integer("0007"), Integer::from(7));
    }

    #[test]
    fn powers_of_ten_end_at_153() {
        assert_eq!(Integer::pow10(0), Some(Integer::ONE));
        assert_eq!(Integer::pow10(153).unwrap().to_string(), format!("1{}", "0".repeat(153)));
        assert_eq!(Integer::pow10(154), None);
        assert_eq!(Integer::pow10(u32::MAX), None);
    }

    #[test]
    fn conversions_at_the_edges_of_i128() {
        for x in [i128::MIN, i128::MIN + 1, -1, 0, 1, i128::MAX] {
            assert_eq!(Integer::from(x).to_i128(), Some(x));
        }
        assert_eq!(Integer::from(i128::MAX).checked_add(&Integer::ONE).unwrap().to_i128(), None);
        assert_eq!(Integer::from(i128::MIN).checked_sub(&Integer::ONE).unwrap().to_i128(), None);
        assert_eq!(Integer::pow10(100).unwrap().to_i128(), None);
        let beyond = Integer::from(i128::MAX).checked_add(&Integer::ONE).unwrap();
        assert_eq!(Integer::from(i128::MIN).div_rem(&Integer::from(-1)), Some((beyond, Integer::ZERO)));
        assert_eq!(Integer::from(i128::MIN).checked_mul(&Integer::from(-1)), Some(beyond));
        assert_eq!(Integer::from(-3).to_f64(), -3.0);
        assert!((Integer::pow10(100).unwrap().to_f64() / 1e100 - 1.0).abs() < 1e-15);
    }

    proptest! {
        #[test]
        fn agrees_with_i128(a in any::<i64>(), b in any::<i64>()) {
            let (x, y) = (Integer::from(a), Integer::from(b));
            let (a, b) = (i128::from(a), i128::from(b));
            prop_assert_eq!(x.checked_add(&y).unwrap().to_i128(), Some(a + b));
            prop_assert_eq!(x.checked_sub(&y).unwrap().to_i128(), Some(a - b));
            prop_assert_eq!(x.checked_mul(&y).unwrap().to_i128(), Some(a * b));
            prop_assert_eq!(x.cmp(&y), a.cmp(&b));
            let expected = (b != 0).then(|| (a.div_euclid(b), a.rem_euclid(b)));
            let quotient = x.div_rem(&y).map(|(q, r)| (q.to_i128().unwrap(), r.to_i128().unwrap()));
            prop_assert_eq!(quotient, expected);
        }

        #[test]
        fn wide_division_is_euclids(a: i128, b: i128, c: i128) {
            let (a, b, c) = (Integer::from(a), Integer::from(b), Integer::from(c));
            let product = a.checked_mul(&b).unwrap();
            for (dividend, divisor) in [(product, c), (a, product), (c, b)] {
                let Some((quotient, remainder)) = dividend.div_rem(&divisor) else {
                    prop_assert_eq!(divisor, Integer::ZERO);
                    continue;
                };
                let back = quotient.checked_mul(&divisor).unwrap().checked_add(&remainder).unwrap();
                prop_assert_eq!(back, dividend);
                prop_assert!(!remainder.is_negative() && remainder < divisor.abs());
            }
        }

        #[test]
        fn text_and_json_round_trip(a: i128, b: i128, c: i64) {
            prop_assert_eq!(Integer::from(a).to_string(), a.to_string());
            let wide = Integer::from(a).checked_mul(&Integer::from(b)).unwrap().checked_mul(&Integer::from(c)).unwrap();
            prop_assert_eq!(integer(&wide.to_string()), wide);
            let json = serde_json::to_string(&wide).unwrap();
            prop_assert_eq!(&json, &format!("\"{wide}\""));
            prop_assert_eq!(serde_json::from_str::<Integer>(&json).unwrap(), wide);
        }
    }
}
