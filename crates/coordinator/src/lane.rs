//! Lanes: exchanges of one attempt that computations go on in side by side.
//!
//! A computation waits for the network once a round. While one morsel of rows waits, others go on in lanes of their
//! own; how many there are bounds what is in memory. Which morsel goes in which lane follows from public data.

use std::collections::BTreeMap;

use quorate_engine::round::{Inbox, Outbox, Progress, Task};
use quorate_hash::Digest;
use quorate_wire::Refusal;

use crate::context::Context;
use crate::exchange::{Exchange, Frame};
use crate::seal::blame;

/// Morsels under way at once.
pub(crate) const LANES: u16 = 4;

/// One lane.
#[derive(Debug)]
pub(crate) struct Lane {
    exchange: Exchange,
    /// Whether this helper's message of the round is sent.
    is_waiting: bool,
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
    match usize::from(frame.lane).checked_sub(1) {
        None => exchange.receive(from, frame, cx),
        Some(lane) => lanes.get_mut(lane).map_or(Ok(()), |lane| lane.exchange.receive(from, frame, cx)),
    }
}

impl Lane {
    /// Lane `number`, from 1, of an attempt among `members`.
    pub(crate) fn new(scope: Digest, number: u16, members: &[u8], cx: &Context<'_>) -> Self {
        Lane { exchange: Exchange::new(scope, number, members, cx), is_waiting: false }
    }

    /// Drives a task as far as the messages go; whether it has ended.
    pub(crate) fn drive(&mut self, task: &mut impl Task, cx: &mut Context<'_>) -> Result<bool, Refusal> {
        loop {
            if self.is_waiting {
                let Some(messages) = self.exchange.complete() else { return Ok(false) };
                self.exchange.forget_old();
                self.is_waiting = false;
                let received: BTreeMap<u8, Vec<u8>> =
                    messages.into_iter().map(|(member, body)| (member, body.into_vec())).collect();
                let mut inbox = Inbox::new(&received);
                task.receive(&mut inbox).and_then(|()| inbox.finish()).map_err(blame)?;
            }
            let mut outbox = Outbox::new();
            if task.advance(&mut outbox) == Progress::Ended {
                return Ok(true);
            }
            let mut blobs = outbox.into_blobs();
            for to in self.exchange.peers().to_vec() {
                self.exchange.send_bytes(to, blobs.remove(&to).unwrap_or_default(), cx);
            }
            self.is_waiting = true;
        }
    }

    /// Time passes.
    pub(crate) fn tick(&mut self, cx: &mut Context<'_>) -> Result<(), Refusal> {
        if self.is_waiting {
            return self.exchange.tick(cx);
        }
        self.exchange.pass(cx);
        Ok(())
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
