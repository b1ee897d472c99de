//! Random programs on random tables, with all workers in one process, against the clear-text evaluator.

mod author;
mod norms;
mod order;
mod rehearsals;
mod sealing;

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use quorate_circuit::{
    Bounded, Coefficient, Interval, Noise, Output, Program, Reduction, RowInstruction, ScalarInstruction,
    ScalarTerm,
};
use quorate_field::{F61, F127, FieldId, Integer, NamedField, read_slice, write_slice};
use quorate_hash::Digest;
use quorate_sharing::{HelperNumber, Scheme, Seed, Shares};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use zeroize::Zeroizing;

use super::{Carried, ColumnBits, Decided, Morsel, RowPlan, ScalarPlan, ScalarTask, Session, Sums};
use crate::boolean::Workers;
use crate::boolean::lanes;
use crate::boolean::sum::Shape;
use crate::boolean::tests::shared::share_bit;
use crate::noise::{EntryShares, NoiseShares, NoiseTask};
use crate::product::tests::{clear, federations, share};
use crate::testing::{Network, keys};
use crate::verified::Unverified;
use author::Author;

/// The ranges of the columns: small, signed, a bit, large.
const COLUMNS: [(i64, i64); 4] = [(0, 9), (-20, 100), (0, 1), (3, 1_000_000)];

fn interval((min, max): (i64, i64)) -> Interval {
    Interval::new(min.into(), max.into())
}

fn column_bits(are_sealed: bool) -> Vec<ColumnBits> {
    let bits = |&(min, max): &(i64, i64)| ColumnBits {
        min: min.into(),
        max: max.into(),
        are_sealed,
        presence: None,
    };
    COLUMNS.iter().map(bits).collect()
}

/// All workers' shares of one column, and of its bits.
type Column<F> = (Vec<Shares<F>>, Vec<Zeroizing<Vec<u64>>>);

fn shared_column<F: NamedField>(
    scheme: &Scheme,
    workers: &[HelperNumber],
    boolean: &[Workers],
    column: usize,
    values: &[Integer],
    rng: &mut ChaCha20Rng,
) -> Column<F> {
    let elements: Vec<F> = values.iter().map(|value| F::from_integer(value).unwrap()).collect();
    let shares = share(scheme, workers, &elements, rng.next_u64());
    let bits = column_bits(true)[column];
    let offset = |value: &Integer| {
        u64::try_from(value.checked_sub(&bits.min).and_then(|offset| offset.to_i128()).unwrap()).unwrap()
    };
    let offsets: Vec<u64> = values.iter().map(offset).collect();
    let (width, words) = (bits.width() as usize, lanes::words(values.len()));
    let mut sliced = vec![0; width * words];
    lanes::slice_bits(&offsets, width, &mut sliced);
    let mut all: Vec<Zeroizing<Vec<u64>>> = workers.iter().map(|_| Zeroizing::new(vec![])).collect();
    for bit in sliced.chunks(words.max(1)).take(width) {
        let shared = share_bit(boolean, bit, rng);
        all.iter_mut().zip(shared).for_each(|(all, share)| all.extend(share));
    }
    (shares, all)
}

/// All workers' shares of what a plan reads of some rows of a table.
fn morsels<F: NamedField>(
    plan: &RowPlan<F>,
    table: &[Vec<Integer>],
    rows: std::ops::Range<usize>,
    (scheme, workers, boolean): (&Scheme, &[HelperNumber], &[Workers]),
    rng: &mut ChaCha20Rng,
) -> Vec<Morsel<F>> {
    let empty = |_: &HelperNumber| Morsel {
        first_row: rows.start as u64,
        rows: rows.len(),
        columns: BTreeMap::new(),
        bits: BTreeMap::new(),
    };
    let mut morsels: Vec<Morsel<F>> = workers.iter().map(empty).collect();
    for (index, column) in table.iter().enumerate() {
        let (shares, bits) = shared_column::<F>(scheme, workers, boolean, index, &column[rows.clone()], rng);
        let number = u32::try_from(index).unwrap();
        for ((morsel, shares), bits) in morsels.iter_mut().zip(shares).zip(bits) {
            if plan.schedule().columns().contains(&number) {
                morsel.columns.insert(number, shares);
            }
            if plan.schedule().bit_columns().contains(&number) {
                morsel.bits.insert(number, bits);
            }
        }
    }
    morsels
}

