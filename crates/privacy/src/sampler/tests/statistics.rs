//! Draws against exact probabilities.

use super::mass::Mass;
use super::*;

fn gaussian_faults(numerator: u64, denominator: u64, seed: u8) -> Vec<&'static str> {
    let variance = quantity(numerator, denominator);
    let sampler = Sampler::gaussian(&variance).unwrap();
    let draws = sums(&sampler, 1, 1_000_000, &mut Right(rng(seed)));
    Mass::gaussian(variance.to_f64()).faults(&draws)
}

/// Of draws of one of `m` parts.
fn part_faults(scale: &Quantity, m: u32, count: usize, seed: u8) -> Vec<&'static str> {
    let sampler = Sampler::laplace(scale, m).unwrap();
    let draws = sums(&sampler, 1, count, &mut Right(rng(seed)));
    Mass::part(scale.to_f64(), m).faults(&draws)
}

/// Of sums of all `m` parts.
fn sum_faults(scale: &Quantity, m: u32, count: usize, seed: u8) -> Vec<&'static str> {
    let sampler = Sampler::laplace(scale, m).unwrap();
    let draws = sums(&sampler, m, count, &mut Right(rng(seed)));
    Mass::laplace(scale.to_f64()).faults(&draws)
}

#[test]
fn gaussian_draws_are_gaussian() {
    for (numerator, denominator, seed) in
        [(4, 1, 10), (25, 1, 11), (10_000, 1, 12), (100_000_000, 1, 13), (1_371_241, 250_000, 14)]
    {
        assert_eq!(gaussian_faults(numerator, denominator, seed), [""; 0], "{numerator}/{denominator}");
    }
}

#[test]
fn one_part_alone_is_laplace() {
    for (numerator, denominator, seed) in
        [(1, 3, 20), (2, 1, 21), (5, 1, 22), (11, 2, 23), (100, 1, 24), (10_000, 1, 25)]
    {
        let scale = quantity(numerator, denominator);
        assert_eq!(sum_faults(&scale, 1, 1_000_000, seed), [""; 0], "{scale}");
    }
}

#[test]
fn parts_are_differences_of_polya_variables() {
    for (numerator, denominator, seed) in [(1, 2, 30), (2, 1, 31), (11, 2, 32), (40, 1, 33)] {
        for m in [2, 4] {
            let scale = quantity(numerator, denominator);
            assert_eq!(part_faults(&scale, m, 300_000, seed), [""; 0], "{scale}, {m} parts");
        }
    }
}

#[test]
fn all_parts_together_are_laplace() {
    for (numerator, denominator, count, seed) in [
        (1, 2, 200_000, 40),
        (2, 1, 200_000, 41),
        (11, 2, 100_000, 42),
        (100, 1, 100_000, 43),
        (10_000, 1, 50_000, 44),
    ] {
        for m in [2, 3, 4] {
            let scale = quantity(numerator, denominator);
            assert_eq!(sum_faults(&scale, m, count, seed), [""; 0], "{scale}, {m} parts");
        }
    }
}

/// At a variance of 4, the least that a part may have, no number of draws that can be made tells a sum of two from one Gaussian variable.
#[test]
fn two_gaussian_parts_together_are_all_but_gaussian() {
    let sampler = Sampler::gaussian(&quantity(4, 1)).unwrap();
    let draws = sums(&sampler, 2, 1_000_000, &mut Right(rng(50)));
    assert_eq!(Mass::gaussian(8.0).faults(&draws), [""; 0]);
}

/// What the suite would not miss: other parameters, by little.
#[test]
fn other_parameters_show() {
    let draws = sums(&Sampler::gaussian(&quantity(25, 1)).unwrap(), 1, 1_000_000, &mut Right(rng(51)));
    assert!(!Mass::gaussian(25.3).faults(&draws).is_empty());
    let shifted: Vec<i64> = draws.iter().enumerate().map(|(i, x)| x + i64::from(i % 25 == 0)).collect();
    assert!(Mass::gaussian(25.0).faults(&shifted).contains(&"mean"));
    let draws = sums(&Sampler::laplace(&quantity(5, 1), 2).unwrap(), 2, 200_000, &mut Right(rng(52)));
    assert!(!Mass::laplace(5.1).faults(&draws).is_empty());
    // Three of four parts are less noise than all.
    let draws = sums(&Sampler::laplace(&quantity(5, 1), 4).unwrap(), 3, 50_000, &mut Right(rng(53)));
    assert!(Mass::laplace(5.0).faults(&draws).contains(&"variance"));
}
