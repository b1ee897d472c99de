//! Blanks: where a row's value is known, in three-valued logic.
//!
//! A number is missing where a column in it is blank; a comparison of it then neither holds nor fails; `and`, `or`, `not`
//! and `if` are Kleene's ("Introduction to Metamathematics", 1952, section 64), as in SQL: what one side alone decides is
//! known. A condition takes the rows where it is known to hold, and an aggregate of a number those where that is known.
//!
//! Where a value is known, computing with the least value of the column in place of a blank gives the same: so it is the
//! two-valued value that is computed, and this says where it counts. `Rows` of the lowering has the gates.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::tree::{RowNumber, RowNumberKind, RowTruth, RowTruthKind};
use super::words;
use crate::column::Column;

/// Conditions that all must hold, by their words: none, if it is always so.
pub(super) type Conditions = BTreeMap<String, Arc<RowTruth>>;

/// Whether a column that may be blank is read for a number.
pub(crate) fn is_in_number(value: &RowNumber, columns: &[Column]) -> bool {
    match &value.kind {
        RowNumberKind::Constant(_) => false,
        RowNumberKind::Column(column) => columns[*column].is_optional(),
        RowNumberKind::Scale(inner, _) => is_in_number(inner, columns),
        RowNumberKind::Add(left, right) | RowNumberKind::Multiply(left, right) => {
            is_in_number(left, columns) || is_in_number(right, columns)
        }
        RowNumberKind::If(condition, yes, no) => {
            is_in_truth(condition, columns) || is_in_number(yes, columns) || is_in_number(no, columns)
        }
    }
}

/// Whether a column that may be blank is read for a truth, so that it may be neither true nor false.
pub(crate) fn is_in_truth(value: &RowTruth, columns: &[Column]) -> bool {
    let is_in = |value: &RowTruth| is_in_truth(value, columns);
    match &value.kind {
        RowTruthKind::Compare(_, left, right) => is_in_number(left, columns) || is_in_number(right, columns),
        RowTruthKind::Is(column, _) => columns[*column].is_optional(),
        RowTruthKind::Same(left, right) => columns[*left].is_optional() || columns[*right].is_optional(),
        RowTruthKind::And(left, right) | RowTruthKind::Or(left, right) => is_in(left) || is_in(right),
        RowTruthKind::Not(inner) => is_in(inner),
        RowTruthKind::If(condition, yes, no) => is_in(condition) || is_in(yes) || is_in(no),
        RowTruthKind::Present(_) | RowTruthKind::Known(_) => false,
    }
}

/// Where a number is known.
pub(super) fn known_number(value: &RowNumber, columns: &[Column]) -> Conditions {
    match &value.kind {
        _ if !is_in_number(value, columns) => Conditions::new(),
        RowNumberKind::Constant(_) => Conditions::new(),
        RowNumberKind::Column(column) => present(value.span, &[*column], columns),
        RowNumberKind::Scale(inner, _) => known_number(inner, columns),
        RowNumberKind::Add(left, right) | RowNumberKind::Multiply(left, right) => {
            both(known_number(left, columns), known_number(right, columns))
        }
        RowNumberKind::If(condition, yes, no) => {
            let (yes, no) = (known_number(yes, columns), known_number(no, columns));
            let branch = chosen(condition, yes, no, columns);
            both(known_truth(condition, columns), branch)
        }
    }
}

/// Where a truth is true or false.
pub(super) fn known_truth(value: &RowTruth, columns: &[Column]) -> Conditions {
    let known = |value: &RowTruth| known_truth(value, columns);
    match &value.kind {
        _ if !is_in_truth(value, columns) => Conditions::new(),
        RowTruthKind::Compare(_, left, right) => {
            both(known_number(left, columns), known_number(right, columns))
        }
        RowTruthKind::Is(column, _) => present(value.span, &[*column], columns),
        RowTruthKind::Same(left, right) => present(value.span, &[*left, *right], columns),
        RowTruthKind::Not(inner) => known(inner),
        RowTruthKind::And(left, right) | RowTruthKind::Or(left, right) => {
            let (left, right) = (known(left), known(right));
            if is_same(&left, &right) { left } else { decided(value, columns) }
        }
        RowTruthKind::If(condition, yes, no) => {
            let (condition, yes, no) = (known(condition), known(yes), known(no));
            let is_one = is_same(&condition, &yes) && is_same(&yes, &no);
            if is_one { yes } else { decided(value, columns) }
        }
        RowTruthKind::Present(_) | RowTruthKind::Known(_) => Conditions::new(),
    }
}

