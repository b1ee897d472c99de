//! Comparisons of aggregates: one bit, and nothing else, leaves the helpers.
//!
//! `top / bottom` compares with zero as `top` does where `bottom` is positive. A public bottom that can have either sign
//! is multiplied by instead. A secret one must be known not to change sign; where it is zero, what is compared is
//! undefined, and the comparison is false: whether it is defined would be a second bit. So the bit is multiplied by
//! another that says whether the bottom is zero, unless it is zero then anyway.

use super::Lowering;
use super::arena::{Arena, constant, opposite};
use super::comparison::{Comparing, Question};
use crate::check::form::Fraction;
use crate::check::polynomial::Polynomial;
use crate::diagnostics::Span;
use crate::program::Bounded;
use crate::syntax::Comparison;

impl Lowering<'_> {
    /// The bit that a comparison of aggregates is. Where a public divisor is zero, it is of no use to anybody.
    pub(super) fn decision(
        &mut self,
        comparison: Comparison,
        difference: &Fraction,
        span: Span,
    ) -> Option<Polynomial> {
        let top = self.oriented(difference, span)?;
        let bit = self.bit(comparison, &top, span)?;
        let is_strict = matches!(comparison, Comparison::Less | Comparison::Greater | Comparison::NotEqual);
        // Whether anything was counted is nothing that noise could tell.
        let is_told = self.private.is_some() || is_strict && difference.vanishes(&self.checked.atoms);
        if difference.bottom.degree() == 0 || is_told {
            return Some(bit);
        }
        let bottom = self.known(&difference.bottom, span)?;
        let is_defined = self.bit(Comparison::NotEqual, &bottom, span)?;
        let product = self.scalars.product(&bit, &is_defined);
        self.within(product, span)
    }

    /// What compares with zero as a fraction does, where that is defined.
    pub(super) fn oriented(&mut self, difference: &Fraction, span: Span) -> Option<Polynomial> {
        let (top, bottom) = (self.known(&difference.top, span)?, self.known(&difference.bottom, span)?);
        if difference.bottom.degree() == 0 {
            let is_positive = bottom.constant().is_nonnegative();
            let turned = if is_positive { Some(top) } else { top.checked_mul(&bottom) };
            return self.within(turned, span);
        }
        let negative = bottom.checked_neg();
        let negative = self.within(negative, span)?;
        let top = if self.is_nonnegative(&bottom) {
            Some(top)
        } else if self.is_nonnegative(&negative) {
            top.checked_neg()
        } else {
            self.refuse_sign(span, &bottom.words(&self.checked.atoms));
            return None;
        };
        self.within(top, span)
    }

    /// What has to be asked of a polynomial in atoms to compare it with zero.
    pub(super) fn comparing(
        &mut self,
        comparison: Comparison,
        difference: &Polynomial,
        span: Span,
    ) -> Option<Comparing> {
        let (atoms, rows_max) = (&self.checked.atoms, self.checked.rows_max);
        let interval = |p: &Polynomial| p.interval(&|atom| atoms[atom].interval, rows_max);
        self.within(Comparing::new(comparison, difference, &interval, None), span)
    }

    /// How a polynomial in atoms compares with zero: a combination of at most one scalar that is 0 or 1.
    fn bit(&mut self, comparison: Comparison, difference: &Polynomial, span: Span) -> Option<Polynomial> {
        let asked = match self.comparing(comparison, difference, span)? {
            Comparing::Known(truth) => return Some(constant(u64::from(truth))),
            Comparing::Asked(asked) => *asked,
        };
        let (value, interval) = match self.private {
            Some(_) => self.noisy_comparison(&asked, span)?,
            None => self.scalar(&asked.value, span)?,
        };
        let bit = match asked.question {
            Question::Below(with) => self.scalars.below(Bounded { value, interval, with }),
            Question::Equal(with) => self.scalars.equal(Bounded { value, interval, with }),
        };
        let bit = Polynomial::atom(bit as usize);
        let bit = if asked.is_negated { opposite(&bit) } else { Some(bit) };
        self.within(bit, span)
    }

    /// What 512 bits hold.
    pub(super) fn within<T>(&mut self, value: Option<T>, span: Span) -> Option<T> {
        if value.is_none() {
            self.refuse_beyond(span, None);
        }
        value
    }

    /// Whether a polynomial in atoms is certainly not below zero.
    fn is_nonnegative(&self, polynomial: &Polynomial) -> bool {
        let atoms = &self.checked.atoms;
        let interval = polynomial.interval(&|atom| atoms[atom].interval, self.checked.rows_max);
        if interval.is_some_and(|interval| !interval.min.is_negative()) {
            return true;
        }
        let is_nonnegative = |atom: usize| !atoms[atom].interval.min.is_negative();
        polynomial.univariate().is_some_and(|(atom, powers)| is_nonnegative(atom) && powers.is_nonnegative())
    }
}
