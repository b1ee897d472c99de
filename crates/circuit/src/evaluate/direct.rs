//! The oracle: checked circuits evaluated as their text says, rational numbers all the way.
//!
//! Exact but for square roots that are not rational and numbers beyond 512 bits, which become doubles.

use std::cmp::Ordering;

use quorate_field::Integer;

use crate::check::tree::{Aggregate, AggregateKind, RowNumber, RowNumberKind, RowTruth, RowTruthKind};
use crate::check::{Checked, CheckedReveal};
use crate::column::Domain;
use crate::program::{Number, Outcome, Undefined};
use crate::quantity::Quantity;
use crate::syntax::{Binary, Comparison};

/// The results of a checked circuit, by name, for a table of encoded columns, all of one length, in the study's order.
///
/// The table fits the study the circuit was checked on: the caller's to see to.
pub fn oracle(checked: &Checked, table: &[Vec<Integer>]) -> Vec<(String, Outcome)> {
    let oracle = Oracle { checked, table };
    let outcome = |reveal: &CheckedReveal| (reveal.name.clone(), oracle.outcome(&reveal.value));
    checked.reveals.iter().map(outcome).collect()
}

struct Oracle<'a> {
    checked: &'a Checked,
    table: &'a [Vec<Integer>],
}

/// The rows that an aggregate is over.
#[derive(Clone, Copy)]
struct Over<'a> {
    rows: &'a [usize],
    /// Whether they are all, so that their number is known to everybody.
    is_all: bool,
    /// The label of the table's category that is meant.
    label: Option<usize>,
}

/// A value on the way.
#[derive(Clone, Copy)]
enum Value {
    Number(Number),
    Truth(bool),
}

impl Oracle<'_> {
    fn outcome(&self, value: &Aggregate) -> Outcome {
        let rows: Vec<usize> = (0..self.table.first().map_or(0, Vec::len)).collect();
        let one = |label| match self.aggregate(value, Over { rows: &rows, is_all: true, label }) {
            Value::Number(number) => number.outcome(),
            Value::Truth(truth) => Outcome::Truth(truth),
        };
        let domain = value.table.map(|column| &self.checked.columns[column].domain);
        match domain {
            Some(Domain::Category { labels }) => {
                let cell = |(index, label): (usize, &String)| (label.clone(), one(Some(index)));
                Outcome::Table(labels.iter().enumerate().map(cell).collect())
            }
            _ => one(None),
        }
    }

    fn aggregate(&self, value: &Aggregate, over: Over<'_>) -> Value {
        let Over { rows, is_all, label } = over;
        let count = |rows: &[usize]| Number::Exact((rows.len() as u64).into());
        let holding = |condition: &RowTruth| -> Vec<usize> {
            rows.iter().copied().filter(|row| self.truth(condition, *row)).collect()
        };
        Value::Number(match &value.kind {
            AggregateKind::Constant(constant) => Number::Exact(*constant),
            AggregateKind::Rows => count(rows),
            AggregateKind::Count(condition) => count(&holding(condition)),
            AggregateKind::Share(condition) => count(&holding(condition)).divide(count(rows)),
            AggregateKind::Sum(number) => self.total(number, rows, 1),
            AggregateKind::Mean(number) => self.total(number, rows, 1).divide(count(rows)),
            AggregateKind::Variance(number) => self.variance(number, rows),
            AggregateKind::Deviation(number) => self.variance(number, rows).root(),
            AggregateKind::Binary(operator, left, right) => {
                let values = [left, right].map(|side| self.aggregate(side, over));
                if let (Binary::Compare(_), Some(undefined)) = (operator, undefined(&values)) {
                    let is_public =
                        is_all && [left, right].into_iter().any(|side| self.is_undefined_for_all(side));
                    return if is_public { undefined } else { Value::Truth(false) };
                }
                let [left, right] = values;
                return binary(*operator, left, right);
            }
            AggregateKind::Not(inner) => match self.aggregate(inner, over) {
                Value::Truth(truth) => return Value::Truth(!truth),
                other => return other,
            },
            AggregateKind::If(condition, yes, no) => {
                let values = [condition, yes, no].map(|part| self.aggregate(part, over));
                return undefined(&values).unwrap_or(match values {
                    [Value::Truth(true), yes, _] => yes,
                    [_, _, no] => no,
                });
            }
            AggregateKind::Where(body, condition) => {
                let rows = holding(condition);
                return self.aggregate(body, Over { rows: &rows, is_all: false, label });
            }
            AggregateKind::By(body, column) => {
                let wanted = Integer::from(label.unwrap_or_default() as u64);
                let rows: Vec<_> =
                    rows.iter().copied().filter(|row| self.table[*column][*row] == wanted).collect();
                return self.aggregate(body, Over { rows: &rows, is_all: false, label });
            }
        })
    }

    /// Whether a divisor that only the number of all rows decides is zero: that much everybody knows.
    fn is_undefined_for_all(&self, value: &Aggregate) -> bool {
        let rows = self.table.first().map_or(0, Vec::len);
        match &value.kind {
            AggregateKind::Mean(_) | AggregateKind::Share(_) => rows == 0,
            AggregateKind::Variance(_) | AggregateKind::Deviation(_) => rows < 2,
            AggregateKind::Binary(operator, left, right) => {
                let is_zero = || self.public(right).is_some_and(Number::is_zero);
                let is_divided_by_zero = *operator == Binary::Divide && is_zero();
                is_divided_by_zero || self.is_undefined_for_all(left) || self.is_undefined_for_all(right)
            }
            AggregateKind::Not(inner) => self.is_undefined_for_all(inner),
            AggregateKind::If(condition, yes, no) => {
                [condition, yes, no].into_iter().any(|part| self.is_undefined_for_all(part))
            }
            _ => false,
        }
    }

    /// A number that everybody knows, if it is one.
    fn public(&self, value: &Aggregate) -> Option<Number> {
        match &value.kind {
            AggregateKind::Constant(constant) => Some(Number::Exact(*constant)),
            AggregateKind::Rows => {
                let rows = self.table.first().map_or(0, Vec::len);
                Some(Number::Exact((rows as u64).into()))
            }
            AggregateKind::Binary(operator, left, right) => {
                let (left, right) = (Value::Number(self.public(left)?), Value::Number(self.public(right)?));
                Some(number(binary(*operator, left, right)))
            }
            _ => None,
        }
    }

    /// The sum of a power of a row's number.
    fn total(&self, value: &RowNumber, rows: &[usize], power: u32) -> Number {
        rows.iter().fold(Number::Exact(Quantity::ZERO), |sum, row| {
            let number = self.number(value, *row);
            let raised = (1..power).fold(number, |raised, _| multiply(raised, number));
            add(sum, raised)
        })
    }

    /// Of the sample: `(n * sum(x^2) - sum(x)^2) / (n * (n - 1))`.
    fn variance(&self, value: &RowNumber, rows: &[usize]) -> Number {
        let exact = |quantity| Number::Exact(quantity);
        let count = exact((rows.len() as u64).into());
        let (sum, squares) = (self.total(value, rows, 1), self.total(value, rows, 2));
        let minus = |a: Number, b: Number| a.combine(b, Quantity::checked_sub, |x, y| x - y);
        let top = minus(multiply(count, squares), multiply(sum, sum));
        top.divide(multiply(count, minus(count, exact(Quantity::ONE))))
    }

    fn number(&self, value: &RowNumber, row: usize) -> Number {
        match &value.kind {
            RowNumberKind::Constant(constant) => Number::Exact(*constant),
            RowNumberKind::Column(column) => {
                match Quantity::new(self.table[*column][row], self.checked.columns[*column].domain.scale()) {
                    Some(quantity) => Number::Exact(quantity),
                    None => Number::Undefined(Undefined::DivisionByZero),
                }
            }
            RowNumberKind::Add(left, right) => add(self.number(left, row), self.number(right, row)),
            RowNumberKind::Multiply(left, right) => multiply(self.number(left, row), self.number(right, row)),
            RowNumberKind::Scale(inner, factor) => multiply(self.number(inner, row), Number::Exact(*factor)),
            RowNumberKind::If(condition, yes, no) => {
                self.number(if self.truth(condition, row) { yes } else { no }, row)
            }
        }
    }

    fn truth(&self, value: &RowTruth, row: usize) -> bool {
        match &value.kind {
            RowTruthKind::Compare(comparison, left, right) => {
                order(self.number(left, row), self.number(right, row))
                    .is_some_and(|order| comparison.holds(order))
            }
            RowTruthKind::Is(column, label) => self.table[*column][row] == Integer::from(*label as u64),
            RowTruthKind::Same(left, right) => self.table[*left][row] == self.table[*right][row],
            RowTruthKind::And(left, right) => self.truth(left, row) && self.truth(right, row),
            RowTruthKind::Or(left, right) => self.truth(left, row) || self.truth(right, row),
            RowTruthKind::Not(inner) => !self.truth(inner, row),
            RowTruthKind::If(condition, yes, no) => {
                self.truth(if self.truth(condition, row) { yes } else { no }, row)
            }
        }
    }
}

