//! Coefficients that may depend on the public number of rows.

use std::fmt;

use quorate_field::Integer;
use serde::{Deserialize, Serialize};

use crate::interval::Interval;
use quorate_field::quantity::gcd;

/// Highest power of the number of rows.
pub(crate) const DEGREE_MAX: usize = 8;

/// A polynomial in the number of rows `n` with integer coefficients, constant term first and no zero last.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Coefficient(pub Vec<Integer>);

impl Coefficient {
    /// A number that does not depend on `n`.
    pub fn constant(value: impl Into<Integer>) -> Self {
        Coefficient(vec![value.into()]).trimmed()
    }

    /// `n` itself.
    pub fn rows() -> Self {
        Coefficient(vec![Integer::ZERO, Integer::ONE])
    }

    /// Whether it is zero for every `n`.
    pub fn is_zero(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it is one for every `n`.
    pub fn is_one(&self) -> bool {
        self.0 == [Integer::ONE]
    }

    /// The value for `rows` rows; `None` beyond 512 bits.
    pub fn at(&self, rows: u64) -> Option<Integer> {
        let rows = Integer::from(rows);
        self.0.iter().rev().try_fold(Integer::ZERO, |sum, c| sum.checked_mul(&rows)?.checked_add(c))
    }

    /// An interval that holds the value for every number of rows up to `rows_max`.
    pub fn interval(&self, rows_max: u64) -> Option<Interval> {
        let rows = Interval::up_to(rows_max);
        let mut sum = Interval::point(Integer::ZERO);
        for (degree, coefficient) in self.0.iter().enumerate() {
            let power = rows.checked_pow(u32::try_from(degree).ok()?)?;
            sum = sum.checked_add(&power.checked_scale(coefficient)?)?;
        }
        Some(sum)
    }

    pub(crate) fn checked_add(&self, other: &Self) -> Option<Self> {
        let at = |c: &Coefficient, i: usize| c.0.get(i).copied().unwrap_or(Integer::ZERO);
        let sums = (0..self.0.len().max(other.0.len())).map(|i| at(self, i).checked_add(&at(other, i)));
        Some(Coefficient(sums.collect::<Option<_>>()?).trimmed())
    }

    pub(crate) fn checked_mul(&self, other: &Self) -> Option<Self> {
        if self.is_zero() || other.is_zero() {
            return Some(Coefficient::default());
        }
        let length = self.0.len() + other.0.len() - 1;
        if length > DEGREE_MAX + 1 {
            return None;
        }
        let mut product = vec![Integer::ZERO; length];
        for (i, left) in self.0.iter().enumerate() {
            for (j, right) in other.0.iter().enumerate() {
                product[i + j] = product[i + j].checked_add(&left.checked_mul(right)?)?;
            }
        }
        Some(Coefficient(product).trimmed())
    }

    pub(crate) fn checked_neg(&self) -> Option<Self> {
        self.checked_scale(&Integer::ONE.checked_neg()?)
    }

    pub(crate) fn checked_scale(&self, factor: &Integer) -> Option<Self> {
        self.checked_mul(&Coefficient::constant(*factor))
    }

    /// The polynomial in `n - 1` that it is (Taylor's shift, by Horner's rule).
    pub(crate) fn shifted(&self) -> Option<Self> {
        let step = Coefficient(vec![Integer::ONE, Integer::ONE]);
        let add = |sum: Self, c: &Integer| sum.checked_mul(&step)?.checked_add(&Coefficient::constant(*c));
        self.0.iter().rev().try_fold(Coefficient::default(), add)
    }

    /// Whether it is certainly not negative for any `n` from 0 on.
    pub(crate) fn is_nonnegative(&self) -> bool {
        let is_at_zero = self.0.first().is_none_or(|c| !c.is_negative());
        is_at_zero && self.shifted().is_some_and(|shifted| shifted.0.iter().all(|c| !c.is_negative()))
    }

    /// Whether its value certainly tells every `n` from 1 on from every other, and 0 from all but 1.
    pub(crate) fn is_telling(&self) -> bool {
        let Some(shifted) = self.shifted() else { return false };
        let at = |c: &Self| c.0.first().copied().unwrap_or(Integer::ZERO);
        at(self) <= at(&shifted) && shifted.0.iter().skip(1).all(|c| !c.is_negative()) && self.0.len() > 1
    }

    /// Divided by an integer that divides every coefficient.
    pub(crate) fn divided(&self, divisor: &Integer) -> Self {
        let divide = |c: &Integer| c.div_rem(divisor).map_or(*c, |(quotient, _)| quotient);
        Coefficient(self.0.iter().map(divide).collect())
    }

    /// The greatest integer that divides every coefficient; `None` for zero.
    pub(crate) fn content(&self) -> Option<Integer> {
        self.0.iter().filter(|c| **c != Integer::ZERO).map(Integer::abs).reduce(gcd)
    }

    /// Divided by the greatest integer that divides every coefficient.
    pub(crate) fn primitive(&self) -> Self {
        self.content().map_or_else(Self::default, |content| self.divided(&content))
    }

    /// How often `n` divides it; `None` for zero.
    pub(crate) fn order(&self) -> Option<usize> {
        self.0.iter().position(|c| *c != Integer::ZERO)
    }

    /// Divided by `n^power`, which divides it.
    pub(crate) fn lowered(&self, power: usize) -> Self {
        Coefficient(self.0.get(power..).unwrap_or_default().to_vec())
    }

    /// `n^power`.
    pub(crate) fn power(power: usize) -> Self {
        let mut coefficients = vec![Integer::ZERO; power];
        coefficients.push(Integer::ONE);
        Coefficient(coefficients)
    }

    fn trimmed(mut self) -> Self {
        while self.0.last() == Some(&Integer::ZERO) {
            self.0.pop();
        }
        self
    }
}

/// Highest power first, as one writes a polynomial: `n^2 - n`.
impl fmt::Display for Coefficient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_zero() {
            return f.write_str("0");
        }
        let terms = self.0.iter().enumerate().rev().filter(|(_, c)| **c != Integer::ZERO);
        for (index, (degree, coefficient)) in terms.enumerate() {
            let sign = match (index, coefficient.is_negative()) {
                (0, true) => "-",
                (0, false) => "",
                (_, true) => " - ",
                (_, false) => " + ",
            };
            let size = coefficient.abs();
            match (degree, size == Integer::ONE) {
                (0, _) => write!(f, "{sign}{size}")?,
                (1, true) => write!(f, "{sign}n")?,
                (1, false) => write!(f, "{sign}{size}*n")?,
                (_, true) => write!(f, "{sign}n^{degree}")?,
                (_, false) => write!(f, "{sign}{size}*n^{degree}")?,
            }
        }
        Ok(())
    }
}
