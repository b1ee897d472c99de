//! Values under construction: each distinct instruction once, and combinations of them that need none yet.
//!
//! A combination is a [`Polynomial`] of degree 1 whose atoms are values. It becomes an instruction only where one must
//! read it, so that sums, multiples and constants are merged as far as they go.

use std::collections::HashMap;
use std::hash::Hash;

use quorate_field::Integer;

use crate::check::polynomial::Polynomial;
use crate::program::Coefficient;

/// Distinct items in the order in which they were first wanted.
#[derive(Debug)]
pub(super) struct Numbered<T> {
    items: Vec<T>,
    /// Only ever asked, never iterated over.
    positions: HashMap<T, u32>,
}

impl<T: Clone + Eq + Hash> Numbered<T> {
    pub(super) fn new() -> Self {
        Numbered { items: vec![], positions: HashMap::new() }
    }

    /// The position of `item`, where it is put last if it is not there.
    pub(super) fn push(&mut self, item: T) -> u32 {
        let next = narrow(self.items.len());
        *self.positions.entry(item).or_insert_with_key(|item| {
            self.items.push(item.clone());
            next
        })
    }

    pub(super) fn items(&self) -> &[T] {
        &self.items
    }
}

/// Where values come of others by sums and products.
pub(super) trait Arena {
    /// The value that is a combination; `None` where a coefficient leaves the field.
    fn value(&mut self, combination: &Polynomial) -> Option<u32>;

    /// The product of two values; `None` where nothing holds it.
    fn multiply(&mut self, left: u32, right: u32) -> Option<u32>;

    /// The product of two combinations: no instruction where one is public, else one for all multiples of both.
    fn product(&mut self, left: &Polynomial, right: &Polynomial) -> Option<Polynomial> {
        if left.degree() == 0 || right.degree() == 0 {
            return left.checked_mul(right);
        }
        let ((left, by), (right, also_by)) = (primitive(left)?, primitive(right)?);
        let (left, right) = (self.value(&left)?, self.value(&right)?);
        let product = self.multiply(left.min(right), left.max(right))?;
        Some(Polynomial::default().with(vec![product as usize], by.checked_mul(&also_by)?))
    }
}

/// A polynomial without what divides it, and that: `p = primitive * factor`.
pub(super) fn primitive(polynomial: &Polynomial) -> Option<(Polynomial, Coefficient)> {
    let (integer, power) = polynomial.content()?;
    let integer = if polynomial.is_negative() { integer.checked_neg()? } else { integer };
    Some((polynomial.divided(&integer, power), Coefficient::power(power).checked_scale(&integer)?))
}

/// A combination that is one integer.
pub(super) fn constant(integer: impl Into<Integer>) -> Polynomial {
    Polynomial::public(Coefficient::constant(integer))
}

/// 1 less a combination: the opposite of a bit.
pub(super) fn opposite(bit: &Polynomial) -> Option<Polynomial> {
    constant(1_u64).checked_add(&bit.checked_neg()?)
}

/// The value itself, if a combination is just that.
pub(super) fn single(combination: &Polynomial) -> Option<u32> {
    let mut terms = combination.terms();
    match (terms.next()?, terms.next()) {
        (([value], factor), None) if factor.is_one() => Some(narrow(*value)),
        _ => None,
    }
}

/// Sizes are bounded by the limits on a circuit's text, its atoms and a study's columns, far below 2^32.
pub(super) fn narrow(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}
