//! Rehearsals: what a run will take, counted on a run of a few rows of zeros with all workers in one process.
//!
//! What is sent in which round follows from program, plan and number of rows alone, never from a share: so a rehearsal
//! sends what a run sends, in every pass over the rows. A morsel's messages are a part for each row, a part for each word of
//! 64 rows and a rest; three rehearsals tell them apart, and any number of rows costs what three small ones do. All numbers
//! are zero and the keys are used for nothing else: nothing in a rehearsal is secret.

use std::collections::BTreeMap;
use std::sync::Arc;

use quorate_circuit::{Adder, Noise, Plan, Program, Reduction, RowInstruction, Study, Workload};
use quorate_field::{F61, F127, FieldId, NamedField};
use quorate_hash::Digest;
use quorate_sharing::prss::SessionKeys;
use quorate_sharing::{HelperNumber, Scheme, Shares};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::schedule::{ColumnBits, Phase, Schedule, column_bits};
use super::{Carried, Decided, Morsel, RowPlan, RowTask, ScalarPlan, ScalarTask, Session, Sums};
use crate::EngineError;
use crate::boolean::lanes::{LANES, words};
use crate::boolean::sum::Shape;
use crate::keys::KeyAgreement;
use crate::noise::NoiseShares;
use crate::round::{Inbox, Outbox, Progress, Task};
use crate::verified::Unverified;

/// Rounds before the first morsel: nonces and keys, and their confirmation.
const ROUNDS_BEFORE: u64 = 2;

/// What a run of a program, lowered for `study`, on `rows` rows makes helpers do; of the bytes, those of the rounds that
/// compute. `None` if the study's helpers cannot run it.
pub fn rehearse(program: &Program, study: &Study, rows: u64, rng: &mut dyn CryptoRng) -> Option<Workload> {
    if program.is_linear() {
        let terms = terms(program) * rows;
        let (rounds, bytes) = noise_traffic(program, study.sharing.helpers.into());
        let rounds = 1 + rounds;
        return Some(Workload { rows, rounds, turns: rounds, terms, bytes, ..Workload::default() });
    }
    match study.field {
        FieldId::F61 => of_field::<F61>(program, study, rows, rng),
        FieldId::F127 => of_field::<F127>(program, study, rows, rng),
        FieldId::F256 => None,
    }
}

impl<F: NamedField> RowPlan<F> {
    /// What `rows` rows of `program`, which this is the plan of, make the workers of a session do, but for rounds and bytes.
    pub fn work(&self, program: &Program, session: &Session, rows: u64) -> Workload {
        let phases = || self.schedule().passes.iter().flat_map(|pass| &pass.phases);
        let threshold = session.member().threshold() as u64;
        let sum = |count: fn(&Phase) -> usize| rows * phases().map(count).sum::<usize>() as u64;
        Workload {
            rows,
            ands: rows * self.ands() as u64,
            // A truth's parts are folded by products, of which a count adds up the last ones first.
            products: sum(|phase| phase.products.iter().map(Vec::len).sum())
                + threshold * sum(|phase| phase.numbers.len())
                + (threshold - 1) * sum(|phase| phase.counted.len()),
            conversions: sum(|phase| phase.converted.len()),
            numbers: sum(|phase| phase.numbers.len() + phase.counted.len()),
            terms: rows * terms(program),
            ..Workload::default()
        }
    }
}

/// The round in which noise is drawn, and what a member of a quorum of so many sends in it; nothing where none is.
fn noise_traffic(program: &Program, quorum: u64) -> (u64, u64) {
    let bytes = |noise: &Noise| u64::from(noise.count) * noise.field.bytes() as u64;
    let share: u64 = program.noise.iter().map(bytes).sum();
    (u64::from(!program.noise.is_empty()), share * quorum.saturating_sub(1))
}

/// Numbers of a row that a worker reads or adds up.
fn terms(program: &Program) -> u64 {
    let of_row = |instruction: &RowInstruction| match instruction {
        RowInstruction::Linear { terms, .. } => terms.len(),
        _ => 0,
    };
    let of_reduction = |reduction: &Reduction| match reduction {
        Reduction::Sum { .. } | Reduction::Dot(..) => 1,
        Reduction::Count(_) => 0,
    };
    let row: usize = program.row.iter().map(of_row).sum();
    let reductions: usize = program.reductions.iter().map(of_reduction).sum();
    (program.columns_read().len() + row + reductions) as u64 + program.elements()
}

