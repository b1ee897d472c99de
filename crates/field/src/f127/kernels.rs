//! Slice kernels of F127.
//!
//! Their cost is 64-bit products and chains of carries, for which vector units have no instructions, so one
//! source serves all. The kernels of many rows gain a little (a quarter, a twentieth) from being compiled for
//! AVX2 and BMI2; the others lose a tenth, and are not dispatched.

use super::F127;
use crate::backend::dispatched;

mod portable;

pub(super) use portable::{add_slices, axpy, dot, mul_slices, scale_slice, sub_slices, sum_slice};

dispatched! {
    fn accumulate_rows(acc: &mut [F127], rows: &[&[F127]]);
    fn weighted_sum(acc: &mut [F127], weights: &[F127], rows: &[&[F127]]);
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use super::F127;

    crate::backend::recompiled! { "avx2,bmi2":
        fn accumulate_rows(acc: &mut [F127], rows: &[&[F127]]);
        fn weighted_sum(acc: &mut [F127], weights: &[F127], rows: &[&[F127]]);
    }
}

/// Nothing that the AVX2 backend has not.
#[cfg(target_arch = "x86_64")]
use avx2 as avx512;
