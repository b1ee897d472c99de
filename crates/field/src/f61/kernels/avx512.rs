//! Products by 52-bit multiply-add (AVX-512 IFMA), eight elements at a time; the rest is the portable code
//! compiled for AVX-512.
//!
//! An element is `x = x0 + 2^52 x1`, `x0 < 2^52`, `x1 < 2^9`. `vpmadd52luq` and `vpmadd52huq` multiply the low
//! 52 bits of two words and add the lower or the upper 52 bits of the product to a third. A product of elements
//! is seven of them, into three columns ([`Columns`]); a dot product of 32 elements is 28, two a cycle, and so
//! costs less than the loads from memory.

use std::arch::x86_64::{
    __m512i, _mm512_add_epi64, _mm512_and_si512, _mm512_loadu_si512, _mm512_madd52hi_epu64,
    _mm512_madd52lo_epu64, _mm512_min_epu64, _mm512_set1_epi64, _mm512_setzero_si512, _mm512_slli_epi64,
    _mm512_srli_epi64, _mm512_storeu_si512, _mm512_sub_epi64,
};

use super::super::{F61, P};
use super::portable;
use crate::backend::recompiled;

/// Elements of a vector.
const LANES: usize = 8;
/// Products that [`Columns`] hold before a column could overflow.
const PRODUCTS_MAX: usize = 1024;
/// Vectors whose columns `weighted_sum` keeps at a time: 12 KiB.
const TILE: usize = 64;

recompiled! { "avx512f,avx512dq,avx512vl,avx512ifma,bmi2":
    fn sum_slice(x: &[F61]) -> F61;
    fn add_masked_slice(acc: &mut [F61], x: &[[u8; 8]]) -> bool;
    fn sum_encoded(x: &[[u8; 8]]) -> Option<F61>;
    fn accumulate_rows(acc: &mut [F61], rows: &[&[F61]]);
    fn accumulate_encoded(acc: &mut [F61], rows: &[&[[u8; 8]]]) -> bool;
}

#[inline]
#[target_feature(enable = "avx512f")]
#[allow(unsafe_code, reason = "the intrinsic takes a pointer")]
fn load(x: &[F61; LANES]) -> __m512i {
    // SAFETY: the reference is valid for reads of 64 bytes, as F61 is transparent over u64; the unaligned load
    // asks for no alignment.
    unsafe { _mm512_loadu_si512(std::ptr::from_ref(x).cast()) }
}

