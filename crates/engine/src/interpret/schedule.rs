//! The order in which a row program's values are computed: as few rounds as its dependencies allow.
//!
//! ```text
//! phase:  convert numbers to bits, Boolean program -> truths to numbers -> products, level after level
//! ```
//!
//! A truth about a number of one phase belongs to the next; most programs have one phase. Where scalars are asked for in
//! row programs there are several passes over the rows, each with phases of its own; those after the first compute truths alone, and
//! have one. Truths that later passes read are carried from pass to pass.

use std::collections::{BTreeMap, BTreeSet};

use quorate_circuit::{Bit, Bits, Column, Passes, Program, Reduction, RowInstruction, Study};
use quorate_field::Integer;

/// What the bits of a column stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ColumnBits {
    /// The least value of the column, in its units.
    pub min: Integer,
    /// The greatest.
    pub max: Integer,
    /// Whether sealing made them: else a run converts the column.
    pub are_sealed: bool,
    /// The column that is 1 where this one has a value and 0 where it is blank, by its position. A blank holds the least
    /// value, which sealing checks.
    pub presence: Option<u32>,
}

impl ColumnBits {
    /// Bits of `max - min`.
    pub fn width(&self) -> u32 {
        width(&self.min, &self.max)
    }

    /// `max - min`, of less than 2^63.
    pub(super) fn range(&self) -> u64 {
        let range = self.max.checked_sub(&self.min).and_then(|range| range.to_i128());
        range.and_then(|range| u64::try_from(range).ok()).unwrap_or(u64::MAX)
    }
}

/// What the bits of each column of a study stand for.
pub fn column_bits(study: &Study) -> Vec<ColumnBits> {
    let are_sealed = study.bits == Bits::Sealed;
    let bits = |(presence, column): (u32, &Column)| {
        let interval = column.domain.interval();
        let presence = column.is_optional().then_some(presence);
        ColumnBits { min: interval.min, max: interval.max, are_sealed, presence }
    };
    // The presence of a column stands behind it.
    (1..).zip(&study.columns).map(bits).collect()
}

/// Bits of the greatest less the least.
pub(super) fn width(min: &Integer, max: &Integer) -> u32 {
    max.checked_sub(min).and_then(|range| range.to_i128()).map_or(127, |range| 128 - range.leading_zeros())
}

/// The passes and phases of a row program.
#[derive(Debug)]
pub struct Schedule {
    pub(super) passes: Vec<Pass>,
    /// Columns whose values are read.
    pub(super) columns: Vec<u32>,
    /// Columns whose sealed bits are read.
    pub(super) bit_columns: Vec<u32>,
}

/// What is computed while the rows are gone over once.
#[derive(Debug, Default)]
pub(super) struct Pass {
    pub(super) phases: Vec<Phase>,
    /// Truths of this pass and of earlier ones that later ones read.
    pub(super) carried: BTreeSet<u32>,
}

/// What is computed together.
#[derive(Debug, Default)]
pub(super) struct Phase {
    /// Numbers whose bits are needed: row values and what each can be, in the order of the program.
    pub(super) converted: BTreeMap<u32, (Integer, Integer)>,
    /// Columns whose sealed bits are needed.
    pub(super) sealed: BTreeSet<u32>,
    /// Truths of earlier phases and passes that are needed.
    pub(super) earlier: BTreeSet<u32>,
    /// Truths that scalars of earlier passes are, with the scalars.
    pub(super) decided: BTreeMap<u32, u32>,
    /// The truths that are computed.
    pub(super) truths: Vec<u32>,
    /// Those of them that are needed outside the Boolean program.
    pub(super) kept: BTreeSet<u32>,
    /// The truths that become numbers.
    pub(super) numbers: BTreeSet<u32>,
    /// The truths of which the number of rows is asked, and that do not become numbers.
    pub(super) counted: BTreeSet<u32>,
    /// Products, level by level.
    pub(super) products: Vec<Vec<u32>>,
}

impl Schedule {
    /// The schedule of a program on columns with these bits.
    pub fn new(program: &Program, columns: &[ColumnBits]) -> Self {
        let passes = program.passes();
        let values = program.row.len();
        let mut builder =
            Builder { program, columns, phase: vec![0; values], level: vec![0; values], phases: Vec::new() };
        let passes: Vec<Pass> = (0..passes.count()).map(|pass| builder.pass(&passes, pass)).collect();
        let phases = || passes.iter().flat_map(|pass| &pass.phases);
        let bit_columns: BTreeSet<u32> = phases().flat_map(|phase| phase.sealed.iter().copied()).collect();
        Schedule {
            columns: columns_of_values(program, phases()),
            bit_columns: bit_columns.into_iter().collect(),
            passes,
        }
    }

