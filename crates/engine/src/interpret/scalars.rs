//! Scalar programs: what is computed of the reductions, pass by pass and wave by wave, up to the outputs.
//!
//! Everything of a wave that needs messages shares its rounds: products in either field, and batches of lifts and
//! comparisons. A lift goes by way of bits: those of `x - min`, each made a number modulo 2^127 - 1, weighted and added up.
//! Of a comparison that rows ask for the shared bit is kept. Noise is there before.

use std::collections::BTreeSet;
use std::sync::Arc;

use quorate_circuit::{Coefficient, Passes, Program, RowInstruction, ScalarInstruction};
use quorate_field::{F127, Field, Integer, NamedField, write_slice};
use quorate_sharing::Shares;
use zeroize::Zeroizing;

use super::Session;
use super::batch::{Batch, batches, is_product, waves};
use super::decided::Decided;
use super::rows::Sums;
use super::way::{Arrived, Way, WayRun};
use crate::EngineError;
use crate::linear::{at, embed};
use crate::noise::{EntryShares, NoiseShares};
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
    /// By scalar that is a product, or a reduction of degree `2t`: its instruction.
    products: Vec<Option<u32>>,
    /// The scalars that are computed side by side.
    batches: Vec<(Batch, BatchWay<F>)>,
}

/// The way of a batch, by the field that its scalars are in.
enum BatchWay<F: Field> {
    Base(Way<F>),
    Wide(Way<F127>),
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
    noise: NoiseShares<F>,
    /// Of scalars that rows ask for, the shared bits.
    decided: Decided,
    segments: Vec<Segment>,
    pass: u32,
    wave: usize,
    active: Vec<(usize, Part<F>)>,
}

