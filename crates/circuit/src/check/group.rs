//! Rules for tables: what an aggregate can be given by.

use std::cmp::Ordering;
use std::sync::Arc;

use super::expression::Typed;
use super::tree::{Aggregate, AggregateKind, Grouping, RowNumber, RowTruth, RowTruthKind};
use super::{Checker, words};
use crate::column::{Domain, LABELS_MAX};
use crate::diagnostics::{Diagnostic, Span};
use crate::syntax::{Comparison, Expression, ExpressionKind, quote};
use quorate_field::quantity::Quantity;

impl Checker<'_> {
    pub(super) fn group(&mut self, body: &Expression, by: &Expression, span: Span) -> Option<Typed> {
        self.permit("by", &[by], by.span)?;
        let aggregate = self.body(body, "by");
        let grouping = match self.expression(by)? {
            Typed::Category(column) => self.labels(column, span)?,
            Typed::Grouping(grouping) => grouping,
            other => {
                let message = format!("`by` cannot take {other}");
                self.refuse(Diagnostic::new(by.span, message, "expected a category or bins").help(
                    "name an input that is declared with labels, such as female | male, or give the \
                         edges of groups: by bins(age, [18, 40, 65])",
                ));
                return None;
            }
        };
        let aggregate = aggregate?;
        if aggregate.table.contains(&grouping) {
            self.refuse(
                Diagnostic::new(by.span, "this is a table by the same groups already", "again")
                    .help("leave the second `by` away"),
            );
            return None;
        }
        Some(Typed::Aggregate(grouped(aggregate, grouping, span)))
    }

    /// `histogram(x, [edges])`: `count() by bins(x, [edges])`.
    pub(super) fn histogram(&mut self, number: &Expression, edges: &Expression, span: Span) -> Option<Typed> {
        let Typed::Grouping(grouping) = self.bins("histogram", number, edges)? else { return None };
        let rows = Aggregate::number(AggregateKind::Rows, span);
        Some(Typed::Aggregate(grouped(rows, grouping, span)))
    }

    /// `bins(x, [edges])`: a group from each edge up to the next, which is not in it, but for the last.
    pub(super) fn bins(&mut self, name: &str, number: &Expression, edges: &Expression) -> Option<Typed> {
        let (typed, edges) = (self.expression(number), self.edges(name, edges));
        let (number, edges) = match (typed?, edges?) {
            (Typed::Number(number), edges) => (number, edges),
            (other, _) => {
                self.refuse(
                    Diagnostic::new(
                        number.span,
                        format!("`{name}` cannot take this"),
                        format!("this is {other}"),
                    )
                    .help("it takes a number of each row and edges, such as: (age, [18, 40, 65])"),
                );
                return None;
            }
        };
        let mut groups = Vec::with_capacity(edges.len());
        for (index, pair) in edges.windows(2).enumerate() {
            let [(low, low_span, from_words), (high, high_span, to_words)] = pair else { continue };
            let is_last = index + 2 == edges.len();
            let below = if is_last { Comparison::LessOrEqual } else { Comparison::Less };
            let from = self.bound(&number, Comparison::GreaterOrEqual, *low, *low_span)?;
            let to = self.bound(&number, below, *high, *high_span)?;
            let kind = RowTruthKind::And(Arc::new(from), Arc::new(to));
            groups.push((
                format!("{from_words}..{to_words}"),
                Arc::new(RowTruth { kind, span: low_span.to(*high_span) }),
            ));
        }
        let edges: Vec<String> = edges.iter().map(|(edge, ..)| words::constant(edge)).collect();
        let words = format!("bins({}, [{}])", words::number(&number, &self.study.columns), edges.join(", "));
        Some(Typed::Grouping(self.grouping(words, groups)))
    }

    /// A comparison of a row's number with an edge.
    fn bound(
        &mut self,
        number: &RowNumber,
        comparison: Comparison,
        edge: Quantity,
        span: Span,
    ) -> Option<RowTruth> {
        let edge = self.row_constant(edge, span);
        self.row_difference_fits(number, &edge, span)?;
        let kind = RowTruthKind::Compare(comparison, Arc::new(number.clone()), Arc::new(edge));
        Some(RowTruth { kind, span })
    }

    /// A list of ascending constants, two or more, each with what it is called in a group's label.
    fn edges(&mut self, name: &str, edges: &Expression) -> Option<Vec<(Quantity, Span, String)>> {
        let help = format!("write them ascending, in brackets: {name}(age, [18, 40, 65])");
        let ExpressionKind::List(elements) = &edges.kind else {
            self.refuse(Diagnostic::new(edges.span, "these are no edges", "expected a list").help(help));
            return None;
        };
        if !(2..=LABELS_MAX + 1).contains(&elements.len()) {
            let label = format!("{} edges, expected 2 to {}", elements.len(), LABELS_MAX + 1);
            self.refuse(Diagnostic::new(edges.span, "no groups can be made of these", label).help(help));
            return None;
        }
        let mut found: Vec<(Quantity, Span, String)> = Vec::with_capacity(elements.len());
        for element in elements {
            let typed = self.expression(element)?;
            let Typed::Constant(edge, _) = typed else {
                let label = format!("this is {typed}");
                self.refuse(Diagnostic::new(element.span, "an edge is a constant", label).help(help));
                return None;
            };
            let is_above =
                |(last, ..): &(Quantity, Span, String)| last.checked_cmp(&edge) == Some(Ordering::Less);
            if found.last().is_some_and(|last| !is_above(last)) {
                self.refuse(
                    Diagnostic::new(element.span, "edges are ascending", "not above the one before")
                        .help(help),
                );
                return None;
            }
            let words = match element.kind {
                ExpressionKind::Date { .. } => element.to_string(),
                _ => edge.to_string(),
            };
            found.push((edge, element.span, words));
        }
        Some(found)
    }

    /// The labels of a category.
    pub(super) fn labels(&mut self, column: usize, span: Span) -> Option<usize> {
        let found = &self.study.columns[column];
        let Domain::Category { labels } = &found.domain else { return None };
        let group = |(index, label): (usize, &String)| {
            (label.clone(), Arc::new(RowTruth { kind: RowTruthKind::Is(column, index), span }))
        };
        let groups = labels.iter().enumerate().map(group).collect();
        Some(self.grouping(quote(&found.name), groups))
    }

    /// The position of a grouping, which is noted if it is new.
    fn grouping(&mut self, words: String, groups: Vec<(String, Arc<RowTruth>)>) -> usize {
        match self.groupings.iter().position(|known| known.words == words) {
            Some(known) => known,
            None => {
                self.groupings.push(Grouping { words, groups });
                self.groupings.len() - 1
            }
        }
    }
}

fn grouped(body: Aggregate, grouping: usize, span: Span) -> Aggregate {
    let (is_truth, table) = (body.is_truth, [body.table.as_slice(), &[grouping]].concat());
    Aggregate { kind: AggregateKind::By(Box::new(body), grouping), span, is_truth, table }
}
