//! Nodes: one helper's process, a real coordinator on a real store on a simulated disk, life after life.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use quorate_coordinator::{
    Action, Columns, Config, Coordinator, Event, Records, RecordsError, Timing, Write,
};
use quorate_federation::{Federation, PublicKey, SecretKey};
use quorate_hash::Digest;
use quorate_store::{Fate, Limits, Reader, SimDisk, Store, StoreError};
use quorate_wire::SignedManifest;
use rand_chacha::ChaCha20Rng;

use crate::broken::{Held, broken};
use crate::chance::generator;
use crate::client::Ask;
use crate::lie::Lie;

/// What a node is made of, whatever happens to it.
pub(crate) struct Node {
    /// Its place among all nodes; twins have two places and one number.
    pub(crate) place: usize,
    /// Its helper's number.
    pub(crate) number: u8,
    /// The helpers it can talk to, one bit each. All, unless it is a twin.
    pub(crate) audience: u64,
    /// How it lies.
    pub(crate) lie: Option<Lie>,
    /// Its disk.
    pub(crate) disk: SimDisk,
    /// Its lives so far.
    pub(crate) life: u64,
    /// The process, if it runs.
    pub(crate) up: Option<Up>,
    /// Nobody hears it until then.
    pub(crate) muted_until_ms: u64,
    /// What it promised, in any life.
    pub(crate) promises: Promises,
    key: String,
    federation: Federation,
    owners: Vec<PublicKey>,
    timing: Timing,
}

/// A running process.
pub(crate) struct Up {
    /// The helper.
    pub(crate) coordinator: Coordinator,
    /// Its store's writing side.
    pub(crate) store: Store,
    /// Its store's reading side.
    pub(crate) reads: Reads,
    /// Batches that wait for the store.
    pub(crate) batches: VecDeque<(u64, Vec<Write>)>,
    /// Whether the store works on a commit.
    pub(crate) is_committing: bool,
    /// Whether it was asked to stop.
    pub(crate) is_stopping: bool,
    /// Requests without an answer, and who asked.
    pub(crate) tickets: BTreeMap<u64, Ask>,
    next_ticket: u64,
    rng: ChaCha20Rng,
}

/// What a helper said that must stay true.
#[derive(Default)]
pub(crate) struct Promises {
    /// Contributions with a receipt.
    pub(crate) receipted: BTreeSet<Digest>,
    /// Studies it said it keeps.
    pub(crate) created: BTreeSet<Digest>,
    /// The manifest it said is sealed.
    pub(crate) sealed: Option<Digest>,
    /// The answer to each run, as JSON.
    pub(crate) runs: BTreeMap<Digest, String>,
}

impl Node {
    /// A helper that has not begun to run.
    pub(crate) fn new(
        place: usize,
        number: u8,
        seed: u64,
        key: &SecretKey,
        federation: &Federation,
        owner: PublicKey,
        timing: Timing,
    ) -> Self {
        Node {
            place,
            number,
            audience: u64::MAX,
            lie: None,
            disk: SimDisk::new(seed ^ ((place as u64 + 1) << 56)),
            life: 0,
            up: None,
            muted_until_ms: 0,
            promises: Promises::default(),
            key: key.to_text().to_string(),
            federation: federation.clone(),
            owners: vec![owner],
            timing,
        }
    }

    /// The helper's key.
    #[expect(clippy::expect_used, reason = "the text was written by a key")]
    pub(crate) fn key(&self) -> SecretKey {
        SecretKey::from_text(&self.key).expect("a key's text is a key")
    }

    /// Starts a life on what the disk holds.
    ///
    /// # Errors
    /// What was durable does not open: a finding, unless the disk fails.
    pub(crate) fn start(&mut self, seed: u64) -> Held<Result<(), String>> {
        let limits = Limits { segment_bytes: 16 << 10, control_cache_bytes: 64 << 10, ..Limits::default() };
        let store = match Store::open(self.disk.clone(), limits) {
            Ok((store, _)) => store,
            Err(error @ (StoreError::Corrupt { .. } | StoreError::Busy)) => {
                return broken("a store opens after every crash", format!("helper {}: {error}", self.number));
            }
            Err(error) => return Ok(Err(error.to_string())),
        };
        let config = Config {
            federation: self.federation.clone(),
            key: self.key(),
            owners: self.owners.clone(),
            timing: self.timing,
        };
        let omits = (self.lie == Some(Lie::Omits)).then_some(self.number);
        let reads = Reads { reader: store.reader(), omits };
        let coordinator = match Coordinator::new(config, &reads) {
            Ok(coordinator) => coordinator,
            Err(error) => {
                return broken("a helper starts on its records", format!("helper {}: {error}", self.number));
            }
        };
        self.life += 1;
        self.up = Some(Up {
            coordinator,
            store,
            reads,
            batches: VecDeque::new(),
            is_committing: false,
            is_stopping: false,
            tickets: BTreeMap::new(),
            next_ticket: 0,
            rng: generator(seed, "helper", &[self.place as u64, self.life]),
        });
        Ok(Ok(()))
    }

