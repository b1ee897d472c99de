//! Passes: how often the rows are gone over, and what is computed when.
//!
//! A row value may depend on a scalar ([`RowInstruction::Everywhere`]), which depends on reductions of earlier row
//! values. So the row values of pass 0 are computed, their reductions, and the scalars of those; then the row values of
//! pass 1, and so on: everything in the first pass in which what it reads is there.
//!
//! What a scalar *reaches* is the number of row values up to the last that it depends on. An instruction at row value `i` may
//! read scalars that reach at most `i`: that holds for every order in which values can be computed one after the other, and
//! is checked without following anything.

use super::{Program, RowInstruction};

/// The pass in which each value of a program is computed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passes {
    /// By row value.
    row: Vec<u32>,
    /// By scalar: the reductions, then what is computed of them.
    scalar: Vec<u32>,
    /// By row value: the last pass in which it is read; its own where none reads it.
    last_read: Vec<u32>,
}

impl Passes {
    /// How many there are: one at least.
    pub fn count(&self) -> u32 {
        self.row.iter().chain(&self.scalar).max().map_or(1, |last| last + 1)
    }

    /// The pass of a row value.
    pub fn of_row(&self, value: u32) -> u32 {
        self.row[value as usize]
    }

    /// The pass of every scalar.
    pub(crate) fn scalars(&self) -> &[u32] {
        &self.scalar
    }

    /// The pass of a scalar.
    pub fn of_scalar(&self, scalar: u32) -> u32 {
        self.scalar[scalar as usize]
    }

    /// Whether a row value is read in a later pass than that.
    pub fn is_read_after(&self, value: u32, pass: u32) -> bool {
        self.last_read[value as usize] > pass
    }
}

impl Program {
    /// The passes of its values.
    ///
    /// # Panics
    /// If an instruction refers to a later one: programs are lowered here or validated.
    pub fn passes(&self) -> Passes {
        let reach = self.reach();
        let mut scalars: Vec<usize> = (0..reach.len()).collect();
        // Stable: of those that reach equally far each stands behind what it reads.
        scalars.sort_by_key(|scalar| reach[*scalar]);
        let mut scalars = scalars.into_iter().peekable();
        let mut row: Vec<u32> = Vec::with_capacity(self.row.len());
        let mut scalar = vec![0; reach.len()];
        for value in 0..=self.row.len() {
            while let Some(next) = scalars.next_if(|scalar| reach[*scalar] <= value) {
                scalar[next] = self.scalar_pass(next, &row, &scalar);
            }
            row.extend(self.row.get(value).map(|instruction| match instruction {
                RowInstruction::Everywhere(decision) => scalar[*decision as usize] + 1,
                _ => latest(&instruction.operands(), &row),
            }));
        }
        let mut last_read = row.clone();
        let reading = (0..).zip(&self.row).map(|(value, instruction)| (row[value], instruction.operands()));
        for (pass, operands) in reading {
            for operand in operands {
                let last = &mut last_read[operand as usize];
                *last = pass.max(*last);
            }
        }
        Passes { row, scalar, last_read }
    }

    /// By scalar: how many row values there are up to the last that it depends on.
    pub(super) fn reach(&self) -> Vec<usize> {
        let mut reach: Vec<usize> = Vec::with_capacity(self.reductions.len() + self.scalar.len());
        let reductions = self.reductions.iter().map(|reduction| reduction.operands());
        reach.extend(reductions.map(|read| read.iter().map(|value| *value as usize + 1).max().unwrap_or(0)));
        for instruction in &self.scalar {
            reach.push(latest(&instruction.operands(), &reach));
        }
        reach
    }

    fn scalar_pass(&self, scalar: usize, row: &[u32], scalars: &[u32]) -> u32 {
        match scalar.checked_sub(self.reductions.len()) {
            None => latest(&self.reductions[scalar].operands(), row),
            Some(place) => latest(&self.scalar[place].operands(), scalars),
        }
    }
}

/// The greatest of what is noted of some operands.
fn latest<T: Copy + Ord + Default>(operands: &[u32], noted: &[T]) -> T {
    operands.iter().map(|operand| noted[*operand as usize]).max().unwrap_or_default()
}
