//! The rules of a study that hold for a run, in words: one line for each.

use crate::study::{Policy, Study};

/// The lines, in the order in which helpers look.
pub(super) fn rules(study: &Study) -> Vec<String> {
    let Policy { min_cohort, excluded_max, analysts, disclosure } = &study.policy;
    let whose = match analysts.len() {
        1 => "the one analyst whose key".to_owned(),
        count => format!("the {count} analysts whose keys"),
    };
    let mut rules = vec![
        format!("only {whose} the study names may ask"),
        format!("contributions: at least {min_cohort}, or nothing is computed"),
        format!("left out by the seal: at most a share of {excluded_max} of all contributions"),
    ];
    rules.extend(disclosure.rules());
    rules
}
