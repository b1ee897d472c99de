//! Rehearsals against runs: rounds and bytes of a whole run, to the last byte.

use std::collections::BTreeMap;
use std::sync::Arc;

use quorate_circuit::{
    Adder, Bits, Circuit, Disclosure, Noise, Plan, Program, Sharing, SharingKind, Study, StudyDraft,
    Workload, compile,
};
use quorate_field::quantity::Quantity;
use quorate_field::{F61, FieldId, Integer};
use quorate_hash::Digest;
use quorate_privacy::Distribution;
use quorate_sharing::{HelperNumber, Shares};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use zeroize::Zeroizing;

use super::super::{
    Carried, ColumnBits, Decided, Morsel, RowPlan, RowTask, ScalarPlan, ScalarTask, Session, Sums,
    column_bits, rehearse,
};
use crate::boolean::lanes::words;
use crate::boolean::sum::Shape;
use crate::noise::NoiseShares;
use crate::testing::{Network, keys, scheme};
use crate::verified::Unverified;

const INPUTS: &str = "circuit rehearsed\ninput a : 0 .. 1_000\ninput b : -20 .. 100\ninput g : x | y | z\n";

const REVEALS: [&str; 7] = [
    "reveal above = count(a > 321)",
    "reveal products = sum(a * a * b) + sum(a * b)",
    "reveal by_group = mean(a) by g",
    "reveal spread = stddev(a) where b < 7 or a == 12",
    "reveal dearer = (mean(a) where g == x) > (mean(b) where g == y)",
    "reveal middle = median(a) where b > 5",
    "reveal middle_by = median(b) by g\nreveal most = max(a * a)",
];

fn study(reveals: &str, helpers: u8, threshold: u8, bits: Bits) -> (Study, Program) {
    study_with(1, reveals, helpers, threshold, bits)
}

/// The same with a smallest group.
fn study_with(min_group: u64, reveals: &str, helpers: u8, threshold: u8, bits: Bits) -> (Study, Program) {
    let text = format!("{INPUTS}{reveals}\n");
    let circuit = Circuit::parse(&text).unwrap();
    let sharing = Sharing { kind: SharingKind::Shamir, helpers, threshold };
    let disclosure = Disclosure { min_group, ..Disclosure::default() };
    let draft = StudyDraft {
        bits: Some(bits),
        disclosure,
        ..StudyDraft::new("rehearsed", sharing, circuit.inputs(), 100_000)
    };
    let study = draft.document_for(&circuit).unwrap().1;
    let program = compile(&text, &study).unwrap();
    (study, program)
}

/// One worker's plans.
type Plans = (Arc<RowPlan<F61>>, Arc<ScalarPlan<F61>>);

/// Rounds and bytes of a run on so many rows, morsel after morsel.
fn run(study: &Study, program: &Program, rows: u64) -> (u64, usize) {
    let scheme = scheme(study.sharing.helpers, study.sharing.threshold);
    let workers: Vec<HelperNumber> = scheme.numbers().take(scheme.workers()).collect();
    let mut network = Network::of(scheme, &workers, 0);
    let session = |me: &HelperNumber| {
        Session::new(scheme, *me, &workers, keys(&scheme, *me, &Digest([0; 32]))).unwrap()
    };
    let mut sessions: Vec<Session> = workers.iter().map(session).collect();
    let (plan, columns) = (Plan::of(program, study, rows), column_bits(study));
    let shape = if plan.adder == Adder::Serial { Shape::Serial } else { Shape::Prefix };
    let program = Arc::new(program.clone());
    let mut plans: Vec<Plans> = Vec::new();
    for session in &mut sessions {
        let of_rows = Arc::new(RowPlan::new(&program, &columns, shape, session));
        plans.push((of_rows, Arc::new(ScalarPlan::new(&program, rows, session))));
    }
    let mut rounds = 0;
    let mut scalars: Vec<ScalarTask<F61>> = Vec::new();
    let mut carried: BTreeMap<u64, Vec<Carried>> = BTreeMap::new();
    for pass in 0..plans[0].0.schedule().passes() {
        let decided: Vec<Arc<Decided>> = match scalars.as_mut_slice() {
            [] => workers.iter().map(|_| Arc::default()).collect(),
            tasks => tasks.iter_mut().map(|task| Arc::new(task.take_decided())).collect(),
        };
        let mut sums: Vec<Sums<F61>> = workers.iter().map(|_| Sums::zero(&program)).collect();
        let mut lanes = [0; Plan::LANES as usize];
        for (index, first_row) in (0..rows).step_by(plan.morsel_rows as usize).enumerate() {
            let count = usize::try_from((rows - first_row).min(plan.morsel_rows.into())).unwrap();
            let before = carried.remove(&first_row).into_iter().flatten();
            let mut before = before.chain(std::iter::repeat_with(Carried::default));
            let mut tasks = Vec::new();
            for ((session, (plan, _)), decided) in sessions.iter().zip(&plans).zip(&decided) {
                let morsel = morsel(session, plan, &columns, first_row, count);
                tasks.push(plan.start_pass(session, morsel, pass, before.next().unwrap(), decided));
            }
            lanes[index % lanes.len()] += network.drive(&mut tasks) as u64;
            network.forget();
            let (parts, after): (Vec<Sums<F61>>, _) = tasks.into_iter().map(RowTask::finish).unzip();
            sums.iter_mut().zip(parts).for_each(|(sums, part)| sums.add(part));
            carried.insert(first_row, after);
        }
        rounds += lanes.into_iter().max().unwrap();
        if pass == 0 {
            let started = sessions.iter().zip(&plans).zip(sums);
            let noise = || Unverified::new(NoiseShares::zeros(&program.noise));
            scalars =
                started.map(|((session, (_, plan)), sums)| plan.start(session, sums, noise())).collect();
        } else {
            scalars.iter_mut().zip(sums).for_each(|(task, sums)| task.next_pass(sums));
        }
        rounds += network.drive(&mut scalars) as u64;
        network.forget();
    }
    (rounds, network.bytes_sent())
}

