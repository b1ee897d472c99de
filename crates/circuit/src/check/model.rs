//! Models: `regression(y ~ x1 + x2)`, and what of it leaves the helpers: the number of rows, and the sums of all
//! variables and of the products of two of them.

use std::sync::Arc;

use super::aggregate::Rows;
use super::expression::Typed;
use super::form::{FitForm, Form};
use super::tree::{Aggregate, AggregateKind, Model, RowNumber, RowNumberKind};
use super::{Checker, words};
use crate::diagnostics::{Diagnostic, Span};
use crate::program::Statistic;
use crate::syntax::{Binary, Expression, ExpressionKind};
use quorate_field::quantity::Quantity;

/// Most predictors of a model.
const PREDICTORS_MAX: usize = 16;

pub(super) const EXAMPLE: &str = "regression(salary ~ years + (gender == female))";

impl Checker<'_> {
    pub(super) fn regression(
        &mut self,
        outcome: &Expression,
        predictors: &Expression,
        span: Span,
    ) -> Option<Typed> {
        let mut terms = Vec::new();
        terms_of(predictors, &mut terms);
        if terms.len() > PREDICTORS_MAX {
            let label = format!("{} predictors, at most {PREDICTORS_MAX}", terms.len());
            self.refuse(Diagnostic::new(predictors.span, "the model is too large", label));
            return None;
        }
        let (_, outcome, outcome_is_bit) = self.variable(outcome, "regression", EXAMPLE)?;
        let (mut names, mut numbers, mut bits) = (Vec::new(), vec![outcome], vec![outcome_is_bit]);
        for term in terms {
            let (name, number, is_bit) = self.variable(term, "regression", EXAMPLE)?;
            if matches!(number.kind, RowNumberKind::Constant(_)) {
                self.refuse(
                    Diagnostic::new(term.span, "a constant explains nothing", "the same in every row")
                        .help("a model has an intercept already"),
                );
                return None;
            }
            if names.contains(&name) {
                let message = format!("{name} is a predictor twice");
                self.refuse(Diagnostic::new(term.span, message, "again").help("leave it away"));
                return None;
            }
            names.push(name);
            numbers.push(number);
            bits.push(is_bit);
        }
        let mut products = Vec::new();
        for (i, left) in numbers.iter().enumerate() {
            for (j, right) in numbers.iter().enumerate().skip(i) {
                // The square of 0 or 1 is itself.
                let is_own_square = i == j && bits[i];
                products.push(match is_own_square {
                    true => left.clone(),
                    false => self.row_multiply(left.clone(), right.clone(), span)?,
                });
            }
        }
        let kind = AggregateKind::Regression(Arc::new(Model { names, numbers, products }));
        Some(Typed::Aggregate(Aggregate::number(kind, span)))
    }

    /// A variable of a model or a test and its name, and whether it is a condition: then it is 1 where that holds, else 0.
    pub(super) fn variable(
        &mut self,
        expression: &Expression,
        function: &str,
        example: &str,
    ) -> Option<(String, RowNumber, bool)> {
        let span = expression.span;
        let typed = self.expression(expression)?;
        let typed = self.as_truth(typed, span);
        let is_bit = matches!(typed, Typed::Truth(_));
        let (words, number) = match typed {
            Typed::Number(number) => (words::number(&number, &self.study.columns), number),
            Typed::Constant(value, span) => (value.to_string(), self.row_constant(value, span)),
            Typed::Truth(truth) => {
                let words = words::truth(&truth, &self.study.columns);
                let sides = (self.row_constant(Quantity::ONE, span), self.row_constant(Quantity::ZERO, span));
                (words, self.row_if(truth, sides, span)?)
            }
            other => {
                let label = format!("this is {other}");
                self.refuse(
                    Diagnostic::new(
                        span,
                        format!("`{function}` takes numbers and conditions of rows"),
                        label,
                    )
                    .help(format!("write: {example}")),
                );
                return None;
            }
        };
        let name = match &expression.kind {
            ExpressionKind::Name(name) => name.clone(),
            _ => words,
        };
        Some((name, number, is_bit))
    }

    /// What leaves the helpers of a model.
    pub(super) fn model_form(&mut self, model: &Model, rows: Rows<'_>, span: Span) -> Option<Form> {
        let all: Vec<&RowNumber> = model.numbers.iter().collect();
        let known = self.known(&all, rows);
        let rows = rows.knowing(&known);
        let mut numbers = vec![self.count(rows)?];
        for number in model.numbers.iter().chain(&model.products) {
            numbers.push(self.sum(number, rows, span)?);
        }
        let statistic = Statistic::Regression { names: model.names.clone() };
        Some(Form::Fit(Box::new(FitForm { statistic, numbers })))
    }
}

/// The summands of a model's right side.
fn terms_of<'a>(expression: &'a Expression, terms: &mut Vec<&'a Expression>) {
    match &expression.kind {
        ExpressionKind::Binary { operator: Binary::Add, left, right } => {
            terms_of(left, terms);
            terms_of(right, terms);
        }
        _ => terms.push(expression),
    }
}
