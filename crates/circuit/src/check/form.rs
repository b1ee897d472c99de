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
use super::stored::Stored;
use super::tree::{RowNumber, RowNumberKind, RowTruth, Total};
use super::{blank, words};
use crate::column::Column;
use crate::diagnostics::Span;
use crate::interval::Interval;
use crate::program::{Coefficient, Statistic};
use crate::syntax::{Binary, Comparison};
use quorate_field::quantity::{Quantity, gcd};

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
    /// As a sum over the rows where every condition holds. Where one of those in `implied` does not, the summand is 0:
    /// it is over the rows where these hold too, and nothing need be done for it.
    Rows { summand: Summand, conditions: Vec<Condition>, implied: Vec<Condition> },
    /// As the least number that at least a share of those do not exceed that rows have where every condition holds. Of no
    /// rows it is zero, if `exists` is there: the atom that is 1 if there are any, else 0.
    Quantile { number: Box<RowNumber>, share: Quantity, conditions: Vec<Condition>, exists: Option<usize> },
    /// As the bit that says how a difference of aggregates compares with zero.
    Decision { comparison: Comparison, difference: Fraction },
}

/// A condition on rows, and its words: equal words mean equal values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Condition {
    pub(crate) words: Arc<str>,
    pub(crate) truth: Arc<RowTruth>,
    /// Whether it is a column, as a number.
    pub(crate) is_stored: bool,
    /// The words of what is known where it holds.
    pub(crate) implies: Vec<String>,
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

impl Condition {
    /// The condition that a truth is known to hold.
    pub(crate) fn of(truth: Arc<RowTruth>, columns: &[Column]) -> Self {
        let implies = blank::implied(&truth, columns).into_keys().collect();
        let is_stored = Stored::of(&truth, columns).is_some();
        Condition { words: words::truth(&truth, columns).into(), truth, is_stored, implies }
    }
}

impl Atom {
    /// Whether it is the sum of a column over all rows, or where that has a value, or the number of the rows that have.
    pub(crate) fn is_plain(&self) -> bool {
        self.products().is_none()
    }

    /// What helpers need products of shared values for, if they do.
    pub(crate) fn products(&self) -> Option<&'static str> {
        let (summand, conditions) = match &self.source {
            Source::Rows { summand, conditions, .. } => (summand, conditions),
            Source::Quantile { .. } => return Some("putting rows in order needs products of shared bits"),
            Source::Decision { .. } => return Some("comparing needs products of shared bits"),
        };
        match summand {
            Summand::One if matches!(conditions.as_slice(), [only] if only.is_stored) => None,
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

    /// The conditions of the rows without which it is zero, if it is of rows.
    fn conditions<'a>(&'a self, atoms: &'a [Atom]) -> Option<BTreeSet<&'a str>> {
        match &self.source {
            Source::Rows { conditions, implied, .. } => {
                Some(conditions.iter().chain(implied).map(|c| &*c.words).collect())
            }
            Source::Quantile { conditions, .. } => Some(conditions.iter().map(|c| &*c.words).collect()),
            Source::Decision { .. } => self.exists().and_then(|count| atoms[count].counted()),
        }
    }

    /// The conditions of the rows that it counts, if it is a count.
    fn counted(&self) -> Option<BTreeSet<&str>> {
        match &self.source {
            Source::Rows { summand: Summand::One, conditions, .. } => {
                Some(conditions.iter().map(|c| &*c.words).collect())
            }
            _ => None,
        }
    }

    /// The atom of which it says whether it is above zero, if that is what it says.
    fn exists(&self) -> Option<usize> {
        let Source::Decision { comparison: Comparison::Greater, difference } = &self.source else {
            return None;
        };
        let mut terms = difference.top.terms();
        match (terms.next()?, terms.next(), difference.bottom.degree()) {
            (([atom], factor), None, 0) if factor.is_one() => Some(*atom),
            _ => None,
        }
    }

    /// Whether it is zero only where there are no rows: a count, or whether there is anything to count.
    fn tells_rows(&self, atoms: &[Atom]) -> bool {
        self.counted().is_some() || self.exists().is_some_and(|atom| atoms[atom].counted().is_some())
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
    /// The sum or mean of vectors, by their column's position.
    Vector(usize, Total),
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

    /// Whether the top is certainly zero where the bottom is: the bottom is a product of counts, or of whether there is
    /// anything to count, and every product in the top is zero without the rows of each of them.
    pub(crate) fn vanishes(&self, atoms: &[Atom]) -> bool {
        let mut terms = self.bottom.terms();
        let (Some((counts, coefficient)), None) = (terms.next(), terms.next()) else { return false };
        // A power of the number of rows is zero only where every count is.
        let is_power = coefficient.order().is_some_and(|order| order + 1 == coefficient.0.len());
        let is_over = |atom: &Atom, rows: &BTreeSet<&str>| {
            atom.conditions(atoms).is_some_and(|conditions| conditions.is_superset(rows))
        };
        let vanishes_with = |count: &usize| {
            let Some(rows) = atoms[*count].conditions(atoms) else { return false };
            let mut products = self.top.terms();
            products.all(|(product, _)| product.iter().any(|atom| is_over(&atoms[*atom], &rows)))
        };
        is_power && counts.iter().all(|count| atoms[*count].tells_rows(atoms) && vanishes_with(count))
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
