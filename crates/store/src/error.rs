//! Failures of the store, split by who is to blame.

use std::io;

use quorate_hash::Digest;

/// What went wrong, and whose fault it is.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The operator's: a second process was started on the same directory.
    #[error("the store is already used by another helper: stop that one, or give this one its own directory")]
    Busy,

    /// This machine's: the operating system refused to read or write.
    #[error("could not {doing} `{file}`: {source}")]
    Io {
        /// The file or directory, relative to the root of the store.
        file: String,
        /// The operation, as a verb.
        doing: &'static str,
        /// What the operating system said.
        source: io::Error,
    },

    /// This machine's: bytes that were once durable have changed or gone.
    #[error("`{file}` is damaged at byte {offset}: {what}; restore this helper's store from a backup")]
    Corrupt {
        /// The file, relative to the root of the store.
        file: String,
        /// Where the damaged record starts.
        offset: u64,
        /// What was expected there.
        what: &'static str,
    },

    /// This machine's: the control database failed or is damaged.
    #[error("could not {doing} the control records in `control.redb`: {source}")]
    Control {
        /// The operation, as a verb.
        doing: &'static str,
        /// What the database said.
        source: Box<redb::Error>,
    },

    /// This machine's, earlier: a write failed, so what reached the disk is unknown until the store is reopened.
    #[error("an earlier write failed, so nothing more is accepted: repair the disk, then restart the helper")]
    Poisoned,

    /// The caller's: the batch makes no sense. Nothing of it was written and the store goes on.
    #[error("batch refused: {0}")]
    Refused(#[from] Refusal),

    /// The caller's: a contribution was asked for that is not here.
    #[error("study {} has no contribution {}", .study.short(), .id.short())]
    Unknown {
        /// The study that was named.
        study: Digest,
        /// The contribution that was named.
        id: Digest,
    },

    /// The caller's: bytes were asked for that a column does not have.
    #[error("column {column} holds {bytes} bytes, not {start}..{end}")]
    OutOfRange {
        /// The column that was named.
        column: u32,
        /// Its length in bytes; 0 if there is no such column.
        bytes: u64,
        /// First byte asked for.
        start: u64,
        /// One past the last byte asked for.
        end: u64,
    },
}

/// Why a batch was refused before anything of it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A part of a write is longer than [`Limits`](crate::Limits) allow.
    #[error("a {what} of {bytes} bytes is longer than the limit of {limit}")]
    TooLong {
        /// Which part: "contribution", "control key", "control value", "column chunk".
        what: &'static str,
        /// Its length.
        bytes: usize,
        /// The longest that is accepted.
        limit: usize,
    },
    /// A column's number is not below the limit, or not below the count given when finishing.
    #[error("column {column} is not below {columns}")]
    Column {
        /// The number that was given.
        column: u32,
        /// The bound it violates.
        columns: u32,
    },
    /// A generation was to be finished that was never begun, or was abandoned.
    #[error("generation {} has no columns to finish", .0.short())]
    NotBuilding(Digest),
    /// A generation that is finished, or abandoned in the same batch, was to be extended.
    #[error("generation {} is closed: columns are immutable once finished or abandoned", .0.short())]
    Closed(Digest),
}

impl StoreError {
    /// For `map_err` after an operation on a file.
    pub(crate) fn io(file: &str, doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| StoreError::Io { file: file.to_owned(), doing, source }
    }

    pub(crate) fn corrupt(file: &str, offset: u64, what: &'static str) -> Self {
        StoreError::Corrupt { file: file.to_owned(), offset, what }
    }

    /// For `map_err` after an operation on the control database.
    pub(crate) fn control<E: Into<redb::Error>>(doing: &'static str) -> impl Fn(E) -> Self {
        move |source| StoreError::Control { doing, source: Box::new(source.into()) }
    }
}
