//! The range check of a seal and the making of bits: morsels of contributions in pairs of lanes, laid out in order.
//!
//! The first `2t + 1` members work. Each morsel is converted and checked in a lane among them, then its bits and verdicts
//! are given to all members in a second lane.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use quorate_circuit::{Bits, Plan, Study};
use quorate_engine::boolean::lanes::{LANES as LANES_OF_WORD, words};
use quorate_engine::boolean::sum::Shape;
use quorate_engine::interpret::{
    Packer, SealPlan, SealSpread, SealTask, SealedBits, Session, SpreadTask, width_of,
};
use quorate_field::{F61, F127, Field, FieldId, NamedField};
use quorate_hash::Digest;
use quorate_sharing::prss::SessionKeys;
use quorate_sharing::{Scheme, Shares};
use quorate_wire::Refusal;

use super::agreement::Item;
use super::{layout, pieces};
use crate::Write;
use crate::compute::Shared;
use crate::context::Context;
use crate::lane::{self, Lane};
use crate::study::{Entry, column_bits};

/// Most cells of a morsel, unless one contribution has more: what is under way stays in the caches.
const CELLS_PER_MORSEL: u64 = 24_576;

/// Bytes of a morsel's numbers while they are converted, at most: at large thresholds a cell has many sub-shares.
const MORSEL_BYTES: u64 = 16 << 20;

/// Up to so many cells a conversion takes few rounds, beyond it few ANDs: other morsels hide the rounds.
const CELLS_IN_FEW_ROUNDS: u64 = 32_768;

/// The range check of one seal, in the study's field.
pub(super) enum Ranges {
    F61(Box<Job<F61>>),
    F127(Box<Job<F127>>),
}

/// The range check of one seal.
pub(super) struct Job<F: NamedField> {
    /// At a worker.
    plan: Option<(Session, SealPlan<F>)>,
    spread: Arc<SealSpread>,
    /// Where bits are kept.
    packer: Option<Packer>,
    slots: Vec<Slot<F>>,
    /// The next morsel: its number, its first contribution, its first word of randomness.
    next: (u64, usize, u64),
    /// Morsels that are done before an earlier one is.
    done: BTreeMap<u64, (Morsel<F>, SealedBits)>,
    /// The next morsel to be laid out.
    laid_out: u64,
}

enum Slot<F: NamedField> {
    Idle,
    Checking(Morsel<F>, Option<Shared<SealTask<F>>>),
    Spreading(Morsel<F>, Option<Shared<SpreadTask>>),
}

/// Contributions that are checked together.
struct Morsel<F: Field> {
    number: u64,
    items: Range<usize>,
    first_word: u64,
    /// This helper's shares, column by column.
    columns: Vec<Shares<F>>,
}

/// What a step of the check came to.
#[derive(Default)]
pub(super) struct Step {
    /// Contributions that are laid out now, in order.
    pub(super) accepted: Vec<Item>,
    /// Contributions with a value out of its range.
    pub(super) out_of_range: Vec<Digest>,
    pub(super) writes: Vec<Write>,
    /// Whether every morsel is laid out.
    pub(super) is_over: bool,
}

/// The helpers that work for a seal.
pub(super) fn workers<'a>(scheme: &Scheme, members: &'a [u8]) -> &'a [u8] {
    &members[..members.len().min(scheme.workers())]
}

/// The lanes of a seal: for each morsel under way one among the workers and one among all.
pub(super) fn lanes(attempt: Digest, scheme: &Scheme, members: &[u8], cx: &Context<'_>) -> Vec<Lane> {
    let lane = |number: u16| {
        let members = if number % 2 == 1 { workers(scheme, members) } else { members };
        Lane::new(attempt, number, members, cx)
    };
    (1..=2 * Plan::LANES).map(lane).collect()
}

impl Ranges {
    /// The check of a study's contributions, of so many rows. `None` where the sharing has no bits.
    pub(super) fn new(
        entry: &Entry,
        members: &[u8],
        rows: u64,
        keys: SessionKeys,
        cx: &Context<'_>,
    ) -> Option<Self> {
        match entry.kept.study.field {
            FieldId::F61 => Some(Ranges::F61(Box::new(Job::new(entry, members, rows, keys, cx)?))),
            _ => Some(Ranges::F127(Box::new(Job::new(entry, members, rows, keys, cx)?))),
        }
    }

