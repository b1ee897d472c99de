//! Validation of programs from elsewhere: every index points backwards, every size is bounded, every output fits.
//!
//! A helper never runs a program that it did not lower itself; this is for whoever only has the program.

use std::collections::BTreeMap;

use quorate_field::{FieldId, Integer};

use super::{
    Bit, Bounded, Coefficient, Program, PublicInstruction, Reduction, Revealed, RowInstruction,
    ScalarInstruction,
};
use crate::column::ELEMENTS_MAX;
use crate::interval::Interval;
use crate::program::coefficient::DEGREE_MAX;
use crate::study::{COLUMNS_MAX, ROWS_TOTAL_MAX};

/// Most instructions in each part of a program, and most terms of each.
pub(crate) const INSTRUCTIONS_MAX: usize = 64 * 1024;

/// Why a program cannot be run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidProgram {
    /// Another version of the form.
    #[error("the program has format {found}: this version reads format {}", Program::FORMAT)]
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
    /// An output in another field than its scalar.
    #[error("output {output} is in {field}: its scalar is in another field")]
    Field {
        /// Which output.
        output: usize,
        /// Its field.
        field: FieldId,
    },
    /// A number where a truth is wanted, or the other way round.
    #[error("entry {entry} of the program's `{part}` refers to value {value}, which is of another kind")]
    Kind {
        /// Which part.
        part: &'static str,
        /// Which entry of it.
        entry: usize,
        /// What it refers to.
        value: u32,
    },
    /// A row value of a scalar that is no comparison, or that is not computed of earlier row values.
    #[error("entry {entry} of the program's `row` refers to scalar {scalar}, which is not decided before it")]
    Undecided {
        /// Which entry.
        entry: usize,
        /// What it refers to.
        scalar: u32,
    },
    /// A number made of a truth that depends on scalars.
    #[error("entry {entry} of the program's `row` makes a number of what scalars decide")]
    Decided {
        /// Which entry.
        entry: usize,
    },
    /// Scalars of two fields in one instruction, or one of another field than the instruction takes.
    #[error("entry {entry} of the program's `scalar` refers to scalar {scalar}, which is in another field")]
    Mixed {
        /// Which entry.
        entry: usize,
        /// What it refers to.
        scalar: u32,
    },
    /// A number that is compared or lifted and may leave its field, or whose answer is known before.
    #[error("entry {entry} of the program's `{part}` has an interval out of bounds")]
    Bounds {
        /// Which part.
        part: &'static str,
        /// Which entry of it.
        entry: usize,
    },
    /// A vector that is no sum of a column, or of one that is summed already; or one in a program that is not linear; or a
    /// number that is said to be a column of vectors.
    #[error("entry {entry} of the program's `{part}` makes no use of vectors that there is")]
    Vector {
        /// Which part.
        part: &'static str,
        /// Which entry of it.
        entry: usize,
    },
    /// Noise that its field does not hold, or that is not of as many numbers as what it is added to.
    #[error("entry {entry} of the program's `{part}` has noise that does not fit it")]
    Noise {
        /// Which part.
        part: &'static str,
        /// Which entry of it.
        entry: usize,
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
        if self.format != Program::FORMAT {
            return Err(InvalidProgram::Format { found: self.format });
        }
        self.validate_sizes()?;
        self.validate_noise()?;
        self.validate_row()?;
        self.validate_scalar()?;
        self.validate_decided()?;
        self.validate_outputs()?;
        self.validate_vectors()?;
        self.validate_public()
    }

    fn validate_sizes(&self) -> Result<(), InvalidProgram> {
        let terms = |instruction: &RowInstruction| match instruction {
            RowInstruction::Linear { terms, .. } => terms.len(),
            _ => 0,
        };
        let scalar_terms = |instruction: &ScalarInstruction| match instruction {
            ScalarInstruction::Linear { terms, .. } => terms.len(),
            _ => 0,
        };
        let cells = |reveal: &super::RevealedAs| reveal.result.numbers().len();
        let rows_max = usize::from(self.rows_max > ROWS_TOTAL_MAX);
        let widths = self.columns.iter().filter(|width| !(1..=ELEMENTS_MAX).contains(*width)).count();
        for (part, size, max) in [
            ("columns", self.columns.len(), COLUMNS_MAX),
            ("columns of no width", widths, 0),
            ("rows_max", rows_max, 0),
            ("row", self.row.len() + self.row.iter().map(terms).sum::<usize>(), INSTRUCTIONS_MAX),
            ("reductions", self.reductions.len(), INSTRUCTIONS_MAX),
            (
                "scalar",
                self.scalar.len() + self.scalar.iter().map(scalar_terms).sum::<usize>(),
                INSTRUCTIONS_MAX,
            ),
            ("noise", self.noise.len(), INSTRUCTIONS_MAX),
            ("outputs", self.outputs.len(), INSTRUCTIONS_MAX),
            ("vectors", self.vectors.len(), COLUMNS_MAX),
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
            let typed = |value: u32, kind: Kind| self.row_value("row", entry, value, entry, kind);
            match instruction {
                RowInstruction::Input { column } => {
                    index("row", entry, *column, self.columns.len())?;
                    if self.columns[*column as usize] != 1 {
                        return Err(InvalidProgram::Vector { part: "row", entry });
                    }
                }
                RowInstruction::Linear { constant, terms } => {
                    terms.iter().try_for_each(|term| typed(term.value, Kind::Number))?;
                    let mut factors = terms.iter().map(|term| &term.factor).chain([constant]);
                    if factors.any(|factor| factor.abs() > half) {
                        return Err(InvalidProgram::Coefficient { part: "row", entry });
                    }
                }
                RowInstruction::Multiply(left, right) => {
                    typed(*left, Kind::Number)?;
                    typed(*right, Kind::Number)?;
                }
                RowInstruction::Below(bounded) | RowInstruction::Equal(bounded) => {
                    typed(bounded.value, Kind::Number)?;
                    bounded.validate("row", entry, self.field)?;
                }
                RowInstruction::Less(left, right) | RowInstruction::Same(left, right) => {
                    typed(*left, Kind::Input)?;
                    typed(*right, Kind::Input)?;
                }
                RowInstruction::And(left, right) | RowInstruction::Xor(left, right) => {
                    typed(*left, Kind::Truth)?;
                    typed(*right, Kind::Truth)?;
                }
                RowInstruction::Not(truth) | RowInstruction::Number(truth) => typed(*truth, Kind::Truth)?,
                RowInstruction::Bit(bit) => {
                    typed(bit.value, Kind::Number)?;
                    bit.validate(entry, self.field)?;
                }
                RowInstruction::Everywhere(scalar) => {
                    index("row", entry, *scalar, self.reductions.len() + self.scalar.len())?;
                }
            }
        }
        for (entry, reduction) in self.reductions.iter().enumerate() {
            let typed =
                |value: u32, kind: Kind| self.row_value("reductions", entry, value, self.row.len(), kind);
            match reduction {
                Reduction::Sum { value } => typed(*value, Kind::Number)?,
                Reduction::Dot(left, right) => {
                    typed(*left, Kind::Number)?;
                    typed(*right, Kind::Number)?;
                }
                Reduction::Count(truth) => typed(*truth, Kind::Truth)?,
            }
        }
        Ok(())
    }

    /// Whether one of the first `available` row values is there and of a kind.
    fn row_value(
        &self,
        part: &'static str,
        entry: usize,
        value: u32,
        available: usize,
        kind: Kind,
    ) -> Result<(), InvalidProgram> {
        index(part, entry, value, available)?;
        let found = match self.row[value as usize] {
            RowInstruction::Input { .. } => Kind::Input,
            RowInstruction::Linear { .. } | RowInstruction::Multiply(..) | RowInstruction::Number(_) => {
                Kind::Number
            }
            _ => Kind::Truth,
        };
        if found == kind || (found, kind) == (Kind::Input, Kind::Number) {
            return Ok(());
        }
        Err(InvalidProgram::Kind { part, entry, value })
    }

    fn validate_scalar(&self) -> Result<(), InvalidProgram> {
        for (entry, instruction) in self.scalar.iter().enumerate() {
            let available = self.reductions.len() + entry;
            let in_field = |scalar: u32, field: FieldId| {
                index("scalar", entry, scalar, available)?;
                if self.scalar_field(scalar) == field {
                    return Ok(());
                }
                Err(InvalidProgram::Mixed { entry, scalar })
            };
            match instruction {
                ScalarInstruction::Linear { constant, terms } => {
                    terms.iter().try_for_each(|term| index("scalar", entry, term.scalar, available))?;
                    let field = terms.first().map_or(self.field, |term| self.scalar_field(term.scalar));
                    terms.iter().try_for_each(|term| in_field(term.scalar, field))?;
                    let mut factors = terms.iter().map(|term| &term.factor).chain([constant]);
                    if factors.any(|factor| !self.allows(factor, field)) {
                        return Err(InvalidProgram::Coefficient { part: "scalar", entry });
                    }
                }
                ScalarInstruction::Multiply(left, right) => {
                    index("scalar", entry, *left, available)?;
                    in_field(*right, self.scalar_field(*left))?;
                }
                ScalarInstruction::Lift { scalar, interval } => {
                    in_field(*scalar, FieldId::F61)?;
                    fits(interval, FieldId::F61, "scalar", entry)?;
                }
                ScalarInstruction::Below(bounded) | ScalarInstruction::Equal(bounded) => {
                    index("scalar", entry, bounded.value, available)?;
                    bounded.validate("scalar", entry, self.scalar_field(bounded.value))?;
                }
                ScalarInstruction::Noise(noise) => {
                    self.check_noise("scalar", entry, *noise, 1)?;
                }
            }
        }
        Ok(())
    }

    fn validate_noise(&self) -> Result<(), InvalidProgram> {
        for (entry, noise) in self.noise.iter().enumerate() {
            let is_field = [self.field, FieldId::F127].contains(&noise.field);
            let fits = noise.bound > Integer::ZERO && noise.bound <= noise.field.half();
            if !is_field || !fits || noise.count == 0 {
                return Err(InvalidProgram::Noise { part: "noise", entry });
            }
        }
        Ok(())
    }

    /// Whether an entry of noise is there, and of so many numbers.
    fn check_noise(
        &self,
        part: &'static str,
        entry: usize,
        noise: u32,
        count: u32,
    ) -> Result<(), InvalidProgram> {
        index(part, entry, noise, self.noise.len())?;
        let is_good = self.noise[noise as usize].count == count;
        if is_good { Ok(()) } else { Err(InvalidProgram::Noise { part, entry }) }
    }

    /// Whether row values read only scalars that are decided before, and numbers of rows do not come of them: what later
    /// passes compute of rows are truths. And whether all bits of a number are those of the same one.
    fn validate_decided(&self) -> Result<(), InvalidProgram> {
        let (reach, mut sliced) = (self.reach(), BTreeMap::new());
        let mut is_decided = vec![false; self.row.len()];
        for (entry, instruction) in self.row.iter().enumerate() {
            let comes_of = |value: &u32| is_decided[*value as usize];
            match instruction {
                RowInstruction::Everywhere(scalar) => {
                    let place = (*scalar as usize).checked_sub(self.reductions.len());
                    let instruction = place.map(|place| &self.scalar[place]);
                    let is_comparison = matches!(
                        instruction,
                        Some(ScalarInstruction::Below(_) | ScalarInstruction::Equal(_))
                    );
                    if !is_comparison || reach[*scalar as usize] > entry {
                        return Err(InvalidProgram::Undecided { entry, scalar: *scalar });
                    }
                    is_decided[entry] = true;
                }
                RowInstruction::Number(truth) if comes_of(truth) => {
                    return Err(InvalidProgram::Decided { entry });
                }
                RowInstruction::Bit(bit)
                    if sliced.entry(bit.value).or_insert(bit.interval) != &bit.interval =>
                {
                    return Err(InvalidProgram::Bounds { part: "row", entry });
                }
                _ => is_decided[entry] = instruction.operands().iter().any(comes_of),
            }
        }
        Ok(())
    }

    /// Whether a coefficient stays within the field, whatever the number of rows.
    fn allows(&self, coefficient: &Coefficient, field: FieldId) -> bool {
        coefficient.0.len() <= DEGREE_MAX + 1
            && coefficient.interval(self.rows_max).is_some_and(|interval| interval.bound() <= field.half())
    }

    fn validate_outputs(&self) -> Result<(), InvalidProgram> {
        let available = self.reductions.len() + self.scalar.len();
        for (entry, output) in self.outputs.iter().enumerate() {
            index("outputs", entry, output.scalar, available)?;
            if output.field != self.scalar_field(output.scalar) {
                return Err(InvalidProgram::Field { output: entry, field: output.field });
            }
            if output.interval.min > output.interval.max || output.interval.bound() > output.field.half() {
                return Err(InvalidProgram::Interval { output: entry, field: output.field });
            }
            if let Some(noise) = output.noise {
                self.check_noise("outputs", entry, noise, 1)?;
            }
        }
        Ok(())
    }

    fn validate_vectors(&self) -> Result<(), InvalidProgram> {
        for (entry, vector) in self.vectors.iter().enumerate() {
            index("vectors", entry, vector.column, self.columns.len())?;
            let is_repeated = self.vectors[..entry].iter().any(|other| other.column == vector.column);
            let has_length = self.columns[vector.column as usize] == vector.length;
            if !has_length || is_repeated || !self.is_linear() {
                return Err(InvalidProgram::Vector { part: "vectors", entry });
            }
            if vector.interval.min > vector.interval.max || vector.interval.bound() > self.field.half() {
                return Err(InvalidProgram::Bounds { part: "vectors", entry });
            }
            if let Some(noise) = vector.noise {
                self.check_noise("vectors", entry, noise, vector.length)?;
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
                PublicInstruction::Root(square) => index("public", entry, *square, entry)?,
                PublicInstruction::Output(output) => index("public", entry, *output, self.outputs.len())?,
                PublicInstruction::Add(a, b)
                | PublicInstruction::Multiply(a, b)
                | PublicInstruction::Divide(a, b) => {
                    index("public", entry, *a, entry)?;
                    index("public", entry, *b, entry)?;
                }
            }
        }
        self.reveals.iter().enumerate().try_for_each(|(entry, reveal)| {
            if let Revealed::Vector { vector, divisor } = &reveal.result {
                index("reveals", entry, *vector, self.vectors.len())?;
                let is_good = divisor.0.len() <= DEGREE_MAX + 1;
                return if is_good {
                    Ok(())
                } else {
                    Err(InvalidProgram::Coefficient { part: "reveals", entry })
                };
            }
            let mut numbers = reveal.result.numbers().into_iter();
            numbers.try_for_each(|number| index("reveals", entry, number, self.public.len()))
        })
    }
}

