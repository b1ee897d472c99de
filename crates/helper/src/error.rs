//! Why a helper does not start or stopped.

use std::io;
use std::path::PathBuf;

use quorate_coordinator::StartError;
use quorate_federation::{FederationError, KeyError, PublicKey};
use quorate_store::StoreError;

/// Why a helper does not start or stopped: the operator's directory, or this machine.
#[derive(Debug, thiserror::Error)]
pub enum HelperError {
    /// A file or directory of the helper could not be read or written.
    #[error("could not {doing} {}: {source}", .path.display())]
    File {
        /// The operation, as a verb.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// There is no helper in this directory.
    #[error(
        "{} is no helper's directory: it has no {missing}; make one with `quorate helper init --dir {}`",
        .dir.display(), .dir.display()
    )]
    NoHelper {
        /// The directory.
        dir: PathBuf,
        /// The file that is missing.
        missing: &'static str,
    },
    /// The directory has a helper already, and its key must not be overwritten.
    #[error("{} has a helper already; its key is never overwritten: choose another directory", .dir.display())]
    Exists {
        /// The directory.
        dir: PathBuf,
    },
    /// The helper was made but knows no federation yet.
    #[error(
        "{} has no federation.toml: send this helper's card to the federation's organiser, then \
         `quorate federation join --dir {} FILE`",
        .dir.display(), .dir.display()
    )]
    NotJoined {
        /// The directory.
        dir: PathBuf,
    },
    /// `helper.toml` does not read.
    #[error("{} does not read: {reason}", .path.display())]
    Settings {
        /// The file.
        path: PathBuf,
        /// The parser's words, with line and column, or what is wrong with a value.
        reason: String,
    },
    /// Other users of this machine may read the secret key.
    #[error("{} can be read by other users (mode {mode:03o}); run `chmod 600 {}`", .path.display(), .path.display())]
    KeyExposed {
        /// The key file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The secret key does not read.
    #[error("{}: {source}; restore the file from a backup", .path.display())]
    Key {
        /// The key file.
        path: PathBuf,
        /// What is wrong.
        source: KeyError,
    },
    /// The federation file does not read, or a value for the card is wrong.
    #[error("{what}: {source}")]
    Federation {
        /// Which file or text.
        what: String,
        /// What is wrong.
        source: FederationError,
    },
    /// The federation file does not list this helper's key.
    #[error(
        "{what} does not list this helper's key {key}; give the organiser the card that `quorate helper init` \
         printed, and join with the file that has it"
    )]
    NotListed {
        /// Which file or text.
        what: String,
        /// This helper's key.
        key: PublicKey,
    },
    /// The federation file lists this helper elsewhere than it listens.
    #[error(
        "{what} lists this helper with {field} {listed:?}, helper.toml says {own:?}; correct helper.toml, or ask \
         the organiser for a corrected federation file"
    )]
    ListedElsewhere {
        /// Which file or text.
        what: String,
        /// `address` or `peer_address`.
        field: &'static str,
        /// What the federation file says.
        listed: String,
        /// What `helper.toml` says.
        own: String,
    },
    /// The helper belongs to another federation, and its data with it.
    #[error(
        "{} belongs to the federation {federation:?} already, with all it stores; make a new helper for another \
         federation, or another version of this one", .dir.display()
    )]
    OtherFederation {
        /// The directory.
        dir: PathBuf,
        /// The name of the federation joined before.
        federation: String,
    },
    /// Nothing could be bound to this address.
    #[error(
        "could not listen on {address} for {purpose}: {source}; free the port, or set `{setting}` in helper.toml"
    )]
    Listen {
        /// The address.
        address: String,
        /// Whom the port is for.
        purpose: &'static str,
        /// The key of `helper.toml` that overrides the address.
        setting: &'static str,
        /// What the operating system said.
        source: io::Error,
    },
    /// The operating system gives no randomness.
    #[error("the operating system gives no randomness: {0}")]
    Randomness(getrandom::Error),
    /// A thread could not be started.
    #[error("could not start a thread: {0}")]
    Thread(io::Error),
    /// The store failed: nothing after the failure was acknowledged.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The coordinator cannot start from what is stored.
    #[error(transparent)]
    Start(#[from] StartError),
    /// A part of this program failed by its own fault; the state of the helper is on disk and complete.
    #[error(
        "the {part} stopped by a fault of this program; its log says where. Nothing acknowledged is lost"
    )]
    Fault {
        /// `coordinator` or `store`.
        part: &'static str,
    },
    /// Stopping took too long, so it was cut short.
    #[error("stopping took over {seconds} s and was cut short; nothing acknowledged is lost")]
    SlowStop {
        /// The limit.
        seconds: u64,
    },
}
