//! SHA-256 of a label and a list of parts, unambiguously.

use sha2::{Digest as _, Sha256};

use crate::Digest;

/// A hash under construction: SHA-256 over the label and then every part, each preceded by its length.
///
/// The bytes hashed are `len(label) ‖ label ‖ len(part_1) ‖ part_1 ‖ …` with every length an unsigned 64-bit
/// little-endian integer, so no two different lists of parts hash the same bytes. Labels read
/// `quorate/1/<noun>`; the number is the version of the format.
///
/// ```
/// use quorate_hash::Tagged;
/// let id = Tagged::new("quorate/1/example").bytes(b"abc").u64(7).finish();
/// assert_ne!(id, Tagged::new("quorate/1/example").bytes(b"ab").bytes(b"c").u64(7).finish());
/// ```
#[derive(Clone)]
pub struct Tagged(Sha256);

impl Tagged {
    /// Starts a hash for the purpose `label`.
    pub fn new(label: &str) -> Self {
        Tagged(Sha256::new()).bytes(label.as_bytes())
    }

    /// Appends one part.
    #[must_use]
    pub fn bytes(mut self, part: &[u8]) -> Self {
        self.0.update((part.len() as u64).to_le_bytes());
        self.0.update(part);
        self
    }

    /// Appends one part given in two pieces: the same as `bytes` of their concatenation.
    #[must_use]
    pub fn joined(mut self, head: &[u8], tail: &[u8]) -> Self {
        self.0.update(((head.len() + tail.len()) as u64).to_le_bytes());
        self.0.update(head);
        self.0.update(tail);
        self
    }

    /// Appends a number as a part of eight little-endian bytes.
    #[must_use]
    pub fn u64(self, number: u64) -> Self {
        self.bytes(&number.to_le_bytes())
    }

    /// Appends a digest as a part of 32 bytes.
    #[must_use]
    pub fn digest(self, digest: &Digest) -> Self {
        self.bytes(&digest.0)
    }

    /// Appends a list: its length as a number, then every item as a part.
    #[must_use]
    pub fn list<T: AsRef<[u8]>>(self, items: impl ExactSizeIterator<Item = T>) -> Self {
        let hash = self.u64(items.len() as u64);
        items.fold(hash, |hash, item| hash.bytes(item.as_ref()))
    }

    /// The digest of everything appended.
    pub fn finish(self) -> Digest {
        Digest(self.0.finalize().into())
    }
}

impl AsRef<[u8]> for Digest {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Recomputed with Python's hashlib: sha256(u64(1)+b"a"+u64(2)+b"bc"+u64(8)+u64(5)).
    #[test]
    fn known_answer() {
        let digest = Tagged::new("a").bytes(b"bc").u64(5).finish();
        assert_eq!(digest, Tagged::new("a").joined(b"b", b"c").u64(5).finish());
        assert_eq!(digest.to_string(), "926e01607bc49f476a78153768cff619b97a74e779c2a9d65749e520cf4e313b");
    }

    #[test]
    fn lists_of_different_shape_differ() {
        let flat = Tagged::new("x").list(["ab", "c"].iter()).finish();
        assert_ne!(flat, Tagged::new("x").list(["a", "bc"].iter()).finish());
        assert_ne!(flat, Tagged::new("x").list(["ab", "c", ""].iter()).finish());
    }
}
