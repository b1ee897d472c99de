//! Runs that cost privacy, at real coordinators: noise, its round and its price.

#![allow(clippy::cast_possible_truncation, clippy::expect_used, clippy::unwrap_used, missing_docs)]

mod histories;
mod world;

use quorate_field::Integer;
use quorate_privacy::{Budget, Loss};
use quorate_wire::{Code, Signed};

use world::{Happening, VALUES, World};

pub(crate) fn budget(rho: &str) -> Budget {
    Budget::of(Some(rho.parse().unwrap()), None, None).unwrap()
}

/// Asks a quorum and waits; the request and the outputs.
fn run(world: &mut World, reveals: &str, quorum: &[u8]) -> (Signed, Vec<Integer>) {
    let (signed, program) = world.request(reveals, quorum);
    world.ask_all(&signed);
    world.live(3);
    assert_eq!(world.answered(&signed), quorum, "{:?}", world.answers.values().last());
    let outputs = world.outputs(&signed, &program);
    (signed, outputs)
}

fn distance(number: &Integer, from: u64) -> i128 {
    (number.to_i128().unwrap() - i128::from(from)).abs()
}

#[test]
fn results_are_noisy_and_near_the_truth() {
    let sum: u64 = VALUES.iter().sum();
    let above = VALUES.iter().filter(|value| **value > 100).count() as u64;
    let (mut sums, mut counts) = (Vec::new(), Vec::new());
    for seed in 0..5 {
        let mut world = World::new(seed, None);
        let (_, outputs) = run(&mut world, "reveal s = sum(x) with rho 0.5", &[1, 2, 3, 4]);
        // A standard deviation of 1000 * sqrt(4 / 3) at most.
        assert!(distance(&outputs[0], sum) < 20_000, "{outputs:?}");
        sums.push(outputs[0]);
        let (_, outputs) = run(&mut world, "reveal n = count(x > 100) with epsilon 1", &[1, 2, 4]);
        assert!(distance(&outputs[0], above) < 200, "{outputs:?}");
        counts.push(outputs[0]);
        let (_, outputs) = run(&mut world, "reveal s = sum(x)\nreveal n = count(x > 100)", &[1, 2, 4]);
        assert_eq!(outputs, [sum, above].map(Integer::from), "without noise");
        for number in [1, 2, 4] {
            let spent = world.spent(number);
            assert_eq!((spent.runs, spent.loss.epsilon), (2, None), "what is exact costs nothing here");
            assert_eq!(spent.loss.rho, "1".parse().unwrap());
        }
    }
    assert!(sums.iter().any(|found| distance(found, sum) > 0), "{sums:?}");
    assert!(counts.iter().any(|found| distance(found, above) > 0), "{counts:?}");
}

/// What a median is searched with is noise in both of its fields and in several comparisons.
#[test]
fn noise_is_compared_as_numbers_are() {
    let mut world = World::new(1, None);
    let (_, outputs) = run(&mut world, "reveal m = median(x) with rho 500", &[1, 2, 3]);
    assert!((0..=1_000).contains(&outputs[0].to_i128().unwrap()), "{outputs:?}");
}

#[test]
fn noise_leaves_with_a_tick_however_soon_it_was_drawn() {
    let mut world = World::new(2, Some(budget("1")));
    let (signed, _) = world.request("reveal s = sum(x) with rho 0.5", &[1, 2, 3, 4]);
    world.ask_all(&signed);
    // Openings go to and fro, and noise is drawn; no time passes.
    let mut rounds = Vec::new();
    while let Some(happening) = world.on_the_way.pop_front() {
        rounds.extend(lane_of(&happening));
        world.happen(happening);
    }
    assert!(rounds.contains(&0) && !rounds.contains(&1), "{rounds:?}");
    world.tick();
    let lanes: Vec<u16> = world.on_the_way.iter().filter_map(lane_of).collect();
    assert_eq!(lanes.iter().filter(|lane| **lane == 1).count(), 12, "{lanes:?}");
    world.settle();
    assert_eq!(world.answered(&signed), [1, 2, 3, 4], "and the rest takes no time");
}

