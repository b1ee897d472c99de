//! The discrete Gaussian.
//!
//! After Canonne, Kamath, Steinke, "The discrete Gaussian for differential privacy", NeurIPS 2020, algorithm 3. Differs from the
//! paper: the scale `t` of the Laplace variable that is accepted or not is the power of two nearest to sigma, not `floor(sigma) + 1`.
//! Any `t` gives the same distribution; with this one the numbers are half as long.

use quorate_field::Integer;
use quorate_field::quantity::Quantity;

use super::coins::{Coins, Ratio};
use super::natural::{Natural, power_of_two};

/// What a draw takes: the scale `t`, and `variance / t` as `centre / unit`.
#[derive(Clone, Copy)]
pub(super) struct Gaussian<N> {
    t: N,
    centre: N,
    unit: N,
    /// `2 t centre unit`.
    below: N,
}

impl Gaussian<Integer> {
    /// For a variance of at least 1. `None` beyond 512 bits.
    pub(super) fn new(variance: &Quantity) -> Option<Self> {
        let (whole, _) = variance.numerator().div_rem(&variance.denominator())?;
        let t = power_of_two(whole.bits() / 2)?;
        let quotient = variance.checked_div(&Quantity::from(t))?;
        let (centre, unit) = (quotient.numerator(), quotient.denominator());
        let below = t.checked_mul(&centre)?.checked_mul(&unit)?.checked_mul(&Integer::from(2_u64))?;
        let gaussian = Gaussian { t, centre, unit, below };
        (gaussian.bits_needed() <= <Integer as Natural>::BITS).then_some(gaussian)
    }

    /// The same in words, where everything fits them.
    pub(super) fn narrow(&self) -> Option<Gaussian<u128>> {
        let of = <u128 as Natural>::of;
        let fits = self.bits_needed() < u128::BITS;
        let narrow = || {
            let (t, centre) = (of(&self.t)?, of(&self.centre)?);
            Some(Gaussian { t, centre, unit: of(&self.unit)?, below: of(&self.below)? })
        };
        narrow().filter(|_| fits)
    }

    /// Of the largest number in a draw whose Laplace variable is below `2^16 t`.
    fn bits_needed(&self) -> u32 {
        let distance = (self.t.bits() + 16 + self.unit.bits()).max(self.centre.bits());
        (2 * distance).max(self.below.bits())
    }
}

/// A draw of it.
pub(super) fn draw<N: Natural>(coins: &mut impl Coins, gaussian: &Gaussian<N>) -> (bool, N) {
    loop {
        let (is_negative, magnitude) = coins.laplace(Ratio { above: N::ONE, below: gaussian.t });
        if coins.flip_exponential(excess(gaussian, magnitude)) {
            return (is_negative, magnitude);
        }
    }
}

/// `(|y| - variance / t)^2 / (2 variance)`: what is left of `y^2 / (2 variance)` beyond the Laplace variable's `|y| / t`.
fn excess<N: Natural>(gaussian: &Gaussian<N>, magnitude: N) -> Ratio<N> {
    let distance = magnitude.times(gaussian.unit).distance(gaussian.centre);
    Ratio { above: distance.times(distance), below: gaussian.below }
}
