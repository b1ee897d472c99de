//! Slice kernels of F127, dispatched to the active backend.
//!
//! One source for all: its cost is 64-bit products and chains of carries, for which vector units have no
//! instructions. BMI2 gives `mulx`, and an element is 16 bytes, so that sums keep up with memory as they are.

use super::F127;
use crate::backend::dispatched;

mod portable;

dispatched! {
    fn add_slices(acc: &mut [F127], x: &[F127]);
    fn sub_slices(acc: &mut [F127], x: &[F127]);
    fn mul_slices(acc: &mut [F127], x: &[F127]);
    fn scale_slice(acc: &mut [F127], k: F127);
    fn axpy(acc: &mut [F127], k: F127, x: &[F127]);
    fn dot(x: &[F127], y: &[F127]) -> F127;
    fn sum_slice(x: &[F127]) -> F127;
    fn accumulate_rows(acc: &mut [F127], rows: &[&[F127]]);
    fn weighted_sum(acc: &mut [F127], weights: &[F127], rows: &[&[F127]]);
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    //! The portable kernels, compiled for AVX2 and BMI2.

    use super::F127;

    crate::backend::recompiled! { "avx2,bmi2":
        fn add_slices(acc: &mut [F127], x: &[F127]);
        fn sub_slices(acc: &mut [F127], x: &[F127]);
        fn mul_slices(acc: &mut [F127], x: &[F127]);
        fn scale_slice(acc: &mut [F127], k: F127);
        fn axpy(acc: &mut [F127], k: F127, x: &[F127]);
        fn dot(x: &[F127], y: &[F127]) -> F127;
        fn sum_slice(x: &[F127]) -> F127;
        fn accumulate_rows(acc: &mut [F127], rows: &[&[F127]]);
        fn weighted_sum(acc: &mut [F127], weights: &[F127], rows: &[&[F127]]);
    }
}

/// Nothing that the AVX2 backend has not.
#[cfg(target_arch = "x86_64")]
use avx2 as avx512;
