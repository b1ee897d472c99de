//! `quorate show`: a saved result again, checked before it is shown.

use std::path::PathBuf;

use clap::Args;
use quorate_client::SavedRun;
use quorate_client::saved::CheckedRun;

use crate::failure::Failure;
use crate::report::{Report, ReportArguments, Style, helpers};
use crate::{files, output, saved};

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  quorate show result.json --federation federation.toml --plot result.svg")]
pub(crate) struct Arguments {
    /// The result file, as `run --save` and `try --save` write it
    #[arg(value_name = "RESULT")]
    result: PathBuf,
    /// The federation file, for its keys; else they are taken from the result file
    #[arg(long, value_name = "FILE")]
    federation: Option<PathBuf>,
    #[command(flatten)]
    report: ReportArguments,
    /// Print the results as CSV, a line for each number
    #[arg(long, conflicts_with = "json")]
    csv: bool,
}

pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    let saved_run = saved::read(&arguments.result)?;
    let trusted = arguments.federation.as_deref().map(files::federation).transpose()?;
    let checked = saved_run
        .check(trusted.as_ref())
        .map_err(|error| Failure::Saved { path: arguments.result.clone(), error: Box::new(error) })?;
    output::note(what_was_checked(&saved_run, &checked, trusted.is_some()));
    let report = Report::of(&checked.study, &checked.run, 0, None);
    if let Some(path) = &arguments.report.plot {
        report.draw(path, &saved_run.circuit)?;
    }
    report.print(if arguments.csv { Style::Csv } else { Style::json(arguments.report.json) })
}

fn what_was_checked(saved: &SavedRun, checked: &CheckedRun, has_keys: bool) -> String {
    let keys = if has_keys {
        "the federation's keys are those of the file that was given"
    } else {
        "the federation's keys are taken from the result file itself (--federation gives them independently)"
    };
    format!(
        "checked: circuit and study, the sealed set signed by {}, the result shares signed by {}, and the results \
         recombined of them; {keys}\nsaved {}",
        helpers(&checked.run.manifest.manifest.members),
        helpers(&checked.run.answer.quorum),
        saved.saved_at,
    )
}
