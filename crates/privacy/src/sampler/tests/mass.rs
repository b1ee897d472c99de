//! Exact probabilities of distributions, and what draws of one must show.

use statrs::distribution::{ChiSquared, ContinuousCDF};

/// Probability of a difference that is by chance.
const ALPHA: f64 = 1e-6;
/// Standard deviations that a normal variable exceeds on either side with a probability of [`ALPHA`].
const DEVIATIONS: f64 = 4.9;
/// The same for the most of a few hundred variables.
const DEVIATIONS_OF_MANY: f64 = 6.0;
/// Least expected draws of a cell.
const CELL_MIN: f64 = 20.0;
/// Least expected draws of a number whose ratio to the next is compared.
const RATIO_MIN: f64 = 1000.0;

/// Probabilities of the numbers `-reach..=reach`, all others having next to none.
pub(super) struct Mass {
    reach: i64,
    probabilities: Vec<f64>,
}

impl Mass {
    /// From weights by magnitude.
    fn symmetric(weights: Vec<f64>) -> Mass {
        let reach = weights.len() as i64 - 1;
        let total = 2.0 * weights.iter().sum::<f64>() - weights[0];
        let probabilities = (-reach..=reach).map(|x| weights[x.unsigned_abs() as usize] / total).collect();
        Mass { reach, probabilities }
    }

    pub(super) fn gaussian(variance: f64) -> Mass {
        let reach = 12.0 * variance.sqrt() + 2.0;
        Mass::symmetric((0..reach as i64).map(|x| (-((x * x) as f64) / (2.0 * variance)).exp()).collect())
    }

    pub(super) fn laplace(scale: f64) -> Mass {
        Mass::symmetric((0..(45.0 * scale) as i64 + 3).map(|x| (-(x as f64) / scale).exp()).collect())
    }

    /// Of the difference of two Polya variables of shape `1/m`.
    pub(super) fn part(scale: f64, m: u32) -> Mass {
        let (ratio, shape) = ((-1.0 / scale).exp(), 1.0 / f64::from(m));
        let next = |(k, p): &(f64, f64)| Some((k + 1.0, p * ratio * (k + shape) / (k + 1.0)));
        let polya: Vec<f64> = std::iter::successors(Some((0.0, 1.0)), next)
            .map(|(_, p)| p)
            .take((45.0 * scale) as usize + 3)
            .collect();
        let of = |x: usize| polya[x..].iter().zip(&polya).map(|(a, b)| a * b).sum();
        Mass::symmetric((0..polya.len()).map(of).collect())
    }

    fn of(&self, x: i64) -> f64 {
        usize::try_from(x + self.reach).ok().and_then(|i| self.probabilities.get(i)).copied().unwrap_or(0.0)
    }

    fn moment(&self, power: i32) -> f64 {
        (-self.reach..=self.reach).map(|x| (x as f64).powi(power) * self.of(x)).sum()
    }

    /// In what draws differ from these probabilities: nothing, if they are draws of this.
    pub(super) fn faults(&self, draws: &[i64]) -> Vec<&'static str> {
        let counts = self.counts(draws);
        let faults = [
            ("chi-square", self.is_far(&counts, draws.len())),
            ("symmetry", is_lopsided(draws)),
            ("mean", self.is_shifted(draws)),
            ("variance", self.is_wide_or_narrow(draws)),
            ("tails", self.has_other_tails(draws)),
            ("ratios", self.has_other_ratios(&counts, draws.len())),
        ];
        faults.into_iter().filter_map(|(name, is_fault)| is_fault.then_some(name)).collect()
    }

    /// How often each number was drawn, what is out of reach being counted at its ends.
    fn counts(&self, draws: &[i64]) -> Vec<f64> {
        let mut counts = vec![0.0; self.probabilities.len()];
        for draw in draws {
            counts[usize::try_from(draw.clamp(&-self.reach, &self.reach) + self.reach).unwrap()] += 1.0;
        }
        counts
    }

    /// Pearson's test, over cells of numbers in a row.
    fn is_far(&self, counts: &[f64], draws: usize) -> bool {
        let least = CELL_MIN.max(draws as f64 / 300.0);
        let (mut statistic, mut cells, mut expected, mut found) = (0.0, 0.0, 0.0, 0.0);
        let mut rest = draws as f64;
        for (count, p) in counts.iter().zip(&self.probabilities) {
            expected += p * draws as f64;
            found += count;
            // The last cell takes what is left.
            if expected >= least && rest - expected >= least {
                statistic += (found - expected) * (found - expected) / expected;
                (cells, rest, expected, found) = (cells + 1.0, rest - expected, 0.0, 0.0);
            }
        }
        statistic += (found - rest) * (found - rest) / rest;
        cells >= 1.0 && ChiSquared::new(cells).unwrap().sf(statistic) < ALPHA
    }

    fn is_shifted(&self, draws: &[i64]) -> bool {
        let mean = draws.iter().map(|x| *x as f64).sum::<f64>() / draws.len() as f64;
        mean.abs() > DEVIATIONS * (self.moment(2) / draws.len() as f64).sqrt()
    }

    fn is_wide_or_narrow(&self, draws: &[i64]) -> bool {
        let variance = self.moment(2);
        let found = draws.iter().map(|x| (*x as f64).powi(2)).sum::<f64>() / draws.len() as f64;
        let deviation = ((self.moment(4) - variance * variance) / draws.len() as f64).sqrt();
        (found - variance).abs() > DEVIATIONS * deviation
    }

    /// Beyond 2, 3, 4 and 5 standard deviations, as long as there should be enough.
    fn has_other_tails(&self, draws: &[i64]) -> bool {
        let is_other = |deviations: f64| {
            let limit = (deviations * self.moment(2).sqrt()) as i64;
            let p: f64 = (limit + 1..=self.reach).map(|x| self.of(x) + self.of(-x)).sum();
            let expected = p * draws.len() as f64;
            let found = draws.iter().filter(|x| x.abs() > limit).count() as f64;
            expected > 2.0 * CELL_MIN && (found - expected).abs() > DEVIATIONS * (expected * (1.0 - p)).sqrt()
        };
        [2.0, 3.0, 4.0, 5.0].into_iter().any(is_other)
    }

    /// `p(x + 1) / p(x)`, wherever both are often enough.
    fn has_other_ratios(&self, counts: &[f64], draws: usize) -> bool {
        let is_other = |i: usize| {
            let (p, next) = (self.probabilities[i], self.probabilities[i + 1]);
            let error = (counts[i + 1] / counts[i] / (next / p)).ln();
            let deviation = (1.0 / (p * draws as f64) + 1.0 / (next * draws as f64)).sqrt();
            let is_far = error.is_nan() || error.abs() > DEVIATIONS_OF_MANY * deviation;
            is_far && p.min(next) * draws as f64 >= RATIO_MIN
        };
        (0..counts.len() - 1).any(is_other)
    }
}

/// As many draws above zero as below.
fn is_lopsided(draws: &[i64]) -> bool {
    let above = draws.iter().filter(|x| **x > 0).count() as f64;
    let below = draws.iter().filter(|x| **x < 0).count() as f64;
    (above - below).abs() > DEVIATIONS * (above + below).sqrt()
}
