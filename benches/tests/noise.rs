//! Draws of noise beside `prio`'s: another implementation, of the same distributions by other means.
//!
//! Both have fixed seeds. By chance a comparison would fail with a probability of 10^-6.

#![allow(clippy::unwrap_used, clippy::cast_precision_loss, reason = "a test")]

use prio::dp::Rational;
use prio::dp::distributions::{DiscreteGaussian, DiscreteLaplace};
use quorate_field::Integer;
use quorate_field::quantity::Quantity;
use quorate_privacy::Distribution;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use statrs::distribution::{ChiSquared, ContinuousCDF};

const DRAWS: usize = 60_000;
/// Cells that the draws of both are sorted into, each with about as many.
const CELLS: usize = 100;
const ALPHA: f64 = 1e-6;

/// The probability that two samples of one distribution differ by more than these.
fn p_value(left: &[i64], right: &[i64]) -> f64 {
    let mut all: Vec<i64> = left.iter().chain(right).copied().collect();
    all.sort_unstable();
    let mut limits: Vec<i64> = (1..CELLS).map(|i| all[i * all.len() / CELLS]).collect();
    limits.dedup();
    let count = |draws: &[i64]| {
        let mut counts = vec![0_f64; limits.len() + 1];
        draws.iter().for_each(|x| counts[limits.partition_point(|limit| limit <= x)] += 1.0);
        counts
    };
    // Of as many draws each, so that half of a cell's are expected from either.
    let cells = count(left).into_iter().zip(count(right)).filter(|(a, b)| a + b > 0.0);
    let terms: Vec<f64> = cells.map(|(a, b)| (a - b) * (a - b) / (a + b)).collect();
    ChiSquared::new(terms.len() as f64 - 1.0).unwrap().sf(terms.iter().sum())
}

fn quantity(numerator: u64, denominator: u64) -> Quantity {
    Quantity::new(numerator.into(), denominator.into()).unwrap()
}

/// Sums of `honest` parts.
fn draws(distribution: &Distribution, honest: u32, seed: u8) -> Vec<i64> {
    let mut rng = ChaCha20Rng::from_seed([seed; 32]);
    let sampler = distribution.sampler(honest).unwrap();
    let mut draw = || {
        let parts = (0..honest).map(|_| sampler.draw(&mut rng));
        let sum = parts.reduce(|sum, part| sum.checked_add(&part).unwrap());
        i64::try_from(sum.as_ref().and_then(Integer::to_i128).unwrap()).unwrap()
    };
    (0..DRAWS).map(|_| draw()).collect()
}

fn peer<T: TryInto<i64>>(distribution: &impl rand::distr::Distribution<T>, seed: u8) -> Vec<i64> {
    let mut rng = ChaCha20Rng::from_seed([seed; 32]);
    (0..DRAWS).map(|_| distribution.sample(&mut rng).try_into().ok().unwrap()).collect()
}

const SIZES: [(u64, u64); 3] = [(9, 1), (1171, 500), (41_293_847, 1)];

#[test]
fn gaussian_noise_is_a_peers() {
    for (numerator, denominator) in SIZES {
        let sigma = quantity(numerator, denominator);
        let gaussian = Distribution::Gaussian { variance: sigma.checked_mul(&sigma).unwrap() };
        let theirs = DiscreteGaussian::new(Rational::from_unsigned(numerator, denominator).unwrap()).unwrap();
        let p = p_value(&draws(&gaussian, 1, 1), &peer(&theirs, 2));
        assert!(p > ALPHA, "{numerator}/{denominator}: {p}");
    }
}

#[test]
fn sums_of_parts_are_a_peers_laplace_noise() {
    for (numerator, denominator) in SIZES {
        let laplace = Distribution::Laplace { scale: quantity(numerator, denominator) };
        let theirs = DiscreteLaplace::new(Rational::from_unsigned(numerator, denominator).unwrap()).unwrap();
        let theirs = peer(&theirs, 3);
        for honest in [1, 2] {
            let p = p_value(&draws(&laplace, honest, 4), &theirs);
            assert!(p > ALPHA, "{numerator}/{denominator}, {honest} parts: {p}");
        }
    }
}

#[test]
fn other_noise_is_told_apart() {
    let theirs = DiscreteGaussian::new(Rational::from_unsigned(100_u64, 1_u64).unwrap()).unwrap();
    let wider = Distribution::Gaussian { variance: quantity(106 * 106, 1) };
    assert!(p_value(&draws(&wider, 1, 5), &peer(&theirs, 6)) < ALPHA);
    let laplace = Distribution::Laplace { scale: quantity(71, 1) };
    assert!(p_value(&draws(&laplace, 1, 7), &peer(&theirs, 8)) < ALPHA);
}
