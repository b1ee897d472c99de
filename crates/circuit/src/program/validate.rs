//! Validation of programs from elsewhere: every index points backwards, every size is bounded, every output fits.
//!
//! A helper never runs a program that it did not lower itself; this is for whoever only has the program.

use quorate_field::FieldId;

use super::{
    Coefficient, Program, PublicInstruction, Reduction, Revealed, RowInstruction, ScalarInstruction,
};
use crate::program::coefficient::DEGREE_MAX;
use crate::study::{COLUMNS_MAX, ROWS_TOTAL_MAX};

/// Most instructions in each part of a program, and most terms of each.
pub(crate) const INSTRUCTIONS_MAX: usize = 64 * 1024;

/// Why a program cannot be run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidProgram {
    /// Another version of the form.
    #[error("the program has format {found}: this version reads format 1")]
    Format {
        /// What it says.
        found: u32,
    },
    /// A part is too large.
    #[error("the program's `{part}` has {size} entries: at most {max}")]
    Size {
        /// Which part.
        part: &'static str,
        /// How many.
        size: usize,
        /// How many there may be.
        max: usize,
    },
    /// An index that points to nothing, or forward.
    #[error("entry {entry} of the program's `{part}` refers to {index}: there are {available}")]
    Index {
        /// Which part.
        part: &'static str,
        /// Which entry of it.
        entry: usize,
        /// What it refers to.
        index: u32,
        /// How many there are for it to refer to.
        available: usize,
    },
    /// An output that its field does not hold.
    #[error("output {output} reaches beyond its field {field}")]
    Interval {
        /// Which output.
        output: usize,
        /// Its field.
        field: FieldId,
    },
    /// An output in a smaller field than the columns.
    #[error("output {output} is in {field}: the columns are in a larger field")]
    Field {
        /// Which output.
        output: usize,
        /// Its field.
        field: FieldId,
    },
    /// A coefficient that no valid program has: of too high a degree or beyond the field.
    #[error("entry {entry} of the program's `{part}` has a coefficient out of bounds")]
    Coefficient {
        /// Which part.
        part: &'static str,
        /// Which entry of it.
        entry: usize,
    },
}

impl Program {
    /// Checks everything that the interpreter relies on.
    ///
    /// # Errors
    /// The first thing that is wrong. Whoever sent the program is to blame.
    pub fn validate(&self) -> Result<(), InvalidProgram> {
        if self.format != 1 {
            return Err(InvalidProgram::Format { found: self.format });
        }
        self.validate_sizes()?;
        self.validate_row()?;
        self.validate_scalar()?;
        self.validate_outputs()?;
        self.validate_public()
    }

    fn validate_sizes(&self) -> Result<(), InvalidProgram> {
        let terms = |instruction: &RowInstruction| match instruction {
            RowInstruction::Linear { terms, .. } => terms.len(),
            RowInstruction::Input { .. } => 0,
        };
        let scalar_terms = |ScalarInstruction::Linear { terms, .. }: &ScalarInstruction| terms.len();
        let cells = |reveal: &super::RevealedAs| match &reveal.result {
            Revealed::Table(cells) => cells.len(),
            _ => 1,
        };
        let rows_max = usize::from(self.rows_max > ROWS_TOTAL_MAX);
        for (part, size, max) in [
            ("columns", self.columns as usize, COLUMNS_MAX),
            ("rows_max", rows_max, 0),
            ("row", self.row.len() + self.row.iter().map(terms).sum::<usize>(), INSTRUCTIONS_MAX),
            ("reductions", self.reductions.len(), INSTRUCTIONS_MAX),
            (
                "scalar",
                self.scalar.len() + self.scalar.iter().map(scalar_terms).sum::<usize>(),
                INSTRUCTIONS_MAX,
            ),
            ("outputs", self.outputs.len(), INSTRUCTIONS_MAX),
            ("public", self.public.len(), INSTRUCTIONS_MAX),
            ("reveals", self.reveals.iter().map(cells).sum(), INSTRUCTIONS_MAX),
        ] {
            if size > max {
                return Err(InvalidProgram::Size { part, size, max });
            }
        }
        Ok(())
    }