/// The outputs of a program on a table, computed by the workers in morsels of 64 rows, and what they drew for noise.
fn compute<F: NamedField>(
    program: &Program,
    table: &[Vec<Integer>],
    (scheme, workers): &(Scheme, Vec<HelperNumber>),
    are_sealed: bool,
    shape: Shape,
    rng: &mut ChaCha20Rng,
) -> (Vec<Integer>, Vec<Integer>) {
    const MORSEL: usize = 64;
    let rows = table[0].len();
    let mut network = Network::of(*scheme, workers, 0);
    let session =
        |me: &HelperNumber| Session::new(*scheme, *me, workers, keys(scheme, *me, &Digest([0; 32]))).unwrap();
    let mut sessions: Vec<Session> = workers.iter().map(session).collect();
    let program = Arc::new(program.clone());
    let bits = column_bits(are_sealed);
    let plans: Vec<Arc<RowPlan<F>>> =
        sessions.iter_mut().map(|session| Arc::new(RowPlan::new(&program, &bits, shape, session))).collect();
    let scalar_plans: Vec<Arc<ScalarPlan<F>>> = sessions
        .iter_mut()
        .map(|session| Arc::new(ScalarPlan::new(&program, rows as u64, session)))
        .collect();
    let boolean: Vec<Workers> =
        network.members().iter().map(|member| Workers::new(member).unwrap()).collect();
    let (drawn, noise) = draw::<F>(&program.noise, &mut network, rng);
    let mut noise = noise.into_iter();
    let mut tasks: Vec<ScalarTask<F>> = Vec::new();
    let mut carried: BTreeMap<usize, Vec<Carried>> = BTreeMap::new();
    for pass in 0..plans[0].schedule().passes() {
        let decided: Vec<Arc<Decided>> = match tasks.as_mut_slice() {
            [] => workers.iter().map(|_| Arc::default()).collect(),
            tasks => tasks.iter_mut().map(|task| Arc::new(task.take_decided())).collect(),
        };
        let mut sums: Vec<Sums<F>> = workers.iter().map(|_| Sums::zero(&program)).collect();
        for first in (0..rows).step_by(MORSEL) {
            let range = first..(first + MORSEL).min(rows);
            let morsels = if pass == 0 {
                morsels(&plans[0], table, range, (scheme, workers, &boolean), rng)
            } else {
                let empty = || Morsel {
                    first_row: first as u64,
                    rows: range.len(),
                    columns: BTreeMap::new(),
                    bits: BTreeMap::new(),
                };
                workers.iter().map(|_| empty()).collect()
            };
            let before =
                carried.remove(&first).into_iter().flatten().chain(std::iter::repeat_with(Carried::default));
            let mut tasks: Vec<_> = plans
                .iter()
                .zip(&sessions)
                .zip(morsels.into_iter().zip(before).zip(&decided))
                .map(|((plan, session), ((morsel, carried), decided))| {
                    plan.start_pass(session, morsel, pass, carried, decided)
                })
                .collect();
            network.drive(&mut tasks);
            let mut after = Vec::new();
            for (sum, task) in sums.iter_mut().zip(tasks) {
                let (part, carried) = task.finish();
                sum.add(part);
                after.push(carried);
            }
            carried.insert(first, after);
        }
        if pass == 0 {
            let started = scalar_plans.iter().zip(&sessions).zip(sums.into_iter().zip(noise.by_ref()));
            let start = |((plan, session), (sums, noise)): ((&Arc<ScalarPlan<F>>, &Session), _)| {
                plan.start(session, sums, noise)
            };
            tasks = started.map(start).collect();
        } else {
            tasks.iter_mut().zip(sums).for_each(|(task, sums)| task.next_pass(sums));
        }
        network.drive(&mut tasks);
    }
    let outputs: Vec<Vec<Zeroizing<Vec<u8>>>> =
        tasks.into_iter().map(|task| task.finish().trust_helpers_of_passive_study().release()).collect();
    let outputs = (0..program.outputs.len()).map(|output| {
        let shares = outputs.iter().map(|outputs| outputs[output].as_slice());
        match program.outputs[output].field {
            FieldId::F61 => opened::<F61>(scheme, workers, shares),
            _ => opened::<F127>(scheme, workers, shares),
        }
    });
    (outputs.collect(), drawn)
}

