//! The field of 2^61-1 elements, the workhorse: one word an element.
//!
//! p = 2^61-1 is a Mersenne prime, so 2^61 = 1 mod p and reduction is a shift and an add. Three spare bits make
//! sums lazy: eight canonical values add up in a `u64` before any reduction (8(p-1) = 2^64-16).

mod kernels;

use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use zeroize::DefaultIsZeroes;

use crate::encoding::{exactly, first_non_canonical};
use crate::field::NamedField;
use crate::operators::{field_kernels, field_operators};
use crate::{Field, FieldId, NonCanonical, NonCanonicalAt};

/// The modulus, which is also the mask of its 61 bits.
const P: u64 = (1 << 61) - 1;

/// An element of the integers mod 2^61-1, canonical.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(transparent)]
pub struct F61(u64);

impl F61 {
    /// `x mod p`.
    #[inline]
    #[must_use]
    pub const fn new(x: u64) -> Self {
        Self::canonical(fold(x))
    }

    /// The canonical value, `< p`.
    #[inline]
    #[must_use]
    pub const fn to_u64(self) -> u64 {
        self.0
    }

    /// `s mod p` for `s <= 2p-1`.
    ///
    /// `s >= p` iff `s+1` reaches bit 61, and `s+1 <= 2p < 2^62` carries at most one there. If it does,
    /// `s - p = s + 1 - 2^61` is in `0..=p-1`; if not, `s <= p-1` already.
    #[inline(always)]
    const fn canonical(s: u64) -> Self {
        let carry = (s + 1) >> 61;
        Self((s + carry) & P)
    }

    /// `x mod p` for any `x`, the sum of up to 63 products and one value included.
    ///
    /// In digits of base 2^61, `x = x0 + 2^61 x1 + 2^122 x2` with `x2 < 2^6`, so that `x0 + x1 + x2 <= 2p + 63`
    /// fits a word; one fold leaves at most `p + 2`.
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "each digit is masked or shifted to 61 bits")]
    const fn from_wide(x: u128) -> Self {
        let (x0, x1, x2) = (x as u64 & P, (x >> 61) as u64 & P, (x >> 122) as u64);
        Self::canonical(fold(x0 + x1 + x2))
    }

    /// The product of the representatives, at most `(p-1)^2 < 2^122`.
    #[inline(always)]
    const fn wide_mul(self, other: Self) -> u128 {
        self.0 as u128 * other.0 as u128
    }

    /// `0 <= a + b <= 2p-2`.
    #[inline(always)]
    const fn add_mod(self, other: Self) -> Self {
        Self::canonical(self.0 + other.0)
    }

    /// `a - b` is in `-(p-1)..=p-1`. If negative, the word is `2^64 - k` with `1 <= k <= p-1`, and taking 1 away
    /// before masking leaves `2^61 - k - 1 = p - k`.
    #[inline(always)]
    const fn sub_mod(self, other: Self) -> Self {
        let difference = self.0.wrapping_sub(other.0);
        let borrow = difference >> 63;
        Self(difference.wrapping_sub(borrow) & P)
    }

    /// `ab = lo + 2^61 hi`, `lo <= p`, `hi <= (p-1)^2 / 2^61 < p-1`: the sum is at most `2p-2`.
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "the high part is below 2^61, the low part masked")]
    const fn mul_mod(self, other: Self) -> Self {
        let product = self.wide_mul(other);
        Self::canonical((product as u64 & P) + (product >> 61) as u64)
    }

    /// `acc + a b` from four 32-bit products, for targets that multiply vectors of half words but not of words.
    ///
    /// With `a = a0 + 2^32 a1`, `a0 < 2^32`, `a1 < 2^29`: `a0 b0 < 2^64` folds to at most `p + 7`; the middle
    /// `m = a0 b1 + a1 b0 < 2^62`, times 2^32, is its lower 29 bits, shifted (`< 2^61`), and the rest,
    /// `m / 2^29 < 2^33`; `2^64 a1 b1 = 8 a1 b1 < 2^61`. With `acc` the sum is below `2^63 + 2^34`, and one fold
    /// leaves at most `p + 4`.
    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    const fn multiply_add_halves(acc: Self, a: Self, b: Self) -> Self {
        const HALF: u64 = (1 << 32) - 1;
        let (a0, a1) = (a.0 & HALF, a.0 >> 32);
        let (b0, b1) = (b.0 & HALF, b.0 >> 32);
        let middle = a0 * b1 + a1 * b0;
        let sum = acc.0 + fold(a0 * b0) + ((middle << 32) & P) + (middle >> 29) + ((a1 * b1) << 3);
        Self::canonical(fold(sum))
    }

    #[inline(always)]
    const fn neg_mod(self) -> Self {
        Self(0).sub_mod(self)
    }
}

