//! Random programs on random tables, with all workers in one process, against the clear-text evaluator.

mod rehearsals;
mod sealing;

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use quorate_circuit::{
    Bounded, Coefficient, Interval, Output, Program, Reduction, RowInstruction, RowTerm, ScalarInstruction,
    ScalarTerm,
};
use quorate_field::{F61, F127, FieldId, Integer, NamedField, read_slice};
use quorate_hash::Digest;
use quorate_sharing::{HelperNumber, Scheme, Shares};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use zeroize::Zeroizing;

use super::{ColumnBits, Morsel, RowPlan, ScalarPlan, Session, Sums};
use crate::boolean::Workers;
use crate::boolean::lanes;
use crate::boolean::sum::Shape;
use crate::boolean::tests::shared::share_bit;
use crate::product::tests::{clear, federations, share};
use crate::testing::{Network, keys};

/// The ranges of the columns: small, signed, a bit, large.
const COLUMNS: [(i64, i64); 4] = [(0, 9), (-20, 100), (0, 1), (3, 1_000_000)];

fn interval((min, max): (i64, i64)) -> Interval {
    Interval::new(min.into(), max.into())
}

fn column_bits(are_sealed: bool) -> Vec<ColumnBits> {
    COLUMNS.iter().map(|&(min, max)| ColumnBits { min: min.into(), max: max.into(), are_sealed }).collect()
}

/// Writes random programs that are valid and whose outputs fit F61.
struct Author {
    rng: ChaCha20Rng,
    program: Program,
    /// By row value: what a number can be; `None` for truths.
    rows: Vec<Option<Interval>>,
    scalars: Vec<Interval>,
}

impl Author {
    fn program(seed: u64, field: FieldId) -> Program {
        let program = Program {
            format: Program::FORMAT,
            name: "random".into(),
            field,
            columns: 4,
            rows_max: 100,
            row: vec![],
            reductions: vec![],
            scalar: vec![],
            outputs: vec![],
            public: vec![],
            reveals: vec![],
        };
        let rng = ChaCha20Rng::seed_from_u64(seed);
        let mut author = Author { rng, program, rows: vec![], scalars: vec![] };
        for (column, range) in (0..).zip(COLUMNS) {
            author.push(RowInstruction::Input { column }, Some(interval(range)));
        }
        (0..author.below(14)).for_each(|_| author.row());
        (0..=author.below(4)).for_each(|_| author.reduction());
        (0..author.below(6)).for_each(|_| author.scalar());
        author.outputs();
        author.program.validate().unwrap();
        author.program
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.rng.next_u64() % bound
    }

    fn pick(&mut self, wanted: impl Fn(&Option<Interval>) -> bool) -> Option<u32> {
        let fitting: Vec<u32> = (0..).zip(&self.rows).filter(|(_, v)| wanted(v)).map(|(i, _)| i).collect();
        if fitting.is_empty() {
            return None;
        }
        let index = self.below(fitting.len() as u64);
        Some(fitting[usize::try_from(index).unwrap()])
    }

    fn push(&mut self, instruction: RowInstruction, interval: Option<Interval>) {
        self.program.row.push(instruction);
        self.rows.push(interval);
    }

    /// A value in the interval, often one of its ends.
    fn within(&mut self, interval: &Interval) -> Integer {
        let (min, max) = (interval.min.to_i128().unwrap(), interval.max.to_i128().unwrap());
        match self.below(4) {
            0 => interval.min,
            1 => interval.max,
            _ => Integer::from(
                i64::try_from(min + i128::from(self.rng.next_u64()).rem_euclid(max - min + 1)).unwrap(),
            ),
        }
    }

    fn bounded(&mut self, value: u32, interval: Interval) -> Bounded {
        Bounded { value, interval, with: self.within(&interval) }
    }