    fn validate_row(&self) -> Result<(), InvalidProgram> {
        let half = self.field.half();
        for (entry, instruction) in self.row.iter().enumerate() {
            match instruction {
                RowInstruction::Input { column } => index("row", entry, *column, self.columns as usize)?,
                RowInstruction::Linear { constant, terms } => {
                    terms.iter().try_for_each(|term| index("row", entry, term.value, entry))?;
                    let mut factors = terms.iter().map(|term| &term.factor).chain([constant]);
                    if factors.any(|factor| factor.abs() > half) {
                        return Err(InvalidProgram::Coefficient { part: "row", entry });
                    }
                }
            }
        }
        self.reductions.iter().enumerate().try_for_each(|(entry, Reduction::Sum { value })| {
            index("reductions", entry, *value, self.row.len())
        })
    }

    fn validate_scalar(&self) -> Result<(), InvalidProgram> {
        for (entry, ScalarInstruction::Linear { constant, terms }) in self.scalar.iter().enumerate() {
            let available = self.reductions.len() + entry;
            terms.iter().try_for_each(|term| index("scalar", entry, term.scalar, available))?;
            let mut factors = terms.iter().map(|term| &term.factor).chain([constant]);
            if factors.any(|factor| !self.allows(factor)) {
                return Err(InvalidProgram::Coefficient { part: "scalar", entry });
            }
        }
        Ok(())
    }

    /// Whether a coefficient stays within the field, whatever the number of rows.
    fn allows(&self, coefficient: &Coefficient) -> bool {
        coefficient.0.len() <= DEGREE_MAX + 1
            && coefficient
                .interval(self.rows_max)
                .is_some_and(|interval| interval.bound() <= self.field.half())
    }

    fn validate_outputs(&self) -> Result<(), InvalidProgram> {
        let available = self.reductions.len() + self.scalar.len();
        for (entry, output) in self.outputs.iter().enumerate() {
            index("outputs", entry, output.scalar, available)?;
            if output.field < self.field {
                return Err(InvalidProgram::Field { output: entry, field: output.field });
            }
            if output.interval.min > output.interval.max || output.interval.bound() > output.field.half() {
                return Err(InvalidProgram::Interval { output: entry, field: output.field });
            }
        }
        Ok(())
    }

    fn validate_public(&self) -> Result<(), InvalidProgram> {
        for (entry, instruction) in self.public.iter().enumerate() {
            match instruction {
                PublicInstruction::Constant(_) => {}
                PublicInstruction::Rows(polynomial) if polynomial.0.len() > DEGREE_MAX + 1 => {
                    return Err(InvalidProgram::Coefficient { part: "public", entry });
                }
                PublicInstruction::Rows(_) => {}
                PublicInstruction::Output(output) => index("public", entry, *output, self.outputs.len())?,
                PublicInstruction::Add(a, b)
                | PublicInstruction::Multiply(a, b)
                | PublicInstruction::Divide(a, b) => {
                    index("public", entry, *a, entry)?;
                    index("public", entry, *b, entry)?;
                }
            }
        }
        self.reveals.iter().enumerate().try_for_each(|(entry, reveal)| match &reveal.result {
            Revealed::Number(number) | Revealed::Truth(number) => {
                index("reveals", entry, *number, self.public.len())
            }
            Revealed::Table(cells) => {
                cells.iter().try_for_each(|(_, number)| index("reveals", entry, *number, self.public.len()))
            }
        })
    }
}

fn index(part: &'static str, entry: usize, index: u32, available: usize) -> Result<(), InvalidProgram> {
    if (index as usize) < available {
        return Ok(());
    }
    Err(InvalidProgram::Index { part, entry, index, available })
}
