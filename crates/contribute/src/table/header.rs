//! The line of column names.

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
    let columns = columns.iter().map(|column| place(&column.name, &names)).collect::<Result<_, _>>()?;
    let by = by.map(|name| Ok((name.to_owned(), place(name, &names)?))).transpose()?;
    Ok(Places { columns, by, width: names.len() })
}

fn place(name: &str, names: &[&str]) -> Result<usize, ContributeError> {
    let mut places = names.iter().enumerate().filter(|(_, found)| **found == name).map(|(place, _)| place);
    match (places.next(), places.next()) {
        (Some(place), None) => Ok(place),
        (Some(first), Some(second)) => Err(ContributeError::RepeatedColumn {
            name: name.to_owned(),
            first: first + 1,
            second: second + 1,
        }),
        (None, _) => Err(ContributeError::MissingColumn {
            name: name.to_owned(),
            found: names.iter().take(SHOWN).map(|found| shown(found)).collect(),
            nearest: nearest(name, names.iter().copied()).map(shown),
        }),
    }
}

fn shown(name: &str) -> String {
    name.chars().take(64).collect()
}
