//! Random programs: valid ones, whose outputs fit F61, with every instruction and up to four passes over the rows.

use quorate_circuit::{
    Bit, Bounded, Coefficient, Interval, Noise, Output, Program, Reduction, RowInstruction, RowTerm,
    ScalarInstruction, ScalarTerm,
};
use quorate_field::quantity::Quantity;
use quorate_field::{F61, FieldId, Integer, NamedField};
use quorate_privacy::Distribution;
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

use super::{COLUMNS, interval};

/// Writes random programs that are valid and whose outputs fit F61.
pub(super) struct Author {
    rng: ChaCha20Rng,
    program: Program,
    /// By row value: what a number can be; `None` for truths.
    rows: Vec<Option<Interval>>,
    /// Truths that depend on scalars: no numbers are made of them.
    is_decided: Vec<bool>,
    /// Reductions that there will be: computed scalars are numbered from there on.
    planned: u32,
    /// Scalars that there are, each with what it can be.
    scalars: Vec<(u32, Interval)>,
}

impl Author {
    pub(super) fn program(seed: u64, field: FieldId) -> Program {
        let program = Program {
            format: Program::FORMAT,
            name: "random".into(),
            field,
            columns: vec![1; 4],
            rows_max: 100,
            row: vec![],
            reductions: vec![],
            scalar: vec![],
            noise: vec![],
            loss: quorate_privacy::Loss::NONE,
            outputs: vec![],
            public: vec![],
            reveals: vec![],
            vectors: vec![],
        };
        let rng = ChaCha20Rng::seed_from_u64(seed);
        let (rows, is_decided, scalars) = (vec![], vec![], vec![]);
        let mut author = Author { rng, program, rows, is_decided, planned: 0, scalars };
        for (column, range) in (0..).zip(COLUMNS) {
            author.push(RowInstruction::Input { column }, Some(interval(range)));
        }
        // One pass in half of the programs, up to four in others.
        let passes = 1 + author.below(2) * author.below(4);
        let reductions: Vec<u64> = (0..passes).map(|_| 1 + author.below(4)).collect();
        author.planned = u32::try_from(reductions.iter().sum::<u64>()).unwrap();
        for count in reductions {
            (0..author.below(14)).for_each(|_| author.row());
            (0..count).for_each(|_| author.reduction());
            (0..author.below(6)).for_each(|_| author.scalar());
        }
        author.outputs();
        author.program.validate().unwrap();
        author.program
    }

    /// Scalar instructions by the scalars that they give.
    fn scalar_instruction(&self, scalar: u32) -> Option<&ScalarInstruction> {
        self.program.scalar.get(usize::try_from(scalar.checked_sub(self.planned)?).unwrap())
    }

    /// [`Program::scalar_field`] while reductions are missing.
    fn field_of(&self, scalar: u32) -> FieldId {
        match self.scalar_instruction(scalar) {
            Some(ScalarInstruction::Linear { terms, .. }) => self.field_of(terms[0].scalar),
            Some(ScalarInstruction::Multiply(left, _)) => self.field_of(*left),
            Some(ScalarInstruction::Lift { .. }) => FieldId::F127,
            Some(ScalarInstruction::Noise(entry)) => self.program.noise[*entry as usize].field,
            _ => self.program.field,
        }
    }

    /// A scalar that is a comparison, if there is one.
    fn decision(&mut self) -> Option<u32> {
        let is_decision = |scalar: &u32| {
            use ScalarInstruction::{Below, Equal};
            matches!(self.scalar_instruction(*scalar), Some(Below(_) | Equal(_)))
        };
        let decisions: Vec<u32> =
            self.scalars.iter().map(|(scalar, _)| *scalar).filter(is_decision).collect();
        let index = self.below(decisions.len().max(1) as u64);
        decisions.get(usize::try_from(index).unwrap()).copied()
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
        let comes_of = instruction.operands().iter().any(|value| self.is_decided[*value as usize]);
        self.is_decided.push(comes_of || matches!(instruction, RowInstruction::Everywhere(_)));
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
        match (self.below(12), truths) {
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
            (8, (Some(a), _)) if !self.is_decided[a as usize] => {
                self.push(RowInstruction::Number(a), Some(Interval::BIT));
            }
            (9, _) => {
                let width = left.max.checked_sub(&left.min).unwrap().bits();
                if width > 0 {
                    let place = u32::try_from(self.below(width.into())).unwrap();
                    self.push(RowInstruction::Bit(Bit { value: number, interval: left, place }), None);
                }
            }
            (10 | 11, _) => {
                if let Some(decision) = self.decision() {
                    self.push(RowInstruction::Everywhere(decision), None);
                }
            }
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
        let scalar = u32::try_from(self.program.reductions.len()).unwrap();
        self.program.reductions.push(reduction);
        self.scalars.push((scalar, interval));
    }

    fn scalar(&mut self) {
        let count = self.scalars.len() as u64;
        let pair = [self.below(count), self.below(count)];
        let [(left, a), (right, b)] = pair.map(|index| self.scalars[usize::try_from(index).unwrap()]);
        let same_field = self.field_of(left) == self.field_of(right);
        let half = self.field_of(left).half();
        let (instruction, interval) = match self.below(6) {
            0 if same_field => {
                let sum = a.checked_add(&b).unwrap();
                let terms =
                    [left, right].map(|scalar| ScalarTerm { scalar, factor: Coefficient::constant(1_u64) });
                let constant = Coefficient::default();
                (ScalarInstruction::Linear { constant, terms: terms.to_vec() }, sum)
            }
            1 if same_field => (ScalarInstruction::Multiply(left, right), a.checked_mul(&b).unwrap()),
            2 if self.field_of(left) == FieldId::F61 => {
                (ScalarInstruction::Lift { scalar: left, interval: a }, a)
            }
            3 if a.bound() < Integer::from(1_i64 << 60) => {
                (ScalarInstruction::Below(Bounded { value: left, interval: a, with: a.max }), Interval::BIT)
            }
            4 => (ScalarInstruction::Equal(Bounded { value: left, interval: a, with: a.min }), Interval::BIT),
            5 => self.noise(),
            _ => return,
        };
        if interval.bound() <= half {
            let scalar = self.planned + u32::try_from(self.program.scalar.len()).unwrap();
            self.program.scalar.push(instruction);
            self.scalars.push((scalar, interval));
        }
    }

    fn noise(&mut self) -> (ScalarInstruction, Interval) {
        let size = Quantity::from(Integer::from(1 + self.below(1_000)));
        let distribution = match self.below(2) {
            0 => Distribution::Gaussian { variance: size },
            _ => Distribution::Laplace { scale: size },
        };
        let bound = distribution.bound(7, 1).unwrap();
        let field = if self.below(2) == 0 { self.program.field } else { FieldId::F127 };
        let entry = u32::try_from(self.program.noise.len()).unwrap();
        self.program.noise.push(Noise {
            field,
            count: 1,
            distribution,
            sensitivity: Integer::ONE,
            bound,
            meaning: String::new(),
            rank: None,
        });
        (ScalarInstruction::Noise(entry), Interval::new(bound.checked_neg().unwrap(), bound))
    }

    fn outputs(&mut self) {
        for (scalar, interval) in &self.scalars {
            let (scalar, field) = (*scalar, self.program.scalar_field(*scalar));
            let output = Output { scalar, field, interval: *interval, meaning: String::new(), noise: None };
            self.program.outputs.push(output);
        }
    }
}
