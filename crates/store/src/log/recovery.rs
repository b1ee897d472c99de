//! Recovery of the log: one scan of all segments when the store is opened.
//!
//! A frame is written only after the one before it was synced, so of all frames only the last can be torn. A bad frame
//! is therefore cut off if it is the last of the last segment, and corruption if any frame follows, or if the control
//! records remember that the log was durable beyond it. What is left of a last segment that nobody vouches for is
//! copied to a new file: after a failed sync it may be readable without being on the disk, and syncing it again would
//! prove nothing (Rebello et al., ATC 2020).

use std::sync::{Arc, RwLock};

use super::frame::split_record;
use super::{
    DIR, HEADER_BYTES, Header, Kind, Log, LogEnd, RECORD_BYTES, SECTOR, bare, segment_name, start_frame,
};
use crate::index::{Index, Location, Segment};
use crate::store::Torn;
use crate::{Disk, StoreError, sync};

const SUFFIX_NEW: &str = ".new";
const COPY_BYTES: u64 = 1 << 20;

/// What the scan found.
#[derive(Default)]
pub(crate) struct Found {
    pub(crate) segments: u32,
    pub(crate) contributions: u64,
    pub(crate) torn: Option<Torn>,
}

/// Where a scan stands, or ended.
struct Scan<'a> {
    segment: &'a Segment,
    number: u32,
    /// Length of the file.
    len: u64,
    /// Where the next frame starts.
    end: u64,
    sequence: u64,
    records: u32,
    checksum: u32,
    /// The link to the next segment, once an `End` was found.
    closed: Option<u32>,
    contributions: u64,
}

/// What is wrong with a frame, and where the next one would start.
struct Bad {
    what: &'static str,
    search_from: u64,
}

impl Log {
    /// Whether there is anything in the log's directory.
    pub(crate) fn exists(disk: &dyn Disk) -> Result<bool, StoreError> {
        Ok(!segment_numbers(disk)?.is_empty())
    }

    /// Scans all segments into `index` and opens the end of the last. `known` is how far the log must go.
    pub(crate) fn recover(
        disk: &Arc<dyn Disk>,
        segment_bytes: u64,
        known: LogEnd,
        index: &RwLock<Index>,
    ) -> Result<(Log, Found), StoreError> {
        let numbers = segment_numbers(disk.as_ref())?;
        let count = numbers.last().copied().unwrap_or(0).max(known.segment);
        if let Some(missing) = (1..=count).find(|number| numbers.binary_search(number).is_err()) {
            return Err(StoreError::corrupt(&segment_name(missing), 0, "the segment is missing"));
        }
        let mut found = Found { segments: count, ..Found::default() };
        let (mut sequence, mut link) = (0, 0);
        for number in 1..=count {
            let name = segment_name(number);
            let file = disk.open(&name).map_err(StoreError::io(&name, "open"))?;
            let segment = Segment { name, file };
            let mut scan = Scan::new(&segment, number, sequence)?;
            if let Err(bad) = scan.frames(link, index)? {
                found.torn = scan.tear(&bad, number == count)?;
            }
            found.contributions += scan.contributions;
            sequence = scan.sequence;
            if number == count {
                return Ok((scan.finish(disk, segment_bytes, known, link, index, &found)?, found));
            }
            link = scan.closed.ok_or_else(|| {
                StoreError::corrupt(&segment.name, scan.end, "the segment lacks its end, but is not the last")
            })?;
            sync::write(index).add_segment(segment);
        }
        let log = Log::begin(disk, segment_bytes, 1, sequence, link)?;
        sync::write(index).add_segment(log.current.clone());
        Ok((log, found))
    }
}

impl<'a> Scan<'a> {
    fn new(segment: &'a Segment, number: u32, sequence: u64) -> Result<Self, StoreError> {
        let len = segment.file.len().map_err(StoreError::io(&segment.name, "measure"))?;
        let (end, records, checksum, closed, contributions) = (0, 0, 0, None, 0);
        Ok(Scan { segment, number, len, end, sequence, records, checksum, closed, contributions })
    }

