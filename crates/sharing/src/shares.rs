//! A vector of shares: one helper's piece of many values.

use std::fmt;

use quorate_field::Field;
use zeroize::Zeroize;

/// One helper's shares of a vector of values.
///
/// Secret: wiped on drop, prints only its length, cannot be compared, copied or indexed by accident. The
/// operations are those that act on shares of any linear scheme without communication; both operands must be
/// sharings of the same scheme, held by the same helper.
pub struct Shares<F: Field>(Vec<F>);

impl<F: Field> Shares<F> {
    /// Takes over a vector of shares.
    pub fn from_vec(shares: Vec<F>) -> Self {
        Shares(shares)
    }

    /// Shares of `len` zeros, and the place to write others.
    pub fn zeros(len: usize) -> Self {
        Shares(vec![F::ZERO; len])
    }

    /// The shares.
    pub fn as_slice(&self) -> &[F] {
        &self.0
    }

    /// The shares, to write.
    pub fn as_mut_slice(&mut self) -> &mut [F] {
        &mut self.0
    }

    /// The number of shares.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A second copy of the secret shares.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Shares(self.0.clone())
    }

    /// `[x] <- [x] + [y]`, element by element; equal lengths.
    pub fn add_assign(&mut self, other: &Self) {
        F::add_slices(&mut self.0, &other.0);
    }

    /// `[x] <- [x] - [y]`, element by element; equal lengths.
    pub fn sub_assign(&mut self, other: &Self) {
        F::sub_slices(&mut self.0, &other.0);
    }

    /// `[x] <- k [x]` for a public `k`.
    pub fn scale(&mut self, k: F) {
        F::scale_slice(&mut self.0, k);
    }

    /// `[x] <- [x] + k [y]` for a public `k`; equal lengths.
    pub fn add_scaled(&mut self, k: F, other: &Self) {
        F::axpy(&mut self.0, k, &other.0);
    }

    /// The share of the sum of all the values.
    #[must_use]
    pub fn sum(&self) -> Self {
        Shares(vec![F::sum_slice(&self.0)])
    }
}

impl<F: Field> Drop for Shares<F> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl<F: Field> fmt::Debug for Shares<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Shares<{}>({})", F::NAME, self.0.len())
    }
}
