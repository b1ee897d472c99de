//! Distributions of noise, and the parts that helpers draw of it.

use quorate_field::Integer;
use quorate_field::quantity::Quantity;
use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};

use crate::Sampler;
use crate::sampler::{draw_anything, power_of_two};

/// Noise as the central mechanism would add it to one whole number.
///
/// Of `parts` parts, any `honest` together are at least as much noise as this. Parameters are rounded up to 40 significant bits, or to
/// whole multiples of 2^-40: short numbers are sampled several times as fast, and the noise grows by less than one part in 2^39.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Distribution {
    /// The discrete Gaussian: `x` with probability proportional to `exp(-x^2 / (2 * variance))`. A part is one of
    /// `variance / honest`, at least 4.
    Gaussian {
        /// Its variance parameter: positive.
        variance: Quantity,
    },
    /// The discrete Laplace distribution: `x` with probability proportional to `exp(-|x| / scale)`. A part is the difference of
    /// two Polya variables, of which `honest` sum to it exactly.
    Laplace {
        /// Its scale: positive.
        scale: Quantity,
    },
}

/// Least variance of a part of Gaussian noise: with less, a sum of parts is not close enough to a discrete Gaussian.
const PART_VARIANCE_MIN: u64 = 4;
/// Bits that a rounded parameter has.
const SIGNIFICANT_BITS: u32 = 40;

impl Distribution {
    /// What draws one helper's parts, any `honest` of which suffice; to be kept for as many numbers as there are.
    ///
    /// `None` where none can be made: a variance or scale that is not positive, `honest` being 0, a Gaussian part of a variance of about
    /// 2^470 or more, a scale of 2^490 or more. Whoever asked for such noise is to blame.
    pub fn sampler(&self, honest: u32) -> Option<Sampler> {
        match self {
            Distribution::Gaussian { variance } => {
                let is_positive = Quantity::ZERO.checked_cmp(variance)?.is_lt();
                Sampler::gaussian(&Distribution::part_variance(variance, honest)?).filter(|_| is_positive)
            }
            Distribution::Laplace { scale } => Sampler::laplace(&rounded_up(scale)?, honest),
        }
    }

    /// One helper's part of the noise of one number, any `honest` of which suffice. A secret.
    ///
    /// Where there is no [sampler](Distribution::sampler) it is uniform below 2^510, which hides everything: whoever lowers a circuit asks
    /// for a sampler first, and refuses.
    pub fn draw(&self, honest: u32, rng: &mut (impl CryptoRng + ?Sized)) -> Integer {
        match self.sampler(honest) {
            Some(sampler) => sampler.draw(rng),
            None => draw_anything(rng),
        }
    }

    /// The variance parameter of each part of Gaussian noise of which `honest` suffice. `None` beyond 512 bits.
    fn part_variance(variance: &Quantity, honest: u32) -> Option<Quantity> {
        let least = Quantity::from(PART_VARIANCE_MIN);
        let part = variance.checked_div(&Quantity::from(u64::from(honest)))?;
        if part.checked_cmp(&least)?.is_le() { Some(least) } else { rounded_up(&part) }
    }

    /// What the sum of all `parts` does not exceed in size, but for a probability of 2^-60. `None` beyond 512 bits.
    pub fn bound(&self, parts: u32, honest: u32) -> Option<Integer> {
        let parts_of = |quantity: &Quantity, times: u64| {
            let times = Integer::from(u64::from(parts)).checked_mul(&times.into())?;
            ceil(&quantity.checked_mul(&Quantity::from(times))?)
        };
        match self {
            // Sub-Gaussian with the sum of the variances: 2 exp(-90 / 2) < 2^-63.
            Distribution::Gaussian { variance } => {
                let square = parts_of(&Distribution::part_variance(variance, honest)?, 90)?;
                square.floor_root()?.checked_add(&Integer::ONE)
            }
            // Of k = ceil(parts / honest) Laplace variables one is beyond 48 scales with probability k exp(-48) < 2^-60.
            Distribution::Laplace { scale } => {
                let whole = u64::from(parts.div_ceil(honest.max(1)));
                ceil(&rounded_up(scale)?.checked_mul(&Quantity::from(48 * whole))?)
            }
        }
    }

    /// The variance of the sum of all `parts`, for whoever reads a noisy result.
    #[expect(clippy::float_arithmetic, reason = "it is shown, and nothing is drawn by it")]
    pub fn variance(&self, parts: u32, honest: u32) -> f64 {
        let (parts, honest_parts) = (f64::from(parts), f64::from(honest.max(1)));
        match self {
            // With a part's variance of at least 4 the parameter is the variance, to the last place of a double.
            Distribution::Gaussian { variance } => Distribution::part_variance(variance, honest)
                .map_or(f64::INFINITY, |part| part.to_f64() * parts),
            Distribution::Laplace { scale } => {
                // 2 a / (1 - a)^2 for a = exp(-1 / scale), without cancellation where a is nearly 1.
                let half = (0.5 / rounded_up(scale).map_or(f64::INFINITY, |scale| scale.to_f64())).sinh();
                0.5 / half.powi(2) * parts / honest_parts
            }
        }
    }
}

/// The least quantity of at most [`SIGNIFICANT_BITS`] bits, and of at most as many after the point, that is not below a positive one.
fn rounded_up(quantity: &Quantity) -> Option<Quantity> {
    let bits = quantity.numerator().div_rem(&quantity.denominator())?.0.bits();
    let unit = if bits >= SIGNIFICANT_BITS {
        Quantity::from(power_of_two(bits - SIGNIFICANT_BITS)?)
    } else {
        Quantity::new(Integer::ONE, power_of_two(SIGNIFICANT_BITS - bits)?)?
    };
    Quantity::from(ceil(&quantity.checked_div(&unit)?)?).checked_mul(&unit)
}

/// The least whole number that is not below a quantity.
fn ceil(quantity: &Quantity) -> Option<Integer> {
    let less_one = quantity.denominator().checked_sub(&Integer::ONE)?;
    Some(quantity.numerator().checked_add(&less_one)?.div_rem(&quantity.denominator())?.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_no_less_than_the_whole() {
        let number = |number: u64| Quantity::from(Integer::from(number));
        let gaussian = Distribution::Gaussian { variance: number(100) };
        assert!((gaussian.variance(3, 2) - 150.0).abs() < 1e-9);
        assert_eq!(gaussian.bound(3, 2).unwrap(), Integer::from(117_u64));
        // Each part has a variance of 4, however small the whole.
        let small = Distribution::Gaussian { variance: number(1) };
        assert!((small.variance(3, 2) - 12.0).abs() < 1e-9);
        let laplace = Distribution::Laplace { scale: number(10) };
        let central = laplace.variance(1, 1);
        assert!((central - 199.8).abs() < 0.1, "{central}");
        assert!((laplace.variance(3, 2) - 1.5 * central).abs() < 1e-9);
        assert_eq!(laplace.bound(3, 2).unwrap(), Integer::from(960_u64));
    }
}
