//! The oracle: checked circuits evaluated as their text says, rational numbers all the way, blanks as missing values.
//!
//! Exact but for square roots that are not rational and numbers beyond 512 bits, which become doubles.

use std::cmp::Ordering;
use std::sync::Arc;

use quorate_field::Integer;

use super::disclosure::Accepted;
use crate::check::blank::{is_in_number, is_in_truth};
use crate::check::form::Form;
use crate::check::tree::{
    Aggregate, AggregateKind, Of, Rank, RowNumber, RowNumberKind, RowTruth, RowTruthKind, RowValue, Total,
};
use crate::check::{Checked, CheckedReveal, Forms};
use crate::column::Column;
use crate::program::{Number, Outcome, Statistic, Undefined, Vector};
use crate::syntax::{Binary, Comparison};
use quorate_field::quantity::Quantity;

/// The results of a checked circuit, by name, for a table of encoded columns, all of one number of rows, in the study's order;
/// a row of a column of vectors is as many cells.
///
/// The table fits the study the circuit was checked on: the caller's to see to.
pub fn oracle(checked: &Checked, table: &[Vec<Integer>]) -> Vec<(String, Outcome)> {
    let oracle = Oracle { checked, table };
    let accepted = Accepted::of(&oracle, oracle.rows());
    let outcome = |reveal: &CheckedReveal| (reveal.name.clone(), oracle.outcome(reveal, &accepted));
    checked.reveals.iter().map(outcome).collect()
}

pub(super) struct Oracle<'a> {
    pub(super) checked: &'a Checked,
    table: &'a [Vec<Integer>],
}

/// The rows that an aggregate is over.
#[derive(Clone, Copy)]
struct Over<'a> {
    rows: &'a [usize],
    /// Whether they are all, so that their number is known to everybody.
    is_all: bool,
    /// The cell that is meant: for each grouping of the table, which of its groups.
    cell: &'a [(usize, usize)],
}

/// A value on the way.
#[derive(Clone, Copy)]
enum Value {
    Number(Number),
    Truth(bool),
}

