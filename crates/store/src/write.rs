//! Writes: what a batch is made of, and how large its parts may be.

use bytes::Bytes;
use quorate_hash::Digest;

use crate::{Refusal, StoreError};

/// One write of a batch; see [`Store::commit`](crate::Store::commit) for order and durability. Bytes are opaque.
#[derive(Clone, PartialEq, Eq)]
pub enum Write {
    /// Keeps a contribution. Idempotent: the first bytes committed under `(study, id)` stay.
    Contribution {
        /// The study it belongs to.
        study: Digest,
        /// Its name.
        id: Digest,
        /// Its content.
        bytes: Bytes,
    },
    /// Sets a control record.
    Control {
        /// Its name.
        key: Vec<u8>,
        /// Its content.
        value: Vec<u8>,
    },
    /// Removes a control record, if there is one.
    ControlRemove {
        /// Its name.
        key: Vec<u8>,
    },
    /// Appends to one column of a generation being built. Neither visible nor durable before
    /// [`ColumnsFinish`](Self::ColumnsFinish): a crash forgets every unfinished generation.
    ColumnsAppend {
        /// The study whose columns are built.
        study: Digest,
        /// The attempt to build them.
        generation: Digest,
        /// Which column, from 0.
        column: u32,
        /// The next bytes of it.
        bytes: Vec<u8>,
    },
    /// Makes a generation durable, visible and immutable, all of it at once. Idempotent.
    ColumnsFinish {
        /// The study whose columns were built.
        study: Digest,
        /// The attempt that succeeded.
        generation: Digest,
        /// How many columns it has: columns never appended to are empty.
        columns: u32,
    },
    /// Forgets a generation, finished or not, once the batch's control records are durable. Idempotent.
    ColumnsAbandon {
        /// The study whose columns they were.
        study: Digest,
        /// The attempt to forget.
        generation: Digest,
    },
}

/// Sizes that bound the store's files and memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// A log segment is closed when it would grow beyond this many bytes; at most 1 GiB.
    pub segment_bytes: u64,
    /// Longest contribution, in bytes; at most 1 GiB.
    pub contribution_bytes: usize,
    /// Longest key of a control record, in bytes.
    pub control_key_bytes: usize,
    /// Longest value of a control record, in bytes.
    pub control_value_bytes: usize,
    /// Most columns in one generation.
    pub columns: u32,
    /// Memory that the control database may use as cache, in bytes.
    pub control_cache_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            segment_bytes: 128 << 20,
            contribution_bytes: 16 << 20,
            control_key_bytes: 1 << 10,
            control_value_bytes: 64 << 20,
            columns: 1 << 20,
            control_cache_bytes: 4 << 20,
        }
    }
}

impl Limits {
    /// The limits, within what the formats can express.
    pub(crate) fn bounded(self) -> Limits {
        const LONGEST: usize = 1 << 30;
        Limits {
            segment_bytes: self.segment_bytes.min(LONGEST as u64),
            contribution_bytes: self.contribution_bytes.min(LONGEST),
            ..self
        }
    }
}

impl Write {
    /// Refuses what is too long.
    pub(crate) fn check(&self, limits: &Limits) -> Result<(), StoreError> {
        let within = |what, bytes: usize, limit: usize| {
            if bytes <= limit { Ok(()) } else { Err(Refusal::TooLong { what, bytes, limit }) }
        };
        match self {
            Write::Contribution { bytes, .. } => {
                within("contribution", bytes.len(), limits.contribution_bytes)?;
            }
            Write::Control { key, value } => {
                within("control key", key.len(), limits.control_key_bytes)?;
                within("control value", value.len(), limits.control_value_bytes)?;
            }
            Write::ControlRemove { key } => within("control key", key.len(), limits.control_key_bytes)?,
            Write::ColumnsAppend { column, .. } if *column >= limits.columns => {
                return Err(Refusal::Column { column: *column, columns: limits.columns }.into());
            }
            Write::ColumnsFinish { columns, .. } if *columns > limits.columns => {
                return Err(Refusal::Column { column: *columns - 1, columns: limits.columns }.into());
            }
            Write::ColumnsAppend { .. } | Write::ColumnsFinish { .. } | Write::ColumnsAbandon { .. } => {}
        }
        Ok(())
    }
}

/// Names and lengths only: the bytes may be shares.
impl std::fmt::Debug for Write {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Write::Contribution { study, id, bytes } => {
                write!(f, "Contribution({study:?}, {id:?}, {} bytes)", bytes.len())
            }
            Write::Control { key, value } => {
                write!(f, "Control({}, {} bytes)", key.escape_ascii(), value.len())
            }
            Write::ControlRemove { key } => write!(f, "ControlRemove({})", key.escape_ascii()),
            Write::ColumnsAppend { study, generation, column, bytes } => {
                write!(f, "ColumnsAppend({study:?}, {generation:?}, {column}, {} bytes)", bytes.len())
            }
            Write::ColumnsFinish { study, generation, columns } => {
                write!(f, "ColumnsFinish({study:?}, {generation:?}, {columns})")
            }
            Write::ColumnsAbandon { study, generation } => {
                write!(f, "ColumnsAbandon({study:?}, {generation:?})")
            }
        }
    }
}
