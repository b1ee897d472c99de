//! Scalar programs: what is computed of the reductions, pass by pass and wave by wave, up to the outputs.
//!
//! Everything of a wave that needs messages shares its rounds: products in either field, lifts, comparisons. A lift
//! goes by way of bits: those of `x - min`, each made a number modulo 2^127 - 1, weighted and added up. It costs what a
//! conversion of one row costs, which is nothing beside the rows. Of a comparison that rows ask for the shared bit is kept.

use std::collections::BTreeSet;
use std::sync::Arc;

use quorate_circuit::{Bounded, Coefficient, Passes, Program, Reduction, RowInstruction, ScalarInstruction};
use quorate_field::{F127, Field, Integer, NamedField, write_slice};
use quorate_sharing::Shares;
use zeroize::Zeroizing;

use super::Session;
use super::decided::Decided;
use super::gadget::Gadget;
use super::reference::{is_below, is_equal};
use super::rows::Sums;
use super::schedule::width;
use super::way::Way;
use crate::EngineError;
use crate::boolean::sum::Shape;
use crate::linear::{at, embed};
use crate::product::{Degree2t, PendingReshare, reshare};
use crate::round::{Inbox, Outbox, Progress, Task};
use crate::verified::{Segment, Unverified};

/// What the scalar part of a run has, made before it starts.
pub struct ScalarPlan<F: Field> {
    program: Arc<Program>,
    /// The number of rows that the coefficients are of.
    rows: u64,
    passes: Passes,
    /// By scalar: the wave of its pass that gives it, counted from 1; 0 where it is there before.
    waves: Vec<usize>,
    /// Scalars that rows ask for.
    asked: BTreeSet<u32>,
    /// By scalar: how it is computed, where that takes messages.
    work: Vec<Option<Work<F>>>,
}

/// How a scalar is computed.
enum Work<F: Field> {
    /// A product, or a reduction of degree `2t`, under an instruction.
    Product(u32),
    Lift {
        gadget: Gadget<F>,
        min: Integer,
        instruction: u32,
    },
    Decide {
        gadget: Gadget<F>,
        min: Integer,
        instruction: u32,
    },
    DecideWide {
        gadget: Gadget<F127>,
        min: Integer,
        instruction: u32,
    },
}

/// A share of a scalar: in the columns' field, or in that of 2^127 - 1 above it. One element. Secret.
enum Scalar<F: Field> {
    Base(Shares<F>),
    Wide(Shares<F127>),
}

/// The scalar part of a run, driven as a [`crate::boolean::Execution`] is.
pub struct ScalarTask<F: Field> {
    session: Session,
    plan: Arc<ScalarPlan<F>>,
    scalars: Vec<Option<Scalar<F>>>,
    /// Of scalars that rows ask for, the shared bits.
    decided: Decided,
    segments: Vec<Segment>,
    pass: u32,
    wave: usize,
    active: Vec<(usize, Part<F>)>,
}

/// One scalar on its way.
enum Part<F: Field> {
    Product(Degree2t<F>, Segment),
    Reshare(PendingReshare<F>),
    WideProduct(Degree2t<F127>, Segment),
    WideReshare(PendingReshare<F127>),
    Lift(Way<F, F127>, Integer),
    Decide(Way<F, F>),
    DecideWide(Way<F127, F>),
    Done(Scalar<F>),
    /// A comparison: as a number, and as a shared bit.
    Decided(Scalar<F>, Zeroizing<Vec<u64>>),
}

