//! Canonical encoding: little-endian, [`Field::BYTES`] bytes an element, values `>= p` refused.
//!
//! On the wire and on disk alike. A value is never reduced silently: that would give one element two encodings,
//! and two helpers with equal elements different digests. Whether bytes are canonical is not a secret (who sent
//! other bytes is named), so the checks may branch.

use crate::Field;

/// Bytes that encode no element: the value is `>= p`. To blame: whoever sent or stored the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a canonical field element (the encoded value is not below the modulus): refuse what came with it"
)]
pub struct NonCanonical;

/// The first element of a slice that is not canonical, or is cut short. To blame: whoever sent or stored it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "element {index} is not a canonical field element (not below the modulus, or cut short): refuse the whole message"
)]
pub struct NonCanonicalAt {
    /// Zero-based position of the element.
    pub index: usize,
}

/// Decodes `bytes.len() / F::BYTES` elements; a ragged tail counts as a non-canonical last element.
pub fn read_slice<F: Field>(bytes: &[u8]) -> Result<Vec<F>, NonCanonicalAt> {
    let mut elements = vec![F::ZERO; whole::<F>(bytes)?];
    F::read_slice(bytes, &mut elements)?;
    Ok(elements)
}

/// Checks `bytes.len() / F::BYTES` elements as [`read_slice`] does.
pub fn check_slice<F: Field>(bytes: &[u8]) -> Result<(), NonCanonicalAt> {
    whole::<F>(bytes)?;
    // The sum costs no more than the read.
    F::sum_encoded(bytes).map(drop)
}

/// How many elements the bytes are.
fn whole<F: Field>(bytes: &[u8]) -> Result<usize, NonCanonicalAt> {
    let whole = bytes.len() / F::BYTES;
    if bytes.len().is_multiple_of(F::BYTES) { Ok(whole) } else { Err(NonCanonicalAt { index: whole }) }
}

/// Which of the encoded elements is the first that is not canonical, where one is.
#[cold]
pub(crate) fn first_non_canonical<F: Field>(bytes: &[u8]) -> NonCanonicalAt {
    let is_bad = |encoded: &[u8]| F::read(encoded).is_err();
    NonCanonicalAt { index: bytes.chunks_exact(F::BYTES).position(is_bad).unwrap_or(0) }
}

/// Encodes `elements` one after the other: `elements.len() * F::BYTES` bytes.
pub fn write_slice<F: Field>(elements: &[F]) -> Vec<u8> {
    let mut bytes = vec![0; elements.len() * F::BYTES];
    for (element, encoded) in elements.iter().zip(bytes.chunks_exact_mut(F::BYTES)) {
        element.write(encoded);
    }
    bytes
}

/// The bytes as an array; the length is the caller's contract, so a wrong one is a bug and panics.
#[track_caller]
pub(crate) fn exactly<const BYTES: usize>(bytes: &[u8]) -> [u8; BYTES] {
    assert_eq!(bytes.len(), BYTES, "an encoded field element of this field has {BYTES} bytes");
    let mut array = [0; BYTES];
    array.copy_from_slice(bytes);
    array
}
