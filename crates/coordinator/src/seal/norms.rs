//! The check of norms at a seal, in studies of vectors whose norm is bounded: before anything is laid out.
//!
//! Vectors are read one after the other and projected; a morsel is gathered of as many rows as the range check would take
//! of so many columns. Who passes is laid out afterwards, as where nothing is checked: so no vector is held until its
//! verdict is known.

use std::collections::VecDeque;
use std::ops::Range;

use quorate_circuit::{Column, Norm, Study};
use quorate_engine::coin::Coin;
use quorate_engine::interpret::{NormPlan, Projected, SealSpread, SealTask, Session, norm_bits};
use quorate_engine::projection::Projections;
use quorate_field::{F61, F127, FieldId, NamedField};
use quorate_sharing::Shares;
use quorate_sharing::prss::SessionKeys;
use quorate_wire::Refusal;

use super::agreement::Item;
use super::morsels::{self, Morsels, workers};
use super::pieces;
use crate::context::Context;
use crate::lane::Lane;
use crate::study::Entry;

/// The check of one seal, in the study's field.
pub(super) enum Norms {
    F61(Box<Job<F61>>),
    F127(Box<Job<F127>>),
}

/// The check of one seal.
pub(super) struct Job<F: NamedField> {
    /// At a worker.
    work: Option<Work<F>>,
    morsels: Morsels<F, Range<usize>>,
    rows_of_morsel: usize,
    /// Rows that are in morsels.
    begun: usize,
    /// For each row whether a vector is too long; false until it is known.
    too_long: Vec<bool>,
    /// Rows of which it is not known.
    open: usize,
}

/// What a worker has besides.
struct Work<F: NamedField> {
    session: Session,
    plan: NormPlan<F>,
    /// The cells of each vector in a row, and what they are projected by.
    vectors: Vec<(Range<usize>, Projections)>,
    cells_per_row: usize,
    /// The next contribution that is not read.
    next_item: usize,
    /// Contributions that are read, and how many rows of the first are projected.
    blocks: VecDeque<Shares<F>>,
    taken: usize,
    /// The next morsel so far.
    gathered: Projected<F>,
}

/// Contributions whose vectors are within their bounds, and the others.
pub(super) struct Verdicts {
    pub(super) within: Vec<Item>,
    pub(super) too_long: Vec<Item>,
}

impl Norms {
    /// The check of a study's contributions, of so many rows. `None` where no norm is bounded.
    pub(super) fn new(
        entry: &Entry,
        members: &[u8],
        rows: u64,
        keys: SessionKeys,
        coin: &Coin,
        cx: &Context<'_>,
    ) -> Option<Self> {
        match entry.kept.study.field {
            FieldId::F61 => Some(Norms::F61(Box::new(Job::new(entry, members, rows, keys, coin, cx)?))),
            _ => Some(Norms::F127(Box::new(Job::new(entry, members, rows, keys, coin, cx)?))),
        }
    }

    /// Goes on as far as the messages go; the verdicts once all are there.
    pub(super) fn advance(
        &mut self,
        lanes: &mut [Lane],
        candidates: &[Item],
        entry: &Entry,
        cx: &mut Context<'_>,
    ) -> Result<Option<Verdicts>, Refusal> {
        let too_long = match self {
            Norms::F61(job) => job.advance(lanes, candidates, entry, cx)?,
            Norms::F127(job) => job.advance(lanes, candidates, entry, cx)?,
        };
        let Some(mut rest) = too_long else { return Ok(None) };
        let is_within = |item: &Item| {
            let (rows, others) = rest.split_at((item.rows as usize).min(rest.len()));
            rest = others;
            !rows.contains(&true)
        };
        let (within, too_long) = candidates.iter().copied().partition(is_within);
        Ok(Some(Verdicts { within, too_long }))
    }
}

