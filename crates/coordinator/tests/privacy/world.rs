//! Four helpers of a sealed study with a budget, in one thread: what each makes durable, and what is on its way.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use quorate_circuit::{
    Bits, Column, Domain, Plan, Program, Sharing, SharingKind, Study, StudyDraft, compile,
};
use quorate_coordinator::{
    Action, Columns, Computed, Config, ControlRecord, Coordinator, Event, Records, RecordsError, Reply,
    Request, Timing, Write,
};
use quorate_federation::{Card, EnvelopeOpener, Federation, Member, SecretKey};
use quorate_field::{F61, F127, Field, FieldId, Integer, NamedField, read_slice, write_slice};
use quorate_hash::Digest;
use quorate_privacy::Budget;
use quorate_sharing::{Scheme, recombine};
use quorate_wire::{
    Exclusions, LeftOut, Manifest, Refusal, RunReply, RunRequest, SealedReply, Signed, SignedManifest, Spent,
};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

pub(crate) const HELPERS: u8 = 4;
/// What was contributed.
pub(crate) const VALUES: [u64; 9] = [3, 700, 12, 1_000, 0, 55, 999, 250, 6];
const INPUT: &str = "circuit c\ninput x : 0 .. 1_000\n";

/// What a helper has durably.
#[derive(Default)]
pub(crate) struct Memory {
    control: Mutex<BTreeMap<Vec<u8>, Vec<u8>>>,
    column: Vec<u8>,
}

/// One helper.
pub(crate) struct Node {
    pub(crate) coordinator: Option<Coordinator>,
    pub(crate) life: u64,
    memory: Arc<Memory>,
    key: String,
    rng: ChaCha20Rng,
}

/// Something on its way.
pub(crate) enum Happening {
    Frame { from: u8, to: u8, frame: Vec<u8> },
    Stored { at: u8, life: u64, batch: u64, writes: Vec<Write> },
    Computed { at: u8, life: u64, computed: Computed },
    Continue { at: u8, life: u64 },
}

pub(crate) struct World {
    pub(crate) nodes: Vec<Node>,
    pub(crate) study: Study,
    pub(crate) on_the_way: VecDeque<Happening>,
    /// By attempt and helper: every answer that left.
    pub(crate) answers: BTreeMap<(Digest, u8), Vec<Result<SealedReply, Refusal>>>,
    pub(crate) now_ms: u64,
    federation: Federation,
    analyst: SecretKey,
    manifest: SignedManifest,
    asked: BTreeMap<u64, Digest>,
    told: BTreeMap<u64, Spent>,
    next_ticket: u64,
    rng: ChaCha20Rng,
}

