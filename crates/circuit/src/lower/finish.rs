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
    let needed = Needed::by(values, scalars, wanted);
    let sums: Vec<(u32, u32)> = needed
        .scalars
        .iter()
        .filter_map(|scalar| match &scalars[*scalar as usize] {
            Scalar::Sum(value) => Some((*scalar, *value)),
            Scalar::Computed(_) => None,
        })
        .collect();
    // In ascending order, so that each stands behind what it reads.
    let row_places: BTreeMap<u32, u32> = needed.values.iter().copied().zip(0..).collect();
    let computed = needed.scalars.iter().filter(|scalar| is_computed(&scalars[**scalar as usize]));
    let places = sums.iter().map(|(scalar, _)| scalar).chain(computed);
    let places: BTreeMap<u32, u32> = places.copied().zip(0..).collect();
    let row = needed.values.iter().map(|value| {
        let mut instruction = values[*value as usize].clone();
        instruction.operands_mut().into_iter().for_each(|operand| *operand = row_places[operand]);
        if let RowInstruction::Everywhere(scalar) = &mut instruction {
            *scalar = places[scalar];
        }
        instruction
    });
    let scalar = needed.scalars.iter().filter_map(|scalar| match &scalars[*scalar as usize] {
        Scalar::Computed(instruction) => {
            let mut instruction = ScalarInstruction::clone(instruction);
            instruction.operands_mut().into_iter().for_each(|operand| *operand = places[operand]);
            Some(instruction)
        }
        Scalar::Sum(_) => None,
    });
    let (row, scalar) = (row.collect(), scalar.collect());
    Finished { row, reductions: reductions(values, &row_places, &sums), scalar, places }
}

fn is_computed(scalar: &Scalar) -> bool {
    matches!(scalar, Scalar::Computed(_))
}

/// The row values and scalars that are needed.
#[derive(Default)]
struct Needed {
    values: BTreeSet<u32>,
    scalars: BTreeSet<u32>,
}

impl Needed {
    /// Those that `wanted` need. Row values need scalars as well as the other way round.
    fn by(values: &[RowInstruction], scalars: &[Scalar], wanted: &[u32]) -> Self {
        let mut needed = Needed::default();
        let (mut open_scalars, mut open_values) = (wanted.to_vec(), Vec::new());
        while let Some(scalar) = open_scalars.pop() {
            if !needed.scalars.insert(scalar) {
                continue;
            }
            match &scalars[scalar as usize] {
                Scalar::Computed(instruction) => open_scalars.extend(instruction.operands()),
                // A product or conversion that is only summed is left out; what it reads is needed all the same.
                Scalar::Sum(value) => match reduction(&values[*value as usize]) {
                    Some(reduction) => open_values.extend(reduction.operands()),
                    None => open_values.push(*value),
                },
            }
            while let Some(value) = open_values.pop() {
                if !needed.values.insert(value) {
                    continue;
                }
                let instruction = &values[value as usize];
                open_values.extend(instruction.operands());
                if let RowInstruction::Everywhere(decision) = instruction {
                    open_scalars.push(*decision);
                }
            }
        }
        needed
    }
}

/// A reduction for each of `sums`, of row values with new places.
fn reductions(values: &[RowInstruction], places: &BTreeMap<u32, u32>, sums: &[(u32, u32)]) -> Vec<Reduction> {
    let reduction = |(_, value): &(u32, u32)| match (places.get(value), reduction(&values[*value as usize])) {
        (None, Some(Reduction::Dot(left, right))) => Reduction::Dot(places[&left], places[&right]),
        (None, Some(Reduction::Count(truth))) => Reduction::Count(places[&truth]),
        (place, _) => Reduction::Sum { value: place.copied().unwrap_or_default() },
    };
    sums.iter().map(reduction).collect()
}

/// The reduction that sums a row's number without there being one, if there is one.
fn reduction(instruction: &RowInstruction) -> Option<Reduction> {
    match instruction {
        RowInstruction::Multiply(left, right) => Some(Reduction::Dot(*left, *right)),
        RowInstruction::Number(truth) => Some(Reduction::Count(*truth)),
        _ => None,
    }
}
