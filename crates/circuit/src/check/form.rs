//! Forms: every aggregate number as one fraction of polynomials in secret aggregates.
//!
//! This is what decides what a run reveals. The numerator and the denominator of the fraction that a `reveal` names, in
//! lowest terms as far as whole numbers and the number of rows go, are all that ever leaves the helpers:
//! `mean(a) - mean(b)` is `(sum(a) - sum(b)) / n` and reveals one number; `sum(a) / sum(b)` reveals two.
//!
//! The same fractions give the interval of every aggregate, and what a helper would have to be able to do for it.

use std::collections::BTreeSet;
use std::sync::Arc;

use quorate_field::Integer;

use super::polynomial::Polynomial;
use super::tree::{RowNumber, RowNumberKind, RowTruth};
use crate::diagnostics::Span;
use crate::interval::Interval;
use crate::program::{Coefficient, Statistic};
use crate::quantity::{Quantity, gcd};
use crate::syntax::{Binary, Comparison};

/// A secret aggregate that is not computed of other ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Atom {
    /// What it is, in the circuit's words; also its identity.
    pub(crate) meaning: String,
    /// All it can be, in units.
    pub(crate) interval: Interval,
    /// Units that make one.
    pub(crate) scale: Integer,
    /// Where the circuit asks for it.
    pub(crate) span: Span,
    /// How helpers get it.
    pub(crate) source: Source,
}

/// How helpers get an atom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// As a sum over the rows where every condition holds.
    Rows { summand: Summand, conditions: Vec<Condition> },
    /// As the bit that says how a difference of aggregates compares with zero.
    Decision { comparison: Comparison, difference: Fraction },
}

/// A condition on rows, and its words: equal words mean equal values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Condition {
    pub(crate) words: Arc<str>,
    pub(crate) truth: Arc<RowTruth>,
}

/// What is added up over rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Summand {
    /// 1: the rows are counted.
    One,
    /// A number.
    Number(Box<RowNumber>),
    /// The square of a number.
    Square(Box<RowNumber>),
}

impl Atom {
    /// Whether it is the sum of a column over all rows.
    pub(crate) fn is_plain(&self) -> bool {
        self.products().is_none()
    }

    /// What helpers need products of shared values for, if they do.
    pub(crate) fn products(&self) -> Option<&'static str> {
        let Source::Rows { summand, conditions } = &self.source else {
            return Some("comparing needs products of shared bits");
        };
        match summand {
            Summand::One => Some("counting the rows where a condition holds needs products of shared bits"),
            _ if !conditions.is_empty() => {
                Some("computing on the rows where a condition holds needs products of shared values")
            }
            Summand::Square(_) => Some("squares are products of shared values"),
            Summand::Number(number) => match number.kind {
                RowNumberKind::Column(_) => None,
                RowNumberKind::If(..) => Some("choosing between shared values needs products"),
                _ => Some("this is a product of shared values"),
            },
        }
    }

    /// The conditions of the rows that it is a sum over, if it is one.
    fn conditions(&self) -> Option<BTreeSet<&str>> {
        match &self.source {
            Source::Rows { conditions, .. } => Some(conditions.iter().map(|c| &*c.words).collect()),
            Source::Decision { .. } => None,
        }
    }

    fn is_count(&self) -> bool {
        matches!(self.source, Source::Rows { summand: Summand::One, .. })
    }

    /// Whether it is 0 or 1, so that its square is itself.
    pub(crate) fn is_bit(&self) -> bool {
        matches!(self.source, Source::Decision { .. })
    }
}

/// `top / bottom`, an aggregate number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fraction {
    pub(crate) top: Polynomial,
    pub(crate) bottom: Polynomial,
    /// What it was divided by that depends on the number of rows alone: where one is zero, it is undefined, whether or not
    /// that was cancelled.
    pub(crate) divisors: Vec<Coefficient>,
    /// The operator that made a product of secrets of it.
    pub(crate) multiplied_at: Option<Span>,
}

/// An aggregate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Fraction(Fraction),
    /// The square root of it, taken by the analyst.
    Root(Fraction),
    /// What an operator makes of two numbers of which one is a square root, at the analyst: both are revealed.
    Combined(Binary, Box<(Form, Form)>),
    /// A statistic, fitted by the analyst of numbers that are revealed.
    Fit(Box<FitForm>),
}

