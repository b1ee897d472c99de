//! `quorate explain`: what a circuit reveals and costs, and why nothing in it overflows, before it runs.

use std::path::PathBuf;

use clap::Args;
use quorate_circuit::{Study, StudyDraft, explain};

use crate::draft::{self, BitsArgument, RulesArguments, SharingArgument, refused};
use crate::failure::Failure;
use crate::{files, output};

#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  quorate explain --circuit wages.circuit --capacity 10000\n  quorate explain --circuit \
    wages.circuit --study study.toml"
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
    /// Print as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let (name, text) = (arguments.circuit.display().to_string(), files::text(&arguments.circuit)?);
    let study = study(&arguments, &name, &text).await?;
    let explanation = explain(&text, &study).map_err(|diagnostics| refused(&name, &text, diagnostics))?;
    if arguments.json {
        output::json(&explanation)?;
    } else {
        output::line(explanation.to_string().trim_end())?;
    }
    if explanation.refused.is_empty() { Ok(()) } else { Err(refused(&name, &text, explanation.refused)) }
}

async fn study(arguments: &Arguments, name: &str, text: &str) -> Result<Study, Failure> {
    if let Some(given) = &arguments.study {
        return Ok(match given.parse() {
            Ok(id) => files::helpers(&arguments.federation)?.study(&id).await?.1,
            Err(_) => files::study_file(given.as_ref())?.1,
        });
    }
    let sharing = draft::sharing(arguments.sharing, arguments.helpers, arguments.threshold)?;
    let parsed = draft::parse_circuit(name, text)?;
    let draft = StudyDraft {
        disclosure: arguments.rules.disclosure()?,
        ..draft::of_circuit(&parsed, sharing, arguments.bits, arguments.capacity)
    };
    match draft::document(draft.clone(), name, text) {
        Ok((_, study, _)) => Ok(study),
        // Explained all the same: `explain` says what is refused, and where.
        Err(Failure::Circuit { .. }) => Ok(draft.document()?.1),
        Err(failure) => Err(failure),
    }
}
