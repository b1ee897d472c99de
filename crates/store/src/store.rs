//! Store: one writer that commits batches, and the recovery that precedes it.

use crate::{Disk, Limits, Reader, StoreError, Write};

/// What opening a store found and did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// There was no store: an empty one was made.
    pub created: bool,
    /// Log segments read.
    pub segments: u32,
    /// Contributions found.
    pub contributions: u64,
    /// The end of the log that was cut off: a batch that was never acknowledged.
    pub torn: Option<Torn>,
    /// Finished generations of columns found.
    pub generations: u64,
    /// Unfinished generations that were forgotten.
    pub unfinished: u64,
}

/// A torn end of the log, cut off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Torn {
    /// The last segment.
    pub file: String,
    /// Where the torn batch started.
    pub offset: u64,
    /// How many bytes were cut.
    pub bytes: u64,
}

/// The writing side.
pub struct Store {}

#[expect(clippy::unimplemented, unused_variables, reason = "signatures first")]
impl Store {
    /// Recovers.
    pub fn open(disk: impl Disk, limits: Limits) -> Result<(Store, Recovery), StoreError> {
        unimplemented!()
    }
    /// Commits.
    pub fn commit(&mut self, batch: &[Write]) -> Result<(), StoreError> {
        unimplemented!()
    }
    /// Reads.
    pub fn reader(&self) -> Reader {
        unimplemented!()
    }
    /// Closes.
    pub fn close(self) -> Result<(), StoreError> {
        unimplemented!()
    }
}
