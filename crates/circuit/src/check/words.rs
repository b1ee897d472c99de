//! Words: row values in the circuit's words, and names like a misspelt one.

use quorate_field::Integer;

use super::tree::{Rank, RowNumber, RowNumberKind, RowTruth, RowTruthKind};
use crate::column::{Column, Domain};
use crate::syntax::quote;
use quorate_field::quantity::Quantity;

/// A row's number in words. Equal words mean equal values.
pub(crate) fn number(value: &RowNumber, columns: &[Column]) -> String {
    let inner = |value: &RowNumber| operand(value, columns);
    match &value.kind {
        RowNumberKind::Constant(value) => constant(value),
        RowNumberKind::Column(column) => quote(&columns[*column].name),
        RowNumberKind::Add(left, right) => format!("{} + {}", inner(left), inner(right)),
        RowNumberKind::Scale(value, factor) => format!("{} * {}", constant(factor), inner(value)),
        RowNumberKind::Multiply(left, right) => format!("{} * {}", inner(left), inner(right)),
        RowNumberKind::If(condition, yes, no) => {
            format!("if {} then {} else {}", truth(condition, columns), inner(yes), inner(no))
        }
    }
}

/// The square of a row's number in words.
pub(super) fn square(value: &RowNumber, columns: &[Column]) -> String {
    format!("{}^2", operand(value, columns))
}

/// An order statistic in words, of a number in words and which rows: equal words mean equal values.
pub(super) fn quantile(number: &str, rank: Rank) -> String {
    let half = Quantity::new(Integer::ONE, Integer::from(2_u64));
    match rank {
        Rank::Least => format!("min({number})"),
        Rank::Share(share) if share == Quantity::ONE => format!("max({number})"),
        Rank::Share(share) if Some(share) == half => format!("median({number})"),
        Rank::Share(share) => format!("quantile({number}, {})", constant(&share)),
    }
}

fn operand(value: &RowNumber, columns: &[Column]) -> String {
    match value.kind {
        RowNumberKind::Column(_) | RowNumberKind::Constant(_) => number(value, columns),
        _ => format!("({})", number(value, columns)),
    }
}

/// A row's truth value in words. Equal words mean equal values.
pub(crate) fn truth(value: &RowTruth, columns: &[Column]) -> String {
    let inner = |value: &RowTruth| match value.kind {
        RowTruthKind::Is(..) | RowTruthKind::Same(..) | RowTruthKind::Compare(..) => truth(value, columns),
        RowTruthKind::Present(_) => truth(value, columns),
        _ => format!("({})", truth(value, columns)),
    };
    let name = |column: &usize| quote(&columns[*column].name);
    match &value.kind {
        RowTruthKind::Compare(comparison, left, right) => {
            format!("{} {} {}", number(left, columns), comparison.symbol(), number(right, columns))
        }
        RowTruthKind::Is(column, label) => {
            format!("{} == {}", name(column), label_text(&columns[*column], *label))
        }
        RowTruthKind::Same(left, right) => format!("{} == {}", name(left), name(right)),
        RowTruthKind::And(left, right) => format!("{} and {}", inner(left), inner(right)),
        RowTruthKind::Or(left, right) => format!("{} or {}", inner(left), inner(right)),
        RowTruthKind::Not(value) => match &value.kind {
            RowTruthKind::Present(column) => format!("{} is missing", name(column)),
            RowTruthKind::Known(value) => format!("{} is missing", inner(value)),
            _ => format!("not {}", inner(value)),
        },
        // No name reads like these: one with spaces is in quotes.
        RowTruthKind::Present(column) => format!("{} is there", name(column)),
        RowTruthKind::Known(value) => format!("{} is known", inner(value)),
        RowTruthKind::If(condition, yes, no) => {
            format!("if {} then {} else {}", inner(condition), inner(yes), inner(no))
        }
    }
}

fn label_text(column: &Column, label: usize) -> String {
    match &column.domain {
        Domain::Category { labels } => labels.get(label).map_or_else(String::new, |label| quote(label)),
        Domain::Number { .. } | Domain::Date { .. } | Domain::Vector { .. } => label.to_string(),
    }
}

/// Exact: `Display` may round.
pub(super) fn constant(value: &Quantity) -> String {
    if value.denominator() == Integer::ONE {
        value.numerator().to_string()
    } else {
        format!("{}/{}", value.numerator(), value.denominator())
    }
}

/// The name among `names` that `name` is most likely meant to be, if any is close.
pub(crate) fn similar<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = 1 + name.chars().count() / 4;
    let distance = |other: &str| edit_distance(&name.to_lowercase(), &other.to_lowercase());
    names
        .map(|other| (distance(other), other))
        .filter(|(d, _)| *d <= allowed)
        .min_by_key(|(d, _)| *d)
        .map(|(_, n)| n)
}

/// Insertions, deletions and replacements between two words (Levenshtein 1966).
fn edit_distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, l) in left.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, r) in right.iter().enumerate() {
            let replaced = diagonal + usize::from(l != *r);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[right.len()]
}