/// Noise drawn by all workers together, and their shares of it.
fn draw<F: NamedField>(
    entries: &[Noise],
    network: &mut Network,
    rng: &mut ChaCha20Rng,
) -> (Vec<Integer>, Vec<Unverified<NoiseShares<F>>>) {
    let (scheme, workers) = (*network.members()[0].scheme(), network.members()[0].workers().to_vec());
    let mut task = |me: &HelperNumber| {
        let mut seed = [0; 32];
        rng.fill_bytes(&mut seed);
        NoiseTask::<F>::new(entries, scheme, *me, &workers, Seed::from_bytes(seed))
    };
    let mut tasks: Vec<_> = workers.iter().map(&mut task).collect();
    assert_eq!(network.drive(&mut tasks), 1, "one round");
    let noise: Vec<_> = tasks.into_iter().map(NoiseTask::finish).collect();
    let drawn = (0..).take(entries.len()).map(|entry| {
        let held = noise.iter().map(|noise| noise.value().entry(entry));
        let encoded: Vec<Vec<u8>> = held
            .map(|shares| match shares {
                EntryShares::Base(shares) => write_slice(shares.as_slice()),
                EntryShares::Wide(shares) => write_slice(shares.as_slice()),
            })
            .collect();
        let shares = encoded.iter().map(Vec::as_slice);
        match entries[entry as usize].field {
            FieldId::F61 => opened::<F61>(&scheme, &workers, shares),
            _ => opened::<F127>(&scheme, &workers, shares),
        }
    });
    (drawn.collect(), noise)
}

fn opened<'a, F: NamedField>(
    scheme: &Scheme,
    workers: &[HelperNumber],
    shares: impl Iterator<Item = &'a [u8]>,
) -> Integer {
    let shares: Vec<Shares<F>> = shares.map(|share| Shares::from_vec(read_slice(share).unwrap())).collect();
    clear(scheme, workers, &shares)[0].to_integer()
}

/// A table with many values at the ends of their ranges.
fn table(rows: usize, rng: &mut ChaCha20Rng) -> Vec<Vec<Integer>> {
    let value = |(min, max): (i64, i64), rng: &mut ChaCha20Rng| match rng.next_u64() % 4 {
        0 => min,
        1 => max,
        _ => min + i64::try_from(rng.next_u64() % (max - min + 1).unsigned_abs()).unwrap(),
    };
    COLUMNS.iter().map(|range| (0..rows).map(|_| value(*range, rng).into()).collect()).collect()
}

