//! Report: what one simulation, or many, went through.

use crate::analyst::Analyst;
use crate::owner::{End, Owner};
use crate::plan::Plan;

/// Counts of what happened: a simulator that never crashes a helper tests no crash.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The hash of all events and actions.
    pub digest: String,
    /// How many there were.
    pub events: u64,
    /// The virtual time at the end.
    pub virtual_ms: u64,
    /// Counts by name.
    pub counts: std::collections::BTreeMap<&'static str, u64>,
}

impl Report {
    /// Something happened.
    pub fn count(&mut self, what: &'static str, times: u64) {
        *self.counts.entry(what).or_default() += times;
    }

    /// What the clients achieved.
    pub(crate) fn conclude(&mut self, plan: &Plan, owner: &Owner, analysts: &[Analyst]) {
        self.count("seeds with liars", u64::from(!plan.liars.is_empty()));
        self.count("seal attempts", owner.attempts);
        let name = match &owner.end {
            Some(End::Sealed(signed)) => {
                self.count("contributions sealed", signed.manifest.contributions);
                self.count("contributions left out", signed.manifest.left_out.contributions);
                self.count("contributions off degree", signed.manifest.excluded.off_degree);
                self.count("contributions out of range", signed.manifest.excluded.out_of_range);
                self.count("contributions above their norm", signed.manifest.excluded.above_norm);
                let is_smaller = signed.manifest.members.len() < usize::from(plan.scheme.helpers());
                self.count("seals without a helper", u64::from(is_smaller));
                "seals"
            }
            Some(End::Refused(..)) => "seals refused",
            Some(End::GaveUp) | None => "seals given up",
        };
        self.count(name, 1);
        for analyst in analysts {
            self.count("run attempts", analyst.attempts);
            self.count("answers", analyst.answered);
            self.count("answers not linear", analyst.not_linear);
            self.count("answers with vectors", analyst.vectors);
            self.count("answers unverified", analyst.unverified);
            self.count("answers corrected", analyst.corrected);
            self.count("answers refused", analyst.inconsistent);
            self.count("runs given up", analyst.given_up);
            self.count("answers with noise", analyst.noisy);
            self.count("runs over budget", analyst.over_budget);
        }
    }

    /// Adds another simulation's.
    pub fn add(&mut self, other: &Report) {
        self.digest.clone_from(&other.digest);
        self.events += other.events;
        self.virtual_ms += other.virtual_ms;
        for (what, times) in &other.counts {
            self.count(what, *times);
        }
    }
}
