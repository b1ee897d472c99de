//! What a seal comes to: the manifest, and the rules that it must keep.

use quorate_hash::{Digest, merkle};
use quorate_wire::{Code, Exclusions, LeftOut, Manifest, Refusal};

use super::agreement::{Item, items_root};
use super::{Rejected, Sealing};
use crate::study::Entry;

/// Left out and excluded together must stay within the policy, whatever the reason.
pub(super) fn check_exclusions(sealing: &Sealing, accepted: &[Item], entry: &Entry) -> Result<(), Refusal> {
    let policy = &entry.kept.study.policy;
    let excluded = (sealing.agreed.items.len() - accepted.len()) as u64;
    let LeftOut { contributions: left_out, .. } = sealing.agreed.left_out;
    let union = sealing.agreed.items.len() as u64 + left_out;
    if !policy.excluded_max.allows(excluded + left_out, union) {
        let message = format!(
            "of {union} contributions {left_out} were not at all helpers and {excluded} failed a check; the \
             study lets at most {} of them be left out",
            policy.excluded_max
        );
        return Err(Refusal::new(Code::Policy, message)
            .hint("a helper that sends wrong shares makes honest contributions fail: seal without one helper after the other"));
    }
    check_cohort(accepted.len() as u64, policy.min_cohort)
}

/// Whether there are enough contributions to seal or compute on.
pub(crate) fn check_cohort(contributions: u64, min_cohort: u64) -> Result<(), Refusal> {
    if contributions < min_cohort {
        let message = format!(
            "the cohort is too small: {contributions} contributions, and the study wants at least {min_cohort}"
        );
        return Err(Refusal::new(Code::Policy, message).hint("wait for more contributions"));
    }
    Ok(())
}

/// The ids of contributions that failed a check, ascending.
pub(super) fn excluded(sealing: &Sealing, rejected: &Rejected) -> Vec<Digest> {
    let checked = sealing.agreed.items.iter().zip(&sealing.passed);
    let off_degree = checked.filter(|(_, passed)| !**passed).map(|(item, _)| item.id);
    let rejected = rejected.out_of_range.iter().chain(&rejected.above_norm);
    let mut excluded: Vec<Digest> = off_degree.chain(rejected.copied()).collect();
    excluded.sort_unstable();
    excluded
}

/// The manifest of what was accepted; the `rejected` are among the `excluded`.
pub(super) fn manifest(
    sealing: &Sealing,
    accepted: &[Item],
    excluded: &[Digest],
    rejected: &Rejected,
    entry: &Entry,
) -> Manifest {
    let study = &entry.kept.study;
    let (out_of_range, above_norm) = (rejected.out_of_range.len() as u64, rejected.above_norm.len() as u64);
    let checks = study.input_checks();
    Manifest {
        federation: study.federation,
        study: study.id(),
        session: sealing.session,
        members: sealing.agreed.members.clone(),
        root: items_root(accepted.iter()),
        contributions: accepted.len() as u64,
        rows: accepted.iter().map(|item| u64::from(item.rows)).sum(),
        excluded: Exclusions {
            off_degree: excluded.len() as u64 - out_of_range - above_norm,
            out_of_range,
            above_norm,
            root: merkle::root(excluded),
        },
        left_out: sealing.agreed.left_out.clone(),
        degree_checked: !sealing.passed.is_empty(),
        range_checked: checks.range,
        norm_checked: checks.norm,
    }
}

/// Why a helper that is not in S takes no part.
pub(super) fn left_out(members: &[u8], me: u8) -> Refusal {
    let message =
        format!("the study is sealed by helpers {members:?}; helper {me} lacks contributions that they have");
    Refusal::new(Code::Policy, message).hint("runs use the sealing helpers; this helper takes no part")
}