/// What certainly holds where a truth does, of what [`known_number`] and [`known_truth`] ask for.
pub(super) fn implied(value: &RowTruth, columns: &[Column]) -> Conditions {
    let parts = match &value.kind {
        RowTruthKind::Present(_) | RowTruthKind::Known(_) => one(value.clone(), columns),
        _ if !is_in_truth(value, columns) => Conditions::new(),
        RowTruthKind::And(left, right) => both(implied(left, columns), implied(right, columns)),
        RowTruthKind::Or(left, right) => {
            let (left, right) = (implied(left, columns), implied(right, columns));
            left.into_iter().filter(|(words, _)| right.contains_key(words)).collect()
        }
        _ => Conditions::new(),
    };
    both(parts, known_truth(value, columns))
}

/// The conditions without which a number, as something that is added up, is 0 anyway: the lowering reads a blank as 0.
pub(super) fn zero_without(value: &RowNumber, columns: &[Column]) -> Conditions {
    match &value.kind {
        RowNumberKind::Column(_) => known_number(value, columns),
        RowNumberKind::Scale(inner, _) => zero_without(inner, columns),
        RowNumberKind::Multiply(left, right) => {
            both(zero_without(left, columns), zero_without(right, columns))
        }
        RowNumberKind::If(condition, yes, no) if no.is_zero() => {
            both(known_truth(condition, columns), zero_without(yes, columns))
        }
        _ => Conditions::new(),
    }
}

fn present(span: crate::Span, read: &[usize], columns: &[Column]) -> Conditions {
    let optional = read.iter().filter(|column| columns[**column].is_optional());
    let truth = |column: &usize| RowTruth { kind: RowTruthKind::Present(*column), span };
    optional.flat_map(|column| one(truth(column), columns)).collect()
}

/// Where a condition decides between two numbers, the one that it picks must be known.
fn chosen(condition: &Arc<RowTruth>, yes: Conditions, no: Conditions, columns: &[Column]) -> Conditions {
    if is_same(&yes, &no) {
        return yes;
    }
    let span = condition.span;
    let kind = match (all(yes, span), all(no, span)) {
        (Some(yes), Some(no)) => RowTruthKind::If(Arc::clone(condition), yes, no),
        (Some(yes), None) => {
            let fails = RowTruth { kind: RowTruthKind::Not(Arc::clone(condition)), span };
            RowTruthKind::Or(Arc::new(fails), yes)
        }
        (None, Some(no)) => RowTruthKind::Or(Arc::clone(condition), no),
        (None, None) => return Conditions::new(),
    };
    one(RowTruth { kind, span }, columns)
}

fn decided(value: &RowTruth, columns: &[Column]) -> Conditions {
    let kind = RowTruthKind::Known(Arc::new(value.clone()));
    one(RowTruth { kind, span: value.span }, columns)
}

fn one(truth: RowTruth, columns: &[Column]) -> Conditions {
    Conditions::from([(words::truth(&truth, columns), Arc::new(truth))])
}

pub(super) fn both(mut left: Conditions, right: Conditions) -> Conditions {
    right.into_iter().for_each(|(words, truth)| {
        left.entry(words).or_insert(truth);
    });
    left
}

/// All of some conditions as one; `None` if there are none.
pub(super) fn all(conditions: Conditions, span: crate::Span) -> Option<Arc<RowTruth>> {
    conditions
        .into_values()
        .reduce(|all, next| Arc::new(RowTruth { kind: RowTruthKind::And(all, next), span }))
}

fn is_same(left: &Conditions, right: &Conditions) -> bool {
    left.keys().eq(right.keys())
}
