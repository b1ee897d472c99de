//! Four coordinators in memory, and the messages between them, to be tampered with.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use quorate_circuit::Rounding;
use quorate_contribute::{BadRowsPolicy, Grouping, Packer, Table};
use quorate_coordinator::{
    Action, Columns, Config, ControlRecord, Coordinator, Event, Records, RecordsError, Reply, Request,
    Timing, Write, check_upload,
};
use quorate_federation::Federation;
use quorate_hash::Digest;
use quorate_sharing::ContributorSecret;
use quorate_wire::{SealRequest, Signed, SignedManifest, StudyRequest};
use rand_chacha::ChaCha20Rng;

use crate::{federation, key, rng, studies};

/// A helper's disk.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    contributions: BTreeMap<(Digest, Digest), Bytes>,
    control: BTreeMap<Vec<u8>, Vec<u8>>,
    columns: BTreeMap<(Digest, Digest, u32), Vec<u8>>,
}

impl Memory {
    fn write(&mut self, write: Write) {
        match write {
            Write::Contribution { study, id, bytes } => {
                self.contributions.entry((study, id)).or_insert(bytes);
            }
            Write::Control { key, value } => {
                self.control.insert(key, value);
            }
            Write::ColumnsAppend { study, generation, column, bytes } => {
                self.columns.entry((study, generation, column)).or_default().extend(bytes);
            }
            Write::ColumnsFinish { .. } => {}
            Write::ColumnsAbandon { study, generation } => {
                self.columns.retain(|(s, g, _), _| (*s, *g) != (study, generation));
            }
        }
    }
}

impl Records for Memory {
    fn contains(&self, study: &Digest, id: &Digest) -> bool {
        self.contributions.contains_key(&(*study, *id))
    }

    fn count(&self, study: &Digest) -> u64 {
        self.ids(study).len() as u64
    }

    fn ids(&self, study: &Digest) -> Vec<Digest> {
        let range = (*study, Digest([0; 32]))..=(*study, Digest([u8::MAX; 32]));
        self.contributions.range(range).map(|((_, id), _)| *id).collect()
    }

    fn contributions(&self, study: &Digest, ids: &[Digest]) -> Result<Vec<Vec<u8>>, RecordsError> {
        let find = |id| self.contributions.get(&(*study, id)).map(|bytes| bytes.to_vec());
        let missing = || RecordsError { message: "not there".into() };
        ids.iter().map(|id| find(*id).ok_or_else(missing)).collect()
    }

    fn control(&self, key: &[u8]) -> Result<Option<Vec<u8>>, RecordsError> {
        Ok(self.control.get(key).cloned())
    }

    fn control_prefix(&self, prefix: &[u8]) -> Result<Vec<ControlRecord>, RecordsError> {
        let records = self.control.iter().filter(|(key, _)| key.starts_with(prefix));
        Ok(records.map(|(key, value)| (key.clone(), value.clone())).collect())
    }

    fn generations(&self, study: &Digest) -> Vec<Digest> {
        let all: BTreeSet<Digest> =
            self.columns.keys().filter(|key| key.0 == *study).map(|key| key.1).collect();
        all.into_iter().collect()
    }

    fn columns(&self, study: &Digest, generation: &Digest) -> Arc<dyn Columns> {
        let of_layout = self.columns.iter().filter(|((of, at, _), _)| (of, at) == (study, generation));
        Arc::new(Layout(of_layout.map(|((.., column), bytes)| (*column, bytes.clone())).collect()))
    }
}

/// The columns of one layout.
struct Layout(BTreeMap<u32, Vec<u8>>);

impl Columns for Layout {
    fn read(&self, column: u32, from: u64, out: &mut [u8]) -> Result<bool, RecordsError> {
        let found = self.0.get(&column).and_then(|bytes| bytes.get(from as usize..)?.get(..out.len()));
        found.inspect(|bytes| out.copy_from_slice(bytes));
        Ok(found.is_some())
    }
}

/// A message on its way.
#[derive(Debug)]
pub struct Message {
    /// Who sent it.
    pub from: u8,
    /// Who is to get it.
    pub to: u8,
    /// The frame.
    pub frame: Vec<u8>,
}

