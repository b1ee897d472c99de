//! The field of 2^127-1 elements, for what overflows F61: squares of large columns, long sums of products.
//!
//! p = 2^127-1 is a Mersenne prime, so 2^127 = 1 and 2^128 = 2 mod p. Sums are lazy with a count of carries
//! ([`Lazy`]).

mod kernels;

use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use zeroize::DefaultIsZeroes;

use crate::encoding::{exactly, first_non_canonical};
use crate::field::NamedField;
use crate::operators::{field_kernels, field_operators};
use crate::{Field, FieldId, NonCanonical, NonCanonicalAt};

/// The modulus, which is also the mask of its 127 bits.
const P: u128 = (1 << 127) - 1;

/// An element of the integers mod 2^127-1, canonical.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, bytemuck::NoUninit)]
#[repr(transparent)]
pub struct F127(u128);

impl F127 {
    /// `x mod p`.
    #[inline]
    #[must_use]
    pub const fn new(x: u128) -> Self {
        // `(x & P) + (x >> 127) <= p + 1`.
        Self::canonical((x & P) + (x >> 127))
    }

    /// The canonical value, `< p`.
    #[inline]
    #[must_use]
    pub const fn to_u128(self) -> u128 {
        self.0
    }

    /// `s mod p` for `s <= 2p-1`.
    ///
    /// `s >= p` iff `s+1` reaches bit 127, and `s+1 <= 2p < 2^128` neither overflows nor carries more than one
    /// there. If it does, `s - p = s + 1 - 2^127` is in `0..=p-1`; if not, `s <= p-1` already.
    #[inline(always)]
    const fn canonical(s: u128) -> Self {
        let carry = (s + 1) >> 127;
        Self((s + carry) & P)
    }

    /// A number of at most `2p-2` that is congruent to the product.
    ///
    /// With `a = a0 + 2^64 a1`, `a1 < 2^63`, the cross terms add to at most `2 (2^64-1)(2^63-1)`, which is
    /// `2^128 - 3*2^64 + 2`, and leave room for the upper half of `a0 b0`. The product is at most `(p-1)^2`,
    /// so its part above bit 127 is at most `p-2` and the part below at most `p`; `p + (p-2) = 2p-2`.
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "the halves of a double word")]
    const fn folded_product(self, other: Self) -> u128 {
        let (a0, a1) = (self.0 as u64 as u128, self.0 >> 64);
        let (b0, b1) = (other.0 as u64 as u128, other.0 >> 64);
        let low = a0 * b0;
        let middle = a0 * b1 + a1 * b0 + (low >> 64);
        let low = (low as u64 as u128) | middle << 64;
        let high = a1 * b1 + (middle >> 64);
        (low & P) + (high << 1 | low >> 127)
    }

    /// `0 <= a + b <= 2p-2 < 2^128`.
    #[inline(always)]
    const fn add_mod(self, other: Self) -> Self {
        Self::canonical(self.0 + other.0)
    }

    /// `a - b` is in `-(p-1)..=p-1`. If negative, the double word is `2^128 - k` with `1 <= k <= p-1`, and taking
    /// 1 away before masking leaves `2^127 - k - 1 = p - k`.
    #[inline(always)]
    const fn sub_mod(self, other: Self) -> Self {
        let difference = self.0.wrapping_sub(other.0);
        let borrow = difference >> 127;
        Self(difference.wrapping_sub(borrow) & P)
    }

    #[inline(always)]
    const fn mul_mod(self, other: Self) -> Self {
        Self::canonical(self.folded_product(other))
    }

    #[inline(always)]
    const fn neg_mod(self) -> Self {
        Self(0).sub_mod(self)
    }
}

field_operators!(F127);

/// A sum before reduction: `sum + 2^128 carries`.
#[derive(Clone, Copy, Default)]
struct Lazy {
    sum: u128,
    carries: u64,
}

impl From<F127> for Lazy {
    #[inline(always)]
    fn from(x: F127) -> Self {
        Self { sum: x.0, carries: 0 }
    }
}

impl Lazy {
    #[inline(always)]
    fn add(&mut self, x: u128) {
        let (sum, carry) = self.sum.overflowing_add(x);
        self.sum = sum;
        self.carries += u64::from(carry);
    }

