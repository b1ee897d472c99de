//! The range check of a seal and the making of bits, in studies without vectors: morsels of rows in pairs of lanes, laid out in order.
//!
//! Contributions are taken up in groups of as many as a morsel holds. A contribution that is larger is a group of its own, in
//! several morsels, and laid out when all of them are checked.
//!
//! The first `2t + 1` members work. Each morsel is converted and checked in a lane among them, then its bits and verdicts
//! are given to all members in a second lane.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use quorate_circuit::{Bits, Plan};
use quorate_engine::boolean::lanes::{LANES as LANES_OF_WORD, words};
use quorate_engine::boolean::sum::Shape;
use quorate_engine::interpret::{
    Packer, SealPlan, SealSpread, SealTask, SealedBits, Session, SpreadTask, column_bits, width_of,
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
use crate::study::Entry;

/// Most cells of a morsel, unless 64 rows have more: what is under way stays in the caches.
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
    /// The next morsel: its number, and its first word of randomness.
    next: (u64, u64),
    /// The next contribution that is in no group.
    next_item: usize,
    /// The group that is being taken up, and its first row that is in no morsel.
    current: Option<(Arc<Group<F>>, usize)>,
    /// Morsels that are checked, of groups that are not laid out.
    done: BTreeMap<u64, (Morsel<F>, SealedBits)>,
    /// The first morsel that is not laid out.
    laid_out: u64,
}

enum Slot<F: NamedField> {
    Idle,
    Checking(Morsel<F>, Option<Shared<SealTask<F>>>),
    Spreading(Morsel<F>, Option<Shared<SpreadTask>>),
}

/// Contributions that are laid out together.
struct Group<F: Field> {
    items: Range<usize>,
    /// This helper's shares, column by column.
    columns: Vec<Shares<F>>,
}

