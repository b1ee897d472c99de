//! The computation of a linear run: a scan of this helper's columns, by all processors that there are.

use std::sync::Arc;

use quorate_circuit::Program;
use quorate_engine::EngineError;
use quorate_engine::linear::LinearRun;
use quorate_engine::round::{Inbox, Outbox, Progress, Task};
use quorate_field::{F61, F127, F256, FieldId, NamedField, write_slice};
use quorate_wire::{Manifest, Refusal};
use rayon::prelude::*;
use zeroize::Zeroizing;

use super::hex;
use crate::compute::Shared;
use crate::context::Context;
use crate::lane::{Lane, shared};
use crate::records::Columns;
use crate::seal::unreadable;
use crate::study::Entry;

/// The scan of the columns that the program reads, in the study's field.
pub(super) enum Scan {
    F61(Option<Shared<ScanTask<F61>>>),
    F127(Option<Shared<ScanTask<F127>>>),
    F256(Option<Shared<ScanTask<F256>>>),
}

/// The scan as a task that sends nothing.
pub(super) struct ScanTask<F: NamedField> {
    run: LinearRun<F>,
    columns: Arc<dyn Columns>,
    read: Vec<u32>,
    rows: u64,
    /// What could not be read.
    outcome: Result<(), String>,
}

/// Bytes of a column that are read, checked and added at a time: they stay in the second-level cache.
const BLOCK_BYTES: usize = 256 << 10;

impl Scan {
    pub(super) fn new(program: &Program, entry: &Entry, manifest: &Manifest, cx: &Context<'_>) -> Self {
        fn task<F: NamedField>(
            program: &Program,
            entry: &Entry,
            manifest: &Manifest,
            cx: &Context<'_>,
        ) -> Option<Shared<ScanTask<F>>> {
            Some(shared(ScanTask {
                run: LinearRun::new(program, &entry.scheme, cx.number),
                columns: cx.records.columns(&manifest.study, &manifest.session),
                read: program.columns_read(),
                rows: manifest.rows,
                outcome: Ok(()),
            }))
        }
        match entry.kept.study.field {
            FieldId::F61 => Scan::F61(task(program, entry, manifest, cx)),
            FieldId::F127 => Scan::F127(task(program, entry, manifest, cx)),
            FieldId::F256 => Scan::F256(task(program, entry, manifest, cx)),
        }
    }

    /// Has the columns read; after that, the result shares, encoded.
    pub(super) fn advance(
        &mut self,
        lane: &mut Lane,
        program: &Program,
        cx: &mut Context<'_>,
    ) -> Result<Option<Vec<String>>, Refusal> {
        fn advance<F: NamedField>(
            task: &mut Option<Shared<ScanTask<F>>>,
            lane: &mut Lane,
            program: &Program,
            cx: &mut Context<'_>,
        ) -> Result<Option<Vec<String>>, Refusal> {
            lane.drive(task, cx)?.map(|task| task.finish(program).map_err(unreadable)).transpose()
        }
        match self {
            Scan::F61(task) => advance(task, lane, program, cx),
            Scan::F127(task) => advance(task, lane, program, cx),
            Scan::F256(task) => advance(task, lane, program, cx),
        }
    }
}

impl<F: NamedField> Task for ScanTask<F> {
    fn advance(&mut self, _: &mut Outbox) -> Progress {
        self.outcome = self.scan();
        Progress::Ended
    }

    fn receive(&mut self, _: &mut Inbox<'_>) -> Result<(), EngineError> {
        Ok(())
    }
}

impl<F: NamedField> ScanTask<F> {
    fn scan(&mut self) -> Result<(), String> {
        for &column in &self.read {
            // Opens the layout and verifies it, where nobody has read of it yet: once, not once a thread.
            self.read_block(column, 0, &mut [])?;
            self.run.add(column, self.sum_column(column)?);
        }
        Ok(())
    }

    fn sum_column(&self, column: u32) -> Result<F, String> {
        let block_rows = (BLOCK_BYTES / F::BYTES) as u64;
        let blocks = self.rows.div_ceil(block_rows);
        let buffer = || Zeroizing::new(vec![0; BLOCK_BYTES]);
        let sum_block = |buffer: &mut Zeroizing<Vec<u8>>, block: u64| {
            let first = block * block_rows;
            // No more than a block's.
            let rows = usize::try_from((self.rows - first).min(block_rows)).unwrap_or(0);
            let bytes = &mut buffer[..rows * F::BYTES];
            self.read_block(column, first, bytes)?;
            F::sum_encoded(bytes).map_err(|error| format!("column {column} from row {first}: {error}"))
        };
        if blocks < 2 {
            return (0..blocks).try_fold(F::ZERO, |sum, block| Ok(sum + sum_block(&mut buffer(), block)?));
        }
        let sums = (0..blocks).into_par_iter().map_init(buffer, sum_block);
        sums.try_reduce(|| F::ZERO, |left, right| Ok(left + right))
    }

    fn read_block(&self, column: u32, first_row: u64, out: &mut [u8]) -> Result<(), String> {
        let from = first_row * F::BYTES as u64;
        let is_there = self.columns.read(column, from, out).map_err(|error| error.to_string())?;
        if is_there { Ok(()) } else { Err(missing(column)) }
    }

    fn finish(self, program: &Program) -> Result<Vec<String>, String> {
        self.outcome?;
        let shares = self.run.finish(program, self.rows).release();
        Ok(shares.as_slice().iter().map(|share| hex(&write_slice(&[*share]))).collect())
    }
}

/// What is wrong where a sealed study lacks a column, or a part of it.
pub(super) fn missing(column: u32) -> String {
    format!("column {column} of the sealed study is missing or too short")
}
