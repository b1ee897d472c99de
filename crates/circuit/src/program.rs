//! Programs: checked circuits lowered to the engine's few operations.
//!
//! A program is flat and in single-assignment form. It has five parts:
//!
//! 1. `row`: the same for every row. Value `i` is what instruction `i` gives for that row: a number or a truth. It reads
//!    values before it, and scalars that are computed of values before it.
//! 2. `reductions`: over all rows that count. Scalars `0 .. reductions.len()`.
//! 3. `scalar`: on those and on each other, each reading only what came before. Scalar `reductions.len() + i` is what
//!    instruction `i` gives; a truth is the number 0 or 1.
//! 4. `outputs`: the scalars whose shares the analyst gets, and nothing else; `public`: what the analyst computes of
//!    them in the clear, with the public number of rows; `reveals`: which of that has which name.
//! 5. `noise`: what helpers draw, share and add up before anything is revealed, where results are private; `loss`: what that
//!    costs.
//! 6. `vectors`: the sums of vector columns, whose shares the analyst gets behind those of the outputs. A program that has
//!    any is linear.
//!
//! Everything in 1 to 3 is over the integers: every field element stands for the integer nearest zero, and the checker
//! proved that every output's integer fits the output's field, and every integer that is compared or lifted the field
//! that it is in. What is in between may wrap around, since all of it is sums and products. All integers are in units
//! of the columns' last places. Row values and reductions are in the columns' field; [`Program::scalar_field`] says
//! which field a scalar is in. Where row values read scalars, the rows are gone over more than once: see [`Passes`].
//!
//! Canonical form: its `serde_json` text, which [`Program::hash`] is of. The same circuit and study give the same bytes.

mod coefficient;
mod distribution;
mod fit;
mod operands;
mod outcome;
mod passes;
mod plan;
mod uncertainty;
mod validate;
mod vector;

pub use coefficient::Coefficient;
pub use distribution::margin_of_mean;
pub use fit::{ChiSquared, Fit, FittedCoefficient, Regression, Sample, Statistic, TTest};
pub(crate) use outcome::Number;
pub use outcome::{Outcome, Undefined};
pub use passes::Passes;
pub use plan::{Adder, Plan};
pub use uncertainty::{Margin, Parts, Uncertainty};
pub(crate) use uncertainty::{is_laplace, within};
pub(crate) use validate::INSTRUCTIONS_MAX;
pub use validate::InvalidProgram;
pub use vector::{Vector, VectorSum};

use quorate_field::{FieldId, Integer};
use quorate_hash::{Digest, Tagged};
use quorate_privacy::{Distribution, Loss};
use serde::{Deserialize, Serialize};

use crate::interval::Interval;
use quorate_field::quantity::Quantity;

/// A lowered circuit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Program {
    /// Version of this form: [`Program::FORMAT`].
    pub format: u32,
    /// The circuit's name.
    pub name: String,
    /// The field that the columns' shares are in.
    pub field: FieldId,
    /// The columns of the study, by their cells in a row: 1, or the length of a vector.
    pub columns: Vec<u32>,
    /// Most rows for which the intervals hold.
    pub rows_max: u64,
    /// The row program.
    pub row: Vec<RowInstruction>,
    /// The reductions over rows.
    pub reductions: Vec<Reduction>,
    /// The scalar program.
    pub scalar: Vec<ScalarInstruction>,
    /// What helpers draw, in this order.
    pub noise: Vec<Noise>,
    /// What a run costs every contributor at most, of what its study may cost.
    pub loss: Loss,
    /// What goes to the analyst.
    pub outputs: Vec<Output>,
    /// The sums of vectors that go to the analyst, no column twice.
    pub vectors: Vec<VectorSum>,
    /// What the analyst computes in the clear.
    pub public: Vec<PublicInstruction>,
    /// The results.
    pub reveals: Vec<RevealedAs>,
}

/// One value per row: a number, or a truth where it says so.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum RowInstruction {
    /// A column of the study, by position.
    Input {
        /// The column.
        column: u32,
    },
    /// `constant + sum of factor * value`.
    Linear {
        /// Added to every row.
        constant: Integer,
        /// Earlier values and their factors.
        terms: Vec<RowTerm>,
    },
    /// The product of two numbers.
    Multiply(u32, u32),
    /// The number 1 where a truth holds, else 0.
    Number(u32),
    /// Truth: whether a number is below a bound.
    Below(Bounded),
    /// Truth: whether a number is this one.
    Equal(Bounded),
    /// Truth: whether the first number is below the second. Both are inputs.
    Less(u32, u32),
    /// Truth: whether two numbers are the same. Both are inputs.
    Same(u32, u32),
    /// Truth: whether both hold.
    And(u32, u32),
    /// Truth: whether just one of them holds.
    Xor(u32, u32),
    /// Truth: whether it does not hold.
    Not(u32),
    /// Truth: whether a bit of a number is 1.
    Bit(Bit),
    /// Truth: whether a scalar that is a comparison holds, the same in every row.
    Everywhere(u32),
}

