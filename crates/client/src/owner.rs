//! The owner of a study: creates it at all helpers, and seals it.

use std::time::SystemTime;

use bytes::Bytes;
use futures_util::future::join_all;
use quorate_circuit::{InputChecks, Study};
use quorate_contribute::scheme_of;
use quorate_federation::SecretKey;
use quorate_hash::Digest;
use quorate_wire::{Manifest, SealRequest, Signed, SignedManifest, StudyRequest};
use serde::{Deserialize, Serialize};

use crate::helpers::Ask;
use crate::{ClientError, HelperError, Helpers, Patience, Reports, fresh_nonce};

/// A seal is tried with so many sets of helpers.
const ATTEMPTS_MAX: usize = 3;

#[derive(Deserialize)]
struct Created {
    study: Digest,
}

/// Creates the study with this document at every helper and compares the ids. Creating it again is harmless.
///
/// # Errors
/// The document is no study of this federation; a helper does not answer or refuses; ids differ.
pub async fn create_study(helpers: &Helpers, key: &SecretKey, document: &str) -> Result<Study, ClientError> {
    let study = Study::parse(document)?;
    check_federation(helpers, &study)?;
    let body = body(&Signed::new(&StudyRequest { document: document.to_owned() }, key));
    let created: Reports<Created> = join_all(helpers.numbers().map(|number| {
        let ask = Ask::post_json("/v1/studies", body.clone()).patience(Patience::BRIEF);
        helpers.ask_json(number, ask, "a study's id")
    }))
    .await;
    let mut differing = Vec::new();
    for (number, created) in helpers.numbers().zip(created) {
        let created = created?;
        if created.study != study.id() {
            differing.push(format!("helper {number} says {}", created.study));
        }
    }
    if !differing.is_empty() {
        return Err(ClientError::Disagreement { what: "the study's id", answers: differing });
    }
    Ok(study)
}

/// Seals a study with every helper that answers, except those of `without`. When helpers are lost or disagree it is
/// tried again, in the end without those that others waited for in vain. The manifest is checked to be signed by all its members.
///
/// # Errors
/// Too few helpers, or a helper that refuses for another reason than these.
pub async fn seal(
    helpers: &Helpers,
    key: &SecretKey,
    study: &Study,
    without: &[u8],
) -> Result<SignedManifest, ClientError> {
    check_federation(helpers, study)?;
    let needed = scheme_of(study)?.seal_quorum();
    let mut silent = Vec::new();
    let mut attempt = 1;
    loop {
        let (up, down) = answering(helpers).await;
        let up: Vec<u8> = up.into_iter().filter(|member| !without.contains(member)).collect();
        let members = leave_out(up, &silent, needed);
        if members.len() < needed {
            let up = members.len();
            return Err(ClientError::TooFewHelpers { what: "seal the study", needed, up, down });
        }
        let error = match try_seal(helpers, key, study, members).await {
            Ok(manifest) => return Ok(manifest),
            Err(error) => error,
        };
        if !error.may_retry() {
            return Err(error);
        }
        if attempt == ATTEMPTS_MAX {
            return Err(ClientError::GaveUp { attempts: attempt, last: Box::new(error) });
        }
        // Whoever is left out of a seal takes no part in any run: only one that is silent again is.
        silent = if attempt > 1 { error.silent() } else { Vec::new() };
        tracing::info!(attempt, %error, "sealing again");
        attempt += 1;
    }
}

async fn try_seal(
    helpers: &Helpers,
    key: &SecretKey,
    study: &Study,
    members: Vec<u8>,
) -> Result<SignedManifest, ClientError> {
    let id = study.id();
    let request = SealRequest {
        federation: *helpers.federation().id(),
        study: id,
        members: members.clone(),
        number: milliseconds_now(),
        nonce: fresh_nonce()?,
    };
    let body = body(&Signed::new(&request, key));
    // All of them are waited for: a member that gave up says whom it missed, one that signed must not be left behind.
    let replies: Reports<SignedManifest> = join_all(members.iter().map(|number| {
        let ask = Ask::post_json(format!("/v1/studies/{id}/seal"), body.clone());
        helpers.ask_json(*number, ask, "a manifest")
    }))
    .await;
    conclude(helpers, study, members.into_iter().zip(replies).collect())
}

