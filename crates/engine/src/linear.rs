//! The interpreter of linear programs: column sums, then public linear combinations of them.
//!
//! Summing over rows commutes with every linear row program, so a run reads each column once, adds it up at memory
//! speed, and applies the row program to the sums (constants count once per row). No message is sent. A share of a
//! public constant is the constant itself at every helper for Shamir (a polynomial of degree 0), and at one helper
//! only for additive sharing.
//!
//! Shapes: a column has one share per row, of the scheme's degree; the result has one share per output of the
//! program, of the same degree.

use std::collections::BTreeMap;

use quorate_circuit::{Coefficient, Program, Reduction, RowInstruction, ScalarInstruction};
use quorate_field::{Integer, NamedField};
use quorate_sharing::{HelperNumber, Scheme, SchemeKind, Shares};
use zeroize::Zeroize;

use crate::verified::Verified;

/// One helper's evaluation of a linear program.
pub struct LinearRun<F: NamedField> {
    /// Sum so far of every column that the program reads.
    sums: BTreeMap<u32, F>,
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
        let adds_constants = match scheme.kind() {
            SchemeKind::Shamir => true,
            SchemeKind::Additive => helper == 1,
        };
        LinearRun { sums, adds_constants }
    }

    /// Takes the sum of some rows' shares of one column that the program reads.
    pub fn add(&mut self, column: u32, rows_sum: F) {
        if let Some(sum) = self.sums.get_mut(&column) {
            *sum += rows_sum;
        }
    }

    /// This helper's share of every output, once all of `rows` rows were taken.
    ///
    /// # Panics
    /// If an instruction refers to a later one: programs are lowered here or validated.
    pub fn finish(mut self, program: &Program, rows: u64) -> Verified<Shares<F>> {
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
                _ => unreachable!("a linear program"),
            }
        }
        let outputs = program.outputs.iter().map(|output| scalars[output.scalar as usize]).collect();
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
    use quorate_field::{F61, F127, F256};

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
}
