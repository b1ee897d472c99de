//! The interpreter of linear programs: column sums, then public linear combinations of them.
//!
//! Summing over rows commutes with every linear row program, so a run reads each column once, adds it up at memory
//! speed, and applies the row program to the sums (constants count once per row). No message is sent, but for noise. A share of a
//! public constant is the constant itself at every helper for Shamir (a polynomial of degree 0), and at one helper
//! only for additive sharing.
//!
//! Vectors are added up element by element, and revealed as they are, or with noise: their sums follow the outputs.
//!
//! Shapes: a column has one share per row and element, of the scheme's degree, row by row; the result has one share per
//! output of the program, then one per element of each of its vectors, of the same degree.

use std::collections::BTreeMap;

use quorate_circuit::{Coefficient, Program, Reduction, RowInstruction, ScalarInstruction, VectorSum};
use quorate_field::{Integer, NamedField};
use quorate_sharing::{HelperNumber, Scheme, SchemeKind, Shares};
use zeroize::Zeroize;

use crate::noise::NoiseShares;
use crate::verified::Verified;

/// One helper's evaluation of a linear program.
pub struct LinearRun<F: NamedField> {
    /// Sum so far of every column that the program reads.
    sums: BTreeMap<u32, F>,
    /// Sums so far of the elements of every column of vectors that it reads.
    vectors: BTreeMap<u32, Shares<F>>,
    adds_constants: bool,
}

impl<F: NamedField> LinearRun<F> {
    /// A run by `helper` that has read nothing yet.
    ///
    /// # Panics
    /// If the program is not linear.
    pub fn new(program: &Program, scheme: &Scheme, helper: HelperNumber) -> Self {
        assert!(program.is_linear(), "a linear program");
        let sums = program.columns_read().into_iter().map(|column| (column, F::ZERO)).collect();
        let zeros = |vector: &VectorSum| (vector.column, Shares::zeros(vector.length as usize));
        let vectors = program.vectors.iter().map(zeros).collect();
        let adds_constants = match scheme.kind() {
            SchemeKind::Shamir => true,
            SchemeKind::Additive => helper == 1,
        };
        LinearRun { sums, vectors, adds_constants }
    }

    /// Takes the sum of some rows' shares of one column that the program reads.
    pub fn add(&mut self, column: u32, rows_sum: F) {
        if let Some(sum) = self.sums.get_mut(&column) {
            *sum += rows_sum;
        }
    }

    /// Takes the sums of some rows' vectors in one column that the program sums, element by element.
    ///
    /// # Panics
    /// If the vectors are not as long as the program says.
    pub fn add_vectors(&mut self, column: u32, rows_sum: &Shares<F>) {
        if let Some(sums) = self.vectors.get_mut(&column) {
            F::add_slices(sums.as_mut_slice(), rows_sum.as_slice());
        }
    }

    /// This helper's share of every output and of every element of the vectors, once all of `rows` rows were taken, with its
    /// shares of the program's noise.
    ///
    /// # Panics
    /// If an instruction refers to a later one, or the noise is another program's: programs are lowered here or validated.
    pub fn finish(
        mut self,
        program: &Program,
        rows: u64,
        noise: Verified<NoiseShares<F>>,
    ) -> Verified<Shares<F>> {
        let noise = noise.release();
        let row_count = embed::<F>(&Integer::from(rows));
        let mut row_sums: Vec<F> = Vec::with_capacity(program.row.len());
        for instruction in &program.row {
            let value = match instruction {
                RowInstruction::Input { column } => self.sums[column],
                RowInstruction::Linear { constant, terms } => {
                    let constant = self.constant(embed::<F>(constant) * row_count);
                    let terms = terms.iter().map(|t| row_sums[t.value as usize] * embed::<F>(&t.factor));
                    constant + terms.sum::<F>()
                }
                _ => unreachable!("a linear program"),
            };
            row_sums.push(value);
        }
        let mut scalars: Vec<F> = Vec::with_capacity(program.reductions.len() + program.scalar.len());
        for reduction in &program.reductions {
            match reduction {
                Reduction::Sum { value } => scalars.push(row_sums[*value as usize]),
                _ => unreachable!("a linear program"),
            }
        }
        for instruction in &program.scalar {
            match instruction {
                ScalarInstruction::Linear { constant, terms } => {
                    let constant = self.constant(at::<F>(constant, rows));
                    let terms = terms.iter().map(|t| scalars[t.scalar as usize] * at::<F>(&t.factor, rows));
                    scalars.push(constant + terms.sum::<F>());
                }
                ScalarInstruction::Noise(entry) => scalars.push(noise.base(*entry).as_slice()[0]),
                _ => unreachable!("a linear program"),
            }
        }
        // Of the size that it will have: no copy of shares is left behind where it grew.
        let elements: usize = self.vectors.values().map(Shares::len).sum();
        let mut outputs: Vec<F> = Vec::with_capacity(program.outputs.len() + elements);
        outputs.extend(program.outputs.iter().map(|output| scalars[output.scalar as usize]));
        for vector in &program.vectors {
            let start = outputs.len();
            outputs.extend_from_slice(self.vectors[&vector.column].as_slice());
            if let Some(entry) = vector.noise {
                F::add_slices(&mut outputs[start..], noise.base(entry).as_slice());
            }
        }
        self.sums.values_mut().for_each(Zeroize::zeroize);
        row_sums.zeroize();
        scalars.zeroize();
        Verified::local(Shares::from_vec(outputs))
    }

