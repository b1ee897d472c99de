//! Sums of numbers modulo a Mersenne prime p = 2^k - 1, on bits.
//!
//! After Damgård, Fitzi, Kiltz, Nielsen, Toft, "Unconditionally secure constant-rounds multi-party computation for
//! equality, comparison, bits and exponentiation", TCC 2006, with carry-save steps and, since 2^k = 1 mod p, a carry
//! that comes in again at the other end instead of a subtraction of p.
//!
//! **Zero.** As bits, p and 0 are the same number mod p, and every result here must be 0. The last adder gives p
//! only if *both* its operands are p (a sum of exactly p carries around and becomes 0). Its operands are the sum
//! and carry word of a carry-save step, and both have only ones if and only if all three numbers of that step are
//! p: so it is enough that the number that enters last is canonical, less than p.

use super::draft::{Bit, Draft};

/// How carries travel in an addition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// One bit after the other: fewest ANDs, as many rounds as bits.
    Serial,
    /// A tree: up to three times the ANDs, and twice the logarithm of the width in rounds.
    Prefix,
}

/// A number's bits, the lowest first.
pub type Number = Vec<Bit>;

/// The sum of `numbers` and of `last` mod 2^k - 1, canonical. `numbers` are any `k`-bit words, at least one;
/// `last` must be canonical (less than 2^k - 1).
///
/// With m secret numbers and `last` secret: (m - 1) k ANDs for carry-save steps, then one adder.
///
/// # Panics
/// If there is no number.
pub fn sum_mod(draft: &mut Draft, numbers: &[Number], last: &Number, shape: Shape) -> Number {
    let mut words: std::collections::VecDeque<Number> = numbers.iter().cloned().collect();
    // Three words become two, the oldest first: a tree of logarithmic depth.
    while words.len() > 2 {
        let three: Vec<Number> = words.drain(..3).collect();
        let (sum, carry) = carry_save(draft, &three[0], &three[1], &three[2]);
        words.extend([sum, carry]);
    }
    match (words.pop_front(), words.pop_front()) {
        (Some(a), Some(b)) => {
            let (sum, carry) = carry_save(draft, &a, &b, last);
            add_mod(draft, &sum, &carry, shape)
        }
        (Some(a), None) => add_mod(draft, &a, last, shape),
        _ => panic!("a sum of no numbers"),
    }
}

/// Three words into a sum word and a carry word of the same total mod 2^k - 1: k ANDs, one round.
///
/// The carry of the top bit counts 2^k = 1 and becomes the lowest bit.
pub fn carry_save(draft: &mut Draft, a: &Number, b: &Number, c: &Number) -> (Number, Number) {
    let (mut sum, mut carry) = (Vec::with_capacity(a.len()), Vec::with_capacity(a.len()));
    for ((&a, &b), &c) in a.iter().zip(b).zip(c) {
        let a_or_b = draft.xor(a, b);
        sum.push(draft.xor(a_or_b, c));
        carry.push(draft.majority(a, b, c));
    }
    carry.rotate_right(1);
    (sum, carry)
}

/// `a + b` mod 2^k - 1, 0 where that is zero, unless both are 2^k - 1.
pub fn add_mod(draft: &mut Draft, a: &Number, b: &Number, shape: Shape) -> Number {
    match shape {
        Shape::Serial => add_mod_serial(draft, a, b),
        Shape::Prefix => add_mod_prefix(draft, a, b),
    }
}

/// Two passes of a ripple adder, 2k - 1 ANDs and as many rounds.
///
/// The carry that comes around is G or P: there is one anyway (G), or there would be if one came in (P). That is
/// the carry out of a first pass with carry-in 1; the second pass has it as its carry-in.
fn add_mod_serial(draft: &mut Draft, a: &Number, b: &Number) -> Number {
    let mut carry = Draft::ONE;
    for (&a, &b) in a.iter().zip(b) {
        carry = draft.majority(a, b, carry);
    }
    let mut sum = Vec::with_capacity(a.len());
    for (&a, &b) in a.iter().zip(b) {
        let bit = draft.xor(a, b);
        sum.push(draft.xor(bit, carry));
        carry = draft.majority(a, b, carry);
    }
    sum
}

