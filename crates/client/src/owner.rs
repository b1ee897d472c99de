//! The owner of a study: creates it at all helpers, and seals it.

use bytes::Bytes;
use futures_util::future::join_all;
use quorate_circuit::Study;
use quorate_federation::SecretKey;
use quorate_hash::Digest;
use quorate_wire::{SealRequest, Signed, SignedManifest, StudyRequest};
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

/// Seals a study with every helper that answers. When helpers are lost or disagree it is tried again, with those that
/// still answer. The manifest is checked to be signed by all its members.
///
/// # Errors
/// Too few helpers, or a helper that refuses for another reason than these.
pub async fn seal(helpers: &Helpers, key: &SecretKey, study: &Study) -> Result<SignedManifest, ClientError> {
    check_federation(helpers, study)?;
    let needed = usize::from(study.sharing.threshold) + 1;
    let mut attempt = 1;
    loop {
        let (members, down) = answering(helpers).await;
        if members.len() < needed {
            let up = members.len();
            return Err(ClientError::TooFewHelpers { what: "seal the study", needed, up, down });
        }
        let error = match try_seal(helpers, key, &study.id(), members).await {
            Ok(manifest) => return Ok(manifest),
            Err(error) => error,
        };
        if !error.may_retry() {
            return Err(error);
        }
        if attempt == ATTEMPTS_MAX {
            return Err(ClientError::GaveUp { attempts: attempt, last: Box::new(error) });
        }
        tracing::info!(attempt, %error, "sealing again");
        attempt += 1;
    }
}

async fn try_seal(
    helpers: &Helpers,
    key: &SecretKey,
    study: &Digest,
    members: Vec<u8>,
) -> Result<SignedManifest, ClientError> {
    let federation = *helpers.federation().id();
    let request = SealRequest { federation, study: *study, members: members.clone(), nonce: fresh_nonce()? };
    let body = body(&Signed::new(&request, key));
    // All of them are waited for: a member that gave up says whom it missed, one that signed must not be left behind.
    let replies: Reports<SignedManifest> = join_all(members.iter().map(|number| {
        let ask = Ask::post_json(format!("/v1/studies/{study}/seal"), body.clone());
        helpers.ask_json(*number, ask, "a manifest")
    }))
    .await;
    let manifests: Vec<(u8, SignedManifest)> = members
        .iter()
        .zip(replies)
        .map(|(number, reply)| reply.map(|manifest| (*number, manifest)))
        .collect::<Result<_, HelperError>>()?;
    agreed_manifest(helpers, study, manifests)
}

/// The one manifest that all of `manifests` are, signed by all its members.
///
/// # Errors
/// Manifests differ, or signatures are missing or wrong.
pub(crate) fn agreed_manifest(
    helpers: &Helpers,
    study: &Digest,
    manifests: Vec<(u8, SignedManifest)>,
) -> Result<SignedManifest, ClientError> {
    let ids: Vec<(u8, Digest)> =
        manifests.iter().map(|(number, signed)| (*number, signed.manifest.id())).collect();
    if ids.iter().any(|(_, id)| *id != ids[0].1) {
        let answers = ids.iter().map(|(number, id)| format!("helper {number} says {}", id.short())).collect();
        return Err(ClientError::Disagreement { what: "the sealed set", answers });
    }
    let complete = manifests
        .into_iter()
        .map(|(_, signed)| signed)
        .find(|signed| signed.manifest.study == *study && signed.is_complete(helpers.federation()));
    complete.ok_or(ClientError::Manifest { study: *study })
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
