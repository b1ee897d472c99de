//! The analyst: runs circuits on the sealed study with changing quorums, and recombines with the real client's code.

use quorate_circuit::{Compiled, Plan, Program, compile_after};
use quorate_client::{AnswerError, answer};
use quorate_coordinator::Reply;
use quorate_federation::EnvelopeOpener;
use quorate_hash::Digest;
use quorate_wire::{Code, RunReply, RunRequest, Signed, SignedManifest, StudyState};

use crate::broken::{Held, broken, hold};
use crate::client::{Actor, Demand, Heard, Round, Turn};
use crate::truth::Truth;

/// The analyst and how far it is.
pub(crate) struct Analyst {
    actor: Actor,
    circuits: Vec<(String, Program)>,
    /// Passes over the rows of the circuit that has most.
    pub(crate) passes: u64,
    stage: Stage,
    calm_attempts: u64,
    /// Attempts to run, in all.
    pub(crate) attempts: u64,
    /// Answers that were right.
    pub(crate) answered: u64,
    /// Of these, without a redundant share.
    pub(crate) unverified: u64,
    /// Of all, to circuits with products or comparisons.
    pub(crate) not_linear: u64,
    /// Of all, to circuits that sum vectors.
    pub(crate) vectors: u64,
    /// Answers in which a liar was named.
    pub(crate) corrected: u64,
    /// Replies that were refused because a liar's shares do not fit.
    pub(crate) inconsistent: u64,
    /// Requests of finished runs, asked again.
    again: Vec<(u8, Demand)>,
    /// Circuits given up because somebody lies.
    pub(crate) given_up: u64,
    /// Of all answers, those with noise in them.
    pub(crate) noisy: u64,
    /// Circuits given up because of the study's budget.
    pub(crate) over_budget: u64,
}

enum Stage {
    Waiting {
        until_ms: u64,
    },
    Polling {
        round: Round,
        until_ms: u64,
    },
    /// Asks a quorum what was asked before.
    Asking {
        round: Round,
        manifest: Box<SignedManifest>,
        quorum: Vec<u8>,
        until_ms: u64,
    },
    Running {
        round: Round,
        demand: Demand,
        program: Box<Program>,
        manifest: Box<SignedManifest>,
        quorum: Vec<u8>,
        until_ms: u64,
    },
}

/// Attempts at one circuit after the faults are over, where somebody may lie.
const LIED_ATTEMPTS_MAX: u64 = 4;

impl Analyst {
    /// An analyst, by position, with circuits to run.
    pub(crate) fn new(position: usize, circuits: Vec<(String, Program)>) -> Self {
        let passes = circuits.iter().map(|(_, program)| program.passes().count()).max().unwrap_or(1);
        Analyst {
            actor: Actor::Analyst(position),
            passes: passes.into(),
            circuits,
            stage: Stage::Waiting { until_ms: 0 },
            calm_attempts: 0,
            attempts: 0,
            answered: 0,
            unverified: 0,
            not_linear: 0,
            vectors: 0,
            corrected: 0,
            inconsistent: 0,
            again: Vec::new(),
            given_up: 0,
            noisy: 0,
            over_budget: 0,
        }
    }

    /// Whether there is nothing more to do.
    pub(crate) fn is_done(&self) -> bool {
        self.circuits.is_empty()
    }

    /// Has nothing more to do: there is no sealed study.
    pub(crate) fn dismiss(&mut self) {
        self.circuits.clear();
    }

    /// Time passes.
    pub(crate) fn turn(&mut self, truth: &Truth, turn: &mut Turn<'_>) -> Held {
        if let Some((helper, demand)) = self.again.last().cloned()
            && turn.chance.hit(100)
        {
            self.again.pop();
            turn.ask(self.actor, helper, demand);
        }
        if self.is_done() {
            return Ok(());
        }
        let all: Vec<u8> = turn.public.scheme.numbers().collect();
        match &mut self.stage {
            Stage::Waiting { until_ms } if turn.now_ms >= *until_ms => {
                let until_ms = turn.now_ms + 400;
                self.stage = Stage::Polling { round: Round::default(), until_ms };
            }
            Stage::Waiting { .. } => {}
            Stage::Polling { round, until_ms } if turn.now_ms < *until_ms => {
                round.ask(self.actor, &all, &Demand::Status, 1_000, turn);
            }
            Stage::Polling { .. } => self.begin(turn)?,
            Stage::Asking { round, quorum, until_ms, .. } => {
                if turn.now_ms < *until_ms && !round.is_complete(quorum) {
                    let (quorum, study) = (quorum.clone(), turn.public.study.id());
                    round.ask(self.actor, &quorum, &Demand::Asked(study), 1_000, turn);
                } else {
                    self.begin_after(turn);
                }
            }
            Stage::Running { round, demand, quorum, until_ms, .. } => {
                let failed = round.heard.values().any(Result::is_err);
                if turn.now_ms < *until_ms && !failed && !round.is_complete(quorum) {
                    let (quorum, demand) = (quorum.clone(), demand.clone());
                    round.ask(self.actor, &quorum, &demand, 2_000, turn);
                } else {
                    return self.conclude(truth, turn);
                }
            }
        }
        Ok(())
    }

