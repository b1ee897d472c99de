//! Draws of one helper's parts of noise, beside `prio`'s of the whole.
//!
//! Throughput is in numbers. A part of Laplace noise takes longer than all of it at once, and longer the larger its scale is.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use prio::dp::Rational;
use prio::dp::distributions::{DiscreteGaussian, DiscreteLaplace};
use quorate_field::quantity::Quantity;
use quorate_privacy::Distribution;
use rand::distr::Distribution as _;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

/// Numbers of a vector.
const NUMBERS: u64 = 1000;
/// Bits of sigma, or of a scale: those of a count, of a sum of incomes, and beyond what fits words.
const BITS: [u32; 3] = [4, 20, 60];

fn rng() -> ChaCha20Rng {
    ChaCha20Rng::from_seed([7; 32])
}

fn quantity(number: u128) -> Quantity {
    Quantity::from(quorate_field::Integer::from(number))
}

fn parts(criterion: &mut Criterion, name: &str, honest: u32, distribution: impl Fn(u128) -> Distribution) {
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Elements(NUMBERS));
    for bits in BITS {
        let Some(sampler) = distribution(1 << bits).sampler(honest) else { continue };
        let mut rng = rng();
        group.bench_function(BenchmarkId::from_parameter(bits), |bencher| {
            bencher.iter(|| {
                (0..NUMBERS).for_each(|_| {
                    black_box(sampler.draw(&mut rng));
                })
            });
        });
    }
    group.finish();
}

fn gaussian(criterion: &mut Criterion) {
    parts(criterion, "noise/gaussian", 1, |sigma| Distribution::Gaussian {
        variance: quantity(sigma * sigma),
    });
}

fn laplace(criterion: &mut Criterion) {
    for honest in [1, 2, 5] {
        let name = format!("noise/laplace/{honest}");
        parts(criterion, &name, honest, |scale| Distribution::Laplace { scale: quantity(scale) });
    }
}

fn peer(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("noise/prio");
    group.throughput(Throughput::Elements(NUMBERS));
    for bits in BITS {
        let size = || Rational::from_unsigned(1_u128 << bits, 1_u128);
        let (Ok(sigma), Ok(scale)) = (size(), size()) else { continue };
        let (Ok(gaussian), Ok(laplace)) = (DiscreteGaussian::new(sigma), DiscreteLaplace::new(scale)) else {
            continue;
        };
        let mut rng = rng();
        group.bench_function(BenchmarkId::new("gaussian", bits), |bencher| {
            bencher.iter(|| {
                (0..NUMBERS).for_each(|_| {
                    black_box(gaussian.sample(&mut rng));
                })
            });
        });
        group.bench_function(BenchmarkId::new("laplace", bits), |bencher| {
            bencher.iter(|| {
                (0..NUMBERS).for_each(|_| {
                    black_box(laplace.sample(&mut rng));
                })
            });
        });
    }
    group.finish();
}

criterion_group!(benches, gaussian, laplace, peer);
criterion_main!(benches);