    /// How often the rows are gone over.
    pub fn passes(&self) -> usize {
        self.passes.len()
    }

    /// The most numbers of a row that are converted to bits at the same time.
    pub fn conversions(&self) -> usize {
        let phases = self.passes.iter().flat_map(|pass| &pass.phases);
        phases.map(|phase| phase.converted.len()).max().unwrap_or(0)
    }

    /// The most truths of a row that are carried from one pass to the next.
    pub fn carried(&self) -> usize {
        self.passes.iter().map(|pass| pass.carried.len()).max().unwrap_or(0)
    }

    /// Columns whose values a run reads, ascending.
    pub fn columns(&self) -> &[u32] {
        &self.columns
    }

    /// Columns whose sealed bits a run reads, ascending.
    pub fn bit_columns(&self) -> &[u32] {
        &self.bit_columns
    }
}

/// Inputs that are multiplied, added up or converted; those of which only sealed bits are read are not.
fn columns_of_values<'a>(program: &Program, phases: impl Iterator<Item = &'a Phase>) -> Vec<u32> {
    let mut values: BTreeSet<u32> = phases.flat_map(|phase| phase.converted.keys().copied()).collect();
    for instruction in &program.row {
        match instruction {
            RowInstruction::Linear { terms, .. } => values.extend(terms.iter().map(|term| term.value)),
            RowInstruction::Multiply(left, right) => values.extend([*left, *right]),
            _ => {}
        }
    }
    for reduction in &program.reductions {
        match reduction {
            Reduction::Sum { value } => values.extend([*value]),
            Reduction::Dot(left, right) => values.extend([*left, *right]),
            Reduction::Count(_) => {}
        }
    }
    let column = |value: &u32| match program.row[*value as usize] {
        RowInstruction::Input { column } => Some(column),
        _ => None,
    };
    let columns: BTreeSet<u32> = values.iter().filter_map(column).collect();
    columns.into_iter().collect()
}

struct Builder<'a> {
    program: &'a Program,
    columns: &'a [ColumnBits],
    /// By row value: the phase of this pass that gives it, counted from 1; 0 where it is there before.
    phase: Vec<usize>,
    /// By row value: the level of products that gives it; 0 where it is there before any.
    level: Vec<usize>,
    phases: Vec<Phase>,
}