/// Any word to at most `p + 7`, congruent: the three bits above the 61 count as units.
#[inline(always)]
const fn fold(x: u64) -> u64 {
    (x & P) + (x >> 61)
}

field_operators!(F61);

impl DefaultIsZeroes for F61 {}

impl ConstantTimeEq for F61 {
    fn ct_eq(&self, other: &Self) -> Choice {
        self.0.ct_eq(&other.0)
    }
}

impl ConditionallySelectable for F61 {
    fn conditional_select(a: &Self, b: &Self, choice: Choice) -> Self {
        Self(u64::conditional_select(&a.0, &b.0, choice))
    }
}

impl Field for F61 {
    const NAME: &'static str = "F61";
    const BITS: u32 = 61;
    const BYTES: usize = 8;
    const MODULUS: [u64; 4] = [P, 0, 0, 0];
    const ZERO: Self = Self(0);
    const ONE: Self = Self(1);

    fn from_u64(x: u64) -> Self {
        Self::new(x)
    }

    #[inline]
    fn read(bytes: &[u8]) -> Result<Self, NonCanonical> {
        let value = u64::from_le_bytes(exactly(bytes));
        if value < P { Ok(Self(value)) } else { Err(NonCanonical) }
    }

    #[inline]
    fn write(self, out: &mut [u8]) {
        out.copy_from_slice(&self.0.to_le_bytes());
    }

    #[inline]
    fn from_masked(bytes: &[u8]) -> (Self, Choice) {
        // Masked to 61 bits, only p itself is not canonical, and `canonical` makes it zero.
        let value = u64::from_le_bytes(exactly(bytes)) & P;
        (Self::canonical(value), value.ct_eq(&P))
    }

    /// Without a barrier for each element, so that it is done in vectors.
    fn from_masked_slice(bytes: &[u8], out: &mut [Self]) -> bool {
        crate::field::assert_same_length(bytes.len(), out.len() * Self::BYTES);
        let mut any = 0;
        for (element, bytes) in out.iter_mut().zip(bytes.as_chunks::<8>().0) {
            let value = u64::from_le_bytes(*bytes) & P;
            // The top bit is set just where value = p = 2^61 - 1: nothing else carries that far.
            any |= (value + 1) << 2;
            *element = Self::canonical(value);
        }
        any >> 63 == 1
    }

    fn add_masked_slice(acc: &mut [Self], bytes: &[u8]) -> bool {
        crate::field::assert_same_length(bytes.len(), acc.len() * Self::BYTES);
        kernels::add_masked_slice(acc, bytes.as_chunks().0)
    }

    fn read_slice(bytes: &[u8], out: &mut [Self]) -> Result<(), NonCanonicalAt> {
        crate::field::assert_same_length(bytes.len(), out.len() * Self::BYTES);
        let mut excess = 0;
        for (element, bytes) in out.iter_mut().zip(bytes.as_chunks().0) {
            let value = u64::from_le_bytes(*bytes);
            excess |= value | value.wrapping_add(1);
            *element = Self::canonical(value & P);
        }
        if excess > P { Err(first_non_canonical::<Self>(bytes)) } else { Ok(()) }
    }

    field_kernels!();
}

impl NamedField for F61 {
    const ID: FieldId = FieldId::F61;
}

#[cfg(test)]
mod tests {
    use crypto_bigint::{NonZero, U128};
    use proptest::prelude::*;

    use super::*;
    use crate::laws;

    #[test]
    fn laws_hold() {
        laws::all::<F61>();
    }

    #[test]
    fn wide_sums_reduce_at_their_limit() {
        let largest = F61(P - 1).wide_mul(F61(P - 1));
        let limit = 63 * largest + u128::from(P - 1);
        assert_eq!(u128::from(F61::from_wide(limit).0), limit % u128::from(P));
        assert_eq!(u128::from(F61::from_wide(u128::MAX).0), u128::MAX % u128::from(P));
    }

    proptest! {
        #[test]
        fn product_agrees_with_crypto_bigint(a in 0..P, b in 0..P) {
            let p = NonZero::new(U128::from_u64(P)).unwrap();
            let expected = U128::from_u64(a).mul_mod(&U128::from_u64(b), &p);
            prop_assert_eq!(U128::from_u64((F61(a) * F61(b)).0), expected);
        }

        #[test]
        fn any_word_reduces(x: u64, wide: u128) {
            prop_assert_eq!(F61::new(x).0, x % P);
            prop_assert_eq!(u128::from(F61::from_wide(wide).0), wide % u128::from(P));
        }
    }
}
