//! A table of private values: CSV text, checked against the columns of a study.
//!
//! Columns are found by the names in the first line; others are ignored. Every cell is read as its column declares it
//! ([`Column::encode`]); more decimals than declared are rounded half to even and counted. The whole table is read
//! before anything is used, so that one bad row at the end still means that nothing was sent. The values are the
//! contributor's own; `Debug` shows none of them.

mod bad_rows;
mod header;

use std::fmt;
use std::io::Read;

use csv::{ByteRecord, ErrorKind, ReaderBuilder};
use quorate_circuit::{Column, Quantity, Rounding};
use quorate_field::Integer;

pub use bad_rows::{BadRow, BadRowReason, BadRows};

use crate::ContributeError;

/// What to do with rows that are no values of the columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadRowsPolicy {
    /// Any of them is an error.
    Refuse,
    /// They are left out and counted.
    Skip,
}

/// Rows of integers, one per column of the study.
pub struct Table {
    columns: usize,
    cells: Vec<Integer>,
    numbers: Vec<u64>,
    rounded: Vec<Rounded>,
    skipped: BadRows,
}

/// What rounding did to one column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rounded {
    /// The column.
    pub column: String,
    /// The cells that had more decimals than declared.
    pub count: u64,
    /// The largest change of a value.
    pub largest: Quantity,
}

impl Table {
    /// Reads CSV text. `columns` are the study's, in its order.
    ///
    /// # Errors
    /// The contributor's file does not fit the columns; the reading itself failed.
    pub fn read(
        columns: &[Column],
        input: impl Read,
        rounding: Rounding,
        policy: BadRowsPolicy,
    ) -> Result<Table, ContributeError> {
        let mut reader = ReaderBuilder::new().flexible(true).from_reader(input);
        let header = reader.byte_headers().map_err(unreadable)?.clone();
        let places = header::places(columns, &header)?;
        let mut table = Table {
            columns: columns.len(),
            cells: Vec::new(),
            numbers: Vec::new(),
            rounded: Vec::new(),
            skipped: BadRows::default(),
        };
        let mut rounding = Roundings::new(columns, rounding);
        let mut record = ByteRecord::new();
        let mut number = 0;
        while reader.read_byte_record(&mut record).map_err(unreadable)? {
            number += 1;
            let line = record.position().map_or(0, csv::Position::line);
            let kept = table.cells.len();
            match table.push_row(columns, &places, header.len(), &record, &mut rounding) {
                Ok(()) => table.numbers.push(number),
                Err(reason) => {
                    table.cells.truncate(kept);
                    table.skipped.push(BadRow { row: number, line, reason });
                }
            }
        }
        if policy == BadRowsPolicy::Refuse && table.skipped.count > 0 {
            return Err(ContributeError::BadRows { bad: table.skipped });
        }
        if table.numbers.is_empty() {
            return Err(ContributeError::NoRows { skipped: table.skipped.count });
        }
        table.rounded = rounding.finish();
        Ok(table)
    }

    fn push_row(
        &mut self,
        columns: &[Column],
        places: &[usize],
        width: usize,
        record: &ByteRecord,
        rounding: &mut Roundings,
    ) -> Result<(), BadRowReason> {
        if record.len() != width {
            return Err(BadRowReason::Ragged { found: record.len(), expected: width });
        }
        let mut changes = Vec::new();
        for (index, (column, place)) in columns.iter().zip(places).enumerate() {
            let cell = std::str::from_utf8(&record[*place])
                .map_err(|_| BadRowReason::NotUtf8 { column: column.name.clone() })?;
            let encoded = column
                .encode(cell, rounding.rule)
                .map_err(|error| BadRowReason::Cell { column: column.name.clone(), error })?;
            self.cells.push(encoded.value);
            changes.extend(encoded.rounded_by.map(|change| (index, change)));
        }
        // Only now is the row known to be kept.
        changes.into_iter().for_each(|(index, change)| rounding.note(index, change));
        Ok(())
    }

    /// The number of rows, at least one.
    pub fn rows(&self) -> usize {
        self.numbers.len()
    }

    /// The number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Row `index`, from 0: one integer per column.
    pub fn row(&self, index: usize) -> &[Integer] {
        &self.cells[index * self.columns..][..self.columns]
    }

    /// All cells, row by row.
    pub fn cells(&self) -> &[Integer] {
        &self.cells
    }

    /// Row `index`'s number in the file, from 1 and counting rows that were skipped.
    pub fn number(&self, index: usize) -> u64 {
        self.numbers[index]
    }

    /// What rounding did, for every column in which it did something.
    pub fn rounded(&self) -> &[Rounded] {
        &self.rounded
    }

    /// The rows that were left out.
    pub fn skipped(&self) -> &BadRows {
        &self.skipped
    }

    /// Bytes of the cells as plain numbers of eight bytes: what secrecy is compared with.
    pub fn plain_bytes(&self) -> u64 {
        self.cells.len() as u64 * 8
    }
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Table({} rows of {} columns)", self.rows(), self.columns)
    }
}

/// Rounding, counted per column.
struct Roundings {
    rule: Rounding,
    columns: Vec<Rounded>,
}

impl Roundings {
    fn new(columns: &[Column], rule: Rounding) -> Self {
        let none =
            |column: &Column| Rounded { column: column.name.clone(), count: 0, largest: Quantity::ZERO };
        Roundings { rule, columns: columns.iter().map(none).collect() }
    }

    fn note(&mut self, index: usize, change: Quantity) {
        let rounded = &mut self.columns[index];
        rounded.count += 1;
        if change.checked_cmp(&rounded.largest).is_none_or(std::cmp::Ordering::is_gt) {
            rounded.largest = change;
        }
    }

    fn finish(self) -> Vec<Rounded> {
        self.columns.into_iter().filter(|column| column.count > 0).collect()
    }
}

fn unreadable(error: csv::Error) -> ContributeError {
    let message = error.to_string();
    match error.into_kind() {
        ErrorKind::Io(source) => ContributeError::Unreadable { source },
        _ => ContributeError::Unreadable { source: std::io::Error::other(message) },
    }
}

#[cfg(test)]
mod tests;
