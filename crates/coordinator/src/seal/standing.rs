//! What was signed before: how an attempt resumes, completes or gives up earlier manifests.

use std::collections::BTreeMap;

use quorate_hash::Digest;
use quorate_wire::{Code, Manifest, Refusal, SignedManifest};

use super::messages::{Opening, Standing};
use crate::context::Context;
use crate::study::{Entry, State};

/// What the members' standings mean together.
pub(crate) enum Resolution {
    /// Nothing that was signed can still be completed: seal afresh.
    Fresh,
    /// Everybody who must sign this manifest did: exchange signatures again.
    Complete(Box<Manifest>),
    /// It is sealed already.
    Adopt(Box<SignedManifest>),
}

/// This helper's standing.
pub(crate) fn standing(entry: &Entry, cx: &Context<'_>) -> Standing {
    match &entry.state {
        State::Open => Standing::Open,
        State::Prepared(manifest) => Standing::Prepared(manifest.clone(), manifest.sign(&cx.config.key)),
        State::Sealed(manifest) => Standing::Sealed(manifest.clone()),
    }
}

/// Whether this helper signed the manifest whose columns are this generation.
pub(crate) fn is_signed(generation: &Digest, entry: &Entry) -> bool {
    match &entry.state {
        State::Open => false,
        State::Prepared(manifest) => manifest.session == *generation,
        State::Sealed(signed) => signed.manifest.session == *generation,
    }
}

/// Resolves all members' standings, this one's included. Every member that hears the same resolves the same.
pub(crate) fn resolve(
    openings: &BTreeMap<u8, Opening>,
    entry: &Entry,
    cx: &Context<'_>,
) -> Result<Resolution, Refusal> {
    let (federation, study) = (&cx.config.federation, entry.kept.study.id());
    let needed = entry.scheme.seal_quorum();
    let mut sealed: BTreeMap<Digest, &SignedManifest> = BTreeMap::new();
    let mut prepared: BTreeMap<Digest, (&Manifest, Vec<u8>)> = BTreeMap::new();
    for (member, opening) in openings {
        match &opening.standing {
            Standing::Open => {}
            Standing::Sealed(signed) => {
                signed.check(federation, &study, needed).map_err(|error| unproved(*member, &error))?;
                sealed.insert(signed.manifest.id(), signed);
            }
            Standing::Prepared(manifest, signature) => {
                manifest.check(federation, &study, needed).map_err(|error| unproved(*member, &error))?;
                let key = federation.member(*member).map(|helper| helper.key);
                let is_own = key.is_some_and(|key| manifest.is_signed_by(&key, signature));
                if !is_own || !manifest.members.contains(member) {
                    return Err(unproved(*member, &"it is not signed by that helper"));
                }
                prepared.entry(manifest.id()).or_insert((manifest, Vec::new())).1.push(*member);
            }
        }
    }
    if sealed.len() > 1 {
        return Err(Refusal::new(
            Code::Disagreement,
            "two different manifests of this study are fully signed",
        ));
    }
    if let Some(signed) = sealed.into_values().next() {
        return Ok(Resolution::Adopt(Box::new(signed.clone())));
    }
    for (manifest, signers) in prepared.values() {
        let present = |member: &&u8| openings.contains_key(*member);
        if manifest.members.iter().filter(present).any(|member| !signers.contains(member)) {
            // A member that had to sign is here and did not: it never will, its attempt is gone.
            continue;
        }
        let absent: Vec<u8> =
            manifest.members.iter().copied().filter(|m| !openings.contains_key(m)).collect();
        if !absent.is_empty() {
            let message = format!(
                "helpers {signers:?} signed a manifest that helper {absent:?} may have completed: without the latter it \
                 cannot be known whether the study is sealed"
            );
            return Err(Refusal::new(Code::Unavailable, message)
                .hint("seal again when they are up")
                .about(absent));
        }
        return Ok(Resolution::Complete(Box::new((*manifest).clone())));
    }
    Ok(Resolution::Fresh)
}

fn unproved(member: u8, reason: &dyn std::fmt::Display) -> Refusal {
    let message = format!("helper {member} shows a manifest that proves nothing: {reason}");
    Refusal::new(Code::Disagreement, message).about(vec![member])
}
