//! The clear-text evaluator of programs: what every engine's result is compared with.
//!
//! Over the integers, pass by pass, with no field, no share and no network. [`oracle`] evaluates checked circuits instead, the whole
//! language, and is what the lowering is compared with.

mod direct;
mod disclosure;

pub use direct::oracle;

use quorate_field::Integer;

use crate::program::{
    Bit, Bounded, Output, Passes, Program, Reduction, RowInstruction, ScalarInstruction, VectorSum,
};

/// Why a table cannot be evaluated on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvaluateError {
    /// Another number of columns than the program's.
    #[error("the table has {found} columns: the program reads {expected}")]
    Columns {
        /// The table's.
        found: usize,
        /// The program's.
        expected: usize,
    },
    /// Columns of different lengths, or with a part of a vector.
    #[error("column {column} of the table has {found} rows: the first has {expected}")]
    Rows {
        /// The column.
        column: usize,
        /// Its rows.
        found: usize,
        /// The first column's.
        expected: usize,
    },
    /// More rows than the program's intervals hold for.
    #[error("the table has {found} rows: the program allows {max}")]
    TooManyRows {
        /// The table's.
        found: u64,
        /// The program's.
        max: u64,
    },
    /// A number beyond 512 bits, or an output outside its interval: values outside their domains.
    #[error("a value leaves its interval: the table holds values outside their columns' domains")]
    Interval {
        /// The output that does, if it is not one before all outputs.
        output: Option<usize>,
    },
}

impl Program {
    /// The same with these numbers for noise, in the order of [`Program::noise`], each as many as it says.
    ///
    /// # Errors
    /// As [`Program::evaluate`], and where the noise takes an output out of its interval.
    ///
    /// # Panics
    /// If there are not as many numbers.
    pub fn evaluate_with(
        &self,
        table: &[Vec<Integer>],
        noise: &[Integer],
    ) -> Result<Vec<Integer>, EvaluateError> {
        let mut rest = noise;
        let mut drawn = Vec::with_capacity(self.noise.len());
        for entry in &self.noise {
            let (of_entry, others) = rest.split_at(entry.count as usize);
            drawn.push(of_entry);
            rest = others;
        }
        self.evaluated(table, &drawn)
    }

    /// The outputs' integers, then those of the vectors' elements, for a table of encoded columns, all of one number of
    /// rows, in the study's order; a row of a column of vectors is as many cells.
    ///
    /// # Errors
    /// The table does not fit the program. The caller is to blame.
    pub fn evaluate(&self, table: &[Vec<Integer>]) -> Result<Vec<Integer>, EvaluateError> {
        self.evaluated(table, &[])
    }

    /// With what was drawn for each entry of noise; nothing is zero.
    fn evaluated(&self, table: &[Vec<Integer>], noise: &[&[Integer]]) -> Result<Vec<Integer>, EvaluateError> {
        let rows = self.table_rows(table)?;
        let beyond = EvaluateError::Interval { output: None };
        let passes = self.passes();
        let mut scalars = vec![Integer::ZERO; self.reductions.len() + self.scalar.len()];
        for pass in 0..passes.count() {
            self.reduce(table, rows, (&passes, pass), &mut scalars).ok_or(beyond)?;
            for (place, instruction) in (self.reductions.len()..).zip(&self.scalar) {
                if passes.scalars()[place] == pass {
                    scalars[place] =
                        self.scalar_value(instruction, &scalars, rows as u64, noise).ok_or(beyond)?;
                }
            }
        }
        let output = |(index, output): (usize, &Output)| {
            let value = Some(scalars[output.scalar as usize]).filter(|value| output.interval.contains(value));
            value.ok_or(EvaluateError::Interval { output: Some(index) })
        };
        let mut integers = self.outputs.iter().enumerate().map(output).collect::<Result<Vec<_>, _>>()?;
        let noise_of = |entry: u32| noise.get(entry as usize).copied();
        for vector in &self.vectors {
            let noise = vector.noise.and_then(noise_of).unwrap_or_default();
            integers.extend(vector.evaluate(&table[vector.column as usize], noise).ok_or(beyond)?);
        }
        Ok(integers)
    }

    fn table_rows(&self, table: &[Vec<Integer>]) -> Result<usize, EvaluateError> {
        if table.len() != self.columns.len() {
            return Err(EvaluateError::Columns { found: table.len(), expected: self.columns.len() });
        }
        let widths: Vec<usize> = self.columns.iter().map(|width| *width as usize).collect();
        let expected = table.first().map_or(0, |column| column.len() / widths[0]);
        for (column, (cells, width)) in table.iter().zip(widths).enumerate() {
            if cells.len() != expected * width {
                return Err(EvaluateError::Rows { column, found: cells.len() / width, expected });
            }
        }
        if expected as u64 > self.rows_max {
            return Err(EvaluateError::TooManyRows { found: expected as u64, max: self.rows_max });
        }
        Ok(expected)
    }

