//! `quorate try`: a circuit on a CSV file or on vectors, with fresh helpers that are gone afterwards.

use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use quorate_circuit::{Sharing, SharingKind};
use quorate_contribute::BadRowsPolicy;

use crate::draft::{self, BitsArgument, RulesArguments, SharingArgument};
use crate::failure::Failure;
use crate::files::RowsArguments;
use crate::report::{ReportArguments, Style};
use crate::trial::{CircuitText, Trial};
use crate::{files, saved};

#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  quorate try --circuit wages.circuit --csv wages.csv --helpers 5 --threshold 2 --stop 2,4\n  quorate try --circuit \
    learning.circuit --vector g=gradients.npy --clip\n  quorate try --circuit private.circuit --csv wages.csv --privacy epsilon=1"
)]
pub(crate) struct Arguments {
    /// The circuit; its inputs are the columns that are contributed
    #[arg(long, value_name = "FILE")]
    circuit: PathBuf,
    #[command(flatten)]
    rows: RowsArguments,
    /// How many helpers
    #[arg(long, value_name = "N", default_value_t = 4)]
    helpers: u8,
    /// How many of them may collude and learn nothing [default: 1; additive: N-1]
    #[arg(long, value_name = "T")]
    threshold: Option<u8>,
    /// How values are split
    #[arg(long, value_enum, default_value = "shamir")]
    sharing: SharingArgument,
    /// What sealing makes of the values' bits [default: sealed, where the helpers can]
    #[arg(long, value_enum)]
    bits: Option<BitsArgument>,
    #[command(flatten)]
    rules: RulesArguments,
    /// Helpers to kill after the study is sealed, as in 2,4
    #[arg(long, value_name = "NUMBERS", value_delimiter = ',')]
    stop: Vec<u8>,
    #[command(flatten)]
    report: ReportArguments,
    /// Write the result and what proves it into a new file, for `quorate show`
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
}

pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let started = Instant::now();
    let sharing = draft::sharing(arguments.sharing, arguments.helpers, arguments.threshold)?;
    check_stop(&sharing, &arguments.stop)?;
    saved::check_new(arguments.save.as_deref())?;
    let (name, text) = (arguments.circuit.display().to_string(), files::text(&arguments.circuit)?);
    let circuit = CircuitText { name: &name, text: &text };
    let columns = draft::parse_circuit(&name, &text)?.inputs();
    let table = arguments.rows.table(&columns, BadRowsPolicy::Refuse)?;

    let mut trial =
        Trial::start(circuit, sharing, arguments.bits, arguments.rules.rules()?, table, started).await?;
    trial.contribute().await?;
    trial.seal().await?;
    for helper in &arguments.stop {
        trial.local.kill(*helper)?;
    }
    let (run, report) = trial.run().await?;
    let saved_run = trial.saved(&run);
    trial.end();
    if let Some(path) = &arguments.save {
        saved::write(path, &saved_run)?;
    }
    if let Some(path) = &arguments.report.plot {
        report.draw(path, &text)?;
    }
    report.print(Style::json(arguments.report.json))
}

/// Helpers that can be stopped with an answer left.
fn check_stop(sharing: &Sharing, stop: &[u8]) -> Result<(), Failure> {
    let refuse = |message: String, hint: &str| Err(Failure::Invalid { message, hint: Some(hint.to_owned()) });
    if stop.is_empty() {
        return Ok(());
    }
    if sharing.kind == SharingKind::Additive {
        return refuse(
            "--stop cannot be used with --sharing additive: it needs every helper to answer".into(),
            "with --sharing shamir, any threshold + 1 helpers can answer",
        );
    }
    for (index, helper) in stop.iter().enumerate() {
        if !(1..=sharing.helpers).contains(helper) {
            let message = format!("--stop {helper}: the helpers are numbered 1 to {}", sharing.helpers);
            return refuse(message, "name helpers by number, as in --stop 2,4");
        }
        if stop[..index].contains(helper) {
            return refuse(format!("--stop names helper {helper} twice"), "name each helper once");
        }
    }
    let (left, needed) = (usize::from(sharing.helpers) - stop.len(), usize::from(sharing.threshold) + 1);
    if left < needed {
        let message =
            format!("--stop leaves {left} of {} helpers, but {needed} are needed to answer", sharing.helpers);
        return refuse(message, "stop fewer helpers, or lower --threshold");
    }
    Ok(())
}
