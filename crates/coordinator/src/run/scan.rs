//! The computation of a linear run: a scan of this helper's columns, in pieces of whole rows, or of parts of a vector that is
//! longer than a piece.

use quorate_circuit::{Program, VectorSum};
use quorate_engine::linear::LinearRun;
use quorate_field::{F61, F127, F256, FieldId, NamedField, read_slice, write_slice};
use quorate_sharing::Shares;
use quorate_wire::{Elements, Manifest, Refusal};

use super::{ResultShares, hex};
use crate::context::Context;
use crate::seal::unreadable;
use crate::study::Entry;

/// The scan of the columns that the program reads, in the study's field.
pub(super) enum Scan {
    F61(Cursor<F61>),
    F127(Cursor<F127>),
    F256(Cursor<F256>),
}

pub(super) struct Cursor<F: NamedField> {
    run: LinearRun<F>,
    /// Columns still to read, the current one last.
    columns: Vec<Read>,
    /// Cells of the current column already read.
    cell: u64,
}

/// A column that is read.
#[derive(Clone, Copy)]
struct Read {
    column: u32,
    /// Cells of a row.
    width: u64,
    is_vector: bool,
}

/// Bytes of a column read in one step.
const STEP_BYTES: u64 = 4 << 20;

impl Scan {
    pub(super) fn new(program: &Program, entry: &Entry, helper: u8) -> Self {
        match entry.kept.study.field {
            FieldId::F61 => Scan::F61(Cursor::new(program, entry, helper)),
            FieldId::F127 => Scan::F127(Cursor::new(program, entry, helper)),
            FieldId::F256 => Scan::F256(Cursor::new(program, entry, helper)),
        }
    }

    /// Reads a piece of a column; whether there is more.
    pub(super) fn step(&mut self, manifest: &Manifest, cx: &Context<'_>) -> Result<bool, Refusal> {
        match self {
            Scan::F61(cursor) => cursor.step(manifest, cx),
            Scan::F127(cursor) => cursor.step(manifest, cx),
            Scan::F256(cursor) => cursor.step(manifest, cx),
        }
    }

    /// The result shares.
    pub(super) fn finish(self, program: &Program, rows: u64) -> ResultShares {
        match self {
            Scan::F61(cursor) => cursor.finish(program, rows),
            Scan::F127(cursor) => cursor.finish(program, rows),
            Scan::F256(cursor) => cursor.finish(program, rows),
        }
    }
}

impl<F: NamedField> Cursor<F> {
    fn new(program: &Program, entry: &Entry, helper: u8) -> Self {
        let number = |column| Read { column, width: 1, is_vector: false };
        let vector = |sum: &VectorSum| Read { column: sum.column, width: sum.length.into(), is_vector: true };
        let numbers = program.columns_read().into_iter().map(number);
        let columns = numbers.chain(program.vectors.iter().map(vector)).rev().collect();
        Cursor { run: LinearRun::new(program, &entry.scheme, helper), columns, cell: 0 }
    }

    fn step(&mut self, manifest: &Manifest, cx: &Context<'_>) -> Result<bool, Refusal> {
        let Some(read) = self.columns.last().copied() else { return Ok(false) };
        let Read { column, width, is_vector } = read;
        let (from, size) = (self.cell, F::BYTES as u64);
        let end = read.end_of_step(from, STEP_BYTES / size).min(manifest.rows * width);
        let bytes = cx
            .records
            .column(&manifest.study, &manifest.session, column, from * size, end * size)
            .map_err(unreadable)?
            .ok_or_else(|| unreadable(format!("column {column} of the sealed study is missing")))?;
        let shares = Shares::from_vec(read_slice::<F>(&bytes).map_err(unreadable)?);
        if is_vector {
            // Within a row, whose length is 32 bits.
            self.run.add_vectors(column, usize::try_from(from % width).map_err(unreadable)?, &shares);
        } else {
            self.run.add(column, &shares);
        }
        self.cell = end;
        if end == manifest.rows * width {
            self.columns.pop();
            self.cell = 0;
        }
        Ok(!self.columns.is_empty())
    }

    fn finish(self, program: &Program, rows: u64) -> ResultShares {
        let shares = self.run.finish(program, rows).release();
        let (outputs, mut elements) = shares.as_slice().split_at(program.outputs.len());
        let outputs = outputs.iter().map(|share| hex(&write_slice(&[*share]))).collect();
        let vector = |sum: &VectorSum| {
            let (mine, others) = elements.split_at(sum.length as usize);
            elements = others;
            Elements::new(write_slice(mine))
        };
        ResultShares { outputs, vectors: program.vectors.iter().map(vector).collect() }
    }
}

impl Read {
    /// Where a step from a cell on ends: with the last whole row of so many cells, or within the row.
    fn end_of_step(self, from: u64, most: u64) -> u64 {
        let rest_of_row = self.width - from % self.width;
        if rest_of_row > most {
            return from + most;
        }
        from + rest_of_row + (most - rest_of_row) / self.width * self.width
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_whole_rows_or_parts_of_one() {
        let ends = |width, most, cells| {
            let read = Read { column: 0, width, is_vector: width > 1 };
            let mut ends = vec![0];
            while ends[ends.len() - 1] < cells {
                ends.push(read.end_of_step(ends[ends.len() - 1], most).min(cells));
            }
            ends.split_off(1)
        };
        assert_eq!(ends(1, 4, 10), [4, 8, 10]);
        assert_eq!(ends(3, 7, 15), [6, 12, 15]);
        assert_eq!(ends(3, 3, 6), [3, 6]);
        assert_eq!(ends(5, 2, 10), [2, 4, 5, 7, 9, 10], "no step goes on from a part of a row into the next");
    }
}
