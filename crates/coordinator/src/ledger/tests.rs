//! Random histories of runs, crashes and analysts at once, over the ledgers of all helpers; no network and no computation.

use std::collections::BTreeSet;
use std::sync::Arc;

use quorate_circuit::{Column, Domain, Sharing, SharingKind, StudyDraft};
use quorate_federation::EnvelopeOpener;
use quorate_sharing::Scheme;
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

use super::*;
use crate::event::KeptStudy;
use crate::study::{State, scheme_of};
use crate::{Columns, ControlRecord, RecordsError};

/// A helper's durable records.
#[derive(Default)]
struct Disk(BTreeMap<Vec<u8>, Vec<u8>>);

impl Disk {
    fn store(&mut self, writes: Vec<Write>) {
        for write in writes {
            let Write::Control { key, value } = write else { panic!("{write:?}") };
            let known = self.0.insert(key, value.clone());
            assert!(known.is_none_or(|known| known == value), "entries are added and nothing else");
        }
    }

    fn ledger(&self, study: &Digest) -> Ledger {
        Ledger::load(study, self).unwrap()
    }
}

impl Records for Disk {
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
        Ok(self.0.get(key).cloned())
    }

    fn control_prefix(&self, prefix: &[u8]) -> Result<Vec<ControlRecord>, RecordsError> {
        let from = self.0.range(prefix.to_vec()..).take_while(|(key, _)| key.starts_with(prefix));
        Ok(from.map(|(key, value)| (key.clone(), value.clone())).collect())
    }

    fn generations(&self, _: &Digest) -> Vec<Digest> {
        vec![]
    }

    fn columns(&self, _: &Digest, _: &Digest) -> Arc<dyn Columns> {
        panic!("nothing is read")
    }
}

fn entry((helpers, threshold): (u8, u8), rho: Option<&str>) -> Entry {
    let sharing = Sharing { kind: SharingKind::Shamir, helpers, threshold };
    let columns = vec![Column::new("x", Domain::parse("0 .. 9").unwrap())];
    let privacy = rho.map(|rho| Budget::of(Some(rho.parse().unwrap()), None, None).unwrap());
    let draft = StudyDraft { privacy, ..StudyDraft::new("ledger", sharing, columns, 100) };
    let (document, study) = draft.document().unwrap();
    let scheme = scheme_of(&study);
    let kept = Arc::new(KeptStudy { study, document });
    Entry { kept, scheme, state: State::Open, seal_number: 0 }
}

fn request(entry: &Entry, quorum: Vec<u8>, nonce: u64) -> RunRequest {
    let nothing = Digest::default();
    RunRequest {
        federation: nothing,
        study: entry.kept.study.id(),
        manifest: nothing,
        circuit: String::new(),
        earlier: vec![],
        program: nothing,
        plan: nothing,
        quorum,
        reply_key: EnvelopeOpener::from_seed([1; 32]).key(),
        nonce: attempt(nonce),
    }
}

fn attempt(number: u64) -> Digest {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&number.to_le_bytes());
    Digest(bytes)
}

fn loss(hundredths: u64) -> Loss {
    Loss { rho: format!("0.{hundredths:02}").parse().unwrap(), epsilon: None }
}

/// How far a member is with a run.
#[derive(Debug)]
enum Place {
    /// It has not opened it.
    Away,
    /// It told the others what was spent.
    Open(Spending),
    /// It heard all others, and sent noise.
    Drawn(Spending),
    /// Its answer is durable and may have left.
    Answered,
    /// It takes no part any more.
    Over,
}

/// A run, as all its members see it.
struct Run {
    request: RunRequest,
    loss: Loss,
    places: BTreeMap<u8, Place>,
    /// What members told when they opened it: messages outlive their senders.
    told: BTreeMap<u8, Vec<Charge>>,
    /// Whose noise is on its way.
    drawn: BTreeSet<u8>,
}

/// All helpers of one federation, and all runs so far.
struct World {
    rng: ChaCha20Rng,
    entry: Entry,
    disks: BTreeMap<u8, Disk>,
    runs: Vec<Run>,
    /// Runs refused because of the budget.
    refused: u64,
    /// Whether members tell each other what they know.
    do_tell: bool,
}

impl World {
    /// After so many random steps of a seed's.
    fn lived(seed: u64, do_tell: bool) -> Self {
        let mut world = World::new(seed, do_tell);
        (0..600).for_each(|_| world.step());
        world
    }

