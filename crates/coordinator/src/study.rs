//! The studies a helper keeps: creation, loading, and how far each is.

use std::collections::BTreeMap;
use std::sync::Arc;

use quorate_circuit::{SharingKind, Study};
use quorate_federation::PublicKey;
use quorate_hash::Digest;
use quorate_sharing::{Scheme, SchemeKind};
use quorate_wire::{
    Code, Manifest, Refusal, Signed, SignedManifest, StudyRequest, StudyState, StudyStatus, limits,
};

use crate::context::Context;
use crate::coordinator::StartError;
use crate::event::{KeptStudy, Reply};
use crate::{Config, Records, Ticket, Write};

/// One study at this helper.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) kept: Arc<KeptStudy>,
    pub(crate) scheme: Scheme,
    pub(crate) state: State,
    /// The highest number of a request to seal it.
    pub(crate) seal_number: u64,
}

/// How far a study is, durably.
#[derive(Debug)]
pub(crate) enum State {
    /// Contributions are taken.
    Open,
    /// This helper signed this manifest.
    Prepared(Box<Manifest>),
    /// All members signed this manifest.
    Sealed(Box<SignedManifest>),
}

/// All studies at this helper.
#[derive(Debug, Default)]
pub(crate) struct Studies {
    entries: BTreeMap<Digest, Entry>,
    /// Studies on their way to the disk: who waits for each batch.
    creating: BTreeMap<u64, (Digest, Ticket, Arc<KeptStudy>)>,
}

const STUDY: &[u8] = b"study/";
const PREPARED: &[u8] = b"prepared/";
const SEALED: &[u8] = b"sealed/";
const SEAL_NUMBER: &[u8] = b"seal-number/";
const EXCLUDED: &[u8] = b"excluded/";

impl Studies {
    /// The studies that are durable.
    pub(crate) fn load(config: &Config, records: &dyn Records) -> Result<Self, StartError> {
        let mut studies = Studies::default();
        for (key, value) in records.control_prefix(STUDY)? {
            let damaged = |reason: String| StartError::Record { what: "study".into(), reason };
            let document = String::from_utf8(value).map_err(|error| damaged(error.to_string()))?;
            let study = Study::parse(&document).map_err(|error| damaged(error.to_string()))?;
            let id = study.id();
            if key != key_of(STUDY, &id) || study.federation != *config.federation.id() {
                return Err(damaged(
                    "it is stored under another id, or belongs to another federation".into(),
                ));
            }
            let state = load_state(&id, records)?;
            let scheme = scheme_of(&study);
            let seal_number = load_seal_number(&id, records)?;
            let kept = Arc::new(KeptStudy { study, document });
            studies.entries.insert(id, Entry { kept, scheme, state, seal_number });
        }
        Ok(studies)
    }

    /// The writes that remove column layouts of attempts that earlier lives did not finish: nobody signed them.
    pub(crate) fn abandon_unsigned(&self, records: &dyn Records) -> Vec<Write> {
        let unsigned = |(study, entry): (&Digest, &Entry)| {
            let signed = match &entry.state {
                State::Open => None,
                State::Prepared(manifest) => Some(manifest.session),
                State::Sealed(signed) => Some(signed.manifest.session),
            };
            let study = *study;
            let unsigned =
                records.generations(&study).into_iter().filter(move |found| Some(*found) != signed);
            unsigned.map(move |generation| Write::ColumnsAbandon { study, generation })
        };
        self.entries.iter().flat_map(unsigned).collect()
    }

    /// One study.
    pub(crate) fn get(&self, id: &Digest) -> Result<&Entry, Refusal> {
        self.entries.get(id).ok_or_else(|| unknown(id))
    }

    /// One study, to change its state.
    pub(crate) fn get_mut(&mut self, id: &Digest) -> Result<&mut Entry, Refusal> {
        self.entries.get_mut(id).ok_or_else(|| unknown(id))
    }

