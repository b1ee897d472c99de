//! The computation of a run that is not linear: noise, if there is any, morsels of rows in lanes, then the scalars; and again for every pass over
//! the rows.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use quorate_circuit::{Adder, Plan, Program, Workload};
use quorate_engine::boolean::Shrink;
use quorate_engine::boolean::lanes::{LANES as LANES_OF_WORD, words};
use quorate_engine::boolean::sum::Shape;
use quorate_engine::interpret::{
    BLOCK_ROWS, Carried, ColumnBits, Decided, Morsel, RowPlan, RowTask, ScalarPlan, ScalarTask, Session,
    Sums, column_bits, width_of,
};
use quorate_field::{F61, F127, FieldId, NamedField, read_slice};
use quorate_sharing::Shares;
use quorate_wire::{Blob, Manifest, Refusal};
use zeroize::Zeroizing;

use super::draw::Draw;
use super::scan::missing;
use crate::compute::Shared;
use crate::context::Context;
use crate::lane::{Lane, shared};
use crate::seal::unreadable;
use crate::study::Entry;

/// The work of one run, in the study's field.
pub(crate) enum Work {
    F61(Box<Job<F61>>),
    F127(Box<Job<F127>>),
}

/// The work of one run.
pub(crate) struct Job<F: NamedField> {
    session: Session,
    draw: Draw<F>,
    rows: Arc<RowPlan<F>>,
    scalars: Arc<ScalarPlan<F>>,
    program: Arc<Program>,
    columns: SealedColumns,
    pass: usize,
    /// What each morsel carries to the next pass, by its number.
    carried: BTreeMap<u64, Carried>,
    decided: Arc<Decided>,
    /// The sums of the pass, until its scalars begin.
    sums: Option<Sums<F>>,
    /// What all morsels take in all passes, but for messages.
    workload: Workload,
    /// One for each lane.
    slots: Vec<Slot<F>>,
    /// The scalars after a pass, under way.
    active: Option<Shared<ScalarTask<F>>>,
    /// The same between passes.
    resting: Option<ScalarTask<F>>,
}

/// What goes on in one lane.
struct Slot<F: NamedField> {
    task: Option<Shared<RowTask<F>>>,
    /// The morsel that it is of.
    morsel: u64,
    /// The next morsel of this lane.
    next: u64,
}

/// Where a morsel's shares are.
struct SealedColumns {
    bits: Vec<ColumnBits>,
    rows: u64,
    /// Rows of a morsel.
    morsel_rows: u64,
    /// The column of the layout that holds the bits.
    bits_column: u32,
    shrink: Shrink,
}

impl Work {
    /// Makes the plans of a program on a sealed study; noise is drawn in `lane`.
    pub(crate) fn new(
        program: Program,
        entry: &Entry,
        manifest: &Manifest,
        session: Session,
        lane: Option<&mut Lane>,
        cx: &mut Context<'_>,
    ) -> Self {
        match entry.kept.study.field {
            FieldId::F61 => Work::F61(Box::new(Job::new(program, entry, manifest, session, lane, cx))),
            _ => Work::F127(Box::new(Job::new(program, entry, manifest, session, lane, cx))),
        }
    }

    /// Whether the members' noise is under way.
    pub(crate) fn is_drawing(&self) -> bool {
        match self {
            Work::F61(job) => job.draw.is_under_way(),
            Work::F127(job) => job.draw.is_under_way(),
        }
    }

    /// What all of it takes, but for messages.
    pub(crate) fn workload(&self) -> &Workload {
        match self {
            Work::F61(job) => &job.workload,
            Work::F127(job) => &job.workload,
        }
    }

    /// Goes on as far as the messages go; at the end, the shares of the outputs.
    pub(crate) fn advance(
        &mut self,
        lanes: &mut [Lane],
        manifest: &Manifest,
        cx: &mut Context<'_>,
    ) -> Result<Option<Vec<Zeroizing<Vec<u8>>>>, Refusal> {
        match self {
            Work::F61(job) => job.advance(lanes, manifest, cx),
            Work::F127(job) => job.advance(lanes, manifest, cx),
        }
    }
}

