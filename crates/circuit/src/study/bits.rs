//! Bits: whether sealing makes them of every column, for the range check and for comparisons. Of vectors it makes none.

use std::fmt;

use quorate_field::FieldId;
use serde::{Deserialize, Serialize};

use super::{Sharing, StudyError};
use crate::column::Column;

/// Columns of which bits are made are narrower than `2^60`: there is a bit of F61 to spare for the comparison.
const WIDTH_BITS_MAX: u32 = 60;

/// What sealing makes of the columns' bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bits {
    /// Makes them, checks the ranges with them and keeps them: comparisons of columns begin with them.
    Sealed,
    /// Makes them, checks the ranges with them and drops them: runs make those that they need again.
    OnDemand,
    /// Does not make them: ranges are trusted. Runs make those that they need.
    None,
}

impl Bits {
    /// All of them.
    pub const ALL: [Bits; 3] = [Bits::Sealed, Bits::OnDemand, Bits::None];

    /// The most that helpers can do under `sharing` with shares of `columns` in `field`: `Sealed`, or `None` where they
    /// cannot make bits.
    pub fn best_for(sharing: &Sharing, field: FieldId, columns: &[Column]) -> Bits {
        if Bits::Sealed.check(sharing, field, columns).is_ok() { Bits::Sealed } else { Bits::None }
    }

    /// The name in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Bits::Sealed => "sealed",
            Bits::OnDemand => "on demand",
            Bits::None => "none",
        }
    }

    /// The one that a document names.
    pub(super) fn parse(name: &str) -> Option<Bits> {
        Bits::ALL.into_iter().find(|bits| bits.as_str() == name)
    }

    /// Whether helpers can make the bits of `columns`.
    pub(super) fn check(
        self,
        sharing: &Sharing,
        field: FieldId,
        columns: &[Column],
    ) -> Result<(), StudyError> {
        if self == Bits::None {
            return Ok(());
        }
        if let Some(column) = columns.iter().find(|column| column.is_vector()) {
            return Err(StudyError::VectorBits { bits: self, column: column.name.clone() });
        }
        if !sharing.has_products(field) {
            return Err(StudyError::NoBits { bits: self, sharing: *sharing, field });
        }
        let is_wide = |column: &&Column| {
            let interval = column.domain.interval();
            interval.max.checked_sub(&interval.min).is_none_or(|width| width.bits() > WIDTH_BITS_MAX)
        };
        match columns.iter().find(is_wide) {
            Some(column) => Err(StudyError::TooWideForBits { bits: self, column: column.name.clone() }),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Bits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
