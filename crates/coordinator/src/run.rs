//! Runs: one circuit on one sealed study by one quorum.
//!
//! First every member tells every other one a fresh nonce, so that all are in one session, and what it knows was spent of the
//! study's budget. For a linear program each then works on its own columns, once noise is drawn if it has any; for others they
//! make keys and compute together, in lanes. Each answers the analyst. A
//! finished run is durable before it is answered, and asking again gives the identical bytes; an unfinished one does not
//! survive a restart.

mod draw;
mod request;
mod scan;
mod work;

use quorate_circuit::{Compiled, Plan, Program, Workload};
use quorate_engine::interpret::Session;
use quorate_engine::keys::{KeyAgreement, UnconfirmedKeys};
use quorate_engine::session::{Terms, session};
use quorate_federation::PublicKey;
use quorate_hash::Digest;
use quorate_wire::{Blob, Code, Elements, Refusal, RunReply, RunRequest, SealedReply, Signed};
use serde::{Deserialize, Serialize};

use crate::asked::{Asked, charge};
use crate::compute::Outcome;
use crate::context::Context;
use crate::coordinator::{First, over};
use crate::ending::Ending;
use crate::event::Reply;
use crate::exchange::Exchange;
use crate::frame::Frame;
use crate::lane::{self, Lane};
use crate::ledger::{Charge, Spending};
use crate::seal::{Confirmation, blame, check_cohort, key_offers, read_all, same_session, unreadable};
use crate::study::{Entry, refuse_signed, to_json};
use crate::{Action, Records, Write};
use request::{
    cannot_multiply, check_memory, check_plan, check_request, check_rules, check_workers, compile,
    remembered, sealed,
};
use scan::Scan;
use work::Work;

/// Round 0: the request and this member's nonce.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct RunOpening {
    pub(crate) signed: Signed,
    /// For a program that is not linear: 32 bytes for every key that both hold. Secret.
    pub(crate) keys: Blob,
    /// For a run that costs something of a study's budget: what the sender knows was spent.
    charges: Vec<Charge>,
    pub(crate) nonce: [u8; 32],
}

/// One attempt to run one circuit.
pub(crate) struct Run {
    attempt: Digest,
    request: RunRequest,
    program: Program,
    exchange: Exchange,
    /// For a program that is linear, one, in which nothing is sent but noise.
    lanes: Vec<Lane>,
    nonce: [u8; 32],
    stage: Stage,
    ending: Ending<SealedReply>,
    /// Who asks.
    analyst: PublicKey,
    /// What of the study was asked with this, if its answer changes what this helper remembers of that.
    asked: Option<Asked>,
    /// What it costs, if that is anything.
    spending: Option<Spending>,
}

/// Other runs on the same study that are under way.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Others {
    /// Whether one of them is about to be remembered.
    pub(crate) is_remembering: bool,
    /// Whether one of them costs something.
    pub(crate) is_spending: bool,
    /// How many are the same analyst's.
    pub(crate) of_analyst: u64,
}

/// Encoded result shares: of the outputs, and of the vectors.
struct ResultShares {
    outputs: Vec<String>,
    vectors: Vec<Elements>,
}

enum Stage {
    /// The nonce was sent.
    Opening { keys: Option<KeyAgreement> },
    /// What the session and its keys are was sent.
    Confirming { session: Digest, keys: UnconfirmedKeys },
    /// What is asked is being made durable, before anything is computed.
    Remembering { batch: u64, session: Digest, worker: Box<Session> },
    /// The members compute together.
    Working { session: Digest, work: Work },
    /// Columns are being read.
    Scanning { session: Digest, scan: Scan },
    /// The answer is being made durable.
    Storing { batch: u64, reply: SealedReply },
    /// Nothing more happens.
    Over,
}

const RUN: &[u8] = b"run/";

impl Run {
    /// The answer of an earlier run of the same request.
    pub(crate) fn finished(attempt: &Digest, records: &dyn Records) -> Result<Option<SealedReply>, Refusal> {
        let record = records.control(&key_of(attempt)).map_err(unreadable)?;
        record.map(|record| serde_json::from_slice(&record).map_err(unreadable)).transpose()
    }

