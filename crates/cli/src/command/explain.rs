//! `quorate explain`: what a circuit reveals and costs, and why nothing in it overflows, before it runs.

use std::path::PathBuf;

use clap::Args;
use quorate_circuit::{Compiled, Speed, Study, StudyDraft, compile_after, explain_after};
use quorate_client::analyst::asked_before;
use quorate_client::{Helpers, budget, forecast, speed};
use quorate_privacy::Loss;
use quorate_wire::StudyState;

use crate::draft::{self, BitsArgument, RulesArguments, SharingArgument, refused};
use crate::failure::Failure;
use crate::{files, output};

#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  quorate explain --circuit wages.circuit --capacity 10000\n  quorate explain --circuit \
    wages.circuit --study study.toml\n  quorate explain --circuit wages.circuit --study ID --federation federation.toml"
)]
pub(crate) struct Arguments {
    /// The circuit
    #[arg(long, value_name = "FILE")]
    circuit: PathBuf,
    /// The study's document, or its id; else a study is made up from the circuit's inputs
    #[arg(long, value_name = "STUDY")]
    study: Option<String>,
    /// The federation file, for a study given by its id
    #[arg(long, value_name = "FILE", env = "QUORATE_FEDERATION", default_value = "federation.toml")]
    federation: PathBuf,
    /// Most contributions of the study that is made up
    #[arg(long, value_name = "COUNT", default_value_t = 10_000, conflicts_with = "study")]
    capacity: u64,
    /// Its helpers
    #[arg(long, value_name = "N", default_value_t = 4, conflicts_with = "study")]
    helpers: u8,
    /// Its threshold
    #[arg(long, value_name = "T", conflicts_with = "study")]
    threshold: Option<u8>,
    /// How its values are split
    #[arg(long, value_enum, default_value = "shamir", conflicts_with = "study")]
    sharing: SharingArgument,
    /// What sealing makes of the values' bits [default: sealed, where the helpers can]
    #[arg(long, value_enum, conflicts_with = "study")]
    bits: Option<BitsArgument>,
    #[command(flatten)]
    rules: RulesArguments,
    /// Rows that the time of a run is estimated for [default: those of the sealed study, or all that there is room for]
    #[arg(long, value_name = "COUNT")]
    rows: Option<u64>,
    /// Print as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let (name, text) = (arguments.circuit.display().to_string(), files::text(&arguments.circuit)?);
    let Asked { study, speed, rows, earlier, spent } = study(&arguments, &name, &text).await?;
    let mut explanation = explain_after(&text, &study, earlier.as_deref())
        .map_err(|diagnostics| refused(&name, &text, diagnostics))?;
    let rows = arguments.rows.or(rows).unwrap_or(explanation.rows_max).min(explanation.rows_max);
    let earlier = earlier.unwrap_or_default();
    if let Ok(Compiled { program, .. }) = compile_after(&text, &study, &earlier) {
        if let Some(estimate) = forecast(&text, &earlier, &program, &study, rows, speed) {
            explanation = explanation.with_estimate(estimate);
        }
        explanation = explanation.with_spent(&program, spent, Some(rows));
    }
    if arguments.json {
        output::json(&explanation)?;
    } else {
        output::line(explanation.to_string().trim_end())?;
    }
    if explanation.refused.is_empty() { Ok(()) } else { Err(refused(&name, &text, explanation.refused)) }
}

/// A study, and what its helpers say if they were asked.
struct Asked {
    study: Study,
    speed: Speed,
    rows: Option<u64>,
    /// Circuits that it was asked before, where it has a smallest group.
    earlier: Option<Vec<String>>,
    /// What its results cost so far.
    spent: Option<Loss>,
}

impl Asked {
    /// Nobody was asked.
    fn nobody(study: Study) -> Self {
        Asked { study, speed: Speed::default(), rows: None, earlier: None, spent: None }
    }

    /// Those helpers of a study that answer.
    async fn helpers(helpers: &Helpers, study: Study) -> Self {
        let answers = helpers.numbers().zip(helpers.statuses().await);
        let (up, statuses): (Vec<u8>, Vec<_>) =
            answers.filter_map(|(number, status)| Some((number, status.ok()?))).unzip();
        // Said in the explanation where it is not known.
        let earlier = if up.is_empty() { None } else { asked_before(helpers, &study, &up).await.ok() };
        let sealed = |state: &StudyState| match state {
            StudyState::Sealed { manifest } => Some(manifest.manifest.rows),
            _ => None,
        };
        let of_study = statuses.iter().flat_map(|status| &status.studies).filter(|s| s.study == study.id());
        let rows = of_study.filter_map(|status| sealed(&status.state)).next();
        let spent = match study.privacy {
            Some(_) => budget::spent(helpers, &study.id()).await,
            None => None,
        };
        Asked { speed: speed(statuses.iter()), rows, study, earlier, spent }
    }
}

async fn study(arguments: &Arguments, name: &str, text: &str) -> Result<Asked, Failure> {
    if let Some(given) = &arguments.study {
        return Ok(match given.parse() {
            Ok(id) => {
                let helpers = files::helpers(&arguments.federation)?;
                let study = helpers.study(&id).await?.1;
                Asked::helpers(&helpers, study).await
            }
            Err(_) => Asked::nobody(files::study_file(given.as_ref())?.1),
        });
    }
    let sharing = draft::sharing(arguments.sharing, arguments.helpers, arguments.threshold)?;
    let parsed = draft::parse_circuit(name, text)?;
    let draft::Rules { disclosure, privacy } = arguments.rules.rules()?;
    let draft = StudyDraft {
        disclosure,
        privacy,
        ..draft::of_circuit(&parsed, sharing, arguments.bits, arguments.capacity)
    };
    match draft::document(draft.clone(), name, text) {
        Ok((_, study, _)) => Ok(Asked::nobody(study)),
        // Explained all the same: `explain` says what is refused, and where.
        Err(Failure::Circuit { .. }) => Ok(Asked::nobody(draft.document()?.1)),
        Err(failure) => Err(failure),
    }
}
