//! The kernels in plain Rust.
//!
//! Slices are of equal length (checked by [`crate::Field`]'s methods, the only callers). What a backend compiles
//! again is `inline(always)`, so that its target features apply.

use super::super::{F127, Lazy, P};

/// Elements of an accumulator tile of [`weighted_sum`]: 16 KiB, half of the smallest first-level cache.
const WEIGHTED_TILE: usize = 1024;

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

/// A word of what a kernel reads: of elements, or of encodings, of which nobody has checked yet that they are below the
/// modulus.
trait Source: bytemuck::Pod {
    /// Whether it must be checked.
    const IS_UNCHECKED: bool;
    /// Which of an element's two words is the lower one.
    const LOWER: usize;

    fn word(self) -> u64;
}

/// A word of an element in memory.
impl Source for u64 {
    const IS_UNCHECKED: bool = false;
    const LOWER: usize = if cfg!(target_endian = "little") { 0 } else { 1 };

    #[inline(always)]
    fn word(self) -> u64 {
        self
    }
}

/// A word of an encoding.
impl Source for [u8; 8] {
    const IS_UNCHECKED: bool = true;
    const LOWER: usize = 0;

    #[inline(always)]
    fn word(self) -> u64 {
        u64::from_le_bytes(self)
    }
}

/// Words that [`Sums`] of rows are kept of at a time: 16 KiB, or 24 where the words are checked.
const TILE: usize = 1024;
/// Words of a line, and lines of a block, in which [`sum`] reads a slice.
const LINE: usize = 16;
const BLOCK: usize = 4;
/// Words that a sum takes before it must be reduced.
const SUMMANDS_MAX: usize = 1 << 32;

/// Sums of words, side by side. Vectors add but do not carry: so what is kept is the sum modulo 2^64, and the sum of the
/// upper halves, which is below 2^64 for up to [`SUMMANDS_MAX`] words.
struct Sums<const WIDTH: usize> {
    wrapped: [u64; WIDTH],
    upper: [u64; WIDTH],
    /// The highest bit is set where a word was 2^63 - 1 or more: an element's upper one is then that of `p`, or above, or
    /// of 2^64 - 1 elements below it.
    excess: [u64; WIDTH],
}

impl<const WIDTH: usize> Sums<WIDTH> {
    const ZERO: Self = Self { wrapped: [0; WIDTH], upper: [0; WIDTH], excess: [0; WIDTH] };

    /// Adds rows of the same number of words, at most `WIDTH`.
    #[inline(always)]
    fn add<S: Source, const ROWS: usize>(&mut self, rows: [&[S]; ROWS]) {
        let columns = rows[0].len();
        let rows = rows.map(|row| &row[..columns]);
        let wrapped = self.wrapped[..columns].iter_mut();
        let sums = wrapped.zip(&mut self.upper[..columns]).zip(&mut self.excess[..columns]);
        for (column, ((wrapped, upper), excess)) in sums.enumerate() {
            for row in rows {
                let word = row[column].word();
                *wrapped = wrapped.wrapping_add(word);
                *upper += word >> 32;
                if S::IS_UNCHECKED {
                    *excess |= word | word.wrapping_add(1);
                }
            }
        }
    }

    /// The sum of a word: below 2^96.
    #[inline(always)]
    fn word(&self, column: usize) -> u128 {
        let (wrapped, upper) = (self.wrapped[column], self.upper[column]);
        u128::from(wrapped.wrapping_sub(upper << 32)) + (u128::from(upper) << 32)
    }

    /// The sum of an element, modulo `p`, to which `2^127` is one; and whether a summand may not be canonical.
    #[inline(always)]
    fn element<S: Source>(&self, index: usize) -> (F127, bool) {
        let (lower, upper) = (2 * index + S::LOWER, 2 * index + 1 - S::LOWER);
        let (low, high) = (self.word(lower), self.word(upper));
        let sum = F127::new(low + (high >> 63)) + F127::new((high & (P >> 64)) << 64);
        (sum, self.excess[upper] >> 63 == 1)
    }
}

