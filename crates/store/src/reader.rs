//! Reader: everything committed, from any thread.

use std::sync::Arc;

use quorate_hash::Digest;

use crate::columns::builder::Key;
use crate::index::{Location, Segment};
use crate::log::{RECORD_BYTES, whole_record};
use crate::store::Shared;
use crate::{Columns, StoreError, sync};

/// A key and its value.
pub type ControlRecord = (Vec<u8>, Vec<u8>);

/// The reading side of a store. Clones are cheap and see every batch once it is committed; within a batch,
/// contributions and columns become visible before the control records that may point at them.
///
/// A reader keeps the store open and locked. After a failed commit contributions and columns can still be read,
/// control records may not.
#[derive(Clone)]
pub struct Reader {
    shared: Arc<Shared>,
}

impl Reader {
    pub(crate) fn new(shared: Arc<Shared>) -> Reader {
        Reader { shared }
    }

    /// Whether a contribution is here.
    pub fn contains(&self, study: &Digest, id: &Digest) -> bool {
        sync::read(&self.shared.index).get(study, id).is_some()
    }

    /// How many contributions a study has.
    pub fn count(&self, study: &Digest) -> u64 {
        sync::read(&self.shared.index).count(study)
    }

    /// The ids of a study's contributions, sorted.
    pub fn ids(&self, study: &Digest) -> Vec<Digest> {
        sync::read(&self.shared.index).ids(study)
    }

    /// Contributions in the order asked for, each checked against its checksum. One read per contribution.
    pub fn contributions(&self, study: &Digest, ids: &[Digest]) -> Result<Vec<Vec<u8>>, StoreError> {
        let places = self.locate(study, ids)?;
        ids.iter().zip(places).map(|(id, (location, segment))| read(study, id, location, &segment)).collect()
    }

    /// Where contributions are, all as of one moment.
    fn locate(&self, study: &Digest, ids: &[Digest]) -> Result<Vec<(Location, Segment)>, StoreError> {
        let index = sync::read(&self.shared.index);
        let place = |id: &Digest| {
            let location = index.get(study, id);
            let segment = location.and_then(|location| index.segment(location.segment)).cloned();
            location.zip(segment).ok_or(StoreError::Unknown { study: *study, id: *id })
        };
        ids.iter().map(place).collect()
    }

    /// A control record.
    pub fn control(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.shared.control.get(key)
    }

    /// The control records whose keys start with `prefix`, sorted by key, as of one moment.
    pub fn control_prefix(&self, prefix: &[u8]) -> Result<Vec<ControlRecord>, StoreError> {
        self.shared.control.with_prefix(prefix)
    }

    /// The columns of a finished generation. All checksums are verified the first time, which reads the whole file.
    pub fn columns(&self, study: &Digest, generation: &Digest) -> Result<Option<Columns>, StoreError> {
        let key: Key = (*study, *generation);
        let known = sync::read(&self.shared.finished).get(&key).cloned();
        match known {
            None => Ok(None),
            Some(Some(columns)) => Ok(Some(columns)),
            Some(None) => {
                let columns = Columns::open(self.shared.disk.as_ref(), &key)?;
                if let Some(slot) = sync::write(&self.shared.finished).get_mut(&key) {
                    *slot = Some(columns.clone());
                }
                Ok(Some(columns))
            }
        }
    }

    /// Fills `out` with bytes of a column of a finished generation, from `from` on; whether there is such a generation and
    /// column, and so many bytes.
    pub fn read_column(
        &self,
        study: &Digest,
        generation: &Digest,
        column: u32,
        from: u64,
        out: &mut [u8],
    ) -> Result<bool, StoreError> {
        let end = from.saturating_add(out.len() as u64);
        let columns = self.columns(study, generation)?;
        match columns.filter(|columns| column < columns.count() && end <= columns.len_bytes(column)) {
            Some(columns) => columns.read(column, from, out).map(|()| true),
            None => Ok(false),
        }
    }

    /// The finished generations of a study, sorted.
    pub fn generations(&self, study: &Digest) -> Vec<Digest> {
        let finished = sync::read(&self.shared.finished);
        let range = finished.range((*study, Digest([0; 32]))..=(*study, Digest([u8::MAX; 32])));
        range.map(|((_, generation), _)| *generation).collect()
    }
}

/// A contribution's bytes, checked against its checksum.
fn read(study: &Digest, id: &Digest, location: Location, segment: &Segment) -> Result<Vec<u8>, StoreError> {
    let Segment { name, file } = segment;
    let offset = u64::from(location.offset);
    let damaged = || StoreError::corrupt(name, offset, "the checksum of the contribution is wrong");
    let bytes = usize::try_from(location.bytes).map_err(|_| damaged())?;
    let mut record = vec![0; RECORD_BYTES + bytes];
    file.read_at(offset, &mut record).map_err(StoreError::io(name, "read"))?;
    whole_record(&record).filter(|record| record.study == *study && record.id == *id).ok_or_else(damaged)?;
    // What is left is the content, in the memory that it was read into.
    record.drain(..RECORD_BYTES);
    Ok(record)
}