impl Builder<'_> {
    /// Takes up what a pass computes.
    fn pass(&mut self, passes: &Passes, pass: u32) -> Pass {
        let program = self.program;
        let values = || (0_u32..).zip(&program.row).filter(|(value, _)| passes.of_row(*value) == pass);
        values().for_each(|(index, instruction)| self.place(index, instruction));
        for (scalar, reduction) in (0..).zip(&program.reductions) {
            if let (Reduction::Count(truth), true) = (reduction, passes.of_scalar(scalar) == pass) {
                self.count(*truth);
            }
        }
        let is_carried = |value: &u32| {
            let is_there = passes.of_row(*value) <= pass && passes.is_read_after(*value, pass);
            is_there && is_truth(&program.row[*value as usize])
        };
        let carried: BTreeSet<u32> = (0..).take(program.row.len()).filter(is_carried).collect();
        for (value, _) in values() {
            let phase = std::mem::take(&mut self.phase[value as usize]);
            if carried.contains(&value) {
                self.phase_mut(phase).kept.insert(value);
            }
        }
        let mut phases = std::mem::take(&mut self.phases);
        phases.retain(|phase| {
            phase.has_bits()
                || !phase.numbers.is_empty()
                || !phase.counted.is_empty()
                || !phase.products.is_empty()
        });
        Pass { phases, carried }
    }

    fn place(&mut self, index: u32, instruction: &RowInstruction) {
        let (mut phase, mut level) = (0, 0);
        match instruction {
            RowInstruction::Input { .. } => {}
            RowInstruction::Linear { terms, .. } => {
                phase = terms.iter().map(|term| self.phase[term.value as usize]).max().unwrap_or(0);
                let here = terms.iter().filter(|term| self.phase[term.value as usize] == phase);
                level = here.map(|term| self.level[term.value as usize]).max().unwrap_or(0);
            }
            RowInstruction::Multiply(left, right) => {
                let factors = [*left as usize, *right as usize];
                phase = factors.map(|factor| self.phase[factor]).into_iter().max().unwrap_or(0).max(1);
                let here = factors.into_iter().filter(|factor| self.phase[*factor] == phase);
                level = here.map(|factor| self.level[factor]).max().unwrap_or(0) + 1;
                let products = &mut self.phase_mut(phase).products;
                products.resize_with(products.len().max(level), Vec::new);
                products[level - 1].push(index);
            }
            RowInstruction::Number(truth) => {
                self.number(*truth);
                phase = self.phase[*truth as usize];
            }
            RowInstruction::Below(bounded) | RowInstruction::Equal(bounded) => {
                let limits = (bounded.interval.min, bounded.interval.max);
                phase = self.bits_phase(bounded.value);
                self.need_bits(bounded.value, phase, limits);
            }
            RowInstruction::Less(left, right) | RowInstruction::Same(left, right) => {
                phase = 1;
                for value in [*left, *right] {
                    if let RowInstruction::Input { column } = self.program.row[value as usize] {
                        let bits = &self.columns[column as usize];
                        self.need_bits(value, phase, (bits.min, bits.max));
                    }
                }
            }
            RowInstruction::And(left, right) | RowInstruction::Xor(left, right) => {
                phase = self.phase[*left as usize].max(self.phase[*right as usize]);
                self.need_truths(&[*left, *right], phase);
            }
            RowInstruction::Not(truth) => {
                phase = self.phase[*truth as usize];
                self.need_truths(&[*truth], phase);
            }
            RowInstruction::Bit(Bit { value, interval, .. }) => {
                phase = self.bits_phase(*value);
                let limits = (interval.min, interval.max);
                self.need_bits(*value, phase, limits);
                // The bits are of the number less this least, whatever it is compared with.
                self.phase_mut(phase).converted.entry(*value).and_modify(|of| *of = limits);
            }
            RowInstruction::Everywhere(scalar) => {
                phase = 1;
                self.phase_mut(phase).decided.insert(index, *scalar);
            }
        }
        if is_truth(instruction) && !matches!(instruction, RowInstruction::Everywhere(_)) {
            self.phase_mut(phase).truths.push(index);
        }
        self.phase[index as usize] = phase;
        self.level[index as usize] = level;
    }

    /// The phase in which the bits of a number can be had.
    fn bits_phase(&self, value: u32) -> usize {
        self.phase[value as usize] + 1
    }

    fn need_bits(&mut self, value: u32, phase: usize, (min, max): (Integer, Integer)) {
        match self.program.row[value as usize] {
            RowInstruction::Input { column } if self.columns[column as usize].are_sealed => {
                self.phase_mut(phase).sealed.insert(column);
            }
            RowInstruction::Input { column } => {
                let bits = self.columns[column as usize];
                self.phase_mut(phase).converted.insert(value, (bits.min, bits.max));
            }
            _ => {
                self.phase_mut(phase).converted.entry(value).or_insert((min, max));
            }
        }
    }

    /// Notes the truths of earlier phases and passes that a truth of this phase needs.
    fn need_truths(&mut self, truths: &[u32], phase: usize) {
        for &truth in truths {
            let from = self.phase[truth as usize];
            if from < phase {
                self.phase_mut(phase).earlier.insert(truth);
                if from > 0 {
                    self.phase_mut(from).kept.insert(truth);
                }
            }
        }
    }

    /// Notes that a truth becomes a number.
    fn number(&mut self, truth: u32) {
        let phase = self.phase[truth as usize];
        let phase = self.phase_mut(phase);
        phase.kept.insert(truth);
        phase.numbers.insert(truth);
    }

    /// Notes that the rows where a truth holds are counted.
    fn count(&mut self, truth: u32) {
        let phase = self.phase[truth as usize];
        let phase = self.phase_mut(phase);
        phase.kept.insert(truth);
        if !phase.numbers.contains(&truth) {
            phase.counted.insert(truth);
        }
    }

    fn phase_mut(&mut self, phase: usize) -> &mut Phase {
        self.phases.resize_with(self.phases.len().max(phase), Phase::default);
        &mut self.phases[phase - 1]
    }
}

impl Phase {
    /// Whether it has a Boolean program.
    pub(super) fn has_bits(&self) -> bool {
        !self.truths.is_empty() || !self.decided.is_empty()
    }
}

fn is_truth(instruction: &RowInstruction) -> bool {
    !matches!(
        instruction,
        RowInstruction::Input { .. }
            | RowInstruction::Linear { .. }
            | RowInstruction::Multiply(..)
            | RowInstruction::Number(_)
    )
}
