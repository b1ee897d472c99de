//! What a helper says of itself and its studies.

use std::collections::BTreeMap;

use quorate_hash::Digest;
use quorate_privacy::Loss;
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
    /// Microseconds to other helpers and back, by number, as far as they were measured.
    #[serde(default)]
    pub round_trips_us: BTreeMap<u8, u64>,
    /// What the last runs took that helpers computed together.
    #[serde(default)]
    pub recent_runs: RecentRuns,
    /// The helper's studies, in the order of their ids.
    pub studies: Vec<StudyStatus>,
}

/// A helper's last runs, all together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecentRuns {
    /// How many.
    pub runs: u64,
    /// Microseconds from the helper's first sight of the request to its answer.
    pub elapsed_us: u64,
    /// Rounds of messages that followed each other.
    pub rounds: u64,
    /// Microseconds that their work takes at default rates: what elapsed is compared with.
    pub busy_us: u64,
}

/// What a study's results cost a contributor's privacy as far as one helper knows, as `GET /v1/studies/{study}/budget` answers
/// it. A helper that took no part in a run learns of it with the next one that it takes part in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spent {
    /// The helper's number.
    pub helper: u8,
    /// Runs that cost something.
    pub runs: u64,
    /// All of them together.
    pub loss: Loss,
    /// Hash of which runs they are: helpers that know the same have the same.
    pub ledger: Digest,
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
