//! A table of private values: CSV text, checked against the columns of a study.
//!
//! Columns are found by the names in the first line; others are ignored. Every cell is read as its column declares it
//! ([`Column::encode`]); more decimals than declared are rounded half to even and counted. The whole table is read
//! before anything is used, so that one bad row at the end still means that nothing was sent. The values are the
//! contributor's own; `Debug` shows none of them.
//!
//! A column that may be blank is one column of the text and two of the table: the value, which is the least of the domain
//! for a blank, and whether there is one. A vector has a column of the text for each element, `g.0`, `g.1` and so on, or a
//! file of its own, from which it is read when it is wanted.

mod bad_rows;
mod header;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::io::Read;
use std::ops::Range;

use csv::{ByteRecord, ErrorKind, ReaderBuilder};
use quorate_circuit::{Column, Quantity, Rounding};
use quorate_field::Integer;

pub use bad_rows::{BadRow, BadRowReason, BadRows};

use crate::vector::Vectors;
use crate::{Clipped, Clipping, ContributeError, Grouping, VectorFile};

/// What to do with rows that are no values of the columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadRowsPolicy {
    /// Any of them is an error.
    Refuse,
    /// They are left out and counted.
    Skip,
}

/// Rows of integers, one per stored column of the study and element of a vector.
pub struct Table {
    /// Cells of a row that are here.
    columns: usize,
    cells: Vec<Integer>,
    /// Cells that are in files: before which cell of a row they stand, and what they are.
    vectors: Vec<(usize, Vectors)>,
    numbers: Vec<u64>,
    /// Rows of the text, those that were skipped included.
    rows_read: u64,
    /// The rows of each contributor, if a column says whose they are.
    blocks: Option<Vec<Range<usize>>>,
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

/// Where the columns stand in a row of the text.
struct Places {
    /// In the columns' order, each element of a vector for itself.
    columns: Vec<usize>,
    /// The column that says whose row it is.
    by: Option<(String, usize)>,
    /// Cells of a row.
    width: usize,
}

impl Table {
    /// Reads CSV text. `columns` are the study's, in its order, declared or stored.
    ///
    /// # Errors
    /// The contributor's file does not fit the columns; the reading itself failed.
    pub fn read(
        columns: &[Column],
        input: impl Read,
        rounding: Rounding,
        policy: BadRowsPolicy,
    ) -> Result<Table, ContributeError> {
        Table::read_by(columns, None, input, rounding, policy)
    }

    /// The same where the column `by` of the text says who contributes a row: rows that have the same there, surrounding
    /// white space aside, become neighbours, and are one contributor's block. What it says is not kept.
    ///
    /// # Errors
    /// As [`Table::read`]; a row of nobody is a bad one.
    pub fn read_by(
        columns: &[Column],
        by: Option<&str>,
        input: impl Read,
        rounding: Rounding,
        policy: BadRowsPolicy,
    ) -> Result<Table, ContributeError> {
        let columns: Vec<Column> = columns.iter().filter(|column| !column.is_presence()).cloned().collect();
        let columns = columns.as_slice();
        let mut reader = ReaderBuilder::new().flexible(true).from_reader(input);
        let header = reader.byte_headers().map_err(unreadable)?.clone();
        let places = header::places(columns, by, &header)?;
        let mut contributors = Contributors::default();
        let mut table = Table {
            columns: cells_per_row(columns),
            cells: Vec::new(),
            vectors: Vec::new(),
            numbers: Vec::new(),
            rows_read: 0,
            blocks: None,
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
            match table.push_row(columns, &places, &record, &mut rounding) {
                Ok(contributor) => {
                    contributors.note(contributor);
                    table.numbers.push(number);
                }
                Err(reason) => {
                    table.cells.truncate(kept);
                    table.skipped.push(BadRow { row: number, line, reason });
                }
            }
        }
        table.rows_read = number;
        if policy == BadRowsPolicy::Refuse && table.skipped.count > 0 {
            return Err(ContributeError::BadRows { bad: table.skipped });
        }
        if table.numbers.is_empty() {
            return Err(ContributeError::NoRows { skipped: table.skipped.count });
        }
        table.rounded = rounding.finish();
        if by.is_some() {
            table.group(&contributors);
        }
        Ok(table)
    }