    /// Takes an answer.
    pub(crate) fn hear(&mut self, token: u64, heard: Heard) {
        match &mut self.stage {
            Stage::Waiting { .. } => {}
            Stage::Polling { round, .. } | Stage::Asking { round, .. } | Stage::Running { round, .. } => {
                round.hear(token, heard);
            }
        }
    }

    fn pause(&mut self, turn: &mut Turn<'_>) {
        self.stage = Stage::Waiting { until_ms: turn.now_ms + turn.chance.between(100, 1_000) };
    }

    /// Chooses a quorum among the sealing helpers that answer, and asks it.
    fn begin(&mut self, turn: &mut Turn<'_>) -> Held {
        let Stage::Polling { round, .. } = &self.stage else { return Ok(()) };
        let (mut up, mut found): (Vec<u8>, Option<Box<SignedManifest>>) = (Vec::new(), None);
        for (helper, heard) in &round.heard {
            let Ok(Reply::Status(status)) = heard else { continue };
            up.push(*helper);
            for study in &status.studies {
                if let StudyState::Sealed { manifest } = &study.state
                    && is_proved(manifest, turn)
                {
                    let agrees = found.as_ref().is_none_or(|found| found.manifest == manifest.manifest);
                    hold(agrees || turn.has_liars, "all helpers have the same manifest", || {
                        format!("helper {helper} has {}", manifest.manifest.id())
                    })?;
                    found.get_or_insert_with(|| manifest.clone());
                }
            }
        }
        let Some(manifest) = found else {
            self.pause(turn);
            return Ok(());
        };
        if manifest.manifest.rows < turn.public.study.policy.disclosure.min_group {
            self.dismiss();
            return Ok(());
        }
        let mut quorum: Vec<u8> =
            manifest.manifest.members.iter().copied().filter(|member| up.contains(member)).collect();
        let Some((_, program)) = self.circuits.last() else { return Ok(()) };
        let is_linear = program.is_linear();
        let scheme = &turn.public.scheme;
        let knowing = usize::from(scheme.helpers() - scheme.threshold());
        let knowing = if turn.public.study.privacy.is_some() { knowing } else { 0 };
        let needed = if is_linear { scheme.needed().max(knowing) } else { scheme.workers() };
        while quorum.len() > needed && (!is_linear || turn.chance.hit(250)) {
            quorum.remove(turn.chance.index(quorum.len()));
        }
        if quorum.len() < needed {
            self.pause(turn);
            return Ok(());
        }
        if turn.public.study.policy.disclosure.has_groups() {
            let until_ms = turn.now_ms + 3_000;
            self.stage = Stage::Asking { round: Round::default(), manifest, quorum, until_ms };
        } else {
            self.ask(manifest, quorum, Vec::new(), turn);
        }
        Ok(())
    }

    /// Knows what was asked before, of the quorum's helpers that answered: the longest list is all of it.
    fn begin_after(&mut self, turn: &mut Turn<'_>) {
        let Stage::Asking { round, manifest, quorum, .. } = &self.stage else { return };
        let known = |heard: &Heard| match heard {
            Ok(Reply::Asked(asked)) => Some(asked.circuits.clone()),
            _ => None,
        };
        let earlier = round.heard.values().filter_map(known).max_by_key(Vec::len).unwrap_or_default();
        let (manifest, quorum) = (manifest.clone(), quorum.clone());
        self.ask(manifest, quorum, earlier, turn);
    }

    /// Asks a quorum to run the next circuit after earlier ones.
    fn ask(
        &mut self,
        manifest: Box<SignedManifest>,
        quorum: Vec<u8>,
        earlier: Vec<String>,
        turn: &mut Turn<'_>,
    ) {
        let Some((circuit, _)) = self.circuits.last() else { return };
        let Ok(Compiled { program, .. }) = compile_after(circuit, &turn.public.study, &earlier) else {
            // Too many groups by now.
            self.circuits.pop();
            self.given_up += 1;
            return self.pause(turn);
        };
        let request = RunRequest {
            federation: *turn.public.federation.id(),
            study: turn.public.study.id(),
            manifest: manifest.manifest.id(),
            earlier,
            circuit: circuit.clone(),
            program: program.hash(),
            plan: Plan::of(&program, &turn.public.study, manifest.manifest.rows).hash(&program),
            quorum: quorum.clone(),
            reply_key: opener().key(),
            nonce: Digest(turn.chance.bytes()),
        };
        self.attempts += 1;
        self.calm_attempts += u64::from(turn.is_calm);
        let demand = Demand::Run(Signed::new(&request, &turn.public.key));
        // Each pass over the rows waits for what came of the one before.
        let until_ms = turn.now_ms + turn.public.patience_ms * u64::from(program.passes().count());
        let mut round = Round::default();
        round.ask(self.actor, &quorum, &demand, 0, turn);
        let program = Box::new(program);
        self.stage = Stage::Running { round, demand, program, manifest, quorum, until_ms };
    }

