//! Public numbers in the two domains.

use quorate_field::Integer;

use crate::boolean::sum::{Number, Shape};
use crate::boolean::{Bit, Draft, compare};

/// Whether a number is below a public one: its bits are those of the number less `least`.
pub(super) fn is_below(
    draft: &mut Draft,
    bits: &Number,
    least: &Integer,
    bound: &Integer,
    shape: Shape,
) -> Bit {
    match offset(least, bound) {
        Some(offset) if is_beyond(offset, bits.len()) => Draft::ONE,
        Some(offset) => compare::less_than(draft, bits, &public(offset, bits.len()), shape),
        None => Draft::ZERO,
    }
}

/// Whether a number is a public one.
pub(super) fn is_equal(draft: &mut Draft, bits: &Number, least: &Integer, with: &Integer) -> Bit {
    match offset(least, with) {
        Some(offset) if !is_beyond(offset, bits.len()) => {
            compare::equal(draft, bits, &public(offset, bits.len()))
        }
        _ => Draft::ZERO,
    }
}

/// A public number less `least`; `None` if it is below.
fn offset(least: &Integer, number: &Integer) -> Option<u128> {
    let offset = number.checked_sub(least)?;
    if offset.is_negative() { None } else { Some(offset.to_i128().map_or(u128::MAX, i128::unsigned_abs)) }
}

fn is_beyond(number: u128, width: usize) -> bool {
    (128 - number.leading_zeros()) as usize > width
}

fn public(number: u128, width: usize) -> Number {
    (0..width).map(|bit| Draft::constant(bit < 128 && number >> bit & 1 == 1)).collect()
}
