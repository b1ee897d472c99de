//! Columns of one finished generation.

use std::ops::Range;

use crate::StoreError;

/// The columns of a finished generation.
#[derive(Clone)]
pub struct Columns {}

#[expect(clippy::unimplemented, unused_variables, missing_docs, reason = "signatures first")]
impl Columns {
    pub fn count(&self) -> u32 {
        unimplemented!()
    }
    pub fn len_bytes(&self, column: u32) -> u64 {
        unimplemented!()
    }
    pub fn read(&self, column: u32, bytes: Range<u64>) -> Result<Vec<u8>, StoreError> {
        unimplemented!()
    }
}
