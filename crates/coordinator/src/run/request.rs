//! Requests to run: what a helper checks of one before it takes part.

use quorate_circuit::{Compiled, Plan, Program};
use quorate_engine::interpret::{Schedule, column_bits};
use quorate_federation::PublicKey;
use quorate_wire::{Code, Manifest, Refusal, RunRequest, Signed, limits};

use super::Others;
use crate::asked::{Asked, check_size, runs_charged};
use crate::context::Context;
use crate::seal::check_members;
use crate::study::{Entry, State};

/// The manifest of a study on which runs are possible.
pub(super) fn sealed(entry: &Entry) -> Result<&Manifest, Refusal> {
    match &entry.state {
        State::Sealed(signed) => Ok(&signed.manifest),
        State::Open | State::Prepared(_) => Err(Refusal::new(Code::Policy, "the study is not sealed yet")
            .hint("its owner seals it with `quorate seal`; runs see sealed studies only")),
    }
}

pub(super) fn check_request<'a>(
    request: &RunRequest,
    signed: &Signed,
    entry: &'a Entry,
    cx: &Context<'_>,
) -> Result<&'a Manifest, Refusal> {
    let study = &entry.kept.study;
    if request.federation != *cx.config.federation.id() {
        let message = format!("the request is for federation {}", request.federation);
        return Err(Refusal::new(Code::Malformed, message).hint("use this federation's file"));
    }
    if !study.policy.analysts.iter().any(|analyst| PublicKey::from_bytes(*analyst) == signed.key) {
        let message = format!("key {} is not one of the study's analysts", signed.key);
        return Err(Refusal::new(Code::Forbidden, message).hint("the study's document lists who may ask"));
    }
    let manifest = sealed(entry)?;
    if request.manifest != manifest.id() {
        let message = format!(
            "the request means manifest {}, but the study is sealed as {}",
            request.manifest,
            manifest.id()
        );
        return Err(Refusal::new(Code::Disagreement, message).about(vec![cx.number]));
    }
    check_members(&request.quorum, entry, cx)?;
    let outside: Vec<u8> = request.quorum.iter().copied().filter(|m| !manifest.members.contains(m)).collect();
    if !outside.is_empty() {
        let message =
            format!("helpers {outside:?} did not seal the study; choose among {:?}", manifest.members);
        return Err(Refusal::new(Code::Policy, message).about(outside));
    }
    let (size, needed) = (request.quorum.len(), entry.scheme.needed());
    if size < needed {
        let message = format!("a run of this study takes at least {needed} helpers, not {size}");
        return Err(Refusal::new(Code::Unavailable, message).hint("wait until more helpers are up"));
    }
    Ok(manifest)
}

/// The study's disclosure rules that a circuit's text does not decide.
pub(super) fn check_rules(
    request: &RunRequest,
    manifest: &Manifest,
    analyst: &PublicKey,
    entry: &Entry,
    others: Others,
    cx: &Context<'_>,
) -> Result<(), Refusal> {
    let rules = &entry.kept.study.policy.disclosure;
    if manifest.rows < rules.min_group {
        let message =
            format!("the study has {} rows, and results are of at least {}", manifest.rows, rules.min_group);
        return Err(Refusal::new(Code::Policy, message).hint("policy.min_group is the study's owner's rule"));
    }
    let Some(most) = rules.runs_max else { return Ok(()) };
    let charged = runs_charged(&request.study, analyst.as_bytes(), cx.records)?;
    if charged + others.of_analyst < most {
        return Ok(());
    }
    let message = format!("key {analyst} ran {charged} circuits on this study, at most {most}");
    Err(Refusal::new(Code::Policy, message).hint("policy.runs_max is the study's owner's rule"))
}

/// What is to be remembered of the study with a request, if its answer changes what this helper knows; one run at a time does.
/// Nothing where the study has no smallest group, and of linear programs, which judge none.
///
/// What a run knew when it began may be less than what is remembered when it ends, so a run that changes nothing must not write.
pub(super) fn remembered(
    request: &RunRequest,
    compiled: &Compiled,
    entry: &Entry,
    others: Others,
    cx: &Context<'_>,
) -> Result<Option<Asked>, Refusal> {
    if !entry.kept.study.policy.disclosure.has_groups() || compiled.program.is_linear() {
        return Ok(None);
    }
    let known = Asked::load(&request.study, cx.records)?;
    let asked = known.after(&request.earlier, &request.circuit, compiled.asks_anew)?;
    if asked.answered() == known {
        return Ok(None);
    }
    if others.is_remembering {
        let message = "another run asks about new groups of this study";
        return Err(Refusal::new(Code::Unavailable, message).hint("try again when it is over"));
    }
    Ok(Some(asked))
}