struct Helper {
    coordinator: Coordinator,
    memory: Memory,
    rng: ChaCha20Rng,
}

/// The federation, one study with three contributions, and a seal that was just asked for.
pub struct World {
    helpers: Vec<Helper>,
    /// Messages that nobody delivered yet.
    pub messages: VecDeque<Message>,
    now_ms: u64,
    tickets: u64,
    /// What helpers answered to the request to seal.
    pub sealed: Vec<SignedManifest>,
}

impl World {
    /// Everything up to the request to seal, which all four got.
    pub fn sealing() -> World {
        let federation = federation();
        let (document, study) = studies().into_iter().next().expect("three studies");
        let helpers = (1..=4).map(|number| helper(number, &federation)).collect();
        let mut world =
            World { helpers, messages: VecDeque::new(), now_ms: 0, tickets: 0, sealed: Vec::new() };
        let owner = key(100);
        for number in 1..=4 {
            world.ask(
                number,
                Request::CreateStudy(Signed::new(&StudyRequest { document: document.clone() }, &owner)),
            );
        }
        let uploads = uploads(&study);
        for (number, upload) in (1..).zip(uploads) {
            let checked = check_upload(&study, number, &Bytes::from(upload)).expect("a good upload");
            world.ask(number, Request::Upload(checked));
        }
        let request = SealRequest {
            federation: *federation.id(),
            study: study.id(),
            members: vec![1, 2, 3, 4],
            number: 1,
            nonce: Digest([7; 32]),
        };
        let signed = Signed::new(&request, &owner);
        for number in 1..=4 {
            world.ask(number, Request::Seal(signed.clone()));
        }
        world
    }

    /// Gives one helper one frame, as if helper `from` had sent it.
    pub fn deliver(&mut self, Message { from, to, frame }: Message) {
        self.step(to, Event::Peer { from, frame });
    }

    /// Time passes for everybody.
    pub fn wait(&mut self, ms: u64) {
        self.now_ms += ms;
        for number in 1..=4 {
            self.step(number, Event::Tick);
        }
    }

    fn ask(&mut self, number: u8, request: Request) {
        self.tickets += 1;
        self.step(number, Event::Request { ticket: self.tickets, request });
    }

    fn step(&mut self, number: u8, event: Event) {
        let helper = &mut self.helpers[usize::from(number) - 1];
        let mut events = VecDeque::from([event]);
        while let Some(event) = events.pop_front() {
            for action in helper.coordinator.step(event, &mut helper.rng, self.now_ms, &helper.memory) {
                match action {
                    Action::Reply { reply: Ok(Reply::Sealed(manifest)), .. } => self.sealed.push(*manifest),
                    Action::Reply { .. } => {}
                    Action::Send { to, frame } => {
                        self.messages.push_back(Message { from: number, to, frame })
                    }
                    Action::Store { batch, writes } => {
                        writes.into_iter().for_each(|write| helper.memory.write(write));
                        events.push_back(Event::Stored { batch });
                    }
                    Action::Compute(computation) => events.push_back(Event::Computed(computation.run())),
                    Action::Continue => events.push_back(Event::Continue),
                }
            }
        }
    }
}

/// Three contributions to a study, one upload for each helper.
pub fn uploads(study: &quorate_circuit::Study) -> Vec<Vec<u8>> {
    let text = "salary,gender\n10.50,male\n-3,female\n1000000,male\n";
    let table = Table::read(&study.columns, text.as_bytes(), Rounding::Exact, BadRowsPolicy::Refuse);
    let packer = Packer::new(study, ContributorSecret::from_bytes([3; 32])).expect("a good study");
    let table = table.expect("a good table");
    let batch = packer.batches(&table, Grouping::EachRow).expect("fits the study").next();
    batch.expect("one batch").expect("packs").uploads
}

fn helper(number: u8, federation: &Federation) -> Helper {
    let config = Config {
        federation: federation.clone(),
        key: key(number),
        owners: vec![key(100).public()],
        timing: Timing::default(),
    };
    let memory = Memory::default();
    let coordinator = Coordinator::new(config, &memory).expect("an empty store");
    Helper { coordinator, memory, rng: rng(number + 50) }
}