impl<F: NamedField> Job<F> {
    fn new(
        program: Program,
        entry: &Entry,
        manifest: &Manifest,
        mut session: Session,
        lane: Option<&mut Lane>,
        cx: &mut Context<'_>,
    ) -> Self {
        let (study, scheme) = (&entry.kept.study, entry.scheme);
        let draw = Draw::new(&program, scheme, session.member().workers(), lane, cx);
        let plan = Plan::of(&program, study, manifest.rows);
        let program = Arc::new(program);
        let bits = column_bits(study);
        let shape = match plan.adder {
            Adder::Serial => Shape::Serial,
            Adder::Prefix => Shape::Prefix,
        };
        let rows = Arc::new(RowPlan::new(&program, &bits, shape, &mut session));
        let scalars = Arc::new(ScalarPlan::new(&program, manifest.rows, &mut session));
        let columns = SealedColumns {
            rows: manifest.rows,
            morsel_rows: u64::from(plan.morsel_rows),
            bits_column: crate::seal::bits_column(study),
            shrink: Shrink::new(&scheme, session.workers().layout()),
            bits,
        };
        let workload = rows.work(&program, &session, manifest.rows);
        Job {
            session,
            draw,
            rows,
            scalars,
            columns,
            pass: 0,
            carried: BTreeMap::new(),
            decided: Arc::default(),
            sums: Some(Sums::zero(&program)),
            workload,
            slots: slots(),
            active: None,
            resting: None,
            program,
        }
    }

    fn advance(
        &mut self,
        lanes: &mut [Lane],
        manifest: &Manifest,
        cx: &mut Context<'_>,
    ) -> Result<Option<Vec<Zeroizing<Vec<u8>>>>, Refusal> {
        if let Some(lane) = lanes.first_mut()
            && !self.draw.advance(lane, cx)?
        {
            return Ok(None);
        }
        let stride = lanes.len() as u64;
        let (mut is_done, mut is_more) = (true, false);
        for (lane, slot) in lanes.iter_mut().zip(&mut self.slots) {
            if slot.task.is_none()
                && self.sums.is_some()
                && let Some(morsel) = self.columns.morsel(slot.next, (&self.rows, self.pass), manifest, cx)?
            {
                (slot.morsel, slot.next) = (slot.next, slot.next + stride);
                let carried = self.carried.remove(&slot.morsel).unwrap_or_default();
                let task = self.rows.start_pass(&self.session, morsel, self.pass, carried, &self.decided);
                slot.task = Some(shared(task));
            }
            is_done &= slot.task.is_none();
            if let (Some(task), Some(sums)) = (lane.drive(&mut slot.task, cx)?, &mut self.sums) {
                let (part, carried) = task.finish();
                sums.add(part);
                self.carried.insert(slot.morsel, carried);
                is_more = true;
            }
        }
        if is_more {
            // Others have their turn before the next morsels.
            cx.actions.push(crate::Action::Continue);
        }
        if is_done && let Some(sums) = self.sums.take() {
            self.active = Some(shared(self.scalars_of(sums)));
        }
        let Some(lane) = lanes.first_mut() else { return Ok(None) };
        let Some(task) = lane.drive(&mut self.active, cx)? else { return Ok(None) };
        if self.pass + 1 == self.rows.schedule().passes() {
            return Ok(Some(task.finish().trust_helpers_of_passive_study().release()));
        }
        self.next_pass(task);
        cx.actions.push(crate::Action::Continue);
        Ok(None)
    }

    /// The scalars that come of a pass's sums.
    fn scalars_of(&mut self, sums: Sums<F>) -> ScalarTask<F> {
        match self.resting.take() {
            None => self.scalars.start(&self.session, sums, self.draw.take()),
            Some(mut task) => {
                task.next_pass(sums);
                task
            }
        }
    }

    /// Goes over the rows again, with what the scalars of this pass decided.
    fn next_pass(&mut self, mut task: ScalarTask<F>) {
        self.pass += 1;
        self.decided = Arc::new(task.take_decided());
        self.resting = Some(task);
        self.sums = Some(Sums::zero(&self.program));
        self.slots = slots();
    }
}

/// What every lane begins a pass with: its first morsel is next.
fn slots<F: NamedField>() -> Vec<Slot<F>> {
    (0..Plan::LANES).map(|lane| Slot { task: None, morsel: 0, next: lane.into() }).collect()
}

