//! Costs: what a run of a program takes, counted on the program.
//!
//! Products, conversions and lifts are counted as they stand. ANDs and rounds are estimates by the sizes of
//! `docs/protocols.md`, section 6: the bits of a number take four ANDs for each bit of the field, a comparison of `k`
//! bits fewer than `2k`, an equality `k`. What a plan may still choose is not in them.

use std::fmt;

use quorate_field::FieldId;
use serde::{Deserialize, Serialize};

use super::write_aligned;
use crate::interval::Interval;
use crate::program::{Program, Reduction, RowInstruction, ScalarInstruction};
use crate::study::{Bits, Study};

/// What a run costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// Rounds of messages between helpers that must follow each other, about.
    pub rounds: u64,
    /// How often the rows are gone over, each time with what came of the last.
    pub passes: u64,
    /// Products of shared numbers, for each row.
    pub row_products: u64,
    /// Truths that become numbers, for each row.
    pub row_conversions: u64,
    /// Conjunctions of shared bits, for each row, about.
    pub row_ands: u64,
    /// Sums of products over all rows: one element sent for each.
    pub dots: u64,
    /// Products of aggregates.
    pub products: u64,
    /// Aggregates that move to a larger field.
    pub lifts: u64,
    /// Comparisons of aggregates.
    pub comparisons: u64,
    /// Bytes of result shares that each helper sends to the analyst.
    pub bytes_to_analyst: u64,
}

impl Cost {
    /// Of a program that was lowered for `study`.
    pub(super) fn of(program: &Program, study: &Study) -> Cost {
        let mut cost = Cost { bytes_to_analyst: program.output_bytes(), ..Cost::default() };
        let (asked, passes) = (program.compared(), program.passes());
        let mut rounds = vec![0; program.row.len()];
        let mut scalar_rounds = vec![0; program.reductions.len() + program.scalar.len()];
        for pass in 0..passes.count() {
            // A pass begins when all of the one before is there.
            let begun = scalar_rounds.iter().copied().max().unwrap_or(0);
            let of_pass = |value: &u32| passes.of_row(*value) == pass;
            for (value, instruction) in (0..).zip(&program.row).filter(|(value, _)| of_pass(value)) {
                let after = instruction.operands().into_iter().map(|operand| rounds[operand as usize]).max();
                let has_bits =
                    study.bits == Bits::Sealed && matches!(instruction, RowInstruction::Input { .. });
                let made = if asked.contains(&value) && !has_bits { cost.bits(program.field) } else { 0 };
                let step = cost.row(program, study, instruction) + made;
                rounds[value as usize] = after.unwrap_or(0).max(begun) + step;
            }
            for (scalar, reduction) in program.reductions.iter().enumerate() {
                if passes.scalars()[scalar] == pass {
                    let read = reduction.operands().into_iter().map(|operand| rounds[operand as usize]).max();
                    scalar_rounds[scalar] = read.unwrap_or(0) + cost.reduction(study, reduction);
                }
            }
            for (scalar, instruction) in (program.reductions.len()..).zip(&program.scalar) {
                if passes.scalars()[scalar] == pass {
                    let operands = instruction.operands().into_iter();
                    let after = operands.map(|operand| scalar_rounds[operand as usize]).max();
                    scalar_rounds[scalar] = after.unwrap_or(0) + cost.scalar(program, instruction);
                }
            }
        }
        let outputs = program.outputs.iter().map(|output| scalar_rounds[output.scalar as usize]);
        cost.rounds = outputs.max().unwrap_or(0);
        cost.passes = passes.count().into();
        cost
    }

    /// Adds a reduction; its rounds.
    fn reduction(&mut self, study: &Study, reduction: &Reduction) -> u64 {
        match reduction {
            Reduction::Sum { .. } => 0,
            Reduction::Dot(..) => {
                self.dots += 1;
                1
            }
            Reduction::Count(_) => {
                self.row_conversions += 1;
                u64::from(study.sharing.threshold) + 1
            }
        }
    }

