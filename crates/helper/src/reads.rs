//! Reads of what is durable, as the coordinator asks for them.

use std::sync::Arc;

use quorate_coordinator::{Columns, Records, RecordsError};
use quorate_hash::Digest;
use quorate_store::{Reader, StoreError};

/// The store's reading side.
pub(crate) struct Reads(pub(crate) Reader);

impl Records for Reads {
    fn contains(&self, study: &Digest, id: &Digest) -> bool {
        self.0.contains(study, id)
    }

    fn count(&self, study: &Digest) -> u64 {
        self.0.count(study)
    }

    fn ids(&self, study: &Digest) -> Vec<Digest> {
        self.0.ids(study)
    }

    fn contributions(&self, study: &Digest, ids: &[Digest]) -> Result<Vec<Vec<u8>>, RecordsError> {
        self.0.contributions(study, ids).map_err(failed)
    }

    fn control(&self, key: &[u8]) -> Result<Option<Vec<u8>>, RecordsError> {
        self.0.control(key).map_err(failed)
    }

    fn control_prefix(&self, prefix: &[u8]) -> Result<Vec<(Vec<u8>, Vec<u8>)>, RecordsError> {
        self.0.control_prefix(prefix).map_err(failed)
    }

    fn generations(&self, study: &Digest) -> Vec<Digest> {
        self.0.generations(study)
    }

    fn columns(&self, study: &Digest, generation: &Digest) -> Arc<dyn Columns> {
        Arc::new(Layout { reader: self.0.clone(), study: *study, generation: *generation })
    }
}

/// One layout.
struct Layout {
    reader: Reader,
    study: Digest,
    generation: Digest,
}

impl Columns for Layout {
    fn read(&self, column: u32, from: u64, out: &mut [u8]) -> Result<bool, RecordsError> {
        self.reader.read_column(&self.study, &self.generation, column, from, out).map_err(failed)
    }
}

fn failed(error: StoreError) -> RecordsError {
    RecordsError { message: error.to_string() }
}