/// One bit of a number.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bit {
    /// The number: an earlier row value.
    pub value: u32,
    /// All that it can be: of an input the column's domain. The bits are those of the number less its least.
    pub interval: Interval,
    /// Which, counted from the lowest.
    pub place: u32,
}

/// A number beside a public one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bounded {
    /// The number: an earlier value or scalar.
    pub value: u32,
    /// All that it can be.
    pub interval: Interval,
    /// What it is compared with: within the interval, so that neither answer is known before.
    pub with: Integer,
}

/// A summand of a row's linear combination.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowTerm {
    /// An earlier row value.
    pub value: u32,
    /// Its factor.
    pub factor: Integer,
}

/// One value of all rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Reduction {
    /// The sum of a number.
    Sum {
        /// The row value.
        value: u32,
    },
    /// The sum of the products of two numbers.
    Dot(u32, u32),
    /// The number of rows where a truth holds.
    Count(u32),
}

/// One value.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ScalarInstruction {
    /// `constant + sum of factor * scalar`, where the coefficients may depend on the public number of rows.
    Linear {
        /// Added.
        constant: Coefficient,
        /// Earlier scalars and their factors, all in one field.
        terms: Vec<ScalarTerm>,
    },
    /// The product of two scalars in one field.
    Multiply(u32, u32),
    /// The same integer in the field of 2^127 - 1; it is in that of 2^61 - 1.
    Lift {
        /// The scalar.
        scalar: u32,
        /// All that it can be.
        interval: Interval,
    },
    /// 1 if a scalar is below a bound, else 0; in the columns' field.
    Below(Bounded),
    /// 1 if a scalar is this one, else 0; in the columns' field.
    Equal(Bounded),
    /// What all helpers drew for an entry of noise, by position, which is of one number: in the field of that.
    Noise(u32),
}

/// Numbers that nobody knows: each helper of the quorum draws a part of each, shares it, and the parts are added up.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Noise {
    /// The field that they are shared in.
    pub field: FieldId,
    /// How many: 1, or the length of a vector. They are independent.
    pub count: u32,
    /// What each is like.
    pub distribution: Distribution,
    /// By how much one contribution can move what it is added to, in its units; of a vector, the noise is for all of it.
    pub sensitivity: Integer,
    /// What each, all parts together, is taken to be within: it is not with a probability below 2^-60.
    pub bound: Integer,
    /// What it is added to, in the circuit's words.
    pub meaning: String,
    /// Of a comparison of an order statistic, what one row counts in it.
    pub rank: Option<Integer>,
}

/// A summand of a linear combination of scalars.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScalarTerm {
    /// An earlier scalar.
    pub scalar: u32,
    /// Its factor.
    pub factor: Coefficient,
}

/// A scalar whose shares go to the analyst.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Output {
    /// The scalar.
    pub scalar: u32,
    /// The field that its shares are in.
    pub field: FieldId,
    /// All it can be.
    pub interval: Interval,
    /// What it is, in the circuit's words.
    pub meaning: String,
    /// The noise that is in it, by position.
    pub noise: Option<u32>,
}

/// One number that the analyst computes of outputs, in the clear.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum PublicInstruction {
    /// A number.
    Constant(Quantity),
    /// A polynomial in the public number of rows.
    Rows(Coefficient),
    /// An output, by position.
    Output(u32),
    /// The sum of two earlier numbers.
    Add(u32, u32),
    /// Their product.
    Multiply(u32, u32),
    /// Their quotient; undefined where the second is zero.
    Divide(u32, u32),
    /// The square root of an earlier number: exact where it is rational, else the nearest double.
    Root(u32),
}

/// A result and its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RevealedAs {
    /// The name after `reveal`.
    pub name: String,
    /// What it is.
    pub result: Revealed,
}