impl<F: NamedField> ScalarPlan<F> {
    /// The plan of a program on `rows` rows. Instructions are given out in `session`.
    pub fn new(program: &Arc<Program>, rows: u64, session: &mut Session) -> Self {
        let asked = program.row.iter().filter_map(|instruction| match instruction {
            RowInstruction::Everywhere(scalar) => Some(*scalar),
            _ => None,
        });
        let mut plan = ScalarPlan {
            passes: program.passes(),
            asked: asked.collect(),
            program: program.clone(),
            rows,
            waves: Vec::new(),
            work: Vec::new(),
        };
        for reduction in &program.reductions {
            let is_product = matches!(reduction, Reduction::Dot(..) | Reduction::Count(_));
            plan.waves.push(usize::from(is_product));
            plan.work.push(is_product.then(|| Work::Product(session.next_instruction())));
        }
        for (index, instruction) in (narrow(program.reductions.len())..).zip(&program.scalar) {
            let pass = plan.passes.of_scalar(index);
            let is_of_pass = |scalar: u32| plan.passes.of_scalar(scalar) == pass;
            let wave = |scalar: u32| if is_of_pass(scalar) { plan.waves[scalar as usize] } else { 0 };
            let (wave, work) = match instruction {
                ScalarInstruction::Linear { terms, .. } => {
                    (terms.iter().map(|term| wave(term.scalar)).max().unwrap_or(0), None)
                }
                ScalarInstruction::Multiply(left, right) => {
                    (wave(*left).max(wave(*right)) + 1, Some(Work::Product(session.next_instruction())))
                }
                ScalarInstruction::Lift { scalar, interval } => {
                    let bits = width(&interval.min, &interval.max).min(F::BITS);
                    let gadget = Gadget::new(session, 1, Shape::Prefix, |_, numbers| {
                        numbers[0][..bits as usize].to_vec()
                    });
                    let instruction = session.next_instruction();
                    (wave(*scalar) + 1, Some(Work::Lift { gadget, min: interval.min, instruction }))
                }
                ScalarInstruction::Below(bounded) | ScalarInstruction::Equal(bounded) => {
                    let is_equality = matches!(instruction, ScalarInstruction::Equal(_));
                    let is_wide = F::ID != program.scalar_field(bounded.value);
                    let min = bounded.interval.min;
                    let work = if is_wide {
                        let gadget = decision::<F127>(session, bounded, is_equality);
                        Work::DecideWide { gadget, min, instruction: session.next_instruction() }
                    } else {
                        let gadget = decision::<F>(session, bounded, is_equality);
                        Work::Decide { gadget, min, instruction: session.next_instruction() }
                    };
                    (wave(bounded.value) + 1, Some(work))
                }
            };
            plan.waves.push(wave);
            plan.work.push(work);
        }
        plan
    }

    /// Starts on the first pass's reductions of all rows.
    pub fn start(self: &Arc<Self>, session: &Session, sums: Sums<F>) -> ScalarTask<F> {
        let mut task = ScalarTask {
            session: session.clone(),
            plan: self.clone(),
            scalars: self.work.iter().map(|_| None).collect(),
            decided: Decided::default(),
            segments: vec![],
            pass: 0,
            wave: 0,
            active: vec![],
        };
        task.take(sums);
        task
    }

    fn last_wave(&self, pass: u32) -> usize {
        let waves = (0..).zip(&self.waves).filter(|(scalar, _)| self.passes.of_scalar(*scalar) == pass);
        waves.map(|(_, wave)| *wave).max().unwrap_or(0)
    }

    /// Whether a scalar is computed in this wave of this pass or before.
    fn is_due(&self, scalar: usize, pass: u32, wave: usize) -> bool {
        let of = self.passes.of_scalar(narrow(scalar));
        of < pass || of == pass && self.waves[scalar] <= wave
    }
}

/// The gadget of a comparison or an equality.
fn decision<F: NamedField>(session: &mut Session, bounded: &Bounded, is_equality: bool) -> Gadget<F> {
    let (min, max) = (bounded.interval.min, bounded.interval.max);
    Gadget::new(session, 1, Shape::Prefix, |draft, numbers| {
        let bits = numbers[0][..width(&min, &max).min(F::BITS) as usize].to_vec();
        vec![if is_equality {
            is_equal(draft, &bits, &min, &bounded.with)
        } else {
            is_below(draft, &bits, &min, &bounded.with, Shape::Prefix)
        }]
    })
}

impl<F: NamedField> Task for ScalarTask<F> {
    fn advance(&mut self, outbox: &mut Outbox) -> Progress {
        loop {
            let mut progress = Progress::Ended;
            for (scalar, part) in std::mem::take(&mut self.active) {
                match part.advance(&self.session, outbox, &mut self.segments) {
                    Part::Done(value) => self.scalars[scalar] = Some(value),
                    Part::Decided(value, truth) => {
                        self.scalars[scalar] = Some(value);
                        let scalar = narrow(scalar);
                        if self.plan.asked.contains(&scalar) {
                            self.decided.0.insert(scalar, truth);
                        }
                    }
                    part => {
                        progress = Progress::Sent;
                        self.active.push((scalar, part));
                    }
                }
            }
            if progress == Progress::Sent {
                return progress;
            }
            self.settle();
            if self.wave >= self.plan.last_wave(self.pass) {
                return Progress::Ended;
            }
            self.wave += 1;
            self.begin_wave();
        }
    }

    fn receive(&mut self, inbox: &mut Inbox<'_>) -> Result<(), EngineError> {
        for (scalar, part) in std::mem::take(&mut self.active) {
            self.active.push((scalar, part.receive(&self.session, inbox, &mut self.segments)?));
        }
        Ok(())
    }
}

