//! Draws against exact probabilities, against the published vectors, and with mistakes planted, which either must show.
//!
//! All seeds are fixed, so that a test that passes does so always. Each comparison would fail by chance with a probability of about
//! 10^-6 if seeds were not fixed.

#![allow(
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "a test"
)]

mod mass;
mod mutants;
mod statistics;

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use serde::Deserialize;

use super::*;
use crate::Distribution;

/// Coins without a mistake.
struct Right(ChaCha20Rng);

impl Coins for Right {
    fn word(&mut self) -> u64 {
        self.0.next_u64()
    }
}

fn rng(seed: u8) -> ChaCha20Rng {
    ChaCha20Rng::from_seed([seed; 32])
}

fn quantity(numerator: u64, denominator: u64) -> Quantity {
    Quantity::new(numerator.into(), denominator.into()).unwrap()
}

/// Sums of so many draws each.
fn sums(sampler: &Sampler, summands: u32, count: usize, coins: &mut impl Coins) -> Vec<i64> {
    let draw = |coins: &mut _| i64::try_from(sampler.draw_by(coins).to_i128().unwrap()).unwrap();
    (0..count).map(|_| (0..summands).map(|_| draw(coins)).sum()).collect()
}

#[derive(Deserialize)]
struct Vector {
    name: String,
    distribution: Distribution,
    honest: u32,
    seed: String,
    draws: Vec<Integer>,
}

/// Which of the published vectors are drawn differently.
fn differing_vectors<C: Coins>(new: impl Fn(ChaCha20Rng) -> C) -> Vec<String> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/test-vectors/noise.json");
    let vectors: Vec<Vector> = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let differs = |vector: &Vector| {
        let seed: [u8; 32] =
            std::array::from_fn(|i| u8::from_str_radix(&vector.seed[2 * i..2 * i + 2], 16).unwrap());
        let mut coins = new(ChaCha20Rng::from_seed(seed));
        let sampler = vector.distribution.sampler(vector.honest).unwrap();
        vector.draws.iter().any(|draw| sampler.draw_by(&mut coins) != *draw)
    };
    vectors.into_iter().filter(differs).map(|vector| vector.name).collect()
}

#[test]
fn words_and_512_bits_draw_the_same() {
    let numbers = [quantity(4, 1), quantity(1371, 250), quantity(100_000_000, 1), quantity(1 << 60, 1)];
    for number in numbers {
        let wide = Gaussian::new(&number).unwrap();
        let narrow = wide.narrow().unwrap();
        let (mut left, mut right) = (Right(rng(1)), Right(rng(1)));
        for _ in 0..500 {
            let wide = draw(&Parameters::Gaussian(wide), &mut left);
            assert_eq!(draw(&Parameters::Gaussian(narrow), &mut right), wide);
        }
        for m in [1, 2, 3] {
            let (above, below) = (number.denominator(), number.numerator());
            let wide = Parameters::Laplace { x: Ratio { above, below }, m };
            let x = Ratio { above: u128::of(&above).unwrap(), below: u128::of(&below).unwrap() };
            let narrow = Parameters::Laplace { x, m };
            for _ in 0..50 {
                assert_eq!(draw(&narrow, &mut right), draw(&wide, &mut left));
            }
        }
    }
}

#[test]
fn arithmetic_stops_at_the_largest_number() {
    assert_eq!(u128::MAX.plus(1), u128::MAX);
    assert_eq!(u128::MAX.times(2), u128::MAX);
    let largest = power_of_two(510).unwrap().times(Integer::from(1_u128 << 64));
    assert_eq!(largest.plus(Integer::ONE), largest);
    assert_eq!((largest.bits(), power_of_two(511)), (511, None));
    assert_eq!(Integer::from(3).distance(Integer::from(5)), Integer::from(2));
    assert_eq!(Integer::from(3).less(Integer::from(5)), Integer::ZERO);
}

#[test]
fn uniform_numbers_take_as_few_bits_as_they_have() {
    // A generator whose bits are all ones gives 2^l - 1, which is below n for n = 2^l alone.
    struct Ones;
    impl Coins for Ones {
        fn word(&mut self) -> u64 {
            u64::MAX
        }
    }
    for bits in [0, 1, 63, 64, 65, 126] {
        let bound = 1_u128 << bits;
        assert_eq!(Ones.below(bound), bound - 1);
        assert_eq!(Ones.below(Integer::from(bound)), Integer::from(bound - 1));
    }
    let bound = power_of_two(300).unwrap();
    assert_eq!(Ones.below(bound), bound.less(Integer::ONE));
}

#[test]
fn samplers_say_nothing_of_numbers() {
    let sampler = Sampler::gaussian(&quantity(1371, 250)).unwrap();
    assert_eq!(format!("{sampler:?}"), "Sampler(Gaussian in words)");
}
