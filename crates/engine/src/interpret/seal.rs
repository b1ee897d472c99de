//! Sealing: the bits of every column, and whether each row's values are in their ranges.
//!
//! `docs/protocols.md`, section 3. All columns of a morsel are converted together. A row's verdict, the only thing that
//! is opened, is the OR over its columns of "above its range": what is below the range is a large number modulo p; and of
//! "blank, and not the least value" for columns that may be blank. The bits are then shared again over all members of the seal, so that any quorum of them can run later
//! ([`crate::boolean::Spread`]), and every member is told the verdicts.

use std::sync::Arc;

use quorate_field::{Field, NamedField};
use quorate_sharing::prss::{HelperSet, SessionKeys};
use quorate_sharing::{HelperNumber, Scheme, Shares};
use zeroize::{Zeroize, Zeroizing};

use super::Session;
use super::gadget::{Gadget, GadgetRun};
use super::norm::Squares;
use super::schedule::ColumnBits;
use crate::EngineError;
use crate::boolean::lanes::LANES;
use crate::boolean::open::{PendingOpening, open};
use crate::boolean::sum::Shape;
use crate::boolean::{Layout, Outputs, PendingSpread, Spread, compare};
use crate::linear::embed;
use crate::round::{Inbox, Outbox, Progress, Task};
use crate::verified::Verified;

/// The instruction of a seal's spreading: workers' plans do not give it out.
const SPREAD: u32 = u32::MAX - 1;

/// What all morsels of a seal have in common, at a worker.
pub struct SealPlan<F> {
    gadget: Gadget<F>,
    /// The least value of each column.
    least: Vec<F>,
    /// Bits of all columns together.
    bits: usize,
}

/// The conversion and check of one morsel, driven as a [`crate::boolean::Execution`] is.
pub struct SealTask<F: Field> {
    session: Session,
    bits: usize,
    step: Step<F>,
}

enum Step<F: Field> {
    /// Sums of squares that are compared are reduced first.
    Squares(Box<Squares<F>>),
    Bits(Box<GadgetRun<F>>),
    /// The kept bits, and the verdicts on their way.
    Opening(Verified<Outputs>, Option<PendingOpening>),
    Done(Checked),
    Over,
}

/// A morsel whose rows are checked.
pub struct Checked {
    bits: Verified<Outputs>,
    bad: Vec<u64>,
}

impl<F: NamedField> SealPlan<F> {
    /// The plan for these columns, which have at most 63 bits each; instructions are given out in `session`.
    pub fn new(columns: &[ColumnBits], shape: Shape, session: &mut Session) -> Self {
        Self::keeping(true, columns, shape, session)
    }

    /// The same for numbers of which no bits are kept.
    pub(super) fn verdicts(columns: &[ColumnBits], shape: Shape, session: &mut Session) -> Self {
        Self::keeping(false, columns, shape, session)
    }

    fn keeping(keeps: bool, columns: &[ColumnBits], shape: Shape, session: &mut Session) -> Self {
        let gadget = Gadget::new(session, columns.len(), shape, |draft, numbers| {
            let mut outputs = Vec::new();
            let mut bad = Vec::new();
            for (column, bits) in columns.iter().zip(numbers) {
                let kept = &bits[..column.width() as usize];
                outputs.extend_from_slice(if keeps { kept } else { &[] });
                bad.push(compare::above(draft, bits, column.range(), shape));
                // Any other presence than 0 and 1 is out of its own range.
                let presence = column.presence.and_then(|presence| numbers.get(presence as usize)?.first());
                if let Some(is_there) = presence {
                    let (is_blank, holds_a_value) = (draft.not(*is_there), compare::any(draft, kept));
                    bad.push(draft.and(is_blank, holds_a_value));
                }
            }
            outputs.push(compare::any(draft, &bad));
            outputs
        });
        let least = columns.iter().map(|column| embed::<F>(&column.min)).collect();
        SealPlan { gadget, least, bits: if keeps { width_of(columns) } else { 0 } }
    }

    /// Starts on a morsel: shares of each column's values, whose randomness is that of rows from `64 * first_word` on.
    pub fn start(&self, session: &Session, columns: Vec<Shares<F>>, first_word: u64) -> SealTask<F> {
        let rows = columns.first().map_or(0, Shares::len);
        let values = columns.into_iter().zip(self.least.iter().copied()).collect();
        let run = self.gadget.start(values, &[], rows, first_word);
        SealTask { session: session.clone(), bits: self.bits, step: Step::Bits(Box::new(run)) }
    }
}