impl SealedColumns {
    /// This helper's shares of a morsel, as far as a pass reads them; `None` after the last.
    fn morsel<F: NamedField>(
        &self,
        index: u64,
        (plan, pass): (&RowPlan<F>, usize),
        manifest: &Manifest,
        cx: &Context<'_>,
    ) -> Result<Option<Morsel<F>>, Refusal> {
        let first_row = index * self.morsel_rows;
        if first_row >= self.rows {
            return Ok(None);
        }
        let rows = (self.rows - first_row).min(self.morsel_rows);
        let (mut columns, mut bits) = (BTreeMap::new(), BTreeMap::new());
        if pass > 0 {
            // Columns are read in the first pass alone.
            return Ok(Some(Morsel { first_row, rows: length(rows), columns, bits }));
        }
        for &column in plan.schedule().columns() {
            let size = F::BYTES as u64;
            let bytes = read(manifest, column, first_row * size, rows * size, cx)?;
            let shares = read_slice::<F>(bytes.as_slice()).map_err(unreadable)?;
            columns.insert(column, Shares::from_vec(shares));
        }
        for &column in plan.schedule().bit_columns() {
            bits.insert(column, self.bits(column, first_row..first_row + rows, manifest, cx)?);
        }
        Ok(Some(Morsel { first_row, rows: length(rows), columns, bits }))
    }

    /// The bits of a column for some rows, shared among the workers: for every bit and sub-share a plane of words.
    fn bits(
        &self,
        column: u32,
        rows: Range<u64>,
        manifest: &Manifest,
        cx: &Context<'_>,
    ) -> Result<Zeroizing<Vec<u64>>, Refusal> {
        let (before, width) = (self.shrink.width_before(), self.shrink.width());
        let (left, right) = self.bits.split_at(column as usize);
        let count = right.first().map_or(0, ColumnBits::width) as usize;
        let plane = words(length(rows.end - rows.start));
        let mut shares = Zeroizing::new(vec![0; count * width * plane]);
        let block_rows = BLOCK_ROWS as u64;
        for block in rows.start / block_rows..rows.end.div_ceil(block_rows) {
            let block_start = block * block_rows;
            let stored_plane = words(length((self.rows - block_start).min(block_rows)));
            let full = (BLOCK_ROWS / LANES_OF_WORD * 8 * before * width_of(&self.bits)) as u64;
            let start = block * full + (width_of(left) * before * stored_plane * 8) as u64;
            let bytes = (count * before * stored_plane * 8) as u64;
            let bytes = read(manifest, self.bits_column, start, bytes, cx)?;
            let stored = bytes.as_slice().as_chunks::<8>().0.iter().map(|word| u64::from_le_bytes(*word));
            let stored: Zeroizing<Vec<u64>> = Zeroizing::new(stored.collect());

            // Which words of the block's planes these rows have, and where they go.
            let from = words(length(rows.start.saturating_sub(block_start)));
            let to = stored_plane.min(words(length(rows.end - block_start)));
            let at = words(length(block_start.saturating_sub(rows.start)));
            let mut shrunk = Zeroizing::new(vec![0; width * stored_plane]);
            let planes = shares.chunks_exact_mut((width * plane).max(1));
            for (stored, planes) in stored.chunks_exact((before * stored_plane).max(1)).zip(planes) {
                self.shrink.apply(stored, &mut shrunk);
                let planes = planes.chunks_exact_mut(plane.max(1));
                for (shrunk, plane) in shrunk.chunks_exact(stored_plane.max(1)).zip(planes) {
                    plane[at..at + to - from].copy_from_slice(&shrunk[from..to]);
                }
            }
        }
        Ok(shares)
    }
}

/// A number of rows of one morsel or block.
fn length(rows: u64) -> usize {
    usize::try_from(rows).unwrap_or(usize::MAX)
}

/// Bytes of a sealed column.
fn read(manifest: &Manifest, column: u32, from: u64, bytes: u64, cx: &Context<'_>) -> Result<Blob, Refusal> {
    let mut read = vec![0; length(bytes)];
    let columns = cx.records.columns(&manifest.study, &manifest.session);
    let is_there = columns.read(column, from, &mut read).map_err(unreadable)?;
    is_there.then_some(Blob::new(read)).ok_or_else(|| unreadable(missing(column)))
}

impl std::fmt::Debug for Work {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Work")
    }
}
