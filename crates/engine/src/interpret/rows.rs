//! Row programs: one task for each morsel of rows and pass, which gives its part of the pass's reductions.

use std::collections::BTreeMap;
use std::sync::Arc;

use quorate_circuit::{Passes, Program, Reduction, RowInstruction};
use quorate_field::{Field, Integer, NamedField};
use quorate_sharing::Shares;
use zeroize::Zeroizing;

use super::Session;
use super::decided::{Carried, Decided};
use super::gadget::{Gadget, GadgetRun, Numbers};
use super::schedule::{ColumnBits, Phase, Schedule};
use super::truths::Writer;
use crate::EngineError;
use crate::boolean::lanes::{self, LANES};
use crate::boolean::sum::Shape;
use crate::linear::embed;
use crate::product::{Degree2t, PendingReshare, reshare};
use crate::round::{Inbox, Outbox, Progress, Task};
use crate::verified::Segment;

/// What all morsels of a run have in common.
pub struct RowPlan<F: Field> {
    program: Arc<Program>,
    schedule: Schedule,
    order: Passes,
    /// The phases of each pass.
    passes: Vec<Vec<PhasePlan<F>>>,
}

/// A phase, ready to run.
struct PhasePlan<F: Field> {
    gadget: Option<Gadget<F>>,
    /// Numbers that the gadget converts, with the least that each can be.
    converted: Vec<(u32, F)>,
    /// Sealed columns whose bits the gadget reads, with their number of bits.
    sealed: Vec<(u32, u32)>,
    earlier: Vec<u32>,
    /// Truths that scalars are, with the scalars.
    decided: Vec<(u32, u32)>,
    kept: Vec<u32>,
    /// Truths that become numbers, each with an instruction.
    numbers: Vec<(u32, u32)>,
    /// Truths that are counted, each with an instruction.
    counted: Vec<(u32, u32)>,
    /// Products level by level, each with an instruction.
    products: Vec<Vec<(u32, u32)>>,
}

/// What a morsel's task starts from: this worker's shares. After the first pass neither columns nor bits are read.
pub struct Morsel<F: Field> {
    /// The first row's place in the order of all rows, a multiple of 64.
    pub first_row: u64,
    /// How many rows.
    pub rows: usize,
    /// For each column of [`Schedule::columns`]: one share a row.
    pub columns: BTreeMap<u32, Shares<F>>,
    /// For each column of [`Schedule::bit_columns`]: its bits from the lowest, shared among the workers, bit-sliced.
    pub bits: BTreeMap<u32, Zeroizing<Vec<u64>>>,
}

/// A morsel's part of a pass's reductions, in the program's order, zero for those of other passes: shares of degree `t`, and
/// of degree `2t` for [`Reduction::Dot`] and [`Reduction::Count`].
pub struct Sums<F: Field> {
    pub(super) values: Shares<F>,
    pub(super) segments: Vec<Segment>,
}

/// A row program on one morsel, driven as a [`crate::boolean::Execution`] is.
pub struct RowTask<F: Field> {
    session: Session,
    plan: Arc<RowPlan<F>>,
    morsel: Morsel<F>,
    pass: usize,
    /// What scalars of earlier passes are.
    decided: Arc<Decided>,
    /// Row values that are computed, by index.
    values: BTreeMap<u32, Shares<F>>,
    /// Truths that are computed, in this pass or earlier ones, and needed later.
    truths: BTreeMap<u32, Zeroizing<Vec<u64>>>,
    /// Truths that became numbers.
    numbers: BTreeMap<u32, Shares<F>>,
    /// How many rows truths hold in: one share of degree `2t` each.
    counts: BTreeMap<u32, Shares<F>>,
    segments: Vec<Segment>,
    phase: usize,
    step: Step<F>,
    /// At the end.
    sums: Option<Shares<F>>,
}

/// Where a task is within a phase.
enum Step<F: Field> {
    /// What is linear in the columns.
    Linear,
    Bits(Option<Box<GadgetRun<F>>>),
    Numbers(Option<Numbers<F>>),
    Products {
        level: usize,
        pending: Vec<(u32, PendingReshare<F>)>,
    },
}

