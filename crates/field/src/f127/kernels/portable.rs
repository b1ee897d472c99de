//! The kernels in plain Rust.
//!
//! Slices are of equal length (checked by [`crate::Field`]'s methods, the only callers). What a backend compiles
//! again is `inline(always)`, so that its target features apply.

use super::super::{F127, Lazy};

/// Elements of an accumulator tile: 16 KiB, half of the smallest first-level cache.
const TILE: usize = 1024;

pub(in crate::f127) fn add_slices(acc: &mut [F127], x: &[F127]) {
    acc.iter_mut().zip(x).for_each(|(acc, x)| *acc += *x);
}

pub(in crate::f127) fn sub_slices(acc: &mut [F127], x: &[F127]) {
    acc.iter_mut().zip(x).for_each(|(acc, x)| *acc -= *x);
}

pub(in crate::f127) fn mul_slices(acc: &mut [F127], x: &[F127]) {
    acc.iter_mut().zip(x).for_each(|(acc, x)| *acc *= *x);
}

pub(in crate::f127) fn scale_slice(acc: &mut [F127], k: F127) {
    acc.iter_mut().for_each(|acc| *acc *= k);
}

pub(in crate::f127) fn axpy(acc: &mut [F127], k: F127, x: &[F127]) {
    acc.iter_mut().zip(x).for_each(|(acc, x)| *acc += k * *x);
}

pub(in crate::f127) fn dot(x: &[F127], y: &[F127]) -> F127 {
    let mut sum = Lazy::default();
    x.iter().zip(y).for_each(|(x, y)| sum.add(x.folded_product(*y)));
    sum.reduce()
}

pub(in crate::f127) fn sum_slice(x: &[F127]) -> F127 {
    let mut sum = Lazy::default();
    x.iter().for_each(|x| sum.add(x.0));
    sum.reduce()
}

/// Tile by tile of the accumulator, eight rows at a time, reduced once for the eight.
#[inline(always)]
pub(super) fn accumulate_rows(acc: &mut [F127], rows: &[&[F127]]) {
    for (index, tile) in acc.chunks_mut(TILE).enumerate() {
        let (eights, rest) = rows.as_chunks::<8>();
        eights.iter().for_each(|rows| add_rows(tile, rows, index * TILE));
        let (twos, rest) = rest.as_chunks::<2>();
        twos.iter().for_each(|rows| add_rows(tile, rows, index * TILE));
        let (ones, _) = rest.as_chunks::<1>();
        ones.iter().for_each(|rows| add_rows(tile, rows, index * TILE));
    }
}

/// `tile[j] += sum of rows[..][start + j]`.
#[inline(always)]
fn add_rows<const ROWS: usize>(tile: &mut [F127], rows: &[&[F127]; ROWS], start: usize) {
    let columns = tile.len();
    let rows = rows.map(|row| &row[start..][..columns]);
    for (column, acc) in tile.iter_mut().enumerate() {
        let mut sum = Lazy::from(*acc);
        rows.iter().for_each(|row| sum.add(row[column].0));
        *acc = sum.reduce();
    }
}

/// Tile by tile of the accumulator, four rows at a time, reduced once for the four.
#[inline(always)]
pub(super) fn weighted_sum(acc: &mut [F127], weights: &[F127], rows: &[&[F127]]) {
    let (weight_groups, weight_rest) = weights.as_chunks::<4>();
    let (row_groups, row_rest) = rows.as_chunks::<4>();
    for (index, tile) in acc.chunks_mut(TILE).enumerate() {
        let start = index * TILE;
        for (weights, rows) in weight_groups.iter().zip(row_groups) {
            add_weighted(tile, weights, rows, start);
        }
        for (weight, row) in weight_rest.iter().zip(row_rest) {
            add_weighted(tile, &[*weight], &[*row], start);
        }
    }
}

/// `tile[j] += sum_i weights[i] * rows[i][start + j]`.
#[inline(always)]
fn add_weighted<const ROWS: usize>(
    tile: &mut [F127],
    weights: &[F127; ROWS],
    rows: &[&[F127]; ROWS],
    start: usize,
) {
    let columns = tile.len();
    let rows = rows.map(|row| &row[start..][..columns]);
    for (column, acc) in tile.iter_mut().enumerate() {
        let mut sum = Lazy::from(*acc);
        weights.iter().zip(rows).for_each(|(weight, row)| sum.add(weight.folded_product(row[column])));
        *acc = sum.reduce();
    }
}