/// A product, by its scalar, or a batch, by its place, on its way.
enum Part<F: Field> {
    Product(Degree2t<F>, Segment),
    Reshare(PendingReshare<F>),
    WideProduct(Degree2t<F127>, Segment),
    WideReshare(PendingReshare<F127>),
    Lift(WayRun<F, F127>),
    Decide(WayRun<F, F>),
    DecideWide(WayRun<F127, F>),
    Done(Scalar<F>),
    Lifted(Vec<Arrived<F127>>),
    Decided(Vec<Arrived<F>>),
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
            waves: waves(program, &program.passes()),
            products: Vec::new(),
            batches: Vec::new(),
        };
        let reductions = program.reductions.iter().map(is_product);
        let scalars =
            program.scalar.iter().map(|instruction| matches!(instruction, ScalarInstruction::Multiply(..)));
        let products = reductions.chain(scalars);
        plan.products = products.map(|is_product| is_product.then(|| session.next_instruction())).collect();
        for batch in batches(program, &plan.passes, &plan.waves) {
            let way = BatchWay::new(&batch, session);
            plan.batches.push((batch, way));
        }
        plan
    }

    /// Starts on the first pass's reductions of all rows, with shares of the program's noise.
    pub fn start(
        self: &Arc<Self>,
        session: &Session,
        sums: Sums<F>,
        noise: Unverified<NoiseShares<F>>,
    ) -> ScalarTask<F> {
        let (noise, segments) = noise.into_parts();
        let mut task = ScalarTask {
            session: session.clone(),
            plan: self.clone(),
            scalars: self.waves.iter().map(|_| None).collect(),
            noise,
            decided: Decided::default(),
            segments,
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

impl<F: NamedField> BatchWay<F> {
    fn new(batch: &Batch, session: &mut Session) -> Self {
        let (kind, scalars) = (&batch.kind, batch.scalars.clone());
        if kind.is_wide {
            BatchWay::Wide(Way::new(session, scalars, &kind.min, |draft, bits| {
                kind.build(&batch.questions, draft, bits)
            }))
        } else {
            BatchWay::Base(Way::new(session, scalars, &kind.min, |draft, bits| {
                kind.build(&batch.questions, draft, bits)
            }))
        }
    }
}

impl<F: NamedField> Task for ScalarTask<F> {
    fn advance(&mut self, outbox: &mut Outbox) -> Progress {
        loop {
            let mut progress = Progress::Ended;
            let plan = self.plan.clone();
            for (place, part) in std::mem::take(&mut self.active) {
                match part.advance(&plan, place, &self.session, outbox, &mut self.segments) {
                    Part::Done(value) => self.scalars[place] = Some(value),
                    Part::Lifted(bits) => self.put_lifted(&plan.batches[place].0, &bits),
                    Part::Decided(answers) => self.put_decided(&plan.batches[place].0, &answers),
                    part => {
                        progress = Progress::Sent;
                        self.active.push((place, part));
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
        for (place, part) in std::mem::take(&mut self.active) {
            self.active.push((place, part.receive(&self.session, inbox, &mut self.segments)?));
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
        for (scalar, instruction) in plan.products.iter().enumerate() {
            let is_now =
                plan.waves[scalar] == self.wave && plan.passes.of_scalar(narrow(scalar)) == self.pass;
            if let Some(instruction) = instruction.filter(|_| is_now) {
                self.active.push((scalar, self.begin_product(scalar, Segment::new(instruction, 0, 1))));
            }
        }
        for (place, (batch, way)) in plan.batches.iter().enumerate() {
            if (batch.kind.pass, batch.kind.wave) == (self.pass, self.wave) {
                self.active.push((place, self.begin_batch(batch, way)));
            }
        }
    }

    fn begin_product(&self, scalar: usize, segment: Segment) -> Part<F> {
        let (left, right) = match scalar.checked_sub(self.plan.program.reductions.len()) {
            Some(place) => match &self.plan.program.scalar[place] {
                ScalarInstruction::Multiply(left, right) => (*left, Some(*right)),
                _ => unreachable!("only products are multiplied"),
            },
            None => (narrow(scalar), None),
        };
        match (self.computed(left), right.map(|right| self.computed(right))) {
            (Scalar::Base(left), Some(Scalar::Base(right))) => {
                Part::Product(Degree2t::product(left, right), segment)
            }
            (Scalar::Wide(left), Some(Scalar::Wide(right))) => {
                Part::WideProduct(Degree2t::product(left, right), segment)
            }
            // A reduction: itself of degree 2t.
            (Scalar::Base(dot), None) => {
                let one = Shares::from_vec(vec![F::ONE]);
                Part::Product(Degree2t::product(dot, &one), segment)
            }
            _ => unreachable!("factors in one field"),
        }
    }

    fn begin_batch(&self, batch: &Batch, way: &BatchWay<F>) -> Part<F> {
        let base = |scalar: u32| match self.computed(scalar) {
            Scalar::Base(share) => share.as_slice()[0],
            Scalar::Wide(_) => unreachable!("a batch in one field"),
        };
        let wide = |scalar: u32| match self.computed(scalar) {
            Scalar::Wide(share) => share.as_slice()[0],
            Scalar::Base(_) => unreachable!("a batch in one field"),
        };
        match way {
            BatchWay::Base(way) if batch.kind.is_lift => Part::Lift(way.start(base)),
            BatchWay::Base(way) => Part::Decide(way.start(base)),
            BatchWay::Wide(way) => Part::DecideWide(way.start(wide)),
        }
    }

    fn computed(&self, scalar: u32) -> &Scalar<F> {
        match &self.scalars[scalar as usize] {
            Some(scalar) => scalar,
            None => unreachable!("operands are computed before"),
        }
    }

    fn put_lifted(&mut self, batch: &Batch, bits: &[Arrived<F127>]) {
        for (row, result) in batch.results.iter().flatten().enumerate() {
            let bits = bits.iter().map(|bit| bit.numbers.as_slice()[row]);
            self.scalars[*result as usize] = Some(Scalar::Wide(joined(bits, &batch.kind.min)));
        }
    }

    fn put_decided(&mut self, batch: &Batch, answers: &[Arrived<F>]) {
        for (row, results) in batch.results.iter().enumerate() {
            for (answer, result) in answers.iter().zip(results) {
                self.scalars[*result as usize] = Some(Scalar::Base(answer.number(row)));
                if self.plan.asked.contains(result) {
                    self.decided.0.insert(*result, answer.truth(row));
                }
            }
        }
    }

    /// Computes the linear combinations of this wave; noise is one of nothing else.
    fn settle(&mut self) {
        let plan = self.plan.clone();
        let reductions = plan.program.reductions.len();
        for (place, instruction) in plan.program.scalar.iter().enumerate() {
            let index = reductions + place;
            if !plan.is_due(index, self.pass, self.wave) || self.scalars[index].is_some() {
                continue;
            }
            let (constant, terms) = match instruction {
                ScalarInstruction::Linear { constant, terms } => (constant, terms),
                ScalarInstruction::Noise(entry) => {
                    self.scalars[index] = Some(self.noise_of(*entry));
                    continue;
                }
                _ => continue,
            };
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

    fn noise_of(&self, entry: u32) -> Scalar<F> {
        match self.noise.entry(entry) {
            EntryShares::Base(shares) => Scalar::Base(shares.duplicate()),
            EntryShares::Wide(shares) => Scalar::Wide(shares.duplicate()),
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
    fn advance(
        self,
        plan: &ScalarPlan<F>,
        place: usize,
        session: &Session,
        outbox: &mut Outbox,
        segments: &mut Vec<Segment>,
    ) -> Self {
        let way = || &plan.batches[place].1;
        match self {
            Part::Product(product, segment) => {
                Part::Reshare(reshare(session.member(), segment, &product, outbox))
            }
            Part::WideProduct(product, segment) => {
                Part::WideReshare(reshare(session.member(), segment, &product, outbox))
            }
            Part::Lift(mut run) if let BatchWay::Base(way) = way() => {
                run.advance(way, session, outbox, segments).map_or(Part::Lift(run), Part::Lifted)
            }
            Part::Decide(mut run) if let BatchWay::Base(way) = way() => {
                run.advance(way, session, outbox, segments).map_or(Part::Decide(run), Part::Decided)
            }
            Part::DecideWide(mut run) if let BatchWay::Wide(way) = way() => {
                run.advance(way, session, outbox, segments).map_or(Part::DecideWide(run), Part::Decided)
            }
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
            Part::Lift(mut run) => {
                run.receive(session, inbox)?;
                Part::Lift(run)
            }
            Part::Decide(mut run) => {
                run.receive(session, inbox)?;
                Part::Decide(run)
            }
            Part::DecideWide(mut run) => {
                run.receive(session, inbox)?;
                Part::DecideWide(run)
            }
            part => part,
        })
    }
}

/// `min` and the bits of the rest, lowest first, as one number.
fn joined(bits: impl Iterator<Item = F127>, min: &Integer) -> Shares<F127> {
    let (mut sum, mut weight) = (embed::<F127>(min), F127::ONE);
    for bit in bits {
        sum += weight * bit;
        weight += weight;
    }
    Shares::from_vec(vec![sum])
}

fn narrow(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

impl<F: Field> std::fmt::Debug for ScalarPlan<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ScalarPlan({}, {} scalars)", self.program.name, self.waves.len())
    }
}

impl<F: Field> std::fmt::Debug for ScalarTask<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ScalarTask(wave {}, {} under way)", self.wave, self.active.len())
    }
}