    /// Checks a request against the study's rules and begins.
    pub(crate) fn begin(
        signed: Signed,
        entry: &Entry,
        others: Others,
        cx: &mut Context<'_>,
    ) -> Result<Self, Refusal> {
        let request: RunRequest = signed.open().map_err(refuse_signed)?;
        let manifest = check_request(&request, &signed, entry, cx)?;
        let compiled = compile(&request, entry)?;
        let plan = Plan::of(&compiled.program, &entry.kept.study, manifest.rows);
        check_plan(&request, &compiled.program, &plan)?;
        check_cohort(manifest.contributions, entry.kept.study.policy.min_cohort)?;
        let analyst = signed.key;
        check_rules(&request, manifest, &analyst, entry, others, cx)?;
        let asked = remembered(&request, &compiled, entry, others, cx)?;
        let Compiled { program, .. } = compiled;
        let attempt = signed.digest::<RunRequest>();
        let me = (cx.number, cx.records);
        let spending = Spending::begin(&request, attempt, program.loss, entry, others.is_spending, me)?;
        let mut exchange = Exchange::new(attempt, 0, &request.quorum, cx);
        let nonce = cx.random();
        let (mut keys, mut lanes) = (None, 1);
        if !program.is_linear() {
            check_workers(&request, entry)?;
            check_memory(&program, &plan, entry, manifest.rows)?;
            let federation = cx.config.federation.id();
            keys = KeyAgreement::new(&entry.scheme, cx.number, &request.quorum, federation, cx.rng);
            lanes = Plan::LANES;
        }
        let lanes = (1..=lanes).map(|number| Lane::new(attempt, number, &request.quorum, cx)).collect();
        let charges = spending.as_ref().map(Spending::charges).unwrap_or_default();
        for to in exchange.peers().to_vec() {
            let offer = keys.as_ref().map(|keys| keys.offer(to)).unwrap_or_default();
            let keys = Blob::new(offer.concat());
            let opening = RunOpening { signed: signed.clone(), keys, charges: charges.clone(), nonce };
            exchange.send(to, &First::Run(opening), cx);
        }
        let (stage, ending) = (Stage::Opening { keys }, Ending::new(Reply::Ran));
        Ok(Run { attempt, request, program, exchange, lanes, nonce, stage, ending, analyst, asked, spending })
    }

    /// The study it is about.
    pub(crate) fn study(&self) -> &Digest {
        &self.request.study
    }

    /// Who asks.
    pub(crate) fn analyst(&self) -> &PublicKey {
        &self.analyst
    }

    /// Whether it changes what is remembered and is not yet answered.
    pub(crate) fn is_remembering(&self) -> bool {
        self.is_working() && self.asked.is_some()
    }

    /// Whether it costs something and is not yet answered.
    pub(crate) fn is_spending(&self) -> bool {
        self.is_working() && self.spending.is_some()
    }

    /// How it ends.
    pub(crate) fn ending(&mut self) -> &mut Ending<SealedReply> {
        &mut self.ending
    }

    /// Whether it still goes on.
    pub(crate) fn is_working(&self) -> bool {
        self.ending.is_open()
    }

    /// Takes a member's message.
    pub(crate) fn receive(&mut self, from: u8, frame: Frame, entry: &Entry, cx: &mut Context<'_>) {
        if let Some(refusal) = self.ending.refusal() {
            // Whoever still waits did not hear that it is over.
            cx.actions.push(Action::Send { to: from, frame: Frame::abort(self.attempt, refusal, cx.boot) });
            return;
        }
        match lane::receive(&mut self.exchange, &mut self.lanes, from, frame, cx) {
            Ok(()) => self.advance(entry, cx),
            Err(refusal) if self.is_working() => self.fail(refusal, cx),
            // It was answered here. Whoever lost it by a restart need not wait for what does not come.
            Err(_) => {
                let frame = Frame::abort(self.attempt, &over(cx.number), cx.boot);
                cx.actions.push(Action::Send { to: from, frame });
            }
        }
    }

    /// Takes what was computed for a lane.
    pub(crate) fn computed(&mut self, number: u16, outcome: Outcome, entry: &Entry, cx: &mut Context<'_>) {
        lane::take_computed(&mut self.lanes, number, outcome);
        self.advance(entry, cx);
    }

    /// Goes on: after all nonces, in steps that leave others their turn.
    pub(crate) fn advance(&mut self, entry: &Entry, cx: &mut Context<'_>) {
        loop {
            let moved = match &self.stage {
                Stage::Opening { .. } => self.take_nonces(entry, cx),
                Stage::Confirming { .. } => self.take_confirmations(entry, cx),
                Stage::Working { .. } => self.work(entry, cx).map(|()| false),
                Stage::Scanning { .. } => self.scan(cx).map(|()| false),
                Stage::Remembering { .. } | Stage::Storing { .. } | Stage::Over => Ok(false),
            };
            match moved {
                Ok(true) => {}
                Ok(false) => return,
                Err(refusal) => return self.fail(refusal, cx),
            }
        }
    }

