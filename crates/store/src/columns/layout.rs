//! Layout of a columns file.
//!
//! ```text
//! header, 128 bytes    "QUORCOL1", study, generation, 52 zero bytes, u32 crc32c of bytes 0..124
//! extents              the chunks that were appended, in order
//! index                per column: u32 extents, then for each: u64 offset, u64 length, u32 crc32c of its bytes
//! trailer, 40 bytes    "QUORCOLE", u32 columns, u32 crc32c of the index, u64 offset of the index,
//!                      u64 its length, 4 zero bytes, u32 crc32c of the trailer's bytes 0..36
//! ```
//!
//! All numbers are little-endian. Every byte of the file is under exactly one checksum.

use quorate_hash::Digest;

pub(super) const HEADER_BYTES: usize = 128;
pub(super) const TRAILER_BYTES: usize = 40;
const EXTENT_BYTES: usize = 20;
const MAGIC: &[u8; 8] = b"QUORCOL1";
const MAGIC_END: &[u8; 8] = b"QUORCOLE";

/// Consecutive bytes of one column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) offset: u64,
    pub(super) bytes: u64,
    pub(super) checksum: u32,
}

/// What the trailer says about the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Trailer {
    pub(super) columns: u32,
    pub(super) checksum: u32,
    pub(super) offset: u64,
    pub(super) bytes: u64,
}

pub(super) fn header(study: &Digest, generation: &Digest) -> [u8; HEADER_BYTES] {
    let mut out = [0; HEADER_BYTES];
    out[..8].copy_from_slice(MAGIC);
    out[8..40].copy_from_slice(study.as_bytes());
    out[40..72].copy_from_slice(generation.as_bytes());
    let crc = crc32c::crc32c(&out[..124]);
    out[124..].copy_from_slice(&crc.to_le_bytes());
    out
}

/// The index and the trailer, to be appended at `offset`.
pub(super) fn footer(columns: &[Vec<Extent>], count: u32, offset: u64) -> Vec<u8> {
    let mut out = Vec::new();
    for extents in columns {
        out.extend_from_slice(&(extents.len() as u64).to_le_bytes()[..4]);
        for extent in extents {
            out.extend_from_slice(&extent.offset.to_le_bytes());
            out.extend_from_slice(&extent.bytes.to_le_bytes());
            out.extend_from_slice(&extent.checksum.to_le_bytes());
        }
    }
    let trailer = Trailer { columns: count, checksum: crc32c::crc32c(&out), offset, bytes: out.len() as u64 };
    out.extend_from_slice(&trailer.encode());
    out
}

impl Trailer {
    fn encode(&self) -> [u8; TRAILER_BYTES] {
        let mut out = [0; TRAILER_BYTES];
        out[..8].copy_from_slice(MAGIC_END);
        out[8..12].copy_from_slice(&self.columns.to_le_bytes());
        out[12..16].copy_from_slice(&self.checksum.to_le_bytes());
        out[16..24].copy_from_slice(&self.offset.to_le_bytes());
        out[24..32].copy_from_slice(&self.bytes.to_le_bytes());
        let crc = crc32c::crc32c(&out[..36]);
        out[36..].copy_from_slice(&crc.to_le_bytes());
        out
    }

    pub(super) fn decode(bytes: &[u8; TRAILER_BYTES]) -> Option<Trailer> {
        let mut fields = &bytes[8..];
        let trailer = Trailer {
            columns: take_u32(&mut fields)?,
            checksum: take_u32(&mut fields)?,
            offset: take_u64(&mut fields)?,
            bytes: take_u64(&mut fields)?,
        };
        (trailer.encode() == *bytes).then_some(trailer)
    }
}

/// The extents of each column, if the index is one of `trailer`'s columns and they tile `HEADER_BYTES..offset`.
pub(super) fn parse_index(index: &[u8], trailer: &Trailer) -> Option<Vec<Vec<Extent>>> {
    if crc32c::crc32c(index) != trailer.checksum {
        return None;
    }
    let mut rest = index;
    let mut columns = Vec::new();
    for _ in 0..trailer.columns {
        let count = usize::try_from(take_u32(&mut rest)?).ok()?;
        let mut extents = Vec::with_capacity(count.min(rest.len() / EXTENT_BYTES));
        for _ in 0..count {
            let (offset, bytes) = (take_u64(&mut rest)?, take_u64(&mut rest)?);
            extents.push(Extent { offset, bytes, checksum: take_u32(&mut rest)? });
        }
        columns.push(extents);
    }
    let mut all: Vec<&Extent> = columns.iter().flatten().collect();
    all.sort_unstable_by_key(|extent| extent.offset);
    let end = all.iter().try_fold(HEADER_BYTES as u64, |end, extent| {
        (extent.offset == end).then(|| end.checked_add(extent.bytes)).flatten()
    });
    (rest.is_empty() && end == Some(trailer.offset)).then_some(columns)
}

fn take_u32(rest: &mut &[u8]) -> Option<u32> {
    let (head, tail) = rest.split_first_chunk()?;
    *rest = tail;
    Some(u32::from_le_bytes(*head))
}

fn take_u64(rest: &mut &[u8]) -> Option<u64> {
    let (head, tail) = rest.split_first_chunk()?;
    *rest = tail;
    Some(u64::from_le_bytes(*head))
}