    /// Goes on as far as the messages go.
    pub(super) fn advance(
        &mut self,
        lanes: &mut [Lane],
        candidates: &[Item],
        generation: &Digest,
        entry: &Entry,
        cx: &mut Context<'_>,
    ) -> Result<Step, Refusal> {
        match self {
            Ranges::F61(job) => job.advance(lanes, candidates, generation, entry, cx),
            Ranges::F127(job) => job.advance(lanes, candidates, generation, entry, cx),
        }
    }
}

impl<F: NamedField> Job<F> {
    fn new(entry: &Entry, members: &[u8], rows: u64, keys: SessionKeys, cx: &Context<'_>) -> Option<Self> {
        let (study, scheme) = (&entry.kept.study, entry.scheme);
        let columns = column_bits(study);
        let workers = workers(&scheme, members);
        let bits = width_of(&columns);
        let spread = Arc::new(SealSpread::new(&scheme, cx.number, members, workers, bits, &keys)?);
        let cells = rows * study.columns.len() as u64;
        let shape = if cells <= CELLS_IN_FEW_ROUNDS { Shape::Prefix } else { Shape::Serial };
        let plan = if workers.contains(&cx.number) {
            let mut session = Session::new(scheme, cx.number, workers, keys)?;
            let plan = SealPlan::new(&columns, shape, &mut session);
            Some((session, plan))
        } else {
            None
        };
        let packer = (study.bits == Bits::Sealed).then(|| Packer::new(bits * spread.width()));
        let slots = (0..Plan::LANES).map(|_| Slot::Idle).collect();
        Some(Job { plan, spread, packer, slots, next: (0, 0, 0), done: BTreeMap::new(), laid_out: 0 })
    }

    fn advance(
        &mut self,
        lanes: &mut [Lane],
        candidates: &[Item],
        generation: &Digest,
        entry: &Entry,
        cx: &mut Context<'_>,
    ) -> Result<Step, Refusal> {
        for index in 0..self.slots.len() {
            // Morsel m goes in pair m mod Plan::LANES: a pair that is still busy holds up those after it.
            let is_turn = self.next.0 % self.slots.len() as u64 == index as u64;
            if is_turn && matches!(self.slots[index], Slot::Idle) {
                self.slots[index] = self.begin(candidates, entry, cx)?;
            }
            self.drive(index, lanes, cx)?;
        }
        let mut step = Step::default();
        while let Some((morsel, sealed)) = self.done.remove(&self.laid_out) {
            self.laid_out += 1;
            self.lay_out(morsel, &sealed, candidates, generation, entry, &mut step);
        }
        if self.next.1 == candidates.len() && self.laid_out == self.next.0 {
            step.is_over = true;
            self.flush(true, generation, entry, &mut step);
        }
        Ok(step)
    }

    /// Takes up the next morsel.
    fn begin(&mut self, candidates: &[Item], entry: &Entry, cx: &Context<'_>) -> Result<Slot<F>, Refusal> {
        let (number, from, first_word) = self.next;
        let left = &candidates[from..];
        if left.is_empty() {
            return Ok(Slot::Idle);
        }
        let to = from + morsel_length(&entry.kept.study, entry.scheme.threshold(), left);
        let blocks = pieces::blocks::<F>(entry, &candidates[from..to], cx)?;
        let columns = by_column(&blocks, entry.kept.study.columns.len());
        let rows = columns.first().map_or(0, Shares::len);
        self.next = (number + 1, to, first_word + words(rows) as u64);
        let morsel = Morsel { number, items: from..to, first_word, columns };
        Ok(match &self.plan {
            Some((session, plan)) => {
                let columns = morsel.columns.iter().map(Shares::duplicate).collect();
                let task = plan.start(session, columns, first_word);
                Slot::Checking(morsel, Some(lane::shared(task)))
            }
            None => {
                let task = self.spread.start(None, rows, first_word);
                Slot::Spreading(morsel, Some(lane::shared(task)))
            }
        })
    }

