//! The computation of a run that is not linear: morsels of rows in lanes, then the scalars.

use std::collections::BTreeMap;
use std::sync::Arc;

use quorate_circuit::{Adder, Plan, Program, Study};
use quorate_engine::boolean::Shrink;
use quorate_engine::boolean::lanes::{LANES as LANES_OF_WORD, words};
use quorate_engine::boolean::sum::Shape;
use quorate_engine::interpret::{
    BLOCK_ROWS, ColumnBits, Morsel, RowPlan, RowTask, ScalarPlan, ScalarTask, Session, Sums, width_of,
};
use quorate_field::{F61, F127, FieldId, NamedField, read_slice};
use quorate_sharing::{Scheme, Shares};
use quorate_wire::{Manifest, Refusal};
use zeroize::Zeroizing;

use crate::context::Context;
use crate::lane::Lane;
use crate::seal::unreadable;
use crate::study::column_bits;

/// The work of one run, in the study's field.
pub(crate) enum Work {
    F61(Box<Job<F61>>),
    F127(Box<Job<F127>>),
}

/// The work of one run.
pub(crate) struct Job<F: NamedField> {
    session: Session,
    rows: Arc<RowPlan<F>>,
    scalars: Arc<ScalarPlan<F>>,
    columns: SealedColumns,
    sums: Option<Sums<F>>,
    /// One for each lane.
    slots: Vec<Slot<F>>,
    last: Option<ScalarTask<F>>,
}

/// What goes on in one lane.
struct Slot<F: NamedField> {
    task: Option<RowTask<F>>,
    /// The next morsel of this lane.
    next: u64,
}

/// Where a morsel's shares are.
struct SealedColumns {
    bits: Vec<ColumnBits>,
    rows: u64,
    /// The column of the layout that holds the bits.
    bits_column: u32,
    shrink: Shrink,
}

impl Work {
    /// Makes the plans of a program on a sealed study.
    pub(crate) fn new(
        program: Program,
        study: &Study,
        scheme: Scheme,
        manifest: &Manifest,
        lanes: usize,
        session: Session,
    ) -> Self {
        match study.field {
            FieldId::F61 => Work::F61(Box::new(Job::new(program, study, scheme, manifest, lanes, session))),
            _ => Work::F127(Box::new(Job::new(program, study, scheme, manifest, lanes, session))),
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
        study: &Study,
        scheme: Scheme,
        manifest: &Manifest,
        lanes: usize,
        mut session: Session,
    ) -> Self {
        let program = Arc::new(program);
        let bits = column_bits(study);
        let shape = match Plan::of(manifest.rows).adder {
            Adder::Serial => Shape::Serial,
            Adder::Prefix => Shape::Prefix,
        };
        let rows = Arc::new(RowPlan::new(&program, &bits, shape, &mut session));
        let scalars = Arc::new(ScalarPlan::new(&program, manifest.rows, &mut session));
        let columns = SealedColumns {
            rows: manifest.rows,
            bits_column: crate::seal::bits_column(study),
            shrink: Shrink::new(&scheme, session.workers().layout()),
            bits,
        };
        let slots = (0..lanes as u64).map(|lane| Slot { task: None, next: lane }).collect();
        Job { session, rows, scalars, columns, sums: Some(Sums::zero(&program)), slots, last: None }
    }

    fn advance(
        &mut self,
        lanes: &mut [Lane],
        manifest: &Manifest,
        cx: &mut Context<'_>,
    ) -> Result<Option<Vec<Zeroizing<Vec<u8>>>>, Refusal> {
        let stride = lanes.len() as u64;
        let (mut is_done, mut is_more) = (true, false);
        for (lane, slot) in lanes.iter_mut().zip(&mut self.slots) {
            if slot.task.is_none()
                && let Some(morsel) = self.columns.morsel(slot.next, &self.rows, manifest, cx)?
            {
                slot.next += stride;
                slot.task = Some(self.rows.start(&self.session, morsel));
            }
            if let Some(task) = &mut slot.task {
                is_done = false;
                if lane.drive(task, cx)?
                    && let (Some(task), Some(sums)) = (slot.task.take(), &mut self.sums)
                {
                    sums.add(task.finish());
                    is_more = true;
                }
            }
        }
        if is_more {
            // Others have their turn before the next morsels.
            cx.actions.push(crate::Action::Continue);
        }
        if is_done && let Some(sums) = self.sums.take() {
            self.last = Some(self.scalars.start(&self.session, sums));
        }
        let (Some(lane), Some(mut last)) = (lanes.first_mut(), self.last.take()) else { return Ok(None) };
        if lane.drive(&mut last, cx)? {
            return Ok(Some(last.finish().trust_helpers_of_passive_study().release()));
        }
        self.last = Some(last);
        Ok(None)
    }
}

impl SealedColumns {
    /// This helper's shares of a morsel; `None` after the last.
    fn morsel<F: NamedField>(
        &self,
        index: u64,
        plan: &RowPlan<F>,
        manifest: &Manifest,
        cx: &Context<'_>,
    ) -> Result<Option<Morsel<F>>, Refusal> {
        let first_row = index * BLOCK_ROWS as u64;
        if first_row >= self.rows {
            return Ok(None);
        }
        let rows = usize::try_from(self.rows - first_row).unwrap_or(usize::MAX).min(BLOCK_ROWS);
        let mut columns = BTreeMap::new();
        for &column in plan.schedule().columns() {
            let size = F::BYTES as u64;
            let bytes = read(manifest, column, first_row * size, rows as u64 * size, cx)?;
            let shares = read_slice::<F>(&bytes).map_err(unreadable)?;
            columns.insert(column, Shares::from_vec(shares));
        }
        let mut bits = BTreeMap::new();
        for &column in plan.schedule().bit_columns() {
            bits.insert(column, self.bits(column, index, rows, manifest, cx)?);
        }
        Ok(Some(Morsel { first_row, rows, columns, bits }))
    }

