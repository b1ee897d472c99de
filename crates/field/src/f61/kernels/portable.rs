//! The kernels in plain Rust, written so that LLVM vectorises what the target has instructions for.
//!
//! `inline(always)`, so that a backend which compiles them again does so with its own target features. Slices
//! are of equal length (checked by [`crate::Field`]'s methods, the only callers).

use super::super::{F61, P, fold};

/// Elements of an accumulator tile: 16 KiB, half of the smallest first-level cache.
const TILE: usize = 2048;
/// Words that [`sum`] adds side by side.
const LANES: usize = 16;
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

/// What a kernel reads elements from: elements, or their encodings, of which nobody has checked yet that they are below
/// the modulus.
trait Source {
    /// Whether it must be checked.
    const IS_UNCHECKED: bool;

    fn word(&self) -> u64;
}

impl Source for F61 {
    const IS_UNCHECKED: bool = false;

    #[inline(always)]
    fn word(&self) -> u64 {
        self.0
    }
}

impl Source for [u8; 8] {
    const IS_UNCHECKED: bool = true;

    #[inline(always)]
    fn word(&self) -> u64 {
        u64::from_le_bytes(*self)
    }
}

/// Takes note in `excess` of a word that is not canonical: its upper three bits are set, or become so by adding one.
#[inline(always)]
fn note<S: Source>(excess: &mut u64, word: u64) {
    if S::IS_UNCHECKED {
        *excess |= word | word.wrapping_add(1);
    }
}

/// Whether one of the words noted was not canonical.
#[inline(always)]
fn is_excess(excess: u64) -> bool {
    excess > P
}

#[inline(always)]
pub(super) fn sum_slice(x: &[F61]) -> F61 {
    sum(x).0
}

#[inline(always)]
pub(super) fn sum_encoded(x: &[[u8; 8]]) -> Option<F61> {
    let (sum, is_excess) = sum(x);
    (!is_excess).then_some(sum)
}

/// The sum, and whether a word was not canonical. Blocks of seven rows of [`LANES`] words, as [`accumulate`] adds them.
#[inline(always)]
fn sum<S: Source>(x: &[S]) -> (F61, bool) {
    let mut sums = [0; LANES];
    let mut excess = [0; LANES];
    let (lines, rest) = x.as_chunks::<LANES>();
    let (blocks, lines) = lines.as_chunks::<7>();
    for block in blocks {
        add_lines(&mut sums, &mut excess, block);
    }
    for line in lines {
        add_lines(&mut sums, &mut excess, std::array::from_ref(line));
    }
    let mut total: F61 = sums.map(F61::canonical).into_iter().sum();
    let mut any = excess.into_iter().fold(0, |any, excess| any | excess);
    for word in rest.iter().map(Source::word) {
        note::<S>(&mut any, word);
        total += F61::new(word);
    }
    (total, is_excess(any))
}

#[inline(always)]
fn add_lines<S: Source, const LINES: usize>(
    sums: &mut [u64; LANES],
    excess: &mut [u64; LANES],
    lines: &[[S; LANES]; LINES],
) {
    for line in lines {
        for ((sum, excess), source) in sums.iter_mut().zip(&mut *excess).zip(line) {
            let word = source.word();
            note::<S>(excess, word);
            *sum = sum.wrapping_add(word);
        }
    }
    sums.iter_mut().for_each(|sum| *sum = fold(*sum));
}

#[inline(always)]
pub(super) fn accumulate_rows(acc: &mut [F61], rows: &[&[F61]]) {
    accumulate(acc, rows);
}

#[inline(always)]
pub(super) fn accumulate_encoded(acc: &mut [F61], rows: &[&[[u8; 8]]]) -> bool {
    !accumulate(acc, rows)
}

/// Whether a word was not canonical. Tile by tile of the accumulator, seven rows at a time: a folded sum is at most
/// `p + 7`, and with seven canonical values beside it at most `8p = 2^64 - 8`, which fits a word.
#[inline(always)]
fn accumulate<S: Source>(acc: &mut [F61], rows: &[&[S]]) -> bool {
    let mut excess = 0;
    for (index, tile) in acc.chunks_mut(TILE).enumerate() {
        let start = index * TILE;
        let (sevens, rest) = rows.as_chunks::<7>();
        let (fours, rest) = rest.as_chunks::<4>();
        let (twos, ones) = rest.as_chunks::<2>();
        let (ones, _) = ones.as_chunks::<1>();
        // The smaller groups first, so that it is most often the rows of a seven that leave canonical sums.
        ones.iter().for_each(|group| excess |= add_rows(tile, group, start, rows.len() == 1));
        twos.iter().for_each(|group| excess |= add_rows(tile, group, start, rows.len() <= 3));
        fours.iter().for_each(|group| excess |= add_rows(tile, group, start, sevens.is_empty()));
        if let Some((last, before)) = sevens.split_last() {
            before.iter().for_each(|group| excess |= add_rows(tile, group, start, false));
            excess |= add_rows(tile, last, start, true);
        }
    }
    is_excess(excess)
}

/// `tile[j] += sum of rows[..][start + j]`, for at most seven rows: canonical after the last of a tile, else folded; the
/// words' bits as [`note`] notes them.
#[inline(always)]
fn add_rows<S: Source, const ROWS: usize>(
    tile: &mut [F61],
    rows: &[&[S]; ROWS],
    start: usize,
    is_last: bool,
) -> u64 {
    const { assert!(ROWS <= 7, "a folded sum and seven canonical values fill a word") };
    let columns = tile.len();
    let rows = rows.map(|row| &row[start..][..columns]);
    let mut excess = 0;
    let mut sum = |acc: u64, column: usize| {
        fold(rows.iter().fold(acc, |sum, row| {
            let word = row[column].word();
            note::<S>(&mut excess, word);
            sum.wrapping_add(word)
        }))
    };
    let columns = tile.iter_mut().enumerate();
    if is_last {
        columns.for_each(|(column, acc)| *acc = F61::canonical(sum(acc.0, column)));
    } else {
        columns.for_each(|(column, acc)| *acc = F61(sum(acc.0, column)));
    }
    excess
}

/// Adds words masked to 61 bits; whether one of them was `p`, which adds nothing.
#[inline(always)]
pub(super) fn add_masked_slice(acc: &mut [F61], x: &[[u8; 8]]) -> bool {
    let mut any = 0;
    for (acc, bytes) in acc.iter_mut().zip(x) {
        let word = u64::from_le_bytes(*bytes) & P;
        any |= word + 1;
        // `(p - 1) + p = 2p - 1`, the most that becomes canonical.
        *acc = F61::canonical(acc.0 + word);
    }
    is_excess(any)
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
