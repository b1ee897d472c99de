//! The state machine itself: one event in, actions out.

use std::collections::BTreeMap;

use quorate_federation::FederationError;
use quorate_hash::Digest;
use quorate_wire::{AskedBefore, Code, Refusal, RunRequest, SealRequest, Signed, Status, limits};
use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};

use crate::asked::Asked;
use crate::context::Context;
use crate::event::Reply;
use crate::frame::{ABORT, Frame, HELLO, VERSION};
use crate::ledger::Ledger;
use crate::recent::Recent;
use crate::run::{Others, Run, RunOpening};
use crate::seal::{Opening, Seal};
use crate::spent::Spent;
use crate::study::{State, Studies, refuse_signed};
use crate::upload::Uploads;
use crate::{Action, CheckedUpload, Computed, Config, Event, Records, RecordsError, Request, Ticket};

/// A helper that cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// This helper's key is not in the federation file.
    #[error(transparent)]
    Federation(#[from] FederationError),
    /// The store cannot be read.
    #[error(transparent)]
    Records(#[from] RecordsError),
    /// A record that this helper wrote itself does not read: written by another version, or damaged.
    #[error(
        "the stored {what} does not read: {reason}; restore this helper's data directory from a backup of this version"
    )]
    Record {
        /// Which record.
        what: String,
        /// Why.
        reason: String,
    },
}

/// The message that opens an attempt.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum First {
    /// A seal.
    Seal(Opening),
    /// A run.
    Run(RunOpening),
}

/// One helper.
#[derive(Debug)]
pub struct Coordinator {
    config: Config,
    number: u8,
    /// Names this life; drawn at the first event.
    boot: Option<[u8; 16]>,
    next_batch: u64,
    stopping: bool,
    studies: Studies,
    uploads: Uploads,
    /// By attempt; at most one works on a study at a time.
    seals: BTreeMap<Digest, Seal>,
    /// By attempt.
    runs: BTreeMap<Digest, Run>,
    spent: Spent,
    /// Each peer's life, as last heard of.
    lives: BTreeMap<u8, [u8; 16]>,
    recent: Recent,
}

impl Coordinator {
    /// A helper with what is durable from earlier lives. Attempts of earlier lives are gone; nothing resumes them.
    pub fn new(config: Config, records: &dyn Records) -> Result<Self, StartError> {
        let number = config.federation.number_of(&config.key.public())?;
        let studies = Studies::load(&config, records)?;
        Ok(Coordinator {
            config,
            number,
            boot: None,
            next_batch: 0,
            stopping: false,
            studies,
            uploads: Uploads::default(),
            seals: BTreeMap::new(),
            runs: BTreeMap::new(),
            spent: Spent::default(),
            lives: BTreeMap::new(),
            recent: Recent::default(),
        })
    }

    /// This helper's number in the federation.
    pub fn number(&self) -> u8 {
        self.number
    }

    /// Seals and runs in memory, working or over and not yet forgotten.
    pub fn attempts(&self) -> usize {
        self.seals.len() + self.runs.len()
    }

    /// Takes one event. `now_ms` is a monotonic clock in milliseconds; `rng` is the operating system's randomness
    /// in a helper and seeded in the simulator.
    pub fn step(
        &mut self,
        event: Event,
        rng: &mut dyn CryptoRng,
        now_ms: u64,
        records: &dyn Records,
    ) -> Vec<Action> {
        let is_first = self.boot.is_none();
        let boot = *self.boot.get_or_insert_with(|| {
            let mut boot = [0; 16];
            rng.fill_bytes(&mut boot);
            boot
        });
        let mut actions = Vec::new();
        let mut cx = Context {
            rng,
            now_ms,
            records,
            config: &self.config,
            number: self.number,
            boot,
            lives: &mut self.lives,
            recent: &mut self.recent,
            actions: &mut actions,
            next_batch: &mut self.next_batch,
        };
        if is_first {
            let writes = self.studies.abandon_unsigned(records);
            if !writes.is_empty() {
                cx.store(writes);
            }
        }
        let mut parts = Parts {
            stopping: &mut self.stopping,
            studies: &mut self.studies,
            uploads: &mut self.uploads,
            seals: &mut self.seals,
            runs: &mut self.runs,
            spent: &mut self.spent,
        };
        parts.take(event, &mut cx);
        actions
    }
}

/// The coordinator's state, apart from what [`Context`] lends.
struct Parts<'a> {
    stopping: &'a mut bool,
    studies: &'a mut Studies,
    uploads: &'a mut Uploads,
    seals: &'a mut BTreeMap<Digest, Seal>,
    runs: &'a mut BTreeMap<Digest, Run>,
    spent: &'a mut Spent,
}

