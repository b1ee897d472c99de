//! `quorate run`: a circuit on a sealed study; the answer is recombined here and nowhere else.

use std::path::PathBuf;

use clap::Args;
use quorate_client::{ClientError, analyst};

use crate::draft::refused;
use crate::failure::Failure;
use crate::report::Report;
use crate::{files, keys};

#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  quorate run --study study.toml --analyst analyst.key --circuit wages.circuit"
)]
pub(crate) struct Arguments {
    /// The federation file
    #[arg(long, value_name = "FILE", env = "QUORATE_FEDERATION", default_value = "federation.toml")]
    federation: PathBuf,
    /// The study's document, or its id
    #[arg(long, value_name = "STUDY")]
    study: String,
    /// The analyst's key file
    #[arg(long, value_name = "FILE")]
    analyst: PathBuf,
    /// The circuit
    #[arg(long, value_name = "FILE")]
    circuit: PathBuf,
    /// Print as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let key = keys::read(&arguments.analyst)?;
    let text = files::text(&arguments.circuit)?;
    let helpers = files::helpers(&arguments.federation)?;
    let (_, study) = files::study(&arguments.study, &helpers).await?;
    let run = analyst::run(&helpers, &key, &study, &text).await.map_err(|error| match error {
        ClientError::Circuit(diagnostics) => {
            refused(&arguments.circuit.display().to_string(), &text, diagnostics)
        }
        error => error.into(),
    })?;
    Report::of(&study, &run, 0).print(arguments.json)
}