/// All workers of a rehearsal.
struct Stage<F: NamedField> {
    program: Arc<Program>,
    columns: Vec<ColumnBits>,
    sessions: Vec<Session>,
    rows: Vec<Arc<RowPlan<F>>>,
    scalars: Vec<Arc<ScalarPlan<F>>>,
}

/// One pass over the rows.
struct PassTraffic {
    morsel: Traffic,
    scalars: Traffic,
}

/// Rounds, and bytes of all workers together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Traffic {
    rounds: u64,
    bytes: u64,
}

fn of_field<F: NamedField>(
    program: &Program,
    study: &Study,
    rows: u64,
    rng: &mut dyn CryptoRng,
) -> Option<Workload> {
    let plan = Plan::of(program, study, rows);
    let stage = Stage::<F>::new(program, study, &plan, rows, rng)?;
    let [one, full, two] = [1, LANES, 2 * LANES].map(|rows| stage.passes(rows).ok());
    let morsels = rows.div_ceil(plan.morsel_rows.into());
    let mut workload = stage.rows[0].work(program, &stage.sessions[0], rows);
    let (of_noise, bytes_of_noise) = noise_traffic(program, stage.sessions.len() as u64);
    let before = ROUNDS_BEFORE + of_noise;
    (workload.rounds, workload.turns) = (before, before);
    for ((one, full), two) in one?.iter().zip(full?).zip(two?) {
        workload.rounds += morsels.div_ceil(Plan::LANES.into()) * full.morsel.rounds + full.scalars.rounds;
        workload.turns += morsels * full.morsel.rounds + full.scalars.rounds;
        let sizes = [one, &full, &two].map(|pass| pass.morsel.bytes);
        workload.bytes += bytes_of_rows(sizes, rows, morsels)? + full.scalars.bytes;
    }
    workload.bytes = workload.bytes.div_ceil(stage.sessions.len() as u64) + bytes_of_noise;
    Some(workload)
}

/// What a pass over `rows` rows in so many morsels sends, where morsels of 1, 64 and 128 rows send this: each of them
/// `rest + words * of_word + rows * of_row`.
fn bytes_of_rows([one, full, two]: [u64; 3], rows: u64, morsels: u64) -> Option<u64> {
    let word = LANES as u64;
    let of_row = full.checked_sub(one)? / (word - 1);
    let rest = (2 * full).checked_sub(two)?;
    let of_word = one.checked_sub(rest + of_row)?;
    Some(morsels * rest + rows.div_ceil(word) * of_word + rows * of_row)
}

impl<F: NamedField> Stage<F> {
    fn new(
        program: &Program,
        study: &Study,
        plan: &Plan,
        rows: u64,
        rng: &mut dyn CryptoRng,
    ) -> Option<Self> {
        let columns = column_bits(study);
        let program = Arc::new(program.clone());
        let shape = match plan.adder {
            Adder::Serial => Shape::Serial,
            Adder::Prefix => Shape::Prefix,
        };
        let mut stage = Stage {
            program,
            columns,
            sessions: sessions(study, rng)?,
            rows: Vec::new(),
            scalars: Vec::new(),
        };
        for session in &mut stage.sessions {
            stage.rows.push(Arc::new(RowPlan::new(&stage.program, &stage.columns, shape, session)));
            stage.scalars.push(Arc::new(ScalarPlan::new(&stage.program, rows, session)));
        }
        Some(stage)
    }

    /// All passes over one morsel of `rows` rows, each with the scalars that follow it.
    fn passes(&self, rows: usize) -> Result<Vec<PassTraffic>, EngineError> {
        let passes = self.rows.first().map_or(0, |plan| plan.schedule().passes());
        let mut carried: Vec<Carried> = self.sessions.iter().map(|_| Carried::default()).collect();
        let mut decided: Vec<Arc<Decided>> = self.sessions.iter().map(|_| Arc::default()).collect();
        let mut scalars: Vec<ScalarTask<F>> = Vec::new();
        let mut traffic = Vec::with_capacity(passes);
        for pass in 0..passes {
            let before = std::mem::take(&mut carried).into_iter().zip(&decided);
            let mut tasks = self.row_tasks(pass, rows, before);
            let morsel = self.drive(&mut tasks)?;
            let (sums, after): (Vec<Sums<F>>, _) = tasks.into_iter().map(RowTask::finish).unzip();
            carried = after;
            if pass == 0 {
                let started = self.sessions.iter().zip(&self.scalars).zip(sums);
                let noise = || Unverified::new(NoiseShares::zeros(&self.program.noise));
                scalars = started.map(|((session, plan), sums)| plan.start(session, sums, noise())).collect();
            } else {
                scalars.iter_mut().zip(sums).for_each(|(task, sums)| task.next_pass(sums));
            }
            traffic.push(PassTraffic { morsel, scalars: self.drive(&mut scalars)? });
            decided = scalars.iter_mut().map(|task| Arc::new(task.take_decided())).collect();
        }
        Ok(traffic)
    }