    /// Ends the process: a power cut, or a kill that loses nothing (`None`).
    pub(crate) fn end(&mut self, fate: Option<Fate>) {
        // The disk first: the database writes when it is dropped, and a dead process does not.
        match fate {
            Some(fate) => self.disk.crash(fate),
            None => self.disk.kill(),
        }
        self.up = None;
    }

    /// The sealed study's record, if there is one.
    pub(crate) fn sealed_record(&self, study: &Digest) -> Held<Option<SignedManifest>> {
        let Some(up) = &self.up else { return Ok(None) };
        match up.reads.control(&[&b"sealed/"[..], study.as_bytes()].concat()) {
            Ok(record) => record.map(|record| read_sealed(&record)).transpose(),
            Err(error) => broken("records read", error.to_string()),
        }
    }

    /// Whether this life is still lived.
    pub(crate) fn lives(&self, life: u64) -> bool {
        self.up.is_some() && self.life == life
    }
}

impl Up {
    /// One event.
    pub(crate) fn step(&mut self, event: Event, now_ms: u64) -> Vec<Action> {
        self.coordinator.step(event, &mut self.rng, now_ms, &self.reads)
    }

    /// A ticket nobody had before.
    pub(crate) fn ticket(&mut self) -> u64 {
        self.next_ticket += 1;
        self.next_ticket
    }

    /// The writes of the next commit and their batches: as many as may go together.
    pub(crate) fn next_commit(&mut self) -> (Vec<u64>, Vec<quorate_store::Write>) {
        let (mut batches, mut commit) = (Vec::new(), Vec::new());
        while let Some((batch, writes)) = self.batches.pop_front() {
            let closes = writes.iter().any(closes_a_layout);
            commit.extend(writes.into_iter().map(to_store));
            batches.push(batch);
            if closes {
                break;
            }
        }
        (batches, commit)
    }
}

/// Reads the record of a sealed study.
pub(crate) fn read_sealed(record: &[u8]) -> Held<SignedManifest> {
    serde_json::from_slice(record).or_else(|error| broken("records read", error.to_string()))
}

/// As in the helper's writer: a layout that was closed cannot be named again in the same commit.
fn closes_a_layout(write: &Write) -> bool {
    matches!(write, Write::ColumnsFinish { .. } | Write::ColumnsAbandon { .. })
}

fn to_store(write: Write) -> quorate_store::Write {
    use quorate_store::Write as To;
    match write {
        Write::Contribution { study, id, bytes } => To::Contribution { study, id, bytes },
        Write::Control { key, value } => To::Control { key, value },
        Write::ColumnsAppend { study, generation, column, bytes } => {
            To::ColumnsAppend { study, generation, column, bytes }
        }
        Write::ColumnsFinish { study, generation, columns } => {
            To::ColumnsFinish { study, generation, columns }
        }
        Write::ColumnsAbandon { study, generation } => To::ColumnsAbandon { study, generation },
    }
}

/// The store's reading side; a liar is not shown a part of the contributions.
pub(crate) struct Reads {
    /// All of it.
    pub(crate) reader: Reader,
    omits: Option<u8>,
}

impl Reads {
    fn shows(&self, id: &Digest) -> bool {
        self.omits.is_none_or(|number| id.0[0] % 4 != number % 4)
    }
}

impl Records for Reads {
    fn contains(&self, study: &Digest, id: &Digest) -> bool {
        self.reader.contains(study, id)
    }

    fn count(&self, study: &Digest) -> u64 {
        self.reader.count(study)
    }

    fn ids(&self, study: &Digest) -> Vec<Digest> {
        self.reader.ids(study).into_iter().filter(|id| self.shows(id)).collect()
    }

    fn contributions(&self, study: &Digest, ids: &[Digest]) -> Result<Vec<Vec<u8>>, RecordsError> {
        self.reader.contributions(study, ids).map_err(failed)
    }

    fn control(&self, key: &[u8]) -> Result<Option<Vec<u8>>, RecordsError> {
        self.reader.control(key).map_err(failed)
    }

    fn control_prefix(&self, prefix: &[u8]) -> Result<Vec<(Vec<u8>, Vec<u8>)>, RecordsError> {
        self.reader.control_prefix(prefix).map_err(failed)
    }

    fn generations(&self, study: &Digest) -> Vec<Digest> {
        self.reader.generations(study)
    }

    fn columns(&self, study: &Digest, generation: &Digest) -> Arc<dyn Columns> {
        Arc::new(Layout { reader: self.reader.clone(), study: *study, generation: *generation })
    }
}

/// One layout.
struct Layout {
    reader: Reader,
    study: Digest,
    generation: Digest,
}

impl Columns for Layout {
    fn read(&self, column: u32, from: u64, out: &mut [u8]) -> Result<bool, RecordsError> {
        self.reader.read_column(&self.study, &self.generation, column, from, out).map_err(failed)
    }
}

fn failed(error: StoreError) -> RecordsError {
    RecordsError { message: error.to_string() }
}