/// Generate and propagate of a run of bits.
#[derive(Clone, Copy)]
struct Carry {
    generate: Bit,
    propagate: Bit,
}

/// Brent, Kung, "A regular layout for parallel adders", IEEE Trans. Computers 1982; then one more layer adds the
/// carry that comes around, G or P. About 5.6 k ANDs, 2 log k + 1 rounds.
fn add_mod_prefix(draft: &mut Draft, a: &Number, b: &Number) -> Number {
    let width = a.len();
    let leaf = |(&a, &b): (&Bit, &Bit)| Carry { generate: draft.and(a, b), propagate: draft.xor(a, b) };
    let leaves: Vec<Carry> = a.iter().zip(b).map(leaf).collect();
    let mut runs = leaves.clone();
    // Up: runs[i] covers the 2, 4, 8, ... bits that end at i.
    let mut span = 1;
    while span < width {
        for i in (2 * span - 1..width).step_by(2 * span) {
            runs[i] = join(draft, runs[i], runs[i - span]);
        }
        span *= 2;
    }
    // Down: the rest, so that runs[i] covers bits 0..=i.
    while span > 1 {
        span /= 2;
        for i in (3 * span - 1..width).step_by(2 * span) {
            runs[i] = join(draft, runs[i], runs[i - span]);
        }
    }
    // G and P exclude each other, so `or` is `xor`.
    let whole = runs[width - 1];
    let around = draft.xor(whole.generate, whole.propagate);
    let mut sum = vec![draft.xor(leaves[0].propagate, around)];
    for i in 1..width {
        let below = runs[i - 1];
        let through = draft.and(below.propagate, around);
        let carry = draft.xor(below.generate, through);
        sum.push(draft.xor(leaves[i].propagate, carry));
    }
    sum
}

/// `(g, p) o (g', p') = (g + p g', p p')`; g and p exclude each other, so `+` is `xor`.
fn join(draft: &mut Draft, high: Carry, low: Carry) -> Carry {
    let carried = draft.and(high.propagate, low.generate);
    Carry { generate: draft.xor(high.generate, carried), propagate: draft.and(high.propagate, low.propagate) }
}

/// The sum of numbers as an integer, with all its bits. About one AND for each bit of each number.
///
/// Full adders in the manner of Wallace, "A suggestion for a fast multiplier", IEEE Trans. Computers 1964: three
/// bits of one weight become one of it and one of the next, the oldest first.
pub fn sum(draft: &mut Draft, numbers: &[Number]) -> Number {
    let largest = numbers.iter().map(|number| (1_u128 << number.len()) - 1).sum::<u128>();
    let width = (u128::BITS - largest.leading_zeros()) as usize;
    let mut columns: Vec<std::collections::VecDeque<Bit>> = vec![Default::default(); width + 1];
    for number in numbers {
        number.iter().enumerate().for_each(|(weight, &bit)| columns[weight].push_back(bit));
    }
    let mut total = Vec::with_capacity(width);
    for weight in 0..width {
        while columns[weight].len() > 1 {
            let take = columns[weight].len().min(3);
            let bits: Vec<Bit> = columns[weight].drain(..take).collect();
            let c = bits.get(2).copied().unwrap_or(Draft::ZERO);
            let either = draft.xor(bits[0], bits[1]);
            let bit = draft.xor(either, c);
            let carry = draft.majority(bits[0], bits[1], c);
            columns[weight].push_back(bit);
            columns[weight + 1].push_back(carry);
        }
        total.push(columns[weight].pop_front().unwrap_or(Draft::ZERO));
    }
    total
}
