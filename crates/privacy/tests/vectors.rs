//! The published test vectors of noise: what `docs/test-vectors/noise.json` says is what this crate draws.
//!
//! With `QUORATE_BLESS=1` in the environment the file is written instead of compared. A difference means that the same seed draws other
//! noise. `scripts/check-vectors.py` recomputes the file without this crate.

#![allow(clippy::unwrap_used, clippy::cast_possible_truncation, reason = "a test")]

#[path = "../../sharing/tests/sharing/published.rs"]
mod published;

use quorate_field::Integer;
use quorate_field::quantity::Quantity;
use quorate_privacy::Distribution;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use serde_json::{Value, json};

use published::{bytes, check, hex};

/// A sigma or a scale, as a fraction.
const SIZES: [(&str, &str); 7] = [
    ("2", "1"),
    ("3", "1"),
    ("9", "1"),
    ("100", "1"),
    ("41293847", "1"),
    ("9999999999999999999999", "1"),
    ("1171", "500"),
];

fn quantity((numerator, denominator): (&str, &str)) -> Quantity {
    Quantity::new(numerator.parse().unwrap(), denominator.parse().unwrap()).unwrap()
}

fn vector(name: &str, distribution: &Distribution, honest: u32, seed: u8, count: usize) -> Value {
    let seed = bytes(seed);
    let mut rng = ChaCha20Rng::from_seed(seed);
    let sampler = distribution.sampler(honest).unwrap();
    let draws: Vec<Integer> = (0..count).map(|_| sampler.draw(&mut rng)).collect();
    json!({ "name": name, "distribution": distribution, "honest": honest, "seed": hex(&seed), "draws": draws })
}

#[test]
fn noise() {
    let mut vectors = Vec::new();
    for (seed, size) in (0..).zip(SIZES) {
        let sigma = quantity(size);
        let gaussian = Distribution::Gaussian { variance: sigma.checked_mul(&sigma).unwrap() };
        vectors.push(vector("gaussian", &gaussian, 1, seed, 40));
        let laplace = Distribution::Laplace { scale: sigma };
        let bits = sigma.numerator().bits();
        for honest in [1, 2, 4] {
            let count = if honest == 1 || bits < 20 { 40 } else { 4 };
            vectors.push(vector("laplace", &laplace, honest, 0x40 + seed, count));
        }
    }
    let variance = quantity(("25000000000000", "59"));
    vectors.push(vector("rounded up", &Distribution::Gaussian { variance }, 3, 0x80, 20));
    let variance = quantity(("3", "1"));
    vectors.push(vector("least variance", &Distribution::Gaussian { variance }, 2, 0x81, 20));
    // Neither fits words.
    let wide = Quantity::from(Integer::pow10(100).unwrap());
    vectors.push(vector("wide", &Distribution::Gaussian { variance: wide }, 1, 0x82, 10));
    vectors.push(vector("wide", &Distribution::Laplace { scale: wide }, 1, 0x83, 10));
    // Scales of less than one, of which a draw is nearly always zero, and one that is no short fraction.
    let scale = quantity(("1", "3"));
    vectors.push(vector("small", &Distribution::Laplace { scale }, 2, 0x84, 60));
    check("noise.json", vectors);
}

/// One number after the other, each from a sampler of its own, is what one sampler draws.
#[test]
fn a_sampler_keeps_nothing() {
    let distribution = Distribution::Laplace { scale: quantity(("1171", "500")) };
    let sampler = distribution.sampler(2).unwrap();
    let (mut kept, mut anew) = (ChaCha20Rng::from_seed([9; 32]), ChaCha20Rng::from_seed([9; 32]));
    for _ in 0..100 {
        assert_eq!(sampler.draw(&mut kept), distribution.draw(2, &mut anew));
    }
}

#[test]
fn what_no_sampler_draws_hides_everything() {
    let huge = Quantity::from(Integer::pow10(150).unwrap());
    for (distribution, honest) in [
        (Distribution::Gaussian { variance: Quantity::ZERO }, 2),
        (Distribution::Gaussian { variance: Quantity::ONE.checked_neg().unwrap() }, 2),
        (Distribution::Gaussian { variance: huge }, 2),
        (Distribution::Gaussian { variance: Quantity::ONE }, 0),
        (Distribution::Laplace { scale: Quantity::ZERO }, 2),
        (Distribution::Laplace { scale: Quantity::ONE.checked_neg().unwrap() }, 2),
        (Distribution::Laplace { scale: huge }, 2),
        (Distribution::Laplace { scale: Quantity::ONE }, 0),
    ] {
        assert!(distribution.sampler(honest).is_none(), "{distribution:?}");
        let mut rng = ChaCha20Rng::from_seed([3; 32]);
        let draws: Vec<Integer> = (0..8).map(|_| distribution.draw(honest, &mut rng)).collect();
        // Of eight uniform numbers below 2^510 the largest is below 2^480 with a probability of 2^-240.
        assert!(draws.iter().map(Integer::bits).max().unwrap() > 480);
    }
    // The largest that are drawn.
    let large = Quantity::from(Integer::pow10(141).unwrap());
    assert!(Distribution::Gaussian { variance: large }.sampler(1).is_some());
    let large = Quantity::from(Integer::pow10(147).unwrap());
    assert!(Distribution::Laplace { scale: large }.sampler(1).is_some());
}
