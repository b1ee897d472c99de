//! The field of 2^256-189 elements, for linear circuits whose bounds exceed F127.
//!
//! A pseudo-Mersenne prime: 2^256 = 189 mod p. Plain modular arithmetic by `crypto-bigint` (its `_special`
//! functions: constant time, Handbook of Applied Cryptography, algorithm 14.47); no kernels of its own, because
//! nothing here is worth them.

use crypto_bigint::{Limb, U256};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq, ConstantTimeLess};
use zeroize::DefaultIsZeroes;

use crate::encoding::exactly;
use crate::field::NamedField;
use crate::operators::field_operators;
use crate::{Field, FieldId, NonCanonical};

/// `2^256 - p`.
const C: Limb = Limb(189);

/// The modulus.
const P: U256 = U256::MAX.wrapping_sub(&U256::from_u8(188));

/// An element of the integers mod 2^256-189, canonical.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(transparent)]
pub struct F256(U256);

impl F256 {
    /// `a + b <= 2p-2`, as the callee demands.
    #[inline(always)]
    const fn add_mod(self, other: Self) -> Self {
        Self(self.0.add_mod_special(&other.0, C))
    }

    #[inline(always)]
    const fn sub_mod(self, other: Self) -> Self {
        Self(self.0.sub_mod_special(&other.0, C))
    }

    #[inline(always)]
    const fn mul_mod(self, other: Self) -> Self {
        Self(self.0.mul_mod_special(&other.0, C))
    }

    #[inline(always)]
    const fn neg_mod(self) -> Self {
        Self(self.0.neg_mod_special(C))
    }
}

field_operators!(F256);

impl DefaultIsZeroes for F256 {}

impl ConstantTimeEq for F256 {
    fn ct_eq(&self, other: &Self) -> Choice {
        ConstantTimeEq::ct_eq(&self.0, &other.0)
    }
}

impl ConditionallySelectable for F256 {
    fn conditional_select(a: &Self, b: &Self, choice: Choice) -> Self {
        Self(U256::conditional_select(&a.0, &b.0, choice))
    }
}

impl Field for F256 {
    const NAME: &'static str = "F256";
    const BITS: u32 = 256;
    const BYTES: usize = 32;
    const MODULUS: [u64; 4] = [u64::MAX - 188, u64::MAX, u64::MAX, u64::MAX];
    const ZERO: Self = Self(U256::ZERO);
    const ONE: Self = Self(U256::ONE);

    fn from_u64(x: u64) -> Self {
        Self(U256::from_u64(x))
    }

    fn read(bytes: &[u8]) -> Result<Self, NonCanonical> {
        let (element, not_below_p) = Self::from_masked(bytes);
        if bool::from(not_below_p) { Err(NonCanonical) } else { Ok(element) }
    }

    fn write(self, out: &mut [u8]) {
        out.copy_from_slice(&self.0.to_le_bytes());
    }

    fn from_masked(bytes: &[u8]) -> (Self, Choice) {
        let value = U256::from_le_slice(&exactly::<32>(bytes));
        let below_p = ConstantTimeLess::ct_lt(&value, &P);
        (Self(ConditionallySelectable::conditional_select(&U256::ZERO, &value, below_p)), !below_p)
    }
}

impl NamedField for F256 {
    const ID: FieldId = FieldId::F256;
}

#[cfg(test)]
mod tests {
    use crypto_bigint::NonZero;
    use proptest::prelude::*;

    use super::*;
    use crate::laws;

    #[test]
    fn laws_hold() {
        laws::all::<F256>();
    }

    proptest! {
        /// The general division of `crypto-bigint` against the special reduction.
        #[test]
        fn product_agrees_with_long_division(a: [u8; 32], b: [u8; 32]) {
            let (a, b) = (F256::from_masked(&a).0, F256::from_masked(&b).0);
            let expected = a.0.mul_mod(&b.0, &NonZero::new(P).unwrap());
            prop_assert_eq!((a * b).0, expected);
        }
    }
}
