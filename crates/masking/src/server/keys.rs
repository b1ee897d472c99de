//! The first stage: clients' signed keys.

use std::sync::Arc;

use super::{Attendance, Clients, Known, SharesStage};
use crate::graph::Graph;
use crate::keys::RoundKey;
use crate::message::SignedKeys;
use crate::{Abort, Fault, Members, Position, Round, Stage};

/// Takes the keys of a round's clients.
pub struct Keys {
    pub(super) attendance: Attendance,
    keys: Vec<Option<SignedKeys>>,
}

impl Keys {
    /// Begins a round.
    pub fn new(round: Arc<Round>) -> Self {
        let clients = round.clients();
        let mut expected = Members::none(clients);
        for position in 0..clients {
            expected.insert(position);
        }
        let keys = (0..clients).map(|_| None).collect();
        Keys { attendance: Attendance::new(round, Stage::Keys, expected), keys }
    }

    /// Takes the keys that a client has sent; whether they are its first.
    pub fn receive(&mut self, from: Position, keys: SignedKeys) -> Result<bool, Fault> {
        if !self.attendance.is_first(from)? {
            return Ok(false);
        }
        if keys.position != from {
            return Err(Fault::Shape {
                position: from,
                stage: Stage::Keys,
                reason: "they are another client's",
            });
        }
        keys.verify(&self.attendance.round)?;
        // Its neighbours would refuse them too, and be out of the round for it.
        if !RoundKey::is_sound(&keys.mask) || !RoundKey::is_sound(&keys.seal) {
            return Err(Fault::Key(from));
        }
        self.keys[from as usize] = Some(keys);
        Ok(self.attendance.come.insert(from))
    }

    /// Tells every client its neighbours.
    #[expect(clippy::type_complexity, reason = "the next stage, and what to send")]
    pub fn close(self) -> Result<(SharesStage, Vec<(Position, Vec<SignedKeys>)>), Abort> {
        let round = Arc::clone(&self.attendance.round);
        let there = self.attendance.close(round.terms().survivors_min)?;
        let graph = Graph::new(&round);
        let mut clients =
            Clients(self.keys.iter().map(|keys| Some(known(&graph, keys.as_ref()?, &there))).collect());
        for position in there.iter() {
            let holders = clients.holders(position).to_vec();
            for holder in holders {
                if let Some(Some(holder)) = clients.0.get_mut(holder as usize) {
                    holder.kept.push(position);
                }
            }
        }
        let told = there.iter().map(|position| {
            let neighbours = clients.neighbours(position);
            let keys = neighbours.iter().filter_map(|&neighbour| self.keys[neighbour as usize].clone());
            (position, keys.collect())
        });
        let told = told.collect();
        Ok((SharesStage::new(round, there, clients), told))
    }
}

fn known(graph: &Graph, keys: &SignedKeys, there: &Members) -> Known {
    let holders = graph.holders(keys.position, &keys.choice);
    let holders = holders.into_iter().filter(|&holder| there.contains(holder)).collect();
    Known { mask: keys.mask, holders, kept: Vec::new() }
}
