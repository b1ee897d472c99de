//! The analyst's request to run a circuit, and one helper's part of the answer.

use quorate_federation::{PublicKey, SecretKey, Signature};
use quorate_hash::{Digest, Tagged};
use serde::{Deserialize, Serialize};

use crate::request::Request;

/// "Run this circuit with this quorum." Signed by an analyst whom the study lists; sent to each of `quorum`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunRequest {
    /// The federation's id.
    pub federation: Digest,
    /// The study's id.
    pub study: Digest,
    /// The sealed set that is meant.
    pub manifest: Digest,
    /// The circuit's text: each helper lowers it for itself.
    pub circuit: String,
    /// Hash of the lowered program; a helper that lowers to another refuses.
    pub program: Digest,
    /// The helpers that compute, ascending.
    pub quorum: Vec<u8>,
    /// 256 random bits of the analyst's: makes every attempt another one.
    pub nonce: Digest,
}

impl Request for RunRequest {
    const KIND: &'static str = "run";
}

/// What one helper answers: its share of every revealed value, bound to the session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunReply {
    /// The helper's number.
    pub helper: u8,
    /// Hash of everything this run is about, with a fresh nonce of each helper; the same at all of them.
    pub session: Digest,
    /// One share per opened value, hexadecimal of its canonical little-endian bytes, in the program's order.
    pub shares: Vec<String>,
    /// Milliseconds from this helper's first sight of the request to its answer.
    pub elapsed_ms: u64,
    /// Bytes this helper sent to other helpers for this run.
    pub bytes_to_helpers: u64,
    /// The helper's signature over session and shares: evidence, should a share be wrong.
    pub signature: Signature,
}

/// The label of a helper's signature on its result shares.
pub const RUN_RESULT_LABEL: &str = "quorate/1/run-result";

impl RunReply {
    fn digest(helper: u8, session: &Digest, shares: &[String]) -> Digest {
        Tagged::new(RUN_RESULT_LABEL).u64(helper.into()).digest(session).list(shares.iter()).finish()
    }

    /// Signs a helper's shares.
    pub fn sign(helper: u8, session: &Digest, shares: &[String], key: &SecretKey) -> Signature {
        key.sign(RUN_RESULT_LABEL, &Self::digest(helper, session, shares))
    }

    /// Whether `key` signed these shares for this session.
    pub fn is_signed_by(&self, key: &PublicKey) -> bool {
        key.verify(RUN_RESULT_LABEL, &Self::digest(self.helper, &self.session, &self.shares), &self.signature)
            .is_ok()
    }
}