/// Bits of all columns together.
pub fn width_of(columns: &[ColumnBits]) -> usize {
    columns.iter().map(|column| column.width() as usize).sum()
}

impl<F: NamedField> Task for SealTask<F> {
    fn advance(&mut self, outbox: &mut Outbox) -> Progress {
        match std::mem::replace(&mut self.step, Step::Over) {
            Step::Squares(mut squares) => {
                squares.send(&self.session, outbox);
                self.step = Step::Squares(squares);
                Progress::Sent
            }
            Step::Bits(mut run) => {
                if run.advance(outbox) == Progress::Sent {
                    self.step = Step::Bits(run);
                } else {
                    let outputs = run.finish().trust_helpers_of_passive_study();
                    let (kept, verdict) = outputs.split(self.bits);
                    let pending = open(self.session.workers().layout(), verdict, outbox);
                    self.step = Step::Opening(kept, Some(pending));
                }
                Progress::Sent
            }
            step => {
                self.step = step;
                Progress::Ended
            }
        }
    }

    fn receive(&mut self, inbox: &mut Inbox<'_>) -> Result<(), EngineError> {
        match std::mem::replace(&mut self.step, Step::Over) {
            Step::Squares(squares) => *self = squares.receive(&self.session, inbox)?,
            Step::Bits(mut run) => {
                run.receive(inbox)?;
                self.step = Step::Bits(run);
            }
            Step::Opening(bits, Some(pending)) => {
                let opened = pending.finish(self.session.workers().layout(), inbox)?;
                let bad = opened.into_iter().next().unwrap_or_default();
                self.step = Step::Done(Checked { bits, bad });
            }
            step => self.step = step,
        }
        Ok(())
    }
}

impl<F: NamedField> SealTask<F> {
    /// The check that comes after these sums were reduced.
    pub(super) fn after(session: &Session, squares: Squares<F>) -> Self {
        SealTask { session: session.clone(), bits: 0, step: Step::Squares(Box::new(squares)) }
    }

    /// The morsel, checked, once [`SealTask::advance`] said that it has ended.
    ///
    /// # Panics
    /// If it has not.
    pub fn finish(self) -> Checked {
        match self.step {
            Step::Done(checked) => checked,
            _ => unreachable!("the task has ended"),
        }
    }
}

/// One member's part in giving the bits of a seal to all its members. Where the scheme has no helper beside the workers,
/// nothing is sent.
#[derive(Debug)]
pub struct SealSpread {
    /// `None` where the workers are all helpers.
    spread: Option<Spread>,
    workers: Vec<HelperNumber>,
    /// Members that do not work.
    others: Vec<HelperNumber>,
    /// Places of the workers' sub-shares among the member's, where the workers are all helpers.
    order: Vec<usize>,
    bits: usize,
}

/// A morsel on its way to all members.
pub struct SpreadTask {
    spread: Arc<SealSpread>,
    rows: usize,
    first_word: u64,
    step: Spreading,
}

enum Spreading {
    /// At a worker: what was checked.
    Ready(Option<Checked>),
    /// The verdicts at a worker, and the bits on their way.
    Sent(Option<Vec<u64>>, PendingSpread),
    Done(SealedBits),
    Over,
}

/// A morsel's bits as a member keeps them. Secret: wiped on drop, do not print.
pub struct SealedBits {
    /// Bit by bit, sub-share by sub-share in the canonical order of the sets without the member, word by word.
    pub shares: Zeroizing<Vec<u64>>,
    /// Rows that are out of their ranges, a lane each.
    pub bad: Vec<u64>,
}

impl SealedBits {
    /// For each of the first `rows` rows whether it is out of its ranges.
    ///
    /// Panics if there are fewer.
    pub fn bad_rows(&self, rows: usize) -> impl Iterator<Item = bool> {
        (0..rows).map(|lane| self.bad[lane / LANES] >> (lane % LANES) & 1 == 1)
    }
}

