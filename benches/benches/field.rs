//! Kernels of F61 and F127 on every backend that this machine has.
//!
//! Beside each stands the roofline of the same run: plain wrapping sums of `u64` words over as many bytes, which
//! no kernel that reads them can beat by much. Throughput is in bytes of elements read. Rows are added up in the sizes of
//! the first and second level of cache and of memory, beside `prio`'s merge of its Field64 and Field128.

use std::hint::black_box;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use prio::field::{Field64, Field128, FieldElement};
use prio::vdaf::{Aggregatable, AggregateShare};
use quorate_field::{Backend, F61, F127, Field, force_backend, roofline, write_slice};

/// Bytes of one slice or row: a vector that stays in the second-level cache, and rows that together do not.
const SLICE_BYTES: usize = 64 << 10;
const ROW_BYTES: usize = 1 << 20;
/// Rows that are added up.
const ROWS: usize = 16;
/// Bytes of all rows together, by where they stay.
const SIZES: [(&str, usize); 3] = [("l1", 16 << 10), ("l2", 256 << 10), ("dram", 256 << 20)];
/// The rows of [`SIZES`].
const SIZED_ROWS: usize = 32;

/// Some elements, different and not small.
fn elements<F: Field>(bytes: usize, seed: u64) -> Vec<F> {
    let step = F::from_u64(seed).inverse().unwrap_or(F::ONE);
    let next = |x: &F| Some(*x * step + F::ONE);
    std::iter::successors(Some(step), next).take(bytes / F::BYTES).collect()
}

type Group<'a> = BenchmarkGroup<'a, WallTime>;

fn group<'a>(criterion: &'a mut Criterion, name: String, bytes: usize) -> Group<'a> {
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Bytes(bytes as u64));
    group
}

/// One bench a backend, forced while it runs.
fn each_backend(mut group: Group<'_>, mut kernel: impl FnMut()) {
    for backend in Backend::supported() {
        if force_backend(backend).is_ok() {
            group.bench_function(backend.as_str(), |bencher| bencher.iter(&mut kernel));
        }
    }
    group.finish();
}

/// Wrapping sums of plain words.
fn roofline(criterion: &mut Criterion) {
    let words: Vec<u64> = (0..SLICE_BYTES as u64 / 8).collect();
    let mut sums = vec![0_u64; words.len()];
    let mut slices = group(criterion, "u64/add_slices".to_owned(), 2 * SLICE_BYTES);
    slices.bench_function("wrapping", |bencher| {
        bencher.iter(|| {
            let sums = black_box(&mut sums);
            sums.iter_mut().zip(black_box(&words)).for_each(|(sum, word)| *sum = sum.wrapping_add(*word));
        });
    });
    slices.finish();

    let mut whole = group(criterion, "u64/sum_slice".to_owned(), SLICE_BYTES);
    whole.bench_function("wrapping", |bencher| {
        bencher.iter(|| black_box(&words).iter().fold(0_u64, |sum, word| sum.wrapping_add(*word)));
    });
    whole.finish();

    let rows: Vec<Vec<u64>> =
        (0..ROWS as u64).map(|row| (row..row + ROW_BYTES as u64 / 8).collect()).collect();
    let mut sums = vec![0_u64; ROW_BYTES / 8];
    let mut many = group(criterion, "u64/accumulate_rows".to_owned(), ROWS * ROW_BYTES);
    many.bench_function("wrapping", |bencher| {
        bencher.iter(|| {
            for row in black_box(&rows) {
                sums.iter_mut().zip(row).for_each(|(sum, word)| *sum = sum.wrapping_add(*word));
            }
        });
    });
    many.finish();
}

/// Kernels of one or two slices.
fn slices<F: Field>(criterion: &mut Criterion) {
    let (mut acc, x) = (elements::<F>(SLICE_BYTES, 3), elements::<F>(SLICE_BYTES, 5));
    let k = x[7];
    let name = |kernel: &str| format!("{}/{kernel}", F::NAME.to_lowercase());
    let two = 2 * SLICE_BYTES;

    each_backend(group(criterion, name("add_slices"), two), || F::add_slices(&mut acc, black_box(&x)));
    each_backend(group(criterion, name("sub_slices"), two), || F::sub_slices(&mut acc, black_box(&x)));
    each_backend(group(criterion, name("mul_slices"), two), || F::mul_slices(&mut acc, black_box(&x)));
    each_backend(group(criterion, name("axpy"), two), || F::axpy(&mut acc, black_box(k), black_box(&x)));
    each_backend(group(criterion, name("scale_slice"), SLICE_BYTES), || {
        F::scale_slice(&mut acc, black_box(k));
    });
    each_backend(group(criterion, name("sum_slice"), SLICE_BYTES), || {
        black_box(F::sum_slice(black_box(&x)));
    });
    each_backend(group(criterion, name("dot"), two), || {
        black_box(F::dot(black_box(&acc), black_box(&x)));
    });
}

