//! Morsels of rows that a seal checks, in pairs of lanes.
//!
//! The first `2t + 1` members work. Each morsel is checked in a lane among them, then its bits and verdicts are given to
//! all members in a second lane.

use std::sync::Arc;

use quorate_circuit::Plan;
use quorate_engine::boolean::lanes::{LANES as LANES_OF_WORD, words};
use quorate_engine::boolean::sum::Shape;
use quorate_engine::interpret::{SealSpread, SealTask, SealedBits, SpreadTask};
use quorate_field::NamedField;
use quorate_hash::Digest;
use quorate_sharing::Scheme;
use quorate_wire::Refusal;

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

/// The morsels under way. `M` is what is known of each besides.
pub(super) struct Morsels<F: NamedField, M> {
    spread: Arc<SealSpread>,
    slots: Vec<Slot<F, M>>,
    /// The next morsel: its number, and its first word of randomness.
    next: (u64, u64),
}

/// A place for a morsel, and what drives it.
enum Slot<F: NamedField, M> {
    Idle,
    Checking(Morsel<M>, Option<Shared<SealTask<F>>>),
    Spreading(Morsel<M>, Option<Shared<SpreadTask>>),
}

struct Morsel<M> {
    number: u64,
    rows: usize,
    first_word: u64,
    besides: M,
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

/// How many rows a morsel has at most, of which so many numbers each are converted: a multiple of 64, the same at all
/// members.
pub(super) fn rows_of_morsel(entry: &Entry, numbers: usize) -> usize {
    let each = Plan::conversion_bytes(entry.scheme.threshold(), entry.kept.study.field.bytes());
    let cells = CELLS_PER_MORSEL.min(MORSEL_BYTES / each.max(1));
    let words = cells / (numbers as u64).max(1) / LANES_OF_WORD as u64;
    usize::try_from(words).unwrap_or(usize::MAX).max(1).saturating_mul(LANES_OF_WORD)
}

/// The adders that suit so many rows, of which so many numbers each are converted.
pub(super) fn shape(rows: u64, numbers: usize) -> Shape {
    if rows * numbers as u64 <= CELLS_IN_FEW_ROUNDS { Shape::Prefix } else { Shape::Serial }
}

impl<F: NamedField, M> Morsels<F, M> {
    /// None yet; what is checked goes to all members by `spread`.
    pub(super) fn new(spread: SealSpread) -> Self {
        let slots = (0..Plan::LANES).map(|_| Slot::Idle).collect();
        Morsels { spread: Arc::new(spread), slots, next: (0, 0) }
    }

    /// How many were begun.
    pub(super) fn begun(&self) -> u64 {
        self.next.0
    }

    /// The first word of randomness of the next morsel, if it is its turn: morsel m goes in pair m mod `Plan::LANES`, and
    /// a pair that is still busy holds up those after it.
    pub(super) fn vacant(&self) -> Option<u64> {
        let (number, first_word) = self.next;
        matches!(self.slots[self.place_of(number)], Slot::Idle).then_some(first_word)
    }

    /// Begins the next morsel, of so many rows; at a worker with its check.
    pub(super) fn begin(&mut self, besides: M, rows: usize, check: Option<SealTask<F>>) {
        let (number, first_word) = self.next;
        self.next = (number + 1, first_word + words(rows) as u64);
        let morsel = Morsel { number, rows, first_word, besides };
        let slot = match check {
            Some(task) => Slot::Checking(morsel, Some(lane::shared(task))),
            None => {
                let task = self.spread.start(None, rows, first_word);
                Slot::Spreading(morsel, Some(lane::shared(task)))
            }
        };
        let place = self.place_of(number);
        self.slots[place] = slot;
    }

    /// Goes on as far as the messages go: the morsels that are checked now, by number, and what this member keeps.
    pub(super) fn drive(
        &mut self,
        lanes: &mut [Lane],
        cx: &mut Context<'_>,
    ) -> Result<Vec<(u64, M, SealedBits)>, Refusal> {
        let mut checked = Vec::new();
        for (slot, lanes) in self.slots.iter_mut().zip(lanes.chunks_exact_mut(2)) {
            let [among_workers, among_all] = lanes else { continue };
            if let Some((morsel, sealed)) = slot.drive(&self.spread, among_workers, among_all, cx)? {
                checked.push((morsel.number, morsel.besides, sealed));
                // Others have their turn before the next morsels.
                cx.actions.push(crate::Action::Continue);
            }
        }
        Ok(checked)
    }

    fn place_of(&self, number: u64) -> usize {
        usize::try_from(number % self.slots.len() as u64).unwrap_or(0)
    }
}

impl<F: NamedField, M> Slot<F, M> {
    fn drive(
        &mut self,
        spread: &Arc<SealSpread>,
        among_workers: &mut Lane,
        among_all: &mut Lane,
        cx: &mut Context<'_>,
    ) -> Result<Option<(Morsel<M>, SealedBits)>, Refusal> {
        let mut slot = std::mem::replace(self, Slot::Idle);
        if let Slot::Checking(morsel, mut task) = slot {
            let Some(checked) = among_workers.drive(&mut task, cx)? else {
                *self = Slot::Checking(morsel, task);
                return Ok(None);
            };
            let task = spread.start(Some(checked.finish()), morsel.rows, morsel.first_word);
            slot = Slot::Spreading(morsel, Some(lane::shared(task)));
        }
        let Slot::Spreading(morsel, mut task) = slot else { return Ok(None) };
        match among_all.drive(&mut task, cx)? {
            Some(spread) => Ok(Some((morsel, spread.finish()))),
            None => {
                *self = Slot::Spreading(morsel, task);
                Ok(None)
            }
        }
    }
}