/// One worker's shares of rows of zeros.
fn morsel(
    session: &Session,
    plan: &RowPlan<F61>,
    columns: &[ColumnBits],
    first_row: u64,
    rows: usize,
) -> Morsel<F61> {
    let width = session.workers().layout().width() * words(rows);
    let zeros = |column: &u32| {
        let bits = columns[*column as usize].width() as usize;
        (*column, Zeroizing::new(vec![0; bits * width]))
    };
    let shares = |column: &u32| (*column, Shares::zeros(rows));
    let bits = plan.schedule().bit_columns().iter().map(zeros).collect();
    Morsel { first_row, rows, columns: plan.schedule().columns().iter().map(shares).collect(), bits }
}

fn rehearsed(study: &Study, program: &Program, rows: u64) -> Workload {
    rehearse(program, study, rows, &mut ChaCha20Rng::seed_from_u64(1)).unwrap()
}

#[test]
fn judging_groups_is_rehearsed_to_the_last_byte() {
    let reveals =
        "reveal by_group = mean(a) by g\nreveal above = count(a > 321)\nreveal both = sum(b) where a > 99";
    let (study, program) = study_with(5, reveals, 4, 1, Bits::Sealed);
    for rows in [1, 63, 200] {
        let (rounds, bytes) = run(&study, &program, rows);
        let workload = rehearsed(&study, &program, rows);
        assert_eq!(
            (workload.bytes, workload.rounds),
            ((bytes as u64).div_ceil(3), rounds + 2),
            "{rows} rows"
        );
    }
}

#[test]
fn a_rehearsal_sends_what_a_run_sends() {
    for (helpers, threshold) in [(3, 1), (4, 1), (5, 2)] {
        for (index, reveals) in REVEALS.into_iter().enumerate() {
            let bits = if index % 2 == 0 { Bits::Sealed } else { Bits::None };
            let (study, program) = study(reveals, helpers, threshold, bits);
            for rows in [1, 63, 65, 200] {
                let (rounds, bytes) = run(&study, &program, rows);
                let workload = rehearsed(&study, &program, rows);
                let workers = 2 * u64::from(threshold) + 1;
                assert_eq!(workload.bytes, (bytes as u64).div_ceil(workers), "{reveals}, {rows} rows");
                // Two more before: nonces and keys, and their confirmation.
                assert_eq!(workload.rounds, rounds + 2, "{reveals}, {rows} rows");
            }
        }
    }
}

/// Beyond the rows that go in one morsel, and in few rounds.
#[test]
fn a_rehearsal_knows_morsels_and_lanes() {
    let (study, program) = study(REVEALS[1], 3, 1, Bits::None);
    let rows = 5 * u64::from(Plan::of(&program, &study, 1 << 20).morsel_rows) + 77;
    let (rounds, bytes) = run(&study, &program, rows);
    let workload = rehearsed(&study, &program, rows);
    assert_eq!((workload.rounds, workload.bytes), (rounds + 2, (bytes as u64).div_ceil(3)));
    assert!(workload.turns > workload.rounds, "several lanes: {workload:?}");
}

/// In it every member sends every other one a share of each number.
#[test]
fn noise_is_a_round_more() {
    let distribution = Distribution::Laplace { scale: Quantity::ONE };
    let (sensitivity, bound) = (Integer::ONE, distribution.bound(4, 1).unwrap());
    let noise = |field, count| Noise {
        field,
        count,
        distribution,
        sensitivity,
        bound,
        meaning: String::new(),
        rank: None,
    };
    for (reveals, members) in [("reveal total = sum(a)", 4), (REVEALS[0], 3)] {
        let (study, mut program) = study(reveals, 4, 1, Bits::Sealed);
        let before = rehearsed(&study, &program, 70);
        program.noise = vec![noise(FieldId::F61, 1), noise(FieldId::F127, 10)];
        let with = rehearsed(&study, &program, 70);
        assert_eq!((with.rounds, with.turns), (before.rounds + 1, before.turns + 1), "{reveals}");
        assert_eq!(with.bytes, before.bytes + (members - 1) * (8 + 160), "{reveals}");
    }
}

#[test]
fn what_is_linear_sends_nothing_and_what_helpers_cannot_do_is_not_rehearsed() {
    let (study, program) = study("reveal total = sum(a)", 3, 1, Bits::None);
    let workload = rehearsed(&study, &program, 10);
    assert_eq!((workload.bytes, workload.ands, workload.products), (0, 0, 0));
    let (mut study, program) = self::study(REVEALS[0], 3, 1, Bits::None);
    study.sharing.helpers = 2;
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    assert_eq!(rehearse(&program, &study, 10, &mut rng), None);
}
