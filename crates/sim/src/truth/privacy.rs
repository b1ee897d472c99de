//! Privacy: noise is where it should be, and no more is released than helpers charged and the study's budget allows.
//!
//! Whoever has the shares of `t + 1` helpers has a result, whether an analyst heard enough or not.

use std::collections::{BTreeMap, BTreeSet};

use quorate_circuit::Program;
use quorate_coordinator::Records;
use quorate_field::Integer;
use quorate_hash::Digest;
use quorate_privacy::{Budget, Loss};

use super::Truth;
use crate::broken::{Held, broken, hold};
use crate::node::Node;

/// A helper's ledger: by attempt, what it cost.
type Ledger = BTreeMap<Digest, Loss>;

impl Truth {
    /// Whether outputs are what they are without noise and noise within its bound; whether there was any.
    pub(crate) fn is_noisy(&self, program: &Program, manifest: &Digest, outputs: &[Integer]) -> Held<bool> {
        let exact = match program.evaluate(&self.table(manifest)?) {
            Ok(exact) => exact,
            Err(error) => return broken("the clear text evaluates", error.to_string()),
        };
        let elements = program.vectors.iter().flat_map(|sum| (0..sum.length).map(|_| sum.noise));
        let entries = program.outputs.iter().map(|output| output.noise).chain(elements);
        let mut is_noisy = false;
        for ((found, exact), entry) in outputs.iter().zip(&exact).zip(entries) {
            // What was decided by noisy numbers is anything that it can be.
            let Some(entry) = entry else { continue };
            let bound = &program.noise[entry as usize].bound;
            let noise = found.checked_sub(exact);
            let is_within = noise.is_some_and(|noise| {
                noise <= *bound && noise.checked_neg().is_some_and(|other| other <= *bound)
            });
            hold(is_within, "noise is within its bound", || format!("{found} of {exact}, at most {bound}"))?;
            is_noisy |= found != exact;
        }
        Ok(is_noisy)
    }

    /// An answer that is about to leave was charged durably.
    pub(crate) fn is_charged(&self, node: &Node, attempt: &Digest) -> Held {
        let is_charged = self.ledger(node)?.contains_key(attempt);
        hold(is_charged, "an answer is charged before it leaves", || {
            format!("helper {}: attempt {attempt}", node.number)
        })
    }

    /// What was released, charged and allowed when everything is over; how many runs were released, and charged for nothing.
    pub(crate) fn keeps_its_budget(&self, nodes: &[Node], budget: Option<&Budget>) -> Held<(u64, u64)> {
        let Some(budget) = budget else { return Ok((0, 0)) };
        let mut answers: BTreeMap<Digest, (BTreeSet<u8>, Loss)> = BTreeMap::new();
        let ledgers: Vec<Ledger> = nodes.iter().map(|node| self.ledger(node)).collect::<Held<_>>()?;
        for (node, ledger) in nodes.iter().zip(&ledgers) {
            let total = ledger.values().fold(Loss::NONE, |total, loss| total.plus(loss));
            hold(budget.allows(&total), "no more is charged than the budget allows", || {
                format!("helper {}: {ledger:?} of {budget}", node.number)
            })?;
            for attempt in node.promises.runs.keys() {
                let Some(loss) = ledger.get(attempt) else {
                    return broken(
                        "what was answered stays charged",
                        format!("helper {}: {attempt}", node.number),
                    );
                };
                answers.entry(*attempt).or_insert((BTreeSet::new(), *loss)).0.insert(node.number);
            }
        }
        let charged: BTreeSet<&Digest> = ledgers.iter().flat_map(BTreeMap::keys).collect();
        answers.retain(|_, (helpers, _)| helpers.len() >= self.scheme.needed());
        // It is within the budget, too.
        let has_all = |ledger: &Ledger| answers.keys().all(|attempt| ledger.contains_key(attempt));
        hold(ledgers.iter().any(has_all), "somebody has charged all that was released", || {
            format!("{answers:?} of {ledgers:?}")
        })?;
        Ok((answers.len() as u64, (charged.len() - answers.len()) as u64))
    }

    /// What is durable at a helper.
    fn ledger(&self, node: &Node) -> Held<Ledger> {
        let Some(up) = &node.up else { return Ok(Ledger::new()) };
        let prefix = [&b"ledger/"[..], self.study.as_bytes()].concat();
        let records = match up.reads.control_prefix(&prefix) {
            Ok(records) => records,
            Err(error) => return broken("records read", error.to_string()),
        };
        let read = |(key, value): (Vec<u8>, Vec<u8>)| {
            let attempt: Option<[u8; 32]> = key[prefix.len()..].try_into().ok();
            match (attempt, serde_json::from_slice(&value)) {
                (Some(attempt), Ok(loss)) => Ok((Digest(attempt), loss)),
                other => broken("records read", format!("{other:?}")),
            }
        };
        records.into_iter().map(read).collect()
    }
}