/// What a row value is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Input,
    Number,
    Truth,
}

impl Bounded {
    fn validate(&self, part: &'static str, entry: usize, field: FieldId) -> Result<(), InvalidProgram> {
        fits(&self.interval, field, part, entry)?;
        if self.interval.contains(&self.with) { Ok(()) } else { Err(InvalidProgram::Bounds { part, entry }) }
    }
}

impl Bit {
    fn validate(&self, entry: usize, field: FieldId) -> Result<(), InvalidProgram> {
        fits(&self.interval, field, "row", entry)?;
        let range = self.interval.max.checked_sub(&self.interval.min);
        if range.is_some_and(|range| self.place < range.bits()) {
            return Ok(());
        }
        Err(InvalidProgram::Bounds { part: "row", entry })
    }
}

fn fits(interval: &Interval, field: FieldId, part: &'static str, entry: usize) -> Result<(), InvalidProgram> {
    if interval.min <= interval.max && interval.bound() <= field.half() && field <= FieldId::F127 {
        return Ok(());
    }
    Err(InvalidProgram::Bounds { part, entry })
}

fn index(part: &'static str, entry: usize, index: u32, available: usize) -> Result<(), InvalidProgram> {
    if (index as usize) < available {
        return Ok(());
    }
    Err(InvalidProgram::Index { part, entry, index, available })
}
