//! The trait that protocols are generic over.

use std::fmt::Debug;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Mul, MulAssign, Neg, Sub, SubAssign};

use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use zeroize::Zeroize;

use crate::encoding::first_non_canonical;
use crate::{FieldId, Integer, NonCanonical, NonCanonicalAt};

/// A prime field of odd order p < 2^256, its canonical encoding and its slice kernels.
///
/// Constant time throughout, except `==` and `Debug` (for public values) and what says so. The kernels have
/// scalar default definitions, which are also their specification; F61 and F127 replace them by dispatched ones.
/// Slices of unequal length are a programmer's error and panic.
pub trait Field:
    Copy
    + Eq
    + Default
    + Debug
    + Send
    + Sync
    + Zeroize
    + ConstantTimeEq
    + ConditionallySelectable
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + SubAssign
    + MulAssign
    + Sum
    + 'static
{
    /// The name, such as `F61`.
    const NAME: &'static str;
    /// Bits of the modulus.
    const BITS: u32;
    /// Bytes of an encoded element, at most 32.
    const BYTES: usize;
    /// The modulus p, least significant word first.
    const MODULUS: [u64; 4];
    /// The neutral element of addition, and the default.
    const ZERO: Self;
    /// The neutral element of multiplication.
    const ONE: Self;

    /// `x mod p`.
    fn from_u64(x: u64) -> Self;

    /// Decodes exactly `BYTES` little-endian bytes; a value `>= p` is refused. Panics on another length.
    fn read(bytes: &[u8]) -> Result<Self, NonCanonical>;

    /// Encodes into exactly `BYTES` little-endian bytes. Panics on another length.
    fn write(self, out: &mut [u8]);

    /// Takes exactly `BYTES` bytes of a uniform stream masked to `BITS` bits. Where that value is `>= p` the
    /// choice is set and the element is `ZERO`: the caller takes the element of a later stream instead, which
    /// keeps the distribution exactly uniform. Panics on another length.
    fn from_masked(bytes: &[u8]) -> (Self, Choice);

    /// Takes as many elements of a uniform stream as [`Field::from_masked`] does, one after the other; whether one of them
    /// was `>= p`: its place in `out` is then `ZERO`. Panics unless there are `BYTES` bytes for each.
    fn from_masked_slice(bytes: &[u8], out: &mut [Self]) -> bool {
        assert_same_length(bytes.len(), out.len() * Self::BYTES);
        let mut any = Choice::from(0);
        for (element, bytes) in out.iter_mut().zip(bytes.chunks_exact(Self::BYTES)) {
            let (value, is_rejected) = Self::from_masked(bytes);
            *element = value;
            any |= is_rejected;
        }
        any.into()
    }

    /// `acc[i] +=` the elements that [`Field::from_masked_slice`] takes of a uniform stream; whether one of them was `>= p`,
    /// and so nothing was added in its place. Panics unless there are `BYTES` bytes for each.
    fn add_masked_slice(acc: &mut [Self], bytes: &[u8]) -> bool {
        assert_same_length(bytes.len(), acc.len() * Self::BYTES);
        let mut any = Choice::from(0);
        for (acc, bytes) in acc.iter_mut().zip(bytes.chunks_exact(Self::BYTES)) {
            let (value, is_rejected) = Self::from_masked(bytes);
            *acc += value;
            any |= is_rejected;
        }
        any.into()
    }

    /// The centred embedding of `x`: `x mod p` where `|x| <= (p-1)/2`, else `None`. Time depends only on
    /// whether there is one.
    fn from_integer(x: &Integer) -> Option<Self> {
        let (magnitude, negative) = x.to_le_magnitude();
        let (low, high) = magnitude.split_at(Self::BYTES);
        if high.iter().fold(0, |any, byte| any | byte) != 0 {
            return None;
        }
        let magnitude = Self::read(low).ok()?;
        if bool::from(is_above_half(magnitude)) {
            return None;
        }
        Some(Self::conditional_select(&magnitude, &-magnitude, negative))
    }

    /// The centred representative, in `-(p-1)/2 ..= (p-1)/2`: the inverse of [`Field::from_integer`].
    fn to_integer(self) -> Integer {
        let negative = is_above_half(self);
        let mut magnitude = [0; 64];
        Self::conditional_select(&self, &-self, negative).write(&mut magnitude[..Self::BYTES]);
        Integer::from_le_magnitude(&magnitude, negative)
    }

    /// The multiplicative inverse, by Fermat: `x^(p-2)`. `None` only for zero (the one thing its time tells).
    fn inverse(self) -> Option<Self> {
        if bool::from(self.ct_eq(&Self::ZERO)) {
            return None;
        }
        // The exponent is public, so a branch on its bits tells nothing.
        let exponent = minus_two(Self::MODULUS);
        let mut power = Self::ONE;
        for bit in (0..Self::BITS as usize).rev() {
            power *= power;
            if exponent[bit / 64] >> (bit % 64) & 1 == 1 {
                power *= self;
            }
        }
        Some(power)
    }

    /// `acc[i] += x[i]`.
    fn add_slices(acc: &mut [Self], x: &[Self]) {
        assert_same_length(acc.len(), x.len());
        acc.iter_mut().zip(x).for_each(|(acc, x)| *acc += *x);
    }

    /// `acc[i] -= x[i]`.
    fn sub_slices(acc: &mut [Self], x: &[Self]) {
        assert_same_length(acc.len(), x.len());
        acc.iter_mut().zip(x).for_each(|(acc, x)| *acc -= *x);
    }

    /// `acc[i] *= x[i]`.
    fn mul_slices(acc: &mut [Self], x: &[Self]) {
        assert_same_length(acc.len(), x.len());
        acc.iter_mut().zip(x).for_each(|(acc, x)| *acc *= *x);
    }

    /// `acc[i] *= k`.
    fn scale_slice(acc: &mut [Self], k: Self) {
        acc.iter_mut().for_each(|acc| *acc *= k);
    }

    /// `acc[i] += k * x[i]`.
    fn axpy(acc: &mut [Self], k: Self, x: &[Self]) {
        assert_same_length(acc.len(), x.len());
        acc.iter_mut().zip(x).for_each(|(acc, x)| *acc += k * *x);
    }

    /// `sum_i x[i] * y[i]`.
    fn dot(x: &[Self], y: &[Self]) -> Self {
        assert_same_length(x.len(), y.len());
        x.iter().zip(y).map(|(x, y)| *x * *y).sum()
    }

    /// `sum_i x[i]`.
    fn sum_slice(x: &[Self]) -> Self {
        x.iter().copied().sum()
    }

    /// `acc[j] += sum_i rows[i][j]`: many rows into one, in one pass over `acc` per cache tile.
    fn accumulate_rows(acc: &mut [Self], rows: &[&[Self]]) {
        rows.iter().for_each(|row| Self::add_slices(acc, row));
    }

    /// Decodes as many elements as `out` has. Panics unless there are `BYTES` bytes for each.
    fn read_slice(bytes: &[u8], out: &mut [Self]) -> Result<(), NonCanonicalAt> {
        assert_same_length(bytes.len(), out.len() * Self::BYTES);
        for (index, (element, bytes)) in out.iter_mut().zip(bytes.chunks_exact(Self::BYTES)).enumerate() {
            *element = Self::read(bytes).map_err(|NonCanonical| NonCanonicalAt { index })?;
        }
        Ok(())
    }

    /// The sum of encoded elements, which are checked in the same pass. Panics unless they are whole.
    fn sum_encoded(bytes: &[u8]) -> Result<Self, NonCanonicalAt> {
        let mut sum = [Self::ZERO];
        Self::accumulate_encoded(&mut sum, bytes).map(|()| sum[0])
    }

    /// `acc[j] += sum_i rows[i][j]`, where `bytes` are encoded rows, one after the other, which are checked in the same pass.
    /// After an error what `acc` holds means nothing. Panics unless the rows are whole.
    fn accumulate_encoded(acc: &mut [Self], bytes: &[u8]) -> Result<(), NonCanonicalAt> {
        assert_whole_rows(acc, bytes);
        for row in bytes.chunks_exact((acc.len() * Self::BYTES).max(1)) {
            for (acc, encoded) in acc.iter_mut().zip(row.chunks_exact(Self::BYTES)) {
                *acc += Self::read(encoded).map_err(|_| first_non_canonical::<Self>(bytes))?;
            }
        }
        Ok(())
    }

    /// `acc[j] += sum_i weights[i] * rows[i][j]`, one weight a row.
    fn weighted_sum(acc: &mut [Self], weights: &[Self], rows: &[&[Self]]) {
        assert_same_length(weights.len(), rows.len());
        weights.iter().zip(rows).for_each(|(weight, row)| Self::axpy(acc, *weight, row));
    }
}