impl<F: NamedField> RowPlan<F> {
    /// The plan of a program that is not linear, on columns with these bits. Instructions are given out in `session`.
    pub fn new(program: &Arc<Program>, columns: &[ColumnBits], shape: Shape, session: &mut Session) -> Self {
        let schedule = Schedule::new(program, columns);
        let mut plan = |phase| PhasePlan::new(program, columns, phase, shape, session);
        let passes = schedule.passes.iter().map(|pass| pass.phases.iter().map(&mut plan).collect()).collect();
        RowPlan { program: program.clone(), order: program.passes(), schedule, passes }
    }

    /// What is computed when, and what it reads.
    pub fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    /// ANDs of a row, in all passes.
    pub(super) fn ands(&self) -> usize {
        self.passes.iter().flatten().filter_map(|phase| phase.gadget.as_ref()).map(Gadget::ands).sum()
    }

    /// Starts on a morsel: the first pass.
    pub fn start(self: &Arc<Self>, session: &Session, morsel: Morsel<F>) -> RowTask<F> {
        self.start_pass(session, morsel, 0, Carried::default(), &Arc::default())
    }

    /// Starts on a morsel in a pass, with what it carries from the one before and what scalars are by now.
    pub fn start_pass(
        self: &Arc<Self>,
        session: &Session,
        morsel: Morsel<F>,
        pass: usize,
        carried: Carried,
        decided: &Arc<Decided>,
    ) -> RowTask<F> {
        RowTask {
            session: session.clone(),
            plan: self.clone(),
            morsel,
            pass,
            decided: decided.clone(),
            values: BTreeMap::new(),
            truths: carried.0,
            numbers: BTreeMap::new(),
            counts: BTreeMap::new(),
            segments: Vec::new(),
            phase: 0,
            step: if pass == 0 { Step::Linear } else { Step::Bits(None) },
            sums: None,
        }
    }
}

impl<F: NamedField> PhasePlan<F> {
    fn new(
        program: &Program,
        columns: &[ColumnBits],
        phase: &Phase,
        shape: Shape,
        session: &mut Session,
    ) -> Self {
        let converted: Vec<(u32, Integer, Integer)> =
            phase.converted.iter().map(|(value, (min, max))| (*value, *min, *max)).collect();
        let sealed: Vec<(u32, u32)> =
            phase.sealed.iter().map(|column| (*column, columns[*column as usize].width())).collect();
        let earlier: Vec<u32> = phase.earlier.iter().copied().collect();
        let kept: Vec<u32> = phase.kept.iter().copied().collect();
        let decided: Vec<(u32, u32)> =
            phase.decided.iter().map(|(truth, scalar)| (*truth, *scalar)).collect();
        let gadget = phase.has_bits().then(|| {
            Gadget::new(session, converted.len(), shape, |draft, numbers| {
                let mut writer =
                    Writer { program, columns, shape, draft, bits: BTreeMap::new(), truths: BTreeMap::new() };
                for ((value, min, max), bits) in converted.iter().zip(numbers) {
                    let width = super::schedule::width(min, max) as usize;
                    writer.bits.insert(*value, (*min, bits[..width.min(bits.len())].to_vec()));
                }
                for (column, width) in &sealed {
                    let bits = writer.draft.secret_number(*width);
                    writer.seal(*column, bits);
                }
                for truth in earlier.iter().chain(decided.iter().map(|(truth, _)| truth)) {
                    let bit = writer.draft.secret();
                    writer.truths.insert(*truth, bit);
                }
                phase.truths.iter().for_each(|truth| writer.truth(*truth));
                kept.iter().map(|truth| writer.truths[truth]).collect()
            })
        });
        let mut number = |value: &u32| (*value, session.next_instruction());
        PhasePlan {
            gadget,
            numbers: phase.numbers.iter().map(&mut number).collect(),
            counted: phase.counted.iter().map(&mut number).collect(),
            products: phase.products.iter().map(|level| level.iter().map(&mut number).collect()).collect(),
            converted: converted.iter().map(|(value, min, _)| (*value, embed::<F>(min))).collect(),
            sealed,
            earlier,
            decided,
            kept,
        }
    }
}