/// Every lane of `x` must be canonical.
#[inline]
#[target_feature(enable = "avx512f")]
#[allow(unsafe_code, reason = "the intrinsic takes a pointer")]
fn store(out: &mut [F61; LANES], x: __m512i) {
    // SAFETY: the reference is valid for writes of 64 bytes, of which every value is a valid u64; the unaligned
    // store asks for no alignment.
    unsafe { _mm512_storeu_si512(std::ptr::from_mut(out).cast(), x) }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn broadcast(x: u64) -> __m512i {
    _mm512_set1_epi64(x.cast_signed())
}

/// `s mod p` for `s <= 2p-1`: below p, the difference wraps to above `s`.
#[inline]
#[target_feature(enable = "avx512f")]
fn canonical(s: __m512i) -> __m512i {
    _mm512_min_epu64(s, _mm512_sub_epi64(s, broadcast(P)))
}

/// Any word to at most `p + 7`, congruent.
#[inline]
#[target_feature(enable = "avx512f")]
fn fold(x: __m512i) -> __m512i {
    _mm512_add_epi64(_mm512_and_si512(x, broadcast(P)), _mm512_srli_epi64::<61>(x))
}

/// An operand of [`Columns::multiply_add`]; of `low` only the lower 52 bits are read there.
#[derive(Clone, Copy)]
struct Operand {
    low: __m512i,
    high: __m512i,
}

impl Operand {
    #[inline]
    #[target_feature(enable = "avx512f")]
    fn new(x: __m512i) -> Self {
        Self { low: x, high: _mm512_srli_epi64::<52>(x) }
    }
}

/// A sum of `k <= PRODUCTS_MAX` products, `c0 + 2^52 c1 + 2^104 c2`.
///
/// A product adds to `c0` the lower part of `x0 y0`, to `c1` its upper part and the lower parts of the two cross
/// products, to `c2` their upper parts (`< 2^9` each) and `x1 y1 < 2^18`. With `k <= 2^10`: `c0 < 2^62`,
/// `c1 < 3 * 2^62`, `c2 < 2^29`.
#[derive(Clone, Copy)]
struct Columns {
    c0: __m512i,
    c1: __m512i,
    c2: __m512i,
}

impl Columns {
    #[inline]
    #[target_feature(enable = "avx512f")]
    fn zero() -> Self {
        let zero = _mm512_setzero_si512();
        Self { c0: zero, c1: zero, c2: zero }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    fn multiply_add(&mut self, x: Operand, y: Operand) {
        self.c0 = _mm512_madd52lo_epu64(self.c0, x.low, y.low);
        self.c1 = _mm512_madd52hi_epu64(self.c1, x.low, y.low);
        self.c2 = _mm512_madd52hi_epu64(self.c2, x.low, y.high);
        self.c1 = _mm512_madd52lo_epu64(self.c1, x.low, y.high);
        self.c2 = _mm512_madd52hi_epu64(self.c2, x.high, y.low);
        self.c1 = _mm512_madd52lo_epu64(self.c1, x.high, y.low);
        self.c2 = _mm512_madd52lo_epu64(self.c2, x.high, y.high);
    }

    /// The sum and the canonical `acc`, mod p.
    ///
    /// With 2^61 = 1: `2^52 c1` is its lower 9 bits, shifted (`< 2^61`), and the rest, `c1 / 2^9 < 2^55`;
    /// `2^104 c2 = 2^43 c2` is its lower 18 bits, shifted (`< 2^61`), and the rest, `c2 / 2^18 < 2^11`. With
    /// `c0 < 2^62` and `acc < 2^61` the sum is below `2^63 + 2^61 + 2^56`, and one fold leaves at most `p + 5`.
    #[inline]
    #[target_feature(enable = "avx512f")]
    fn reduce(self, acc: __m512i) -> __m512i {
        let p = broadcast(P);
        let c1 = _mm512_add_epi64(
            _mm512_and_si512(_mm512_slli_epi64::<52>(self.c1), p),
            _mm512_srli_epi64::<9>(self.c1),
        );
        let c2 = _mm512_add_epi64(
            _mm512_and_si512(_mm512_slli_epi64::<43>(self.c2), p),
            _mm512_srli_epi64::<18>(self.c2),
        );
        let sum = _mm512_add_epi64(_mm512_add_epi64(self.c0, acc), _mm512_add_epi64(c1, c2));
        canonical(fold(sum))
    }
}

/// `acc + x * y`, reduced.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn product(x: Operand, y: Operand, acc: __m512i) -> __m512i {
    let mut columns = Columns::zero();
    columns.multiply_add(x, y);
    columns.reduce(acc)
}

#[target_feature(enable = "avx512f")]
pub(super) fn add_slices(acc: &mut [F61], x: &[F61]) {
    let (vectors, tail) = acc.as_chunks_mut();
    let (x_vectors, x_tail) = x.as_chunks();
    for (acc, x) in vectors.iter_mut().zip(x_vectors) {
        store(acc, canonical(_mm512_add_epi64(load(acc), load(x))));
    }
    portable::add_slices(tail, x_tail);
}

#[target_feature(enable = "avx512f")]
pub(super) fn sub_slices(acc: &mut [F61], x: &[F61]) {
    let (vectors, tail) = acc.as_chunks_mut();
    let (x_vectors, x_tail) = x.as_chunks();
    for (acc, x) in vectors.iter_mut().zip(x_vectors) {
        // Negative, the difference is above its sum with p, which wraps to what is wanted.
        let difference = _mm512_sub_epi64(load(acc), load(x));
        store(acc, _mm512_min_epu64(difference, _mm512_add_epi64(difference, broadcast(P))));
    }
    portable::sub_slices(tail, x_tail);
}

#[target_feature(enable = "avx512f,avx512ifma,bmi2")]
pub(super) fn mul_slices(acc: &mut [F61], x: &[F61]) {
    let (vectors, tail) = acc.as_chunks_mut();
    let (x_vectors, x_tail) = x.as_chunks();
    for (acc, x) in vectors.iter_mut().zip(x_vectors) {
        store(acc, product(Operand::new(load(acc)), Operand::new(load(x)), _mm512_setzero_si512()));
    }
    portable::mul_slices(tail, x_tail);
}

#[target_feature(enable = "avx512f,avx512ifma,bmi2")]
pub(super) fn scale_slice(acc: &mut [F61], k: F61) {
    let factor = Operand::new(broadcast(k.0));
    let (vectors, tail) = acc.as_chunks_mut();
    for acc in vectors {
        store(acc, product(Operand::new(load(acc)), factor, _mm512_setzero_si512()));
    }
    portable::scale_slice(tail, k);
}

#[target_feature(enable = "avx512f,avx512ifma,bmi2")]
pub(super) fn axpy(acc: &mut [F61], k: F61, x: &[F61]) {
    let factor = Operand::new(broadcast(k.0));
    let (vectors, tail) = acc.as_chunks_mut();
    let (x_vectors, x_tail) = x.as_chunks();
    for (acc, x) in vectors.iter_mut().zip(x_vectors) {
        store(acc, product(Operand::new(load(x)), factor, load(acc)));
    }
    portable::axpy(tail, k, x_tail);
}

/// Four vectors a step into columns of their own, so that no multiply-add waits for the one before.
#[target_feature(enable = "avx512f,avx512ifma,bmi2")]
pub(super) fn dot(x: &[F61], y: &[F61]) -> F61 {
    let (x_vectors, x_tail) = x.as_chunks::<LANES>();
    let (y_vectors, y_tail) = y.as_chunks::<LANES>();
    let (x_steps, x_rest) = x_vectors.as_chunks::<4>();
    let (y_steps, y_rest) = y_vectors.as_chunks::<4>();

    let mut total = _mm512_setzero_si512();
    for (x_steps, y_steps) in x_steps.chunks(PRODUCTS_MAX).zip(y_steps.chunks(PRODUCTS_MAX)) {
        let mut columns = [Columns::zero(); 4];
        for (x, y) in x_steps.iter().zip(y_steps) {
            for i in 0..4 {
                columns[i].multiply_add(Operand::new(load(&x[i])), Operand::new(load(&y[i])));
            }
        }
        for columns in columns {
            total = columns.reduce(total);
        }
    }
    for (x, y) in x_rest.iter().zip(y_rest) {
        total = product(Operand::new(load(x)), Operand::new(load(y)), total);
    }

    let mut lanes = [F61(0); LANES];
    store(&mut lanes, total);
    lanes.into_iter().sum::<F61>() + portable::dot(x_tail, y_tail)
}

/// Tile by tile of columns, four rows at a time, so that a tile of each row is read in one sweep.
#[target_feature(enable = "avx512f,avx512ifma,bmi2")]
pub(super) fn weighted_sum(acc: &mut [F61], weights: &[F61], rows: &[&[F61]]) {
    let (vectors, tail) = acc.as_chunks_mut::<LANES>();
    let tail_start = vectors.len() * LANES;
    let mut sums = [Columns::zero(); TILE];
    for (index, tile) in vectors.chunks_mut(TILE).enumerate() {
        let start = index * TILE * LANES;
        let sums = &mut sums[..tile.len()];
        for (weights, rows) in weights.chunks(PRODUCTS_MAX).zip(rows.chunks(PRODUCTS_MAX)) {
            sums.fill(Columns::zero());
            let (weight_groups, weight_rest) = weights.as_chunks::<4>();
            let (row_groups, row_rest) = rows.as_chunks::<4>();
            weight_groups.iter().zip(row_groups).for_each(|(w, r)| add_weighted(sums, w, r, start));
            let (weight_ones, _) = weight_rest.as_chunks::<1>();
            let (row_ones, _) = row_rest.as_chunks::<1>();
            weight_ones.iter().zip(row_ones).for_each(|(w, r)| add_weighted(sums, w, r, start));
            tile.iter_mut().zip(&*sums).for_each(|(acc, sum)| store(acc, sum.reduce(load(acc))));
        }
    }
    for (weight, row) in weights.iter().zip(rows) {
        portable::axpy(tail, *weight, &row[tail_start..]);
    }
}

/// `sums[j] += sum_i weights[i] * rows[i][start + j]`, `j` counting vectors.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn add_weighted<const ROWS: usize>(
    sums: &mut [Columns],
    weights: &[F61; ROWS],
    rows: &[&[F61]; ROWS],
    start: usize,
) {
    let weights = weights.map(|weight| Operand::new(broadcast(weight.0)));
    let rows = rows.map(|row| &row[start..].as_chunks::<LANES>().0[..sums.len()]);
    for (column, sum) in sums.iter_mut().enumerate() {
        for (weight, row) in weights.iter().zip(&rows) {
            sum.multiply_add(*weight, Operand::new(load(&row[column])));
        }
    }
}
