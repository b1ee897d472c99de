//! The kernels in plain Rust, written so that LLVM vectorises what the target has instructions for.
//!
//! `inline(always)`, so that a backend which compiles them again does so with its own target features. Slices
//! are of equal length (checked by [`crate::Field`]'s methods, the only callers).

use super::super::{F61, fold};

/// Elements of an accumulator tile: 16 KiB, half of the smallest first-level cache.
const TILE: usize = 2048;
/// Columns whose double-word sums are kept at a time: 4 KiB.
const WIDE_TILE: usize = 256;
/// Products of canonical values that fit a double word beside one canonical value: `63 (p-1)^2 + p < 2^128`.
const PRODUCTS_MAX: usize = 63;

#[inline(always)]
pub(super) fn add_slices(acc: &mut [F61], x: &[F61]) {
    acc.iter_mut().zip(x).for_each(|(acc, x)| *acc += *x);
}

#[inline(always)]
pub(super) fn sub_slices(acc: &mut [F61], x: &[F61]) {
    acc.iter_mut().zip(x).for_each(|(acc, x)| *acc -= *x);
}

#[inline(always)]
pub(super) fn mul_slices(acc: &mut [F61], x: &[F61]) {
    acc.iter_mut().zip(x).for_each(|(acc, x)| *acc *= *x);
}

#[inline(always)]
pub(super) fn scale_slice(acc: &mut [F61], k: F61) {
    acc.iter_mut().for_each(|acc| *acc *= k);
}

#[inline(always)]
pub(super) fn axpy(acc: &mut [F61], k: F61, x: &[F61]) {
    acc.iter_mut().zip(x).for_each(|(acc, x)| *acc += k * *x);
}

#[inline(always)]
pub(super) fn dot(x: &[F61], y: &[F61]) -> F61 {
    let products = |(x, y): (&[F61], &[F61])| -> u128 { x.iter().zip(y).map(|(x, y)| x.wide_mul(*y)).sum() };
    x.chunks(PRODUCTS_MAX).zip(y.chunks(PRODUCTS_MAX)).map(|chunks| F61::from_wide(products(chunks))).sum()
}

/// Adds the upper and the lower 32 bits of the words apart: neither sum overflows before 2^32 elements.
#[inline(always)]
pub(super) fn sum_slice(x: &[F61]) -> F61 {
    let halves = |x: &[F61]| {
        x.iter().fold((0_u64, 0_u64), |(low, high), x| (low + (x.0 & 0xffff_ffff), high + (x.0 >> 32)))
    };
    x.chunks(1 << 30)
        .map(halves)
        .map(|(low, high)| F61::from_wide(u128::from(low) + (u128::from(high) << 32)))
        .sum()
}

/// Tile by tile of the accumulator, seven rows at a time: with the accumulator that makes eight canonical
/// values, whose sum, at most `8(p-1) = 2^64 - 16`, fits a word.
#[inline(always)]
pub(super) fn accumulate_rows(acc: &mut [F61], rows: &[&[F61]]) {
    for (index, tile) in acc.chunks_mut(TILE).enumerate() {
        let start = index * TILE;
        let (sevens, rest) = rows.as_chunks::<7>();
        sevens.iter().for_each(|rows| add_rows(tile, rows, start));
        let (fours, rest) = rest.as_chunks::<4>();
        fours.iter().for_each(|rows| add_rows(tile, rows, start));
        let (twos, rest) = rest.as_chunks::<2>();
        twos.iter().for_each(|rows| add_rows(tile, rows, start));
        let (ones, _) = rest.as_chunks::<1>();
        ones.iter().for_each(|rows| add_rows(tile, rows, start));
    }
}

/// `tile[j] += sum of rows[..][start + j]`, for at most seven rows.
#[inline(always)]
fn add_rows<const ROWS: usize>(tile: &mut [F61], rows: &[&[F61]; ROWS], start: usize) {
    const { assert!(ROWS <= 7, "eight canonical values fill a word") };
    let columns = tile.len();
    let rows = rows.map(|row| &row[start..][..columns]);
    for (column, acc) in tile.iter_mut().enumerate() {
        let sum = rows.iter().fold(acc.0, |sum, row| sum + row[column].0);
        // The fold leaves at most p + 6.
        *acc = F61::canonical(fold(sum));
    }
}

/// Tile by tile of double-word sums, reduced once for every [`PRODUCTS_MAX`] rows.
#[inline(always)]
pub(super) fn weighted_sum(acc: &mut [F61], weights: &[F61], rows: &[&[F61]]) {
    for (index, tile) in acc.chunks_mut(WIDE_TILE).enumerate() {
        let start = index * WIDE_TILE;
        for (weights, rows) in weights.chunks(PRODUCTS_MAX).zip(rows.chunks(PRODUCTS_MAX)) {
            let mut sums = [0_u128; WIDE_TILE];
            sums.iter_mut().zip(&*tile).for_each(|(sum, acc)| *sum = u128::from(acc.0));
            for (weight, row) in weights.iter().zip(rows) {
                let row = &row[start..][..tile.len()];
                sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += weight.wide_mul(*x));
            }
            tile.iter_mut().zip(&sums).for_each(|(acc, sum)| *acc = F61::from_wide(*sum));
        }
    }
}