    /// Reads frames until the file ends, or one is bad.
    fn frames(&mut self, link: u32, index: &RwLock<Index>) -> Result<Result<(), Bad>, StoreError> {
        while self.end < self.len {
            if self.closed.is_some() {
                return Err(self.corrupt("there are bytes after the end of the segment"));
            }
            if let Err(bad) = self.frame(link, index)? {
                return Ok(Err(bad));
            }
        }
        Ok(if self.end == 0 { Err(Bad { what: "the segment is empty", search_from: 0 }) } else { Ok(()) })
    }

    /// Reads one frame. An error if it is intact but not what must be here, which no tear explains.
    fn frame(&mut self, link: u32, index: &RwLock<Index>) -> Result<Result<(), Bad>, StoreError> {
        let bad = |what, search_from| Ok(Err(Bad { what, search_from }));
        let search_from = self.end + SECTOR as u64;
        if search_from > self.len {
            return bad("the frame is cut short", search_from);
        }
        let mut bytes = self.read(self.end, SECTOR as u64)?;
        let Some(header) = Header::decode(&bytes, self.number, self.end) else {
            return bad("there is no valid frame header", search_from);
        };
        let Some(next) = header.next_offset().filter(|next| *next <= self.len) else {
            return bad("the batch is cut short", self.len);
        };
        bytes.extend(self.read(search_from, next - search_from)?);

        let first = self.end == 0;
        let expected = header.sequence == self.sequence && first == (header.kind == Kind::Start);
        match header.kind {
            _ if !expected => return Err(self.corrupt("the frame is out of sequence")),
            Kind::Start | Kind::End if bytes != bare(&header) => {
                return bad("the frame's padding is not zero", next);
            }
            Kind::Start if header.content != link => {
                return Err(self.corrupt("the segment does not continue the one before it"));
            }
            Kind::End if (header.content, header.records) != (self.checksum, self.records) => {
                return Err(self.corrupt("the checksum of the segment is wrong"));
            }
            Kind::Batch if header.content != crc32c::crc32c(&bytes[HEADER_BYTES..]) => {
                return bad("the checksum of the batch is wrong", next);
            }
            Kind::Start => {}
            Kind::End => self.closed = Some(header.checksum()),
            Kind::Batch => {
                self.batch(&header, &bytes, index).ok_or_else(|| self.corrupt("the batch is malformed"))?;
            }
        }
        self.checksum = crc32c::crc32c_append(self.checksum, &bytes);
        self.end = next;
        Ok(Ok(()))
    }

    /// Puts the records of a batch into the index; `None` if they are not exactly what its header says.
    fn batch(&mut self, header: &Header, frame: &[u8], index: &RwLock<Index>) -> Option<()> {
        let length = usize::try_from(header.bytes).ok()?;
        let mut rest = frame.get(HEADER_BYTES..HEADER_BYTES + length)?;
        let mut index = sync::write(index);
        for _ in 0..header.records {
            let offset = header.offset + (HEADER_BYTES + length - rest.len()) as u64;
            let (record, later) = split_record(rest)?;
            let bytes = u32::try_from(record.content.len()).ok()?;
            let location = Location { segment: self.number, offset: u32::try_from(offset).ok()?, bytes };
            self.contributions += u64::from(index.insert(record.study, record.id, location));
            rest = later;
        }
        self.sequence += 1;
        self.records += header.records;
        rest.is_empty().then_some(())
    }

    /// Decides whether a bad frame is the torn end of the log; nothing need be cut from an empty segment.
    fn tear(&self, bad: &Bad, last: bool) -> Result<Option<Torn>, StoreError> {
        if !last || self.followed(bad.search_from)? {
            return Err(self.corrupt(bad.what));
        }
        let bytes = self.len - self.end;
        Ok((bytes > 0).then(|| Torn { file: self.segment.name.to_string(), offset: self.end, bytes }))
    }