    /// Adds a row instruction; its rounds.
    fn row(&mut self, program: &Program, study: &Study, instruction: &RowInstruction) -> u64 {
        let inputs = |left: u32, right: u32| {
            let interval = |value: u32| match program.row[value as usize] {
                RowInstruction::Input { column } => study.columns[column as usize].domain.interval(),
                _ => Interval::BIT,
            };
            interval(left).hull(&interval(right))
        };
        match instruction {
            RowInstruction::Input { .. }
            | RowInstruction::Linear { .. }
            | RowInstruction::Xor(..)
            | RowInstruction::Not(_)
            | RowInstruction::Bit(_)
            | RowInstruction::Everywhere(_) => 0,
            RowInstruction::Multiply(..) => {
                self.row_products += 1;
                1
            }
            RowInstruction::Number(_) => {
                self.row_conversions += 1;
                u64::from(study.sharing.threshold) + 1
            }
            RowInstruction::And(..) => {
                self.row_ands += 1;
                1
            }
            RowInstruction::Below(bounded) => self.ordered(bounded.interval),
            RowInstruction::Equal(bounded) => self.equal(bounded.interval),
            RowInstruction::Less(left, right) => self.ordered(inputs(*left, *right)),
            RowInstruction::Same(left, right) => self.equal(inputs(*left, *right)),
        }
    }

    fn bits(&mut self, field: FieldId) -> u64 {
        let bits = u64::from(field.modulus().bits());
        self.row_ands += 4 * bits;
        bits_rounds(field)
    }

    fn ordered(&mut self, interval: Interval) -> u64 {
        self.row_ands += 2 * width(interval);
        levels(width(interval)) + 1
    }

    fn equal(&mut self, interval: Interval) -> u64 {
        self.row_ands += width(interval);
        levels(width(interval))
    }

    /// Adds a scalar instruction; its rounds.
    fn scalar(&mut self, program: &Program, instruction: &ScalarInstruction) -> u64 {
        match instruction {
            ScalarInstruction::Linear { .. } | ScalarInstruction::Noise(_) => 0,
            ScalarInstruction::Multiply(..) => {
                self.products += 1;
                1
            }
            ScalarInstruction::Lift { .. } => {
                self.lifts += 1;
                bits_rounds(FieldId::F61) + 1
            }
            ScalarInstruction::Below(bounded) | ScalarInstruction::Equal(bounded) => {
                self.comparisons += 1;
                bits_rounds(program.scalar_field(bounded.value)) + levels(width(bounded.interval)) + 2
            }
        }
    }
}

/// Opening a masked number and adding it up again bit by bit.
fn bits_rounds(field: FieldId) -> u64 {
    2 * levels(field.modulus().bits().into()) + 2
}

/// Bits of what is compared, less its minimum.
fn width(interval: Interval) -> u64 {
    interval.max.checked_sub(&interval.min).map_or(0, |width| width.bits()).max(1).into()
}

/// Levels of a tree over `leaves`.
fn levels(leaves: u64) -> u64 {
    leaves.max(1).next_power_of_two().trailing_zeros().into()
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\ncost:")?;
        let rows = [
            (self.row_products, "products of numbers", "for each row"),
            (self.row_conversions, "truths made numbers", "for each row"),
            (self.row_ands, "ANDs of bits, about", "for each row"),
            (self.dots, "sums of products", "one element sent for each, however many rows"),
            (self.products, "products of aggregates", "once"),
            (self.lifts, "lifts to F127", "once"),
            (self.comparisons, "comparisons of aggregates", "once"),
            (self.passes, "passes over the rows", "one after another, with what came of the last"),
            (self.rounds, "rounds between helpers, about", "one after another"),
            (self.bytes_to_analyst, "bytes of results", "from each helper to the analyst"),
        ];
        let counted = rows.into_iter().filter(|(count, ..)| *count > 0);
        let rows = counted.map(|(count, what, when)| [what.to_owned(), count.to_string(), when.to_owned()]);
        write_aligned(f, &rows.collect::<Vec<_>>())
    }
}