impl<F: NamedField> Task for RowTask<F> {
    fn advance(&mut self, outbox: &mut Outbox) -> Progress {
        let plan = self.plan.clone();
        if matches!(self.step, Step::Linear) {
            self.settle();
            self.step = Step::Bits(None);
        }
        while let Some(phase) = plan.passes[self.pass].get(self.phase) {
            let progress = match &mut self.step {
                Step::Linear => Progress::Ended,
                Step::Bits(run) => match (&phase.gadget, run) {
                    (None, _) => Progress::Ended,
                    (Some(_), Some(run)) => run.advance(outbox),
                    (Some(gadget), None) => {
                        let mut run = Box::new(self.bits(phase, gadget));
                        let progress = run.advance(outbox);
                        self.step = Step::Bits(Some(run));
                        progress
                    }
                },
                Step::Numbers(Some(numbers)) => numbers.advance(&self.session, outbox),
                Step::Numbers(None) if phase.numbers.is_empty() && phase.counted.is_empty() => {
                    Progress::Ended
                }
                Step::Numbers(None) => {
                    let share = |(truth, instruction): &(u32, u32)| (*instruction, &**self.truths[truth]);
                    let (numbers, counted) =
                        (phase.numbers.iter().map(share), phase.counted.iter().map(share));
                    let (first, rows) = (self.morsel.first_row, self.morsel.rows);
                    let mut numbers = Numbers::new(&self.session, numbers, counted, first, rows);
                    let progress = numbers.advance(&self.session, outbox);
                    self.step = Step::Numbers(Some(numbers));
                    progress
                }
                Step::Products { level, .. } => match phase.products.get(*level) {
                    None => Progress::Ended,
                    Some(products) => {
                        let level = *level;
                        let pending = self.multiply(products, outbox);
                        self.step = Step::Products { level, pending };
                        Progress::Sent
                    }
                },
            };
            match progress {
                Progress::Sent => return Progress::Sent,
                Progress::Ended => self.next_step(phase),
            }
        }
        if self.sums.is_none() {
            self.sums = Some(self.reduce());
        }
        Progress::Ended
    }

