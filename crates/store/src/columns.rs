//! Columns of one finished generation: immutable, verified once, read by range.

use std::fmt;
use std::sync::Arc;

use crate::{Disk, DiskFile, StoreError};

pub(crate) mod builder;
mod layout;

use builder::{Key, finished_name};
use layout::{Extent, HEADER_BYTES, TRAILER_BYTES, Trailer, header, parse_index};

const VERIFY_BYTES: u64 = 1 << 20;

/// The columns of a finished generation. Cheap to clone; readable as long as it lives, even if it is abandoned.
#[derive(Clone)]
pub struct Columns {
    inner: Arc<Inner>,
}

struct Inner {
    name: String,
    file: Arc<dyn DiskFile>,
    count: u32,
    columns: Vec<Column>,
}

struct Column {
    bytes: u64,
    /// Where in the column each extent starts, and the extent.
    extents: Vec<(u64, Extent)>,
}

impl Columns {
    /// Opens the file of a finished generation and verifies all its checksums: one pass over the file.
    pub(crate) fn open(disk: &dyn Disk, key: &Key) -> Result<Columns, StoreError> {
        let name = finished_name(key);
        let file = disk.open(&name).map_err(StoreError::io(&name, "open"))?;
        let inner = Inner { name, file, count: 0, columns: Vec::new() };
        let (count, columns) = inner.load(key)?;
        let columns = columns.into_iter().map(Column::new).collect();
        Ok(Columns { inner: Arc::new(Inner { count, columns, ..inner }) })
    }

    /// How many columns there are.
    pub fn count(&self) -> u32 {
        self.inner.count
    }

    /// The length of a column in bytes; 0 if there is no such column.
    pub fn len_bytes(&self, column: u32) -> u64 {
        self.column(column).map_or(0, |column| column.bytes)
    }

    /// Fills `out` with bytes of a column, from `start` on, counted from the column's own start.
    pub fn read(&self, column: u32, start: u64, out: &mut [u8]) -> Result<(), StoreError> {
        let end = start.saturating_add(out.len() as u64);
        let out_of_range = || StoreError::OutOfRange { column, bytes: self.len_bytes(column), start, end };
        let found = self.column(column).filter(|column| end <= column.bytes);
        let extents = &found.ok_or_else(out_of_range)?.extents;
        let first = extents.partition_point(|(at, extent)| at + extent.bytes <= start);
        let mut done = 0;
        for (at, extent) in &extents[first.min(extents.len())..] {
            if done == out.len() {
                break;
            }
            let skip = (start + done as u64) - at;
            let take = usize::try_from(extent.bytes - skip)
                .map_or(out.len() - done, |rest| rest.min(out.len() - done));
            self.inner.read(extent.offset + skip, &mut out[done..done + take])?;
            done += take;
        }
        Ok(())
    }

    fn column(&self, column: u32) -> Option<&Column> {
        self.inner.columns.get(usize::try_from(column).ok()?)
    }
}

impl Column {
    fn new(extents: Vec<Extent>) -> Column {
        let mut bytes = 0;
        let starts = extents.into_iter().map(|extent| {
            let at = bytes;
            bytes += extent.bytes;
            (at, extent)
        });
        let extents = starts.collect();
        Column { bytes, extents }
    }
}

impl Inner {
    /// How many columns there are, and the extents of each, all verified.
    fn load(&self, key: &Key) -> Result<(u32, Vec<Vec<Extent>>), StoreError> {
        let len = self.file.len().map_err(StoreError::io(&self.name, "measure"))?;
        let shortest = (HEADER_BYTES + TRAILER_BYTES) as u64;
        if len < shortest {
            return Err(self.corrupt(0, "the file is cut short"));
        }
        let mut head = [0; HEADER_BYTES];
        self.read(0, &mut head)?;
        if head != header(&key.0, &key.1) {
            return Err(self.corrupt(0, "the header is not that of this study and generation"));
        }
        let at = len - TRAILER_BYTES as u64;
        let mut tail = [0; TRAILER_BYTES];
        self.read(at, &mut tail)?;
        let trailer = Trailer::decode(&tail)
            .filter(|trailer| trailer.offset.checked_add(trailer.bytes) == Some(at))
            .ok_or_else(|| self.corrupt(at, "there is no valid trailer"))?;

        let damaged = || self.corrupt(trailer.offset, "the index is damaged");
        let mut index = vec![0; usize::try_from(trailer.bytes).map_err(|_| damaged())?];
        self.read(trailer.offset, &mut index)?;
        let columns = parse_index(&index, &trailer).ok_or_else(damaged)?;
        columns.iter().flatten().try_for_each(|extent| self.verify(extent))?;
        Ok((trailer.columns, columns))
    }

    fn verify(&self, extent: &Extent) -> Result<(), StoreError> {
        let mut checksum = 0;
        let mut at = extent.offset;
        let end = extent.offset + extent.bytes;
        let mut chunk = vec![0; usize::try_from(VERIFY_BYTES.min(extent.bytes)).unwrap_or(0)];
        while at < end {
            let now = usize::try_from(end - at).map_or(chunk.len(), |rest| rest.min(chunk.len()));
            self.read(at, &mut chunk[..now])?;
            checksum = crc32c::crc32c_append(checksum, &chunk[..now]);
            at += now as u64;
        }
        if checksum == extent.checksum {
            Ok(())
        } else {
            Err(self.corrupt(extent.offset, "the checksum of the chunk is wrong"))
        }
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), StoreError> {
        self.file.read_at(offset, out).map_err(StoreError::io(&self.name, "read"))
    }

    fn corrupt(&self, offset: u64, what: &'static str) -> StoreError {
        StoreError::corrupt(&self.name, offset, what)
    }
}

/// Names and lengths only: the bytes may be shares.
impl fmt::Debug for Columns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Columns({}, {} columns)", self.inner.name, self.inner.columns.len())
    }
}