/// The lane that a frame is of, behind version, scope and both lives.
fn lane_of(happening: &Happening) -> Option<u16> {
    match happening {
        Happening::Frame { frame, .. } => Some(u16::from_le_bytes([frame[66], frame[67]])),
        _ => None,
    }
}

#[test]
fn a_repetition_gives_the_same_bytes_and_costs_nothing() {
    let mut world = World::new(3, Some(budget("1")));
    let (signed, _) = run(&mut world, "reveal s = sum(x) with rho 0.5", &[1, 2, 3]);
    let spent = world.spent(2);
    let first = world.answer(&signed, 2).unwrap().clone();
    for _ in 0..3 {
        world.kill(2);
        world.start(2);
        world.ask(2, &signed);
        world.live(1);
    }
    let digest = signed.digest::<quorate_wire::RunRequest>();
    assert_eq!(world.answers[&(digest, 2)], vec![first; 4]);
    assert_eq!(world.spent(2), spent);
    assert_eq!(spent.runs, 1);
}

#[test]
fn every_helper_refuses_what_exceeds_the_budget_and_says_what_is_left() {
    let mut world = World::new(4, Some(budget("1")));
    run(&mut world, "reveal s = sum(x) with rho 0.7", &[1, 2, 3]);
    // Helper 4 was not there; the others know.
    let (signed, _) = world.request("reveal s = sum(x) with rho 0.4", &[2, 3, 4]);
    world.ask(4, &signed);
    world.live(2);
    let refusal = world.answer(&signed, 4).unwrap().clone().unwrap_err();
    assert_eq!(refusal.code, Code::Policy, "{refusal}");
    assert!(refusal.message.contains("rho 0.3 left"), "{refusal}");
    assert_eq!((world.spent(4).runs, world.spent(2).runs), (0, 1));
    // What fits still does, and helper 4 learns of the first.
    run(&mut world, "reveal s = sum(x) with rho 0.3", &[2, 3, 4]);
    assert_eq!((world.spent(4).runs, world.spent(4).ledger), (2, world.spent(2).ledger));
    assert_eq!(world.spent(4).loss, Loss { rho: "1".parse().unwrap(), epsilon: None });
    assert_eq!(world.spent(1).runs, 1, "it is behind");
}

#[test]
fn one_run_that_costs_privacy_at_a_time() {
    let mut world = World::new(5, Some(budget("1")));
    let (first, _) = world.request("reveal s = sum(x) with rho 0.5", &[1, 2, 3, 4]);
    let (second, _) = world.request("reveal s = sum(x) with rho 0.5", &[1, 2, 3, 4]);
    world.ask_all(&first);
    world.ask_all(&second);
    world.live(2);
    assert_eq!(world.answered(&first), [1, 2, 3, 4]);
    let refusal = world.answer(&second, 1).unwrap().clone().unwrap_err();
    assert_eq!(refusal.code, Code::Unavailable, "{refusal}");
    let (again, _) = world.request("reveal s = sum(x) with rho 0.5", &[1, 2, 3, 4]);
    world.ask_all(&again);
    world.live(2);
    assert_eq!(world.answered(&again), [1, 2, 3, 4], "when the first is over");
}

#[test]
fn whoever_is_killed_after_the_noise_costs_nobody_the_result() {
    let mut world = World::new(6, Some(budget("1")));
    let (signed, program) = world.request("reveal s = sum(x) with rho 0.5", &[1, 2, 3, 4]);
    world.ask_all(&signed);
    world.settle();
    world.tick();
    // Its noise is on its way.
    world.kill(4);
    world.live(2);
    assert_eq!(world.answered(&signed), [1, 2, 3]);
    assert_eq!(world.outputs(&signed, &program).len(), 1);
    world.start(4);
    world.ask(4, &signed);
    world.live(2);
    let refusal = world.answer(&signed, 4).unwrap().clone().unwrap_err();
    assert_eq!(refusal.code, Code::Unavailable, "{refusal}");
    assert_eq!((world.spent(4).runs, world.spent(1).runs), (0, 1));
}