impl<F: NamedField> ScalarTask<F> {
    /// What rows ask for of the pass that has ended, once [`ScalarTask::advance`] said that it has.
    pub fn take_decided(&mut self) -> Decided {
        std::mem::take(&mut self.decided)
    }

    /// Goes on with the reductions of the next pass.
    pub fn next_pass(&mut self, sums: Sums<F>) {
        (self.pass, self.wave) = (self.pass + 1, 0);
        self.take(sums);
    }

    /// Takes the reductions of this pass.
    fn take(&mut self, sums: Sums<F>) {
        let plan = self.plan.clone();
        for (scalar, value) in (0..).zip(sums.values.as_slice()) {
            if plan.passes.of_scalar(scalar) == self.pass {
                self.scalars[scalar as usize] = Some(Scalar::Base(Shares::from_vec(vec![*value])));
            }
        }
        self.segments.extend(sums.segments);
        self.settle();
    }

    /// Shares of the outputs, in the program's order, each encoded in its field, once [`ScalarTask::advance`] said that
    /// it has ended.
    pub fn finish(self) -> Unverified<Vec<Zeroizing<Vec<u8>>>> {
        let output = |output: &quorate_circuit::Output| match &self.scalars[output.scalar as usize] {
            Some(Scalar::Base(share)) => Zeroizing::new(write_slice(share.as_slice())),
            Some(Scalar::Wide(share)) => Zeroizing::new(write_slice(share.as_slice())),
            None => unreachable!("every scalar is computed"),
        };
        let outputs = self.plan.program.outputs.iter().map(output).collect();
        Unverified::of_segments(outputs, self.segments)
    }

    /// Takes up everything of this wave that takes messages.
    fn begin_wave(&mut self) {
        let plan = self.plan.clone();
        for (scalar, work) in plan.work.iter().enumerate() {
            let is_now =
                plan.waves[scalar] == self.wave && plan.passes.of_scalar(narrow(scalar)) == self.pass;
            if let Some(work) = work.as_ref().filter(|_| is_now) {
                self.active.push((scalar, self.begin(scalar, work)));
            }
        }
    }

    fn begin(&self, scalar: usize, work: &Work<F>) -> Part<F> {
        let (left, right) = self.operands(scalar);
        match (work, left, right) {
            (Work::Product(instruction), Scalar::Base(left), Some(Scalar::Base(right))) => {
                Part::Product(Degree2t::product(left, right), Segment::new(*instruction, 0, 1))
            }
            (Work::Product(instruction), Scalar::Wide(left), Some(Scalar::Wide(right))) => {
                Part::WideProduct(Degree2t::product(left, right), Segment::new(*instruction, 0, 1))
            }
            (Work::Product(instruction), Scalar::Base(dot), None) => {
                let one = Shares::from_vec(vec![F::ONE]);
                Part::Product(Degree2t::product(dot, &one), Segment::new(*instruction, 0, 1))
            }
            (Work::Lift { gadget, min, instruction }, Scalar::Base(value), _) => {
                Part::Lift(Way::new(gadget, value, min, *instruction), *min)
            }
            (Work::Decide { gadget, min, instruction }, Scalar::Base(value), _) => {
                Part::Decide(Way::new(gadget, value, min, *instruction))
            }
            (Work::DecideWide { gadget, min, instruction }, Scalar::Wide(value), _) => {
                Part::DecideWide(Way::new(gadget, value, min, *instruction))
            }
            _ => unreachable!("scalars in the fields that the plan says"),
        }
    }

    /// What a scalar is computed of: of a reduction, itself of degree `2t`.
    fn operands(&self, scalar: usize) -> (&Scalar<F>, Option<&Scalar<F>>) {
        let computed = |scalar: u32| match &self.scalars[scalar as usize] {
            Some(scalar) => scalar,
            None => unreachable!("operands are computed before"),
        };
        match scalar.checked_sub(self.plan.program.reductions.len()).map(|p| &self.plan.program.scalar[p]) {
            None | Some(ScalarInstruction::Linear { .. }) => (computed(narrow(scalar)), None),
            Some(ScalarInstruction::Multiply(left, right)) => (computed(*left), Some(computed(*right))),
            Some(ScalarInstruction::Lift { scalar, .. }) => (computed(*scalar), None),
            Some(ScalarInstruction::Below(bounded) | ScalarInstruction::Equal(bounded)) => {
                (computed(bounded.value), None)
            }
        }
    }