    fn row(&mut self) {
        let number = self.pick(Option::is_some).unwrap();
        let other = self.pick(Option::is_some).unwrap();
        let (left, right) = (self.rows[number as usize].unwrap(), self.rows[other as usize].unwrap());
        let truths = (self.pick(Option::is_none), self.pick(Option::is_none));
        let fits = |interval: &Interval| interval.bound() < Integer::from(1_i64 << 40);
        match (self.below(9), truths) {
            (0, _) => {
                let (factor, constant) = (Integer::from(-3), Integer::from(7));
                let scaled = left.checked_mul(&Interval::point(factor)).unwrap();
                let sum =
                    scaled.checked_add(&right).unwrap().checked_add(&Interval::point(constant)).unwrap();
                let terms =
                    vec![RowTerm { value: number, factor }, RowTerm { value: other, factor: Integer::ONE }];
                if fits(&sum) {
                    self.push(RowInstruction::Linear { constant, terms }, Some(sum));
                }
            }
            (1, _) => {
                let product = left.checked_mul(&right).unwrap();
                if fits(&product) {
                    self.push(RowInstruction::Multiply(number, other), Some(product));
                }
            }
            (2, _) => {
                let bounded = self.bounded(number, left);
                self.push(RowInstruction::Below(bounded), None);
            }
            (3, _) => {
                let bounded = self.bounded(number, left);
                self.push(RowInstruction::Equal(bounded), None);
            }
            (4, _) => {
                let (left, right) = (self.below(4), self.below(4));
                let (left, right) = (u32::try_from(left).unwrap(), u32::try_from(right).unwrap());
                let is_less = self.below(2) == 0;
                let instruction = if is_less {
                    RowInstruction::Less(left, right)
                } else {
                    RowInstruction::Same(left, right)
                };
                self.push(instruction, None);
            }
            (5, (Some(a), Some(b))) => self.push(RowInstruction::And(a, b), None),
            (6, (Some(a), Some(b))) => self.push(RowInstruction::Xor(a, b), None),
            (7, (Some(a), _)) => self.push(RowInstruction::Not(a), None),
            (8, (Some(a), _)) => self.push(RowInstruction::Number(a), Some(Interval::BIT)),
            _ => {}
        }
    }

    fn reduction(&mut self) {
        let number = self.pick(Option::is_some).unwrap();
        let other = self.pick(Option::is_some).unwrap();
        let (left, right) = (self.rows[number as usize].unwrap(), self.rows[other as usize].unwrap());
        let product = left.checked_mul(&right).unwrap().checked_total(100).unwrap();
        let (reduction, interval) = match (self.below(3), self.pick(Option::is_none)) {
            (0, Some(truth)) => (Reduction::Count(truth), Interval::up_to(100)),
            (1, _) if product.bound() < F61::ID.half() => (Reduction::Dot(number, other), product),
            _ => (Reduction::Sum { value: number }, left.checked_total(100).unwrap()),
        };
        self.program.reductions.push(reduction);
        self.scalars.push(interval);
    }

    fn scalar(&mut self) {
        let count = self.scalars.len() as u64;
        let pair = (self.below(count), self.below(count));
        let (left, right) = (u32::try_from(pair.0).unwrap(), u32::try_from(pair.1).unwrap());
        let (a, b) = (self.scalars[left as usize], self.scalars[right as usize]);
        let same_field = self.program.scalar_field(left) == self.program.scalar_field(right);
        let half = self.program.scalar_field(left).half();
        let (instruction, interval) = match self.below(5) {
            0 if same_field => {
                let sum = a.checked_add(&b).unwrap();
                let terms =
                    [left, right].map(|scalar| ScalarTerm { scalar, factor: Coefficient::constant(1_u64) });
                let constant = Coefficient::default();
                (ScalarInstruction::Linear { constant, terms: terms.to_vec() }, sum)
            }
            1 if same_field => (ScalarInstruction::Multiply(left, right), a.checked_mul(&b).unwrap()),
            2 if self.program.scalar_field(left) == FieldId::F61 => {
                (ScalarInstruction::Lift { scalar: left, interval: a }, a)
            }
            3 if a.bound() < Integer::from(1_i64 << 60) => {
                (ScalarInstruction::Below(Bounded { value: left, interval: a, with: a.max }), Interval::BIT)
            }
            4 => (ScalarInstruction::Equal(Bounded { value: left, interval: a, with: a.min }), Interval::BIT),
            _ => return,
        };
        if interval.bound() <= half {
            self.program.scalar.push(instruction);
            self.scalars.push(interval);
        }
    }

