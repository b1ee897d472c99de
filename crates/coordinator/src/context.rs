//! What every handler of one event gets: randomness, clock, reads, and where actions go.

use std::collections::BTreeMap;

use rand_core::CryptoRng;

use crate::recent::Recent;
use crate::{Action, Config, Records, Ticket, Write};
use quorate_wire::Refusal;

use crate::event::Reply;

/// One event's surroundings.
pub(crate) struct Context<'a> {
    pub(crate) rng: &'a mut dyn CryptoRng,
    pub(crate) now_ms: u64,
    pub(crate) records: &'a dyn Records,
    pub(crate) config: &'a Config,
    /// This helper's number.
    pub(crate) number: u8,
    /// Names this life of the helper: a peer that sees it change knows that attempts were lost.
    pub(crate) boot: [u8; 16],
    /// Each peer's life, as last heard of.
    pub(crate) lives: &'a mut BTreeMap<u8, [u8; 16]>,
    pub(crate) recent: &'a mut Recent,
    pub(crate) actions: &'a mut Vec<Action>,
    /// The number of the next batch of writes.
    pub(crate) next_batch: &'a mut u64,
}

impl Context<'_> {
    /// Answers a request.
    pub(crate) fn reply(&mut self, ticket: Ticket, reply: Result<Reply, Refusal>) {
        self.actions.push(Action::Reply { ticket, reply });
    }

    /// Asks for writes; their end is told by the batch's number.
    pub(crate) fn store(&mut self, writes: Vec<Write>) -> u64 {
        let batch = *self.next_batch;
        *self.next_batch += 1;
        self.actions.push(Action::Store { batch, writes });
        batch
    }

    /// 32 fresh random bytes.
    pub(crate) fn random(&mut self) -> [u8; 32] {
        let mut bytes = [0; 32];
        self.rng.fill_bytes(&mut bytes);
        bytes
    }
}