impl SealSpread {
    /// For member `me` of `members`, ascending, of whom `workers` work, and columns of `bits` bits in all. `keys` are
    /// the member's of the session. `None` if the threshold is 0.
    pub fn new(
        scheme: &Scheme,
        me: HelperNumber,
        members: &[HelperNumber],
        workers: &[HelperNumber],
        bits: usize,
        keys: &SessionKeys,
    ) -> Option<Self> {
        let worker = if workers.contains(&me) { me } else { *workers.first()? };
        let layout = Layout::new(scheme.threshold(), workers, worker)?;
        let sets: Vec<HelperSet> =
            HelperSet::all(scheme).into_iter().filter(|set| !set.contains(me)).collect();
        let place = |set: HelperSet| sets.iter().position(|other| *other == set);
        let is_everybody = usize::from(scheme.helpers()) == workers.len();
        Some(SealSpread {
            spread: (!is_everybody).then(|| Spread::new(scheme, members, &layout, me, keys, SPREAD)),
            order: layout.held_sets().filter_map(place).collect(),
            workers: workers.to_vec(),
            others: members.iter().copied().filter(|member| !workers.contains(member)).collect(),
            bits,
        })
    }

    /// Sub-shares of a bit at a member.
    pub fn width(&self) -> usize {
        self.spread.as_ref().map_or(self.order.len(), Spread::width)
    }

    /// Starts on a morsel of `rows` rows: at a worker with what it checked, elsewhere with `None`.
    pub fn start(self: &Arc<Self>, checked: Option<Checked>, rows: usize, first_word: u64) -> SpreadTask {
        SpreadTask { spread: self.clone(), rows, first_word, step: Spreading::Ready(checked) }
    }

    /// What the workers say the verdicts are: the same.
    fn told(&self, words: usize, inbox: &mut Inbox<'_>) -> Result<Vec<u64>, EngineError> {
        const WHAT: &str = "verdicts";
        let mut told: Option<Vec<u64>> = None;
        for worker in &self.workers {
            let mut bad = vec![0; words];
            inbox.take_words(*worker, &mut bad, WHAT)?;
            if told.get_or_insert_with(|| bad.clone()) != &bad {
                return Err(EngineError::Inconsistent { what: WHAT });
            }
        }
        Ok(told.unwrap_or_default())
    }

    /// A worker's shares in the order of a member's, where the workers are all helpers.
    fn ordered(&self, bits: &[&[u64]], words: usize) -> Zeroizing<Vec<u64>> {
        let width = self.order.len();
        let mut shares = Zeroizing::new(vec![0; bits.len() * width * words]);
        for (bit, share) in bits.iter().enumerate() {
            for (sub, place) in self.order.iter().enumerate() {
                let at = (bit * width + place) * words;
                shares[at..at + words].copy_from_slice(&share[sub * words..][..words]);
            }
        }
        shares
    }
}

impl Task for SpreadTask {
    fn advance(&mut self, outbox: &mut Outbox) -> Progress {
        let words = self.rows.div_ceil(LANES);
        let checked = match std::mem::replace(&mut self.step, Spreading::Over) {
            Spreading::Ready(checked) => checked,
            step => {
                self.step = step;
                return Progress::Ended;
            }
        };
        let (bits, bad) = checked.map(|checked| (checked.bits.release(), checked.bad)).unzip();
        let shares: Option<Vec<&[u64]>> =
            bits.as_ref().map(|bits| (0..bits.len()).map(|bit| bits.bit(bit)).collect());
        let Some(spread) = &self.spread.spread else {
            let shares = self.spread.ordered(shares.as_deref().unwrap_or_default(), words);
            self.step = Spreading::Done(SealedBits { shares, bad: bad.unwrap_or_default() });
            return Progress::Ended;
        };
        let pending = spread.start(shares.as_deref(), self.spread.bits, words, self.first_word, outbox);
        for other in &self.spread.others {
            bad.iter().for_each(|bad| outbox.append_words(*other, bad));
        }
        self.step = Spreading::Sent(bad, pending);
        Progress::Sent
    }

    fn receive(&mut self, inbox: &mut Inbox<'_>) -> Result<(), EngineError> {
        let words = self.rows.div_ceil(LANES);
        match std::mem::replace(&mut self.step, Spreading::Over) {
            Spreading::Sent(bad, pending) => {
                let Some(spread) = &self.spread.spread else { unreachable!("something was sent") };
                let shares = Zeroizing::new(spread.finish(pending, inbox)?);
                let bad = match bad {
                    Some(bad) => bad,
                    None => self.spread.told(words, inbox)?,
                };
                self.step = Spreading::Done(SealedBits { shares, bad });
            }
            step => self.step = step,
        }
        Ok(())
    }
}

