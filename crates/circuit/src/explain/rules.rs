//! The rules of a study that hold for a run, in words: one line for each.

use crate::study::{Policy, Study};

/// The lines, in the order in which helpers look; `earlier` is how many circuits were asked before, if that is known.
pub(super) fn rules(study: &Study, earlier: Option<usize>) -> Vec<String> {
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
    rules.extend(study.norm_rules());
    rules.extend(disclosure.rules());
    if disclosure.has_groups() {
        rules.push(match earlier {
            Some(count) => format!("groups are judged together with those of earlier circuits: here of {count}"),
            None => "groups are judged together with those of earlier circuits, which are not counted here: name a study \
                     by its id, and its helpers say which"
                .to_owned(),
        });
    }
    rules
}
