//! The typing rules: an expression of the syntax tree to a checked one.

use std::fmt;
use std::sync::Arc;

use super::tree::{Aggregate, AggregateKind, RowNumber, RowNumberKind, RowTruth, RowTruthKind};
use super::{Checker, list, similar};
use crate::column::Domain;
use crate::diagnostics::{Diagnostic, Span};
use crate::syntax::{Binary, Comparison, Expression, ExpressionKind, Unary, quote};
use quorate_field::Integer;
use quorate_field::quantity::Quantity;

/// An expression with its type.
#[derive(Clone)]
pub(super) enum Typed {
    /// A number that is neither of a row nor of all rows yet.
    Constant(Quantity, Span),
    Number(RowNumber),
    Truth(RowTruth),
    /// A category, by its column's position.
    Category(usize),
    /// What a table can be by, by its position.
    Grouping(usize),
    /// A vector, by its column's position.
    Vector(usize),
    Aggregate(Aggregate),
}

/// What a type is called.
impl fmt::Display for Typed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Typed::Constant(..) => "a constant",
            Typed::Number(_) => "a row's number",
            Typed::Truth(_) => "a row's truth value",
            Typed::Category(_) => "a row's category",
            Typed::Grouping(_) => "a grouping",
            Typed::Vector(_) => "a row's vector",
            Typed::Aggregate(aggregate) if aggregate.is_vector() => "a sum of vectors",
            Typed::Aggregate(aggregate) if aggregate.is_fit() => "a fitted model or a test",
            Typed::Aggregate(aggregate) if !aggregate.table.is_empty() => "a table",
            Typed::Aggregate(aggregate) if aggregate.is_truth => "an aggregate truth value",
            Typed::Aggregate(_) => "an aggregate number",
        })
    }
}