    /// The bits of a column of one block, shared among the workers.
    fn bits(
        &self,
        column: u32,
        block: u64,
        rows: usize,
        manifest: &Manifest,
        cx: &Context<'_>,
    ) -> Result<Zeroizing<Vec<u64>>, Refusal> {
        let (before, width) = (self.shrink.width_before(), self.shrink.width());
        let plane = words(rows);
        let full = (BLOCK_ROWS / LANES_OF_WORD * 8 * before * width_of(&self.bits)) as u64;
        let (left, right) = self.bits.split_at(column as usize);
        let count = right.first().map_or(0, ColumnBits::width) as usize;
        let start = block * full + (width_of(left) * before * plane * 8) as u64;
        let bytes = read(manifest, self.bits_column, start, (count * before * plane * 8) as u64, cx)?;
        let stored: Zeroizing<Vec<u64>> =
            Zeroizing::new(bytes.as_chunks::<8>().0.iter().map(|word| u64::from_le_bytes(*word)).collect());
        let mut shares = Zeroizing::new(vec![0; count * width * plane]);
        let shrunk = shares.chunks_exact_mut((width * plane).max(1));
        for (bit, out) in stored.chunks_exact((before * plane).max(1)).zip(shrunk) {
            self.shrink.apply(bit, out);
        }
        Ok(shares)
    }
}

/// Bytes of a sealed column.
fn read(
    manifest: &Manifest,
    column: u32,
    from: u64,
    bytes: u64,
    cx: &Context<'_>,
) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    let read = cx.records.column(&manifest.study, &manifest.session, column, from, from + bytes);
    let read = read.map_err(unreadable)?;
    let read = read.filter(|read| read.len() as u64 == bytes);
    read.map(Zeroizing::new)
        .ok_or_else(|| unreadable(format!("column {column} of the sealed study is too short")))
}

impl std::fmt::Debug for Work {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Work")
    }
}
