//! Rows that are no values of the study's columns: the first of them in full, the others counted.

use std::fmt;

use quorate_circuit::CellError;

/// Bad rows that are kept and shown.
const SHOWN: usize = 20;

/// The bad rows of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BadRows {
    /// The first twenty.
    pub shown: Vec<BadRow>,
    /// How many there are.
    pub count: u64,
}

/// One bad row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadRow {
    /// Its number, from 1; the line of column names does not count.
    pub row: u64,
    /// The line of the file in which it begins, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub reason: BadRowReason,
}

/// What can be wrong with a row.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadRowReason {
    /// More or fewer cells than the line of column names.
    #[error("{found} cells, but the first line names {expected} columns")]
    Ragged {
        /// Cells of this row.
        found: usize,
        /// Names in the first line.
        expected: usize,
    },
    /// A cell of a needed column is not text.
    #[error("column {column:?}: not UTF-8 text")]
    NotUtf8 {
        /// The column.
        column: String,
    },
    /// The cell that says whose row it is says nothing.
    #[error("column {column:?}: the cell is empty, and it is to say who contributes the row")]
    Nobody {
        /// The column.
        column: String,
    },
    /// A cell is no value of its column.
    #[error("column {column:?}: {error}")]
    Cell {
        /// The column.
        column: String,
        /// What is wrong with it.
        error: CellError,
    },
    /// A vector is longer than its column allows.
    #[error("column {column:?}: the vector is above its norm: expected {declared}")]
    AboveNorm {
        /// The column.
        column: String,
        /// What it is declared as.
        declared: String,
    },
}

impl BadRows {
    pub(super) fn push(&mut self, row: BadRow) {
        self.count += 1;
        if self.shown.len() < SHOWN {
            self.shown.push(row);
        }
    }
}

impl fmt::Display for BadRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "row {} (line {}), {}", self.row, self.line, self.reason)
    }
}

impl fmt::Display for BadRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let ([only], 1) = (self.shown.as_slice(), self.count) {
            return only.fmt(f);
        }
        write!(f, "{} rows cannot be contributed:", self.count)?;
        self.shown.iter().try_for_each(|row| write!(f, "\n  {row}"))?;
        match self.count - self.shown.len() as u64 {
            0 => Ok(()),
            more => write!(f, "\n  and {more} more"),
        }
    }
}
