//! Arithmetic of row values: scales made equal, intervals carried, overflow refused.

use std::sync::Arc;

use quorate_field::Integer;

use super::tree::{RowNumber, RowNumberKind, RowTruth};
use super::{Checker, words};
use crate::diagnostics::Span;
use crate::interval::Interval;
use quorate_field::quantity::{Quantity, gcd, lcm};

impl Checker<'_> {
    pub(super) fn row_column(&mut self, column: usize, span: Span) -> RowNumber {
        let domain = &self.study.columns[column].domain;
        let (scale, interval) = (domain.scale(), domain.interval());
        RowNumber { kind: RowNumberKind::Column(column), span, scale, interval, is_linear: true }
    }

    pub(super) fn row_constant(&mut self, value: Quantity, span: Span) -> RowNumber {
        let (interval, scale) = (Interval::point(value.numerator()), value.denominator());
        RowNumber { kind: RowNumberKind::Constant(value), span, scale, interval, is_linear: true }
    }

    pub(super) fn row_add(&mut self, left: RowNumber, right: RowNumber, span: Span) -> Option<RowNumber> {
        let aligned = align(&left, &right);
        let interval = aligned.and_then(|(_, left, right)| left.checked_add(&right));
        let is_linear = left.is_linear && right.is_linear;
        let interval = self.fit(span, interval, is_linear)?;
        let kind = RowNumberKind::Add(Arc::new(left), Arc::new(right));
        Some(RowNumber { kind, span, scale: aligned?.0, interval, is_linear })
    }

    /// `value * factor`: the factor's denominator becomes part of the scale, so that it stays exact.
    pub(super) fn row_scale(&mut self, value: RowNumber, factor: Quantity, span: Span) -> Option<RowNumber> {
        let scaled = || {
            let scale = value.scale.checked_mul(&factor.denominator())?;
            let divisor = gcd(scale, factor.numerator());
            let interval = value.interval.checked_scale(&factor.numerator().div_rem(&divisor)?.0)?;
            Some((scale.div_rem(&divisor)?.0, interval))
        };
        let scaled = scaled();
        let is_linear = value.is_linear;
        let interval = self.fit(span, scaled.map(|(_, interval)| interval), is_linear)?;
        let kind = RowNumberKind::Scale(Arc::new(value), factor);
        Some(RowNumber { kind, span, scale: scaled?.0, interval, is_linear })
    }

    pub(super) fn row_multiply(
        &mut self,
        left: RowNumber,
        right: RowNumber,
        span: Span,
    ) -> Option<RowNumber> {
        match (&left.kind, &right.kind) {
            (RowNumberKind::Constant(factor), _) => return self.row_scale(right, *factor, span),
            (_, RowNumberKind::Constant(factor)) => return self.row_scale(left, *factor, span),
            _ => {}
        }
        let scale = left.scale.checked_mul(&right.scale);
        let words = |number: &RowNumber| words::number(number, &self.study.columns);
        let interval = if words(&left) == words(&right) {
            left.interval.checked_pow(2)
        } else {
            left.interval.checked_mul(&right.interval)
        };
        let interval = scale.and(interval);
        let interval = self.fit(span, interval, false)?;
        let kind = RowNumberKind::Multiply(Arc::new(left), Arc::new(right));
        Some(RowNumber { kind, span, scale: scale?, interval, is_linear: false })
    }

    pub(super) fn row_if(
        &mut self,
        condition: RowTruth,
        (yes, no): (RowNumber, RowNumber),
        span: Span,
    ) -> Option<RowNumber> {
        let aligned = align(&yes, &no);
        let interval = self.fit(span, aligned.map(|(_, yes, no)| yes.hull(&no)), false)?;
        let kind = RowNumberKind::If(Arc::new(condition), Arc::new(yes), Arc::new(no));
        Some(RowNumber { kind, span, scale: aligned?.0, interval, is_linear: false })
    }

    /// What a comparison looks at is the difference, and that must fit.
    pub(super) fn row_difference_fits(
        &mut self,
        left: &RowNumber,
        right: &RowNumber,
        span: Span,
    ) -> Option<()> {
        let difference = align(left, right).and_then(|(_, left, right)| left.checked_sub(&right));
        self.fit(span, difference, false).map(|_| ())
    }
}

/// A common scale and both intervals in it.
fn align(left: &RowNumber, right: &RowNumber) -> Option<(Integer, Interval, Interval)> {
    let scale = lcm(left.scale, right.scale)?;
    let to = |value: &RowNumber| value.interval.checked_scale(&scale.div_rem(&value.scale)?.0);
    Some((scale, to(left)?, to(right)?))
}
