//! The computation of a linear run: a scan of this helper's columns, in pieces.

use quorate_circuit::Program;
use quorate_engine::linear::LinearRun;
use quorate_field::{F61, F127, F256, FieldId, NamedField, read_slice, write_slice};
use quorate_sharing::Shares;
use quorate_wire::{Manifest, Refusal};

use super::hex;
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
    columns: Vec<u32>,
    /// Rows of the current column already read.
    row: u64,
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

    /// The result shares, encoded.
    pub(super) fn finish(self, program: &Program, rows: u64) -> Vec<String> {
        match self {
            Scan::F61(cursor) => cursor.finish(program, rows),
            Scan::F127(cursor) => cursor.finish(program, rows),
            Scan::F256(cursor) => cursor.finish(program, rows),
        }
    }
}

impl<F: NamedField> Cursor<F> {
    fn new(program: &Program, entry: &Entry, helper: u8) -> Self {
        let columns = program.columns_read().into_iter().rev().collect();
        Cursor { run: LinearRun::new(program, &entry.scheme, helper), columns, row: 0 }
    }

    fn step(&mut self, manifest: &Manifest, cx: &Context<'_>) -> Result<bool, Refusal> {
        let Some(column) = self.columns.last().copied() else { return Ok(false) };
        let size = F::BYTES as u64;
        let end = (self.row + STEP_BYTES / size).min(manifest.rows);
        let bytes = cx
            .records
            .column(&manifest.study, &manifest.session, column, self.row * size, end * size)
            .map_err(unreadable)?
            .ok_or_else(|| unreadable(format!("column {column} of the sealed study is missing")))?;
        let shares = read_slice::<F>(&bytes).map_err(unreadable)?;
        self.run.add(column, &Shares::from_vec(shares));
        self.row = end;
        if end == manifest.rows {
            self.columns.pop();
            self.row = 0;
        }
        Ok(!self.columns.is_empty())
    }

    fn finish(self, program: &Program, rows: u64) -> Vec<String> {
        let shares = self.run.finish(program, rows).release();
        shares.as_slice().iter().map(|share| hex(&write_slice(&[*share]))).collect()
    }
}
