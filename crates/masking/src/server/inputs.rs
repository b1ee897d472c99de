//! The third stage, masked vectors, and the fourth, signatures of who has survived.

use std::sync::Arc;

use quorate_federation::Signature;
use quorate_hash::Digest;

use super::{Attendance, Clients, Unmasking};
use crate::message::Agreement;
use crate::{Abort, Fault, Members, Position, Round, Stage, Variant, Words};

/// Takes the masked vectors of all clients whose shares are there.
pub struct Inputs {
    pub(super) attendance: Attendance,
    clients: Clients,
    commitments: Vec<Option<Digest>>,
    sum: Words,
}

/// What follows the masked vectors.
pub enum Closed {
    /// Active rounds: clients sign who has survived.
    Agreements(Agreements),
    /// Passive rounds: they give shares.
    Unmasking(Unmasking),
}

/// What is left of a round when all vectors are added.
pub(super) struct Added {
    pub(super) round: Arc<Round>,
    pub(super) clients: Clients,
    pub(super) commitments: Vec<Option<Digest>>,
    pub(super) sum: Words,
    /// Who has shared its secrets.
    pub(super) sharing: Members,
    /// Whose vectors are in the sum.
    pub(super) survivors: Members,
}

/// Takes survivors' signatures of who has survived.
pub struct Agreements {
    pub(super) attendance: Attendance,
    added: Added,
    signatures: Vec<Option<Signature>>,
}

impl Inputs {
    pub(super) fn new(
        round: Arc<Round>,
        expected: Members,
        clients: Clients,
        commitments: Vec<Option<Digest>>,
    ) -> Self {
        let sum = Words::zeros(&round.terms().encoding);
        Inputs { attendance: Attendance::new(round, Stage::Inputs, expected), clients, commitments, sum }
    }

    /// Adds the masked vector that a client has sent, if it is its first; whether it was.
    pub fn receive(&mut self, from: Position, vector: &[u8]) -> Result<bool, Fault> {
        if !self.attendance.is_first(from)? {
            return Ok(false);
        }
        if !self.sum.add_bytes(vector) {
            let reason = "they have another length";
            return Err(Fault::Shape { position: from, stage: Stage::Inputs, reason });
        }
        Ok(self.attendance.come.insert(from))
    }

    /// Tells every survivor who has survived.
    pub fn close(self) -> Result<(Closed, Members), Abort> {
        let Inputs { attendance, clients, commitments, sum } = self;
        let (round, sharing) = (Arc::clone(&attendance.round), attendance.expected.clone());
        let survivors = attendance.close(round.terms().survivors_min)?;
        let added = Added {
            round: Arc::clone(&round),
            clients,
            commitments,
            sum,
            sharing,
            survivors: survivors.clone(),
        };
        let closed = match round.terms().variant {
            Variant::Passive { .. } => Closed::Unmasking(Unmasking::new(added, survivors.clone())),
            Variant::Active => Closed::Agreements(Agreements {
                attendance: Attendance::new(Arc::clone(&round), Stage::Agreement, survivors.clone()),
                added,
                signatures: vec![None; round.clients() as usize],
            }),
        };
        Ok((closed, survivors))
    }
}

impl Agreements {
    /// Takes a survivor's signature; whether it is its first.
    pub fn receive(&mut self, from: Position, signature: Signature) -> Result<bool, Fault> {
        if !self.attendance.is_first(from)? {
            return Ok(false);
        }
        Agreement { position: from, signature }.verify(&self.added.round, &self.added.survivors)?;
        self.signatures[from as usize] = Some(signature);
        Ok(self.attendance.come.insert(from))
    }

    /// Shows every signer which of its holders have signed.
    #[expect(clippy::type_complexity, reason = "the next stage, and what to send")]
    pub fn close(self) -> Result<(Unmasking, Vec<(Position, Vec<Agreement>)>), Abort> {
        let needed = self.added.round.terms().threshold + 1;
        let signers = self.attendance.close(needed)?;
        let told = signers.iter().map(|position| {
            let holders = self.added.clients.holders(position);
            let signed = holders.iter().filter_map(|&holder| {
                Some(Agreement { position: holder, signature: self.signatures[holder as usize]? })
            });
            (position, signed.collect())
        });
        let told = told.collect();
        Ok((Unmasking::new(self.added, signers), told))
    }
}