impl Checker<'_> {
    /// An expression that must be an aggregate: what can be revealed.
    pub(super) fn aggregate(&mut self, expression: &Expression) -> Option<Aggregate> {
        let typed = self.expression(expression)?;
        let (label, help) = match typed {
            Typed::Aggregate(aggregate) => return Some(aggregate),
            Typed::Constant(..) => ("a constant", "reveal an aggregate: count(), sum(...), mean(...)"),
            Typed::Number(_) => ("one number for each row", "reveal an aggregate of it: sum(...), mean(...)"),
            Typed::Truth(_) => {
                ("one truth value for each row", "reveal an aggregate of it: count(...), mean(...)")
            }
            Typed::Grouping(_) => {
                ("groups of rows", "reveal an aggregate by them: mean(x) by bins(age, [18, 65])")
            }
            Typed::Vector(_) => ("one vector for each row", "reveal their sum or mean: sum(g), mean(g)"),
            Typed::Category(_) => {
                ("one label for each row", "reveal how many rows have a label: count(gender == female)")
            }
        };
        let message = match typed {
            Typed::Constant(..) => "a constant needs no helpers",
            _ => "a row's value cannot be revealed",
        };
        self.refuse(Diagnostic::new(expression.span, message, label).help(help));
        None
    }

    pub(super) fn expression(&mut self, expression: &Expression) -> Option<Typed> {
        let span = expression.span;
        match &expression.kind {
            ExpressionKind::Number { digits, decimals } => {
                let value = Integer::pow10(*decimals).and_then(|scale| Quantity::new(*digits, scale))?;
                Some(Typed::Constant(value, span))
            }
            ExpressionKind::Date { days } => Some(Typed::Constant(Integer::from(*days).into(), span)),
            ExpressionKind::Name(name) => self.name(name, span),
            ExpressionKind::Call { function, arguments } => self.call(function, arguments, span),
            ExpressionKind::List(_) => {
                self.refuse(
                    Diagnostic::new(span, "a list cannot stand here", "expected a value")
                        .help("lists are the edges of histogram(x, [..]) and bins(x, [..])"),
                );
                None
            }
            ExpressionKind::Model { .. } => {
                self.refuse(
                    Diagnostic::new(span, "a model cannot stand here", "expected a value")
                        .help("models are fitted by regression(y ~ x1 + x2)"),
                );
                None
            }
            ExpressionKind::Unary { operator, operand } => self.unary(*operator, operand, span),
            ExpressionKind::Binary { operator: Binary::Compare(comparison), left, right } => {
                self.comparison(*comparison, left, right, span)
            }
            ExpressionKind::Binary { operator, left, right } => {
                let places = (left.span, right.span);
                let (left, right) = (self.expression(left), self.expression(right));
                match operator {
                    Binary::And | Binary::Or => {
                        let (left, right) = (self.as_truth(left?, places.0), self.as_truth(right?, places.1));
                        self.logic(*operator, left, right, span)
                    }
                    _ => self.arithmetic(*operator, left?, right?, span),
                }
            }
            ExpressionKind::If { condition, yes, no } => self.choice(condition, yes, no, span),
            ExpressionKind::Where { body, condition } => self.filter(body, condition, span),
            ExpressionKind::By { body, category } => self.group(body, category, span),
            ExpressionKind::Weighted { body, weight } => self.weighted(body, weight, span),
        }
    }

    fn name(&mut self, name: &str, span: Span) -> Option<Typed> {
        if let Some(meaning) = self.meaning(name) {
            return meaning;
        }
        match self.study.column(name).filter(|column| self.inputs.contains(column)) {
            Some(column) => Some(match self.study.columns[column].domain {
                Domain::Number { .. } | Domain::Date { .. } => Typed::Number(self.row_column(column, span)),
                Domain::Category { .. } => Typed::Category(column),
                Domain::Vector { .. } => Typed::Vector(column),
            }),
            None => {
                self.unknown_name(name, span);
                None
            }
        }
    }

    fn unknown_name(&mut self, name: &str, span: Span) {
        let help = match self.study.column(name) {
            Some(column) => {
                format!("add the line: input {} : {}", quote(name), self.study.columns[column].declaration())
            }
            None => {
                let inputs: Vec<_> = self.inputs.iter().map(|i| self.study.columns[*i].clone()).collect();
                let names = inputs.iter().map(|column| column.name.as_str()).chain(self.defined());
                match similar(name, names) {
                    Some(close) => format!("did you mean {}?", quote(close)),
                    None if inputs.is_empty() => "declare columns with `input` first".to_owned(),
                    None => format!("the circuit's inputs are {}", list(&inputs)),
                }
            }
        };
        self.refuse(
            Diagnostic::new(span, format!("unknown column {}", quote(name)), "not an input").help(help),
        );
    }

    fn unary(&mut self, operator: Unary, operand: &Expression, span: Span) -> Option<Typed> {
        let minus_one = Quantity::ONE.checked_neg()?;
        let typed = match (operator, self.expression(operand)?) {
            (Unary::Not, typed) => self.as_truth(typed, operand.span),
            (_, typed) => typed,
        };
        match (operator, typed) {
            (Unary::Not, Typed::Truth(value)) => {
                Some(Typed::Truth(RowTruth { kind: RowTruthKind::Not(Arc::new(value)), span }))
            }
            (Unary::Not, Typed::Aggregate(value)) if value.is_truth => {
                let table = value.table.clone();
                let kind = AggregateKind::Not(Box::new(value));
                Some(Typed::Aggregate(Aggregate { kind, span, is_truth: true, table }))
            }
            (Unary::Plus, typed @ (Typed::Constant(..) | Typed::Number(_))) => Some(typed),
            (Unary::Plus, Typed::Aggregate(value)) if !value.is_truth => Some(Typed::Aggregate(value)),
            (Unary::Negate, Typed::Constant(value, _)) => Some(Typed::Constant(value.checked_neg()?, span)),
            (Unary::Negate, typed) => {
                self.arithmetic(Binary::Multiply, Typed::Constant(minus_one, operand.span), typed, span)
            }
            (operator, typed) => {
                let expected = if operator == Unary::Not { "a truth value" } else { "a number" };
                self.refuse(
                    Diagnostic::new(operand.span, format!("this is {typed}"), format!("expected {expected}"))
                        .help("`not` takes comparisons; signs take numbers"),
                );
                None
            }
        }
    }

    fn arithmetic(&mut self, operator: Binary, left: Typed, right: Typed, span: Span) -> Option<Typed> {
        match (left, right) {
            (Typed::Constant(a, _), Typed::Constant(b, _)) => self.fold(operator, a, b, span),
            (Typed::Number(a), Typed::Number(b)) => self.row_arithmetic(operator, a, b, span),
            (Typed::Number(a), Typed::Constant(b, place)) => {
                let b = self.row_constant(b, place);
                self.row_arithmetic(operator, a, b, span)
            }
            (Typed::Constant(a, place), Typed::Number(b)) => {
                let a = self.row_constant(a, place);
                self.row_arithmetic(operator, a, b, span)
            }
            (left, right) => {
                let (left, right) = self.both_aggregates(left, right, false, operator.symbol(), span)?;
                self.combined(operator, left, right, span)
            }
        }
    }

    fn fold(&mut self, operator: Binary, a: Quantity, b: Quantity, span: Span) -> Option<Typed> {
        let value = match operator {
            Binary::Add => a.checked_add(&b),
            Binary::Subtract => a.checked_sub(&b),
            Binary::Multiply => a.checked_mul(&b),
            _ if b == Quantity::ZERO => {
                self.refuse(Diagnostic::new(span, "division by zero", "the divisor is zero"));
                return None;
            }
            _ => a.checked_div(&b),
        };
        if value.is_none() {
            self.refuse(super::overflow(span, None, quorate_field::FieldId::F256, self.rows_max));
        }
        Some(Typed::Constant(value?, span))
    }

    fn row_arithmetic(&mut self, operator: Binary, a: RowNumber, b: RowNumber, span: Span) -> Option<Typed> {
        let number = match operator {
            Binary::Add => self.row_add(a, b, span),
            Binary::Subtract => {
                let place = b.span;
                let negative = self.row_scale(b, Quantity::ONE.checked_neg()?, place)?;
                self.row_add(a, negative, span)
            }
            Binary::Multiply => self.row_multiply(a, b, span),
            _ => match b.kind {
                RowNumberKind::Constant(divisor) if divisor != Quantity::ZERO => {
                    self.row_scale(a, Quantity::ONE.checked_div(&divisor)?, span)
                }
                RowNumberKind::Constant(_) => {
                    self.refuse(Diagnostic::new(b.span, "division by zero", "the divisor is zero"));
                    None
                }
                _ => {
                    self.refuse(
                        Diagnostic::new(
                            span,
                            "a row's value cannot be a divisor",
                            "division by a row's value",
                        )
                        .help("divide aggregates, sum(a) / sum(b), or compare products, a > 2 * b"),
                    );
                    None
                }
            },
        };
        number.map(Typed::Number)
    }

    fn logic(&mut self, operator: Binary, left: Typed, right: Typed, span: Span) -> Option<Typed> {
        if let (Typed::Truth(_), Typed::Truth(_)) = (&left, &right) {
            let (Typed::Truth(a), Typed::Truth(b)) = (left, right) else { return None };
            let (a, b) = (Arc::new(a), Arc::new(b));
            let kind = if operator == Binary::And { RowTruthKind::And(a, b) } else { RowTruthKind::Or(a, b) };
            return Some(Typed::Truth(RowTruth { kind, span }));
        }
        let (left, right) = self.both_aggregates(left, right, true, operator.symbol(), span)?;
        self.combined(operator, left, right, span)
    }

    fn comparison(
        &mut self,
        comparison: Comparison,
        left: &Expression,
        right: &Expression,
        span: Span,
    ) -> Option<Typed> {
        if let Some(result) = self.category_comparison(comparison, left, right, span) {
            return result.map(Typed::Truth);
        }
        let (left, right) = (self.expression(left), self.expression(right));
        let (left, right) = match (left?, right?) {
            (Typed::Constant(..), Typed::Constant(..)) => {
                self.refuse(
                    Diagnostic::new(span, "this compares two constants", "always the same").help("remove it"),
                );
                return None;
            }
            (Typed::Number(a), Typed::Constant(b, place)) => (a, self.row_constant(b, place)),
            (Typed::Constant(a, place), Typed::Number(b)) => (self.row_constant(a, place), b),
            (Typed::Number(a), Typed::Number(b)) => (a, b),
            (left, right) => {
                let (left, right) = self.both_aggregates(left, right, false, comparison.symbol(), span)?;
                return self.combined(Binary::Compare(comparison), left, right, span);
            }
        };
        self.row_difference_fits(&left, &right, span)?;
        let kind = RowTruthKind::Compare(comparison, Arc::new(left), Arc::new(right));
        Some(Typed::Truth(RowTruth { kind, span }))
    }

    /// Both sides as aggregates of one kind, constants included.
    fn both_aggregates(
        &mut self,
        left: Typed,
        right: Typed,
        is_truth: bool,
        operator: &str,
        span: Span,
    ) -> Option<(Aggregate, Aggregate)> {
        let label = format!("{left} and {right}");
        let is_mixed = matches!((&left, &right), (Typed::Aggregate(_), row) | (row, Typed::Aggregate(_))
            if !matches!(row, Typed::Aggregate(_) | Typed::Constant(..)));
        let is_fit = |side: &Typed| matches!(side, Typed::Aggregate(side) if side.is_fit());
        let has_fit = is_fit(&left) || is_fit(&right);
        let has_vector = is_vector(&left) || is_vector(&right);
        match (as_aggregate(left), as_aggregate(right)) {
            (Some(left), Some(right))
                if !has_fit && !has_vector && left.is_truth == is_truth && right.is_truth == is_truth =>
            {
                self.common_table(&left, &right, span)?;
                Some((left, right))
            }
            _ => {
                let help = if has_vector {
                    "vectors are added up as they are: reveal sum(g) or mean(g), and compute with its numbers then"
                } else if has_fit {
                    "a fitted model or a test is revealed as it is"
                } else if is_mixed {
                    "a row's value and an aggregate do not mix: make it sum(...), mean(...) or count(...) first"
                } else if is_truth {
                    "`and`, `or` and `not` take comparisons of one kind: of rows, or of aggregates"
                } else {
                    "arithmetic and comparisons take numbers; a category is compared with one of its labels"
                };
                self.refuse(
                    Diagnostic::new(span, format!("`{operator}` cannot join these"), label).help(help),
                );
                None
            }
        }
    }

    fn combined(&mut self, operator: Binary, left: Aggregate, right: Aggregate, span: Span) -> Option<Typed> {
        let is_truth = matches!(operator, Binary::Compare(_) | Binary::And | Binary::Or);
        let table = self.common_table(&left, &right, span)?;
        let kind = AggregateKind::Binary(operator, Box::new(left), Box::new(right));
        Some(Typed::Aggregate(Aggregate { kind, span, is_truth, table }))
    }

    fn choice(
        &mut self,
        condition: &Expression,
        yes: &Expression,
        no: &Expression,
        span: Span,
    ) -> Option<Typed> {
        let places = [condition.span, yes.span, no.span];
        let typed = [condition, yes, no].map(|part| self.expression(part));
        let [condition, yes, no] = typed;
        let (condition, yes, no) = (condition?, yes?, no?);
        let condition = self.as_truth(condition, places[0]);
        let (yes, no) = match (self.as_truth(yes.clone(), places[1]), self.as_truth(no.clone(), places[2])) {
            (Typed::Truth(yes), Typed::Truth(no)) => (Typed::Truth(yes), Typed::Truth(no)),
            _ => (yes, no),
        };
        match (condition, yes, no) {
            (Typed::Truth(condition), Typed::Truth(yes), Typed::Truth(no)) => {
                let kind = RowTruthKind::If(Arc::new(condition), Arc::new(yes), Arc::new(no));
                Some(Typed::Truth(RowTruth { kind, span }))
            }
            (Typed::Truth(condition), yes, no) => {
                let (yes, no) = (self.as_row(yes), self.as_row(no));
                let (Some(yes), Some(no)) = (yes, no) else {
                    self.refuse(
                        Diagnostic::new(
                            span,
                            "the two branches are not of the same kind",
                            "expected two row numbers",
                        )
                        .help("give numbers of the row, or constants, in both branches"),
                    );
                    return None;
                };
                self.row_if(condition, (yes, no), span).map(Typed::Number)
            }
            (Typed::Aggregate(condition), yes, no) if condition.is_truth => {
                let is_truth = matches!(&yes, Typed::Aggregate(yes) if yes.is_truth);
                let (yes, no) = self.both_aggregates(yes, no, is_truth, "if", span)?;
                self.common_table(&yes, &no, span)?;
                let branch = if yes.table.is_empty() { &no } else { &yes };
                let table = self.common_table(&condition, branch, span)?;
                let kind = AggregateKind::If(Box::new(condition), Box::new(yes), Box::new(no));
                Some(Typed::Aggregate(Aggregate { kind, span, is_truth, table }))
            }
            (condition, ..) => {
                let message = format!("this is {condition}");
                self.refuse(
                    Diagnostic::new(places[0], message, "expected a truth value").help("write a comparison"),
                );
                None
            }
        }
    }

    /// By what a table is that is computed of two aggregates cell by cell.
    fn common_table(&mut self, left: &Aggregate, right: &Aggregate, span: Span) -> Option<Vec<usize>> {
        if left.table == right.table || right.table.is_empty() {
            return Some(left.table.clone());
        }
        if left.table.is_empty() {
            return Some(right.table.clone());
        }
        self.refuse(
            Diagnostic::new(span, "these are tables by different groups", "cell by cell is not defined")
                .help("use the same `by` on both sides"),
        );
        None
    }

    pub(super) fn as_row(&mut self, typed: Typed) -> Option<RowNumber> {
        match typed {
            Typed::Number(number) => Some(number),
            Typed::Constant(value, span) => Some(self.row_constant(value, span)),
            _ => None,
        }
    }
}

/// Whether it is a row's vector or a sum of them.
fn is_vector(typed: &Typed) -> bool {
    match typed {
        Typed::Vector(_) => true,
        Typed::Aggregate(aggregate) => aggregate.is_vector(),
        _ => false,
    }
}

fn as_aggregate(typed: Typed) -> Option<Aggregate> {
    match typed {
        Typed::Aggregate(aggregate) => Some(aggregate),
        Typed::Constant(value, span) => Some(Aggregate::number(AggregateKind::Constant(value), span)),
        _ => None,
    }
}
