//! Slice kernels of F127.
//!
//! Products are 64-bit ones and chains of carries, for which vector units have no instructions: one source serves all.
//! Of them the weighted sum gains a twentieth from being compiled for AVX2 and BMI2; the others lose a tenth, and are not
//! dispatched. Sums of many elements keep words without carries, which vectors can add.

use super::F127;
use crate::backend::dispatched;

mod portable;

pub(super) use portable::{add_slices, axpy, dot, mul_slices, scale_slice, sub_slices};

dispatched! {
    fn sum_slice(x: &[F127]) -> F127;
    fn sum_encoded(x: &[[u8; 16]]) -> Option<F127>;
    fn accumulate_rows(acc: &mut [F127], rows: &[&[F127]]);
    fn accumulate_encoded(acc: &mut [F127], rows: &[&[[u8; 16]]]) -> bool;
    fn weighted_sum(acc: &mut [F127], weights: &[F127], rows: &[&[F127]]);
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use super::F127;

    crate::backend::recompiled! { "avx2,bmi2":
        fn sum_slice(x: &[F127]) -> F127;
    fn sum_encoded(x: &[[u8; 16]]) -> Option<F127>;
    fn accumulate_rows(acc: &mut [F127], rows: &[&[F127]]);
    fn accumulate_encoded(acc: &mut [F127], rows: &[&[[u8; 16]]]) -> bool;
        fn weighted_sum(acc: &mut [F127], weights: &[F127], rows: &[&[F127]]);
    }
}

/// Nothing that the AVX2 backend has not.
#[cfg(target_arch = "x86_64")]
use avx2 as avx512;