impl SpreadTask {
    /// The member's shares and the verdicts, once it has ended.
    ///
    /// # Panics
    /// If it has not.
    pub fn finish(self) -> SealedBits {
        match self.step {
            Spreading::Done(sealed) => sealed,
            _ => unreachable!("the task has ended"),
        }
    }
}

/// Rows of a block of stored bits.
pub const BLOCK_ROWS: usize = 8192;

/// Gathers the kept rows of morsels into blocks of [`BLOCK_ROWS`] rows, the last one shorter. A block holds its planes
/// (a sub-share of a bit) one after the other. Secret: wiped on drop.
pub struct Packer {
    /// Rows that are gathered and not taken, plane by plane.
    planes: Vec<Vec<u64>>,
    rows: usize,
}

impl Packer {
    /// For so many planes.
    pub fn new(planes: usize) -> Self {
        Packer { planes: vec![Vec::new(); planes], rows: 0 }
    }

    /// Adds the rows of a morsel whose lane is set in `keep`: `planes` are of `keep.len()` words each.
    pub fn push(&mut self, planes: &[u64], keep: &[u64]) {
        let kept: usize = keep.iter().map(|mask| mask.count_ones() as usize).sum();
        for (out, words) in self.planes.iter_mut().zip(planes.chunks_exact(keep.len().max(1))) {
            let mut rows = self.rows;
            // Reserved at once: a vector that grows leaves its old words behind.
            let needed = (rows + kept).div_ceil(LANES);
            if out.capacity() < needed {
                let mut larger = Vec::with_capacity(needed.max(3 * BLOCK_ROWS / LANES));
                larger.extend_from_slice(out);
                out.as_mut_slice().zeroize();
                *out = larger;
            }
            out.resize(needed, 0);
            for (word, mask) in words.iter().zip(keep) {
                let lanes = compressed(*word, *mask);
                let (at, shift) = (rows / LANES, rows % LANES);
                let count = mask.count_ones() as usize;
                if count > 0 {
                    out[at] |= lanes << shift;
                    if shift + count > LANES {
                        out[at + 1] |= lanes >> (LANES - shift);
                    }
                }
                rows += count;
            }
        }
        self.rows += kept;
    }

    /// The next full block; at the end, with `is_last`, also one that is not.
    pub fn take(&mut self, is_last: bool) -> Option<Vec<u8>> {
        let rows = self.rows.min(BLOCK_ROWS);
        if rows == 0 || (rows < BLOCK_ROWS && !is_last) {
            return None;
        }
        let words = rows.div_ceil(LANES);
        let mut block = Vec::with_capacity(self.planes.len() * words * 8);
        for plane in &mut self.planes {
            plane[..words].iter().for_each(|word| block.extend_from_slice(&word.to_le_bytes()));
            plane.copy_within(words.., 0);
            let rest = plane.len() - words;
            plane[rest..].zeroize();
            plane.truncate(rest);
        }
        self.rows -= rows;
        Some(block)
    }
}

/// The lanes of `word` that are set in `mask`, moved together.
fn compressed(word: u64, mask: u64) -> u64 {
    if mask == u64::MAX {
        return word;
    }
    // The mask is public: who is left out is in the manifest.
    let (mut lanes, mut count, mut rest) = (0, 0, mask);
    while rest != 0 {
        lanes |= (word >> rest.trailing_zeros() & 1) << count;
        count += 1;
        rest &= rest - 1;
    }
    lanes
}

impl Drop for Packer {
    fn drop(&mut self) {
        self.planes.iter_mut().for_each(|plane| plane.as_mut_slice().zeroize());
    }
}

impl<F> std::fmt::Debug for SealPlan<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SealPlan({} columns, {} bits)", self.least.len(), self.bits)
    }
}

impl<F: Field> std::fmt::Debug for SealTask<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SealTask({} bits a row)", self.bits)
    }
}

impl std::fmt::Debug for SpreadTask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SpreadTask({} rows)", self.rows)
    }
}

impl Checked {
    /// Rows that do not pass, a lane each.
    #[cfg(test)]
    pub(super) fn verdicts(&self) -> &[u64] {
        &self.bad
    }
}

impl std::fmt::Debug for Checked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Checked({} words of verdicts)", self.bad.len())
    }
}

impl std::fmt::Debug for SealedBits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SealedBits({} words)", self.shares.len())
    }
}

impl std::fmt::Debug for Packer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Packer({} planes of {} rows)", self.planes.len(), self.rows)
    }
}
