//! Functions: what each takes, and what aggregate it is.

use std::sync::Arc;

use super::expression::Typed;
use super::tree::{
    Aggregate, AggregateKind, Of, Pair, Rank, RowNumber, RowTruth, RowTruthKind, RowValue, Total,
};
use super::{Checker, blank, similar};
use crate::diagnostics::{Diagnostic, Span};
use crate::syntax::{Binary, Expression, ExpressionKind, Name, quote};
use quorate_field::quantity::Quantity;

/// Functions that there are.
pub(crate) const FUNCTIONS: [&str; 19] = [
    "bins",
    "chisq",
    "correlation",
    "count",
    "covariance",
    "histogram",
    "max",
    "mean",
    "median",
    "min",
    "missing",
    "pstddev",
    "pvariance",
    "quantile",
    "regression",
    "stddev",
    "sum",
    "ttest",
    "variance",
];

/// Functions that there will be.
const PLANNED: [&str; 1] = ["select"];

const PAIR: &str = "covariance(age, salary)";
const WEIGHTED: &str = "mean(salary) weighted hours";

impl Checker<'_> {
    pub(super) fn call(&mut self, function: &Name, arguments: &[Expression], span: Span) -> Option<Typed> {
        let name = function.text.as_str();
        if !FUNCTIONS.contains(&name) {
            self.unknown_function(function);
            return None;
        }
        // Bins are groups: `by` says whether they may be.
        if name != "bins" {
            self.permit(name, &arguments.iter().collect::<Vec<_>>(), span)?;
        }
        let takes_two =
            matches!(name, "covariance" | "correlation" | "bins" | "histogram" | "quantile" | "chisq");
        let kind = match arguments {
            [Expression { kind: ExpressionKind::Model { outcome, predictors }, .. }]
                if name == "regression" =>
            {
                return self.regression(outcome, predictors, span);
            }
            _ if name == "regression" => {
                self.refuse(
                    Diagnostic::new(span, "`regression` takes a model", "expected y ~ x1 + x2")
                        .help(format!("write: {}", super::model::EXAMPLE)),
                );
                return None;
            }
            [Expression { kind: ExpressionKind::By { body, category }, .. }] if name == "ttest" => {
                return self.t_test(body, category, span);
            }
            _ if name == "ttest" => {
                self.refuse(
                    Diagnostic::new(span, "`ttest` takes a number by two groups", "expected x by g")
                        .help(format!("write: {}; `where` stands behind it", super::hypothesis::T_TEST)),
                );
                return None;
            }
            [left, right] if name == "chisq" => return self.chi_squared(left, right, span),
            [number, edges] if name == "bins" => return self.bins(name, number, edges),
            [number, edges] if name == "histogram" => return self.histogram(number, edges, span),
            [number, share] if name == "quantile" => self.call_quantile(number, share)?,
            [] if name == "count" => AggregateKind::Rows,
            [argument] if !takes_two => self.call_with(name, argument)?,
            [left, right] if takes_two => {
                let (left, right) =
                    (self.row_argument(name, left, PAIR), self.row_argument(name, right, PAIR));
                self.call_with_pair(name, left?, right?, span)?
            }
            _ => {
                let expected = match name {
                    "count" => "none or one argument",
                    _ if takes_two => "two arguments",
                    _ => "one argument",
                };
                let label = format!("{} arguments", arguments.len());
                self.refuse(Diagnostic::new(span, format!("`{name}` takes {expected}"), label));
                return None;
            }
        };
        Some(Typed::Aggregate(Aggregate::number(kind, span)))
    }

    /// An argument that must be a row's number.
    pub(super) fn row_argument(
        &mut self,
        name: &str,
        argument: &Expression,
        example: &str,
    ) -> Option<RowNumber> {
        let typed = self.expression(argument)?;
        let label = format!("this is {typed}");
        let number = self.as_row(typed);
        if number.is_none() {
            self.refuse(
                Diagnostic::new(argument.span, format!("`{name}` cannot take this"), label)
                    .help(format!("it takes a number of each row, such as: {example}")),
            );
        }
        number
    }

    /// `mean(x) weighted w`: `sum(x * w) / sum(w)`.
    pub(super) fn weighted(&mut self, body: &Expression, weight: &Expression, span: Span) -> Option<Typed> {
        self.permit("weighted", &[weight], weight.span)?;
        let (typed, weight) = (self.expression(body), self.row_argument("weighted", weight, WEIGHTED));
        let (typed, weight) = (typed?, weight?);
        let number = match &typed {
            Typed::Aggregate(Aggregate { kind: AggregateKind::Mean(number), .. }) => number,
            _ => {
                let label = format!("this is {typed}");
                self.refuse(
                    Diagnostic::new(body.span, "only a mean is weighted", label)
                        .help(format!("write: {WEIGHTED}; `where` and `by` stand behind it")),
                );
                return None;
            }
        };
        let product = self.row_multiply(number.as_ref().clone(), weight.clone(), span)?;
        let sum = |number| Box::new(Aggregate::number(AggregateKind::Sum(Arc::new(number)), span));
        let kind = AggregateKind::Binary(Binary::Divide, sum(product.clone()), sum(weight));
        Some(Typed::Aggregate(Aggregate::number(self.complete(kind, product, span), span)))
    }

    /// An aggregate of several numbers, over the rows where all of them, and so their product, are known.
    fn complete(&self, kind: AggregateKind, product: RowNumber, span: Span) -> AggregateKind {
        if !blank::is_in_number(&product, &self.study.columns) {
            return kind;
        }
        AggregateKind::Complete(Box::new(Aggregate::number(kind, span)), Arc::new(product))
    }

    fn call_with_pair(
        &mut self,
        name: &str,
        left: RowNumber,
        right: RowNumber,
        span: Span,
    ) -> Option<AggregateKind> {
        let product = self.row_multiply(left.clone(), right.clone(), span)?;
        let deviation = |number: &RowNumber| {
            Box::new(Aggregate::number(AggregateKind::Deviation(Arc::new(number.clone()), Of::Sample), span))
        };
        let deviations = AggregateKind::Binary(Binary::Multiply, deviation(&left), deviation(&right));
        let covariance = AggregateKind::Covariance(Arc::new(Pair { left, right, product: product.clone() }));
        Some(if name == "covariance" {
            covariance
        } else {
            let covariance = Box::new(Aggregate::number(covariance, span));
            let deviations = Box::new(Aggregate::number(deviations, span));
            self.complete(AggregateKind::Binary(Binary::Divide, covariance, deviations), product, span)
        })
    }

    fn call_with(&mut self, name: &str, argument: &Expression) -> Option<AggregateKind> {
        let span = argument.span;
        let typed = match self.expression(argument)? {
            Typed::Constant(value, span) => Typed::Number(self.row_constant(value, span)),
            typed @ Typed::Category(_) if matches!(name, "count" | "mean") => self.as_truth(typed, span),
            typed => typed,
        };
        let help = match (name, typed) {
            ("missing", Typed::Number(number)) => {
                return Some(AggregateKind::Missing(RowValue::Number(Arc::new(number))));
            }
            ("missing", Typed::Truth(truth)) => {
                return Some(AggregateKind::Missing(RowValue::Truth(Arc::new(truth))));
            }
            // Whatever is said of a category's label is missing where the category is.
            ("missing", Typed::Category(column)) => {
                let truth = RowTruth { kind: RowTruthKind::Is(column, 0), span };
                return Some(AggregateKind::Missing(RowValue::Truth(Arc::new(truth))));
            }
            ("count", Typed::Truth(condition)) => return Some(AggregateKind::Count(Arc::new(condition))),
            ("mean", Typed::Truth(condition)) => return Some(AggregateKind::Share(Arc::new(condition))),
            ("sum", Typed::Number(number)) => return Some(AggregateKind::Sum(Arc::new(number))),
            ("mean", Typed::Number(number)) => return Some(AggregateKind::Mean(Arc::new(number))),
            ("sum", Typed::Vector(column)) => return Some(AggregateKind::Vector(column, Total::Sum)),
            ("mean", Typed::Vector(column)) => return Some(AggregateKind::Vector(column, Total::Mean)),
            ("variance", Typed::Number(number)) => {
                return Some(AggregateKind::Variance(Arc::new(number), Of::Sample));
            }
            ("pvariance", Typed::Number(number)) => {
                return Some(AggregateKind::Variance(Arc::new(number), Of::Population));
            }
            ("stddev", Typed::Number(number)) => {
                return Some(AggregateKind::Deviation(Arc::new(number), Of::Sample));
            }
            ("pstddev", Typed::Number(number)) => {
                return Some(AggregateKind::Deviation(Arc::new(number), Of::Population));
            }
            ("min", Typed::Number(number)) => {
                return Some(AggregateKind::Quantile(Arc::new(number), Rank::Least));
            }
            ("max", Typed::Number(number)) => {
                return Some(AggregateKind::Quantile(Arc::new(number), Rank::Share(Quantity::ONE)));
            }
            ("median", Typed::Number(number)) => {
                let half = Quantity::ONE.checked_div(&2_u64.into())?;
                return Some(AggregateKind::Quantile(Arc::new(number), Rank::Share(half)));
            }
            ("count", Typed::Number(_)) => "count() counts all rows; count(x > 0) those where it holds",
            (_, Typed::Vector(_)) => "vectors are added up element by element: sum(g), mean(g)",
            (_, Typed::Truth(_)) => "count(...) counts the rows where it holds, mean(...) is their share",
            (_, Typed::Category(_)) => {
                "compare it with a label: count(gender == female), mean(gender == female)"
            }
            (_, Typed::Aggregate(_)) => "aggregates are already of all rows: leave the outer function away",
            _ => "the argument is one number for each row",
        };
        let expected = match name {
            "count" => "a row's truth value",
            "mean" => "a row's number or truth value",
            "missing" => "a row's number, truth value or category",
            _ => "a row's number",
        };
        self.refuse(
            Diagnostic::new(span, format!("`{name}` cannot take this"), format!("expected {expected}"))
                .help(help),
        );
        None
    }

    fn unknown_function(&mut self, function: &Name) {
        let name = function.text.as_str();
        let diagnostic = if PLANNED.contains(&name) {
            Diagnostic::new(function.span, format!("`{name}` is not built yet"), "not in this version")
                .help(format!("there are {}", FUNCTIONS.join(", ")))
        } else {
            let help = match similar(name, FUNCTIONS.into_iter().chain(PLANNED)) {
                Some(close) => format!("did you mean {close}?"),
                None => format!("there are {}", FUNCTIONS.join(", ")),
            };
            Diagnostic::new(function.span, format!("unknown function {}", quote(name)), "no such function")
                .help(help)
        };
        self.refuse(diagnostic);
    }
}
