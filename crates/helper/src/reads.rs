//! Reads of what is durable, as the coordinator asks for them.

use quorate_coordinator::{Records, RecordsError};
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

    fn column(
        &self,
        study: &Digest,
        generation: &Digest,
        column: u32,
        from: u64,
        to: u64,
    ) -> Result<Option<Vec<u8>>, RecordsError> {
        match self.0.columns(study, generation).map_err(failed)? {
            Some(columns) if column < columns.count() => {
                columns.read(column, from..to).map(Some).map_err(failed)
            }
            _ => Ok(None),
        }
    }
}

fn failed(error: StoreError) -> RecordsError {
    RecordsError { message: error.to_string() }
}