impl Parts<'_> {
    fn take(&mut self, event: Event, cx: &mut Context<'_>) {
        match event {
            Event::Request { ticket, .. } if *self.stopping => cx.reply(ticket, Err(stopping())),
            Event::Request { ticket, request } => self.take_request(ticket, request, cx),
            Event::Peer { from, frame } => self.take_frame(from, frame, cx),
            Event::Stored { batch } => self.take_stored(batch, cx),
            Event::Computed(computed) => self.take_computed(computed, cx),
            Event::Tick => self.tick(cx),
            Event::Continue => {
                self.each_run(cx, |run, entry, cx| {
                    if run.is_computing() {
                        run.advance(entry, cx);
                    }
                });
                if self.seals.values().any(Seal::is_computing) {
                    self.advance_seals(cx);
                }
            }
            Event::Stop => self.stop(cx),
        }
    }

    fn take_request(&mut self, ticket: Ticket, request: Request, cx: &mut Context<'_>) {
        match request {
            Request::CreateStudy(signed) => self.studies.create(ticket, &signed, cx),
            Request::Upload(upload) => self.upload(ticket, upload, cx),
            Request::Seal(signed) => {
                if let Err(refusal) = self.seal(Some(ticket), signed, cx) {
                    cx.reply(ticket, Err(refusal));
                }
            }
            Request::Run(signed) => {
                if let Err(refusal) = self.run(Some(ticket), signed, cx) {
                    cx.reply(ticket, Err(refusal));
                }
            }
            Request::Asked(id) => {
                let asked = self.studies.get(&id).and_then(|_| Asked::load(&id, cx.records));
                let reply = asked.map(|asked| Reply::Asked(AskedBefore { circuits: asked.circuits() }));
                cx.reply(ticket, reply);
            }
            Request::Budget(id) => {
                let ledger = self.studies.get(&id).and_then(|_| Ledger::load(&id, cx.records));
                cx.reply(ticket, ledger.map(|ledger| Reply::Budget(ledger.told(cx.number))));
            }
            Request::Study(id) => {
                let reply = self.studies.get(&id).map(|entry| Reply::Study(entry.kept.clone()));
                cx.reply(ticket, reply);
            }
            Request::Status => {
                let sealing =
                    |id: &Digest| self.seals.values().any(|seal| seal.is_working() && seal.study() == id);
                let status = Status {
                    helper: cx.number,
                    federation: *cx.config.federation.id(),
                    version: env!("CARGO_PKG_VERSION").into(),
                    connected: Vec::new(),
                    round_trips_us: BTreeMap::new(),
                    recent_runs: cx.recent.total(),
                    studies: self.studies.status(cx.records, sealing),
                };
                cx.reply(ticket, Ok(Reply::Status(status)));
            }
        }
    }

    fn upload(&mut self, ticket: Ticket, upload: CheckedUpload, cx: &mut Context<'_>) {
        let sealing = self.seals.values().any(|seal| seal.is_working() && seal.study() == upload.study());
        let capacity = self.studies.get(upload.study()).and_then(|entry| match entry.state {
            State::Open if !sealing => Ok(entry.kept.study.capacity),
            State::Open | State::Prepared(_) => Err(Refusal::new(Code::Policy, "the study is being sealed")
                .hint("if the seal does not succeed, contributions are taken again")),
            State::Sealed(_) => {
                Err(Refusal::new(Code::Policy, "the study is sealed: it takes no contributions any more"))
            }
        });
        match capacity {
            Ok(capacity) => self.uploads.take(ticket, upload, capacity, cx),
            Err(refusal) => cx.reply(ticket, Err(refusal)),
        }
    }

    /// Begins a seal or joins the one that the same request began. A new request ends an older attempt on the study.
    fn seal(&mut self, ticket: Option<Ticket>, signed: Signed, cx: &mut Context<'_>) -> Result<(), Refusal> {
        let attempt = signed.digest::<SealRequest>();
        if !self.seals.contains_key(&attempt) {
            let request: SealRequest = signed.open().map_err(refuse_signed)?;
            let entry = self.studies.get_mut(&request.study)?;
            if let (State::Sealed(manifest), Some(ticket)) = (&entry.state, ticket) {
                cx.reply(ticket, Ok(Reply::Sealed(manifest.clone())));
                return Ok(());
            }
            check_unspent(self.spent, &attempt, cx)?;
            check_room(self.seals.len())?;
            if self.seals.values().any(|other| *other.study() == request.study && other.is_committing()) {
                let refusal = Refusal::new(Code::Unavailable, "a seal of this study is being completed");
                return Err(refusal.hint("try again in a second"));
            }
            let seal = Seal::begin(signed, entry, cx)?;
            for older in self.seals.values_mut().filter(|other| *other.study() == request.study) {
                let refusal =
                    Refusal::new(Code::Unavailable, "a newer request to seal this study replaced this one");
                older.fail(refusal, entry, cx);
            }
            self.spent.add(attempt);
            self.seals.insert(attempt, seal);
        }
        if let (Some(ticket), Some(seal)) = (ticket, self.seals.get_mut(&attempt)) {
            seal.ending().wait(ticket, cx);
        }
        self.advance_seals(cx);
        Ok(())
    }

    /// Begins a run, or joins or repeats the one that the same request began.
    fn run(&mut self, ticket: Option<Ticket>, signed: Signed, cx: &mut Context<'_>) -> Result<(), Refusal> {
        let attempt = signed.digest::<RunRequest>();
        if !self.runs.contains_key(&attempt) {
            let request: RunRequest = signed.open().map_err(refuse_signed)?;
            if let Some(reply) = Run::finished(&attempt, cx.records)? {
                let Some(ticket) = ticket else { return Err(over(cx.number)) };
                cx.reply(ticket, Ok(Reply::Ran(reply)));
                return Ok(());
            }
            check_unspent(self.spent, &attempt, cx)?;
            check_room(self.runs.values().filter(|run| run.is_working()).count())?;
            let entry = self.studies.get(&request.study)?;
            let others = self.others(&request.study, &signed);
            self.runs.insert(attempt, Run::begin(signed, entry, others, cx)?);
            self.spent.add(attempt);
        }
        if let Some(run) = self.runs.get_mut(&attempt) {
            if let Some(ticket) = ticket {
                run.ending().wait(ticket, cx);
            }
            run.advance(self.studies.get(run.study())?, cx);
        }
        Ok(())
    }

    /// The runs on a study that are under way, for whoever signed another request.
    fn others(&self, study: &Digest, signed: &Signed) -> Others {
        let working = || self.runs.values().filter(|run| run.is_working() && run.study() == study);
        Others {
            is_remembering: working().any(Run::is_remembering),
            is_spending: working().any(Run::is_spending),
            of_analyst: working().filter(|run| *run.analyst() == signed.key).count() as u64,
        }
    }

    fn take_frame(&mut self, from: u8, bytes: Vec<u8>, cx: &mut Context<'_>) {
        // What does not decode or is of another version is dropped: its sender's attempt stalls and says who is missing.
        let Some(frame) = Frame::read(bytes) else { return };
        if frame.header.version != VERSION || from == cx.number {
            return;
        }
        let scope = frame.header.scope;
        if frame.header.round == ABORT {
            return self.take_abort(from, &frame, cx);
        }
        cx.lives.insert(from, frame.header.boot);
        if frame.header.to != cx.boot {
            // Said to an earlier life of this helper, or before the sender had heard of this one: it may be of an
            // instance of the attempt that is gone. Who lives sends it again, to whom it now knows.
            if frame.header.round != HELLO {
                cx.actions.push(Action::Send {
                    to: from,
                    frame: Frame::hello(scope, frame.header.lane, frame.header.boot, cx.boot),
                });
            }
            return;
        }
        let is_known = self.seals.contains_key(&scope) || self.runs.contains_key(&scope);
        if !is_known && let Err(refusal) = self.meet(from, &frame, cx) {
            return cx.actions.push(Action::Send { to: from, frame: Frame::abort(scope, &refusal, cx.boot) });
        }
        if let Some(seal) = self.seals.get_mut(&scope) {
            let is_drained = !self.uploads.has_pending(seal.study());
            if let Ok(entry) = self.studies.get_mut(seal.study()) {
                seal.receive(from, frame, entry, is_drained, cx);
            }
        } else if let Some(run) = self.runs.get_mut(&scope)
            && let Ok(entry) = self.studies.get(run.study())
        {
            run.receive(from, frame, entry, cx);
        }
    }

    /// A member opened an attempt that this helper has not heard of from a client.
    fn meet(&mut self, from: u8, frame: &Frame, cx: &mut Context<'_>) -> Result<(), Refusal> {
        if *self.stopping {
            return Err(stopping());
        }
        if frame.header.round != 0 || frame.header.lane != 0 {
            let message = format!(
                "helper {} does not know the attempt: it restarted, or the attempt is over",
                cx.number
            );
            return Err(Refusal::new(Code::Unavailable, message).hint("try again").about(vec![cx.number]));
        }
        let first: First =
            quorate_wire::decode(frame.body.as_slice(), limits::MESSAGE_MAX).map_err(|error| {
                let message = format!("helper {from} opened an attempt that does not read: {error}");
                Refusal::new(Code::Malformed, message).about(vec![from])
            })?;
        let (signed, digest, is_seal) = match first {
            First::Seal(Opening { signed, .. }) => (signed.clone(), signed.digest::<SealRequest>(), true),
            First::Run(RunOpening { signed, .. }) => (signed.clone(), signed.digest::<RunRequest>(), false),
        };
        if digest != frame.header.scope {
            let message = format!("helper {from} opened an attempt under another name than its request has");
            return Err(Refusal::new(Code::Malformed, message).about(vec![from]));
        }
        if is_seal { self.seal(None, signed, cx) } else { self.run(None, signed, cx) }
    }

    fn take_computed(&mut self, Computed { place, outcome }: Computed, cx: &mut Context<'_>) {
        // It may be of an attempt that is over.
        if let Some(seal) = self.seals.get_mut(&place.attempt) {
            let is_drained = !self.uploads.has_pending(seal.study());
            if let Ok(entry) = self.studies.get_mut(seal.study()) {
                seal.computed(place.lane, outcome, entry, is_drained, cx);
            }
        } else if let Some(run) = self.runs.get_mut(&place.attempt)
            && let Ok(entry) = self.studies.get(run.study())
        {
            run.computed(place.lane, outcome, entry, cx);
        }
    }

    fn take_abort(&mut self, from: u8, frame: &Frame, cx: &mut Context<'_>) {
        let mut refusal = frame.refusal(from);
        refusal.message = format!("helper {from}: {}", printable(&refusal.message));
        refusal.hint = refusal.hint.map(|hint| printable(&hint));
        if let Some(seal) = self.seals.get_mut(&frame.header.scope) {
            if let Ok(entry) = self.studies.get_mut(seal.study()) {
                seal.aborted(from, refusal, entry, cx);
            }
        } else if let Some(run) = self.runs.get_mut(&frame.header.scope) {
            run.aborted(from, refusal, cx);
        }
    }

    fn take_stored(&mut self, batch: u64, cx: &mut Context<'_>) {
        self.uploads.stored(batch, cx);
        self.studies.stored(batch, cx);
        for seal in self.seals.values_mut() {
            let is_drained = !self.uploads.has_pending(seal.study());
            if let Ok(entry) = self.studies.get_mut(seal.study()) {
                seal.stored(batch, entry, is_drained, cx);
            }
        }
        self.each_run(cx, |run, entry, cx| run.stored(batch, entry, cx));
        self.advance_seals(cx);
    }

    fn tick(&mut self, cx: &mut Context<'_>) {
        for seal in self.seals.values_mut() {
            if let Ok(entry) = self.studies.get_mut(seal.study()) {
                seal.tick(entry, cx);
            }
        }
        self.each_run(cx, Run::tick);
        self.seals.retain(|_, seal| !seal.ending().is_forgettable(cx));
        self.runs.retain(|_, run| !run.ending().is_forgettable(cx));
    }

    fn stop(&mut self, cx: &mut Context<'_>) {
        *self.stopping = true;
        self.uploads.refuse_waiting(&stopping(), cx);
        for seal in self.seals.values_mut() {
            if let Ok(entry) = self.studies.get_mut(seal.study()) {
                seal.fail(stopping(), entry, cx);
            }
        }
        self.each_run(cx, |run, _, cx| run.fail(stopping(), cx));
    }

    fn advance_seals(&mut self, cx: &mut Context<'_>) {
        for seal in self.seals.values_mut() {
            let is_drained = !self.uploads.has_pending(seal.study());
            if let Ok(entry) = self.studies.get_mut(seal.study()) {
                seal.advance(entry, is_drained, cx);
            }
        }
    }

    fn each_run(
        &mut self,
        cx: &mut Context<'_>,
        mut act: impl FnMut(&mut Run, &crate::study::Entry, &mut Context<'_>),
    ) {
        for run in self.runs.values_mut() {
            if let Ok(entry) = self.studies.get(run.study()) {
                act(run, entry, cx);
            }
        }
    }
}

/// Text of another helper's, cut and without control characters: it reaches somebody's terminal.
fn printable(text: &str) -> String {
    text.chars().filter(|c| *c == '\n' || !c.is_control()).take(TEXT_MAX).collect()
}

/// Characters of another helper's text that are passed on.
const TEXT_MAX: usize = 2_000;

fn check_unspent(spent: &Spent, attempt: &Digest, cx: &Context<'_>) -> Result<(), Refusal> {
    if spent.contains(attempt) { Err(over(cx.number)) } else { Ok(()) }
}

fn check_room(attempts: usize) -> Result<(), Refusal> {
    if attempts < limits::ATTEMPTS_MAX {
        return Ok(());
    }
    Err(Refusal::new(Code::Busy, "the helper works on as many seals and runs as it may")
        .hint("try again in a minute"))
}

/// An attempt that ended here never begins again, whoever else has lost it: what it answered stays the same.
pub(crate) fn over(me: u8) -> Refusal {
    let message = format!("the attempt is over at helper {me}, and none begins twice");
    Refusal::new(Code::Unavailable, message).hint("try again with a fresh request").about(vec![me])
}

fn stopping() -> Refusal {
    Refusal::new(Code::Busy, "the helper is stopping").hint("try again when it is up")
}