    fn new(seed: u64, do_tell: bool) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let federation = [(3, 1), (4, 1), (5, 2), (7, 2), (7, 3)][below(&mut rng, 5)];
        let disks = (1..=federation.0).map(|helper| (helper, Disk::default())).collect();
        World { rng, entry: entry(federation, Some("0.5")), disks, runs: vec![], refused: 0, do_tell }
    }

    fn scheme(&self) -> Scheme {
        self.entry.scheme
    }

    /// One thing happens.
    fn step(&mut self) {
        let helper = 1 + u8::try_from(below(&mut self.rng, self.disks.len())).unwrap();
        match below(&mut self.rng, 90) {
            0..3 => self.ask(),
            // Its memory is gone: it takes no part any more in what it had not answered.
            3 => self.runs.iter_mut().for_each(|run| run.leave(helper)),
            // It waited too long for another.
            4 => {
                let index = self.recent();
                self.runs.get_mut(index).into_iter().for_each(|run| run.leave(helper));
            }
            _ => {
                let index = self.recent();
                let Some(run) = self.runs.get(index) else { return };
                let members = &run.request.quorum;
                let member = members[below(&mut self.rng, members.len())];
                self.go_on(index, member);
            }
        }
    }

    /// One of the last runs: two analysts are at work.
    fn recent(&mut self) -> usize {
        self.runs.len().saturating_sub(1 + below(&mut self.rng, 2))
    }

    /// An analyst asks any quorum that may be.
    fn ask(&mut self) {
        let (n, t) = (usize::from(self.scheme().helpers()), usize::from(self.scheme().threshold()));
        let mut quorum: Vec<u8> = self.scheme().numbers().collect();
        for _ in 0..below(&mut self.rng, t + 1) {
            let place = below(&mut self.rng, quorum.len());
            quorum.remove(place);
        }
        assert!(quorum.len() >= n - t);
        let places = quorum.iter().map(|member| (*member, Place::Away)).collect();
        let request = request(&self.entry, quorum, self.runs.len() as u64);
        let loss = loss(1 + below(&mut self.rng, 20) as u64);
        self.runs.push(Run { request, loss, places, told: BTreeMap::new(), drawn: BTreeSet::new() });
    }

    fn go_on(&mut self, index: usize, me: u8) {
        let is_another = self.runs.iter().enumerate().any(|(other, run)| {
            other != index && matches!(run.places.get(&me), Some(Place::Open(_) | Place::Drawn(_)))
        });
        let (run, disk) = (&mut self.runs[index], self.disks.get_mut(&me).unwrap());
        let number = attempt(index as u64);
        let place = std::mem::replace(run.places.get_mut(&me).unwrap(), Place::Over);
        let after = match place {
            Place::Away => {
                let spending =
                    Spending::begin(&run.request, number, run.loss, &self.entry, is_another, (me, disk));
                match spending {
                    Ok(spending) => {
                        let spending = spending.unwrap();
                        let told = if self.do_tell { spending.charges() } else { vec![] };
                        run.told.insert(me, told);
                        Place::Open(spending)
                    }
                    Err(refusal) => {
                        self.refused += u64::from(refusal.code == Code::Policy);
                        Place::Over
                    }
                }
            }
            Place::Open(mut spending) if run.told.len() == run.places.len() => {
                let others = run.told.iter().filter(|(from, _)| **from != me);
                match spending.judge(me, others.map(|(from, charges)| (*from, charges))) {
                    Ok(()) => {
                        run.drawn.insert(me);
                        Place::Drawn(spending)
                    }
                    Err(refusal) => {
                        self.refused += u64::from(refusal.code == Code::Policy);
                        Place::Over
                    }
                }
            }
            Place::Drawn(spending) if run.drawn.len() == run.places.len() => {
                disk.store(spending.writes(&run.request.study));
                Place::Answered
            }
            place => place,
        };
        run.places.insert(me, after);
    }

    /// The runs of which somebody may have a result.
    fn released(&self) -> Vec<(Digest, Loss)> {
        let answers =
            |run: &Run| run.places.values().filter(|place| matches!(place, Place::Answered)).count();
        let released = (0..).zip(&self.runs).filter(|(_, run)| answers(run) >= self.scheme().needed());
        released.map(|(number, run)| (attempt(number), run.loss)).collect()
    }

    /// What does not hold.
    fn fault(&self) -> Option<&'static str> {
        let (study, released) = (self.entry.kept.study.id(), self.released());
        let budget = self.entry.kept.study.privacy.unwrap();
        let ledgers: Vec<Ledger> = self.disks.values().map(|disk| disk.ledger(&study)).collect();
        if !ledgers.iter().all(|ledger| budget.allows(&ledger.total())) {
            return Some("more was charged than the budget allows");
        }
        for (number, run) in (0..).zip(&self.runs) {
            for (member, place) in &run.places {
                let is_charged = ledgers[usize::from(*member) - 1].0.contains_key(&attempt(number));
                if matches!(place, Place::Answered) && !is_charged {
                    return Some("an answer was not charged");
                }
            }
        }
        let has_all = |ledger: &Ledger| released.iter().all(|(run, loss)| ledger.0.get(run) == Some(loss));
        let are_charged = ledgers.iter().any(has_all);
        (!are_charged).then_some("no ledger has all that was released")
    }
}

impl Run {
    fn leave(&mut self, helper: u8) {
        let place = self.places.get_mut(&helper).filter(|place| !matches!(place, Place::Answered));
        place.into_iter().for_each(|place| *place = Place::Over);
    }
}

fn below(rng: &mut ChaCha20Rng, bound: usize) -> usize {
    usize::try_from(rng.next_u64() % bound as u64).unwrap()
}

