//! Lanes: exchanges of one attempt that computations go on in side by side.
//!
//! A computation waits for the network once a round. While one morsel of rows waits, others go on in lanes of their
//! own; how many there are bounds what is in memory. Which morsel goes in which lane follows from public data.

use std::sync::{Arc, Mutex};

use quorate_engine::round::Task;
use quorate_hash::Digest;
use quorate_wire::{Code, Refusal};

use crate::Action;
use crate::compute::{Computation, Outcome, Place, Shared};
use crate::context::Context;
use crate::exchange::Exchange;
use crate::frame::Frame;
use crate::seal::blame;

/// One lane.
#[derive(Debug)]
pub(crate) struct Lane {
    place: Place,
    exchange: Exchange,
    state: State,
    /// Whether what is computed is sent with the next tick.
    is_held: bool,
}

/// Where a lane's task is.
#[derive(Debug)]
enum State {
    /// None is under way.
    Idle,
    /// It is being computed.
    Computing,
    /// It was computed.
    Computed(Outcome),
    /// This helper's messages of the round are sent.
    Waiting,
}

/// Takes a member's message in whatever exchange of an attempt it is of; an error ends the attempt.
pub(crate) fn receive(
    exchange: &mut Exchange,
    lanes: &mut [Lane],
    from: u8,
    frame: Frame,
    cx: &mut Context<'_>,
) -> Result<(), Refusal> {
    // Who is heard in one exchange is there for all of them.
    lanes.iter_mut().for_each(|lane| lane.exchange.hear(from, cx));
    match usize::from(frame.header.lane).checked_sub(1) {
        None => exchange.receive(from, frame, cx),
        Some(lane) => lanes.get_mut(lane).map_or(Ok(()), |lane| lane.exchange.receive(from, frame, cx)),
    }
}

/// Takes what was computed for one of an attempt's lanes.
pub(crate) fn take_computed(lanes: &mut [Lane], number: u16, outcome: Outcome) {
    let lane = usize::from(number).checked_sub(1).and_then(|lane| lanes.get_mut(lane));
    if let Some(lane) = lane.filter(|lane| matches!(lane.state, State::Computing)) {
        lane.state = State::Computed(outcome);
    }
}

/// A task to be driven in a lane.
pub(crate) fn shared<T: Task>(task: T) -> Shared<T> {
    Arc::new(Mutex::new(task))
}

impl Lane {
    /// Lane `number`, from 1, of an attempt among `members`.
    pub(crate) fn new(attempt: Digest, number: u16, members: &[u8], cx: &Context<'_>) -> Self {
        let exchange = Exchange::new(attempt, number, members, cx);
        Lane { place: Place { attempt, lane: number }, exchange, state: State::Idle, is_held: false }
    }

    /// What is computed next is sent with the first tick after it, whenever it was ready: how long it took tells nobody anything.
    pub(crate) fn hold(&mut self) {
        self.is_held = true;
    }

    /// Drives a task as far as computations and messages go. At its end it is taken out.
    pub(crate) fn drive<T: Task + Send + 'static>(
        &mut self,
        task: &mut Option<Shared<T>>,
        cx: &mut Context<'_>,
    ) -> Result<Option<T>, Refusal> {
        let Some(driven) = task else { return Ok(None) };
        let received = match std::mem::replace(&mut self.state, State::Idle) {
            State::Computing => {
                self.state = State::Computing;
                return Ok(None);
            }
            State::Computed(outcome) if self.is_held => {
                self.state = State::Computed(outcome);
                return Ok(None);
            }
            State::Computed(outcome) => {
                let Some(mut blobs) = outcome.map_err(blame)? else {
                    // The computation has given its part back: only what panicked keeps it.
                    let ended = task.take().and_then(Arc::into_inner).and_then(|task| task.into_inner().ok());
                    return ended.map(Some).ok_or_else(|| lost(cx.number));
                };
                for to in self.exchange.peers().to_vec() {
                    self.exchange.send_blob(to, blobs.remove(&to).unwrap_or_default(), cx);
                }
                self.state = State::Waiting;
                return self.drive(task, cx);
            }
            State::Waiting => {
                let Some(messages) = self.exchange.complete() else {
                    self.state = State::Waiting;
                    return Ok(None);
                };
                self.exchange.forget_old();
                Some(messages)
            }
            State::Idle => None,
        };
        self.state = State::Computing;
        cx.actions.push(Action::Compute(Computation::new(self.place, driven.clone(), received)));
        Ok(None)
    }

    /// Time passes.
    pub(crate) fn tick(&mut self, cx: &mut Context<'_>) -> Result<(), Refusal> {
        self.is_held &= !matches!(self.state, State::Computed(_));
        if matches!(self.state, State::Waiting) {
            return self.exchange.tick(cx);
        }
        self.exchange.pass(cx);
        Ok(())
    }

    /// Rounds that are complete.
    pub(crate) fn rounds(&self) -> u64 {
        self.exchange.rounds()
    }

    /// Payload bytes sent.
    pub(crate) fn bytes_sent(&self) -> u64 {
        self.exchange.bytes_sent()
    }

    /// Forgets what came and was not used: the attempt is over.
    pub(crate) fn end(&mut self) {
        self.exchange.end();
    }
}

fn lost(me: u8) -> Refusal {
    Refusal::new(Code::Unavailable, format!("a computation failed at helper {me}")).about(vec![me])
}