/// Whether the client plans as this helper does.
pub(super) fn check_plan(request: &RunRequest, program: &Program, plan: &Plan) -> Result<(), Refusal> {
    if request.plan == plan.hash(program) {
        return Ok(());
    }
    let refusal = Refusal::new(Code::Circuit, "this helper would compute the circuit by another plan");
    Err(refusal.hint("client and helpers should run the same version"))
}

/// Whether the quorum can compute together: exactly `2t + 1` helpers work.
pub(super) fn check_workers(request: &RunRequest, entry: &Entry) -> Result<(), Refusal> {
    let workers = entry.scheme.workers();
    if !entry.scheme.has_prss() {
        return Err(cannot_multiply(entry));
    }
    if request.quorum.len() == workers {
        return Ok(());
    }
    let size = request.quorum.len();
    let message = format!("a run of this circuit takes exactly {workers} helpers, not {size}");
    let (code, hint) = match size < workers {
        true => (Code::Unavailable, "wait until more helpers are up"),
        false => (Code::Malformed, "name as many of those that are up"),
    };
    Err(Refusal::new(code, message).hint(hint))
}

/// Whether the conversions of a morsel, in all its lanes, and what is kept of all rows from pass to pass fit the memory that a
/// run may take.
pub(super) fn check_memory(program: &Program, plan: &Plan, entry: &Entry, rows: u64) -> Result<(), Refusal> {
    let study = &entry.kept.study;
    let schedule = Schedule::new(program, &column_bits(study));
    let (carried, truth) = (schedule.carried() as u64, Plan::truth_bytes(entry.scheme.threshold(), rows));
    let most = limits::CARRIED_BYTES / truth.max(1);
    if carried > most {
        let message = format!(
            "the circuit keeps {carried} truths of each row from one pass to the next, and helpers of this study take {most}"
        );
        return Err(Refusal::new(Code::Circuit, message).hint(
            "ask for fewer medians, quantiles, least and greatest values at once, or in smaller tables",
        ));
    }
    let each =
        Plan::conversion_bytes(entry.scheme.threshold(), study.field.bytes()) * u64::from(plan.morsel_rows);
    let most = limits::CONVERSION_BYTES / (each * u64::from(Plan::LANES)).max(1);
    let conversions = schedule.conversions() as u64;
    if conversions <= most {
        return Ok(());
    }
    let message = format!(
        "the circuit makes the bits of {conversions} numbers of each row at once, and helpers of this study take {most}"
    );
    Err(Refusal::new(Code::Circuit, message)
        .hint("ask in several runs; comparing columns of a study with bits = \"sealed\" makes none"))
}

pub(super) fn cannot_multiply(entry: &Entry) -> Refusal {
    let message = format!("helpers cannot multiply under this study's sharing, {}", entry.scheme);
    Refusal::new(Code::Circuit, message).hint("ask for counts, sums and means of columns")
}

/// Lowers the text for itself and compares with what the analyst lowered it to.
pub(super) fn compile(request: &RunRequest, entry: &Entry) -> Result<Compiled, Refusal> {
    if request.circuit.len() > limits::CIRCUIT_MAX {
        let message =
            format!("the circuit has {} bytes, at most {}", request.circuit.len(), limits::CIRCUIT_MAX);
        return Err(Refusal::new(Code::Circuit, message));
    }
    check_size(request.earlier.iter())?;
    let (circuit, study) = (&request.circuit, &entry.kept.study);
    let compiled =
        quorate_circuit::compile_after(circuit, study, &request.earlier).map_err(|diagnostics| {
            let text = diagnostics.render(circuit, false);
            Refusal::new(Code::Circuit, format!("the circuit does not compile here:\n{text}"))
        })?;
    if compiled.program.hash() != request.program {
        let message = "the circuit lowers to another program at this helper";
        return Err(
            Refusal::new(Code::Circuit, message).hint("client and helpers should run the same version")
        );
    }
    Ok(compiled)
}