/// Kernels of many rows.
fn rows<F: Field>(criterion: &mut Criterion) {
    let rows: Vec<Vec<F>> = (0..ROWS as u64).map(|row| elements(ROW_BYTES, row + 3)).collect();
    let views: Vec<&[F]> = rows.iter().map(Vec::as_slice).collect();
    let weights = &rows[0][..ROWS];
    let mut acc = rows[1].clone();
    let name = |kernel: &str| format!("{}/{kernel}", F::NAME.to_lowercase());

    each_backend(group(criterion, name("accumulate_rows"), ROWS * ROW_BYTES), || {
        F::accumulate_rows(&mut acc, black_box(&views));
    });
    each_backend(group(criterion, name("weighted_sum"), ROWS * ROW_BYTES), || {
        F::weighted_sum(&mut acc, weights, black_box(&views));
    });
}

/// Rows added into one, and plain words, in the sizes of caches and memory.
fn sizes<F: Field, P: FieldElement>(criterion: &mut Criterion, prio_name: &str) {
    for (size, bytes) in SIZES {
        let name = |kernel: &str| format!("{}/{kernel}/{size}", F::NAME.to_lowercase());
        let x = elements::<F>(bytes, 3);
        let encoded = write_slice(&x);
        let words: Vec<u64> = encoded.as_chunks().0.iter().map(|word| u64::from_le_bytes(*word)).collect();
        each_backend(group(criterion, name("plain"), bytes), || {
            black_box(roofline::wrapping_sum(black_box(&words)));
        });
        drop(words);

        let mut acc = vec![F::ZERO; x.len() / SIZED_ROWS];
        let rows: Vec<&[F]> = x.chunks_exact(acc.len()).collect();
        each_backend(group(criterion, name("accumulate_rows"), bytes), || {
            F::accumulate_rows(&mut acc, black_box(&rows));
        });
        each_backend(group(criterion, name("accumulate_encoded"), bytes), || {
            black_box(F::accumulate_encoded(&mut acc, black_box(&encoded)).is_ok());
        });
        each_backend(group(criterion, name("sum_encoded"), bytes), || {
            black_box(F::sum_encoded(black_box(&encoded)).is_ok());
        });
        drop(x);

        let theirs: Vec<P> = (1..=bytes / P::ENCODED_SIZE).map(|i| element::<P>(i as u64)).collect();
        let shares = theirs.chunks_exact(theirs.len() / SIZED_ROWS);
        let theirs: Vec<AggregateShare<P>> = shares.map(|share| share.to_vec().into()).collect();
        let mut acc = theirs[0].clone();
        let mut merge = group(criterion, name("merge"), bytes);
        merge.bench_function(prio_name, |bencher| {
            bencher.iter(|| {
                for share in black_box(&theirs) {
                    black_box(acc.merge(share).is_ok());
                }
            });
        });
        merge.finish();
    }
}

/// An element of `prio`'s that takes all its bits.
fn element<P: FieldElement>(i: u64) -> P {
    let mut bytes = vec![0x5a; P::ENCODED_SIZE];
    bytes[..8].copy_from_slice(&i.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes());
    *bytes.last_mut().unwrap_or(&mut 0) = 0x0f;
    P::get_decoded(&bytes).unwrap_or(P::zero())
}

fn every_kernel(criterion: &mut Criterion) {
    roofline(criterion);
    slices::<F61>(criterion);
    slices::<F127>(criterion);
    rows::<F61>(criterion);
    rows::<F127>(criterion);
    sizes::<F61, Field64>(criterion, "prio Field64");
    sizes::<F127, Field128>(criterion, "prio Field128");
}

criterion_group!(benches, every_kernel);
criterion_main!(benches);