    /// All workers' tasks of a pass over a morsel, with what comes of the pass before.
    fn row_tasks<'a>(
        &self,
        pass: usize,
        rows: usize,
        before: impl Iterator<Item = (Carried, &'a Arc<Decided>)>,
    ) -> Vec<RowTask<F>> {
        let plans = self.sessions.iter().zip(&self.rows);
        let start = |((session, plan), (carried, decided)): ((&Session, &Arc<RowPlan<F>>), (_, _))| {
            plan.start_pass(
                session,
                self.morsel(session, plan.schedule(), pass, rows),
                pass,
                carried,
                decided,
            )
        };
        plans.zip(before).map(start).collect()
    }

    /// The shares of `rows` rows of zeros that a pass reads: those after the first read none.
    fn morsel(&self, session: &Session, schedule: &Schedule, pass: usize, rows: usize) -> Morsel<F> {
        let (mut columns, mut bits) = (BTreeMap::new(), BTreeMap::new());
        if pass == 0 {
            let width = session.workers().layout().width() * words(rows);
            let zeros = |column: &u32| {
                let bits = self.columns[*column as usize].width() as usize;
                (*column, Zeroizing::new(vec![0; bits * width]))
            };
            columns = schedule.columns().iter().map(|column| (*column, Shares::zeros(rows))).collect();
            bits = schedule.bit_columns().iter().map(zeros).collect();
        }
        Morsel { first_row: 0, rows, columns, bits }
    }

    /// Drives all workers' tasks to their end.
    fn drive<T: Task>(&self, tasks: &mut [T]) -> Result<Traffic, EngineError> {
        let me = |session: &Session| session.member().me();
        let mut traffic = Traffic { rounds: 0, bytes: 0 };
        loop {
            let mut inboxes: BTreeMap<HelperNumber, BTreeMap<HelperNumber, Vec<u8>>> = BTreeMap::new();
            let mut progress = Progress::Ended;
            for (session, task) in self.sessions.iter().zip(tasks.iter_mut()) {
                let mut outbox = Outbox::new();
                progress = task.advance(&mut outbox);
                for (to, blob) in outbox.into_blobs() {
                    traffic.bytes += blob.len() as u64;
                    inboxes.entry(to).or_default().insert(me(session), blob);
                }
            }
            if progress == Progress::Ended {
                return Ok(traffic);
            }
            traffic.rounds += 1;
            for (session, task) in self.sessions.iter().zip(tasks.iter_mut()) {
                let received = inboxes.remove(&me(session)).unwrap_or_default();
                let mut inbox = Inbox::new(&received);
                task.receive(&mut inbox)?;
                inbox.finish()?;
            }
        }
    }
}

/// One session of the first `2t + 1` helpers.
fn sessions(study: &Study, rng: &mut dyn CryptoRng) -> Option<Vec<Session>> {
    let scheme = Scheme::shamir(study.sharing.helpers, study.sharing.threshold).ok()?;
    let workers: Vec<HelperNumber> = scheme.numbers().take(scheme.workers()).collect();
    let keys = keys(&scheme, &workers, rng)?;
    workers.iter().zip(keys).map(|(me, keys)| Session::new(scheme, *me, &workers, keys)).collect()
}

/// All workers' keys; `None` where the scheme has no pseudo-random sharing.
fn keys(scheme: &Scheme, workers: &[HelperNumber], rng: &mut dyn CryptoRng) -> Option<Vec<SessionKeys>> {
    let nothing = Digest([0; 32]);
    let agreement = |me: &HelperNumber| KeyAgreement::new(scheme, *me, workers, &nothing, rng);
    let agreements: Vec<KeyAgreement> = workers.iter().map(agreement).collect::<Option<_>>()?;
    let offers = |to: &HelperNumber| {
        let others = workers.iter().zip(&agreements).filter(|(from, _)| *from != to);
        others.map(|(from, agreement)| (*from, agreement.offer(*to))).collect()
    };
    let offers: Vec<BTreeMap<HelperNumber, Vec<[u8; 32]>>> = workers.iter().map(offers).collect();
    // Nobody has to confirm what one process made.
    let combine = |(agreement, offers): (KeyAgreement, &_)| {
        agreement.combine(offers).ok()?.confirm(&nothing, &BTreeMap::new()).ok()
    };
    agreements.into_iter().zip(&offers).map(combine).collect()
}