    fn scalar_value(
        &self,
        instruction: &ScalarInstruction,
        scalars: &[Integer],
        rows: u64,
        noise: &[&[Integer]],
    ) -> Option<Integer> {
        match instruction {
            ScalarInstruction::Noise(entry) => {
                Some(noise.get(*entry as usize).map_or(Integer::ZERO, |drawn| drawn[0]))
            }
            ScalarInstruction::Linear { constant, terms } => {
                terms.iter().try_fold(constant.at(rows)?, |sum, term| {
                    sum.checked_add(&scalars[term.scalar as usize].checked_mul(&term.factor.at(rows)?)?)
                })
            }
            ScalarInstruction::Multiply(left, right) => {
                scalars[*left as usize].checked_mul(&scalars[*right as usize])
            }
            ScalarInstruction::Lift { scalar, interval } => {
                Some(scalars[*scalar as usize]).filter(|value| interval.contains(value))
            }
            ScalarInstruction::Below(bounded) => bounded.of(scalars).map(|value| bit(value < bounded.with)),
            ScalarInstruction::Equal(bounded) => bounded.of(scalars).map(|value| bit(value == bounded.with)),
        }
    }

    /// The reductions of a pass over all rows. Row values of earlier passes are computed anew, so that nothing is kept.
    fn reduce(
        &self,
        table: &[Vec<Integer>],
        rows: usize,
        (passes, pass): (&Passes, u32),
        scalars: &mut [Integer],
    ) -> Option<()> {
        let mut values = Vec::with_capacity(self.row.len());
        (0..rows).try_for_each(|row| {
            values.clear();
            for (index, instruction) in (0..).zip(&self.row) {
                let is_there = passes.of_row(index) <= pass;
                let input = |column: u32| table[column as usize][row];
                let value = is_there.then(|| row_value(instruction, &values, scalars, input));
                values.push(value.unwrap_or(Some(Integer::ZERO))?);
            }
            for (scalar, reduction) in self.reductions.iter().enumerate() {
                if passes.scalars()[scalar] != pass {
                    continue;
                }
                let value = match reduction {
                    Reduction::Sum { value } | Reduction::Count(value) => values[*value as usize],
                    Reduction::Dot(left, right) => {
                        values[*left as usize].checked_mul(&values[*right as usize])?
                    }
                };
                scalars[scalar] = scalars[scalar].checked_add(&value)?;
            }
            Some(())
        })
    }
}

/// What one instruction gives for one row, given what those before it gave and the scalars of earlier passes.
fn row_value(
    instruction: &RowInstruction,
    values: &[Integer],
    scalars: &[Integer],
    input: impl Fn(u32) -> Integer,
) -> Option<Integer> {
    let value = |index: &u32| values[*index as usize];
    let holds = |index: &u32| value(index) == Integer::ONE;
    Some(match instruction {
        RowInstruction::Input { column } => input(*column),
        RowInstruction::Linear { constant, terms } => terms.iter().try_fold(*constant, |sum, term| {
            sum.checked_add(&term.factor.checked_mul(&value(&term.value))?)
        })?,
        RowInstruction::Multiply(left, right) => value(left).checked_mul(&value(right))?,
        RowInstruction::Number(truth) => value(truth),
        RowInstruction::Below(bounded) => bit(bounded.of(values)? < bounded.with),
        RowInstruction::Equal(bounded) => bit(bounded.of(values)? == bounded.with),
        RowInstruction::Less(left, right) => bit(value(left) < value(right)),
        RowInstruction::Same(left, right) => bit(value(left) == value(right)),
        RowInstruction::And(left, right) => bit(holds(left) && holds(right)),
        RowInstruction::Xor(left, right) => bit(holds(left) != holds(right)),
        RowInstruction::Not(truth) => bit(!holds(truth)),
        RowInstruction::Bit(bit) => bit.of(values)?,
        RowInstruction::Everywhere(scalar) => scalars[*scalar as usize],
    })
}

impl VectorSum {
    /// The elements' sums over a column's rows; `None` if one is out of its interval.
    fn evaluate(&self, cells: &[Integer], noise: &[Integer]) -> Option<Vec<Integer>> {
        let mut sums = noise.to_vec();
        sums.resize(self.length as usize, Integer::ZERO);
        for row in cells.chunks_exact(sums.len()) {
            for (sum, cell) in sums.iter_mut().zip(row) {
                *sum = sum.checked_add(cell)?;
            }
        }
        sums.iter().all(|sum| self.interval.contains(sum)).then_some(sums)
    }
}

impl Bounded {
    /// The number, if it is in its interval.
    fn of(&self, values: &[Integer]) -> Option<Integer> {
        Some(values[self.value as usize]).filter(|value| self.interval.contains(value))
    }
}

impl Bit {
    /// The bit, if the number is in its interval.
    fn of(&self, values: &[Integer]) -> Option<Integer> {
        let value = Some(values[self.value as usize]).filter(|value| self.interval.contains(value))?;
        let two = Integer::from(2_u64);
        let offset = value.checked_sub(&self.interval.min)?;
        let shifted = (0..self.place).try_fold(offset, |rest, _| Some(rest.div_rem(&two)?.0))?;
        Some(shifted.div_rem(&two)?.1)
    }
}

fn bit(truth: bool) -> Integer {
    if truth { Integer::ONE } else { Integer::ZERO }
}
