//! Reader: everything committed, from any thread.

use quorate_hash::Digest;

use crate::{Columns, StoreError};

/// A key and its value.
pub type ControlRecord = (Vec<u8>, Vec<u8>);

/// The reading side.
#[derive(Clone)]
pub struct Reader {}

#[expect(clippy::unimplemented, unused_variables, missing_docs, reason = "signatures first")]
impl Reader {
    pub fn contains(&self, study: &Digest, id: &Digest) -> bool {
        unimplemented!()
    }
    pub fn count(&self, study: &Digest) -> u64 {
        unimplemented!()
    }
    pub fn ids(&self, study: &Digest) -> Vec<Digest> {
        unimplemented!()
    }
    pub fn contributions(&self, study: &Digest, ids: &[Digest]) -> Result<Vec<Vec<u8>>, StoreError> {
        unimplemented!()
    }
    pub fn control(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        unimplemented!()
    }
    pub fn control_prefix(&self, prefix: &[u8]) -> Result<Vec<ControlRecord>, StoreError> {
        unimplemented!()
    }
    pub fn columns(&self, study: &Digest, generation: &Digest) -> Result<Option<Columns>, StoreError> {
        unimplemented!()
    }
    pub fn generations(&self, study: &Digest) -> Vec<Digest> {
        unimplemented!()
    }
}
