//! Whole rounds with clients that vanish: the sum is exact, or there is none.

#![allow(clippy::unwrap_used, clippy::cast_possible_truncation, reason = "a test")]

mod common;

use common::{expected, identity, passive, rng, round, terms, vector};
use proptest::prelude::*;
use quorate_masking::trial::{self, Parts, Trial, Unmetered};
use quorate_masking::{Abort, Encoding, Fault, Position, Ring, Round, Stage, Variant};

const STAGES: [Stage; 5] = [Stage::Keys, Stage::Shares, Stage::Inputs, Stage::Agreement, Stage::Unmasking];

fn run(round: &std::sync::Arc<Round>, vanishes: impl Fn(Position) -> Option<Stage>) -> Trial {
    run_with(round, vanishes, |_| 1, 7)
}

fn run_with(
    round: &std::sync::Arc<Round>,
    vanishes: impl Fn(Position) -> Option<Stage>,
    weight: impl Fn(Position) -> u32,
    seed: u64,
) -> Trial {
    let identities: Vec<_> = (0..round.clients()).map(identity).collect();
    let parts = Parts { identities: &identities, vector: &vector, weight: &weight, vanishes: &vanishes };
    trial::run(round, &parts, &mut rng(seed), &mut Unmetered)
}

/// None, one, a tenth and three tenths, at every stage, in both variants, on sparse graphs and the complete one.
#[test]
fn the_sum_is_exact_whoever_vanishes_and_when() {
    let rounds = [
        round(50, passive(), 20, 11),
        round(30, passive(), 29, 18),
        round(50, Variant::Active, 40, 22),
        round(30, Variant::Active, 29, 20),
    ];
    for round in rounds {
        let clients = round.clients();
        for stage in STAGES {
            for vanish in [0, 1, clients / 10, 3 * clients / 10] {
                // Every third, so that no run of a ring is without anybody.
                let goes = |client| client % 3 == 1 && client / 3 < vanish;
                let trial = run(&round, |client| goes(client).then_some(stage));
                let outcome = trial.outcome.unwrap_or_else(|abort| panic!("{vanish} at {stage:?}: {abort}"));
                let counted = |client: &u32| stage > Stage::Inputs || !goes(*client);
                let survivors: Vec<u32> = (0..clients).filter(counted).collect();
                assert_eq!(outcome.survivors.iter().collect::<Vec<_>>(), survivors);
                assert_eq!(outcome.sum, expected(survivors.into_iter()), "{vanish} at {stage:?}");
                assert_eq!(outcome.vanished, if stage == Stage::Inputs { vanish } else { 0 });
                assert_eq!(trial.faults, []);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Anybody at any stage: the sum of exactly those whose vectors came, or an abort.
    #[test]
    fn a_round_ends_with_the_exact_sum_or_with_none(
        goes in proptest::collection::vec(proptest::option::weighted(0.3, 0_usize..5), 12..30),
        is_active: bool,
        neighbours in 2_u32..12,
        seed: u64,
    ) {
        let clients = goes.len() as u32;
        let variant = if is_active { Variant::Active } else { passive() };
        let neighbours = if is_active { neighbours.min(clients - 1) } else { neighbours / 2 * 2 };
        let round = round(clients, variant, neighbours, neighbours / 2 + 1);
        let vanishes = |client: Position| goes[client as usize].map(|stage| STAGES[stage]);
        let trial = run_with(&round, vanishes, |_| 1, seed);
        if let Ok(outcome) = trial.outcome {
            prop_assert!(outcome.survivors.count() >= round.terms().survivors_min);
            prop_assert_eq!(outcome.sum, expected(outcome.survivors.iter()));
        }
        for (_, fault) in trial.faults {
            prop_assert!(matches!(fault, Fault::Lonely { .. } | Fault::Server { .. }), "{}", fault);
        }
    }
}

#[test]
fn below_the_threshold_there_is_no_sum_and_it_is_said_why() {
    let round = round(30, Variant::Active, 29, 20);
    for (stage, found) in
        [(Stage::Keys, 20), (Stage::Shares, 20), (Stage::Inputs, 20), (Stage::Agreement, 20)]
    {
        let trial = run(&round, |client| (client >= 20).then_some(stage));
        assert_eq!(trial.outcome.unwrap_err(), Abort::TooFew { stage, found, needed: 21 });
    }
    let trial = run(&round, |client| (client >= 19).then_some(Stage::Unmasking));
    let abort = trial.outcome.unwrap_err();
    assert!(matches!(abort, Abort::Unrecoverable { needed: 20, found: 18 | 19, .. }), "{abort}");
}

#[test]
fn weights_and_wide_words_are_summed_exactly() {
    for ring in [Ring::Mod32, Ring::Mod64] {
        let mut terms = terms(20, Variant::Active, 12, 8);
        terms.encoding =
            Encoding { ring, length: common::LENGTH, fraction_bits: 8, bound: 1000, weight_max: 500 };
        let round = std::sync::Arc::new(Round::new(terms).unwrap());
        let weight = |client: Position| 25 * (client + 1);
        let vanishes = |client: Position| (client == 3).then_some(Stage::Inputs);
        let outcome = run_with(&round, vanishes, weight, 8).outcome.unwrap();
        let counted = || (0..20).filter(|client| *client != 3);
        let weighted = |place: usize| -> i64 {
            counted().map(|client| vector(client)[place] * i64::from(weight(client))).sum()
        };
        assert_eq!(outcome.weight, Some(counted().map(|client| u64::from(weight(client))).sum()));
        assert_eq!(outcome.sum, (0..common::LENGTH as usize).map(weighted).collect::<Vec<_>>());
    }
}
