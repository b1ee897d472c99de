//! The scalars under construction: sums over rows, and what is computed of them.
//!
//! A scalar is in the columns' field, or in F127 where it was lifted or comes of lifted ones.

use std::collections::BTreeSet;

use quorate_field::FieldId;

use super::arena::{Arena, Numbered, narrow, primitive, single};
use crate::check::polynomial::Polynomial;
use crate::interval::Interval;
use crate::program::{Bounded, Coefficient, ScalarInstruction, ScalarTerm};

/// How a scalar comes about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Scalar {
    /// As the sum of a row's number.
    Sum(u32),
    /// Of earlier ones.
    Computed(Box<ScalarInstruction>),
}

pub(super) struct Scalars {
    field: FieldId,
    rows_max: u64,
    values: Numbered<Scalar>,
    /// The field that each is in.
    fields: Vec<FieldId>,
}

impl Arena for Scalars {
    fn value(&mut self, combination: &Polynomial) -> Option<u32> {
        if let Some(value) = single(combination) {
            return Some(value);
        }
        let secret = combination.secret();
        let mut terms = Vec::new();
        for (value, factor) in secret.terms() {
            terms.push(ScalarTerm { scalar: narrow(*value.first()?), factor: factor.clone() });
        }
        let field = terms.first().map_or(self.field, |term| self.field_of(term.scalar));
        let constant = combination.constant();
        let fits = |coefficient: &Coefficient| {
            let interval = coefficient.interval(self.rows_max);
            interval.is_some_and(|interval| interval.bound() <= field.half())
        };
        let is_good = terms.iter().map(|term| &term.factor).chain([&constant]).all(fits);
        is_good.then(|| self.push(ScalarInstruction::Linear { constant, terms }, field))
    }

    fn multiply(&mut self, left: u32, right: u32) -> Option<u32> {
        Some(self.push(ScalarInstruction::Multiply(left, right), self.field_of(left)))
    }
}

impl Scalars {
    pub(super) fn new(field: FieldId, rows_max: u64) -> Self {
        Scalars { field, rows_max, values: Numbered::new(), fields: vec![] }
    }

    pub(super) fn values(&self) -> &[Scalar] {
        self.values.items()
    }

    pub(super) fn field_of(&self, scalar: u32) -> FieldId {
        self.fields[scalar as usize]
    }

    /// The sum over rows of a combination of row values.
    pub(super) fn sum(&mut self, number: &Polynomial) -> Option<Polynomial> {
        let mut total = Polynomial::default();
        for (value, factor) in number.terms() {
            let term = match value {
                [] => Polynomial::public(factor.checked_mul(&Coefficient::rows())?),
                [value, ..] => {
                    let sum = self.note(Scalar::Sum(narrow(*value)), self.field);
                    Polynomial::default().with(vec![sum as usize], factor.clone())
                }
            };
            total = total.checked_add(&term)?;
        }
        Some(total)
    }

    /// A scalar of the columns' field in F127.
    pub(super) fn lift(&mut self, scalar: u32, interval: Interval) -> u32 {
        self.push(ScalarInstruction::Lift { scalar, interval }, FieldId::F127)
    }

    /// A combination of scalars of the columns' field that can be whatever is in `of` in F127.
    pub(super) fn lifted(&mut self, combination: &Polynomial, of: Interval) -> Option<Polynomial> {
        let mut lifted = Polynomial::public(combination.constant());
        for (scalars, factor) in combination.secret().terms() {
            let scalar = self.lift(narrow(*scalars.first()?), of);
            lifted = lifted.with(vec![scalar as usize], factor.clone());
        }
        Some(lifted)
    }

    /// What helpers drew for an entry of noise, in its field.
    pub(super) fn noise(&mut self, entry: u32, field: FieldId) -> u32 {
        self.push(ScalarInstruction::Noise(entry), field)
    }

    /// 1 if a scalar is below a bound, else 0.
    pub(super) fn below(&mut self, bounded: Bounded) -> u32 {
        self.push(ScalarInstruction::Below(bounded), self.field)
    }

    /// 1 if a scalar is a number, else 0.
    pub(super) fn equal(&mut self, bounded: Bounded) -> u32 {
        self.push(ScalarInstruction::Equal(bounded), self.field)
    }

    /// The value of a polynomial whose atoms are the combinations that `leaf` gives, all in one field, by Horner's rule:
    /// what most products have in common is multiplied once.
    pub(super) fn horner(
        &mut self,
        polynomial: &Polynomial,
        leaf: &mut dyn FnMut(&mut Self, usize) -> Option<Polynomial>,
    ) -> Option<Polynomial> {
        let mut total = Polynomial::default();
        let mut products = Polynomial::default();
        for (atoms, coefficient) in polynomial.terms() {
            match atoms {
                [] => total = total.checked_add(&Polynomial::public(coefficient.clone()))?,
                [atom] => {
                    let multiple =
                        leaf(self, *atom)?.checked_mul(&Polynomial::public(coefficient.clone()))?;
                    total = total.checked_add(&multiple)?;
                }
                _ => products = products.with(atoms.to_vec(), coefficient.clone()),
            }
        }
        while let Some(common) = most_common(&products) {
            let (mut quotient, mut rest) = (Polynomial::default(), Polynomial::default());
            for (atoms, coefficient) in products.terms() {
                let mut atoms = atoms.to_vec();
                match atoms.iter().position(|atom| *atom == common) {
                    Some(place) => {
                        atoms.remove(place);
                        quotient = quotient.with(atoms, coefficient.clone());
                    }
                    None => rest = rest.with(atoms, coefficient.clone()),
                }
            }
            products = rest;
            let (quotient, factor) = primitive(&quotient)?;
            let (left, right) = (leaf(self, common)?, self.horner(&quotient, leaf)?);
            let product = self.product(&left, &right)?.checked_mul(&Polynomial::public(factor))?;
            total = total.checked_add(&product)?;
        }
        Some(total)
    }

    fn push(&mut self, instruction: ScalarInstruction, field: FieldId) -> u32 {
        self.note(Scalar::Computed(Box::new(instruction)), field)
    }

    fn note(&mut self, scalar: Scalar, field: FieldId) -> u32 {
        let value = self.values.push(scalar);
        if self.fields.len() < self.values.items().len() {
            self.fields.push(field);
        }
        value
    }
}

/// The atom that is in most terms.
fn most_common(polynomial: &Polynomial) -> Option<usize> {
    let mut best: Option<(usize, usize)> = None;
    let all: BTreeSet<usize> = polynomial.terms().flat_map(|(atoms, _)| atoms).copied().collect();
    for atom in all {
        let count = polynomial.terms().filter(|(atoms, _)| atoms.contains(&atom)).count();
        if best.is_none_or(|(most, _)| count > most) {
            best = Some((count, atom));
        }
    }
    best.map(|(_, atom)| atom)
}