    /// Takes the news that a batch is durable.
    pub(crate) fn stored(&mut self, batch: u64, entry: &Entry, cx: &mut Context<'_>) {
        match std::mem::replace(&mut self.stage, Stage::Over) {
            Stage::Storing { batch: awaited, reply } if awaited == batch => self.end_with(Ok(reply), cx),
            Stage::Remembering { batch: awaited, session, worker } if awaited == batch => {
                match self.begin_work(session, *worker, entry, cx) {
                    Ok(()) => self.advance(entry, cx),
                    Err(refusal) => self.fail(refusal, cx),
                }
            }
            stage => self.stage = stage,
        }
    }

    /// Time passes.
    pub(crate) fn tick(&mut self, entry: &Entry, cx: &mut Context<'_>) {
        let is_drawing = self.is_drawing();
        let ticked = match &self.stage {
            Stage::Opening { .. } | Stage::Confirming { .. } => self.exchange.tick(cx),
            Stage::Remembering { .. } | Stage::Working { .. } => {
                self.lanes.iter_mut().try_for_each(|lane| lane.tick(cx))
            }
            Stage::Scanning { .. } if is_drawing => self.lanes.iter_mut().try_for_each(|lane| lane.tick(cx)),
            Stage::Scanning { .. } | Stage::Storing { .. } | Stage::Over => Ok(()),
        };
        match ticked {
            Err(refusal) => self.fail(refusal, cx),
            // What was drawn leaves now.
            Ok(()) if is_drawing => self.advance(entry, cx),
            Ok(()) => {}
        }
    }

    /// Whether the members' noise is under way.
    fn is_drawing(&self) -> bool {
        match &self.stage {
            Stage::Working { work, .. } => work.is_drawing(),
            Stage::Scanning { scan, .. } => scan.is_drawing(),
            _ => false,
        }
    }

    /// A member says that the attempt is over there.
    pub(crate) fn aborted(&mut self, from: u8, refusal: Refusal, cx: &mut Context<'_>) {
        let needs_members = matches!(
            self.stage,
            Stage::Opening { .. }
                | Stage::Confirming { .. }
                | Stage::Remembering { .. }
                | Stage::Working { .. }
        ) || self.is_drawing();
        if needs_members && self.exchange.peers().contains(&from) {
            self.end_with(Err(refusal), cx);
        }
    }

    /// Ends the attempt here and tells the members.
    pub(crate) fn fail(&mut self, refusal: Refusal, cx: &mut Context<'_>) {
        if self.is_working() {
            self.exchange.abort(&refusal, cx);
            self.end_with(Err(refusal), cx);
        }
    }

    /// Whether it wants [`crate::Event::Continue`].
    pub(crate) fn is_computing(&self) -> bool {
        matches!(self.stage, Stage::Working { .. })
    }

    fn end_with(&mut self, end: Result<SealedReply, Refusal>, cx: &mut Context<'_>) {
        if self.is_working() {
            self.stage = Stage::Over;
            self.lanes.iter_mut().for_each(Lane::end);
            self.ending.set(end, cx);
        }
    }

    fn take_nonces(&mut self, entry: &Entry, cx: &mut Context<'_>) -> Result<bool, Refusal> {
        let Some(messages) = self.exchange.complete() else { return Ok(false) };
        let openings = read_all(&messages, "nonce", |first| match first {
            First::Run(opening) => Some(opening),
            First::Seal(_) => None,
        })?;
        if let Some(spending) = &mut self.spending {
            spending.judge(cx.number, openings.iter().map(|(from, opening)| (*from, &opening.charges)))?;
        }
        let nonce = |member| openings.get(member).map_or(self.nonce, |opening: &RunOpening| opening.nonce);
        let nonces: Vec<[u8; 32]> = self.request.quorum.iter().map(nonce).collect();
        let terms = Terms {
            kind: "run",
            federation: cx.config.federation.id(),
            scheme: &entry.scheme,
            members: &self.request.quorum,
            study: &self.request.study,
            set: &self.request.manifest,
            program: &self.request.program,
            attempt: &self.attempt,
        };
        let session = session(&terms, &nonces);
        let Stage::Opening { keys } = &mut self.stage else { return Ok(false) };
        let Some(keys) = keys.take() else {
            let lane = self.lanes.first_mut();
            let scan = Scan::new(&self.program, entry, sealed(entry)?, &self.request.quorum, lane, cx);
            self.stage = Stage::Scanning { session, scan };
            return Ok(true);
        };
        let offers = key_offers(openings.iter().map(|(member, opening)| (*member, &opening.keys)))?;
        let keys = keys.combine(&offers).map_err(blame)?;
        for to in self.exchange.peers().to_vec() {
            let fingerprints = keys.fingerprints(to, &session);
            self.exchange.send(to, &Confirmation { session, fingerprints }, cx);
        }
        self.stage = Stage::Confirming { session, keys };
        Ok(true)
    }