impl Oracle<'_> {
    /// How many rows there are.
    fn rows(&self) -> usize {
        let first = self.table.first().zip(self.checked.columns.first());
        first.map_or(0, |(cells, column)| cells.len() / column.width())
    }

    /// The sum or mean of vectors.
    fn vector(&self, column: usize, total: Total) -> Outcome {
        let Column { domain, .. } = &self.checked.columns[column];
        let rows = Integer::from(self.rows() as u64);
        let mut sums = vec![Integer::ZERO; self.checked.columns[column].width()];
        for row in self.table[column].chunks_exact(sums.len()) {
            sums.iter_mut().zip(row).for_each(|(sum, cell)| *sum = sum.checked_add(cell).unwrap_or(*sum));
        }
        let divisor = match total {
            Total::Sum => Some(domain.scale()),
            Total::Mean => domain.scale().checked_mul(&rows),
        };
        let vector = divisor.and_then(|divisor| Vector::new(sums, divisor));
        vector.map_or(Outcome::Undefined(Undefined::DivisionByZero), Outcome::Vector)
    }

    fn outcome(&self, reveal: &CheckedReveal, accepted: &Accepted) -> Outcome {
        let rows: Vec<usize> = (0..self.rows()).collect();
        self.cells(reveal, &reveal.forms, accepted, &rows, &[])
    }

    /// The part of a table in which some groupings are settled.
    fn cells(
        &self,
        reveal: &CheckedReveal,
        forms: &Forms,
        accepted: &Accepted,
        rows: &[usize],
        cell: &[(usize, usize)],
    ) -> Outcome {
        let value = &reveal.value;
        match forms {
            Forms::One(form) if !accepted.shows(self, form) => Outcome::Undefined(Undefined::Suppressed),
            Forms::One(Form::Vector(column, total)) => self.vector(*column, *total),
            Forms::One(_) if value.is_fit() => self.fit(value, rows, cell),
            Forms::One(_) => match self.aggregate(value, Over { rows, is_all: true, cell }) {
                Value::Number(number) => number.outcome(),
                Value::Truth(truth) => Outcome::Truth(truth),
            },
            Forms::Table(groups) => {
                let part = |(group, (label, forms)): (usize, &(String, Forms))| {
                    let cell = [cell, &[(value.table[cell.len()], group)]].concat();
                    (label.clone(), self.cells(reveal, forms, accepted, rows, &cell))
                };
                Outcome::Table(groups.iter().enumerate().map(part).collect())
            }
        }
    }

    /// Those of the rows where a condition holds.
    fn holding(&self, condition: &RowTruth, rows: &[usize]) -> Vec<usize> {
        rows.iter().copied().filter(|row| self.truth(condition, *row) == Some(true)).collect()
    }

    /// Those of the rows where numbers are known.
    fn complete(&self, numbers: &[&RowNumber], rows: &[usize]) -> Vec<usize> {
        let is_known = |row: &usize| numbers.iter().all(|number| self.number(number, *row).is_some());
        rows.iter().copied().filter(is_known).collect()
    }

    /// Those of the rows where a truth is true or false.
    fn decided(&self, truth: &RowTruth, rows: &[usize]) -> Vec<usize> {
        rows.iter().copied().filter(|row| self.truth(truth, *row).is_some()).collect()
    }

    fn missing(&self, value: &RowValue, rows: &[usize]) -> usize {
        rows.len()
            - match value {
                RowValue::Number(number) => self.complete(&[&**number], rows).len(),
                RowValue::Truth(truth) => self.decided(truth, rows).len(),
            }
    }

    /// Who is in the group that a cell of a table has of a grouping.
    fn group(&self, grouping: usize, cell: &[(usize, usize)]) -> &RowTruth {
        let group = cell.iter().find(|(settled, _)| *settled == grouping).map_or(0, |(_, group)| *group);
        &self.checked.groupings[grouping].groups[group].1
    }

    /// A fitted statistic: conditions and groups are all that stands around it.
    fn fit(&self, value: &Aggregate, rows: &[usize], cell: &[(usize, usize)]) -> Outcome {
        let count = |rows: &[usize]| Number::Exact((rows.len() as u64).into());
        let (statistic, numbers): (_, Vec<Number>) = match &value.kind {
            AggregateKind::Where(body, condition) => {
                return self.fit(body, &self.holding(condition, rows), cell);
            }
            AggregateKind::By(body, grouping) => {
                return self.fit(body, &self.holding(self.group(*grouping, cell), rows), cell);
            }
            AggregateKind::Regression(model) => {
                let rows = &self.complete(&model.numbers.iter().collect::<Vec<_>>(), rows);
                let sums = model.numbers.iter().chain(&model.products).map(|x| self.total(x, rows, 1));
                let statistic = Statistic::Regression { names: model.names.clone() };
                (statistic, std::iter::once(count(rows)).chain(sums).collect())
            }
            AggregateKind::TTest(samples) => {
                let of_group = |(_, condition): &(String, Arc<RowTruth>)| {
                    let rows = self.complete(&[&samples.number], &self.holding(condition, rows));
                    let powers = [1, 2].map(|power| self.total(&samples.number, &rows, power));
                    [count(&rows), powers[0], powers[1]]
                };
                let groups = samples.groups.each_ref().map(|(label, _)| label.clone());
                (Statistic::TTest { groups }, samples.groups.iter().flat_map(of_group).collect())
            }
            AggregateKind::ChiSquared(crossed) => {
                let labels = |groups: &[(String, Arc<RowTruth>)]| -> Vec<String> {
                    groups.iter().map(|(label, _)| label.clone()).collect()
                };
                let mut counts = Vec::new();
                for (_, row) in &crossed.rows {
                    let holding = self.holding(row, rows);
                    counts.extend(
                        crossed.columns.iter().map(|(_, column)| count(&self.holding(column, &holding))),
                    );
                }
                (
                    Statistic::ChiSquared { rows: labels(&crossed.rows), columns: labels(&crossed.columns) },
                    counts,
                )
            }
            _ => return Outcome::Undefined(Undefined::NotDetermined),
        };
        let exact = |number: Number| match number {
            Number::Exact(quantity) => Some(quantity),
            _ => None,
        };
        let numbers = numbers.into_iter().map(exact).collect::<Option<Vec<_>>>();
        Outcome::fitted(numbers.and_then(|numbers| statistic.fit(&numbers)))
    }

    fn aggregate(&self, value: &Aggregate, over: Over<'_>) -> Value {
        let Over { rows, is_all, cell } = over;
        let count = |rows: &[usize]| Number::Exact((rows.len() as u64).into());
        Value::Number(match &value.kind {
            AggregateKind::Constant(constant) => Number::Exact(*constant),
            AggregateKind::Rows => count(rows),
            AggregateKind::Count(condition) => count(&self.holding(condition, rows)),
            AggregateKind::Share(condition) => {
                count(&self.holding(condition, rows)).divide(count(&self.decided(condition, rows)))
            }
            AggregateKind::Sum(number) => self.total(number, rows, 1),
            AggregateKind::Mean(number) => {
                self.total(number, rows, 1).divide(count(&self.complete(&[number], rows)))
            }
            AggregateKind::Missing(value) => Number::Exact((self.missing(value, rows) as u64).into()),
            AggregateKind::Complete(body, number) => {
                let rows = self.complete(&[number], rows);
                return self.aggregate(body, Over { rows: &rows, is_all: false, cell });
            }
            AggregateKind::Variance(number, of) => self.variance(number, *of, rows),
            AggregateKind::Deviation(number, of) => self.variance(number, *of, rows).root(),
            AggregateKind::Quantile(number, rank) => self.quantile(number, *rank, rows),
            AggregateKind::Covariance(pair) => {
                let rows = self.complete(&[&pair.left, &pair.right], rows);
                let sums = (self.total(&pair.left, &rows, 1), self.total(&pair.right, &rows, 1));
                let both =
                    |row: &usize| Some((self.number(&pair.left, *row)?, self.number(&pair.right, *row)?));
                let products = rows.iter().filter_map(both).map(|(left, right)| multiply(left, right));
                let products = products.fold(Number::Exact(Quantity::ZERO), add);
                spread(products, sums, Of::Sample, rows.len())
            }
            // Fitted by `fit`: the checker lets nothing be computed of it.
            // Revealed as they are.
            AggregateKind::Vector(..)
            | AggregateKind::Regression(_)
            | AggregateKind::TTest(_)
            | AggregateKind::ChiSquared(_) => count(rows),
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
                let rows = self.holding(condition, rows);
                return self.aggregate(body, Over { rows: &rows, is_all: false, cell });
            }
            AggregateKind::By(body, grouping) => {
                let rows = self.holding(self.group(*grouping, cell), rows);
                return self.aggregate(body, Over { rows: &rows, is_all: false, cell });
            }
        })
    }

    /// Whether a divisor that only the number of all rows decides is zero: that much everybody knows. How many rows have
    /// a value where there may be none is not for everybody to know.
    fn is_undefined_for_all(&self, value: &Aggregate) -> bool {
        let rows = self.table.first().map_or(0, Vec::len);
        let is_public = |number: &RowNumber| !is_in_number(number, &self.checked.columns);
        match &value.kind {
            AggregateKind::Mean(number)
            | AggregateKind::Quantile(number, _)
            | AggregateKind::Variance(number, Of::Population)
            | AggregateKind::Deviation(number, Of::Population) => rows == 0 && is_public(number),
            AggregateKind::Share(truth) => rows == 0 && !is_in_truth(truth, &self.checked.columns),
            AggregateKind::Variance(number, Of::Sample) | AggregateKind::Deviation(number, Of::Sample) => {
                rows < 2 && is_public(number)
            }
            AggregateKind::Covariance(pair) => rows < 2 && is_public(&pair.product),
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

    /// The sum of a power of a row's number, where it is known.
    fn total(&self, value: &RowNumber, rows: &[usize], power: u32) -> Number {
        let numbers = rows.iter().filter_map(|row| self.number(value, *row));
        numbers.fold(Number::Exact(Quantity::ZERO), |sum, number| {
            add(sum, (1..power).fold(number, |raised, _| multiply(raised, number)))
        })
    }

    fn variance(&self, value: &RowNumber, of: Of, rows: &[usize]) -> Number {
        let (sum, squares) = (self.total(value, rows, 1), self.total(value, rows, 2));
        spread(squares, (sum, sum), of, self.complete(&[value], rows).len())
    }

    /// The first value in order, or the first that so many rows do not exceed.
    fn quantile(&self, value: &RowNumber, rank: Rank, rows: &[usize]) -> Number {
        let mut values: Vec<Number> = rows.iter().filter_map(|row| self.number(value, *row)).collect();
        values.sort_by(|left, right| order(*left, *right).unwrap_or(Ordering::Equal));
        let is_enough = |place: usize| match rank {
            Rank::Least => true,
            Rank::Share(share) => {
                let count = |count: usize| Quantity::from(count as u64);
                let wanted = share.checked_mul(&count(values.len()));
                wanted.is_some_and(|wanted| count(place + 1).checked_cmp(&wanted) != Some(Ordering::Less))
            }
        };
        let found = (0..values.len()).find(|place| is_enough(*place));
        found.map_or(Number::Undefined(Undefined::DivisionByZero), |place| values[place])
    }

    /// Whether a column is blank in a row.
    fn is_blank(&self, column: usize, row: usize) -> bool {
        self.checked.columns[column].is_optional() && self.table[column + 1][row] == Integer::ZERO
    }

    /// A row's number; `None` if it is missing.
    fn number(&self, value: &RowNumber, row: usize) -> Option<Number> {
        let both =
            |left: &RowNumber, right: &RowNumber| Some((self.number(left, row)?, self.number(right, row)?));
        Some(match &value.kind {
            RowNumberKind::Constant(constant) => Number::Exact(*constant),
            RowNumberKind::Column(column) if self.is_blank(*column, row) => return None,
            RowNumberKind::Column(column) => {
                match Quantity::new(self.table[*column][row], self.checked.columns[*column].domain.scale()) {
                    Some(quantity) => Number::Exact(quantity),
                    None => Number::Undefined(Undefined::DivisionByZero),
                }
            }
            RowNumberKind::Add(left, right) => both(left, right).map(|(left, right)| add(left, right))?,
            RowNumberKind::Multiply(left, right) => {
                both(left, right).map(|(left, right)| multiply(left, right))?
            }
            RowNumberKind::Scale(inner, factor) => multiply(self.number(inner, row)?, Number::Exact(*factor)),
            RowNumberKind::If(condition, yes, no) => {
                return self.number(if self.truth(condition, row)? { yes } else { no }, row);
            }
        })
    }

    /// A row's truth; `None` if it is missing.
    pub(super) fn truth(&self, value: &RowTruth, row: usize) -> Option<bool> {
        match &value.kind {
            RowTruthKind::Compare(comparison, left, right) => {
                let order = order(self.number(left, row)?, self.number(right, row)?);
                Some(order.is_some_and(|order| comparison.holds(order)))
            }
            RowTruthKind::Is(column, _) if self.is_blank(*column, row) => None,
            RowTruthKind::Is(column, label) => Some(self.table[*column][row] == Integer::from(*label as u64)),
            RowTruthKind::Same(left, right) if self.is_blank(*left, row) || self.is_blank(*right, row) => {
                None
            }
            RowTruthKind::Same(left, right) => Some(self.table[*left][row] == self.table[*right][row]),
            RowTruthKind::And(left, right) => match (self.truth(left, row), self.truth(right, row)) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (left, right) => Some(left? && right?),
            },
            RowTruthKind::Or(left, right) => match (self.truth(left, row), self.truth(right, row)) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (left, right) => Some(left? || right?),
            },
            RowTruthKind::Not(inner) => Some(!self.truth(inner, row)?),
            RowTruthKind::If(condition, yes, no) => {
                self.truth(if self.truth(condition, row)? { yes } else { no }, row)
            }
            RowTruthKind::Present(column) => Some(!self.is_blank(*column, row)),
            RowTruthKind::Known(inner) => Some(self.truth(inner, row).is_some()),
        }
    }
}

/// Of a sample: `(n * sum(x*y) - sum(x) * sum(y)) / (n * (n - 1))`; of a population over `n^2`.
fn spread(products: Number, (left, right): (Number, Number), of: Of, rows: usize) -> Number {
    let exact = |quantity| Number::Exact(quantity);
    let count = exact((rows as u64).into());
    let minus = |a: Number, b: Number| a.combine(b, Quantity::checked_sub, |x, y| x - y);
    let top = minus(multiply(count, products), multiply(left, right));
    let other = match of {
        Of::Sample => minus(count, exact(Quantity::ONE)),
        Of::Population => count,
    };
    top.divide(multiply(count, other))
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
