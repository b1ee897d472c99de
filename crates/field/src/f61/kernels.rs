//! Slice kernels of F61, dispatched to the active backend.
//!
//! | kernel | portable | AVX2 | AVX-512 |
//! |---|---|---|---|
//! | add, sub | SSE2 | portable, compiled for AVX2 | by hand |
//! | sum, rows, masked, encoded | SSE2 | portable, compiled for AVX2 | portable, compiled for AVX-512 |
//! | mul, scale, axpy | 64-bit products | 32-bit products, vectorised | 52-bit multiply-add (IFMA) |
//! | dot, weighted sum | 64-bit products, lazy | portable, with `mulx` | IFMA, lazy |

use super::F61;
use crate::backend::dispatched;

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod portable;

dispatched! {
    fn add_slices(acc: &mut [F61], x: &[F61]);
    fn sub_slices(acc: &mut [F61], x: &[F61]);
    fn mul_slices(acc: &mut [F61], x: &[F61]);
    fn scale_slice(acc: &mut [F61], k: F61);
    fn axpy(acc: &mut [F61], k: F61, x: &[F61]);
    fn dot(x: &[F61], y: &[F61]) -> F61;
    fn sum_slice(x: &[F61]) -> F61;
    fn add_masked_slice(acc: &mut [F61], x: &[[u8; 8]]) -> bool;
    fn sum_encoded(x: &[[u8; 8]]) -> Option<F61>;
    fn accumulate_rows(acc: &mut [F61], rows: &[&[F61]]);
    fn accumulate_encoded(acc: &mut [F61], rows: &[&[[u8; 8]]]) -> bool;
    fn weighted_sum(acc: &mut [F61], weights: &[F61], rows: &[&[F61]]);
}
