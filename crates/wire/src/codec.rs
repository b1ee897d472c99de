//! The one codec: bincode 2 with fixed-width integers, a size limit and no trailing bytes.
//!
//! A `u64` is its eight little-endian bytes, a byte string its length as such a `u64` and then the bytes, a
//! struct its fields in order, an enum a `u32` and then its fields. Bytes that are hashed or signed are always
//! the bytes received, never a re-encoding. bincode 2.0.1 is unmaintained and pinned; `wincode` reads the same
//! format (`docs/decisions/0003-codec.md`).

use serde::{Deserialize, Serialize};

/// Bytes that do not decode, from whoever sent them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// The message is longer than this kind of message may be.
    #[error("message of {length} bytes is over the limit of {limit}")]
    TooLong {
        /// Bytes received.
        length: usize,
        /// Most bytes allowed.
        limit: usize,
    },
    /// The bytes are cut off or are not a message of this kind.
    #[error("message does not decode: {reason}")]
    Malformed {
        /// The codec's words; they contain nothing of the payload.
        reason: String,
    },
    /// The message is followed by more bytes.
    #[error("message is followed by {count} more bytes")]
    Trailing {
        /// How many.
        count: usize,
    },
}

/// The bytes of `value`.
///
/// # Panics
/// Only if a type refuses to be serialised, which none of the workspace's does.
#[expect(
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "plain data always encodes; this is the codec"
)]
pub fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    let format = bincode::config::standard().with_fixed_int_encoding();
    bincode::serde::encode_to_vec(value, format).expect("messages are plain data")
}

/// Reads a value from exactly `bytes`, of which there may be at most `limit`. A value may borrow from them.
#[expect(clippy::disallowed_methods, reason = "this is the codec")]
pub fn decode<'a, T: Deserialize<'a>>(bytes: &'a [u8], limit: usize) -> Result<T, CodecError> {
    if bytes.len() > limit {
        return Err(CodecError::TooLong { length: bytes.len(), limit });
    }
    // The decoder's own limit stops a short message from claiming a huge allocation; it is checked against the
    // bytes claimed, so the largest message of any kind serves for all.
    let format =
        bincode::config::standard().with_fixed_int_encoding().with_limit::<{ crate::limits::MESSAGE_MAX }>();
    let (value, read) = bincode::serde::borrow_decode_from_slice(bytes, format)
        .map_err(|error| CodecError::Malformed { reason: error.to_string() })?;
    if read != bytes.len() {
        return Err(CodecError::Trailing { count: bytes.len() - read });
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_format_is_fixed() {
        let bytes = encode(&(1_u32, "ab", Some(vec![7_u64])));
        let expected: &[u8] = &[
            1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, b'a', b'b', 1, 1, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0,
        ];
        assert_eq!(bytes, expected);
    }

    #[test]
    fn short_long_and_boastful_messages_are_refused() {
        let bytes = encode(&vec![1_u64, 2, 3]);
        assert_eq!(decode::<Vec<u64>>(&bytes, 100), Ok(vec![1, 2, 3]));
        assert_eq!(decode::<Vec<u64>>(&bytes, 10), Err(CodecError::TooLong { length: 32, limit: 10 }));
        let longer = [&bytes[..], &[0]].concat();
        assert_eq!(decode::<Vec<u64>>(&longer, 100), Err(CodecError::Trailing { count: 1 }));
        for length in 0..bytes.len() {
            assert!(matches!(decode::<Vec<u64>>(&bytes[..length], 100), Err(CodecError::Malformed { .. })));
        }
        let claims_2_to_60 = (1_u64 << 60).to_le_bytes();
        assert!(matches!(decode::<Vec<u64>>(&claims_2_to_60, 100), Err(CodecError::Malformed { .. })));
    }

    proptest! {
        #[test]
        fn garbage_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = decode::<crate::Upload>(&bytes, 300);
            let _ = decode::<crate::Signed>(&bytes, 300);
        }
    }
}
