//! What a seal agreed on.

use quorate_federation::Signature;
use quorate_hash::{Digest, Tagged};
use serde::{Deserialize, Serialize};

/// The agreed, checked set of a sealed study. Its id is the hash of its content; all sealing helpers sign it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The federation's id.
    pub federation: Digest,
    /// The study's id.
    pub study: Digest,
    /// The session in which it was sealed.
    pub session: Digest,
    /// The sealing helpers: only they take part in runs.
    pub members: Vec<u8>,
    /// Merkle root over the accepted contributions in canonical order: ascending ids, each leaf the hash of id and
    /// number of rows.
    pub root: Digest,
    /// Accepted contributions.
    pub contributions: u64,
    /// Their rows.
    pub rows: u64,
    /// Contributions that all sealing helpers had but that failed a check, ascending ids.
    pub excluded: Vec<Exclusion>,
    /// Contributions that some but not all sealing helpers had.
    pub left_out: LeftOut,
    /// Whether the degree check ran, so that every contribution is one polynomial at all sealing helpers.
    pub degree_checked: bool,
}

/// One contribution that failed a check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exclusion {
    /// The contribution's id.
    pub id: Digest,
    /// Which check failed, in words.
    pub reason: String,
}

/// Contributions that not all sealing helpers had: unfinished uploads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeftOut {
    /// How many.
    pub contributions: u64,
    /// How many contributions each participating helper reported, by helper number.
    pub reported: Vec<(u8, u64)>,
}

/// A manifest and the signatures of all its members, in their order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedManifest {
    /// What was agreed.
    pub manifest: Manifest,
    /// One signature per member, in the order of `manifest.members`.
    pub signatures: Vec<Signature>,
}

const LABEL: &str = "quorate/1/manifest";

impl Manifest {
    /// The manifest's id: hash of its JSON text (fields in the order above, no spaces).
    ///
    /// # Panics
    /// Never: a manifest is plain data.
    #[expect(clippy::expect_used, reason = "a manifest is plain data with text keys")]
    pub fn id(&self) -> Digest {
        let text = serde_json::to_vec(self).expect("a manifest is plain data");
        Tagged::new(LABEL).bytes(&text).finish()
    }

    /// A member's signature.
    pub fn sign(&self, key: &quorate_federation::SecretKey) -> Signature {
        key.sign(LABEL, &self.id())
    }

    /// Whether the helper with `key` signed this manifest.
    pub fn is_signed_by(&self, key: &quorate_federation::PublicKey, signature: &Signature) -> bool {
        key.verify(LABEL, &self.id(), signature).is_ok()
    }
}

impl SignedManifest {
    /// Whether every member of the manifest, with its key in `federation`, signed it.
    pub fn is_complete(&self, federation: &quorate_federation::Federation) -> bool {
        self.manifest.federation == *federation.id()
            && self.signatures.len() == self.manifest.members.len()
            && self.manifest.members.iter().zip(&self.signatures).all(|(number, signature)| {
                federation.member(*number).is_some_and(|m| self.manifest.is_signed_by(&m.key, signature))
            })
    }
}
