//! The second stage: sealed shares, which the server carries and cannot read.

use std::sync::Arc;

use quorate_hash::Digest;

use super::{Attendance, Clients, Inputs};
use crate::keys::ENVELOPE_BYTES;
use crate::message::{Delivery, Envelope, SealedShares};
use crate::secret::SHARE_BYTES;
use crate::{Abort, Fault, Members, Position, Round, Stage};

/// Takes the shares of all clients whose keys are there.
pub struct SharesStage {
    pub(super) attendance: Attendance,
    clients: Clients,
    /// By position: the commitment, and the envelopes in the order of the client's holders.
    shares: Vec<Option<SealedShares>>,
}

impl SharesStage {
    pub(super) fn new(round: Arc<Round>, expected: Members, clients: Clients) -> Self {
        let shares = (0..round.clients()).map(|_| None).collect();
        SharesStage { attendance: Attendance::new(round, Stage::Shares, expected), clients, shares }
    }

    /// Takes the shares that a client has sent; whether they are its first.
    pub fn receive(&mut self, from: Position, shares: SealedShares) -> Result<bool, Fault> {
        if !self.attendance.is_first(from)? {
            return Ok(false);
        }
        let holders = self.clients.holders(from);
        if !shares.envelopes.iter().map(|envelope| &envelope.holder).eq(holders) {
            let reason = "they are not one for each holder, in ascending order";
            return Err(Fault::Shape { position: from, stage: Stage::Shares, reason });
        }
        let is_whole = |envelope: &Envelope| envelope.sealed.len() == 2 * SHARE_BYTES + ENVELOPE_BYTES;
        if !shares.envelopes.iter().all(is_whole) {
            let reason = "an envelope is not of two shares";
            return Err(Fault::Shape { position: from, stage: Stage::Shares, reason });
        }
        self.shares[from as usize] = Some(shares);
        Ok(self.attendance.come.insert(from))
    }

    /// Delivers the shares.
    #[expect(clippy::type_complexity, reason = "the next stage, and what to send")]
    pub fn close(mut self) -> Result<(Inputs, Vec<(Position, Vec<Delivery>)>), Abort> {
        let round = Arc::clone(&self.attendance.round);
        let sharing = self.attendance.close(round.terms().survivors_min)?;
        let mut told = Vec::new();
        for position in sharing.iter() {
            let neighbours = self.clients.neighbours(position);
            let present = neighbours.into_iter().filter(|&neighbour| sharing.contains(neighbour));
            let deliveries = present.map(|neighbour| Delivery {
                neighbour,
                sealed: self.shares[neighbour as usize].as_mut().and_then(|shares| shares.take(position)),
            });
            told.push((position, deliveries.collect()));
        }
        let commitments: Vec<Option<Digest>> =
            self.shares.iter().map(|shares| shares.as_ref().map(|shares| shares.commitment)).collect();
        Ok((Inputs::new(round, sharing, self.clients, commitments), told))
    }
}

impl SealedShares {
    /// Takes out the envelope for one holder.
    fn take(&mut self, holder: Position) -> Option<Vec<u8>> {
        let place = self.envelopes.binary_search_by_key(&holder, |envelope| envelope.holder).ok()?;
        Some(std::mem::take(&mut self.envelopes[place].sealed))
    }
}
