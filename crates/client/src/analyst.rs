//! The analyst: compiles a circuit for a sealed study, asks a quorum, recombines the shares.
//!
//! The quorum is every sealing helper that answers, for linear circuits: more than the `t + 1` that they need, because
//! each further share vouches for the result. Other circuits take exactly `2t + 1`. A helper lost in a run costs one attempt, not the run: the next attempt has a fresh
//! nonce and the helpers that still answer.
//!
//! A run that costs privacy is charged where it was answered, and another attempt would be charged again: it is the last resort. In
//! a study with a budget its quorum has at least `n - t` helpers.

mod replies;

use std::time::{Duration, Instant};

use quorate_circuit::{Plan, Program, Study, compile, compile_after};
use quorate_contribute::scheme_of;
use quorate_federation::SecretKey;
use quorate_hash::Digest;
use quorate_sharing::{Scheme, SchemeKind};
use quorate_wire::{AskedBefore, RunReply, RunRequest, Signed, SignedManifest, StudyState};

use crate::helpers::Ask;
use crate::owner::{agreed_manifest, check_federation, leave_out};
use crate::{
    Answer, AnswerError, ClientError, Fault, HelperError, Helpers, answer, fresh_nonce, fresh_opener,
};
use replies::Asking;

/// A run is tried with so many quorums.
const ATTEMPTS_MAX: usize = 6;

/// A finished run.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// The results and what vouches for them.
    pub answer: Answer,
    /// What was computed.
    pub program: Program,
    /// Circuits that were asked before it, where the study has a smallest group: it was judged together with them.
    pub earlier: Vec<String>,
    /// The set that it was computed on, with the signatures of all its members.
    pub manifest: SignedManifest,
    /// What the helpers sent: their shares of the result, signed, ascending.
    pub replies: Vec<RunReply>,
    /// Attempts it took.
    pub attempts: usize,
    /// Seconds of the last attempt, from request to answer.
    pub seconds: f64,
}

impl Run {
    /// Bytes that helpers sent each other, all together, as they say.
    pub fn bytes_between_helpers(&self) -> u64 {
        self.replies.iter().map(|reply| reply.bytes_to_helpers).fold(0, u64::saturating_add)
    }

    /// Bytes of result shares that the analyst received.
    pub fn bytes_of_results(&self) -> u64 {
        self.program.output_bytes() * self.replies.len() as u64
    }
}

/// Runs the circuit with this text on a sealed study.
///
/// # Errors
/// The circuit does not compile; the study is not sealed; fewer than `t + 1` sealing helpers answer; a helper refuses
/// for a reason that another attempt does not change; the shares contradict each other.
pub async fn run(
    helpers: &Helpers,
    key: &SecretKey,
    study: &Study,
    circuit: &str,
) -> Result<Run, ClientError> {
    check_federation(helpers, study)?;
    let scheme = scheme_of(study)?;
    // Whether it is linear does not depend on what was asked before.
    let (mut earlier, mut program) = (Vec::new(), compile(circuit, study).map_err(ClientError::Circuit)?);
    let (mut excluded, mut silent) = (Vec::new(), Vec::new());
    let mut attempt = 1;
    loop {
        let (sealed, quorum) = quorum(helpers, study, &scheme, &program, &excluded, &silent).await?;
        let asked = match asked_before(helpers, study, &quorum).await {
            Ok(asked) => asked,
            Err(error) if error.may_retry() && attempt < ATTEMPTS_MAX => {
                silent = error.silent();
                attempt += 1;
                continue;
            }
            Err(error) => return Err(error),
        };
        let manifest = &sealed.manifest;
        if asked != earlier {
            program = compile_after(circuit, study, &asked).map_err(ClientError::Circuit)?.program;
            earlier = asked;
        }
        let started = Instant::now();
        let opener = fresh_opener()?;
        let request = RunRequest {
            federation: *helpers.federation().id(),
            study: study.id(),
            manifest: manifest.id(),
            circuit: circuit.to_owned(),
            earlier: earlier.clone(),
            program: program.hash(),
            plan: Plan::of(&program, study, manifest.rows).hash(&program),
            quorum,
            reply_key: opener.key(),
            nonce: fresh_nonce()?,
        };
        let asking = Asking::new(helpers, &Signed::new(&request, key), &request, &opener);
        let replies = match program.loss.is_none() {
            true => asking.all().await,
            false => asking.paid(scheme.needed()).await,
        };
        let answered =
            |replies: Vec<RunReply>| Ok((answer(&scheme, &program, manifest.rows, &replies)?, replies));
        let tried = replies.map_err(ClientError::from).and_then(answered);
        let error = match tried {
            Ok((answer, replies)) => {
                let seconds = started.elapsed().as_secs_f64();
                let (manifest, attempts) = (sealed, attempt);
                return Ok(Run { answer, program, earlier, manifest, replies, attempts, seconds });
            }
            Err(error) => error,
        };
        if attempt == ATTEMPTS_MAX {
            return Err(ClientError::GaveUp { attempts: attempt, last: Box::new(error) });
        }
        match culprit(&error) {
            // A helper that sends garbage would do so again.
            Some(helper) => excluded.push(helper),
            None if error.may_retry() => {}
            None => return Err(error),
        }
        silent = error.silent();
        tracing::info!(attempt, %error, "running again");
        if error.is_no_turn() {
            tokio::time::sleep(back_off(attempt, &fresh_nonce()?)).await;
        }
        attempt += 1;
    }
}

