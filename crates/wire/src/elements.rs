//! Elements: many shares one after the other, as bytes where machines read them and as one hexadecimal text where people do.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_bytes::{ByteBuf, Bytes};

/// Encoded shares of one vector: canonical little-endian elements. Not shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Elements(Vec<u8>);

impl Elements {
    /// Takes the bytes over.
    pub fn new(bytes: Vec<u8>) -> Self {
        Elements(bytes)
    }

    /// The bytes.
    pub fn as_slice(&self) -> &[u8] {
        &self.0
    }
}

impl AsRef<[u8]> for Elements {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Elements {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Elements({} bytes)", self.0.len())
    }
}

impl Serialize for Elements {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.serialize_str(&hex(&self.0))
        } else {
            Bytes::new(&self.0).serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Elements {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if !deserializer.is_human_readable() {
            return ByteBuf::deserialize(deserializer).map(|bytes| Elements(bytes.into_vec()));
        }
        let text = String::deserialize(deserializer)?;
        let bytes = from_hex(&text)
            .ok_or_else(|| de::Error::custom("shares that are not hexadecimal digits in pairs"))?;
        Ok(Elements(bytes))
    }
}

/// The bytes in lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        text.extend([DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
    }
    text
}

/// The bytes that lower-case hexadecimal digits say, if they are nothing else.
pub(crate) fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let bytes = pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?));
    if rest.is_empty() { bytes.collect() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_for_machines_and_text_for_people() {
        let elements = Elements::new((0..=255).collect());
        let text = serde_json::to_string(&elements).unwrap();
        assert!(text.starts_with("\"000102") && text.ends_with("feff\""), "{text}");
        assert_eq!(serde_json::from_str::<Elements>(&text).unwrap(), elements);
        let bytes = crate::encode(&elements);
        assert_eq!(bytes.len(), 8 + 256, "a length and the bytes");
        assert_eq!(crate::decode::<Elements>(&bytes, 1 << 10).unwrap(), elements);
        assert_eq!(format!("{elements:?}"), "Elements(256 bytes)");
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["0", "0g", "0G", "AB", "00 0", "é"] {
            assert!(from_hex(text).is_none(), "{text}");
        }
        assert!(serde_json::from_str::<Elements>("\"abc\"").is_err());
    }
}
