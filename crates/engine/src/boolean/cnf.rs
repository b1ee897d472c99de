//! Local work on replicated sharings, word by word.

use super::domain::{Registers, xor_words};
use super::layout::Layout;
use super::program::AndGate;

/// `<x> <- <x> xor c`: the sub-share of the first set changes, at all its holders.
pub(super) fn xor_public(layout: &Layout, share: &mut [u64], public: &[u64]) {
    if let Some(sub) = layout.public_sub_share() {
        xor_words(&mut share[sub * public.len()..][..public.len()], public);
    }
}

/// `<x> <- not <x>`.
pub(super) fn not(layout: &Layout, share: &mut [u64], words: usize) {
    if let Some(sub) = layout.public_sub_share() {
        share[sub * words..][..words].iter_mut().for_each(|word| *word = !*word);
    }
}

/// This worker's cross terms of `x y`, XORed into `z`.
pub(super) fn cross_terms(layout: &Layout, x: &[u64], y: &[u64], z: &mut [u64]) {
    let words = z.len();
    let part = |sub: usize| sub * words..(sub + 1) * words;
    for (a, factors) in layout.terms() {
        let x = &x[part(*a)];
        match factors.as_slice() {
            [b] => {
                let y = &y[part(*b)];
                z.iter_mut().zip(x).zip(y).for_each(|((z, x), y)| *z ^= x & y);
            }
            [b, c] => {
                let (b, c) = (&y[part(*b)], &y[part(*c)]);
                z.iter_mut().zip(x).zip(b.iter().zip(c)).for_each(|((z, x), (b, c))| *z ^= x & (b ^ c));
            }
            _ => {
                for b in factors {
                    let y = &y[part(*b)];
                    z.iter_mut().zip(x).zip(y).for_each(|((z, x), y)| *z ^= x & y);
                }
            }
        }
    }
}

/// Moves the results, one sub-share of all gates after the other, to the gates' registers.
pub(super) fn write_results(gates: &[AndGate], registers: &mut Registers, results: &[u64]) {
    let words = registers.words();
    for (index, gate) in gates.iter().enumerate() {
        let out = registers.get_mut(gate.out);
        for (sub, out) in out.chunks_exact_mut(words.max(1)).enumerate() {
            out.copy_from_slice(&results[(sub * gates.len() + index) * words..][..words]);
        }
    }
}