    /// After the confirmations: the plans.
    fn take_confirmations(&mut self, entry: &Entry, cx: &mut Context<'_>) -> Result<bool, Refusal> {
        let Some(messages) = self.exchange.complete() else { return Ok(false) };
        let Stage::Confirming { session, keys } = std::mem::replace(&mut self.stage, Stage::Over) else {
            return Ok(false);
        };
        let confirmations = same_session(&messages, &session)?;
        let keys = keys.confirm(&session, &confirmations).map_err(blame)?;
        let worker = Session::new(entry.scheme, cx.number, &self.request.quorum, keys);
        let worker = worker.ok_or_else(|| cannot_multiply(entry))?;
        match &self.asked {
            Some(asked) => {
                let batch = cx.store(vec![asked.write(&self.request.study)]);
                self.stage = Stage::Remembering { batch, session, worker: Box::new(worker) };
                Ok(false)
            }
            None => self.begin_work(session, worker, entry, cx).map(|()| true),
        }
    }

    fn begin_work(
        &mut self,
        session: Digest,
        worker: Session,
        entry: &Entry,
        cx: &mut Context<'_>,
    ) -> Result<(), Refusal> {
        let (program, lane) = (self.program.clone(), self.lanes.first_mut());
        let work = Work::new(program, entry, sealed(entry)?, worker, lane, cx);
        self.stage = Stage::Working { session, work };
        Ok(())
    }

    /// Goes on with the computation; after its end, the answer.
    fn work(&mut self, entry: &Entry, cx: &mut Context<'_>) -> Result<(), Refusal> {
        let manifest = sealed(entry)?;
        let Stage::Working { session, work } = &mut self.stage else { return Ok(()) };
        let Some(shares) = work.advance(&mut self.lanes, manifest, cx)? else { return Ok(()) };
        let (session, workload) = (*session, *work.workload());
        self.remember(workload, entry, cx);
        let outputs = shares.iter().map(|share| hex(share)).collect();
        self.answer(&session, ResultShares { outputs, vectors: Vec::new() }, cx)
    }

    /// Notes what the run took.
    fn remember(&self, workload: Workload, entry: &Entry, cx: &mut Context<'_>) {
        let before = self.exchange.rounds();
        let of_lanes = self.lanes.iter().map(Lane::rounds);
        let turns = before + of_lanes.clone().sum::<u64>();
        let rounds = before + of_lanes.max().unwrap_or(0);
        let busy_us = Workload { rounds, turns, ..workload }.busy_us(entry.scheme.threshold());
        cx.recent.add(cx.now_ms - self.exchange.started_ms(), rounds, busy_us);
    }

    /// Has the columns read; after that, the answer.
    fn scan(&mut self, cx: &mut Context<'_>) -> Result<(), Refusal> {
        let Stage::Scanning { session, scan } = &mut self.stage else { return Ok(()) };
        let Some(lane) = self.lanes.first_mut() else { return Ok(()) };
        let Some(shares) = scan.advance(lane, &self.program, cx)? else { return Ok(()) };
        let session = *session;
        self.answer(&session, shares, cx)
    }

    /// Makes the answer durable.
    fn answer(
        &mut self,
        session: &Digest,
        shares: ResultShares,
        cx: &mut Context<'_>,
    ) -> Result<(), Refusal> {
        let ResultShares { outputs, vectors } = shares;
        let signature = RunReply::sign(cx.number, session, &outputs, &vectors, &cx.config.key);
        let in_lanes: u64 = self.lanes.iter().map(Lane::bytes_sent).sum();
        let reply = RunReply {
            helper: cx.number,
            session: *session,
            shares: outputs,
            vectors,
            elapsed_ms: cx.now_ms - self.exchange.started_ms(),
            bytes_to_helpers: self.exchange.bytes_sent() + in_lanes,
            signature,
        };
        let reply = SealedReply::close(&reply, &self.request.reply_key, &self.attempt, &mut cx.rng)
            .map_err(|error| Refusal::new(Code::Malformed, format!("the request's reply key is {error}")))?;
        let study = &self.request.study;
        let mut records = vec![
            charge(study, self.analyst.as_bytes(), &self.attempt),
            Write::Control { key: key_of(&self.attempt), value: to_json(&reply) },
        ];
        records.extend(self.asked.as_ref().map(|asked| asked.answered().write(study)));
        records.extend(self.spending.iter().flat_map(|spending| spending.writes(study)));
        self.stage = Stage::Storing { batch: cx.store(records), reply };
        Ok(())
    }
}

impl std::fmt::Debug for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Run(study {}, attempt {})", self.request.study.short(), self.attempt.short())
    }
}

/// An encoded share as text.
fn hex(share: &[u8]) -> String {
    share.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn key_of(attempt: &Digest) -> Vec<u8> {
    [RUN, attempt.as_bytes()].concat()
}
