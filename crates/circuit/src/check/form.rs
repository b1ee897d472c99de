//! Forms: every aggregate number as one fraction of polynomials in secret aggregates.
//!
//! This is what decides what a run reveals. The numerator and the denominator of the fraction that a `reveal` names, in
//! lowest terms as far as whole numbers and the number of rows go, are all that ever leaves the helpers:
//! `mean(a) - mean(b)` is `(sum(a) - sum(b)) / n` and reveals one number; `sum(a) / sum(b)` reveals two.
//!
//! The same fractions give the interval of every aggregate, and what a helper would have to be able to do for it.

use std::collections::BTreeSet;

use quorate_field::Integer;

use super::polynomial::Polynomial;
use crate::diagnostics::Span;
use crate::interval::Interval;
use crate::program::Coefficient;
use crate::quantity::{Quantity, gcd};

/// A secret aggregate that is not computed of other ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Atom {
    /// What it is, in the circuit's words; also its identity.
    pub(crate) meaning: String,
    /// All it can be, in units.
    pub(crate) interval: Interval,
    /// Units that make one.
    pub(crate) scale: Integer,
    /// How helpers get it.
    pub(crate) source: Source,
}

/// How helpers get an atom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// As the sum of a column.
    Column(usize),
    /// By products of shared values; where the circuit asks for them, and what they are for.
    Products(Span, &'static str),
}

/// `top / bottom`, an aggregate number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fraction {
    pub(crate) top: Polynomial,
    pub(crate) bottom: Polynomial,
    /// Public divisors that were cancelled: where one is zero, the value is undefined all the same.
    pub(crate) cancelled: Vec<Coefficient>,
    /// The operator that made a product of secrets of it.
    pub(crate) multiplied_at: Option<Span>,
}

/// An aggregate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Fraction(Fraction),
    /// The square root of it, taken by the analyst.
    Root(Fraction),
    /// Whatever an operator makes of square roots, at the analyst: all parts are revealed.
    Combined(Vec<Form>),
}

impl Fraction {
    /// A constant.
    pub(crate) fn constant(value: &Quantity) -> Self {
        Fraction::of(
            Polynomial::public(Coefficient::constant(value.numerator())),
            Polynomial::public(Coefficient::constant(value.denominator())),
        )
    }

    /// A public polynomial of the number of rows.
    pub(crate) fn public(coefficient: Coefficient) -> Self {
        Fraction::of(Polynomial::public(coefficient), Polynomial::public(Coefficient::constant(1_u64)))
    }

    /// `atom / scale`.
    pub(crate) fn atom(atom: usize, scale: &Integer) -> Self {
        Fraction::of(Polynomial::atom(atom), Polynomial::public(Coefficient::constant(*scale)))
    }

    fn of(top: Polynomial, bottom: Polynomial) -> Self {
        Fraction { top, bottom, cancelled: vec![], multiplied_at: None }
    }

    pub(crate) fn checked_add(&self, other: &Self) -> Option<Self> {
        let sum = if self.bottom == other.bottom {
            Fraction::of(self.top.checked_add(&other.top)?, self.bottom.clone())
        } else {
            let top =
                self.top.checked_mul(&other.bottom)?.checked_add(&other.top.checked_mul(&self.bottom)?)?;
            Fraction::of(top, self.bottom.checked_mul(&other.bottom)?)
        };
        sum.inheriting(self, other).reduced()
    }

    pub(crate) fn checked_neg(&self) -> Option<Self> {
        let top = self.top.checked_scale(&Integer::ONE.checked_neg()?)?;
        Some(Fraction { top, ..self.clone() })
    }

    pub(crate) fn checked_sub(&self, other: &Self) -> Option<Self> {
        self.checked_add(&other.checked_neg()?)
    }

    pub(crate) fn checked_mul(&self, other: &Self) -> Option<Self> {
        let (top, bottom) = (self.top.checked_mul(&other.top)?, self.bottom.checked_mul(&other.bottom)?);
        Fraction::of(top, bottom).inheriting(self, other).reduced()
    }

    /// The quotient. Where `other` is zero for whatever values, so is the new bottom.
    pub(crate) fn checked_div(&self, other: &Self) -> Option<Self> {
        let (top, bottom) = (self.top.checked_mul(&other.bottom)?, self.bottom.checked_mul(&other.top)?);
        let mut quotient = Fraction::of(top, bottom).inheriting(self, other);
        if other.bottom.degree() == 0 {
            quotient.cancelled.push(other.bottom.constant());
        }
        quotient.reduced()
    }

    /// Whether it is zero, whatever the values.
    pub(crate) fn is_zero(&self) -> bool {
        self.top.is_zero()
    }

    /// Whether helpers get it without products of secrets of its own.
    pub(crate) fn is_linear(&self) -> bool {
        self.top.degree() <= 1 && self.bottom.degree() <= 1
    }

    /// The atoms in it.
    pub(crate) fn atoms(&self) -> BTreeSet<usize> {
        self.top.terms().chain(self.bottom.terms()).flat_map(|(atoms, _)| atoms).copied().collect()
    }

    /// In the circuit's words. Equal words mean equal values.
    pub(crate) fn words(&self, atoms: &[Atom]) -> String {
        let (top, bottom) = (self.top.words(atoms), self.bottom.words(atoms));
        if bottom == "1" { top } else { format!("({top}) / ({bottom})") }
    }

    /// Remembers `span` as the place where it stopped being linear.
    pub(crate) fn multiplied(mut self, span: Span) -> Self {
        if !self.is_linear() {
            self.multiplied_at.get_or_insert(span);
        }
        self
    }

    fn inheriting(mut self, left: &Self, right: &Self) -> Self {
        self.cancelled = [left.cancelled.as_slice(), &right.cancelled].concat();
        self.multiplied_at = left.multiplied_at.or(right.multiplied_at);
        self
    }

    /// In lowest terms as far as whole numbers and powers of the number of rows go, with a positive bottom.
    fn reduced(mut self) -> Option<Self> {
        let Some((bottom, bottom_power)) = self.bottom.content() else {
            return Some(self);
        };
        // A zero over anything is divisible by all of it.
        let (top, top_power) = self.top.content().unwrap_or((bottom, bottom_power));
        let (divisor, power) = (gcd(top, bottom), top_power.min(bottom_power));
        let divisor = if self.bottom.is_negative() { divisor.checked_neg()? } else { divisor };
        if power > 0 {
            self.cancelled.push(Coefficient::rows());
        }
        self.top = self.top.divided(&divisor, power);
        self.bottom = self.bottom.divided(&divisor, power);
        let is_still_below = self.bottom.content().is_some_and(|(_, power)| power > 0);
        let is_needed = |divisor: &Coefficient| {
            divisor.0.len() > 1 && !(is_still_below && *divisor == Coefficient::rows())
        };
        self.cancelled.retain(is_needed);
        self.cancelled.sort();
        self.cancelled.dedup();
        Some(self)
    }
}