/// How long to wait after an attempt that found others at work: by chance, so that two who ask at once do not meet again, and up to
/// twice as long each time.
fn back_off(attempt: usize, chance: &Digest) -> Duration {
    let [low, high, ..] = chance.0;
    let most_ms = 500_u64 << attempt.min(ATTEMPTS_MAX);
    Duration::from_millis(most_ms / 2 + most_ms * u64::from(u16::from_le_bytes([low, high])) / (2 << 16))
}

/// What was asked of a study before, where it has a smallest group: the longest list of these helpers, which the others' begin.
///
/// # Errors
/// One of them does not answer.
pub async fn asked_before(
    helpers: &Helpers,
    study: &Study,
    numbers: &[u8],
) -> Result<Vec<String>, ClientError> {
    let mut longest = Vec::new();
    if study.policy.disclosure.has_groups() {
        for &number in numbers {
            let ask = Ask::get(format!("/v1/studies/{}/asked", study.id()));
            let asked: AskedBefore = helpers.ask_json(number, ask, "what was asked before").await?;
            if asked.circuits.len() > longest.len() {
                longest = asked.circuits;
            }
        }
    }
    Ok(longest)
}

/// The helper that this attempt failed by, if it should be left out of the next one.
fn culprit(error: &ClientError) -> Option<u8> {
    match error {
        ClientError::Answer(AnswerError::Malformed { helper, .. }) => Some(*helper),
        ClientError::Helper(HelperError {
            helper,
            fault: Fault::Garbled { .. } | Fault::Signature { .. },
            ..
        }) => Some(*helper),
        _ => None,
    }
}

/// The sealed set, and the sealing helpers that answer now.
async fn quorum(
    helpers: &Helpers,
    study: &Study,
    scheme: &Scheme,
    program: &Program,
    excluded: &[u8],
    silent: &[u8],
) -> Result<(SignedManifest, Vec<u8>), ClientError> {
    let (signed, up, down) = sealed(helpers, study).await?;
    let manifest = &signed.manifest;
    let quorum: Vec<u8> =
        manifest.members.iter().copied().filter(|m| up.contains(m) && !excluded.contains(m)).collect();
    let is_linear = program.is_linear();
    let least = match scheme.kind() {
        SchemeKind::Shamir if is_linear => scheme.needed(),
        SchemeKind::Shamir => scheme.workers(),
        SchemeKind::Additive => scheme.helpers().into(),
    };
    // So many that they know what was spent.
    let knowing = usize::from(scheme.helpers() - scheme.threshold());
    let is_bounded = study.privacy.is_some() && !program.loss.is_none();
    let needed = if is_bounded { least.max(knowing) } else { least };
    let mut quorum = leave_out(quorum, silent, needed);
    if !is_linear {
        quorum.truncate(needed);
    }
    if quorum.len() < needed {
        return Err(ClientError::TooFewHelpers { what: "run a circuit", needed, up: quorum.len(), down });
    }
    Ok((signed, quorum))
}

/// The manifest of a sealed study, the helpers that answer, and why the others do not.
///
/// # Errors
/// No helper answers, the study is unknown or not sealed at any of them, or they disagree.
async fn sealed(
    helpers: &Helpers,
    study: &Study,
) -> Result<(SignedManifest, Vec<u8>, Vec<HelperError>), ClientError> {
    let (mut up, mut down) = (Vec::new(), Vec::new());
    let mut manifests: Vec<(u8, SignedManifest)> = Vec::new();
    let mut is_known = false;
    for (number, status) in helpers.numbers().zip(helpers.statuses().await) {
        let status = match status {
            Ok(status) => status,
            Err(error) => {
                down.push(error);
                continue;
            }
        };
        up.push(number);
        if let Some(status) = status.studies.into_iter().find(|status| status.study == study.id()) {
            is_known = true;
            if let StudyState::Sealed { manifest } = status.state {
                manifests.push((number, *manifest));
            }
        }
    }
    if manifests.is_empty() {
        let study = study.id();
        return Err(match (up.is_empty(), is_known) {
            (true, _) => {
                ClientError::TooFewHelpers { what: "read the study's state", needed: 1, up: 0, down }
            }
            (false, true) => ClientError::NotSealed { study },
            (false, false) => ClientError::UnknownStudy { study },
        });
    }
    Ok((agreed_manifest(helpers, study, manifests)?, up, down))
}
