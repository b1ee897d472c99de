//! Reads of what is durable.

use std::sync::Arc;

use quorate_hash::Digest;

/// A read that failed: this machine's disk, or damage found by a checksum.
#[derive(Clone, Debug, thiserror::Error)]
#[error("reading the store failed: {message}")]
pub struct RecordsError {
    /// What and where.
    pub message: String,
}

/// A control record: key and value.
pub type ControlRecord = (Vec<u8>, Vec<u8>);

/// What is durable at this helper. Answers may depend on nothing but the writes that were reported stored.
pub trait Records {
    /// Whether a contribution is there.
    fn contains(&self, study: &Digest, id: &Digest) -> bool;
    /// Contributions of a study.
    fn count(&self, study: &Digest) -> u64;
    /// Their ids, ascending.
    fn ids(&self, study: &Digest) -> Vec<Digest>;
    /// Contributions' bytes, in the order asked for. All of them are there.
    fn contributions(&self, study: &Digest, ids: &[Digest]) -> Result<Vec<Vec<u8>>, RecordsError>;
    /// One control record.
    fn control(&self, key: &[u8]) -> Result<Option<Vec<u8>>, RecordsError>;
    /// Control records whose keys begin with `prefix`, ascending.
    fn control_prefix(&self, prefix: &[u8]) -> Result<Vec<ControlRecord>, RecordsError>;
    /// The layouts of a study that are finished, ascending.
    fn generations(&self, study: &Digest) -> Vec<Digest>;
    /// The columns of a layout, whether there is one or not. Nothing is read yet.
    fn columns(&self, study: &Digest, generation: &Digest) -> Arc<dyn Columns>;
}

/// The columns of a finished layout, read from any thread.
pub trait Columns: Send + Sync {
    /// Fills `out` with a column's bytes from `from` on; whether there is such a layout and column, and so many bytes.
    fn read(&self, column: u32, from: u64, out: &mut [u8]) -> Result<bool, RecordsError>;
}
