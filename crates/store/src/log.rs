//! Log: contributions in append-only segments.
//!
//! A commit appends one batch and syncs it; a batch is there whole or not at all. When a segment is full it is closed
//! with a checksum over all of it and the next one is begun. Only the batch that was being written when the machine
//! stopped may be torn, so only the end of the last segment is ever cut ([`recovery`]); every other surprise is
//! corruption and named as such. Cost: one write and one sync per commit, and up to 512 bytes of padding.

use std::sync::{Arc, RwLock};

use quorate_hash::Digest;

use crate::index::{Index, Location, Segment};
use crate::{Disk, StoreError, sync};

mod frame;
mod recovery;

use frame::{HEADER_BYTES, Header, Kind, SECTOR, bare, push_record};
pub(crate) use frame::{RECORD_BYTES, whole_record};

pub(crate) const DIR: &str = "contributions";

/// A contribution to append: study, id, content.
pub(crate) type Entry<'a> = (Digest, Digest, &'a [u8]);

/// The open end of the log.
pub(crate) struct Log {
    disk: Arc<dyn Disk>,
    segment_bytes: u64,
    current: Segment,
    /// Number of the current segment, from 1.
    number: u32,
    end: u64,
    /// Number of the next batch.
    sequence: u64,
    /// Records in the current segment.
    records: u32,
    /// crc32c of the current segment so far.
    checksum: u32,
}

/// A position in the log. `Default` is before the first segment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LogEnd {
    segment: u32,
    offset: u64,
}

impl Log {
    /// How far the log goes.
    pub(crate) fn end(&self) -> LogEnd {
        LogEnd { segment: self.number, offset: self.end }
    }

    /// Appends contributions durably, then shows them in the index. More than fits a segment takes several batches.
    pub(crate) fn append(&mut self, entries: &[Entry<'_>], index: &RwLock<Index>) -> Result<(), StoreError> {
        let mut rest = entries;
        while !rest.is_empty() {
            let (now, later) = rest.split_at(self.fitting(rest));
            let size: usize = now.iter().map(|(_, _, content)| RECORD_BYTES + content.len()).sum();
            let frame_bytes = (HEADER_BYTES + size + SECTOR) as u64;
            if self.end > SECTOR as u64 && self.end + frame_bytes > self.segment_bytes {
                self.roll(index)?;
            }
            self.append_batch(now, size, index)?;
            rest = later;
        }
        Ok(())
    }

    /// How many of the entries, at least one, make a batch that fits a segment.
    fn fitting(&self, entries: &[Entry<'_>]) -> usize {
        let mut size = (3 * SECTOR) as u64;
        let fits = entries.iter().take_while(|(_, _, content)| {
            size += (RECORD_BYTES + content.len()) as u64;
            size <= self.segment_bytes
        });
        fits.count().max(1)
    }

    fn append_batch(
        &mut self,
        entries: &[Entry<'_>],
        size: usize,
        index: &RwLock<Index>,
    ) -> Result<(), StoreError> {
        let mut batch = Vec::with_capacity(HEADER_BYTES + size + SECTOR);
        batch.resize(HEADER_BYTES, 0);
        let mut locations = Vec::with_capacity(entries.len());
        for (study, id, content) in entries {
            let bytes = narrow(content.len());
            let at = push_record(&mut batch, study, id, content, bytes);
            locations.push(Location { segment: self.number, offset: narrow(self.at(at)), bytes });
        }
        batch.resize(batch.len().next_multiple_of(SECTOR), 0);
        let header = Header {
            kind: Kind::Batch,
            segment: self.number,
            offset: self.end,
            sequence: self.sequence,
            bytes: size as u64,
            records: narrow(entries.len()),
            content: crc32c::crc32c(&batch[HEADER_BYTES..]),
        };
        batch[..HEADER_BYTES].copy_from_slice(&header.encode());
        self.write(&batch)?;
        self.sequence += 1;
        self.records += header.records;

        let mut index = sync::write(index);
        for ((study, id, _), location) in entries.iter().zip(locations) {
            index.insert(*study, *id, location);
        }
        Ok(())
    }

    /// Closes the current segment and begins the next.
    fn roll(&mut self, index: &RwLock<Index>) -> Result<(), StoreError> {
        let end = Header {
            kind: Kind::End,
            segment: self.number,
            offset: self.end,
            sequence: self.sequence,
            bytes: 0,
            records: self.records,
            content: self.checksum,
        };
        self.write(&bare(&end))?;
        *self = Log::begin(&self.disk, self.segment_bytes, self.number + 1, self.sequence, end.checksum())?;
        sync::write(index).add_segment(self.current.clone());
        Ok(())
    }

    /// Makes a segment's file. It is the last until the one after it is made.
    fn begin(
        disk: &Arc<dyn Disk>,
        segment_bytes: u64,
        number: u32,
        sequence: u64,
        link: u32,
    ) -> Result<Log, StoreError> {
        let name = segment_name(number);
        let file = disk.create(&name).map_err(StoreError::io(&name, "create"))?;
        disk.sync_dir(DIR).map_err(StoreError::io(DIR, "sync"))?;
        let current = Segment { name, file };
        let disk = Arc::clone(disk);
        let mut log = Log { disk, segment_bytes, current, number, end: 0, sequence, records: 0, checksum: 0 };
        log.write(&start_frame(number, sequence, link))?;
        Ok(log)
    }

    /// Appends a frame and syncs it. Each frame is synced before the next is written: recovery relies on it.
    fn write(&mut self, frame: &[u8]) -> Result<(), StoreError> {
        let Segment { name, file } = &self.current;
        file.write_at(self.end, frame).map_err(StoreError::io(name, "append to"))?;
        file.sync().map_err(StoreError::io(name, "sync"))?;
        self.end += frame.len() as u64;
        self.checksum = crc32c::crc32c_append(self.checksum, frame);
        Ok(())
    }

    fn at(&self, in_batch: usize) -> usize {
        usize::try_from(self.end).map_or(usize::MAX, |end| end.saturating_add(in_batch))
    }
}

impl LogEnd {
    pub(crate) fn encode(self) -> [u8; 12] {
        let mut out = [0; 12];
        out[..4].copy_from_slice(&self.segment.to_le_bytes());
        out[4..].copy_from_slice(&self.offset.to_le_bytes());
        out
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<LogEnd> {
        let (segment, offset) = bytes.split_at_checked(4)?;
        Some(LogEnd {
            segment: u32::from_le_bytes(segment.try_into().ok()?),
            offset: u64::from_le_bytes(offset.try_into().ok()?),
        })
    }
}

fn start_frame(number: u32, sequence: u64, link: u32) -> Vec<u8> {
    let kind = Kind::Start;
    bare(&Header { kind, segment: number, offset: 0, sequence, bytes: 0, records: 0, content: link })
}

fn segment_name(number: u32) -> Arc<str> {
    format!("{DIR}/{number:08}.log").into()
}

#[expect(clippy::expect_used, reason = "`Limits` keep a segment and a contribution below 1 GiB each")]
fn narrow(size: usize) -> u32 {
    u32::try_from(size).expect("sizes and offsets within a segment fit 32 bits")
}
