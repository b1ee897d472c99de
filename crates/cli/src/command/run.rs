//! `quorate run`: a circuit on a sealed study; the answer is recombined here and nowhere else.

use std::path::PathBuf;

use clap::Args;
use quorate_client::{ClientError, SavedRun, analyst, budget};

use crate::draft::refused;
use crate::failure::Failure;
use crate::report::{Report, ReportArguments, Style};
use crate::{files, keys, saved};

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
    #[command(flatten)]
    report: ReportArguments,
    /// Print the results as CSV, a line for each number
    #[arg(long, conflicts_with = "json")]
    csv: bool,
    /// Write the result and what proves it into a new file, for `quorate show`
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
}

pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let key = keys::read(&arguments.analyst)?;
    let text = files::text(&arguments.circuit)?;
    saved::check_new(arguments.save.as_deref())?;
    let helpers = files::helpers(&arguments.federation)?;
    let (document, study) = files::study(&arguments.study, &helpers).await?;
    let run = analyst::run(&helpers, &key, &study, &text).await.map_err(|error| match error {
        ClientError::Circuit(diagnostics) => {
            refused(&arguments.circuit.display().to_string(), &text, diagnostics)
        }
        error => error.into(),
    })?;
    let spent = budget::spent_after(&helpers, &study, &run).await;
    let report = Report::of(&study, &run, 0, spent);
    if let Some(path) = &arguments.save {
        saved::write(path, &SavedRun::new(&run, &text, &document, helpers.federation(), saved::now()))?;
    }
    if let Some(path) = &arguments.report.plot {
        report.draw(path, &text)?;
    }
    report.print(if arguments.csv { Style::Csv } else { Style::json(arguments.report.json) })
}