/// What a result is: public numbers by position.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Revealed {
    /// A number.
    Number(u32),
    /// A truth value: the number is not zero.
    Truth(u32),
    /// A result that is of so few rows that it may be suppressed.
    Guarded {
        /// 1 where it is shown, 0 where it is suppressed: then all its outputs are 0.
        shown: u32,
        /// The result.
        result: Box<Revealed>,
    },
    /// One result for each group, in order.
    Table(Vec<(String, Revealed)>),
    /// A statistic that the analyst fits of several numbers.
    Fit {
        /// Which one.
        statistic: Statistic,
        /// The numbers that it takes.
        numbers: Vec<u32>,
    },
    /// A vector: the elements of a sum over one number.
    Vector {
        /// The sum, by position among the vectors.
        vector: u32,
        /// What its elements are divided by, given the number of rows; undefined where it is zero.
        divisor: Coefficient,
    },
}

impl Revealed {
    /// The public numbers that it is made of, one for each cell.
    pub(crate) fn numbers(&self) -> Vec<u32> {
        match self {
            Revealed::Number(number) | Revealed::Truth(number) => vec![*number],
            Revealed::Guarded { shown, result } => [*shown].into_iter().chain(result.numbers()).collect(),
            Revealed::Table(cells) => cells.iter().flat_map(|(_, cell)| cell.numbers()).collect(),
            Revealed::Fit { numbers, .. } => numbers.clone(),
            Revealed::Vector { .. } => vec![],
        }
    }
}

impl Program {
    /// The version of what programs mean.
    pub const FORMAT: u32 = 6;

    /// The hash of its canonical form.
    pub fn hash(&self) -> Digest {
        // A program holds no map with keys other than strings and no float: it always serialises.
        let text = serde_json::to_vec(self).unwrap_or_default();
        Tagged::new("quorate/1/program").bytes(&text).finish()
    }

    /// The row values whose bits are asked for, row by row: those that are compared above all.
    pub(crate) fn compared(&self) -> std::collections::BTreeSet<u32> {
        let compares = |instruction: &&RowInstruction| {
            use RowInstruction::{Below, Bit, Equal, Less, Same};
            matches!(instruction, Below(_) | Equal(_) | Less(..) | Same(..) | Bit(_))
        };
        self.row.iter().filter(compares).flat_map(RowInstruction::operands).collect()
    }

    /// Bytes of result shares that each helper sends the analyst.
    pub fn output_bytes(&self) -> u64 {
        let outputs: u64 = self.outputs.iter().map(|output| output.field.bytes() as u64).sum();
        outputs + self.elements() * self.field.bytes() as u64
    }

    /// Elements of all vectors together.
    pub fn elements(&self) -> u64 {
        self.vectors.iter().map(|vector| u64::from(vector.length)).sum()
    }

    /// Whether helpers evaluate it without a message, but for noise: sums and linear combinations only.
    pub fn is_linear(&self) -> bool {
        let is_linear_row =
            |i: &RowInstruction| matches!(i, RowInstruction::Input { .. } | RowInstruction::Linear { .. });
        self.row.iter().all(is_linear_row)
            && self.reductions.iter().all(|reduction| matches!(reduction, Reduction::Sum { .. }))
            && self
                .scalar
                .iter()
                .all(|i| matches!(i, ScalarInstruction::Linear { .. } | ScalarInstruction::Noise(_)))
    }

    /// The field that a scalar is in: a lifted one is in F127, and so is what is computed of it.
    ///
    /// # Panics
    /// If an instruction refers to a later one: programs are lowered here or validated.
    pub fn scalar_field(&self, scalar: u32) -> FieldId {
        let mut scalar = scalar as usize;
        while let Some(place) = scalar.checked_sub(self.reductions.len()) {
            scalar = match &self.scalar[place] {
                ScalarInstruction::Linear { terms, .. } if !terms.is_empty() => terms[0].scalar as usize,
                ScalarInstruction::Multiply(left, _) => *left as usize,
                ScalarInstruction::Lift { .. } => return FieldId::F127,
                ScalarInstruction::Noise(noise) => return self.noise[*noise as usize].field,
                _ => return self.field,
            };
        }
        self.field
    }

    /// The columns that the row program reads, in ascending order.
    pub fn columns_read(&self) -> Vec<u32> {
        let read = |instruction: &RowInstruction| match instruction {
            RowInstruction::Input { column } => Some(*column),
            _ => None,
        };
        let columns: std::collections::BTreeSet<u32> = self.row.iter().filter_map(read).collect();
        columns.into_iter().collect()
    }
}
