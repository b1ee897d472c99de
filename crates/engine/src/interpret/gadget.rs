//! Boolean programs on shared numbers: their bits, and what is made of them, on one morsel of rows.

use std::sync::Arc;

use quorate_field::Field;
use quorate_sharing::Shares;

use super::Session;
use crate::EngineError;
use crate::boolean::convert::{Conversion, PendingConversion, converted};
use crate::boolean::sum::{Number, Shape};
use crate::boolean::{
    Bit, CnfOneRound, Draft, Execution, OneRoundStreams, Outputs, Program, Scratch, ToArithmetic,
};
use crate::round::{Inbox, Outbox, Progress, Task};
use crate::verified::{Segment, Unverified};

/// A Boolean program whose inputs are numbers, which are converted first, and bits. Made once a session.
pub(super) struct Gadget<F> {
    program: Arc<Program>,
    streams: Arc<OneRoundStreams>,
    conversions: Arc<Vec<Conversion<F>>>,
    scratch: Arc<Scratch>,
}

/// A gadget on one morsel, driven as an [`Execution`] is.
pub(super) struct GadgetRun<F: Field> {
    conversions: Arc<Vec<Conversion<F>>>,
    /// Numbers that are not converted yet, with the least that each can be.
    values: Vec<(Shares<F>, F)>,
    /// Numbers whose masked values are on their way.
    pending: Vec<PendingConversion<F>>,
    first_word: u64,
    execution: Execution<Arc<Program>, CnfOneRound<Arc<OneRoundStreams>>>,
}

impl<F: Field> Gadget<F> {
    /// A gadget with `numbers` numbers: `build` is given the bits of each less the least that it can be, lowest first,
    /// adds the other inputs, and names the outputs.
    pub(super) fn new(
        session: &mut Session,
        numbers: usize,
        shape: Shape,
        build: impl FnOnce(&mut Draft, &[Number]) -> Vec<Bit>,
    ) -> Self {
        let threshold = session.workers().layout().threshold();
        let mut draft = Draft::new();
        let bits: Vec<Number> = (0..numbers).map(|_| converted::<F>(&mut draft, threshold, shape)).collect();
        let outputs = build(&mut draft, &bits);
        let instructions: Vec<u32> = (0..numbers).map(|_| session.next_instruction()).collect();
        let instruction = session.next_instruction();
        let conversion = |instruction: &u32| Conversion::new(session.workers(), *instruction);
        Gadget {
            program: Arc::new(draft.finish(&outputs)),
            conversions: Arc::new(instructions.iter().map(conversion).collect()),
            streams: Arc::new(session.workers().one_round(instruction)),
            scratch: Arc::default(),
        }
    }

    /// ANDs of a row.
    pub(super) fn ands(&self) -> usize {
        self.program.ands()
    }

    /// Runs it on the morsel of `rows` rows whose first is row `64 * first_word`: shares of the numbers, each with the
    /// least that it can be, and of the other inputs' bits.
    pub(super) fn start(
        &self,
        values: Vec<(Shares<F>, F)>,
        bits: &[&[u64]],
        rows: usize,
        first_word: u64,
    ) -> GadgetRun<F> {
        assert_eq!(values.len(), self.conversions.len(), "every number");
        let domain = CnfOneRound::new(self.streams.clone(), &self.program, first_word);
        let mut execution = Execution::with_scratch(self.program.clone(), domain, rows, self.scratch.clone());
        let first = self.program.inputs() - bits.len();
        (first..).zip(bits).for_each(|(index, bit)| execution.input(index).copy_from_slice(bit));
        let conversions = self.conversions.clone();
        GadgetRun { conversions, values, pending: Vec::new(), first_word, execution }
    }
}

impl<F: Field> Task for GadgetRun<F> {
    fn advance(&mut self, outbox: &mut Outbox) -> Progress {
        if self.values.is_empty() {
            return self.execution.advance(outbox);
        }
        let mut first = 0;
        for ((shares, least), conversion) in self.values.drain(..).zip(self.conversions.iter()) {
            let numbers = self.execution.inputs(first, conversion.inputs());
            let pending = conversion.start(shares.as_slice(), least, self.first_word, numbers, outbox);
            self.pending.push(pending);
            first += conversion.inputs();
        }
        Progress::Sent
    }

    fn receive(&mut self, inbox: &mut Inbox<'_>) -> Result<(), EngineError> {
        if self.pending.is_empty() {
            return self.execution.receive(inbox);
        }
        let mut first = 0;
        for (pending, conversion) in self.pending.drain(..).zip(self.conversions.iter()) {
            pending.finish(conversion, self.execution.inputs(first, conversion.inputs()), inbox)?;
            first += conversion.inputs();
        }
        Ok(())
    }
}

impl<F: Field> GadgetRun<F> {
    /// The outputs, once it has ended.
    pub(super) fn finish(self) -> Unverified<Outputs> {
        self.execution.finish()
    }
}

/// Shares of several columns.
type Columns<F> = Vec<Unverified<Shares<F>>>;

/// Bits on their way to be numbers, all at once; driven as an [`Execution`] is.
pub(super) struct Numbers<F: Field>(Vec<ToArithmetic<F>>);

impl<F: Field> Numbers<F> {
    /// For each bit: the instruction of its conversion and its share, on the segment's rows; and the same for bits of
    /// which only the number of ones is asked.
    pub(super) fn new<'a>(
        session: &Session,
        bits: impl Iterator<Item = (u32, &'a [u64])>,
        counted: impl Iterator<Item = (u32, &'a [u64])>,
        first_row: u64,
        rows: usize,
    ) -> Self {
        let layout = session.workers().layout();
        let segment = |instruction| Segment::new(instruction, first_row, rows);
        let bits = bits.map(|(instruction, share)| ToArithmetic::new(layout, segment(instruction), share));
        let counted =
            counted.map(|(instruction, share)| ToArithmetic::counting(layout, segment(instruction), share));
        Numbers(bits.chain(counted).collect())
    }

    /// Writes what to send next.
    pub(super) fn advance(&mut self, session: &Session, outbox: &mut Outbox) -> Progress {
        // Counts have a round less.
        let advanced = self.0.iter_mut().map(|bit| bit.advance(session.member(), outbox));
        advanced.fold(Progress::Ended, |all, one| if one == Progress::Sent { one } else { all })
    }

    /// Reads what the others sent in the same round.
    pub(super) fn receive(&mut self, session: &Session, inbox: &mut Inbox<'_>) -> Result<(), EngineError> {
        self.0.iter_mut().try_for_each(|bit| bit.receive(session.member(), inbox))
    }

    /// Shares of the numbers, in order; and those of the counts, each one share of degree `2t`.
    pub(super) fn finish(mut self, numbers: usize) -> (Columns<F>, Columns<F>) {
        let counts = self.0.split_off(numbers);
        let numbers = self.0.into_iter().map(ToArithmetic::finish).collect();
        (numbers, counts.into_iter().map(ToArithmetic::finish_count).collect())
    }
}