    /// Keeps a study that one of this helper's owners signed.
    pub(crate) fn create(&mut self, ticket: Ticket, signed: &Signed, cx: &mut Context<'_>) {
        match self.check(signed, cx.config) {
            Err(refusal) => cx.reply(ticket, Err(refusal)),
            Ok(kept) => {
                let id = kept.study.id();
                let known = self.entries.contains_key(&id);
                let document = kept.document.clone().into_bytes();
                let write = Write::Control { key: key_of(STUDY, &id), value: document };
                let batch = cx.store(if known { Vec::new() } else { vec![write] });
                self.creating.insert(batch, (id, ticket, kept));
            }
        }
    }

    /// Takes the news that a batch is durable.
    pub(crate) fn stored(&mut self, batch: u64, cx: &mut Context<'_>) {
        if let Some((id, ticket, kept)) = self.creating.remove(&batch) {
            let scheme = scheme_of(&kept.study);
            self.entries.entry(id).or_insert(Entry { kept, scheme, state: State::Open, seal_number: 0 });
            cx.reply(ticket, Ok(Reply::Created(id)));
        }
    }

    /// Every study's state; `is_sealing` says whether a seal is under way.
    pub(crate) fn status(
        &self,
        records: &dyn Records,
        is_sealing: impl Fn(&Digest) -> bool,
    ) -> Vec<StudyStatus> {
        let status = |(id, entry): (&Digest, &Entry)| StudyStatus {
            study: *id,
            name: entry.kept.study.name.clone(),
            contributions: records.count(id),
            state: match &entry.state {
                State::Sealed(manifest) => StudyState::Sealed { manifest: manifest.clone() },
                _ if is_sealing(id) => StudyState::Sealing,
                State::Prepared(manifest) => StudyState::Prepared { manifest: manifest.id() },
                State::Open => StudyState::Open,
            },
        };
        self.entries.iter().map(status).collect()
    }

    fn check(&self, signed: &Signed, config: &Config) -> Result<Arc<KeptStudy>, Refusal> {
        let StudyRequest { document } = signed.open().map_err(refuse_signed)?;
        if !config.owners.contains(&signed.key) {
            let message = format!("key {} may not create studies at this helper", signed.key);
            let hint = "the helper's operator can add the key to study_owners in helper.toml and restart";
            return Err(Refusal::new(Code::Forbidden, message).hint(hint));
        }
        if document.len() > limits::STUDY_MAX {
            let message =
                format!("the study document has {} bytes, at most {}", document.len(), limits::STUDY_MAX);
            return Err(Refusal::new(Code::Malformed, message));
        }
        let study =
            Study::parse(&document).map_err(|error| Refusal::new(Code::Malformed, error.to_string()))?;
        check_fits(&study, signed.key, config)?;
        if !self.entries.contains_key(&study.id()) && self.entries.len() >= limits::STUDIES_MAX {
            let message = format!("the helper keeps at most {} studies", limits::STUDIES_MAX);
            return Err(Refusal::new(Code::Busy, message));
        }
        Ok(Arc::new(KeptStudy { study, document }))
    }
}

/// Whether the study is this federation's and its owner's.
fn check_fits(study: &Study, signer: PublicKey, config: &Config) -> Result<(), Refusal> {
    let federation = &config.federation;
    if study.federation != *federation.id() {
        let message = format!("the study is of federation {}, not {}", study.federation, federation.id());
        return Err(Refusal::new(Code::Malformed, message).hint("create it with this federation's file"));
    }
    if study.owner != *signer.as_bytes() {
        let owner = PublicKey::from_bytes(study.owner);
        let message = format!("the study's owner is {owner}, but the request is signed by {signer}");
        return Err(Refusal::new(Code::Forbidden, message));
    }
    let sharing = &study.sharing;
    let threshold_fits = sharing.kind == SharingKind::Additive || sharing.threshold == federation.threshold();
    if sharing.helpers != federation.size() || !threshold_fits {
        let message = format!("the study's sharing is {sharing}, but the federation is {federation}");
        return Err(Refusal::new(Code::Malformed, message).hint("create it with this federation's file"));
    }
    Ok(())
}