    fn outputs(&mut self) {
        for (scalar, interval) in (0..).zip(&self.scalars) {
            let field = self.program.scalar_field(scalar);
            let output = Output { scalar, field, interval: *interval, meaning: String::new() };
            self.program.outputs.push(output);
        }
    }
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

/// The outputs of a program on a table, computed by the workers in morsels of `morsel` rows.
fn compute<F: NamedField>(
    program: &Program,
    table: &[Vec<Integer>],
    (scheme, workers): &(Scheme, Vec<HelperNumber>),
    are_sealed: bool,
    shape: Shape,
    rng: &mut ChaCha20Rng,
) -> Vec<Integer> {
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
    let mut sums: Vec<Sums<F>> = workers.iter().map(|_| Sums::zero(&program)).collect();
    for first in (0..rows).step_by(MORSEL) {
        let count = MORSEL.min(rows - first);
        let mut morsels: Vec<Morsel<F>> = workers
            .iter()
            .map(|_| Morsel {
                first_row: first as u64,
                rows: count,
                columns: BTreeMap::new(),
                bits: BTreeMap::new(),
            })
            .collect();
        for (index, column) in table.iter().enumerate() {
            let part = &column[first..first + count];
            let (shares, bits) = shared_column::<F>(scheme, workers, &boolean, index, part, rng);
            let number = u32::try_from(index).unwrap();
            for ((morsel, shares), bits) in morsels.iter_mut().zip(shares).zip(bits) {
                if plans[0].schedule().columns().contains(&number) {
                    morsel.columns.insert(number, shares);
                }
                if plans[0].schedule().bit_columns().contains(&number) {
                    morsel.bits.insert(number, bits);
                }
            }
        }
        let mut tasks: Vec<_> = plans
            .iter()
            .zip(&sessions)
            .zip(morsels)
            .map(|((plan, session), morsel)| plan.start(session, morsel))
            .collect();
        network.drive(&mut tasks);
        sums.iter_mut().zip(tasks).for_each(|(sum, task)| sum.add(task.finish()));
    }
    let mut tasks: Vec<_> = scalar_plans
        .iter()
        .zip(&sessions)
        .zip(sums)
        .map(|((plan, session), sums)| plan.start(session, sums))
        .collect();
    network.drive(&mut tasks);
    let outputs: Vec<Vec<Zeroizing<Vec<u8>>>> =
        tasks.into_iter().map(|task| task.finish().trust_helpers_of_passive_study().release()).collect();
    (0..program.outputs.len())
        .map(|output| {
            let shares = outputs.iter().map(|outputs| outputs[output].as_slice());
            match program.outputs[output].field {
                FieldId::F61 => opened::<F61>(scheme, workers, shares),
                _ => opened::<F127>(scheme, workers, shares),
            }
        })
        .collect()
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
    let expected = program.evaluate(&table).unwrap();
    assert_eq!(
        compute::<F61>(&program, &table, federation, are_sealed, shape, &mut rng),
        expected,
        "{program:?}"
    );
    let program = Author::program(seed, FieldId::F127);
    let expected = program.evaluate(&table).unwrap();
    assert_eq!(
        compute::<F127>(&program, &table, federation, are_sealed, shape, &mut rng),
        expected,
        "{program:?}"
    );
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
    assert_eq!(seen.len(), 11 + 3 + 5, "{seen:?}");
}
