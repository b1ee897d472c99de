//! What can go wrong with helpers on this machine.

use std::io;
use std::path::PathBuf;

use quorate_client::ClientError;
use quorate_federation::FederationError;
use quorate_helper::HelperError;

/// A local federation that cannot be made or started. To blame: this machine, or what was asked for.
#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    /// The number of helpers or the threshold cannot be.
    #[error(transparent)]
    Federation(#[from] FederationError),
    /// A helper's directory could not be made.
    #[error(transparent)]
    Helper(#[from] HelperError),
    /// The clients could not be set up.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// There is a federation in this directory already.
    #[error("{} has a federation already: choose another directory, or start that one", .dir.display())]
    Exists {
        /// The directory.
        dir: PathBuf,
    },
    /// A file could not be read or written.
    #[error("could not {doing} {}: {source}", .path.display())]
    File {
        /// The operation, as a verb.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// The operating system's words.
        source: io::Error,
    },
    /// No free ports were found.
    #[error("no {wanted} free ports on the loopback interface")]
    Ports {
        /// How many were wanted.
        wanted: usize,
    },
    /// A relay could not listen.
    #[error("no relay can listen on {address}, where others reach helper {helper}: {source}")]
    Relay {
        /// The number of the helper behind it.
        helper: u8,
        /// Where it would listen.
        address: String,
        /// The operating system's words.
        source: io::Error,
    },
    /// A process could not be started.
    #[error("could not start helper {helper} ({}): {source}", .binary.display())]
    Spawn {
        /// The helper's number.
        helper: u8,
        /// The program.
        binary: PathBuf,
        /// The operating system's words.
        source: io::Error,
    },
    /// A helper ended instead of becoming ready.
    #[error("helper {helper} stopped while starting ({status}); the end of {}:\n{tail}", .log.display())]
    Stopped {
        /// The helper's number.
        helper: u8,
        /// How the process ended.
        status: String,
        /// Its log.
        log: PathBuf,
        /// The log's last lines.
        tail: String,
    },
    /// A helper did not become ready in time.
    #[error("helper {helper} is not ready after {seconds} s: {last}; its log is {}", .log.display())]
    NotReady {
        /// The helper's number.
        helper: u8,
        /// How long was waited.
        seconds: u64,
        /// What it last answered.
        last: String,
        /// Its log.
        log: PathBuf,
    },
    /// There is no such helper, or it is not running.
    #[error("helper {helper} is not running")]
    NotRunning {
        /// The number asked for.
        helper: u8,
    },
}
