//! Generated tables: uniform values of whatever a circuit's inputs declare, the same every time.

use quorate_circuit::{Column, Domain, Quantity, Rounding};
use quorate_contribute::{BadRowsPolicy, Table};
use quorate_field::Integer;
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

use crate::failure::Failure;

/// One of so many values of a column that may be blank is.
const BLANK_EVERY: u64 = 10;

/// A table of `rows` rows for these inputs.
pub(super) fn table(inputs: &[Column], rows: u32) -> Result<Table, Failure> {
    let failed = |error: csv::Error| Failure::Output(error.into());
    let columns: Vec<&Column> = inputs.iter().filter(|column| !column.is_presence()).collect();
    let mut rng = ChaCha20Rng::from_seed([3; 32]);
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record(columns.iter().flat_map(|column| headings(column))).map_err(failed)?;
    for _ in 0..rows {
        csv.write_record(columns.iter().flat_map(|column| cells(column, &mut rng))).map_err(failed)?;
    }
    let text = csv.into_inner().map_err(|error| Failure::Output(error.into_error()))?;
    Table::read(inputs, text.as_slice(), Rounding::Exact, BadRowsPolicy::Refuse)
        .map_err(|error| Failure::Table { path: "generated numbers".into(), error })
}

/// The headings of a column: of a vector, one for each element.
fn headings(column: &Column) -> Vec<String> {
    match column.domain {
        Domain::Vector { length, .. } => {
            (0..length).map(|index| format!("{}.{index}", column.name)).collect()
        }
        _ => vec![column.name.clone()],
    }
}

/// The cells of a row below them.
fn cells(column: &Column, rng: &mut ChaCha20Rng) -> Vec<String> {
    let Domain::Vector { min, max, .. } = &column.domain else { return vec![value(column, rng)] };
    let mut elements: Vec<Integer> = (0..column.width()).map(|_| between(min, max, rng)).collect();
    if let Some(norm) = column.norm() {
        norm.shorten(&mut elements);
    }
    elements.into_iter().map(|element| number(element, column)).collect()
}

/// A number of the column in the words of a table.
fn number(value: Integer, column: &Column) -> String {
    Quantity::new(value, column.domain.scale()).map_or_else(String::new, |value| value.to_string())
}

/// A value in the words of a table.
fn value(column: &Column, rng: &mut ChaCha20Rng) -> String {
    if column.is_optional() && rng.next_u64().is_multiple_of(BLANK_EVERY) {
        return String::new();
    }
    match &column.domain {
        Domain::Category { labels } => {
            let index = rng.next_u64() % labels.len().max(1) as u64;
            usize::try_from(index).ok().and_then(|index| labels.get(index)).cloned().unwrap_or_default()
        }
        Domain::Number { min, max, .. } | Domain::Vector { min, max, .. } => {
            number(between(min, max, rng), column)
        }
        Domain::Date { min, max } => {
            let day = between(min, max, rng);
            let both = Domain::Date { min: day, max: day }.to_string();
            both.split(' ').next().unwrap_or_default().to_owned()
        }
    }
}

/// One of `min ..= max`; of an interval of more than 2^64 values, one of the first so many.
fn between(min: &Integer, max: &Integer, rng: &mut ChaCha20Rng) -> Integer {
    let width =
        max.checked_sub(min).and_then(|width| width.to_i128()).and_then(|width| u64::try_from(width).ok());
    let drawn = rng.next_u64();
    // A remainder is uniform enough for costs.
    let step = width.and_then(|width| width.checked_add(1)).map_or(drawn, |count| drawn % count);
    min.checked_add(&Integer::from(step)).unwrap_or(*min)
}

#[cfg(test)]
mod tests {
    use quorate_circuit::Circuit;

    use super::*;

    #[test]
    fn every_kind_of_column_has_values_that_its_declaration_takes() {
        let text = "circuit c\ninput money : -5.00 .. 2_000.00\ninput team : \"a, b\" | c\ninput day : 2024-01-01 .. 2025-12-31\n\
                    input maybe : optional 3 .. 5\ninput steps : vector[2] of -1.0 .. 1.0\nreveal n = count()\n";
        let inputs = Circuit::parse(text).unwrap().inputs();
        let table = table(&inputs, 200).unwrap();
        assert_eq!(table.rows(), 200);
        let column = |index: usize| -> std::collections::BTreeSet<Integer> {
            (0..table.rows()).map(|row| table.row(row)[index]).collect()
        };
        assert!(column(0).len() > 150 && column(2).len() > 100, "values differ");
        assert_eq!(
            (column(1).len(), column(3).len(), column(4).len()),
            (2, 3, 2),
            "all labels, values, a blank"
        );
        let again = super::table(&inputs, 200).unwrap();
        assert_eq!(again.cells(), table.cells());
    }
}
