//! Rules for categories, labels resolved by the other side of `==`; and for `where`.

use std::sync::Arc;

use super::expression::Typed;
use super::tree::{Aggregate, AggregateKind, RowTruth, RowTruthKind};
use super::{Checker, similar};
use crate::column::Domain;
use crate::diagnostics::{Diagnostic, Span};
use crate::syntax::{Comparison, Expression, ExpressionKind, quote};

impl Checker<'_> {
    /// A comparison with a category on one side, if it is one: the outer `None` means that it is not.
    pub(super) fn category_comparison(
        &mut self,
        comparison: Comparison,
        left: &Expression,
        right: &Expression,
        span: Span,
    ) -> Option<Option<RowTruth>> {
        let (category, other) = match (self.category(left), self.category(right)) {
            (Some(category), _) => (category, right),
            (None, Some(category)) => (category, left),
            (None, None) => return None,
        };
        Some(self.is_label(comparison, category, other, span))
    }

    fn is_label(
        &mut self,
        comparison: Comparison,
        category: usize,
        other: &Expression,
        span: Span,
    ) -> Option<RowTruth> {
        if !matches!(comparison, Comparison::Equal | Comparison::NotEqual) {
            self.refuse(
                Diagnostic::new(
                    span,
                    "labels have no order",
                    format!("`{}` of a category", comparison.symbol()),
                )
                .help("compare a category with == or !="),
            );
            return None;
        }
        let column = &self.study.columns[category];
        let Domain::Category { labels } = &column.domain else { return None };
        let label = match &other.kind {
            ExpressionKind::Name(name) => labels.iter().position(|label| label == name),
            _ => None,
        };
        let kind = match (label, self.category(other)) {
            (Some(label), _) => RowTruthKind::Is(category, label),
            (None, Some(second)) if self.study.columns[second].domain == column.domain => {
                RowTruthKind::Same(category, second)
            }
            (None, _) => {
                let label = format!("expected one of {}", column.domain);
                let close = match &other.kind {
                    ExpressionKind::Name(name) => similar(name, labels.iter().map(String::as_str)),
                    _ => None,
                };
                let help = match close {
                    Some(close) => format!("did you mean {}?", quote(close)),
                    None => {
                        "a category is compared with one of its labels; quote labels that are not plain words"
                            .to_owned()
                    }
                };
                let message = format!("this is no label of {}", quote(&column.name));
                self.refuse(Diagnostic::new(other.span, message, label).help(help));
                return None;
            }
        };
        let equal = RowTruth { kind, span };
        Some(match comparison {
            Comparison::NotEqual => RowTruth { kind: RowTruthKind::Not(Arc::new(equal)), span },
            _ => equal,
        })
    }

    /// The category that an expression names, if it is a name of one.
    fn category(&self, expression: &Expression) -> Option<usize> {
        let ExpressionKind::Name(name) = &expression.kind else { return None };
        let column = self.study.column(name).filter(|column| self.inputs.contains(column))?;
        matches!(self.study.columns[column].domain, Domain::Category { .. }).then_some(column)
    }

    pub(super) fn filter(&mut self, body: &Expression, condition: &Expression, span: Span) -> Option<Typed> {
        self.permit("where", &[condition], condition.span)?;
        let aggregate = self.body(body, "where");
        let typed = self.expression(condition)?;
        let condition = match self.as_truth(typed, condition.span) {
            Typed::Truth(condition) => condition,
            other => {
                let message = format!("`where` cannot take {other}");
                self.refuse(
                    Diagnostic::new(condition.span, message, "expected a row's truth value")
                        .help("write a comparison of row values, such as: where years >= 10"),
                );
                return None;
            }
        };
        let aggregate = aggregate?;
        let (is_truth, table) = (aggregate.is_truth, aggregate.table.clone());
        let kind = AggregateKind::Where(Box::new(aggregate), Arc::new(condition));
        Some(Typed::Aggregate(Aggregate { kind, span, is_truth, table }))
    }

    /// A category of `yes` and `no` as the truth that it is, where one is wanted; anything else as it is.
    pub(super) fn as_truth(&self, typed: Typed, span: Span) -> Typed {
        let Typed::Category(column) = typed else { return typed };
        match self.study.columns[column].domain.yes() {
            Some(yes) => Typed::Truth(RowTruth { kind: RowTruthKind::Is(column, yes), span }),
            None => typed,
        }
    }

    /// What stands before `where` or `by`.
    pub(super) fn body(&mut self, body: &Expression, word: &str) -> Option<Aggregate> {
        match self.expression(body)? {
            Typed::Aggregate(aggregate) if aggregate.is_vector() => {
                let message = format!("`{word}` cannot stand behind a sum of vectors");
                self.refuse(Diagnostic::new(body.span, message, "vectors are added up over all rows").help(
                    format!(
                        "leave `{word}` away; for a sum of some rows, make a study of these contributors"
                    ),
                ));
                None
            }
            Typed::Aggregate(aggregate) => Some(aggregate),
            other => {
                let message = format!("`{word}` stands behind {other}");
                self.refuse(
                    Diagnostic::new(body.span, message, "expected an aggregate")
                        .help(format!("write it behind one, such as: mean(salary) {word} ...")),
                );
                None
            }
        }
    }
}
