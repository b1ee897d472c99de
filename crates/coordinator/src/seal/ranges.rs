//! The range check of a seal and the making of bits, in studies without vectors: morsels of rows in pairs of lanes, laid out in order.
//!
//! Contributions are taken up in groups of as many as a morsel holds. A contribution that is larger is a group of its own, in
//! several morsels, and laid out when all of them are checked.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use quorate_circuit::Bits;
use quorate_engine::boolean::lanes::LANES as LANES_OF_WORD;
use quorate_engine::interpret::{Packer, SealPlan, SealSpread, SealedBits, Session, column_bits, width_of};
use quorate_field::{F61, F127, Field, FieldId, NamedField};
use quorate_hash::Digest;
use quorate_sharing::Shares;
use quorate_sharing::prss::SessionKeys;
use quorate_wire::Refusal;

use super::agreement::Item;
use super::morsels::{self, Morsels, workers};
use super::{layout, pieces};
use crate::Write;
use crate::context::Context;
use crate::lane::Lane;
use crate::study::Entry;

/// The range check of one seal, in the study's field.
pub(super) enum Ranges {
    F61(Box<Job<F61>>),
    F127(Box<Job<F127>>),
}

/// The range check of one seal.
pub(super) struct Job<F: NamedField> {
    /// At a worker.
    plan: Option<(Session, SealPlan<F>)>,
    /// Where bits are kept.
    packer: Option<Packer>,
    morsels: Morsels<F, Morsel<F>>,
    /// The next contribution that is in no group.
    next_item: usize,
    /// The group that is being taken up, and its first row that is in no morsel.
    current: Option<(Arc<Group<F>>, usize)>,
    /// Morsels that are checked, of groups that are not laid out.
    done: BTreeMap<u64, (Morsel<F>, SealedBits)>,
    /// The first morsel that is not laid out.
    laid_out: u64,
}

/// Contributions that are laid out together.
struct Group<F: Field> {
    items: Range<usize>,
    /// This helper's shares, column by column.
    columns: Vec<Shares<F>>,
}

/// Rows that are checked together.
struct Morsel<F: Field> {
    group: Arc<Group<F>>,
    /// Which of the group's rows.
    rows: Range<usize>,
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
        let spread = SealSpread::new(&scheme, cx.number, members, workers, bits, &keys)?;
        let width = spread.width();
        let shape = morsels::shape(rows, study.columns.len());
        let plan = if workers.contains(&cx.number) {
            let mut session = Session::new(scheme, cx.number, workers, keys)?;
            let plan = SealPlan::new(&columns, shape, &mut session);
            Some((session, plan))
        } else {
            None
        };
        let packer = (study.bits == Bits::Sealed).then(|| Packer::new(bits * width));
        Some(Job {
            plan,
            packer,
            morsels: Morsels::new(spread),
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
        while let Some(first_word) = self.morsels.vacant()
            && self.begin(first_word, candidates, entry, cx)?
        {}
        for (number, morsel, sealed) in self.morsels.drive(lanes, cx)? {
            self.done.insert(number, (morsel, sealed));
        }
        let mut step = Step::default();
        while let Some(parts) = self.checked_group() {
            self.lay_out(&parts, candidates, generation, entry, &mut step);
        }
        let is_taken_up = self.next_item == candidates.len() && self.current.is_none();
        if is_taken_up && self.laid_out == self.morsels.begun() {
            step.is_over = true;
            self.flush(true, generation, entry, &mut step);
        }
        Ok(step)
    }

    /// Takes up the next morsel, if there is one.
    fn begin(
        &mut self,
        first_word: u64,
        candidates: &[Item],
        entry: &Entry,
        cx: &Context<'_>,
    ) -> Result<bool, Refusal> {
        let (group, first) = match self.current.take() {
            Some(current) => current,
            None if self.next_item == candidates.len() => return Ok(false),
            None => (Arc::new(self.next_group(candidates, entry, cx)?), 0),
        };
        let most = morsels::rows_of_morsel(entry, entry.kept.study.columns.len());
        let rows = first..(first + most).min(group.rows());
        if rows.end < group.rows() {
            self.current = Some((group.clone(), rows.end));
        }
        let task = self.plan.as_ref().map(|(session, plan)| {
            let part = |column: &Shares<F>| Shares::from_vec(column.as_slice()[rows.clone()].to_vec());
            plan.start(session, group.columns.iter().map(part).collect(), first_word)
        });
        self.morsels.begin(Morsel { group, rows: rows.clone() }, rows.len(), task);
        Ok(true)
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
            let verdicts = sealed.bad_rows(morsel.rows.len());
            keep[morsel.rows.clone()].iter_mut().zip(verdicts).for_each(|(keep, bad)| *keep = !bad);
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

/// How many contributions the next group has: as many as a morsel holds, or one.
fn group_length(entry: &Entry, items: &[Item]) -> usize {
    let (most, mut rows) = (morsels::rows_of_morsel(entry, entry.kept.study.columns.len()), 0);
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