#[test]
fn in_ten_thousand_histories_no_more_is_released_than_charged_and_no_more_charged_than_allowed() {
    let (mut released, mut refused, mut behind) = (0, 0, 0);
    for seed in 0..10_000 {
        let world = World::lived(seed, true);
        assert_eq!(world.fault(), None, "seed {seed}");
        released += world.released().len();
        refused += world.refused;
        let study = world.entry.kept.study.id();
        let ledgers: BTreeSet<Digest> =
            world.disks.values().map(|disk| disk.ledger(&study).told(1).ledger).collect();
        behind += u64::from(ledgers.len() > 1);
    }
    assert!(released > 5_000 && refused > 1_000 && behind > 1_000, "{released} {refused} {behind}");
}

/// The same histories find it if members do not tell each other what they know.
#[test]
fn ledgers_that_are_kept_apart_are_found_out() {
    let faults: BTreeSet<&str> = (0..1_000).filter_map(|seed| World::lived(seed, false).fault()).collect();
    assert!(faults.contains("no ledger has all that was released"), "{faults:?}");
}

#[test]
fn what_others_know_counts_and_is_kept() {
    let entry = entry((4, 1), Some("0.5"));
    let study = entry.kept.study.id();
    let (mut disk, other) = (Disk::default(), Disk::default());
    let begin = |disk: &Disk, number: u64, hundredths: u64| {
        let request = request(&entry, vec![1, 2, 3], number);
        Spending::begin(&request, attempt(number), loss(hundredths), &entry, false, (2, disk))
            .map(Option::unwrap)
    };
    let told = (3, vec![Charge { attempt: attempt(7), loss: loss(40) }]);
    let mut fits = begin(&other, 1, 10).unwrap();
    fits.judge(2, [(told.0, &told.1)].into_iter()).unwrap();
    disk.store(fits.writes(&study));
    assert_eq!(disk.ledger(&study).told(2).loss.rho, "0.5".parse().unwrap());

    let mut exceeds = begin(&other, 1, 11).unwrap();
    let refusal = exceeds.judge(2, [(told.0, &told.1)].into_iter()).unwrap_err();
    assert_eq!(refusal.code, Code::Policy);
    for says in ["costs rho 0.11", "rho 0.1 left", "1 runs cost rho 0.4"] {
        assert!(refusal.message.contains(says), "{}", refusal.message);
    }
    let refusal = begin(&disk, 2, 1).unwrap_err();
    assert_eq!(refusal.code, Code::Policy, "at once, where this helper knows: {refusal}");
}

#[test]
fn no_attempt_that_was_charged_is_computed_again() {
    let entry = entry((4, 1), Some("0.5"));
    let request = request(&entry, vec![1, 2, 3], 1);
    let begin = |disk: &Disk| Spending::begin(&request, attempt(1), loss(1), &entry, false, (2, disk));
    let charged = vec![Charge { attempt: attempt(1), loss: loss(1) }];
    let mut spending = begin(&Disk::default()).unwrap().unwrap();
    let refusal = spending.judge(2, [(3, &charged)].into_iter()).unwrap_err();
    assert!(refusal.message.contains("over"), "{refusal}");
    let mut disk = Disk::default();
    disk.store(spending.writes(&request.study));
    assert_eq!(begin(&disk).unwrap_err().code, Code::Unavailable);
}

#[test]
fn quorums_turns_and_ledgers_are_bounded() {
    let begin = |entry: &Entry, quorum: Vec<u8>, is_another| {
        let request = request(entry, quorum, 1);
        Spending::begin(&request, attempt(1), loss(1), entry, is_another, (1, &Disk::default()))
    };
    let (bounded, free) = (entry((5, 2), Some("0.5")), entry((5, 2), None));
    assert!(begin(&bounded, vec![1, 2, 3], false).is_ok());
    let refusal = begin(&bounded, vec![1, 2], false).unwrap_err();
    assert_eq!(refusal.code, Code::Unavailable);
    assert!(refusal.message.contains("at least 3"), "{refusal}");
    assert!(begin(&free, vec![1, 2], false).is_ok(), "no budget");
    assert!(begin(&bounded, vec![1, 2, 3], true).unwrap_err().message.contains("another run"));

    let mut spending = begin(&bounded, vec![1, 2, 3], false).unwrap().unwrap();
    let many = |count: usize| -> Vec<Charge> {
        let charge = |number| Charge { attempt: attempt(10 + number as u64), loss: Loss::NONE };
        (0..count).map(charge).collect()
    };
    let too_many = many(limits::LEDGER_MAX + 1);
    let refusal = spending.judge(1, [(3, &too_many)].into_iter()).unwrap_err();
    assert_eq!((refusal.code, refusal.helpers), (Code::Malformed, vec![3]));
    let full = many(limits::LEDGER_MAX);
    let refusal = spending.judge(1, [(3, &full)].into_iter()).unwrap_err();
    assert_eq!(refusal.code, Code::Policy, "{refusal}");
}
