//! Frames: the bytes of a log segment.
//!
//! A segment is a sequence of frames, each starting at a multiple of 512 bytes: one `Start`, any number of `Batch`,
//! and, once it is closed, one `End`. Padding is zero. All numbers are little-endian.
//!
//! ```text
//! frame header, 64 bytes          record, 72 bytes and its content
//!  0  "QUORLOG1"                    0  u32 length of the content
//!  8  u32 kind                      4  u32 crc32c of all the rest
//! 12  u32 segment, from 1           8  study
//! 16  u64 offset of this header    40  id
//! 24  u64 sequence                 72  content
//! 32  u64 length of what follows
//! 40  u32 records
//! 44  u32 content (below)
//! 48  12 zero bytes
//! 60  u32 crc32c of bytes 0..60
//! ```
//!
//! `sequence` numbers the batches through all segments; a `Start` bears that of its first batch, an `End` that of the
//! next one. `content` is, for a batch, the crc32c of what follows it, padding included; for an `End`, that of the
//! whole segment before it; for a `Start`, that of the header that ended the segment before, so that segments cannot
//! be exchanged. Because the header says where it belongs, a stale or copied one is not valid anywhere else.

use quorate_hash::Digest;

/// Frames start at multiples of this: no sector holds bytes of two batches, so that writing one never touches another.
pub(super) const SECTOR: usize = 512;
pub(super) const HEADER_BYTES: usize = 64;
pub(crate) const RECORD_BYTES: usize = 72;
const MAGIC: &[u8; 8] = b"QUORLOG1";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Start = 1,
    Batch = 2,
    End = 3,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) kind: Kind,
    pub(super) segment: u32,
    pub(super) offset: u64,
    pub(super) sequence: u64,
    pub(super) bytes: u64,
    pub(super) records: u32,
    pub(super) content: u32,
}

impl Header {
    pub(super) fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut out = [0; HEADER_BYTES];
        out[..8].copy_from_slice(MAGIC);
        out[8..12].copy_from_slice(&(self.kind as u32).to_le_bytes());
        out[12..16].copy_from_slice(&self.segment.to_le_bytes());
        out[16..24].copy_from_slice(&self.offset.to_le_bytes());
        out[24..32].copy_from_slice(&self.sequence.to_le_bytes());
        out[32..40].copy_from_slice(&self.bytes.to_le_bytes());
        out[40..44].copy_from_slice(&self.records.to_le_bytes());
        out[44..48].copy_from_slice(&self.content.to_le_bytes());
        let crc = crc32c::crc32c(&out[..60]);
        out[60..].copy_from_slice(&crc.to_le_bytes());
        out
    }

    /// The header, if these bytes are one that belongs at this place.
    pub(super) fn decode(bytes: &[u8], segment: u32, offset: u64) -> Option<Header> {
        let bytes: &[u8; HEADER_BYTES] = bytes.get(..HEADER_BYTES)?.try_into().ok()?;
        let kind = match u32_at(bytes, 8) {
            1 => Kind::Start,
            2 => Kind::Batch,
            3 => Kind::End,
            _ => return None,
        };
        let header = Header {
            kind,
            segment: u32_at(bytes, 12),
            offset: u64_at(bytes, 16),
            sequence: u64_at(bytes, 24),
            bytes: u64_at(bytes, 32),
            records: u32_at(bytes, 40),
            content: u32_at(bytes, 44),
        };
        // Encoding again covers the magic, the zeros and the checksum: one encoding per header.
        (header.segment == segment && header.offset == offset && header.encode() == *bytes).then_some(header)
    }

    /// What links the next segment to this `End`.
    pub(super) fn checksum(&self) -> u32 {
        u32_at(&self.encode(), 60)
    }

    /// Where the next frame starts.
    pub(super) fn next_offset(&self) -> Option<u64> {
        let end = self.offset.checked_add(HEADER_BYTES as u64)?.checked_add(self.bytes)?;
        end.checked_next_multiple_of(SECTOR as u64)
    }
}

/// A frame with nothing after its header.
pub(super) fn bare(header: &Header) -> Vec<u8> {
    let mut frame = header.encode().to_vec();
    frame.resize(SECTOR, 0);
    frame
}

/// Appends a record to a batch; its place in the batch.
pub(super) fn push_record(
    batch: &mut Vec<u8>,
    study: &Digest,
    id: &Digest,
    content: &[u8],
    length: u32,
) -> usize {
    let at = batch.len();
    batch.extend_from_slice(&length.to_le_bytes());
    batch.extend_from_slice(&[0; 4]);
    batch.extend_from_slice(study.as_bytes());
    batch.extend_from_slice(id.as_bytes());
    batch.extend_from_slice(content);
    let crc = record_checksum(&batch[at..]);
    batch[at + 4..at + 8].copy_from_slice(&crc.to_le_bytes());
    at
}

/// A record as it was found.
pub(crate) struct Record<'a> {
    pub(crate) study: Digest,
    pub(crate) id: Digest,
    pub(crate) content: &'a [u8],
}

/// The record that `bytes` start with, and what follows it; its checksum is not verified.
pub(super) fn split_record(bytes: &[u8]) -> Option<(Record<'_>, &[u8])> {
    let (head, rest) = bytes.split_at_checked(RECORD_BYTES)?;
    let (content, rest) = rest.split_at_checked(usize::try_from(u32_at(head, 0)).ok()?)?;
    Some((Record { study: digest_at(head, 8), id: digest_at(head, 40), content }, rest))
}

/// The record that `bytes` are, if its checksum is right.
pub(crate) fn whole_record(bytes: &[u8]) -> Option<Record<'_>> {
    let (record, rest) = split_record(bytes)?;
    (rest.is_empty() && u32_at(bytes, 4) == record_checksum(bytes)).then_some(record)
}

fn record_checksum(record: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&record[..4]), &record[8..])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let mut out = [0; 4];
    out.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(out)
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let mut out = [0; 8];
    out.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(out)
}

fn digest_at(bytes: &[u8], at: usize) -> Digest {
    let mut out = [0; 32];
    out.copy_from_slice(&bytes[at..at + 32]);
    Digest(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> Header {
        Header {
            kind: Kind::Batch,
            segment: 3,
            offset: 1024,
            sequence: 9,
            bytes: 700,
            records: 2,
            content: 77,
        }
    }

    #[test]
    fn header_is_valid_only_where_it_belongs_and_only_unchanged() {
        let bytes = header().encode();
        assert_eq!(Header::decode(&bytes, 3, 1024), Some(header()));
        assert_eq!(Header::decode(&bytes, 4, 1024), None);
        assert_eq!(Header::decode(&bytes, 3, 512), None);
        for at in 0..bytes.len() {
            let mut bad = bytes;
            bad[at] ^= 0x10;
            assert_eq!(Header::decode(&bad, 3, 1024), None, "byte {at}");
        }
        assert_eq!(header().next_offset(), Some(1024 + 1024));
    }

    #[test]
    fn record_round_trips_and_every_flipped_bit_shows() {
        let mut batch = Vec::new();
        push_record(&mut batch, &Digest([1; 32]), &Digest([2; 32]), b"content", 7);
        let record = whole_record(&batch).unwrap();
        assert_eq!((record.study, record.id), (Digest([1; 32]), Digest([2; 32])));
        assert_eq!(record.content, b"content");
        for bit in 0..batch.len() * 8 {
            let mut bad = batch.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(whole_record(&bad).is_none(), "bit {bit}");
        }
    }
}