/// The write that makes a study prepared.
pub(crate) fn prepared_write(study: &Digest, manifest: &Manifest) -> Write {
    Write::Control { key: key_of(PREPARED, study), value: to_json(manifest) }
}

/// The write that takes a preparation back.
pub(crate) fn unprepared_write(study: &Digest) -> Write {
    Write::Control { key: key_of(PREPARED, study), value: Vec::new() }
}

/// The write that makes a study sealed.
pub(crate) fn sealed_write(study: &Digest, manifest: &SignedManifest) -> Write {
    Write::Control { key: key_of(SEALED, study), value: to_json(manifest) }
}

/// The write that remembers the highest number of a request to seal a study.
pub(crate) fn seal_number_write(study: &Digest, number: u64) -> Write {
    Write::Control { key: key_of(SEAL_NUMBER, study), value: number.to_le_bytes().to_vec() }
}

/// The write that keeps the ids of excluded contributions, ascending, 32 bytes each.
pub(crate) fn excluded_write(study: &Digest, ids: &[Digest]) -> Write {
    Write::Control { key: key_of(EXCLUDED, study), value: ids.iter().flat_map(|id| id.0).collect() }
}

/// A study's sharing scheme.
///
/// # Panics
/// Never: a study that parsed has a scheme.
#[expect(clippy::expect_used, reason = "`Study::parse` checks the same bounds")]
pub(crate) fn scheme_of(study: &Study) -> Scheme {
    let kind = match study.sharing.kind {
        SharingKind::Shamir => SchemeKind::Shamir,
        SharingKind::Additive => SchemeKind::Additive,
    };
    Scheme::new(kind, study.sharing.helpers, study.sharing.threshold).expect("a parsed study has a scheme")
}

/// A signed request that does not open, as a refusal.
pub(crate) fn refuse_signed(error: quorate_wire::SignedError) -> Refusal {
    let code = match error {
        quorate_wire::SignedError::Signature { .. } => Code::Forbidden,
        quorate_wire::SignedError::Body { .. } => Code::Malformed,
    };
    Refusal::new(code, error.to_string())
}

fn load_state(id: &Digest, records: &dyn Records) -> Result<State, StartError> {
    if let Some(manifest) = load_json(SEALED, id, records)? {
        return Ok(State::Sealed(Box::new(manifest)));
    }
    Ok(load_json(PREPARED, id, records)?.map_or(State::Open, |manifest| State::Prepared(Box::new(manifest))))
}

fn load_seal_number(id: &Digest, records: &dyn Records) -> Result<u64, StartError> {
    let Some(value) = records.control(&key_of(SEAL_NUMBER, id))? else { return Ok(0) };
    let bytes = value.try_into().map_err(|_| StartError::Record {
        what: format!("seal number of study {}", id.short()),
        reason: "it is not 8 bytes".into(),
    })?;
    Ok(u64::from_le_bytes(bytes))
}

/// A JSON record; an empty one was taken back.
fn load_json<T: serde::de::DeserializeOwned>(
    prefix: &[u8],
    id: &Digest,
    records: &dyn Records,
) -> Result<Option<T>, StartError> {
    let value = records.control(&key_of(prefix, id))?.filter(|value| !value.is_empty());
    let read = |value: Vec<u8>| {
        serde_json::from_slice(&value).map_err(|error| StartError::Record {
            what: format!("{}record of study {}", String::from_utf8_lossy(prefix), id.short()),
            reason: error.to_string(),
        })
    };
    value.map(read).transpose()
}

/// JSON bytes of plain data.
#[expect(clippy::expect_used, reason = "records are plain data with text keys")]
pub(crate) fn to_json(value: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("records are plain data")
}

fn key_of(prefix: &[u8], id: &Digest) -> Vec<u8> {
    [prefix, id.as_bytes()].concat()
}

fn unknown(id: &Digest) -> Refusal {
    Refusal::new(Code::Unknown, format!("no study {id} at this helper"))
        .hint("check the id with `quorate status`; the owner creates a study at every helper")
}
