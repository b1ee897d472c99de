//! Products of shares: a local product of degree `2t`, and two ways back to degree `t`.
//!
//! `docs/protocols.md`, section 5. `x_j * y_j` are shares of `x * y` on a polynomial of degree `2t`; the `2t + 1`
//! workers hold just enough of them. A sum of products adds them up first and comes back once: a million products
//! cost the network one element.
//!
//! | way back | rounds | elements sent per worker and product | streams expanded per worker and product |
//! |---|---|---|---|
//! | [`reshare`] | 1 | t | 2t |
//! | [`king`] | 2 | (3t)/(2t+1) | C(n-1, t) + 2t |
//!
//! Passive security against any `t` workers; a worker that lies adds an error of its choice to a product (Genkin et al.,
//! "Circuits resilient to additive attacks", STOC 2014), which is why results are [`Unverified`].
//!
//! [`Unverified`]: crate::verified::Unverified

mod king;
mod reshare;
#[cfg(test)]
mod secrecy;
#[cfg(test)]
pub(crate) mod tests;

pub use king::{PendingKing, PendingShare, king};
pub use reshare::{PendingReshare, deal, reshare};

use quorate_field::Field;
use quorate_sharing::Shares;

/// Elements that a protocol works on at a time: with a row for each worker they stay in the second-level cache.
const BLOCK: usize = 1024;

/// One worker's shares, of degree `2t`, of products. They can be added to each other; they must not be multiplied,
/// sent or revealed before their degree is reduced.
#[derive(Debug)]
pub struct Degree2t<F: Field>(Shares<F>);

impl<F: Field> Degree2t<F> {
    /// `x_j * y_j`, element by element; equal lengths.
    pub fn product(x: &Shares<F>, y: &Shares<F>) -> Self {
        let mut z = x.duplicate();
        F::mul_slices(z.as_mut_slice(), y.as_slice());
        Degree2t(z)
    }

    /// The one share of `sum_i x_i * y_i`; equal lengths.
    pub fn dot(x: &Shares<F>, y: &Shares<F>) -> Self {
        Degree2t(Shares::from_vec(vec![F::dot(x.as_slice(), y.as_slice())]))
    }

    /// The one share of `sum_i x_i^2`, of this worker's shares `x`.
    pub fn sum_of_squares(x: &[F]) -> Self {
        Degree2t(Shares::from_vec(vec![F::dot(x, x)]))
    }

    /// `z <- z + w`, element by element; equal lengths.
    pub fn add_assign(&mut self, other: &Self) {
        self.0.add_assign(&other.0);
    }

    /// All of these one after the other, so that they are reduced at once.
    #[must_use]
    pub fn concat(parts: &[Self]) -> Self {
        let len = parts.iter().map(Self::len).sum();
        let mut all = Shares::zeros(len);
        let mut rest = all.as_mut_slice();
        for part in parts {
            let (place, after) = rest.split_at_mut(part.len());
            place.copy_from_slice(part.0.as_slice());
            rest = after;
        }
        Degree2t(all)
    }

    /// The number of shares.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// `sum_k x_k * y_k` over pairs of vectors: one share for each pair, all reduced at once afterwards. The vectors of a
/// pair have equal lengths.
pub fn sums_of_products<F: Field>(pairs: &[(&Shares<F>, &Shares<F>)]) -> Degree2t<F> {
    let dots = pairs.iter().map(|(x, y)| F::dot(x.as_slice(), y.as_slice()));
    Degree2t(Shares::from_vec(dots.collect()))
}