/// What a statistic is fitted of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FitForm {
    pub(crate) statistic: Statistic,
    /// The numbers that it takes, in its order.
    pub(crate) numbers: Vec<Fraction>,
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
        Fraction { top, bottom, divisors: vec![], multiplied_at: None }
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
        let top = self.top.checked_neg()?;
        Some(Fraction { top, ..self.clone() })
    }

    pub(crate) fn checked_sub(&self, other: &Self) -> Option<Self> {
        self.checked_add(&other.checked_neg()?)
    }

    pub(crate) fn checked_mul(&self, other: &Self) -> Option<Self> {
        let (top, bottom) = (self.top.checked_mul(&other.top)?, self.bottom.checked_mul(&other.bottom)?);
        Fraction::of(top, bottom).inheriting(self, other).reduced()
    }

    /// The quotient. Where `other` is zero or undefined for whatever values, so is the new bottom zero.
    pub(crate) fn checked_div(&self, other: &Self, atoms: &[Atom]) -> Option<Self> {
        let (mut top, mut bottom) =
            (self.top.checked_mul(&other.bottom)?, self.bottom.checked_mul(&other.top)?);
        if other.bottom.degree() > 0 && !other.vanishes(atoms) {
            top = top.checked_mul(&other.bottom)?;
            bottom = bottom.checked_mul(&other.bottom)?;
        }
        let quotient = Fraction::of(top, bottom).inheriting(self, other);
        let divisor = (other.top.degree() == 0).then(|| other.top.constant());
        quotient.dividing(divisor.as_slice())
    }

    /// Whether it is zero, whatever the values.
    pub(crate) fn is_zero(&self) -> bool {
        self.top.is_zero()
    }

    /// Whether the top is certainly zero where the bottom is: the bottom is a product of counts, and every product in the
    /// top has a sum over the rows of each of them in it.
    pub(crate) fn vanishes(&self, atoms: &[Atom]) -> bool {
        let mut terms = self.bottom.terms();
        let (Some((counts, coefficient)), None) = (terms.next(), terms.next()) else { return false };
        // A power of the number of rows is zero only where every count is.
        let is_power = coefficient.order().is_some_and(|order| order + 1 == coefficient.0.len());
        let is_over = |atom: &Atom, rows: &BTreeSet<&str>| {
            atom.conditions().is_some_and(|conditions| conditions.is_superset(rows))
        };
        let vanishes_with = |count: &usize| {
            let Some(rows) = atoms[*count].conditions() else { return false };
            let mut products = self.top.terms();
            products.all(|(product, _)| product.iter().any(|atom| is_over(&atoms[*atom], &rows)))
        };
        is_power && counts.iter().all(|count| atoms[*count].is_count() && vanishes_with(count))
    }

    /// Whether helpers get it without products of secrets of its own.
    pub(crate) fn is_linear(&self) -> bool {
        self.top.degree() <= 1 && self.bottom.degree() <= 1
    }

    /// The atoms in it.
    pub(crate) fn atoms(&self) -> BTreeSet<usize> {
        self.top.terms().chain(self.bottom.terms()).flat_map(|(atoms, _)| atoms).copied().collect()
    }

    /// The same, undefined where a divisor is zero.
    pub(crate) fn dividing(mut self, divisors: &[Coefficient]) -> Option<Self> {
        self.divisors.extend(divisors.iter().map(Coefficient::primitive));
        self.divisors.retain(|divisor| divisor.0.len() > 1);
        self.divisors.sort();
        self.divisors.dedup();
        self.reduced()
    }

    /// In the circuit's words. Equal words mean equal values.
    pub(crate) fn words(&self, atoms: &[Atom]) -> String {
        let (top, bottom) = (self.top.words(atoms), self.bottom.words(atoms));
        if bottom == "1" { top } else { format!("({top}) / ({bottom})") }
    }

    /// The same in fewer terms, given which atoms are 0 or 1.
    pub(crate) fn with_bits(mut self, is_bit: &dyn Fn(usize) -> bool) -> Option<Self> {
        self.top = self.top.with_bits(is_bit)?;
        self.bottom = self.bottom.with_bits(is_bit)?;
        self.reduced()
    }

    /// The divisors that the bottom does not have in it for everybody to see.
    pub(crate) fn hidden_divisors(&self) -> Vec<Coefficient> {
        let has_rows = self.bottom.content().is_some_and(|(_, power)| power > 0);
        let public = (self.bottom.degree() == 0).then(|| self.bottom.constant().primitive());
        let is_seen = |divisor: &Coefficient| {
            has_rows && *divisor == Coefficient::rows() || public.as_ref() == Some(divisor)
        };
        self.divisors.iter().filter(|divisor| !is_seen(divisor)).cloned().collect()
    }

    /// Remembers `span` as the place where it stopped being linear.
    pub(crate) fn multiplied(mut self, span: Span) -> Self {
        if !self.is_linear() {
            self.multiplied_at.get_or_insert(span);
        }
        self
    }

    fn inheriting(mut self, left: &Self, right: &Self) -> Self {
        self.divisors = [left.divisors.as_slice(), &right.divisors].concat();
        self.divisors.sort();
        self.divisors.dedup();
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
        self.top = self.top.divided(&divisor, power);
        self.bottom = self.bottom.divided(&divisor, power);
        Some(self)
    }
}