/// Rows that are checked together.
struct Morsel<F: Field> {
    number: u64,
    group: Arc<Group<F>>,
    /// Which of the group's rows.
    rows: Range<usize>,
    first_word: u64,
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
        Some(Job {
            plan,
            spread,
            packer,
            slots,
            next: (0, 0),
            next_item: 0,
            current: None,
            done: BTreeMap::new(),
            laid_out: 0,
        })
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
        while let Some(parts) = self.checked_group() {
            self.lay_out(&parts, candidates, generation, entry, &mut step);
        }
        let is_taken_up = self.next_item == candidates.len() && self.current.is_none();
        if is_taken_up && self.laid_out == self.next.0 {
            step.is_over = true;
            self.flush(true, generation, entry, &mut step);
        }
        Ok(step)
    }

    /// Takes up the next morsel.
    fn begin(&mut self, candidates: &[Item], entry: &Entry, cx: &Context<'_>) -> Result<Slot<F>, Refusal> {
        let (number, first_word) = self.next;
        let (group, first) = match self.current.take() {
            Some(current) => current,
            None if self.next_item == candidates.len() => return Ok(Slot::Idle),
            None => (Arc::new(self.next_group(candidates, entry, cx)?), 0),
        };
        let rows = first..(first + rows_of_morsel(entry)).min(group.rows());
        if rows.end < group.rows() {
            self.current = Some((group.clone(), rows.end));
        }
        let length = rows.len();
        self.next = (number + 1, first_word + words(length) as u64);
        let morsel = Morsel { number, group, rows, first_word };
        Ok(match &self.plan {
            Some((session, plan)) => {
                let part =
                    |column: &Shares<F>| Shares::from_vec(column.as_slice()[morsel.rows.clone()].to_vec());
                let columns = morsel.group.columns.iter().map(part).collect();
                let task = plan.start(session, columns, first_word);
                Slot::Checking(morsel, Some(lane::shared(task)))
            }
            None => {
                let task = self.spread.start(None, length, first_word);
                Slot::Spreading(morsel, Some(lane::shared(task)))
            }
        })
    }

    fn next_group(
        &mut self,
        candidates: &[Item],
        entry: &Entry,
        cx: &Context<'_>,
    ) -> Result<Group<F>, Refusal> {
        let items = self.next_item..self.next_item + group_length(entry, &candidates[self.next_item..]);
        let blocks = pieces::blocks::<F>(entry, &candidates[items.clone()], cx)?;
        self.next_item = items.end;
        Ok(Group { items, columns: by_column(&blocks, entry.kept.study.columns.len()) })
    }

    /// The morsels of the next group, once all of them are checked.
    fn checked_group(&mut self) -> Option<Vec<(Morsel<F>, SealedBits)>> {
        let mut last = self.laid_out;
        while !self.done.get(&last)?.0.is_last() {
            last += 1;
        }
        let parts = (self.laid_out..=last).filter_map(|number| self.done.remove(&number)).collect();
        self.laid_out = last + 1;
        Some(parts)
    }

    fn drive(&mut self, index: usize, lanes: &mut [Lane], cx: &mut Context<'_>) -> Result<(), Refusal> {
        let Some([among_workers, among_all]) = lanes.get_mut(2 * index..2 * index + 2) else { return Ok(()) };
        let mut slot = std::mem::replace(&mut self.slots[index], Slot::Idle);
        if let Slot::Checking(morsel, mut task) = slot {
            let Some(checked) = among_workers.drive(&mut task, cx)? else {
                self.slots[index] = Slot::Checking(morsel, task);
                return Ok(());
            };
            let task = self.spread.start(Some(checked.finish()), morsel.rows.len(), morsel.first_word);
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

    /// Lays out what the verdicts leave of a group: all its morsels.
    fn lay_out(
        &mut self,
        parts: &[(Morsel<F>, SealedBits)],
        candidates: &[Item],
        generation: &Digest,
        entry: &Entry,
        step: &mut Step,
    ) {
        let Some((Morsel { group, .. }, _)) = parts.first() else { return };
        let mut keep = vec![true; group.rows()];
        for (morsel, sealed) in parts {
            for (lane, keep) in keep[morsel.rows.clone()].iter_mut().enumerate() {
                *keep = sealed.bad[lane / LANES_OF_WORD] >> (lane % LANES_OF_WORD) & 1 == 0;
            }
        }
        let (mut rest, mut accepted) = (keep.as_mut_slice(), Vec::new());
        for item in &candidates[group.items.clone()] {
            let (rows, others) = rest.split_at_mut(item.rows as usize);
            rest = others;
            if rows.iter().all(|keep| *keep) {
                accepted.push(*item);
            } else {
                rows.fill(false);
                step.out_of_range.push(item.id);
            }
        }
        let kept: usize = accepted.iter().map(|item| item.rows as usize).sum();
        let column = |shares: &Shares<F>| {
            let mut bytes = vec![0; kept * F::BYTES];
            let shares = shares.as_slice().iter().zip(&keep).filter(|(_, keep)| **keep);
            shares.zip(bytes.chunks_exact_mut(F::BYTES)).for_each(|((share, _), out)| share.write(out));
            bytes
        };
        let columns = group.columns.iter().map(column).collect();
        step.writes.extend(layout::append_columns(entry, generation, columns, &accepted));
        if let Some(packer) = &mut self.packer {
            for (morsel, sealed) in parts {
                let lanes = |keep: &[bool]| {
                    (0..).zip(keep).fold(0, |word, (lane, keep)| word | u64::from(*keep) << lane)
                };
                let masks: Vec<u64> = keep[morsel.rows.clone()].chunks(LANES_OF_WORD).map(lanes).collect();
                packer.push(&sealed.shares, &masks);
            }
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

impl<F: Field> Group<F> {
    fn rows(&self) -> usize {
        self.columns.first().map_or(0, Shares::len)
    }
}

impl<F: Field> Morsel<F> {
    /// Whether it ends its group.
    fn is_last(&self) -> bool {
        self.rows.end == self.group.rows()
    }
}

/// How many rows a morsel has at most: a multiple of 64, the same at all members.
fn rows_of_morsel(entry: &Entry) -> usize {
    let study = &entry.kept.study;
    let each = Plan::conversion_bytes(entry.scheme.threshold(), study.field.bytes());
    let cells = CELLS_PER_MORSEL.min(MORSEL_BYTES / each.max(1));
    let words = cells / (study.columns.len() as u64).max(1) / LANES_OF_WORD as u64;
    usize::try_from(words).unwrap_or(usize::MAX).max(1).saturating_mul(LANES_OF_WORD)
}

/// How many contributions the next group has: as many as a morsel holds, or one.
fn group_length(entry: &Entry, items: &[Item]) -> usize {
    let (most, mut rows) = (rows_of_morsel(entry), 0);
    let fits = |item: &&Item| {
        rows += item.rows as usize;
        rows <= most
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
