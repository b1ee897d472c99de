//! The line of column names.

use std::borrow::Cow;
use std::collections::BTreeMap;

use csv::ByteRecord;
use quorate_circuit::Column;

use super::Places;
use crate::{ContributeError, nearest};

/// Names of the table that a message lists at most.
const SHOWN: usize = 20;

/// Where in a row of the table each of `columns` stands, and the column `by`.
pub(super) fn places(
    columns: &[Column],
    by: Option<&str>,
    header: &ByteRecord,
) -> Result<Places, ContributeError> {
    let names: Vec<&str> = header
        .iter()
        .map(|name| std::str::from_utf8(name).map(str::trim))
        .collect::<Result<_, _>>()
        .map_err(|_| ContributeError::HeaderNotUtf8)?;
    if names.iter().all(|name| name.is_empty()) {
        return Err(ContributeError::Empty);
    }
    let mut places: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    names.iter().enumerate().for_each(|(place, name)| places.entry(name).or_default().push(place));
    let place = |name: &str| place(name, &places, &names);
    let cells = columns.iter().flat_map(|column| (0..column.width()).map(move |element| (column, element)));
    let columns =
        cells.map(|(column, element)| place(&name_of(column, element))).collect::<Result<_, _>>()?;
    let by = by.map(|name| Ok((name.to_owned(), place(name)?))).transpose()?;
    Ok(Places { columns, by, width: names.len() })
}

/// What a column is called in the text: of a vector, each element has a column there, `g.0` the first.
pub(super) fn name_of(column: &Column, element: usize) -> Cow<'_, str> {
    match column.is_vector() {
        true => format!("{}.{element}", column.name).into(),
        false => column.name.as_str().into(),
    }
}

fn place(name: &str, places: &BTreeMap<&str, Vec<usize>>, names: &[&str]) -> Result<usize, ContributeError> {
    match places.get(name).map(Vec::as_slice) {
        Some([place]) => Ok(*place),
        Some([first, second, ..]) => Err(ContributeError::RepeatedColumn {
            name: name.to_owned(),
            first: first + 1,
            second: second + 1,
        }),
        _ => Err(ContributeError::MissingColumn {
            name: name.to_owned(),
            found: names.iter().take(SHOWN).map(|found| shown(found)).collect(),
            nearest: nearest(name, names.iter().copied()).map(shown),
        }),
    }
}

fn shown(name: &str) -> String {
    name.chars().take(64).collect()
}