/// A field that documents can name.
pub trait NamedField: Field {
    /// Its name.
    const ID: FieldId;
}

/// The contract of every kernel on its slices, kept in release builds.
#[inline(always)]
#[track_caller]
pub(crate) fn assert_same_length(left: usize, right: usize) {
    assert_eq!(left, right, "a slice kernel got slices of unequal length");
}

/// Every row as long as the accumulator.
#[inline]
#[track_caller]
pub(crate) fn assert_rows_fit<F>(acc: &[F], rows: &[&[F]]) {
    rows.iter().for_each(|row| assert_same_length(acc.len(), row.len()));
}

/// Encoded rows, each as long as the accumulator.
#[inline]
#[track_caller]
pub(crate) fn assert_whole_rows<F: Field>(acc: &[F], bytes: &[u8]) {
    let row = acc.len() * F::BYTES;
    assert!(bytes.len().is_multiple_of(row), "a slice kernel got {} bytes for rows of {row}", bytes.len());
}

/// Is the canonical value above (p-1)/2? Doubling it wraps around the odd p, and so comes out odd, exactly then.
fn is_above_half<F: Field>(x: F) -> Choice {
    let mut doubled = [0; 32];
    (x + x).write(&mut doubled[..F::BYTES]);
    Choice::from(doubled[0] & 1)
}

/// `p - 2`, borrowing where the lowest word is 1.
fn minus_two(p: [u64; 4]) -> [u64; 4] {
    let mut borrow = 2;
    p.map(|word| {
        let (word, underflow) = word.overflowing_sub(borrow);
        borrow = u64::from(underflow);
        word
    })
}
