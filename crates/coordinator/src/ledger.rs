//! The ledger of a study: which runs cost what of its contributors' privacy.
//!
//! A run is charged in the batch that makes its answer durable, so before any share of its result leaves; an answer that is
//! repeated is not charged again, and an attempt that is charged anywhere is never computed again. Entries are added and nothing
//! else.
//!
//! Members tell each other their entries when they open a run, each takes all of them together as spent, refuses what would
//! exceed the budget, and keeps what it did not know with its next charge. Why nothing is missed: whoever has a result has shares
//! of `t + 1` members, which charged it before; a run of a study with a budget has `n - t` members, one of which is one of these;
//! and a helper takes part in one run with noise at a time, so that it had charged the one before it opened the other. See
//! `docs/decisions/0020-ledgers.md`.

use std::collections::BTreeMap;

use quorate_hash::{Digest, Tagged};
use quorate_privacy::{Budget, Loss};
use quorate_wire::{Code, Refusal, RunRequest, Spent, limits};
use serde::{Deserialize, Serialize};

use crate::coordinator::over;
use crate::seal::unreadable;
use crate::study::{Entry, to_json};
use crate::{Records, Write};

const LEDGER: &[u8] = b"ledger/";

/// What one run cost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Charge {
    /// The digest of the signed request.
    attempt: Digest,
    loss: Loss,
}

/// Runs, by attempt, and what each cost.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ledger(BTreeMap<Digest, Loss>);

/// A run that costs something, and what its members know of others.
#[derive(Debug)]
pub(crate) struct Spending {
    attempt: Digest,
    loss: Loss,
    budget: Option<Budget>,
    /// What is durable here.
    own: Ledger,
    /// What any member knows.
    all: Ledger,
}

impl Ledger {
    /// What is durable of a study.
    pub(crate) fn load(study: &Digest, records: &dyn Records) -> Result<Self, Refusal> {
        let prefix = key_of(study, None);
        let read = |(key, value): (Vec<u8>, Vec<u8>)| {
            let attempt = key[prefix.len()..].try_into().map_err(|_| unreadable("a ledger's key"))?;
            Ok((Digest(attempt), serde_json::from_slice(&value).map_err(unreadable)?))
        };
        let records = records.control_prefix(&prefix).map_err(unreadable)?;
        records.into_iter().map(read).collect::<Result<_, _>>().map(Ledger)
    }

    /// As a client is told.
    pub(crate) fn told(&self, helper: u8) -> Spent {
        let attempts =
            self.0.keys().fold(Tagged::new("quorate/1/ledger"), |hash, attempt| hash.digest(attempt));
        Spent { helper, runs: self.0.len() as u64, loss: self.total(), ledger: attempts.finish() }
    }

    fn total(&self) -> Loss {
        self.0.values().fold(Loss::NONE, |total, loss| total.plus(loss))
    }

    /// Adds what another helper has. Of one run all helpers lower the same: if they say otherwise, the dearest counts.
    fn adopt(&mut self, from: u8, charges: &[Charge]) -> Result<(), Refusal> {
        if charges.len() > limits::LEDGER_MAX {
            let message = format!("helper {from} says that {} runs of the study were charged", charges.len());
            return Err(Refusal::new(Code::Malformed, message).about(vec![from]));
        }
        for Charge { attempt, loss } in charges {
            let known = self.0.entry(*attempt).or_insert(*loss);
            *known = Loss {
                rho: known.rho.max(loss.rho),
                epsilon: known.epsilon.zip(loss.epsilon).map(|(known, said)| known.max(said)),
            };
        }
        Ok(())
    }
}