impl<F: NamedField> Job<F> {
    fn new(
        entry: &Entry,
        members: &[u8],
        rows: u64,
        keys: SessionKeys,
        coin: &Coin,
        cx: &Context<'_>,
    ) -> Option<Self> {
        let (study, scheme) = (&entry.kept.study, entry.scheme);
        let bounded = bounded(study);
        let norms: Vec<Norm> = bounded.iter().map(|(_, norm)| *norm).collect();
        let rows_in_memory = usize::try_from(rows).ok()?;
        let numbers = Some(norm_bits(&norms).len()).filter(|numbers| *numbers > 0)?;
        let workers = workers(&scheme, members);
        let spread = SealSpread::new(&scheme, cx.number, members, workers, 0, &keys)?;
        let work = if workers.contains(&cx.number) {
            let mut session = Session::new(scheme, cx.number, workers, keys)?;
            let plan = NormPlan::new(&norms, morsels::shape(rows, numbers), &mut session);
            let projections = |(cells, _): (Range<usize>, Norm)| {
                (cells.clone(), Projections::new(coin, cells.start, cells.len()))
            };
            Some(Work {
                session,
                plan,
                vectors: bounded.into_iter().map(projections).collect(),
                cells_per_row: study.cells_per_row(),
                next_item: 0,
                blocks: VecDeque::new(),
                taken: 0,
                gathered: Projected::new(norms.len()),
            })
        } else {
            None
        };
        Some(Job {
            work,
            morsels: Morsels::new(spread),
            rows_of_morsel: morsels::rows_of_morsel(entry, numbers),
            begun: 0,
            too_long: vec![false; rows_in_memory],
            open: rows_in_memory,
        })
    }

    /// For each row whether a vector is too long, once it is known of all.
    fn advance(
        &mut self,
        lanes: &mut [Lane],
        candidates: &[Item],
        entry: &Entry,
        cx: &mut Context<'_>,
    ) -> Result<Option<&[bool]>, Refusal> {
        let rows = self.begun..(self.begun + self.rows_of_morsel).min(self.too_long.len());
        if let Some(first_word) = self.morsels.vacant().filter(|_| !rows.is_empty()) {
            let is_whole = match &mut self.work {
                Some(work) => work.gather(rows.len(), candidates, entry, cx)?,
                None => true,
            };
            if is_whole {
                let check = self.work.as_mut().map(|work| work.check(first_word));
                self.begun = rows.end;
                self.morsels.begin(rows.clone(), rows.len(), check);
            }
            // Others have their turn before more vectors are read.
            cx.actions.push(crate::Action::Continue);
        }
        for (_, rows, sealed) in self.morsels.drive(lanes, cx)? {
            self.open -= rows.len();
            let verdicts = sealed.bad_rows(rows.len());
            self.too_long[rows].iter_mut().zip(verdicts).for_each(|(too_long, bad)| *too_long = bad);
        }
        Ok((self.open == 0).then_some(&self.too_long))
    }
}

impl<F: NamedField> Work<F> {
    /// Projects what is read, up to so many rows, after reading on if nothing is left; whether they are all there.
    fn gather(
        &mut self,
        rows: usize,
        candidates: &[Item],
        entry: &Entry,
        cx: &Context<'_>,
    ) -> Result<bool, Refusal> {
        if self.blocks.is_empty() {
            let left = &candidates[self.next_item..];
            let items = &left[..pieces::step_length(entry, left)];
            self.blocks = pieces::blocks::<F>(entry, items, cx)?.into();
            self.next_item += items.len();
        }
        while let Some(block) = self.blocks.front() {
            let left = block.as_slice().chunks_exact(self.cells_per_row).skip(self.taken);
            for row in left.take(rows - self.gathered.rows()) {
                let vectors = self.vectors.iter().map(|(cells, by)| (by, &row[cells.clone()]));
                self.gathered.push(vectors);
                self.taken += 1;
            }
            if self.taken * self.cells_per_row < block.len() {
                break;
            }
            self.blocks.pop_front();
            self.taken = 0;
        }
        Ok(self.gathered.rows() == rows)
    }

    /// The check of the rows that are gathered.
    fn check(&mut self, first_word: u64) -> SealTask<F> {
        let gathered = std::mem::replace(&mut self.gathered, Projected::new(self.vectors.len()));
        self.plan.start(&self.session, gathered, first_word)
    }
}

/// The cells of a row that are a vector whose norm is bounded, and the bound.
fn bounded(study: &Study) -> Vec<(Range<usize>, Norm)> {
    let mut next = 0;
    let cells = |column: &Column| {
        let first = next;
        next += column.width();
        column.norm().map(|norm| (first..next, norm))
    };
    study.columns.iter().filter_map(cells).collect()
}

impl std::fmt::Debug for Norms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Norms")
    }
}
