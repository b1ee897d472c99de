//! Names of the fields: how a study, a plan or a frame says which field its elements are of.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Field, Integer};

/// One of the three fields, in order of size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FieldId {
    /// 2^61-1: [`crate::F61`].
    F61,
    /// 2^127-1: [`crate::F127`].
    F127,
    /// 2^256-189: [`crate::F256`].
    F256,
}

impl FieldId {
    /// All fields, the smallest first.
    pub const ALL: [Self; 3] = [Self::F61, Self::F127, Self::F256];

    /// Bytes of an encoded element: 8, 16 or 32.
    #[must_use]
    pub fn bytes(self) -> usize {
        crate::with_field!(self, F => F::BYTES)
    }

    /// The modulus p.
    #[must_use]
    pub fn modulus(self) -> Integer {
        crate::with_field!(self, F => Integer::from_le_words(F::MODULUS))
    }

    /// The largest integer that embeds: (p-1)/2. The smallest is its negative.
    #[must_use]
    pub fn half(self) -> Integer {
        let [w0, w1, w2, w3] = crate::with_field!(self, F => F::MODULUS);
        // p is odd, so a shift right by one is (p-1)/2.
        Integer::from_le_words([w0 >> 1 | w1 << 63, w1 >> 1 | w2 << 63, w2 >> 1 | w3 << 63, w3 >> 1])
    }

    /// The smallest field into which every integer `-bound..=bound` embeds; `None` if even F256 is too small.
    /// `bound` is taken absolutely.
    #[must_use]
    pub fn smallest_for(bound: &Integer) -> Option<Self> {
        let bound = bound.abs();
        Self::ALL.into_iter().find(|id| bound <= id.half())
    }

    /// The name in documents: `f61`, `f127` or `f256`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::F61 => "f61",
            Self::F127 => "f127",
            Self::F256 => "f256",
        }
    }
}

/// `F61`, `F127` or `F256`.
impl fmt::Display for FieldId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(crate::with_field!(*self, F => F::NAME))
    }
}

/// A text that names no field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no field \"{0}\": write f61, f127 or f256")]
pub struct ParseFieldIdError(String);

/// Reads the name in documents (`f61`).
impl FromStr for FieldId {
    type Err = ParseFieldIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|id| id.as_str() == text).ok_or_else(|| ParseFieldIdError(text.to_owned()))
    }
}

/// Runs a generic expression with the field that a [`FieldId`] names: `with_field!(id, F => sum::<F>(x))`.
///
/// The body is compiled once per field, with `F` a type alias; all three must have the same type.
#[macro_export]
macro_rules! with_field {
    ($id:expr, $field:ident => $body:expr) => {
        match $id {
            $crate::FieldId::F61 => {
                type $field = $crate::F61;
                $body
            }
            $crate::FieldId::F127 => {
                type $field = $crate::F127;
                $body
            }
            $crate::FieldId::F256 => {
                type $field = $crate::F256;
                $body
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip_and_others_are_refused() {
        for id in FieldId::ALL {
            assert_eq!(id.as_str().parse(), Ok(id));
            assert_eq!(serde_json::to_string(&id).unwrap(), format!("\"{}\"", id.as_str()));
            assert_eq!(id.to_string().to_lowercase(), id.as_str());
        }
        assert!("F61".parse::<FieldId>().is_err());
        assert!(serde_json::from_str::<FieldId>("\"F61\"").is_err());
    }

    #[test]
    fn moduli_in_decimal() {
        let moduli = FieldId::ALL.map(|id| id.modulus().to_string());
        assert_eq!(
            moduli,
            [
                "2305843009213693951",
                "170141183460469231731687303715884105727",
                "115792089237316195423570985008687907853269984665640564039457584007913129639747"
            ]
        );
    }

    #[test]
    fn smallest_for_changes_exactly_at_half() {
        let one = Integer::ONE;
        for (small, large) in
            [(FieldId::F61, Some(FieldId::F127)), (FieldId::F127, Some(FieldId::F256)), (FieldId::F256, None)]
        {
            let half = small.half();
            assert_eq!(half.checked_add(&half).unwrap().checked_add(&one).unwrap(), small.modulus());
            assert_eq!(FieldId::smallest_for(&half), Some(small));
            assert_eq!(FieldId::smallest_for(&half.checked_neg().unwrap()), Some(small));
            assert_eq!(FieldId::smallest_for(&half.checked_add(&one).unwrap()), large);
        }
        assert_eq!(FieldId::smallest_for(&Integer::ZERO), Some(FieldId::F61));
    }
}