/// The manifest that all its members replied with. A helper that is no member of it took no part, and refuses.
fn conclude(
    helpers: &Helpers,
    study: &Study,
    replies: Vec<(u8, Result<SignedManifest, HelperError>)>,
) -> Result<SignedManifest, ClientError> {
    let (mut manifests, mut errors) = (Vec::new(), Vec::new());
    for (number, reply) in replies {
        match reply {
            Ok(manifest) => manifests.push((number, manifest)),
            Err(error) => errors.push(error),
        }
    }
    // One that names whom it missed says more than one that only heard of the end.
    errors.sort_by_key(|error| error.silent().is_empty());
    let Some(error) = errors.into_iter().next() else { return agreed_manifest(helpers, study, manifests) };
    let replied: Vec<u8> = manifests.iter().map(|(number, _)| *number).collect();
    match agreed_manifest(helpers, study, manifests) {
        Ok(signed) if signed.manifest.members.iter().all(|member| replied.contains(member)) => Ok(signed),
        _ => Err(error.into()),
    }
}

/// `up` without `silent`, as far as `needed` remain.
pub(crate) fn leave_out(up: Vec<u8>, silent: &[u8], needed: usize) -> Vec<u8> {
    let without: Vec<u8> = up.iter().copied().filter(|member| !silent.contains(member)).collect();
    if without.len() >= needed { without } else { up }
}

/// The time, as numbers of requests that must rise.
fn milliseconds_now() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// The checks of inputs that a seal ran, by its manifest.
pub fn checks_of(manifest: &Manifest) -> InputChecks {
    let Manifest { degree_checked, range_checked, norm_checked, .. } = *manifest;
    InputChecks { degree: degree_checked, range: range_checked, norm: norm_checked }
}

/// The one manifest that all of `manifests` are that prove anything: signed by all their members, and checked as the
/// study wants it.
///
/// # Errors
/// They differ, or none proves anything.
pub(crate) fn agreed_manifest(
    helpers: &Helpers,
    study: &Study,
    mut manifests: Vec<(u8, SignedManifest)>,
) -> Result<SignedManifest, ClientError> {
    let needed = scheme_of(study)?.seal_quorum();
    manifests.retain(|(number, signed)| {
        let is_checked = checks_of(&signed.manifest) == study.input_checks();
        let proof = signed.check(helpers.federation(), &study.id(), needed);
        if let Err(error) = &proof {
            tracing::warn!(helper = number, %error, "a manifest is not taken");
        }
        is_checked && proof.is_ok()
    });
    let ids: Vec<(u8, Digest)> =
        manifests.iter().map(|(number, signed)| (*number, signed.manifest.id())).collect();
    if ids.iter().any(|(_, id)| *id != ids[0].1) {
        let answers = ids.iter().map(|(number, id)| format!("helper {number} says {}", id.short())).collect();
        return Err(ClientError::Disagreement { what: "the sealed set", answers });
    }
    let signed = manifests.into_iter().map(|(_, signed)| signed).next();
    signed.ok_or(ClientError::Manifest { study: study.id() })
}

/// The helpers that answer now, and why the others do not.
pub(crate) async fn answering(helpers: &Helpers) -> (Vec<u8>, Vec<HelperError>) {
    let mut down = Vec::new();
    let mut up = Vec::new();
    for (number, status) in helpers.numbers().zip(helpers.statuses().await) {
        match status {
            Ok(_) => up.push(number),
            Err(error) => down.push(error),
        }
    }
    (up, down)
}

pub(crate) fn check_federation(helpers: &Helpers, study: &Study) -> Result<(), ClientError> {
    let found = *helpers.federation().id();
    if study.federation != found {
        return Err(ClientError::OtherFederation { study: study.id(), expected: study.federation, found });
    }
    Ok(())
}

/// A request's JSON.
#[expect(clippy::expect_used, reason = "requests are plain data with text keys")]
pub(crate) fn body(request: &impl Serialize) -> Bytes {
    Bytes::from(serde_json::to_vec(request).expect("requests are plain data"))
}
