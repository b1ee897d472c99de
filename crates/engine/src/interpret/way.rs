//! Ways: from a number to numbers of its bits, in whatever field.

use quorate_field::{Field, Integer, NamedField};
use quorate_sharing::Shares;
use zeroize::Zeroizing;

use super::Session;
use super::gadget::{Gadget, GadgetRun, Numbers};
use crate::EngineError;
use crate::linear::embed;
use crate::round::{Inbox, Outbox, Progress, Task};
use crate::verified::Segment;

/// From a number modulo one prime by way of its bits to numbers modulo another, a bit a row.
pub(super) struct Way<F: Field, G: Field> {
    run: Option<Box<GadgetRun<F>>>,
    /// Shares of its bits, once they are there.
    bits: Zeroizing<Vec<u64>>,
    numbers: Option<Numbers<G>>,
    instruction: u32,
}

impl<F: NamedField, G: Field> Way<F, G> {
    pub(super) fn new(gadget: &Gadget<F>, value: &Shares<F>, min: &Integer, instruction: u32) -> Self {
        let run = gadget.start(vec![(value.duplicate(), embed::<F>(min))], &[], 1, 0);
        Way { run: Some(Box::new(run)), bits: Zeroizing::default(), numbers: None, instruction }
    }

    /// Goes on: `None` if something was sent, else the numbers, and the bits that they are, a bit a row.
    pub(super) fn advance(
        &mut self,
        session: &Session,
        outbox: &mut Outbox,
        segments: &mut Vec<Segment>,
    ) -> Option<(Shares<G>, Zeroizing<Vec<u64>>)> {
        if let Some(mut run) = self.run.take() {
            if run.advance(outbox) == Progress::Sent {
                self.run = Some(run);
                return None;
            }
            let (bits, depends) = run.finish().into_parts();
            segments.extend(depends);
            let (rows, share) = (bits.len(), bits.as_rows());
            let bits = std::iter::once((self.instruction, share.as_slice()));
            self.numbers = Some(Numbers::new(session, bits, std::iter::empty(), 0, rows));
            self.bits = share;
        }
        let mut numbers = self.numbers.take()?;
        if numbers.advance(session, outbox) == Progress::Sent {
            self.numbers = Some(numbers);
            return None;
        }
        let (numbers, depends) = numbers.finish(1).0.pop()?.into_parts();
        segments.extend(depends);
        Some((numbers, std::mem::take(&mut self.bits)))
    }

    pub(super) fn receive(&mut self, session: &Session, inbox: &mut Inbox<'_>) -> Result<(), EngineError> {
        match (&mut self.run, &mut self.numbers) {
            (Some(run), _) => run.receive(inbox),
            (None, Some(numbers)) => numbers.receive(session, inbox),
            (None, None) => Ok(()),
        }
    }
}
