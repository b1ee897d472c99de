//! The computation of a linear run: noise, if there is any, and a scan of this helper's columns, by all processors that there are.

use std::ops::Range;
use std::sync::Arc;

use quorate_circuit::{Program, VectorSum};
use quorate_engine::EngineError;
use quorate_engine::linear::LinearRun;
use quorate_engine::noise::NoiseShares;
use quorate_engine::round::{Inbox, Outbox, Progress, Task};
use quorate_engine::verified::Verified;
use quorate_field::{F61, F127, F256, FieldId, NamedField, write_slice};
use quorate_sharing::Shares;
use quorate_wire::{Blob, Elements, Manifest, Refusal};
use rayon::prelude::*;

use super::draw::Draw;
use super::{ResultShares, hex};
use crate::compute::Shared;
use crate::context::Context;
use crate::lane::{Lane, shared};
use crate::records::Columns;
use crate::seal::unreadable;
use crate::study::Entry;

/// The scan of the columns that the program reads, in the study's field.
pub(super) enum Scan {
    F61(Job<F61>),
    F127(Job<F127>),
    F256(Job<F256>),
}

/// Noise, and then the scan.
pub(super) struct Job<F: NamedField> {
    draw: Draw<F>,
    task: Option<Shared<ScanTask<F>>>,
}

/// The scan as a task that sends nothing.
pub(super) struct ScanTask<F: NamedField> {
    run: LinearRun<F>,
    columns: Arc<dyn Columns>,
    /// Columns of numbers.
    numbers: Vec<u32>,
    /// Columns of vectors, and how long these are.
    vectors: Vec<(u32, usize)>,
    rows: u64,
    /// What could not be read.
    outcome: Result<(), String>,
}

/// Bytes of a column that are read, checked and added at a time: they stay in the second-level cache.
const BLOCK_BYTES: usize = 256 << 10;
/// Blocks that a thread takes at least: making a buffer, and wiping it, takes as long as reading one.
const BLOCKS_MIN: usize = 16;
/// Bytes of vectors' elements that are added up at a time: their sums stay in the first-level cache.
const SEGMENT_BYTES: usize = 16 << 10;

impl Scan {
    /// The scan of a program by a member of `quorum`, in `lane`.
    pub(super) fn new(
        program: &Program,
        entry: &Entry,
        manifest: &Manifest,
        quorum: &[u8],
        lane: Option<&mut Lane>,
        cx: &mut Context<'_>,
    ) -> Self {
        match entry.kept.study.field {
            FieldId::F61 => Scan::F61(Job::new(program, entry, manifest, quorum, lane, cx)),
            FieldId::F127 => Scan::F127(Job::new(program, entry, manifest, quorum, lane, cx)),
            FieldId::F256 => Scan::F256(Job::new(program, entry, manifest, quorum, lane, cx)),
        }
    }

    /// Whether the members' noise is under way.
    pub(super) fn is_drawing(&self) -> bool {
        match self {
            Scan::F61(job) => job.draw.is_under_way(),
            Scan::F127(job) => job.draw.is_under_way(),
            Scan::F256(job) => job.draw.is_under_way(),
        }
    }

    /// Has noise drawn, then the columns read; after that, the result shares.
    pub(super) fn advance(
        &mut self,
        lane: &mut Lane,
        program: &Program,
        cx: &mut Context<'_>,
    ) -> Result<Option<ResultShares>, Refusal> {
        match self {
            Scan::F61(job) => job.advance(lane, program, cx),
            Scan::F127(job) => job.advance(lane, program, cx),
            Scan::F256(job) => job.advance(lane, program, cx),
        }
    }
}

impl<F: NamedField> Job<F> {
    fn new(
        program: &Program,
        entry: &Entry,
        manifest: &Manifest,
        quorum: &[u8],
        lane: Option<&mut Lane>,
        cx: &mut Context<'_>,
    ) -> Self {
        let task = Some(shared(ScanTask::new(program, entry, manifest, cx)));
        Job { draw: Draw::new(program, entry.scheme, quorum, lane, cx), task }
    }

