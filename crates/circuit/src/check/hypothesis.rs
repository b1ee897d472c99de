//! Tests: `ttest(x by g)` and `chisq(a, b)`, and what of them leaves the helpers. A t-test: of each of two groups the
//! number of rows, the sum and the sum of squares. A chi-squared test: the number of rows of every pair of groups.

use std::sync::Arc;

use super::aggregate::Rows;
use super::expression::Typed;
use super::form::{FitForm, Form};
use super::tree::{Aggregate, AggregateKind, Crossed, Labelled, RowTruth, RowTruthKind, Samples};
use super::{Checker, words};
use crate::diagnostics::{Diagnostic, Span};
use crate::program::Statistic;
use crate::syntax::Expression;

pub(super) const T_TEST: &str = "ttest(salary by gender)";
const CHI_SQUARED: &str = "chisq(gender, rank)";

impl Checker<'_> {
    /// Welch's t-test of a row's number by two groups.
    pub(super) fn t_test(&mut self, number: &Expression, by: &Expression, span: Span) -> Option<Typed> {
        let (variable, groups) = (self.variable(number, "ttest", T_TEST), self.parts(by, T_TEST));
        let ((_, number, _), (_, groups)) = (variable?, groups?);
        let count = groups.len();
        let Ok(groups) = <[Labelled; 2]>::try_from(groups) else {
            let label = format!("this has {count}");
            self.refuse(Diagnostic::new(by.span, "a t-test is of two groups", label).help(
                "compare two of them with a condition: ttest(salary by gender == female), with `where` to leave \
                 out others",
            ));
            return None;
        };
        let kind = AggregateKind::TTest(Arc::new(Samples { number, groups }));
        Some(Typed::Aggregate(Aggregate::number(kind, span)))
    }

    /// Pearson's chi-squared test of two categories, conditions or bins.
    pub(super) fn chi_squared(&mut self, left: &Expression, right: &Expression, span: Span) -> Option<Typed> {
        let (rows, columns) = (self.parts(left, CHI_SQUARED), self.parts(right, CHI_SQUARED));
        let ((rows_words, rows), (columns_words, columns)) = (rows?, columns?);
        if rows_words == columns_words {
            let message = "everything depends on itself";
            self.refuse(
                Diagnostic::new(right.span, message, "the same again")
                    .help(format!("name two different ones: {CHI_SQUARED}")),
            );
            return None;
        }
        let kind = AggregateKind::ChiSquared(Arc::new(Crossed { rows, columns }));
        Some(Typed::Aggregate(Aggregate::number(kind, span)))
    }

    /// The groups that a category, a condition or bins make of the rows, and their words: equal words mean equal groups.
    fn parts(&mut self, expression: &Expression, example: &str) -> Option<(String, Vec<Labelled>)> {
        let span = expression.span;
        let grouping = match self.expression(expression)? {
            Typed::Category(column) => self.labels(column, span)?,
            Typed::Grouping(grouping) => grouping,
            Typed::Truth(truth) => {
                let words = words::truth(&truth, &self.study.columns);
                let truth = Arc::new(truth);
                let other = RowTruth { kind: RowTruthKind::Not(Arc::clone(&truth)), span };
                return Some((words, vec![("true".into(), truth), ("false".into(), Arc::new(other))]));
            }
            other => {
                let label = format!("this is {other}");
                let message = "expected a category, a condition or bins";
                self.refuse(Diagnostic::new(span, message, label).help(format!("write: {example}")));
                return None;
            }
        };
        let grouping = self.groupings.get(grouping)?;
        Some((grouping.words.clone(), grouping.groups.clone()))
    }

    /// What leaves the helpers of a t-test.
    pub(super) fn t_test_form(&mut self, samples: &Samples, rows: Rows<'_>, span: Span) -> Option<Form> {
        let Samples { number, groups } = samples;
        let known = self.known(&[number], rows);
        let rows = rows.knowing(&known);
        let mut numbers = Vec::with_capacity(6);
        for (_, group) in groups {
            let conditions = rows.and(&[self.condition(Arc::clone(group))]);
            let rows = rows.over(&conditions);
            numbers.push(self.count(rows)?);
            numbers.push(self.sum(number, rows, span)?);
            let squares = self.sum_of_squares(number, rows, span)?;
            numbers.push(self.fraction(Some(squares), span)?);
        }
        let groups = groups.each_ref().map(|(label, _)| label.clone());
        Some(Form::Fit(Box::new(FitForm { statistic: Statistic::TTest { groups }, numbers })))
    }

    /// What leaves the helpers of a chi-squared test.
    pub(super) fn chi_squared_form(&mut self, crossed: &Crossed, rows: Rows<'_>) -> Option<Form> {
        let mut numbers = Vec::with_capacity(crossed.rows.len() * crossed.columns.len());
        for (_, row) in &crossed.rows {
            for (_, column) in &crossed.columns {
                let both = [row, column].map(|group| self.condition(Arc::clone(group)));
                numbers.push(self.count(rows.over(&rows.and(&both)))?);
            }
        }
        let labels = |groups: &[Labelled]| groups.iter().map(|(label, _)| label.clone()).collect();
        let statistic =
            Statistic::ChiSquared { rows: labels(&crossed.rows), columns: labels(&crossed.columns) };
        Some(Form::Fit(Box::new(FitForm { statistic, numbers })))
    }
}