impl World {
    pub(crate) fn new(seed: u64, budget: Option<Budget>) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let keys: Vec<SecretKey> = (0..=HELPERS).map(|_| SecretKey::generate(&mut rng)).collect();
        let card = |number: u8| {
            let (address, peer_address) = (format!("h{number}.example:1"), format!("h{number}.example:2"));
            let key = keys[usize::from(number)].public();
            Card::new(Member { name: format!("helper {number}"), address, peer_address, key }).unwrap()
        };
        let federation = Federation::of_cards("test", 1, (1..=HELPERS).map(card).collect()).unwrap();
        let sharing = Sharing { kind: SharingKind::Shamir, helpers: HELPERS, threshold: 1 };
        let draft = StudyDraft {
            federation: *federation.id(),
            bits: Some(Bits::OnDemand),
            field: Some(FieldId::F61),
            owner: *keys[0].public().as_bytes(),
            analysts: vec![*keys[0].public().as_bytes()],
            privacy: budget,
            ..StudyDraft::new(
                "private",
                sharing,
                vec![Column::new("x", Domain::parse("0 .. 1_000").unwrap())],
                100,
            )
        };
        let (document, study) = draft.document().unwrap();
        let manifest = manifest(&federation, &study, &keys);
        let slopes: Vec<F61> = VALUES.iter().map(|_| F61::from_u64(rng.next_u64() >> 4)).collect();
        let node = |number: u8| {
            let share =
                |(value, slope): (&u64, &F61)| F61::from_u64(*value) + F61::from_u64(number.into()) * *slope;
            let shares: Vec<F61> = VALUES.iter().zip(&slopes).map(share).collect();
            let control = BTreeMap::from([
                ([&b"study/"[..], study.id().as_bytes()].concat(), document.clone().into_bytes()),
                ([&b"sealed/"[..], study.id().as_bytes()].concat(), serde_json::to_vec(&manifest).unwrap()),
            ]);
            let memory = Arc::new(Memory { control: Mutex::new(control), column: write_slice(&shares) });
            let rng = ChaCha20Rng::seed_from_u64(seed ^ u64::from(number) << 40);
            let key = keys[usize::from(number)].to_text().to_string();
            Node { coordinator: None, life: 0, memory, key, rng }
        };
        let nodes = (1..=HELPERS).map(node).collect();
        let mut world = World {
            nodes,
            study,
            on_the_way: VecDeque::new(),
            answers: BTreeMap::new(),
            now_ms: 0,
            federation,
            analyst: copy(&keys[0].to_text()),
            manifest,
            asked: BTreeMap::new(),
            told: BTreeMap::new(),
            next_ticket: 0,
            rng,
        };
        (1..=HELPERS).for_each(|number| world.start(number));
        world
    }

    fn node(&mut self, number: u8) -> &mut Node {
        &mut self.nodes[usize::from(number) - 1]
    }

    /// Begins another life on what is durable.
    pub(crate) fn start(&mut self, number: u8) {
        let federation = self.federation.clone();
        let node = self.node(number);
        let key = copy(&node.key);
        let config = Config { federation, key, owners: vec![], timing: Timing::default() };
        node.coordinator = Some(Coordinator::new(config, &*node.memory).unwrap());
        node.life += 1;
    }

    /// Ends a life: what was not durable is gone.
    pub(crate) fn kill(&mut self, number: u8) {
        self.node(number).coordinator = None;
    }

    /// One event at a helper; at one that is down nothing happens.
    pub(crate) fn step(&mut self, number: u8, event: Event) {
        let now_ms = self.now_ms;
        let node = self.node(number);
        let Some(coordinator) = &mut node.coordinator else { return };
        let actions = coordinator.step(event, &mut node.rng, now_ms, &*node.memory);
        let (at, life) = (number, node.life);
        for action in actions {
            match action {
                Action::Send { to, frame } => {
                    self.on_the_way.push_back(Happening::Frame { from: number, to, frame });
                }
                Action::Store { batch, writes } => {
                    self.on_the_way.push_back(Happening::Stored { at, life, batch, writes });
                }
                Action::Compute(computation) => {
                    let computed = computation.run();
                    self.on_the_way.push_back(Happening::Computed { at, life, computed });
                }
                Action::Continue => self.on_the_way.push_back(Happening::Continue { at, life }),
                Action::Reply { ticket, reply } => self.hear(number, ticket, reply),
            }
        }
    }

    fn hear(&mut self, from: u8, ticket: u64, reply: Result<Reply, Refusal>) {
        if let Ok(Reply::Budget(spent)) = reply {
            self.told.insert(ticket, spent);
            return;
        }
        let answer = reply.map(|reply| match reply {
            Reply::Ran(sealed) => sealed,
            other => panic!("{other:?}"),
        });
        self.answers.entry((self.asked[&ticket], from)).or_default().push(answer);
    }

    /// What is on its way happens; what was said to an earlier life does not.
    pub(crate) fn happen(&mut self, happening: Happening) {
        let mut lives = |at: u8, life: u64| {
            let node = self.node(at);
            node.coordinator.is_some() && node.life == life
        };
        match happening {
            Happening::Frame { from, to, frame } => self.step(to, Event::Peer { from, frame }),
            Happening::Stored { at, life, batch, writes } if lives(at, life) => {
                self.node(at).memory.store(writes);
                self.step(at, Event::Stored { batch });
            }
            Happening::Computed { at, life, computed } if lives(at, life) => {
                self.step(at, Event::Computed(computed));
            }
            Happening::Continue { at, life } if lives(at, life) => self.step(at, Event::Continue),
            _ => {}
        }
    }

    /// Everything that is on its way happens in order, and what comes of it, while no time passes.
    pub(crate) fn settle(&mut self) {
        while let Some(happening) = self.on_the_way.pop_front() {
            self.happen(happening);
        }
    }

    /// Some time passes.
    pub(crate) fn tick(&mut self) {
        self.now_ms += 100;
        (1..=HELPERS).for_each(|number| self.step(number, Event::Tick));
    }

    /// Everything that comes happens, for some seconds.
    pub(crate) fn live(&mut self, seconds: u64) {
        for _ in 0..10 * seconds {
            self.settle();
            self.tick();
        }
        self.settle();
    }

    /// A request of the analyst's to run a circuit with these reveals, and its program.
    pub(crate) fn request(&mut self, reveals: &str, quorum: &[u8]) -> (Signed, Program) {
        let circuit = format!("{INPUT}{reveals}\n");
        let program = compile(&circuit, &self.study).unwrap();
        let mut nonce = [0; 32];
        self.rng.fill_bytes(&mut nonce);
        let request = RunRequest {
            federation: *self.federation.id(),
            study: self.study.id(),
            manifest: self.manifest.manifest.id(),
            circuit,
            earlier: vec![],
            program: program.hash(),
            plan: Plan::of(&program, &self.study, VALUES.len() as u64).hash(&program),
            quorum: quorum.to_vec(),
            reply_key: opener().key(),
            nonce: Digest(nonce),
        };
        (Signed::new(&request, &self.analyst), program)
    }

    /// Asks a helper.
    pub(crate) fn ask(&mut self, number: u8, signed: &Signed) {
        self.next_ticket += 1;
        let ticket = self.next_ticket;
        self.asked.insert(ticket, signed.digest::<RunRequest>());
        self.step(number, Event::Request { ticket, request: Request::Run(signed.clone()) });
    }

    /// Asks every helper of a quorum.
    pub(crate) fn ask_all(&mut self, signed: &Signed) {
        for number in signed.open::<RunRequest>().unwrap().quorum {
            self.ask(number, signed);
        }
    }

    /// The last answer of a helper.
    pub(crate) fn answer(&self, signed: &Signed, number: u8) -> Option<&Result<SealedReply, Refusal>> {
        self.answers.get(&(signed.digest::<RunRequest>(), number))?.last()
    }

    /// The helpers that gave a result.
    pub(crate) fn answered(&self, signed: &Signed) -> Vec<u8> {
        (1..=HELPERS).filter(|number| matches!(self.answer(signed, *number), Some(Ok(_)))).collect()
    }

    /// A program's outputs, of the answers that there are; they must fit.
    pub(crate) fn outputs(&self, signed: &Signed, program: &Program) -> Vec<Integer> {
        let digest = signed.digest::<RunRequest>();
        let open = |number: u8| self.answer(signed, number)?.as_ref().ok()?.open(&opener(), &digest).ok();
        let replies: Vec<RunReply> = (1..=HELPERS).filter_map(open).collect();
        let output = |(place, field): (usize, FieldId)| match field {
            FieldId::F61 => recombined::<F61>(&replies, place),
            _ => recombined::<F127>(&replies, place),
        };
        program.outputs.iter().map(|output| output.field).enumerate().map(output).collect()
    }

    /// What a helper says was spent.
    pub(crate) fn spent(&mut self, number: u8) -> Spent {
        self.next_ticket += 1;
        let (ticket, study) = (self.next_ticket, self.study.id());
        self.step(number, Event::Request { ticket, request: Request::Budget(study) });
        self.told.remove(&ticket).unwrap()
    }
}

