//! Failures: what went wrong and what to do about it, as `error: …` and `hint: …` on standard error.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use quorate_circuit::{Diagnostics, StudyError};
use quorate_client::{ClientError, SavedError};
use quorate_contribute::ContributeError;
use quorate_federation::{FederationError, KeyError};
use quorate_helper::HelperError;
use quorate_local::LocalError;

use crate::output::{colors_on_stderr, note};

/// A command that did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// A client of the helpers.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// Helpers on this machine.
    #[error(transparent)]
    Local(#[from] LocalError),
    /// A helper's directory or process.
    #[error(transparent)]
    Helper(#[from] HelperError),
    /// A contributor's table.
    #[error("{}: {error}", .path.display())]
    Table { path: PathBuf, error: ContributeError },
    /// A study's document.
    #[error(transparent)]
    Study(#[from] StudyError),
    /// A file that is no federation, card or study.
    #[error("{}: {error}", .path.display())]
    Federation { path: PathBuf, error: FederationError },
    /// A circuit, with the places underlined above.
    #[error("{name} cannot be used: {} {}", .diagnostics.0.len(), if .diagnostics.0.len() == 1 { "mistake" } else { "mistakes" })]
    Circuit { name: String, text: String, diagnostics: Diagnostics },
    /// A result file that does not hold what it says.
    #[error("{}: {error}", .path.display())]
    Saved { path: PathBuf, error: Box<SavedError> },
    /// A file that could not be read or written.
    #[error("could not {doing} {}: {source}", .path.display())]
    File { doing: &'static str, path: PathBuf, source: io::Error },
    /// A file with a key that is none.
    #[error("{}: {error}", .path.display())]
    Key { path: PathBuf, error: KeyError },
    /// A secret that other users can read.
    #[error("{} can be read by other users (mode {mode:03o})", .path.display())]
    Exposed { path: PathBuf, mode: u32 },
    /// Arguments that do not fit each other or the files.
    #[error("{message}")]
    Invalid { message: String, hint: Option<String> },
    /// A server of masked rounds.
    #[error(transparent)]
    MasksServer(#[from] quorate_aggregator::ServerError),
    /// A client of masked rounds.
    #[error(transparent)]
    MasksClient(#[from] quorate_aggregator::ClientError),
    /// Secret and clear-text results differ.
    #[error("{name}: the helpers computed {found}, the clear text gives {expected}")]
    Differs { name: String, found: String, expected: String },
    /// The operating system gave no randomness.
    #[error("the operating system gave no randomness: {0}")]
    Randomness(getrandom::Error),
    /// The result could not be printed.
    #[error("could not print: {0}")]
    Output(io::Error),
    /// Ctrl-C.
    #[error("interrupted")]
    Interrupted,
}

impl Failure {
    /// Says it and returns the exit code.
    pub(crate) fn report(&self) -> ExitCode {
        match self {
            Failure::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => return ExitCode::SUCCESS,
            Failure::Circuit { name, text, diagnostics } => {
                note(diagnostics.render_named(name, text, colors_on_stderr()).trim_end());
            }
            Failure::Client(ClientError::Circuit(diagnostics)) => note(diagnostics),
            _ => {}
        }
        let (error, hint) =
            (anstyle::AnsiColor::Red.on_default().bold(), anstyle::AnsiColor::Cyan.on_default().bold());
        note(format_args!("{error}error:{error:#} {self}"));
        if let Some(text) = self.hint() {
            note(format_args!("{hint}hint:{hint:#} {text}"));
        }
        match self {
            Failure::Interrupted => ExitCode::from(130),
            _ => ExitCode::FAILURE,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Failure::Client(error) => return error.hint(),
            Failure::Local(LocalError::Client(error)) => return error.hint(),
            Failure::MasksServer(error) => error.hint(),
            Failure::MasksClient(error) => error.hint()?,
            Failure::Local(LocalError::NotReady { .. } | LocalError::Stopped { .. }) => {
                "the log says more with QUORATE_LOG=debug"
            }
            Failure::Table { error, .. } => error.hint()?,
            Failure::Saved { error, .. } => error.hint(),
            Failure::Exposed { path, .. } => return Some(format!("run `chmod 600 {}`", path.display())),
            Failure::Invalid { hint, .. } => return hint.clone(),
            Failure::Circuit { .. } => "nothing was started; correct what is underlined above",
            Failure::File { source, .. } if source.kind() == io::ErrorKind::NotFound => "check the path",
            Failure::Differs { .. } => "this is a fault of Quorate: please report it with the two numbers",
            _ => return None,
        };
        Some(hint.to_owned())
    }
}
