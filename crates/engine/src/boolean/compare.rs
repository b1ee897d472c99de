//! Comparisons and membership, on bits.
//!
//! `x < y` is the borrow of `x - y`: per bit, "less" (`not x and y`) and "equal"; two runs of bits join as
//! `(l, e) o (l', e') = (l + e l', e e')` with the high run first (`docs/protocols.md`, section 6), as a tree or
//! one bit after the other. Against a public constant the leaves are linear. Numbers are non-negative integers;
//! columns with different minima differ by a public offset ([`add_constant`]).

use super::draft::{Bit, Draft};
use super::sum::{Number, Shape};

/// Whether `x < c`. Fewer than 2k ANDs as a tree, k - 1 serially.
pub fn less_than_constant(draft: &mut Draft, x: &Number, c: u64, shape: Shape) -> Bit {
    if x.len() < 64 && c >> x.len() != 0 {
        return Draft::ONE;
    }
    let c: Number = (0..x.len()).map(|i| Draft::constant(i < 64 && c >> i & 1 == 1)).collect();
    less_than(draft, x, &c, shape)
}

/// Whether `x < y`; equal widths. Fewer than 3k ANDs as a tree, k serially.
pub fn less_than(draft: &mut Draft, x: &Number, y: &Number, shape: Shape) -> Bit {
    match shape {
        Shape::Serial => x.iter().zip(y).fold(Draft::ZERO, |borrow, (&x, &y)| {
            let not_x = draft.not(x);
            // A public bit of y comes last: then the AND is of the two secret ones.
            draft.majority(not_x, borrow, y)
        }),
        Shape::Prefix => {
            let leaf = |(&x, &y): (&Bit, &Bit)| {
                let (not_x, differ) = (draft.not(x), draft.xor(x, y));
                Run { less: draft.and(not_x, y), equal: draft.not(differ) }
            };
            let leaves: Vec<Run> = x.iter().zip(y).map(leaf).collect();
            join_all(draft, &leaves).less
        }
    }
}

/// The outcome of comparing a run of bits.
#[derive(Clone, Copy)]
struct Run {
    less: Bit,
    equal: Bit,
}

/// The runs of all bits as one, lowest first, in a balanced tree; nothing is less where there are no bits.
fn join_all(draft: &mut Draft, runs: &[Run]) -> Run {
    match runs {
        [] => Run { less: Draft::ZERO, equal: Draft::ONE },
        [run] => *run,
        _ => {
            let (low, high) = runs.split_at(runs.len().next_power_of_two() / 2);
            let (low, high) = (join_all(draft, low), join_all(draft, high));
            let below = draft.and(high.equal, low.less);
            Run { less: draft.xor(high.less, below), equal: draft.and(high.equal, low.equal) }
        }
    }
}

/// Whether `x = y`; equal widths. k - 1 ANDs if `y` is public, k - 1 too if not.
pub fn equal(draft: &mut Draft, x: &Number, y: &Number) -> Bit {
    let same = |(&x, &y): (&Bit, &Bit)| {
        let differ = draft.xor(x, y);
        draft.not(differ)
    };
    let same: Vec<Bit> = x.iter().zip(y).map(same).collect();
    all(draft, &same)
}

/// Whether `x = c`: k - 1 ANDs.
pub fn equal_constant(draft: &mut Draft, x: &Number, c: u64) -> Bit {
    if x.len() < 64 && c >> x.len() != 0 {
        return Draft::ZERO;
    }
    let c: Number = (0..x.len()).map(|i| Draft::constant(i < 64 && c >> i & 1 == 1)).collect();
    equal(draft, x, &c)
}

/// Whether `x` is one of `members`. No two equalities hold at once, so their `or` is linear.
pub fn member(draft: &mut Draft, x: &Number, members: &std::collections::BTreeSet<u64>) -> Bit {
    members.iter().fold(Draft::ZERO, |any, &c| {
        let is_c = equal_constant(draft, x, c);
        draft.xor(any, is_c)
    })
}

/// Whether all bits are 1: one AND fewer than bits, in a tree.
pub fn all(draft: &mut Draft, bits: &[Bit]) -> Bit {
    match bits {
        [] => Draft::ONE,
        [bit] => *bit,
        _ => {
            let (left, right) = bits.split_at(bits.len().next_power_of_two() / 2);
            let (left, right) = (all(draft, left), all(draft, right));
            draft.and(left, right)
        }
    }
}

/// Whether any bit is 1.
pub fn any(draft: &mut Draft, bits: &[Bit]) -> Bit {
    let zeros: Vec<Bit> = bits.iter().map(|&bit| draft.not(bit)).collect();
    let none = all(draft, &zeros);
    draft.not(none)
}

/// Whether `x > max`, where the bits of `x` above the width of `max` are counted in: the range check of a column.
pub fn above(draft: &mut Draft, x: &Number, max: u64, shape: Shape) -> Bit {
    let width = (u64::BITS - max.leading_zeros()) as usize;
    let (declared, beyond) = x.split_at(width.min(x.len()));
    let too_wide = any(draft, beyond);
    let is_within = match max.checked_add(1) {
        Some(limit) => less_than_constant(draft, &declared.to_vec(), limit, shape),
        None => Draft::ONE,
    };
    let is_above = draft.not(is_within);
    draft.or(too_wide, is_above)
}

/// `x + c` as an integer of `width` bits, carries above dropped: at most one AND for each bit above the lowest one
/// of `c`, serially.
pub fn add_constant(draft: &mut Draft, x: &Number, c: u64, width: u32) -> Number {
    let mut carry = Draft::ZERO;
    let add = |i: usize| {
        let a = x.get(i).copied().unwrap_or(Draft::ZERO);
        let c = Draft::constant(i < 64 && c >> i & 1 == 1);
        let bit = draft.xor(a, c);
        let bit = draft.xor(bit, carry);
        carry = draft.majority(a, carry, c);
        bit
    };
    (0..width as usize).map(add).collect()
}