    /// `2^128 = 2 mod p`; the carries of fewer than 2^63 terms double within a word, and
    /// `(sum mod p) + 2 carries < 2p`.
    #[inline(always)]
    fn reduce(self) -> F127 {
        F127::new(self.sum) + F127(u128::from(self.carries) << 1)
    }
}

impl DefaultIsZeroes for F127 {}

impl ConstantTimeEq for F127 {
    fn ct_eq(&self, other: &Self) -> Choice {
        self.0.ct_eq(&other.0)
    }
}

impl ConditionallySelectable for F127 {
    fn conditional_select(a: &Self, b: &Self, choice: Choice) -> Self {
        Self(u128::conditional_select(&a.0, &b.0, choice))
    }
}

impl Field for F127 {
    const NAME: &'static str = "F127";
    const BITS: u32 = 127;
    const BYTES: usize = 16;
    const MODULUS: [u64; 4] = [u64::MAX, u64::MAX >> 1, 0, 0];
    const ZERO: Self = Self(0);
    const ONE: Self = Self(1);

    fn from_u64(x: u64) -> Self {
        Self(u128::from(x))
    }

    #[inline]
    fn read(bytes: &[u8]) -> Result<Self, NonCanonical> {
        let value = u128::from_le_bytes(exactly(bytes));
        if value < P { Ok(Self(value)) } else { Err(NonCanonical) }
    }

    #[inline]
    fn write(self, out: &mut [u8]) {
        out.copy_from_slice(&self.0.to_le_bytes());
    }

    #[inline]
    fn from_masked(bytes: &[u8]) -> (Self, Choice) {
        // Masked to 127 bits, only p itself is not canonical, and `canonical` makes it zero.
        let value = u128::from_le_bytes(exactly(bytes)) & P;
        (Self::canonical(value), value.ct_eq(&P))
    }

    /// Without a barrier for each element, as the two below.
    fn from_masked_slice(bytes: &[u8], out: &mut [Self]) -> bool {
        crate::field::assert_same_length(bytes.len(), out.len() * Self::BYTES);
        let mut any = 0;
        for (element, bytes) in out.iter_mut().zip(bytes.as_chunks().0) {
            let value = u128::from_le_bytes(*bytes) & P;
            // The top bit is set just where value = p = 2^127 - 1.
            any |= value + 1;
            *element = Self::canonical(value);
        }
        any > P
    }

    fn add_masked_slice(acc: &mut [Self], bytes: &[u8]) -> bool {
        crate::field::assert_same_length(bytes.len(), acc.len() * Self::BYTES);
        let mut any = 0;
        for (acc, bytes) in acc.iter_mut().zip(bytes.as_chunks().0) {
            let value = u128::from_le_bytes(*bytes) & P;
            any |= value + 1;
            // `(p - 1) + p = 2p - 1`, the most that becomes canonical.
            *acc = Self::canonical(acc.0 + value);
        }
        any > P
    }

    fn read_slice(bytes: &[u8], out: &mut [Self]) -> Result<(), NonCanonicalAt> {
        crate::field::assert_same_length(bytes.len(), out.len() * Self::BYTES);
        let mut excess = 0;
        for (element, bytes) in out.iter_mut().zip(bytes.as_chunks().0) {
            let value = u128::from_le_bytes(*bytes);
            excess |= value | value.wrapping_add(1);
            *element = Self::canonical(value & P);
        }
        if excess > P { Err(first_non_canonical::<Self>(bytes)) } else { Ok(()) }
    }

    field_kernels!();
}

impl NamedField for F127 {
    const ID: FieldId = FieldId::F127;
}

#[cfg(test)]
mod tests {
    use crypto_bigint::{NonZero, U128};
    use proptest::prelude::*;

    use super::*;
    use crate::laws;

    #[test]
    fn laws_hold() {
        laws::all::<F127>();
    }

    proptest! {
        #[test]
        fn product_agrees_with_crypto_bigint(a in 0..P, b in 0..P) {
            let p = NonZero::new(U128::from_u128(P)).unwrap();
            let expected = U128::from_u128(a).mul_mod(&U128::from_u128(b), &p);
            prop_assert_eq!(U128::from_u128((F127(a) * F127(b)).0), expected);
        }

        #[test]
        fn any_double_word_reduces(x: u128) {
            prop_assert_eq!(F127::new(x).0, x % P);
        }
    }
}
