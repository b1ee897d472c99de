//! The measure of the slice kernels: plain words, read and added without a field.
//!
//! No kernel that reads its operands from memory can be faster than this by much, whatever it computes of them. Benches
//! put it beside the kernels, in the same run, on the same bytes and backend.

/// The sum of words, modulo 2^64.
#[must_use]
pub fn wrapping_sum(words: &[u64]) -> u64 {
    kernels::wrapping_sum(words)
}

mod kernels {
    crate::backend::dispatched! {
        fn wrapping_sum(words: &[u64]) -> u64;
    }

    mod portable {
        /// Words added side by side: enough that no addition waits for the one before.
        const LANES: usize = 32;

        #[inline(always)]
        pub(super) fn wrapping_sum(words: &[u64]) -> u64 {
            let (lines, rest) = words.as_chunks::<LANES>();
            let mut sums = [0_u64; LANES];
            for line in lines {
                sums.iter_mut().zip(line).for_each(|(sum, word)| *sum = sum.wrapping_add(*word));
            }
            sums.iter().chain(rest).fold(0, |sum, word| sum.wrapping_add(*word))
        }
    }

    #[cfg(target_arch = "x86_64")]
    mod avx2 {
        crate::backend::recompiled! { "avx2,bmi2":
            fn wrapping_sum(words: &[u64]) -> u64;
        }
    }

    #[cfg(target_arch = "x86_64")]
    mod avx512 {
        crate::backend::recompiled! { "avx512f,avx512dq,avx512vl,avx512ifma,bmi2":
            fn wrapping_sum(words: &[u64]) -> u64;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Backend, laws};

    #[test]
    fn all_backends_add_all_words() {
        let words: Vec<u64> = (0..1000_u64).map(|i| i.wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect();
        for backend in Backend::supported() {
            for length in [0, 1, 31, 32, 33, 64, 999] {
                let expected = words[..length].iter().fold(0_u64, |sum, word| sum.wrapping_add(*word));
                let sum = laws::with_backend(backend, || wrapping_sum(&words[..length]));
                assert_eq!(sum, Some(expected), "{backend}, {length} words");
            }
        }
    }
}