    /// This helper's share of a public constant.
    fn constant(&self, value: F) -> F {
        if self.adds_constants { value } else { F::ZERO }
    }
}

/// A coefficient's value for `rows` rows, as a field element.
pub(crate) fn at<F: NamedField>(coefficient: &Coefficient, rows: u64) -> F {
    let rows = embed::<F>(&Integer::from(rows));
    coefficient.0.iter().rev().fold(F::ZERO, |sum, c| sum * rows + embed::<F>(c))
}

/// Any public integer modulo `p`.
pub(crate) fn embed<F: NamedField>(value: &Integer) -> F {
    let modulus = F::ID.modulus();
    let reduced = value.div_rem(&modulus).map_or(*value, |(_, remainder)| remainder);
    let centred = if reduced > F::ID.half() { reduced.checked_sub(&modulus) } else { Some(reduced) };
    #[expect(clippy::expect_used, reason = "a remainder modulo p, made nearest zero, is an element")]
    centred.and_then(|value| F::from_integer(&value)).expect("reduced modulo p")
}

#[cfg(test)]
mod tests {
    use quorate_circuit::{Interval, Output};
    use quorate_field::{F61, F127, F256, Field, FieldId};

    use super::*;

    #[test]
    fn public_integers_embed_modulo_p() {
        fn check<F: NamedField>() {
            let p = F::ID.modulus();
            for small in [-3_i64, -1, 0, 1, 5] {
                let small = Integer::from(small);
                let same = F::from_integer(&small).unwrap();
                assert_eq!(embed::<F>(&small), same);
                assert_eq!(embed::<F>(&small.checked_add(&p).unwrap()), same);
                assert_eq!(embed::<F>(&small.checked_sub(&p).unwrap()), same);
            }
            assert_eq!(embed::<F>(&F::ID.half()) + embed::<F>(&F::ID.half()) + F::ONE, F::ZERO);
        }
        check::<F61>();
        check::<F127>();
        check::<F256>();
    }

    #[test]
    fn sums_of_vectors_follow_the_outputs() {
        fn shares(numbers: impl IntoIterator<Item = u64>) -> Shares<F61> {
            Shares::from_vec(numbers.into_iter().map(F61::from_u64).collect())
        }
        let vector = |column, length| {
            let (interval, meaning) = (Interval::up_to(100_000), String::new());
            VectorSum { column, length, interval, meaning, noise: None }
        };
        let interval = Interval::up_to(900);
        let program = Program {
            format: Program::FORMAT,
            name: String::new(),
            field: FieldId::F61,
            columns: vec![1, 3, 1],
            rows_max: 100,
            row: vec![RowInstruction::Input { column: 0 }],
            reductions: vec![Reduction::Sum { value: 0 }],
            scalar: vec![],
            noise: vec![],
            loss: quorate_privacy::Loss::NONE,
            outputs: vec![Output {
                scalar: 0,
                field: FieldId::F61,
                interval,
                meaning: String::new(),
                noise: None,
            }],
            vectors: vec![vector(1, 3), vector(2, 1)],
            public: vec![],
            reveals: vec![],
        };
        program.validate().unwrap();
        let scheme = Scheme::shamir(3, 1).unwrap();
        let mut run = LinearRun::<F61>::new(&program, &scheme, 2);
        run.add(0, F61::from_u64(20));
        run.add(0, F61::from_u64(2));
        run.add_vectors(1, &shares([111, 222, 333]));
        run.add_vectors(2, &shares([10]));
        run.add_vectors(1, &shares([1000, 2000, 3000]));
        let found = run.finish(&program, 4, NoiseShares::none()).release();
        let expected = shares([22, 1111, 2222, 3333, 10]);
        assert_eq!(found.as_slice(), expected.as_slice());
    }
}