    /// Whether a frame that was written after the one at `self.end` was synced lies at or beyond `from`.
    fn followed(&self, from: u64) -> Result<bool, StoreError> {
        let sector = SECTOR as u64;
        let mut at = from;
        while at + sector <= self.len {
            let chunk = self.read(at, COPY_BYTES.min((self.len - at) / sector * sector))?;
            for header in chunk.chunks(SECTOR) {
                let header = Header::decode(header, self.number, at);
                if header.is_some_and(|header| header.sequence + u64::from(self.end == 0) > self.sequence) {
                    return Ok(true);
                }
                at += sector;
            }
        }
        Ok(false)
    }

    /// Opens the end of the last segment, rewritten unless `known` vouches for all of it.
    fn finish(
        self,
        disk: &Arc<dyn Disk>,
        segment_bytes: u64,
        known: LogEnd,
        link: u32,
        index: &RwLock<Index>,
        found: &Found,
    ) -> Result<Log, StoreError> {
        let end = LogEnd { segment: self.number, offset: self.end };
        if end < known {
            return Err(self.corrupt("the control records remember more of the log than there is"));
        }
        let mut log = Log {
            disk: Arc::clone(disk),
            segment_bytes,
            current: self.segment.clone(),
            number: self.number,
            end: self.end,
            sequence: self.sequence,
            records: self.records,
            checksum: self.checksum,
        };
        if found.torn.is_some() || end != known {
            log.rewrite(link)?;
        }
        sync::write(index).add_segment(log.current.clone());
        if let Some(link) = self.closed {
            log = Log::begin(disk, segment_bytes, self.number + 1, self.sequence, link)?;
            sync::write(index).add_segment(log.current.clone());
        }
        Ok(log)
    }

    fn read(&self, offset: u64, bytes: u64) -> Result<Vec<u8>, StoreError> {
        let Segment { name, file } = self.segment;
        let bytes = usize::try_from(bytes).map_err(|_| self.corrupt("the frame is too long to read"))?;
        let mut out = vec![0; bytes];
        file.read_at(offset, &mut out).map_err(StoreError::io(name, "read"))?;
        Ok(out)
    }

    fn corrupt(&self, what: &'static str) -> StoreError {
        StoreError::corrupt(&self.segment.name, self.end, what)
    }
}

impl Log {
    /// Copies the current segment up to its end to a new file, which takes its place.
    fn rewrite(&mut self, link: u32) -> Result<(), StoreError> {
        let name = self.current.name.clone();
        let name_new = format!("{name}{SUFFIX_NEW}");
        let file = self.disk.create(&name_new).map_err(StoreError::io(&name_new, "create"))?;
        let mut at = 0;
        while at < self.end {
            let mut chunk = vec![0; usize::try_from(COPY_BYTES.min(self.end - at)).unwrap_or(0)];
            self.current.file.read_at(at, &mut chunk).map_err(StoreError::io(&name, "read"))?;
            file.write_at(at, &chunk).map_err(StoreError::io(&name_new, "write"))?;
            at += chunk.len() as u64;
        }
        self.current = Segment { name: name_new.as_str().into(), file };
        if at == 0 {
            self.write(&start_frame(self.number, self.sequence, link))?;
        }
        self.current.file.sync().map_err(StoreError::io(&name_new, "sync"))?;
        self.disk.rename(&name_new, &name).map_err(StoreError::io(&name_new, "rename"))?;
        self.disk.sync_dir(DIR).map_err(StoreError::io(DIR, "sync"))?;
        self.current.name = name;
        Ok(())
    }
}

/// The numbers of the segments there are, sorted. Leftovers of an interrupted recovery are removed.
fn segment_numbers(disk: &dyn Disk) -> Result<Vec<u32>, StoreError> {
    let mut numbers = Vec::new();
    for name in disk.list(DIR).map_err(StoreError::io(DIR, "list"))? {
        if name.ends_with(SUFFIX_NEW) {
            let name = format!("{DIR}/{name}");
            disk.remove(&name).map_err(StoreError::io(&name, "remove"))?;
        } else if let Some(number) = name.strip_suffix(".log").and_then(|digits| digits.parse().ok())
            && format!("{DIR}/{name}") == *segment_name(number)
        {
            numbers.push(number);
        }
    }
    numbers.sort_unstable();
    Ok(numbers)
}

const _: () = assert!(RECORD_BYTES < SECTOR);
