//! Order statistics: `min`, `max`, `median` and `quantile`, and what of each leaves the helpers.
//!
//! One is undefined of no rows. Of the rows where a condition holds a second number leaves: whether there are any. The first is
//! then zero of no rows, whatever is computed of it, so that it tells nothing else.

use quorate_field::Integer;

use super::aggregate::{Rows, where_words};
use super::blank::Conditions;
use super::expression::Typed;
use super::form::{Atom, Condition, Fraction, Source};
use super::tree::{AggregateKind, Rank, RowNumber};
use super::{Checker, words};
use crate::diagnostics::{Diagnostic, Span};
use crate::interval::Interval;
use crate::program::Coefficient;
use crate::syntax::{Binary, Comparison, Expression};
use quorate_field::quantity::Quantity;

const EXAMPLE: &str = "quantile(salary, 0.9)";

impl Checker<'_> {
    /// `quantile(x, q)`, for a constant q.
    pub(super) fn call_quantile(&mut self, number: &Expression, share: &Expression) -> Option<AggregateKind> {
        let (number, typed) = (self.row_argument("quantile", number, EXAMPLE), self.expression(share));
        let (number, typed) = (number?, typed?);
        let Typed::Constant(quantity, _) = typed else {
            let label = format!("this is {typed}");
            self.refuse(
                Diagnostic::new(share.span, "`quantile` takes a constant share", label)
                    .help(format!("write: {EXAMPLE}")),
            );
            return None;
        };
        let above_zero = !quantity.numerator().is_negative() && quantity != Quantity::ZERO;
        if !above_zero || quantity.numerator() > quantity.denominator() {
            self.refuse(
                Diagnostic::new(
                    share.span,
                    "this is no share of the rows",
                    "expected more than 0, at most 1",
                )
                .help("the least value is min(x), the greatest max(x)"),
            );
            return None;
        }
        Some(AggregateKind::Quantile(number.into(), Rank::Share(quantity)))
    }

    /// `v / e`: the value, and whether there is one.
    pub(super) fn quantile(
        &mut self,
        number: &RowNumber,
        rank: Rank,
        rows: Rows<'_>,
        span: Span,
    ) -> Option<Fraction> {
        let share = match rank {
            // Of so many rows at most, it is the least value that one row does not exceed.
            Rank::Least => Quantity::new(Integer::ONE, self.rows_max.max(1).into())?,
            Rank::Share(share) => share,
        };
        let known = self.known(&[number], rows);
        let rows = rows.knowing(&known);
        let conditions: Vec<Condition> = rows.needed(&Conditions::new()).cloned().collect();
        let is_among_some = !conditions.is_empty();
        let zero = Interval::point(Integer::ZERO);
        let interval = if is_among_some { number.interval.hull(&zero) } else { number.interval };
        self.fits(span, Some(interval), false)?;
        let exists = match is_among_some {
            true => {
                let count = self.count(rows)?;
                let zero = Fraction::constant(&Quantity::ZERO);
                Some(self.decision(Binary::Compare(Comparison::Greater), &count, &zero, span)?)
            }
            false => None,
        };
        let words = format!("{}{}", words::number(number, &self.study.columns), where_words(&conditions));
        let meaning = words::quantile(&words, rank);
        let source = Source::Quantile {
            number: Box::new(number.clone()),
            share,
            conditions,
            exists: exists.as_ref().and_then(|exists| exists.atoms().first().copied()),
        };
        let value = self.atom(Atom { meaning, interval, scale: number.scale, span, source })?;
        let fraction = match &exists {
            Some(exists) => value.checked_div(exists, &self.atoms),
            None => value.dividing(&[Coefficient::rows()]),
        };
        self.fraction(fraction, span)
    }
}