#[inline(always)]
pub(super) fn sum_slice(x: &[F127]) -> F127 {
    sum::<u64>(bytemuck::must_cast_slice(x)).0
}

#[inline(always)]
pub(super) fn sum_encoded(x: &[[u8; 16]]) -> Option<F127> {
    let (sum, is_suspect) = sum::<[u8; 8]>(bytemuck::must_cast_slice(x));
    (!is_suspect || are_canonical(x)).then_some(sum)
}

/// The sum of elements, and whether one may not be canonical.
#[inline(always)]
fn sum<S: Source>(words: &[S]) -> (F127, bool) {
    let (mut total, mut is_suspect) = (F127(0), false);
    for words in words.chunks(SUMMANDS_MAX) {
        let mut sums = Sums::<LINE>::ZERO;
        let (lines, rest) = words.as_chunks::<LINE>();
        let (blocks, lines) = lines.as_chunks::<BLOCK>();
        blocks.iter().for_each(|block| sums.add(block.each_ref().map(<[S; LINE]>::as_slice)));
        lines.iter().for_each(|line| sums.add([line.as_slice()]));
        sums.add([rest]);
        for element in 0..LINE / 2 {
            let (sum, is_one) = sums.element::<S>(element);
            total += sum;
            is_suspect |= is_one;
        }
    }
    (total, is_suspect)
}

#[inline(always)]
pub(super) fn accumulate_rows(acc: &mut [F127], rows: &[&[F127]]) {
    accumulate::<u64, F127>(acc, rows);
}

#[inline(always)]
pub(super) fn accumulate_encoded(acc: &mut [F127], rows: &[&[[u8; 16]]]) -> bool {
    let is_suspect = accumulate::<[u8; 8], [u8; 16]>(acc, rows);
    !is_suspect || rows.iter().all(|row| are_canonical(row))
}

/// Adds rows of elements `T` by their words; whether one may not be canonical. Tile by tile of the accumulator, eight rows
/// at a time.
#[inline(always)]
fn accumulate<'a, S: Source, T: bytemuck::NoUninit>(acc: &mut [F127], rows: &[&'a [T]]) -> bool {
    let mut is_suspect = false;
    for (index, tile) in acc.chunks_mut(TILE / 2).enumerate() {
        let (start, columns) = (index * TILE / 2, tile.len());
        let part = |row: &&'a [T]| -> &'a [S] { bytemuck::must_cast_slice::<T, S>(&row[start..][..columns]) };
        for rows in rows.chunks(SUMMANDS_MAX) {
            let mut sums = Sums::<TILE>::ZERO;
            let (eights, rest) = rows.as_chunks::<8>();
            let (twos, ones) = rest.as_chunks::<2>();
            eights.iter().for_each(|rows| sums.add(rows.each_ref().map(part)));
            twos.iter().for_each(|rows| sums.add(rows.each_ref().map(part)));
            ones.iter().for_each(|row| sums.add([part(row)]));
            for (element, acc) in tile.iter_mut().enumerate() {
                let (sum, is_one) = sums.element::<S>(element);
                *acc += sum;
                is_suspect |= is_one;
            }
        }
    }
    is_suspect
}

/// The check of all elements, which only one in 2^63 of honest ones comes to.
#[cold]
fn are_canonical(x: &[[u8; 16]]) -> bool {
    x.iter().all(|bytes| u128::from_le_bytes(*bytes) < P)
}

/// Tile by tile of the accumulator, four rows at a time, reduced once for the four.
#[inline(always)]
pub(super) fn weighted_sum(acc: &mut [F127], weights: &[F127], rows: &[&[F127]]) {
    let (weight_groups, weight_rest) = weights.as_chunks::<4>();
    let (row_groups, row_rest) = rows.as_chunks::<4>();
    for (index, tile) in acc.chunks_mut(WEIGHTED_TILE).enumerate() {
        let start = index * WEIGHTED_TILE;
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
