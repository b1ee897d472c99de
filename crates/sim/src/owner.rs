//! The owner: creates the study at every helper, and seals it.

use std::collections::BTreeSet;

use quorate_coordinator::Reply;
use quorate_hash::Digest;
use quorate_wire::{Code, SealRequest, Signed, SignedManifest, StudyRequest};

use crate::analyst::is_proved;
use crate::broken::{Held, hold};
use crate::client::{Actor, Demand, Heard, Round, Turn};
use crate::plan::Plan;

/// The owner and how far it is.
pub(crate) struct Owner {
    create: Demand,
    creating: Round,
    stage: Stage,
    seal_ms: u64,
    needed: usize,
    /// Attempts to seal, in all.
    pub(crate) attempts: u64,
    /// Refusals in a row, after the faults were over and all contributors done, for which a new attempt is no remedy.
    refusals: u64,
    calm_attempts: u64,
    /// How it ended.
    pub(crate) end: Option<End>,
}

enum Stage {
    Waiting { until_ms: u64 },
    Polling { round: Round, until_ms: u64 },
    Sealing { round: Round, demand: Demand, members: Vec<u8>, until_ms: u64, from_calm: bool },
}

/// How the owner's work ended.
#[derive(Clone, Debug)]
pub(crate) enum End {
    /// All signatures are there.
    Sealed(Box<SignedManifest>),
    /// The helpers' rules do not allow it; the members asked last.
    Refused(Vec<u8>, String),
    /// Somebody lies, and attempts are in vain.
    GaveUp,
}

/// Refusals in a row by the study's rules before the owner believes them.
const REFUSALS_MAX: u64 = 3;
/// Attempts after the faults are over, where somebody may lie.
const LIED_ATTEMPTS_MAX: u64 = 4;

impl Owner {
    /// An owner with nothing done yet.
    pub(crate) fn new(plan: &Plan, document: &str, key: &quorate_federation::SecretKey) -> Self {
        let create = Signed::new(&StudyRequest { document: document.to_owned() }, key);
        Owner {
            create: Demand::Create(create),
            creating: Round::default(),
            stage: Stage::Waiting { until_ms: plan.seal_ms },
            seal_ms: plan.seal_ms,
            needed: plan.needed_to_seal(),
            attempts: 0,
            refusals: 0,
            calm_attempts: 0,
            end: None,
        }
    }

    /// Time passes.
    pub(crate) fn turn(&mut self, turn: &mut Turn<'_>) -> Held {
        let all: Vec<u8> = turn.public.scheme.numbers().collect();
        self.creating.ask(Actor::Owner, &all, &self.create, 700, turn);
        if self.end.is_some() || turn.now_ms < self.seal_ms {
            return Ok(());
        }
        match &mut self.stage {
            Stage::Waiting { until_ms } if turn.now_ms >= *until_ms => {
                let until_ms = turn.now_ms + 400;
                self.stage = Stage::Polling { round: Round::default(), until_ms };
            }
            Stage::Waiting { .. } => {}
            Stage::Polling { round, until_ms } if turn.now_ms < *until_ms => {
                round.ask(Actor::Owner, &all, &Demand::Status, 1_000, turn);
            }
            Stage::Polling { round, .. } => {
                let heard = round.heard.iter().filter(|(_, heard)| heard.is_ok()).map(|(helper, _)| *helper);
                let members = heard.collect();
                self.begin(members, turn);
            }
            Stage::Sealing { round, demand, members, until_ms, .. } => {
                if turn.now_ms < *until_ms && !round.is_complete(members) {
                    let (members, demand) = (members.clone(), demand.clone());
                    round.ask(Actor::Owner, &members, &demand, 2_000, turn);
                } else {
                    return self.conclude(turn);
                }
            }
        }
        Ok(())
    }

    /// Takes an answer.
    pub(crate) fn hear(&mut self, token: u64, heard: Heard) {
        // Helpers that refuse to keep the study are asked again; those that keep it are not.
        if heard.is_ok() {
            self.creating.hear(token, heard.clone());
        }
        match &mut self.stage {
            Stage::Waiting { .. } => {}
            Stage::Polling { round, .. } | Stage::Sealing { round, .. } => round.hear(token, heard),
        }
    }

    fn begin(&mut self, members: Vec<u8>, turn: &mut Turn<'_>) {
        let mut members: Vec<u8> =
            members.into_iter().filter(|member| self.creating.heard.contains_key(member)).collect();
        if members.len() > self.needed && !turn.is_calm && turn.chance.hit(150) {
            members.remove(turn.chance.index(members.len()));
        }
        if members.len() < self.needed {
            self.pause(turn);
            return;
        }
        let request = SealRequest {
            federation: *turn.public.federation.id(),
            study: turn.public.study.id(),
            members: members.clone(),
            number: turn.now_ms + self.attempts + 1,
            nonce: Digest(turn.chance.bytes()),
        };
        self.attempts += 1;
        self.calm_attempts += u64::from(turn.is_calm);
        let demand = Demand::Seal(Signed::new(&request, &turn.public.key));
        let until_ms = turn.now_ms + turn.public.patience_ms;
        let from_calm = turn.is_calm && turn.are_contributors_done;
        let mut round = Round::default();
        round.ask(Actor::Owner, &members, &demand, 0, turn);
        self.stage = Stage::Sealing { round, demand, members, until_ms, from_calm };
    }

    fn pause(&mut self, turn: &mut Turn<'_>) {
        self.stage = Stage::Waiting { until_ms: turn.now_ms + turn.chance.between(200, 1_500) };
    }

    /// An attempt is over.
    fn conclude(&mut self, turn: &mut Turn<'_>) -> Held {
        let Stage::Sealing { round, members, from_calm, .. } = &self.stage else { return Ok(()) };
        let sealed: Vec<(u8, &SignedManifest)> = round
            .heard
            .iter()
            .filter_map(|(member, heard)| match heard {
                Ok(Reply::Sealed(manifest)) => Some((*member, &**manifest)),
                _ => None,
            })
            .collect();
        let complete = sealed.iter().find(|(_, signed)| is_proved(signed, turn));
        if let Some((_, signed)) = complete {
            let helpers: BTreeSet<u8> = sealed.iter().map(|(helper, _)| *helper).collect();
            if signed.manifest.members.iter().all(|member| helpers.contains(member)) {
                self.end = Some(End::Sealed(Box::new((*signed).clone())));
                return Ok(());
            }
        }
        let refused = round.heard.values().filter_map(|heard| heard.as_ref().err());
        for refusal in refused.clone() {
            let expected =
                matches!(refusal.code, Code::Policy | Code::Unavailable | Code::Busy | Code::Unknown);
            hold(expected || turn.has_liars, "honest helpers agree", || format!("seal: {refusal:?}"))?;
        }
        let by_rule = refused.clone().find(|refusal| refusal.code == Code::Policy);
        match by_rule {
            Some(refusal) if *from_calm && sealed.is_empty() => {
                self.refusals += 1;
                if self.refusals >= REFUSALS_MAX {
                    self.end = Some(End::Refused(members.clone(), refusal.message.clone()));
                }
            }
            _ => self.refusals = 0,
        }
        if turn.has_liars && self.calm_attempts >= LIED_ATTEMPTS_MAX {
            self.end.get_or_insert(End::GaveUp);
        }
        self.pause(turn);
        Ok(())
    }
}