impl Spending {
    /// What a run costs at a helper that is about to open it; nothing if that is nothing. `is_another` says whether another
    /// run on the study costs something and is under way here.
    ///
    /// # Errors
    /// It is another's turn; the quorum is too small for the study's budget, or what is left of it.
    pub(crate) fn begin(
        request: &RunRequest,
        attempt: Digest,
        loss: Loss,
        entry: &Entry,
        is_another: bool,
        (me, records): (u8, &dyn Records),
    ) -> Result<Option<Spending>, Refusal> {
        if loss.is_none() {
            return Ok(None);
        }
        if is_another {
            let message = "another run that costs privacy is under way on this study";
            return Err(Refusal::new(Code::Unavailable, message).hint("try again when it is over"));
        }
        let budget = entry.kept.study.privacy;
        let (size, most) = (request.quorum.len(), usize::from(entry.scheme.helpers()));
        let least = most - usize::from(entry.scheme.threshold());
        if budget.is_some() && size < least {
            let message =
                format!("a run of a study with a budget takes at least {least} helpers, not {size}");
            let hint = "fewer might not know what was spent; wait until more helpers are up";
            return Err(Refusal::new(Code::Unavailable, message).hint(hint));
        }
        let own = Ledger::load(&request.study, records)?;
        let spending = Spending { attempt, loss, budget, all: own.clone(), own };
        spending.check(me)?;
        Ok(Some(spending))
    }

    /// What the others are told: what this helper knows was spent. Without a budget nobody asks.
    pub(crate) fn charges(&self) -> Vec<Charge> {
        let charge = |(attempt, loss): (&Digest, &Loss)| Charge { attempt: *attempt, loss: *loss };
        let told = self.budget.map(|_| self.own.0.iter().map(charge).collect());
        told.unwrap_or_default()
    }

    /// Takes what all other members know, and judges the run with it.
    ///
    /// # Errors
    /// The budget does not suffice; the run was charged somewhere.
    pub(crate) fn judge<'a>(
        &mut self,
        me: u8,
        told: impl Iterator<Item = (u8, &'a Vec<Charge>)>,
    ) -> Result<(), Refusal> {
        for (from, charges) in told {
            self.all.adopt(from, charges)?;
        }
        self.check(me)
    }

    /// The writes that charge it, and keep what this helper learned of others.
    pub(crate) fn writes(&self, study: &Digest) -> Vec<Write> {
        let learned = self.all.0.iter().filter(|(attempt, _)| !self.own.0.contains_key(attempt));
        let charges = learned.chain([(&self.attempt, &self.loss)]);
        let write = |(attempt, loss): (&Digest, &Loss)| Write::Control {
            key: key_of(study, Some(attempt)),
            value: to_json(loss),
        };
        charges.map(write).collect()
    }

    fn check(&self, me: u8) -> Result<(), Refusal> {
        if self.all.0.contains_key(&self.attempt) {
            return Err(over(me));
        }
        let Some(budget) = self.budget else { return Ok(()) };
        let runs = self.all.0.len();
        if runs >= limits::LEDGER_MAX {
            let message = format!("{runs} runs of the study were charged, and a ledger has no more entries");
            return Err(Refusal::new(Code::Policy, message).hint("ask more in one run"));
        }
        let spent = self.all.total();
        if budget.allows(&spent.plus(&self.loss)) {
            return Ok(());
        }
        let message = format!(
            "the run costs {}, and of the study's budget of {budget} there is {} {} left: {runs} runs cost {}",
            cost(&budget, &self.loss),
            budget.measure(),
            budget.left(&spent),
            cost(&budget, &spent),
        );
        Err(Refusal::new(Code::Policy, message)
            .hint("ask for less, or with more noise; the budget in the study's document is its owner's rule"))
    }
}

/// A loss in a budget's measure.
fn cost(budget: &Budget, loss: &Loss) -> String {
    match (budget, loss.epsilon) {
        (Budget::Pure { .. }, None) => format!("rho {}, which no epsilon without delta allows", loss.rho),
        _ => budget.spent_words(loss),
    }
}

fn key_of(study: &Digest, attempt: Option<&Digest>) -> Vec<u8> {
    let attempt = attempt.map(|attempt| &attempt.as_bytes()[..]).unwrap_or_default();
    [LEDGER, study.as_bytes(), attempt].concat()
}

#[cfg(test)]
mod tests;
