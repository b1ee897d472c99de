//! The portable kernels, compiled for AVX2 and BMI2.
//!
//! AVX2 has no 64-bit product; four 32-bit ones and their carries take as long as one `mulx`, so products stay
//! scalar.

use super::F61;
use crate::backend::recompiled;

recompiled! { "avx2,bmi2":
    fn add_slices(acc: &mut [F61], x: &[F61]);
    fn sub_slices(acc: &mut [F61], x: &[F61]);
    fn mul_slices(acc: &mut [F61], x: &[F61]);
    fn scale_slice(acc: &mut [F61], k: F61);
    fn axpy(acc: &mut [F61], k: F61, x: &[F61]);
    fn dot(x: &[F61], y: &[F61]) -> F61;
    fn sum_slice(x: &[F61]) -> F61;
    fn accumulate_rows(acc: &mut [F61], rows: &[&[F61]]);
    fn weighted_sum(acc: &mut [F61], weights: &[F61], rows: &[&[F61]]);
}
