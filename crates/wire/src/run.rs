//! The analyst's request to run a circuit, and one helper's part of the answer.

use quorate_federation::{EnvelopeError, EnvelopeKey, EnvelopeOpener, PublicKey, SecretKey, Signature};
use quorate_hash::{Digest, Tagged};
use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::elements::{Elements, from_hex, hex};
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
    /// Circuits that asked about other groups of the study before, oldest first, where it has a smallest group: the program
    /// is judged together with them.
    pub earlier: Vec<String>,
    /// Hash of the lowered program; a helper that lowers to another refuses.
    pub program: Digest,
    /// Hash of the plan by which the program is computed; a helper that plans otherwise refuses.
    pub plan: Digest,
    /// The helpers that compute, ascending.
    pub quorum: Vec<u8>,
    /// What helpers seal their answers for: fresh for this request, so that no helper reads another's.
    pub reply_key: EnvelopeKey,
    /// 256 random bits of the analyst's: makes every attempt another one.
    pub nonce: Digest,
}

impl Request for RunRequest {
    const KIND: &'static str = "run";
}

/// What was asked of a study that has a smallest group, as `GET /v1/studies/{study}/asked` answers it: circuits, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskedBefore {
    /// Their texts.
    pub circuits: Vec<String>,
}

/// One helper's answer as it travels and is kept: a [`RunReply`] that the analyst alone can read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealedReply {
    /// The helper's number.
    pub helper: u8,
    /// Hexadecimal of the envelope; its purpose is the digest of the signed request.
    pub envelope: String,
}

/// What is inside a [`SealedReply`]: the helper's share of every revealed value, bound to the session.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunReply {
    /// The helper's number.
    pub helper: u8,
    /// Hash of everything this run is about, with a fresh nonce of each helper; the same at all of them.
    pub session: Digest,
    /// One share per revealed value, hexadecimal of its canonical little-endian bytes, in the program's order.
    pub shares: Vec<String>,
    /// Shares of the elements of every revealed vector, in the program's order.
    pub vectors: Vec<Elements>,
    /// Milliseconds from this helper's first sight of the request to its answer.
    pub elapsed_ms: u64,
    /// Bytes this helper sent to other helpers for this run.
    pub bytes_to_helpers: u64,
    /// The helper's signature over session and all shares: evidence, should a share be wrong.
    pub signature: Signature,
}

/// The label of a helper's signature on its result shares.
pub const RUN_RESULT_LABEL: &str = "quorate/1/run-result";

impl std::fmt::Debug for RunReply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let RunReply { helper, session, shares, vectors, .. } = self;
        let (session, shares, vectors) = (session.short(), shares.len(), vectors.len());
        write!(f, "RunReply(helper {helper}, session {session}, {shares} shares, {vectors} vectors)")
    }
}

impl SealedReply {
    /// Seals a reply for the key that the request with this digest names.
    ///
    /// # Errors
    /// The request's key is not one.
    pub fn close(
        reply: &RunReply,
        key: &EnvelopeKey,
        request: &Digest,
        rng: &mut impl CryptoRng,
    ) -> Result<Self, EnvelopeError> {
        let content = Zeroizing::new(crate::encode(reply));
        let envelope = key.close(request, &content, rng)?;
        Ok(SealedReply { helper: reply.helper, envelope: hex(&envelope) })
    }

    /// The reply, if it was sealed for `opener` as the answer to the request with this digest.
    ///
    /// # Errors
    /// It was not, it was altered, or what is inside does not read.
    pub fn open(&self, opener: &EnvelopeOpener, request: &Digest) -> Result<RunReply, EnvelopeError> {
        let envelope = from_hex(&self.envelope).ok_or(EnvelopeError::Open)?;
        let content = opener.open(request, &envelope)?;
        crate::decode(&content, crate::limits::MESSAGE_MAX).map_err(|_| EnvelopeError::Open)
    }
}

impl RunReply {
    fn digest(helper: u8, session: &Digest, shares: &[String], vectors: &[Elements]) -> Digest {
        let hash = Tagged::new(RUN_RESULT_LABEL).u64(helper.into()).digest(session);
        hash.list(shares.iter()).list(vectors.iter()).finish()
    }

    /// Signs a helper's shares.
    pub fn sign(
        helper: u8,
        session: &Digest,
        shares: &[String],
        vectors: &[Elements],
        key: &SecretKey,
    ) -> Signature {
        key.sign(RUN_RESULT_LABEL, &Self::digest(helper, session, shares, vectors))
    }

    /// Whether `key` signed these shares for this session.
    pub fn is_signed_by(&self, key: &PublicKey) -> bool {
        let digest = Self::digest(self.helper, &self.session, &self.shares, &self.vectors);
        key.verify(RUN_RESULT_LABEL, &digest, &self.signature).is_ok()
    }
}
