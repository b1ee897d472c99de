//! What a helper says of itself and its studies.

use quorate_hash::Digest;
use serde::{Deserialize, Serialize};

use crate::SignedManifest;

/// A helper's state, as `GET /v1/status` answers it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The helper's number.
    pub helper: u8,
    /// The federation's id.
    pub federation: Digest,
    /// The program's version.
    pub version: String,
    /// Helpers that this one has a connection to.
    pub connected: Vec<u8>,
    /// The helper's studies, in the order of their ids.
    pub studies: Vec<StudyStatus>,
}

/// One study at one helper.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StudyStatus {
    /// The study's id.
    pub study: Digest,
    /// Its name.
    pub name: String,
    /// Durable contributions here.
    pub contributions: u64,
    /// How far it is.
    pub state: StudyState,
}

/// How far a study is at one helper.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum StudyState {
    /// Contributions are taken.
    Open,
    /// A seal is under way; contributions are refused until it ends.
    Sealing,
    /// This helper signed a manifest and waits for the other signatures: only that one can be completed, unless
    /// one of its members shows that it never signed.
    Prepared {
        /// The manifest's id.
        manifest: Digest,
    },
    /// Sealed: runs are possible, contributions are not.
    Sealed {
        /// What was agreed.
        manifest: Box<SignedManifest>,
    },
}