    fn advance(
        &mut self,
        lane: &mut Lane,
        program: &Program,
        cx: &mut Context<'_>,
    ) -> Result<Option<ResultShares>, Refusal> {
        if !self.draw.advance(lane, cx)? {
            return Ok(None);
        }
        let Some(task) = lane.drive(&mut self.task, cx)? else { return Ok(None) };
        let noise = self.draw.take().trust_helpers_of_passive_study();
        task.finish(program, noise).map(Some).map_err(unreadable)
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
    fn new(program: &Program, entry: &Entry, manifest: &Manifest, cx: &Context<'_>) -> Self {
        let vector = |sum: &VectorSum| (sum.column, sum.length as usize);
        ScanTask {
            run: LinearRun::new(program, &entry.scheme, cx.number),
            columns: cx.records.columns(&manifest.study, &manifest.session),
            numbers: program.columns_read().into_iter().collect(),
            vectors: program.vectors.iter().map(vector).collect(),
            rows: manifest.rows,
            outcome: Ok(()),
        }
    }

    fn scan(&mut self) -> Result<(), String> {
        // Opens the layout and verifies it, where nobody has read of it yet: once, not once a thread.
        if let Some(column) = self.numbers.first().or(self.vectors.first().map(|(column, _)| column)) {
            self.read(*column, 0, &mut [])?;
        }
        for &column in &self.numbers {
            self.run.add(column, self.sum(column)?);
        }
        for &(column, length) in &self.vectors {
            self.run.add_vectors(column, &self.sum_vectors(column, length)?);
        }
        Ok(())
    }

    /// The sum of a column of numbers.
    fn sum(&self, column: u32) -> Result<F, String> {
        let blocks = self.blocks(BLOCK_BYTES / F::BYTES).into_par_iter().with_min_len(BLOCKS_MIN);
        let sums = blocks.map_init(buffer, |buffer, rows| {
            let bytes = &mut buffer.as_mut_slice()[..length(&rows) * F::BYTES];
            self.read(column, rows.start * F::BYTES as u64, bytes)?;
            F::sum_encoded(bytes).map_err(|error| unsound(column, &rows, error))
        });
        sums.try_reduce(|| F::ZERO, |left, right| Ok(left + right))
    }

    /// The sums of a column of vectors, element by element. Long vectors are added up a segment at a time, by whoever has time;
    /// of short ones whole rows.
    fn sum_vectors(&self, column: u32, width: usize) -> Result<Shares<F>, String> {
        let segment = SEGMENT_BYTES / F::BYTES;
        if width > segment {
            let mut sums = Shares::zeros(width);
            let segments = sums.as_mut_slice().par_chunks_mut(segment).enumerate();
            segments.try_for_each_init(buffer, |buffer, (index, sums)| {
                self.blocks(BLOCK_BYTES / F::BYTES / segment).into_iter().try_for_each(|rows| {
                    self.add_segment(column, width, index * segment, rows, buffer.as_mut_slice(), sums)
                })
            })?;
            return Ok(sums);
        }
        let blocks =
            self.blocks(BLOCK_BYTES / F::BYTES / width.max(1)).into_par_iter().with_min_len(BLOCKS_MIN);
        let parts = blocks.map_init(buffer, |buffer, rows| {
            let mut sums = Shares::zeros(width);
            self.add_segment(column, width, 0, rows, buffer.as_mut_slice(), sums.as_mut_slice())
                .map(|()| sums)
        });
        parts.try_reduce(
            || Shares::zeros(width),
            |mut left, right| {
                F::add_slices(left.as_mut_slice(), right.as_slice());
                Ok(left)
            },
        )
    }

    /// Adds some rows' elements from `first` on, as many as there are sums.
    fn add_segment(
        &self,
        column: u32,
        width: usize,
        first: usize,
        rows: Range<u64>,
        buffer: &mut [u8],
        sums: &mut [F],
    ) -> Result<(), String> {
        let bytes = &mut buffer[..length(&rows) * sums.len() * F::BYTES];
        if sums.len() == width {
            self.read(column, rows.start * (width * F::BYTES) as u64, bytes)?;
        } else {
            for (row, part) in rows.clone().zip(bytes.chunks_exact_mut(sums.len() * F::BYTES)) {
                let cell = row * width as u64 + first as u64;
                self.read(column, cell * F::BYTES as u64, part)?;
            }
        }
        F::accumulate_encoded(sums, bytes).map_err(|error| unsound(column, &rows, error))
    }

    /// All rows, so many at a time.
    fn blocks(&self, rows: usize) -> Vec<Range<u64>> {
        let starts = (0..self.rows).step_by(rows.max(1));
        starts.map(|start| start..(start + rows.max(1) as u64).min(self.rows)).collect()
    }

    fn read(&self, column: u32, from: u64, out: &mut [u8]) -> Result<(), String> {
        let is_there = self.columns.read(column, from, out).map_err(|error| error.to_string())?;
        if is_there { Ok(()) } else { Err(missing(column)) }
    }

    fn finish(self, program: &Program, noise: Verified<NoiseShares<F>>) -> Result<ResultShares, String> {
        self.outcome?;
        let shares = self.run.finish(program, self.rows, noise).release();
        let (outputs, mut elements) = shares.as_slice().split_at(program.outputs.len());
        let outputs = outputs.iter().map(|share| hex(&write_slice(&[*share]))).collect();
        let vector = |sum: &VectorSum| {
            let (mine, others) = elements.split_at(sum.length as usize);
            elements = others;
            Elements::new(write_slice(mine))
        };
        Ok(ResultShares { outputs, vectors: program.vectors.iter().map(vector).collect() })
    }
}

/// Where a block is read to: shares.
fn buffer() -> Blob {
    Blob::new(vec![0; BLOCK_BYTES])
}

/// A number of rows of one block.
fn length(rows: &Range<u64>) -> usize {
    usize::try_from(rows.end - rows.start).unwrap_or(usize::MAX)
}

fn unsound(column: u32, rows: &Range<u64>, error: impl std::fmt::Display) -> String {
    format!("column {column} of the sealed study, rows {} to {}: {error}", rows.start, rows.end)
}

/// What is wrong where a sealed study lacks a column, or a part of it.
pub(super) fn missing(column: u32) -> String {
    format!("column {column} of the sealed study is missing or too short")
}
