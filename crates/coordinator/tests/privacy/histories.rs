//! Random histories: two analysts, crashes at any point, losses, repetitions; the ledgers at the end.

use std::collections::BTreeMap;

use quorate_hash::Digest;
use quorate_privacy::Loss;
use quorate_wire::{RunRequest, Signed};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

use super::budget;
use super::world::{HELPERS, Happening, World};

/// So many random histories of real coordinators; ten thousand of their ledgers alone are in `ledger`.
const HISTORIES: u64 = 250;

struct History {
    world: World,
    rng: ChaCha20Rng,
    /// By attempt: the request and what it costs.
    runs: BTreeMap<Digest, (Signed, Loss)>,
    /// The latest of them.
    last: Vec<Signed>,
}

impl History {
    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.rng.next_u64() % bound as u64).unwrap()
    }

    fn helper(&mut self) -> u8 {
        1 + u8::try_from(self.below(usize::from(HELPERS))).unwrap()
    }

    /// An analyst asks a new thing of three helpers or all.
    fn ask(&mut self) {
        let left_out = self.below(usize::from(HELPERS) + 1);
        let quorum: Vec<u8> = (1..=HELPERS).filter(|number| usize::from(*number) != left_out).collect();
        let rho = ["0.1", "0.2", "0.3"][self.below(3)];
        let (signed, program) = self.world.request(&format!("reveal s = sum(x) with rho {rho}"), &quorum);
        self.runs.insert(signed.digest::<RunRequest>(), (signed.clone(), program.loss));
        self.world.ask_all(&signed);
        self.last.push(signed);
    }

    /// Something that is on its way happens, or is lost.
    fn happen(&mut self) {
        if self.world.on_the_way.is_empty() {
            return;
        }
        // Mostly in order: what was said last is seldom first.
        let ahead = self.world.on_the_way.len().min(6);
        let place = self.below(ahead);
        let Some(happening) = self.world.on_the_way.remove(place) else { return };
        let is_lost = matches!(happening, Happening::Frame { .. }) && self.below(60) == 0;
        if !is_lost {
            self.world.happen(happening);
        }
    }

    fn step(&mut self) {
        match self.below(100) {
            0..2 => self.ask(),
            2 => {
                let helper = self.helper();
                self.world.kill(helper);
            }
            3..5 => self.revive(),
            // An analyst asks for the same again.
            5..7 if !self.last.is_empty() => {
                let back = 1 + self.below(self.last.len().min(2));
                let signed = self.last[self.last.len() - back].clone();
                let quorum = signed.open::<RunRequest>().unwrap().quorum;
                let helper = quorum[self.below(quorum.len())];
                self.world.ask(helper, &signed);
            }
            7..12 => self.world.tick(),
            _ => self.happen(),
        }
    }

    fn revive(&mut self) {
        for number in 1..=HELPERS {
            if self.world.nodes[usize::from(number) - 1].coordinator.is_none() {
                self.world.start(number);
            }
        }
    }

    /// Everything that every helper ever said, against what it charged.
    fn check(&mut self, seed: u64) -> usize {
        self.revive();
        let budget = budget("1");
        let spent: Vec<_> = (1..=HELPERS).map(|number| self.world.spent(number)).collect();
        assert!(spent.iter().all(|spent| budget.allows(&spent.loss)), "seed {seed}: {spent:?}");
        let mut answered: BTreeMap<Digest, Vec<u8>> = BTreeMap::new();
        for ((attempt, helper), answers) in &self.world.answers {
            let given: Vec<_> = answers.iter().flatten().collect();
            assert!(given.windows(2).all(|pair| pair[0] == pair[1]), "seed {seed}: one answer");
            if !given.is_empty() {
                answered.entry(*attempt).or_default().push(*helper);
            }
        }
        for helper in 1..=HELPERS {
            let of_helper = answered.iter().filter(|(_, helpers)| helpers.contains(&helper));
            let loss = of_helper.fold(Loss::NONE, |loss, (attempt, _)| loss.plus(&self.runs[attempt].1));
            let charged = spent[usize::from(helper) - 1].loss;
            assert!(
                loss.rho <= charged.rho,
                "seed {seed}: helper {helper} answered {loss:?} for {charged:?}"
            );
        }
        // Whoever has the shares of two helpers has a result.
        let released = answered.iter().filter(|(_, helpers)| helpers.len() >= 2);
        let released: Vec<Loss> = released.map(|(attempt, _)| self.runs[attempt].1).collect();
        let loss = released.iter().fold(Loss::NONE, |loss, run| loss.plus(run));
        let most = spent.iter().map(|spent| spent.loss.rho).max().unwrap();
        assert!(loss.rho <= most, "seed {seed}: {loss:?} released, {spent:?}");
        released.len()
    }
}

#[test]
fn whatever_happens_no_more_is_released_than_was_charged() {
    let (mut released, mut most) = (0, 0);
    for seed in 0..HISTORIES {
        let world = World::new(seed, Some(budget("1")));
        let rng = ChaCha20Rng::seed_from_u64(seed);
        let mut history = History { world, rng, runs: BTreeMap::new(), last: vec![] };
        (0..1_500).for_each(|_| history.step());
        let of_history = history.check(seed);
        (released, most) = (released + of_history, most.max(of_history));
    }
    assert!(released as u64 > HISTORIES && most > 3, "{released} released, {most} at most");
}
