//! Finishing: the values under construction to a program without what nothing reads.
//!
//! Only now is it known who else reads a value. A product that is only summed is a dot product, which costs the network
//! one element instead of one for each row; a truth that is only counted is counted as bits, and not converted.

use std::collections::{BTreeMap, BTreeSet};

use super::scalar::Scalar;
use crate::program::{Reduction, RowInstruction, ScalarInstruction};

/// The row program, the reductions and the scalar program, and where each scalar went.
pub(super) struct Finished {
    pub(super) row: Vec<RowInstruction>,
    pub(super) reductions: Vec<Reduction>,
    pub(super) scalar: Vec<ScalarInstruction>,
    pub(super) places: BTreeMap<u32, u32>,
}

/// What of `values` and `scalars` the scalars `wanted` need.
pub(super) fn finish(values: &[RowInstruction], scalars: &[Scalar], wanted: &[u32]) -> Finished {
    let needed = needed_scalars(scalars, wanted);
    let sums: Vec<(u32, u32)> = needed
        .iter()
        .filter_map(|scalar| match &scalars[*scalar as usize] {
            Scalar::Sum(value) => Some((*scalar, *value)),
            Scalar::Computed(_) => None,
        })
        .collect();
    let (row_places, reductions) = reduce(values, &sums);
    let row = row_places.keys().map(|value| {
        let mut instruction = values[*value as usize].clone();
        instruction.operands_mut().into_iter().for_each(|operand| *operand = row_places[operand]);
        instruction
    });
    let row = row.collect();
    let places = sums.iter().map(|(scalar, _)| scalar);
    let computed = needed.iter().filter(|scalar| matches!(scalars[**scalar as usize], Scalar::Computed(_)));
    let places: BTreeMap<u32, u32> = places.chain(computed).copied().zip(0..).collect();
    let scalar = needed.iter().filter_map(|scalar| match &scalars[*scalar as usize] {
        Scalar::Computed(instruction) => {
            let mut instruction = ScalarInstruction::clone(instruction);
            instruction.operands_mut().into_iter().for_each(|operand| *operand = places[operand]);
            Some(instruction)
        }
        Scalar::Sum(_) => None,
    });
    Finished { row, reductions, scalar: scalar.collect(), places }
}

/// In ascending order, so that each stands behind what it reads.
fn needed_scalars(scalars: &[Scalar], wanted: &[u32]) -> Vec<u32> {
    let mut is_needed = vec![false; scalars.len()];
    wanted.iter().for_each(|scalar| is_needed[*scalar as usize] = true);
    for scalar in (0..scalars.len()).rev() {
        if let (true, Scalar::Computed(instruction)) = (is_needed[scalar], &scalars[scalar]) {
            instruction.operands().into_iter().for_each(|operand| is_needed[operand as usize] = true);
        }
    }
    (0..).zip(&is_needed).filter(|(_, is_needed)| **is_needed).map(|(scalar, _)| scalar).collect()
}

/// The row values that are needed, with their new places, and a reduction for each of `sums`.
fn reduce(values: &[RowInstruction], sums: &[(u32, u32)]) -> (BTreeMap<u32, u32>, Vec<Reduction>) {
    let mut is_read = vec![false; values.len()];
    let is_summed: BTreeSet<usize> = sums.iter().map(|(_, value)| *value as usize).collect();
    // From the last value to the first, so that everything that reads a value was seen before it.
    for (value, instruction) in values.iter().enumerate().rev() {
        let is_reduced = is_summed.contains(&value);
        if is_read[value] || is_reduced {
            // A product or conversion that is only summed is left out; what it reads is needed all the same.
            is_read[value] |= !is_reduced || reduction(instruction).is_none();
            instruction.operands().into_iter().for_each(|operand| is_read[operand as usize] = true);
        }
    }
    let read = (0..).zip(&is_read).filter(|(_, is_read)| **is_read).map(|(value, _)| value);
    let places: BTreeMap<u32, u32> = read.zip(0..).collect();
    let reductions =
        sums.iter().map(|(_, value)| match (places.get(value), reduction(&values[*value as usize])) {
            (None, Some(Reduction::Dot(left, right))) => Reduction::Dot(places[&left], places[&right]),
            (None, Some(Reduction::Count(truth))) => Reduction::Count(places[&truth]),
            (place, _) => Reduction::Sum { value: place.copied().unwrap_or_default() },
        });
    let reductions = reductions.collect();
    (places, reductions)
}

/// The reduction that sums a row's number without there being one, if there is one.
fn reduction(instruction: &RowInstruction) -> Option<Reduction> {
    match instruction {
        RowInstruction::Multiply(left, right) => Some(Reduction::Dot(*left, *right)),
        RowInstruction::Number(truth) => Some(Reduction::Count(*truth)),
        _ => None,
    }
}
