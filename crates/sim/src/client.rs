//! Clients: what contributors, the owner and the analysts have in common.

use std::collections::BTreeMap;
use std::sync::Arc;

use quorate_circuit::Study;
use quorate_coordinator::Reply;
use quorate_federation::{Federation, SecretKey};
use quorate_hash::Digest;
use quorate_sharing::Scheme;
use quorate_wire::{Refusal, Signed};

use crate::chance::Chance;

/// What all clients know.
pub(crate) struct Public {
    /// The federation.
    pub(crate) federation: Federation,
    /// The study.
    pub(crate) study: Study,
    /// Its document.
    pub(crate) document: String,
    /// Its scheme.
    pub(crate) scheme: Scheme,
    /// The owner's and the analysts' key.
    pub(crate) key: SecretKey,
    /// How long a client waits for the end of a seal or run.
    pub(crate) patience_ms: u64,
}

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Actor {
    /// A contributor, by position.
    Contributor(usize),
    /// The study's owner.
    Owner,
    /// One of its analysts, by position.
    Analyst(usize),
}

/// What is asked.
#[derive(Clone, Debug)]
pub(crate) enum Demand {
    /// Create the study.
    Create(Signed),
    /// Store contributions: the upload's bytes, and the ids in them.
    Upload(Arc<Vec<u8>>, Arc<Vec<Digest>>),
    /// Seal the study.
    Seal(Signed),
    /// Run a circuit.
    Run(Signed),
    /// Say how far things are.
    Status,
    /// Say what was asked of the study before.
    Asked(Digest),
}

/// A request on its way.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    /// Who asks, and under which name of its own.
    pub(crate) actor: Actor,
    /// The client's name for the request.
    pub(crate) token: u64,
    /// The helper's number.
    pub(crate) to: u8,
    /// What.
    pub(crate) demand: Demand,
}

/// A helper's answer.
pub(crate) type Heard = Result<Reply, Refusal>;

/// What an actor sees of the world in its turn, and where its requests go.
pub(crate) struct Turn<'a> {
    /// What all know.
    pub(crate) public: &'a Public,
    /// Its randomness.
    pub(crate) chance: &'a mut Chance,
    /// The time.
    pub(crate) now_ms: u64,
    /// Whether the faults are over.
    pub(crate) is_calm: bool,
    /// Whether the owner is done.
    pub(crate) is_owner_done: bool,
    /// Whether all contributors are done.
    pub(crate) are_contributors_done: bool,
    /// Whether somebody may lie.
    pub(crate) has_liars: bool,
    /// Requests to be sent.
    pub(crate) asks: Vec<Ask>,
    /// Names for requests.
    pub(crate) next_token: &'a mut u64,
}

impl Turn<'_> {
    /// Sends a request; its name.
    pub(crate) fn ask(&mut self, actor: Actor, to: u8, demand: Demand) -> u64 {
        *self.next_token += 1;
        self.asks.push(Ask { actor, token: *self.next_token, to, demand });
        *self.next_token
    }
}

/// One request to several helpers, repeated until each has answered.
#[derive(Debug, Default)]
pub(crate) struct Round {
    /// By helper: when it was asked last.
    asked: BTreeMap<u8, u64>,
    /// By token: the helper.
    tokens: BTreeMap<u64, u8>,
    /// The first answer of each.
    pub(crate) heard: BTreeMap<u8, Heard>,
}

impl Round {
    /// Asks whoever has not answered for `repeat_ms`.
    pub(crate) fn ask(
        &mut self,
        actor: Actor,
        members: &[u8],
        demand: &Demand,
        repeat_ms: u64,
        turn: &mut Turn<'_>,
    ) {
        for member in members {
            let is_due = self.asked.get(member).is_none_or(|asked| turn.now_ms >= asked + repeat_ms);
            if is_due && !self.heard.contains_key(member) {
                self.asked.insert(*member, turn.now_ms);
                let token = turn.ask(actor, *member, demand.clone());
                self.tokens.insert(token, *member);
            }
        }
    }

    /// Takes an answer, if it is one to this round.
    pub(crate) fn hear(&mut self, token: u64, heard: Heard) {
        if let Some(member) = self.tokens.get(&token) {
            self.heard.entry(*member).or_insert(heard);
        }
    }

    /// Whether all of `members` have answered.
    pub(crate) fn is_complete(&self, members: &[u8]) -> bool {
        members.iter().all(|member| self.heard.contains_key(member))
    }
}