    fn drive(&mut self, index: usize, lanes: &mut [Lane], cx: &mut Context<'_>) -> Result<(), Refusal> {
        let Some([among_workers, among_all]) = lanes.get_mut(2 * index..2 * index + 2) else { return Ok(()) };
        let mut slot = std::mem::replace(&mut self.slots[index], Slot::Idle);
        if let Slot::Checking(morsel, mut task) = slot {
            let Some(checked) = among_workers.drive(&mut task, cx)? else {
                self.slots[index] = Slot::Checking(morsel, task);
                return Ok(());
            };
            let rows = morsel.columns.first().map_or(0, Shares::len);
            let task = self.spread.start(Some(checked.finish()), rows, morsel.first_word);
            slot = Slot::Spreading(morsel, Some(lane::shared(task)));
        }
        if let Slot::Spreading(morsel, mut task) = slot {
            let Some(spread) = among_all.drive(&mut task, cx)? else {
                self.slots[index] = Slot::Spreading(morsel, task);
                return Ok(());
            };
            self.done.insert(morsel.number, (morsel, spread.finish()));
            cx.actions.push(crate::Action::Continue);
        }
        Ok(())
    }

    /// Lays out what a morsel's verdicts leave of it.
    fn lay_out(
        &mut self,
        morsel: Morsel<F>,
        sealed: &SealedBits,
        candidates: &[Item],
        generation: &Digest,
        entry: &Entry,
        step: &mut Step,
    ) {
        let rows = morsel.columns.first().map_or(0, Shares::len);
        let mut keep = vec![0_u64; words(rows)];
        let (mut first, mut accepted) = (0, Vec::new());
        for item in &candidates[morsel.items] {
            let rows = first..first + item.rows as usize;
            first = rows.end;
            let is_bad = |row: usize| sealed.bad[row / LANES_OF_WORD] >> (row % LANES_OF_WORD) & 1 == 1;
            if rows.clone().any(is_bad) {
                step.out_of_range.push(item.id);
            } else {
                rows.for_each(|row| keep[row / LANES_OF_WORD] |= 1 << (row % LANES_OF_WORD));
                accepted.push(*item);
            }
        }
        let kept = |row: &usize| keep[row / LANES_OF_WORD] >> (row % LANES_OF_WORD) & 1 == 1;
        let column = |shares: &Shares<F>| {
            let mut bytes = vec![0; accepted.iter().map(|item| item.rows as usize).sum::<usize>() * F::BYTES];
            let shares = (0..rows).filter(kept).map(|row| shares.as_slice()[row]);
            shares.zip(bytes.chunks_exact_mut(F::BYTES)).for_each(|(share, out)| share.write(out));
            bytes
        };
        let columns = morsel.columns.iter().map(column).collect();
        step.writes.extend(layout::append_columns(entry, generation, columns, &accepted));
        if let Some(packer) = &mut self.packer {
            packer.push(&sealed.shares, &keep);
        }
        step.accepted.extend(accepted);
        self.flush(false, generation, entry, step);
    }

    /// Writes the blocks of bits that are full; at the end the last one.
    fn flush(&mut self, is_last: bool, generation: &Digest, entry: &Entry, step: &mut Step) {
        let Some(packer) = &mut self.packer else { return };
        let column = layout::bits_column(&entry.kept.study);
        while let Some(block) = packer.take(is_last) {
            step.writes.push(layout::append_column(entry, generation, column, block));
        }
    }
}

/// How many contributions the next morsel has; the same at all members.
fn morsel_length(study: &Study, threshold: u8, items: &[Item]) -> usize {
    let columns = study.columns.len() as u64;
    let most =
        CELLS_PER_MORSEL.min(MORSEL_BYTES / Plan::conversion_bytes(threshold, study.field.bytes()).max(1));
    let mut cells = 0;
    let fits = |item: &&Item| {
        cells += u64::from(item.rows) * columns;
        cells <= most
    };
    items.iter().take_while(fits).count().max(1).min(items.len())
}

/// Blocks of rows as columns.
fn by_column<F: Field>(blocks: &[Shares<F>], width: usize) -> Vec<Shares<F>> {
    let rows: usize = blocks.iter().map(|block| block.len() / width.max(1)).sum();
    let mut columns: Vec<Shares<F>> = (0..width).map(|_| Shares::zeros(rows)).collect();
    let cells = blocks.iter().flat_map(|block| block.as_slice().chunks_exact(width.max(1)));
    for (row, cells) in cells.enumerate() {
        columns.iter_mut().zip(cells).for_each(|(column, cell)| column.as_mut_slice()[row] = *cell);
    }
    columns
}

impl std::fmt::Debug for Ranges {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Ranges")
    }
}