fn check(seed: u64, federation: usize, rows: usize, are_sealed: bool) {
    let federation = &federations()[federation];
    let mut rng = ChaCha20Rng::seed_from_u64(seed ^ 1);
    let table = table(rows, &mut rng);
    let shape = if seed.is_multiple_of(2) { Shape::Serial } else { Shape::Prefix };
    let program = Author::program(seed, FieldId::F61);
    let (found, noise) = compute::<F61>(&program, &table, federation, are_sealed, shape, &mut rng);
    assert_eq!(found, program.evaluate_with(&table, &noise).unwrap(), "{program:?}");
    let program = Author::program(seed, FieldId::F127);
    let (found, noise) = compute::<F127>(&program, &table, federation, are_sealed, shape, &mut rng);
    assert_eq!(found, program.evaluate_with(&table, &noise).unwrap(), "{program:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn random_programs_agree_with_the_clear(
        seed in any::<u64>(),
        federation in 0..5_usize,
        rows in prop::sample::select(vec![1_usize, 2, 63, 64, 65, 100]),
        are_sealed in any::<bool>(),
    ) {
        check(seed, federation, rows, are_sealed);
    }
}

/// Some of a batch's scalars are asked one thing, others two, and some are lifted: more of each than a word has lanes.
#[test]
fn more_scalars_than_lanes_are_compared_at_once() {
    const COUNT: u32 = 70;
    let bounded =
        |value: u32, with: i64| Bounded { value, interval: interval((-100, 900)), with: with.into() };
    let mut program = Author::program(0, FieldId::F61);
    program.row = vec![RowInstruction::Input { column: 0 }];
    (program.reductions, program.scalar) = (vec![Reduction::Sum { value: 0 }], vec![]);
    let mut scalars = Vec::new();
    for less in 0..COUNT {
        let terms = vec![ScalarTerm { scalar: 0, factor: Coefficient::constant(1_u64) }];
        let constant = Coefficient::constant(-i64::from(less));
        program.scalar.push(ScalarInstruction::Linear { constant, terms });
        let value = u32::try_from(program.scalar.len()).unwrap();
        program.scalar.push(ScalarInstruction::Below(bounded(value, 7)));
        program.scalar.push(ScalarInstruction::Lift { scalar: value, interval: interval((-100, 900)) });
        scalars.extend([(value + 1, FieldId::F61), (value + 2, FieldId::F127)]);
        if less % 2 == 0 {
            program.scalar.push(ScalarInstruction::Equal(bounded(value, 0)));
            scalars.push((value + 3, FieldId::F61));
        }
    }
    let output = |(scalar, field): (u32, FieldId)| Output {
        scalar,
        field,
        interval: interval((-100, 900)),
        meaning: String::new(),
        noise: None,
    };
    program.outputs = scalars.into_iter().map(output).collect();
    program.validate().unwrap();
    for (federation, rows) in federations().iter().take(5).zip([3, 9, 10, 11, 40]) {
        let mut rng = ChaCha20Rng::seed_from_u64(rows);
        let table = table(usize::try_from(rows).unwrap(), &mut rng);
        let expected = program.evaluate(&table).unwrap();
        let (found, _) = compute::<F61>(&program, &table, federation, true, Shape::Prefix, &mut rng);
        assert_eq!(found, expected);
    }
}

/// Thresholds 2 and 3 have many more sub-shares: a few programs each.
#[test]
fn larger_thresholds_agree_with_the_clear() {
    for federation in 5..federations().len() {
        for seed in 0..6 {
            check(seed, federation, 65, seed % 3 == 0);
        }
    }
}

/// What the generator is for: every instruction occurs in the programs that it writes.
#[test]
fn the_generator_writes_every_instruction() {
    let mut seen = std::collections::BTreeSet::new();
    let name = |debug: String| debug.split([' ', '(']).next().unwrap_or_default().to_owned();
    for seed in 0..300 {
        let program = Author::program(seed, FieldId::F61);
        seen.extend(program.row.iter().map(|i| name(format!("row {i:?}").replacen(' ', ".", 1))));
        seen.extend(
            program.reductions.iter().map(|i| name(format!("reduction {i:?}").replacen(' ', ".", 1))),
        );
        seen.extend(program.scalar.iter().map(|i| name(format!("scalar {i:?}").replacen(' ', ".", 1))));
    }
    assert_eq!(seen.len(), 13 + 3 + 6, "{seen:?}");
}