/// The first value that is undefined.
fn undefined(values: &[Value]) -> Option<Value> {
    let is_undefined = |value: &&Value| matches!(value, Value::Number(Number::Undefined(_)));
    values.iter().find(is_undefined).copied()
}

fn binary(operator: Binary, left: Value, right: Value) -> Value {
    match (operator, left, right) {
        (_, Value::Number(Number::Undefined(why)), _) | (_, _, Value::Number(Number::Undefined(why))) => {
            Value::Number(Number::Undefined(why))
        }
        (Binary::And, Value::Truth(left), Value::Truth(right)) => Value::Truth(left && right),
        (Binary::Or, Value::Truth(left), Value::Truth(right)) => Value::Truth(left || right),
        (Binary::Compare(comparison), left, right) => compare(comparison, left, right),
        (operator, left, right) => {
            let (left, right) = (number(left), number(right));
            Value::Number(match operator {
                Binary::Add => add(left, right),
                Binary::Subtract => left.combine(right, Quantity::checked_sub, |x, y| x - y),
                Binary::Multiply => multiply(left, right),
                _ => left.divide(right),
            })
        }
    }
}

fn compare(comparison: Comparison, left: Value, right: Value) -> Value {
    match order(number(left), number(right)) {
        Some(order) => Value::Truth(comparison.holds(order)),
        None => Value::Number(Number::Undefined(Undefined::DivisionByZero)),
    }
}

fn order(left: Number, right: Number) -> Option<Ordering> {
    match (left, right) {
        (Number::Exact(left), Number::Exact(right)) => {
            left.checked_cmp(&right).or_else(|| left.to_f64().partial_cmp(&right.to_f64()))
        }
        (left, right) => left.to_f64().partial_cmp(&right.to_f64()),
    }
}

fn number(value: Value) -> Number {
    match value {
        Value::Number(number) => number,
        Value::Truth(truth) => Number::Exact(u64::from(truth).into()),
    }
}

fn add(left: Number, right: Number) -> Number {
    left.combine(right, Quantity::checked_add, |x, y| x + y)
}

fn multiply(left: Number, right: Number) -> Number {
    left.combine(right, Quantity::checked_mul, |x, y| x * y)
}
