//! Programs: checked circuits lowered to the engine's few operations.
//!
//! A program is flat and in single-assignment form. It has four parts, each reading only what came before:
//!
//! 1. `row`: the same for every row. Value `i` is what instruction `i` gives for that row.
//! 2. `reductions`: over all rows that count. Scalars `0 .. reductions.len()`.
//! 3. `scalar`: on those. Scalar `reductions.len() + i` is what instruction `i` gives.
//! 4. `outputs`: the scalars whose shares the analyst gets, and nothing else; `public`: what the analyst computes of
//!    them in the clear, with the public number of rows; `reveals`: which of that has which name.
//!
//! Everything in 1 to 3 is over the integers: every field element stands for the integer nearest zero, and the checker
//! proved that every output's integer fits the output's field. What is in between may wrap around, since all of it is
//! linear. All integers are in units of the columns' last places.
//!
//! Canonical form: its `serde_json` text, which [`Program::hash`] is of. The same circuit and study give the same bytes.

mod coefficient;
mod outcome;
mod validate;

pub use coefficient::Coefficient;
pub(crate) use outcome::Number;
pub use outcome::{Outcome, Undefined};
pub use validate::InvalidProgram;

use quorate_field::{FieldId, Integer};
use quorate_hash::{Digest, Tagged};
use serde::{Deserialize, Serialize};

use crate::interval::Interval;
use crate::quantity::Quantity;

/// A lowered circuit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Program {
    /// Version of this form: 1.
    pub format: u32,
    /// The circuit's name.
    pub name: String,
    /// The field that the columns' shares are in.
    pub field: FieldId,
    /// Columns of the study.
    pub columns: u32,
    /// Most rows for which the intervals hold.
    pub rows_max: u64,
    /// The row program.
    pub row: Vec<RowInstruction>,
    /// The reductions over rows.
    pub reductions: Vec<Reduction>,
    /// The scalar program.
    pub scalar: Vec<ScalarInstruction>,
    /// What goes to the analyst.
    pub outputs: Vec<Output>,
    /// What the analyst computes in the clear.
    pub public: Vec<PublicInstruction>,
    /// The results.
    pub reveals: Vec<RevealedAs>,
}

/// One value per row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
}

/// A summand of a row's linear combination.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    /// The sum of a row value.
    Sum {
        /// The row value.
        value: u32,
    },
}

/// One value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ScalarInstruction {
    /// `constant + sum of factor * scalar`, where the coefficients may depend on the public number of rows.
    Linear {
        /// Added.
        constant: Coefficient,
        /// Earlier scalars and their factors.
        terms: Vec<ScalarTerm>,
    },
}

/// A summand of a linear combination of scalars.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
}

/// One number that the analyst computes of outputs, in the clear.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    /// One result for each label of a category, in its order.
    Table(Vec<(String, u32)>),
}

impl Program {
    /// The hash of its canonical form.
    pub fn hash(&self) -> Digest {
        // A program holds no map with keys other than strings and no float: it always serialises.
        let text = serde_json::to_vec(self).unwrap_or_default();
        Tagged::new("quorate/1/program").bytes(&text).finish()
    }

    /// Bytes of result shares that each helper sends the analyst.
    pub fn output_bytes(&self) -> u64 {
        self.outputs.iter().map(|output| output.field.bytes() as u64).sum()
    }

    /// The columns that the row program reads, in ascending order.
    pub fn columns_read(&self) -> Vec<u32> {
        let read = |instruction: &RowInstruction| match instruction {
            RowInstruction::Input { column } => Some(*column),
            RowInstruction::Linear { .. } => None,
        };
        let columns: std::collections::BTreeSet<u32> = self.row.iter().filter_map(read).collect();
        columns.into_iter().collect()
    }
}
