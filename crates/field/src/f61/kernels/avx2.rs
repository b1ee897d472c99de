//! The portable kernels compiled for AVX2 and BMI2, and products of vectors from 32-bit halves.
//!
//! AVX2 has no 64-bit product. Four 32-bit ones and their carries take about 0.6 of the time of `mulx` and its
//! reduction; sums of products, which reduce lazily, are as fast with `mulx`.

use super::F61;
use crate::backend::recompiled;

recompiled! { "avx2,bmi2":
    fn add_slices(acc: &mut [F61], x: &[F61]);
    fn sub_slices(acc: &mut [F61], x: &[F61]);
    fn dot(x: &[F61], y: &[F61]) -> F61;
    fn sum_slice(x: &[F61]) -> F61;
    fn add_masked_slice(acc: &mut [F61], x: &[[u8; 8]]) -> bool;
    fn sum_encoded(x: &[[u8; 8]]) -> Option<F61>;
    fn accumulate_rows(acc: &mut [F61], rows: &[&[F61]]);
    fn accumulate_encoded(acc: &mut [F61], rows: &[&[[u8; 8]]]) -> bool;
    fn weighted_sum(acc: &mut [F61], weights: &[F61], rows: &[&[F61]]);
}

#[target_feature(enable = "avx2,bmi2")]
pub(super) fn mul_slices(acc: &mut [F61], x: &[F61]) {
    acc.iter_mut().zip(x).for_each(|(acc, x)| *acc = F61::multiply_add_halves(F61(0), *acc, *x));
}

#[target_feature(enable = "avx2,bmi2")]
pub(super) fn scale_slice(acc: &mut [F61], k: F61) {
    acc.iter_mut().for_each(|acc| *acc = F61::multiply_add_halves(F61(0), *acc, k));
}

#[target_feature(enable = "avx2,bmi2")]
pub(super) fn axpy(acc: &mut [F61], k: F61, x: &[F61]) {
    acc.iter_mut().zip(x).for_each(|(acc, x)| *acc = F61::multiply_add_halves(*acc, k, *x));
}
