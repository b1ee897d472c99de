//! Seeds that must hold, a hundred in a row; thousands are a script's (`scripts/sim`).

use quorate_sim::{Report, simulate, simulate_hasty};

fn hold(seed: u64) -> Report {
    simulate(seed, None).unwrap_or_else(|broken| {
        panic!("seed {seed}: {broken}\nreplay: cargo run --release -p quorate-sim -- --seed {seed} --verbose")
    })
}

#[test]
fn a_hundred_seeds_hold_and_everything_happens_in_them() {
    let mut total = Report::default();
    (0..100).for_each(|seed| total.add(&hold(seed)));
    let expected = [
        "answers",
        "answers not linear",
        "answers refused",
        "answers unverified",
        "answers with noise",
        "answers with vectors",
        "contributions above their norm",
        "contributions left out",
        "contributions off degree",
        "contributions out of range",
        "contributions sealed",
        "crashes",
        "crashes over a charge",
        "crashes while starting",
        "failed commits",
        "frames",
        "groups shown",
        "groups suppressed",
        "helpers not heard",
        "partitions",
        "private results",
        "receipts",
        "runs over budget",
        "seals",
        "seals refused",
        "seals without a helper",
        "seeds with liars",
        "stops",
    ];
    for what in expected {
        assert!(total.counts.get(what).is_some_and(|times| *times > 0), "none of: {what}");
    }
}

/// Helpers that answer before they know that a charge is durable are found out.
#[test]
fn an_answer_that_leaves_before_its_charge_is_found() {
    let found = (0..100).filter_map(|seed| simulate_hasty(seed).err());
    let invariants: Vec<&str> = found.map(|broken| broken.invariant).collect();
    assert!(invariants.contains(&"an answer is charged before it leaves"), "{invariants:?}");
    assert!(invariants.iter().all(|invariant| invariant.contains("charge")), "{invariants:?}");
}

/// In 283 a run that changed nothing wrote what it had known when it began over what another run had been remembered for since.
#[test]
fn what_was_found_before_is_not_found_again() {
    hold(283);
}

#[test]
fn a_replay_is_the_same_bit_by_bit_and_other_seeds_are_not() {
    let digests: Vec<Report> = (0..10).map(hold).collect();
    for (seed, first) in (0..).zip(&digests) {
        assert_eq!(*first, hold(seed), "seed {seed}");
    }
    let distinct: std::collections::BTreeSet<&str> = digests.iter().map(|r| r.digest.as_str()).collect();
    assert_eq!(distinct.len(), digests.len());
}

#[test]
fn a_story_changes_nothing() {
    let mut lines = 0;
    let told = simulate(3, Some(Box::new(|_| lines += 1))).unwrap();
    assert_eq!(told, hold(3));
    assert!(lines > 100, "{lines} lines");
}
