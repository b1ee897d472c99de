//! Ways: from numbers by way of their bits to other numbers, many scalars side by side.
//!
//! Scalars of which the same is asked are rows of one gadget: sums of bits and their way back are paid for once for a word of
//! 64 of them. What judges groups compares hundreds of counts with one number.

use quorate_field::{Field, Integer, NamedField};
use quorate_sharing::Shares;
use zeroize::Zeroizing;

use super::Session;
use super::gadget::{Gadget, GadgetRun, Numbers};
use crate::EngineError;
use crate::boolean::lanes::{LANES, words};
use crate::boolean::sum::{Number, Shape};
use crate::boolean::{Bit, Draft};
use crate::linear::embed;
use crate::round::{Inbox, Outbox, Progress, Task};
use crate::verified::{Segment, Unverified};

/// A way that some scalars modulo one prime take, a row each. Made once a session.
pub(super) struct Way<F> {
    gadget: Gadget<F>,
    /// The least that each scalar can be.
    least: F,
    /// The scalars, in the order of the rows.
    scalars: Vec<u32>,
    /// Under which each of the gadget's outputs becomes a number.
    instructions: Vec<u32>,
}

/// A way under way: to numbers modulo another prime. Driven as a [`GadgetRun`] is.
pub(super) struct WayRun<F: Field, G: Field> {
    run: Option<Box<GadgetRun<F>>>,
    /// Shares of the gadget's outputs, once they are there.
    bits: Vec<Zeroizing<Vec<u64>>>,
    numbers: Option<Numbers<G>>,
}

/// What one of a gadget's outputs is on all rows: as numbers, and as shared bits.
pub(super) struct Arrived<G: Field> {
    pub(super) numbers: Shares<G>,
    bits: Zeroizing<Vec<u64>>,
}

impl<F: NamedField> Way<F> {
    /// The way of scalars that are `least` or more: `build` is given the bits of a scalar less that, lowest first, and names
    /// what becomes numbers.
    pub(super) fn new(
        session: &mut Session,
        scalars: Vec<u32>,
        least: &Integer,
        build: impl FnOnce(&mut Draft, &Number) -> Vec<Bit>,
    ) -> Self {
        let mut outputs = 0;
        let gadget = Gadget::new(session, 1, Shape::Prefix, |draft, numbers| {
            let bits = build(draft, &numbers[0]);
            outputs = bits.len();
            bits
        });
        let instructions = (0..outputs).map(|_| session.next_instruction()).collect();
        Way { gadget, least: embed::<F>(least), scalars, instructions }
    }

    /// Starts on the scalars, of which `share` gives each one's.
    pub(super) fn start<G: Field>(&self, share: impl Fn(u32) -> F) -> WayRun<F, G> {
        let values = Shares::from_vec(self.scalars.iter().map(|scalar| share(*scalar)).collect());
        let run = self.gadget.start(vec![(values, self.least)], &[], self.scalars.len(), 0);
        WayRun { run: Some(Box::new(run)), bits: Vec::new(), numbers: None }
    }
}

impl<F: NamedField, G: Field> WayRun<F, G> {
    /// Goes on along `way`: `None` if something was sent, else what became of each of the gadget's outputs.
    pub(super) fn advance(
        &mut self,
        way: &Way<F>,
        session: &Session,
        outbox: &mut Outbox,
        segments: &mut Vec<Segment>,
    ) -> Option<Vec<Arrived<G>>> {
        if let Some(mut run) = self.run.take() {
            if run.advance(outbox) == Progress::Sent {
                self.run = Some(run);
                return None;
            }
            let (bits, depends) = run.finish().into_parts();
            segments.extend(depends);
            self.bits = (0..bits.len()).map(|bit| Zeroizing::new(bits.bit(bit).to_vec())).collect();
            let shares = way.instructions.iter().copied().zip(self.bits.iter().map(|bit| bit.as_slice()));
            let rows = way.scalars.len();
            self.numbers = Some(Numbers::new(session, shares, std::iter::empty(), 0, rows));
        }
        let mut numbers = self.numbers.take()?;
        if numbers.advance(session, outbox) == Progress::Sent {
            self.numbers = Some(numbers);
            return None;
        }
        let (numbers, _) = numbers.finish(way.instructions.len());
        let arrive = |(numbers, bits): (Unverified<Shares<G>>, _)| {
            let (numbers, depends) = numbers.into_parts();
            segments.extend(depends);
            Arrived { numbers, bits }
        };
        Some(numbers.into_iter().zip(std::mem::take(&mut self.bits)).map(arrive).collect())
    }

    pub(super) fn receive(&mut self, session: &Session, inbox: &mut Inbox<'_>) -> Result<(), EngineError> {
        match (&mut self.run, &mut self.numbers) {
            (Some(run), _) => run.receive(inbox),
            (None, Some(numbers)) => numbers.receive(session, inbox),
            (None, None) => Ok(()),
        }
    }
}

impl<G: Field> Arrived<G> {
    /// The number of one row.
    pub(super) fn number(&self, row: usize) -> Shares<G> {
        Shares::from_vec(vec![self.numbers.as_slice()[row]])
    }

    /// The shared bit of one row, a word a sub-share.
    pub(super) fn truth(&self, row: usize) -> Zeroizing<Vec<u64>> {
        let words = words(self.numbers.len()).max(1);
        let of_row = |share: &[u64]| share[row / LANES] >> (row % LANES) & 1;
        Zeroizing::new(self.bits.chunks_exact(words).map(of_row).collect())
    }
}