    /// Computes the linear combinations of this wave.
    fn settle(&mut self) {
        let plan = self.plan.clone();
        let reductions = plan.program.reductions.len();
        for (place, instruction) in plan.program.scalar.iter().enumerate() {
            let index = reductions + place;
            let ScalarInstruction::Linear { constant, terms } = instruction else { continue };
            if !plan.is_due(index, self.pass, self.wave) || self.scalars[index].is_some() {
                continue;
            }
            let is_wide = plan.program.scalar_field(narrow(index)) != F::ID;
            self.scalars[index] = Some(if is_wide {
                let base = |scalar: &Scalar<F>| match scalar {
                    Scalar::Wide(share) => share.as_slice()[0],
                    Scalar::Base(_) => unreachable!("terms in one field"),
                };
                Scalar::Wide(self.combine(constant, terms, base))
            } else {
                let base = |scalar: &Scalar<F>| match scalar {
                    Scalar::Base(share) => share.as_slice()[0],
                    Scalar::Wide(_) => unreachable!("terms in one field"),
                };
                Scalar::Base(self.combine(constant, terms, base))
            });
        }
    }

    fn combine<G: NamedField>(
        &self,
        constant: &Coefficient,
        terms: &[quorate_circuit::ScalarTerm],
        share: impl Fn(&Scalar<F>) -> G,
    ) -> Shares<G> {
        let rows = self.plan.rows;
        let term = |term: &quorate_circuit::ScalarTerm| match &self.scalars[term.scalar as usize] {
            Some(scalar) => share(scalar) * at::<G>(&term.factor, rows),
            None => unreachable!("terms are computed before"),
        };
        Shares::from_vec(vec![at::<G>(constant, rows) + terms.iter().map(term).sum::<G>()])
    }
}

impl<F: NamedField> Part<F> {
    /// Goes on, and writes what is to be sent unless it is done.
    fn advance(self, session: &Session, outbox: &mut Outbox, segments: &mut Vec<Segment>) -> Self {
        match self {
            Part::Product(product, segment) => {
                Part::Reshare(reshare(session.member(), segment, &product, outbox))
            }
            Part::WideProduct(product, segment) => {
                Part::WideReshare(reshare(session.member(), segment, &product, outbox))
            }
            Part::Lift(mut way, min) => match way.advance(session, outbox, segments) {
                None => Part::Lift(way, min),
                Some((bits, _)) => Part::Done(Scalar::Wide(joined(&bits, &min))),
            },
            Part::Decide(mut way) => match way.advance(session, outbox, segments) {
                None => Part::Decide(way),
                Some((bit, truth)) => Part::Decided(Scalar::Base(bit), truth),
            },
            Part::DecideWide(mut way) => match way.advance(session, outbox, segments) {
                None => Part::DecideWide(way),
                Some((bit, truth)) => Part::Decided(Scalar::Base(bit), truth),
            },
            part => part,
        }
    }

    fn receive(
        self,
        session: &Session,
        inbox: &mut Inbox<'_>,
        segments: &mut Vec<Segment>,
    ) -> Result<Self, EngineError> {
        let member = session.member();
        Ok(match self {
            Part::Reshare(pending) => {
                let (product, depends) = pending.finish(member, inbox)?.into_parts();
                segments.extend(depends);
                Part::Done(Scalar::Base(product))
            }
            Part::WideReshare(pending) => {
                let (product, depends) = pending.finish(member, inbox)?.into_parts();
                segments.extend(depends);
                Part::Done(Scalar::Wide(product))
            }
            Part::Lift(mut way, min) => {
                way.receive(session, inbox)?;
                Part::Lift(way, min)
            }
            Part::Decide(mut way) => {
                way.receive(session, inbox)?;
                Part::Decide(way)
            }
            Part::DecideWide(mut way) => {
                way.receive(session, inbox)?;
                Part::DecideWide(way)
            }
            part => part,
        })
    }
}

/// `min` and the bits of the rest, lowest first, as one number.
fn joined(bits: &Shares<F127>, min: &Integer) -> Shares<F127> {
    let (mut sum, mut weight) = (embed::<F127>(min), F127::ONE);
    for bit in bits.as_slice() {
        sum += weight * *bit;
        weight += weight;
    }
    Shares::from_vec(vec![sum])
}

fn narrow(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

impl<F: Field> std::fmt::Debug for ScalarPlan<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ScalarPlan({}, {} scalars)", self.program.name, self.work.len())
    }
}

impl<F: Field> std::fmt::Debug for ScalarTask<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ScalarTask(wave {}, {} under way)", self.wave, self.active.len())
    }
}
