//! Waves and batches: when scalars are computed, and which of them go the same way to others side by side.
//!
//! Lifts of one range are a batch, and so are scalars of one range of which the same questions are asked. They share what a
//! gadget costs, and all questions about a scalar share its bits.

use std::collections::BTreeMap;

use quorate_circuit::{Bounded, Passes, Program, Reduction, ScalarInstruction};
use quorate_field::Integer;

use super::reference::{is_below, is_equal};
use crate::boolean::sum::{Number, Shape};
use crate::boolean::{Bit, Draft};

/// Scalars that go the same way in the same wave.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) kind: Kind,
    /// What they are asked, in order.
    pub(super) questions: Vec<Question>,
    /// The scalars, a row each.
    pub(super) scalars: Vec<u32>,
    /// By row, the scalars that are computed: an answer to each question, or the lifted one.
    pub(super) results: Vec<Vec<u32>>,
}

/// What scalars of a batch have in common, but for the questions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Kind {
    pub(super) pass: u32,
    pub(super) wave: usize,
    /// Whether they are lifted; else they are asked something.
    pub(super) is_lift: bool,
    /// Whether they are above the columns' field.
    pub(super) is_wide: bool,
    /// The least and the greatest that they can be.
    pub(super) min: Integer,
    pub(super) max: Integer,
}

/// What is asked of a scalar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Question {
    /// Whether it is below a number.
    Below(Integer),
    /// Whether it is a number.
    Equal(Integer),
}

/// By scalar: the wave of its pass that gives it, counted from 1; 0 where it is there before.
///
/// Products come as soon as they can. Batches take many rounds, so they wait for all products that can come before them: there are
/// no more waves with batches than comparisons and lifts must follow each other.
pub(super) fn waves(program: &Program, passes: &Passes) -> Vec<usize> {
    // By scalar: after how many batches of its pass, and then products.
    let reductions = program.reductions.iter().map(|reduction| (0, usize::from(is_product(reduction))));
    let mut places: Vec<(usize, usize)> = reductions.collect();
    for instruction in &program.scalar {
        let pass = scalar_pass(passes, places.len());
        let operands = instruction.operands().into_iter();
        let of_pass = operands.filter(|operand| passes.of_scalar(*operand) == pass);
        let (batches, products) = of_pass.map(|operand| places[operand as usize]).max().unwrap_or_default();
        places.push(match instruction {
            ScalarInstruction::Linear { .. } | ScalarInstruction::Noise(_) => (batches, products),
            ScalarInstruction::Multiply(..) => (batches, products + 1),
            ScalarInstruction::Lift { .. } | ScalarInstruction::Below(_) | ScalarInstruction::Equal(_) => {
                (batches + 1, 0)
            }
        });
    }
    let mut most: BTreeMap<(u32, usize), usize> = BTreeMap::new();
    for (scalar, (batches, products)) in places.iter().enumerate() {
        let most = most.entry((scalar_pass(passes, scalar), *batches)).or_default();
        *most = (*products).max(*most);
    }
    let wave = |(scalar, (batches, products)): (usize, &(usize, usize))| {
        let pass = scalar_pass(passes, scalar);
        let before = most.range((pass, 0)..(pass, *batches)).map(|(_, most)| most + 1);
        before.sum::<usize>() + products
    };
    places.iter().enumerate().map(wave).collect()
}

/// Whether a reduction gives a share of degree `2t`, to be made one of degree `t`.
pub(super) fn is_product(reduction: &Reduction) -> bool {
    matches!(reduction, Reduction::Dot(..) | Reduction::Count(_))
}

fn scalar_pass(passes: &Passes, scalar: usize) -> u32 {
    passes.of_scalar(u32::try_from(scalar).unwrap_or(u32::MAX))
}

/// All batches of a program, of which `waves` gives each scalar's wave; in an order that is the same for all workers.
pub(super) fn batches(program: &Program, passes: &Passes, waves: &[usize]) -> Vec<Batch> {
    let mut batches: BTreeMap<(Kind, Vec<Question>), Batch> = BTreeMap::new();
    let mut put = |kind: Kind, questions: Vec<Question>, scalar: u32, results: Vec<u32>| {
        let empty = Batch { kind, questions: questions.clone(), scalars: vec![], results: vec![] };
        let batch = batches.entry((kind, questions)).or_insert(empty);
        batch.scalars.push(scalar);
        batch.results.push(results);
    };
    let mut asked: BTreeMap<(Kind, u32), Vec<(Question, u32)>> = BTreeMap::new();
    let first = waves.len() - program.scalar.len();
    for ((result, wave), instruction) in (0..).zip(waves).skip(first).zip(&program.scalar) {
        let kind = |is_lift: bool, scalar: u32, min: Integer, max: Integer| {
            let is_wide = program.scalar_field(scalar) != program.field;
            Kind { pass: passes.of_scalar(result), wave: *wave, is_lift, is_wide, min, max }
        };
        let mut ask = |question: Question, of: &Bounded| {
            let kind = kind(false, of.value, of.interval.min, of.interval.max);
            asked.entry((kind, of.value)).or_default().push((question, result));
        };
        match instruction {
            ScalarInstruction::Lift { scalar, interval } => {
                put(kind(true, *scalar, interval.min, interval.max), vec![], *scalar, vec![result]);
            }
            ScalarInstruction::Below(bounded) => ask(Question::Below(bounded.with), bounded),
            ScalarInstruction::Equal(bounded) => ask(Question::Equal(bounded.with), bounded),
            ScalarInstruction::Linear { .. }
            | ScalarInstruction::Multiply(..)
            | ScalarInstruction::Noise(_) => {}
        }
    }
    for ((kind, scalar), mut questions) in asked {
        questions.sort_unstable();
        let (questions, results) = questions.into_iter().unzip();
        put(kind, questions, scalar, results);
    }
    batches.into_values().collect()
}

impl Kind {
    /// Writes what becomes of the bits of a scalar less the least that it can be: themselves, or the questions' answers.
    pub(super) fn build(&self, questions: &[Question], draft: &mut Draft, bits: &Number) -> Vec<Bit> {
        let bits = bits[..(super::schedule::width(&self.min, &self.max) as usize).min(bits.len())].to_vec();
        if self.is_lift {
            return bits;
        }
        let answer = |question: &Question| match question {
            Question::Below(with) => is_below(draft, &bits, &self.min, with, Shape::Prefix),
            Question::Equal(with) => is_equal(draft, &bits, &self.min, with),
        };
        questions.iter().map(answer).collect()
    }
}