    /// An attempt is over.
    fn conclude(&mut self, truth: &Truth, turn: &mut Turn<'_>) -> Held {
        let Stage::Running { round, demand, program, manifest, quorum, .. } = &self.stage else {
            return Ok(());
        };
        let (mut replies, mut is_over_budget): (Vec<RunReply>, bool) = (Vec::new(), false);
        for (helper, heard) in &round.heard {
            match heard {
                Ok(Reply::Ran(sealed)) => {
                    let Demand::Run(signed) = demand else { continue };
                    match sealed.open(&opener(), &signed.digest::<RunRequest>()) {
                        Ok(reply) => replies.push(reply),
                        Err(error) => return broken("an answer opens for its analyst", error.to_string()),
                    }
                }
                Ok(other) => return broken("a reply is of its request's kind", format!("run: {other:?}")),
                Err(refusal) => {
                    let expected = matches!(refusal.code, Code::Unavailable | Code::Busy | Code::Unknown)
                        // A member that the signatures have not reached yet; the next seal tells it.
                        || refusal.code == Code::Policy;
                    hold(expected || turn.has_liars, "a good run is not refused", || {
                        format!("helper {helper}: {refusal:?}")
                    })?;
                    is_over_budget |= refusal.code == Code::Policy && refusal.message.contains("budget");
                }
            }
        }
        if replies.len() == quorum.len() {
            let (program, manifest) = (program.clone(), manifest.clone());
            let (quorum, demand) = (quorum.clone(), demand.clone());
            if self.judge(&program, &manifest, &replies, truth, turn)? {
                let helper = turn.chance.pick(&quorum);
                self.again.push((helper, demand));
                self.circuits.pop();
                self.calm_attempts = 0;
            }
        }
        if is_over_budget {
            self.circuits.pop();
            self.over_budget += 1;
        }
        if turn.has_liars && self.calm_attempts >= LIED_ATTEMPTS_MAX {
            self.circuits.pop();
            self.given_up += 1;
            self.calm_attempts = 0;
        }
        self.pause(turn);
        Ok(())
    }

    /// Whether the replies give an answer; what they give must be right, or refused for a reason.
    fn judge(
        &mut self,
        program: &Program,
        manifest: &SignedManifest,
        replies: &[RunReply],
        truth: &Truth,
        turn: &Turn<'_>,
    ) -> Held<bool> {
        let scheme = &turn.public.scheme;
        for reply in replies {
            let key = turn.public.federation.member(reply.helper).map(|member| member.key);
            let is_good = key.is_some_and(|key| reply.is_signed_by(&key));
            hold(is_good, "result shares are signed by their helper", || format!("helper {}", reply.helper))?;
        }
        let liars: Vec<u8> =
            replies.iter().map(|reply| reply.helper).filter(|helper| truth.is_liar(*helper)).collect();
        match answer(scheme, program, manifest.manifest.rows, replies) {
            Ok(found) => {
                let is_verified = found.integrity.redundant_shares > 0;
                let expected = truth.reference(program, &manifest.manifest.id())?;
                if !program.noise.is_empty() {
                    let is_noisy = truth.is_noisy(program, &manifest.manifest.id(), &found.outputs)?;
                    self.noisy += u64::from(is_noisy);
                // Redundant shares vouch for what no message can have shifted.
                } else if liars.is_empty() || (is_verified && program.is_linear()) {
                    hold(found.results == expected, "sums equal the clear reference", || {
                        format!("found {:?}, expected {expected:?} of {replies:?}", found.results)
                    })?;
                    hold(found.implausible.is_empty(), "right results are plausible", || {
                        format!("{:?}", found.implausible)
                    })?;
                }
                let wrong = &found.integrity.wrong_helpers;
                hold(wrong.iter().all(|helper| liars.contains(helper)), "no honest helper is named", || {
                    format!("{wrong:?} named, {liars:?} lied")
                })?;
                self.answered += 1;
                self.unverified += u64::from(!is_verified);
                self.not_linear += u64::from(!program.is_linear());
                self.vectors += u64::from(!program.vectors.is_empty());
                self.corrected += u64::from(!wrong.is_empty());
                Ok(true)
            }
            Err(error) => {
                hold(!liars.is_empty(), "honest helpers' shares give an answer", || format!("{error}"))?;
                if let AnswerError::Malformed { helper, .. } = &error {
                    hold(liars.contains(helper), "no honest helper is named", || error.to_string())?;
                }
                self.inconsistent += 1;
                Ok(false)
            }
        }
    }
}

/// What opens answers: the same for all requests, so that the truth can be told apart from lies.
pub(crate) fn opener() -> EnvelopeOpener {
    EnvelopeOpener::from_seed([7; 32])
}

/// Whether this seals the study.
pub(crate) fn is_proved(manifest: &SignedManifest, turn: &Turn<'_>) -> bool {
    let public = &turn.public;
    manifest.check(&public.federation, &public.study.id(), public.scheme.seal_quorum()).is_ok()
}
