//! Small Mersenne primes, for tests that try every value.
//!
//! Secrecy of a protocol is shown exhaustively over these: every randomness, every secret, equal distributions
//! of what each adversary sees. They run the same code as the real fields and pass the same laws; no document
//! can name them.

use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use zeroize::DefaultIsZeroes;

use crate::encoding::exactly;
use crate::operators::field_operators;
use crate::{Field, NonCanonical};

/// The field of 7 elements.
pub type F7 = Tiny<3>;
/// The field of 31 elements.
pub type F31 = Tiny<5>;
/// The field of 127 elements.
pub type M127 = Tiny<7>;

/// An element of the integers mod 2^BITS-1, canonical, for BITS 3, 5 or 7.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(transparent)]
pub struct Tiny<const BITS: u32>(u8);

impl<const BITS: u32> Tiny<BITS> {
    const P: u8 = {
        assert!(BITS == 3 || BITS == 5 || BITS == 7, "2^BITS-1 must be a prime that fits a byte");
        (1 << BITS) - 1
    };

    /// Every element once, in order.
    pub fn every() -> impl Iterator<Item = Self> + Clone {
        (0..Self::P).map(Self)
    }

    /// The canonical value, `< p`.
    #[must_use]
    pub const fn to_u8(self) -> u8 {
        self.0
    }

    /// `s mod p` for `s <= 2p-1`: as in F61.
    #[inline(always)]
    const fn canonical(s: u8) -> Self {
        let carry = (s + 1) >> BITS;
        Self((s + carry) & Self::P)
    }

    #[inline(always)]
    const fn add_mod(self, other: Self) -> Self {
        Self::canonical(self.0 + other.0)
    }

    #[inline(always)]
    const fn sub_mod(self, other: Self) -> Self {
        let difference = self.0.wrapping_sub(other.0);
        Self(difference.wrapping_sub(difference >> 7) & Self::P)
    }

    /// Low part at most p, high part at most `(p-1)^2 / 2^BITS < p-1`.
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "both parts are below 2^7")]
    const fn mul_mod(self, other: Self) -> Self {
        let product = self.0 as u16 * other.0 as u16;
        Self::canonical((product as u8 & Self::P) + (product >> BITS) as u8)
    }

    #[inline(always)]
    const fn neg_mod(self) -> Self {
        Self(0).sub_mod(self)
    }
}

field_operators!(Tiny<BITS>, const BITS: u32);

impl<const BITS: u32> DefaultIsZeroes for Tiny<BITS> {}

impl<const BITS: u32> ConstantTimeEq for Tiny<BITS> {
    fn ct_eq(&self, other: &Self) -> Choice {
        self.0.ct_eq(&other.0)
    }
}

impl<const BITS: u32> ConditionallySelectable for Tiny<BITS> {
    fn conditional_select(a: &Self, b: &Self, choice: Choice) -> Self {
        Self(u8::conditional_select(&a.0, &b.0, choice))
    }
}

impl<const BITS: u32> Field for Tiny<BITS> {
    const NAME: &'static str = match BITS {
        3 => "F7",
        5 => "F31",
        _ => "M127",
    };
    const BITS: u32 = BITS;
    const BYTES: usize = 1;
    const MODULUS: [u64; 4] = [Self::P as u64, 0, 0, 0];
    const ZERO: Self = Self(0);
    const ONE: Self = Self(1);

    #[expect(
        clippy::cast_possible_truncation,
        reason = "reduced below p first; test field, so division is fine"
    )]
    fn from_u64(x: u64) -> Self {
        Self((x % u64::from(Self::P)) as u8)
    }

    fn read(bytes: &[u8]) -> Result<Self, NonCanonical> {
        let [value] = exactly(bytes);
        if value < Self::P { Ok(Self(value)) } else { Err(NonCanonical) }
    }

    fn write(self, out: &mut [u8]) {
        out.copy_from_slice(&[self.0]);
    }

    fn from_masked(bytes: &[u8]) -> (Self, Choice) {
        let [value] = exactly(bytes);
        let value = value & Self::P;
        (Self::canonical(value), value.ct_eq(&Self::P))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws;

    #[test]
    fn laws_hold() {
        laws::all::<F7>();
        laws::all::<F31>();
        laws::all::<M127>();
    }

    /// Against integer arithmetic, every pair.
    fn exhaustive<const BITS: u32>() {
        let p = u32::from(Tiny::<BITS>::P);
        for (a, b) in Tiny::<BITS>::every().flat_map(|a| Tiny::<BITS>::every().map(move |b| (a, b))) {
            let (x, y) = (u32::from(a.0), u32::from(b.0));
            assert_eq!(u32::from((a + b).0), (x + y) % p);
            assert_eq!(u32::from((a - b).0), (x + p - y) % p);
            assert_eq!(u32::from((a * b).0), x * y % p);
        }
    }

    #[test]
    fn every_pair_agrees_with_integers() {
        exhaustive::<3>();
        exhaustive::<5>();
        exhaustive::<7>();
    }
}