impl Memory {
    fn store(&self, writes: Vec<Write>) {
        for write in writes {
            if let Write::Control { key, value } = write {
                self.control.lock().unwrap().insert(key, value);
            }
        }
    }
}

impl Records for Memory {
    fn contains(&self, _: &Digest, _: &Digest) -> bool {
        false
    }

    fn count(&self, _: &Digest) -> u64 {
        0
    }

    fn ids(&self, _: &Digest) -> Vec<Digest> {
        vec![]
    }

    fn contributions(&self, _: &Digest, _: &[Digest]) -> Result<Vec<Vec<u8>>, RecordsError> {
        Ok(vec![])
    }

    fn control(&self, key: &[u8]) -> Result<Option<Vec<u8>>, RecordsError> {
        Ok(self.control.lock().unwrap().get(key).cloned())
    }

    fn control_prefix(&self, prefix: &[u8]) -> Result<Vec<ControlRecord>, RecordsError> {
        let control = self.control.lock().unwrap();
        let from = control.range(prefix.to_vec()..).take_while(|(key, _)| key.starts_with(prefix));
        Ok(from.map(|(key, value)| (key.clone(), value.clone())).collect())
    }

    fn generations(&self, _: &Digest) -> Vec<Digest> {
        vec![]
    }

    fn columns(&self, _: &Digest, _: &Digest) -> Arc<dyn Columns> {
        Arc::new(Sealed(self.column.clone()))
    }
}

/// The study's only column.
struct Sealed(Vec<u8>);

impl Columns for Sealed {
    fn read(&self, column: u32, from: u64, out: &mut [u8]) -> Result<bool, RecordsError> {
        let from = usize::try_from(from).unwrap();
        let part = (column == 0).then(|| self.0.get(from..from + out.len())).flatten();
        part.inspect(|part| out.copy_from_slice(part));
        Ok(part.is_some())
    }
}

fn manifest(federation: &Federation, study: &Study, keys: &[SecretKey]) -> SignedManifest {
    let rows = VALUES.len() as u64;
    let manifest = Manifest {
        federation: *federation.id(),
        study: study.id(),
        session: Digest([3; 32]),
        members: (1..=HELPERS).collect(),
        root: Digest([4; 32]),
        contributions: rows,
        rows,
        excluded: Exclusions::default(),
        left_out: LeftOut { contributions: 0, reported: vec![] },
        degree_checked: true,
        range_checked: true,
        norm_checked: false,
    };
    let signatures = keys[1..].iter().map(|key| manifest.sign(key)).collect();
    SignedManifest { manifest, signatures }
}

fn recombined<F: NamedField>(replies: &[RunReply], place: usize) -> Integer {
    let bytes = |text: &str| -> Vec<u8> {
        let digits = text.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
        digits.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
    };
    let shares: Vec<(u8, Vec<F>)> = replies
        .iter()
        .map(|reply| (reply.helper, read_slice(&bytes(&reply.shares[place])).unwrap()))
        .collect();
    let points: Vec<(u8, &[F])> =
        shares.iter().map(|(number, shares)| (*number, shares.as_slice())).collect();
    recombine(&Scheme::shamir(HELPERS, 1).unwrap(), &points).unwrap().values[0].to_integer()
}

fn opener() -> EnvelopeOpener {
    EnvelopeOpener::from_seed([7; 32])
}

fn copy(text: &str) -> SecretKey {
    SecretKey::from_text(text).unwrap()
}