    /// Reads a row; whose it is.
    fn push_row<'r>(
        &mut self,
        columns: &[Column],
        places: &Places,
        record: &'r ByteRecord,
        rounding: &mut Roundings,
    ) -> Result<&'r str, BadRowReason> {
        if record.len() != places.width {
            return Err(BadRowReason::Ragged { found: record.len(), expected: places.width });
        }
        let text = |place: usize, name: &str| {
            std::str::from_utf8(&record[place]).map_err(|_| BadRowReason::NotUtf8 { column: name.to_owned() })
        };
        let mut changes = Vec::new();
        let cells = columns
            .iter()
            .enumerate()
            .flat_map(|(index, column)| (0..column.width()).map(move |element| (index, column, element)));
        for ((index, column, element), place) in cells.zip(&places.columns) {
            let cell = text(*place, &column.name)?;
            if column.is_blank(cell) {
                self.cells.extend([column.domain.interval().min, Integer::ZERO]);
                continue;
            }
            let encoded = column.encode(cell, rounding.rule).map_err(|error| BadRowReason::Cell {
                column: header::name_of(column, element).into_owned(),
                error,
            })?;
            self.cells.push(encoded.value);
            self.cells.extend(column.is_optional().then_some(Integer::ONE));
            changes.extend(encoded.rounded_by.map(|change| (index, change)));
            if element + 1 == column.width()
                && let Some(norm) = column.norm()
                && !norm.holds(&self.cells[self.cells.len() - column.width()..])
            {
                let (column, declared) = (column.name.clone(), column.declaration());
                return Err(BadRowReason::AboveNorm { column, declared });
            }
        }
        let contributor = match &places.by {
            Some((name, place)) => match text(*place, name)?.trim() {
                "" => return Err(BadRowReason::Nobody { column: name.clone() }),
                contributor => contributor,
            },
            None => "",
        };
        // Only now is the row known to be kept.
        changes.into_iter().for_each(|(index, change)| rounding.note(index, change));
        Ok(contributor)
    }

    /// Moves the rows of each contributor together, contributors and rows in the order of the text.
    fn group(&mut self, contributors: &Contributors) {
        let mut order: Vec<usize> = (0..self.rows()).collect();
        order.sort_by_key(|row| contributors.of_rows[*row]);
        let blocks = order.chunk_by(|a, b| contributors.of_rows[*a] == contributors.of_rows[*b]);
        let sizes: Vec<usize> = blocks.map(<[usize]>::len).collect();
        let starts = sizes.iter().scan(0, |end, size| {
            let start = *end;
            *end += size;
            Some(start..*end)
        });
        self.blocks = Some(starts.collect());
        self.cells = order.iter().flat_map(|row| self.row(*row)).copied().collect();
        self.numbers = order.iter().map(|row| self.numbers[*row]).collect();
    }

    /// The table of the vectors in files alone, where a study has no other columns.
    ///
    /// # Errors
    /// As [`Table::with_vectors`].
    pub fn of_vectors(
        columns: &[Column],
        files: Vec<(String, VectorFile)>,
        clipping: Clipping,
    ) -> Result<Table, ContributeError> {
        let rows_read = files.first().map_or(0, |(_, file)| file.rows());
        if rows_read == 0 {
            return Err(ContributeError::NoRows { skipped: 0 });
        }
        let table = Table {
            columns: 0,
            cells: Vec::new(),
            vectors: Vec::new(),
            numbers: (1..=rows_read).collect(),
            rows_read,
            blocks: None,
            rounded: Vec::new(),
            skipped: BadRows::default(),
        };
        table.with_vectors(columns, files, clipping)
    }

    /// The table with vectors from files, by the names of their columns: vector i of a file is row i's of the text.
    /// `columns` are the study's; those without a file are the table's own.
    ///
    /// # Errors
    /// A file is of no column of vectors, or of other vectors than the study's; a number is out of range.
    pub fn with_vectors(
        mut self,
        columns: &[Column],
        mut files: Vec<(String, VectorFile)>,
        clipping: Clipping,
    ) -> Result<Table, ContributeError> {
        let mut before = 0;
        for column in Column::stored(columns.iter().cloned()) {
            let Some(place) = files.iter().position(|(name, _)| *name == column.name) else {
                before += column.width();
                continue;
            };
            let (_, file) = files.swap_remove(place);
            let vectors = Vectors::check(file, &column, clipping)?;
            if vectors.rows() != self.rows_read {
                let (found, expected) = (vectors.rows(), self.rows_read);
                return Err(ContributeError::VectorRows { column: column.name, found, expected });
            }
            self.vectors.push((before, vectors));
        }
        assert_eq!(before, self.columns, "the columns without a file are the table's");
        match files.pop() {
            None => Ok(self),
            Some((column, _)) => {
                let vectors = columns.iter().filter(|column| column.is_vector());
                let names: Vec<&str> = vectors.map(|column| column.name.as_str()).collect();
                let declared = format!("those that have are [{}]", names.join(", "));
                Err(ContributeError::NotVectors { column, declared })
            }
        }
    }

    /// All cells of the rows of a block, row by row, those that are in files included.
    ///
    /// # Errors
    /// A file cannot be read, or is another one by now.
    pub fn block_cells(&self, rows: Range<usize>) -> Result<Cow<'_, [Integer]>, ContributeError> {
        if self.vectors.is_empty() {
            return Ok(self.cells[rows.start * self.columns..rows.end * self.columns].into());
        }
        let width = self.columns + self.vectors.iter().map(|(_, vectors)| vectors.width()).sum::<usize>();
        let mut cells = Vec::with_capacity(rows.len() * width);
        for row in rows {
            let (mut rest, mut taken) = (self.row(row), 0);
            for (before, vectors) in &self.vectors {
                let (mine, others) = rest.split_at(before - taken);
                cells.extend_from_slice(mine);
                cells.extend(vectors.read(self.numbers[row] - 1)?);
                (rest, taken) = (others, *before);
            }
            cells.extend_from_slice(rest);
        }
        Ok(cells.into())
    }

    /// What clipping did, for every column in which it did something.
    pub fn clipped(&self) -> Vec<Clipped> {
        self.vectors.iter().filter_map(|(_, vectors)| vectors.clipped()).collect()
    }

    /// The number of rows, at least one.
    pub fn rows(&self) -> usize {
        self.numbers.len()
    }

    /// How the rows become contributions: by the column that the table was read by, or each for itself.
    pub fn grouping(&self) -> Grouping {
        if self.blocks.is_some() { Grouping::ByColumn } else { Grouping::EachRow }
    }

    /// The rows of contribution `index`, from 0, in a grouping; `None` behind the last.
    pub fn block(&self, grouping: Grouping, index: usize) -> Option<Range<usize>> {
        match grouping {
            Grouping::EachRow => (index < self.rows()).then_some(index..index + 1),
            Grouping::OneBlock => (index == 0).then_some(0..self.rows()),
            Grouping::ByColumn => self.blocks.as_ref()?.get(index).cloned(),
        }
    }

    /// The number of contributions in a grouping.
    pub fn contributions(&self, grouping: Grouping) -> usize {
        match grouping {
            Grouping::EachRow => self.rows(),
            Grouping::OneBlock => 1,
            Grouping::ByColumn => self.blocks.as_ref().map_or(0, Vec::len),
        }
    }

    /// The most rows of a contribution in a grouping.
    pub fn largest_block(&self, grouping: Grouping) -> usize {
        match grouping {
            Grouping::EachRow => 1,
            Grouping::OneBlock => self.rows(),
            Grouping::ByColumn => self.blocks.iter().flatten().map(Range::len).max().unwrap_or(0),
        }
    }

    /// The number of a row's cells that are not in files.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Row `index`, from 0: one integer per stored column and element that is not in a file.
    pub fn row(&self, index: usize) -> &[Integer] {
        &self.cells[index * self.columns..][..self.columns]
    }

    /// All cells that are not in files, row by row.
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
        let in_files: usize = self.vectors.iter().map(|(_, vectors)| vectors.width()).sum();
        8 * (self.cells.len() as u64 + (self.rows() * in_files) as u64)
    }
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Table({} rows of {} columns)", self.rows(), self.columns)
    }
}

/// Cells of a row of columns as they are declared.
fn cells_per_row(columns: &[Column]) -> usize {
    Column::stored(columns.iter().cloned()).iter().map(Column::width).sum()
}

/// Whose rows they are, by the order of first appearance.
#[derive(Default)]
struct Contributors {
    numbers: BTreeMap<String, usize>,
    of_rows: Vec<usize>,
}

impl Contributors {
    fn note(&mut self, contributor: &str) {
        let next = self.numbers.len();
        let number = match self.numbers.get(contributor) {
            Some(known) => *known,
            None => {
                self.numbers.insert(contributor.to_owned(), next);
                next
            }
        };
        self.of_rows.push(number);
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