    fn receive(&mut self, inbox: &mut Inbox<'_>) -> Result<(), EngineError> {
        match &mut self.step {
            Step::Bits(Some(run)) => run.receive(inbox),
            Step::Numbers(Some(numbers)) => numbers.receive(&self.session, inbox),
            Step::Products { level, pending } => {
                *level += 1;
                for (value, pending) in std::mem::take(pending) {
                    let (product, segments) = pending.finish(self.session.member(), inbox)?.into_parts();
                    self.segments.extend(segments);
                    self.values.insert(value, product);
                }
                self.settle();
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

impl<F: NamedField> RowTask<F> {
    /// The morsel's part of the pass's reductions, and what it carries to the next pass.
    ///
    /// # Panics
    /// Before [`RowTask::advance`] said that it has ended.
    #[expect(clippy::expect_used, reason = "documented panic: a mistake of the caller's")]
    pub fn finish(mut self) -> (Sums<F>, Carried) {
        let carried = &self.plan.schedule.passes[self.pass].carried;
        self.truths.retain(|truth, _| carried.contains(truth));
        let values = self.sums.expect("an ended task");
        (Sums { values, segments: self.segments }, Carried(self.truths))
    }

    fn reduce(&self) -> Shares<F> {
        let value = |index: &u32| self.value(*index);
        let reduce = |reduction: &Reduction| match reduction {
            Reduction::Sum { value: index } => F::sum_slice(value(index).as_slice()),
            Reduction::Dot(left, right) => F::dot(value(left).as_slice(), value(right).as_slice()),
            Reduction::Count(truth) => match self.counts.get(truth) {
                Some(count) => F::sum_slice(count.as_slice()),
                None => F::sum_slice(self.numbers[truth].as_slice()),
            },
        };
        let is_of_pass = |scalar: u32| self.plan.order.of_scalar(scalar) as usize == self.pass;
        let reductions = (0..).zip(&self.plan.program.reductions);
        let sums = reductions
            .map(|(scalar, reduction)| if is_of_pass(scalar) { reduce(reduction) } else { F::ZERO });
        Shares::from_vec(sums.collect())
    }

    fn bits(&self, phase: &PhasePlan<F>, gadget: &Gadget<F>) -> GadgetRun<F> {
        let words = lanes::words(self.morsel.rows);
        let width = self.session.workers().layout().width();
        let values = phase.converted.iter().map(|(value, least)| (self.value(*value).duplicate(), *least));
        let mut bits: Vec<&[u64]> = Vec::new();
        for (column, count) in &phase.sealed {
            let shares = &self.morsel.bits[column];
            bits.extend(shares.chunks_exact((width * words).max(1)).take(*count as usize));
        }
        bits.extend(phase.earlier.iter().map(|truth| self.truths[truth].as_slice()));
        let decided = phase.decided.iter().map(|(_, scalar)| self.decided.everywhere(*scalar, words));
        let decided: Vec<Zeroizing<Vec<u64>>> = decided.collect();
        bits.extend(decided.iter().map(|truth| truth.as_slice()));
        gadget.start(values.collect(), &bits, self.morsel.rows, self.morsel.first_row / LANES as u64)
    }

    fn multiply(&self, products: &[(u32, u32)], outbox: &mut Outbox) -> Vec<(u32, PendingReshare<F>)> {
        let multiply = |(value, instruction): &(u32, u32)| {
            let RowInstruction::Multiply(left, right) = &self.plan.program.row[*value as usize] else {
                unreachable!("only products are multiplied")
            };
            let product = Degree2t::product(self.value(*left), self.value(*right));
            let segment = Segment::new(*instruction, self.morsel.first_row, self.morsel.rows);
            (*value, reshare(self.session.member(), segment, &product, outbox))
        };
        products.iter().map(multiply).collect()
    }

    fn next_step(&mut self, phase: &PhasePlan<F>) {
        let next = Step::Numbers(None);
        match std::mem::replace(&mut self.step, next) {
            Step::Bits(run) => {
                if let Some(run) = run {
                    let (outputs, segments) = run.finish().into_parts();
                    self.segments.extend(segments);
                    for (index, truth) in phase.kept.iter().enumerate() {
                        self.truths.insert(*truth, Zeroizing::new(outputs.bit(index).to_vec()));
                    }
                }
            }
            Step::Numbers(numbers) => {
                let finish = |numbers: Numbers<F>| numbers.finish(phase.numbers.len());
                let (numbers, counts) = numbers.map(finish).unwrap_or_default();
                for ((truth, _), number) in phase.numbers.iter().zip(numbers) {
                    let (number, segments) = number.into_parts();
                    self.segments.extend(segments);
                    self.numbers.insert(*truth, number);
                }
                for ((truth, _), count) in phase.counted.iter().zip(counts) {
                    let (count, segments) = count.into_parts();
                    self.segments.extend(segments);
                    self.counts.insert(*truth, count);
                }
                self.settle();
                self.step = Step::Products { level: 0, pending: Vec::new() };
            }
            Step::Linear => self.step = Step::Bits(None),
            Step::Products { .. } => {
                self.phase += 1;
                self.step = Step::Bits(None);
            }
        }
    }

    /// A row value that is computed.
    fn value(&self, index: u32) -> &Shares<F> {
        match &self.plan.program.row[index as usize] {
            RowInstruction::Input { column } => &self.morsel.columns[column],
            RowInstruction::Number(truth) => &self.numbers[truth],
            _ => &self.values[&index],
        }
    }

    fn is_there(&self, index: u32) -> bool {
        match &self.plan.program.row[index as usize] {
            RowInstruction::Input { column } => self.morsel.columns.contains_key(column),
            RowInstruction::Number(truth) => self.numbers.contains_key(truth),
            _ => self.values.contains_key(&index),
        }
    }

    /// Computes the linear combinations whose terms are there.
    fn settle(&mut self) {
        if self.pass > 0 {
            // Numbers are of the first pass.
            return;
        }
        let program = self.plan.program.clone();
        for (index, instruction) in (0..).zip(&program.row) {
            let RowInstruction::Linear { constant: added, terms } = instruction else { continue };
            if self.is_there(index) || !terms.iter().all(|term| self.is_there(term.value)) {
                continue;
            }
            let mut sum = Shares::from_vec(vec![embed::<F>(added); self.morsel.rows]);
            for term in terms {
                sum.add_scaled(embed::<F>(&term.factor), self.value(term.value));
            }
            self.values.insert(index, sum);
        }
    }
}

impl<F: Field> Sums<F> {
    /// Of no rows.
    pub fn zero(program: &Program) -> Self {
        Sums { values: Shares::zeros(program.reductions.len()), segments: Vec::new() }
    }

    /// Adds another morsel's part.
    pub fn add(&mut self, other: Sums<F>) {
        self.values.add_assign(&other.values);
        self.segments.extend(other.segments);
    }
}

impl<F: Field> std::fmt::Debug for RowPlan<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RowPlan({}, {} passes)", self.program.name, self.passes.len())
    }
}

impl<F: Field> std::fmt::Debug for RowTask<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Morsel { first_row, rows, .. } = &self.morsel;
        write!(f, "RowTask({rows} rows from {first_row}, pass {}, phase {})", self.pass, self.phase)
    }
}
