//! The sharing scheme as a study's document names it, and what can be checked of inputs under it.

use std::fmt;

use quorate_field::FieldId;
use serde::{Deserialize, Serialize};

use super::Bits;
use crate::column::Column;

/// Most helpers of a federation.
pub const HELPERS_MAX: u8 = 64;

/// Most CNF sub-shares per value: beyond it there is no keyed randomness shared by sets of helpers.
const SETS_MAX: u128 = 126;

/// How values are split.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SharingKind {
    /// Shamir's polynomials: any `threshold + 1` helpers recombine.
    Shamir,
    /// Sums: only all helpers together recombine.
    Additive,
}

/// A sharing scheme with its numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sharing {
    /// Shamir or additive.
    pub kind: SharingKind,
    /// Helpers, `n`.
    pub helpers: u8,
    /// Helpers that together learn nothing, `t`.
    pub threshold: u8,
}

impl Sharing {
    /// Whether the numbers fit the kind; if not, the expectation in words.
    pub fn check(&self) -> Result<(), &'static str> {
        let Sharing { kind, helpers, threshold } = *self;
        match kind {
            _ if !(2..=HELPERS_MAX).contains(&helpers) => Err("2 to 64 helpers"),
            SharingKind::Shamir if threshold == 0 || threshold >= helpers => {
                Err("a threshold of at least 1 and below the number of helpers")
            }
            SharingKind::Additive if threshold != helpers - 1 => {
                Err("a threshold of helpers - 1, which is what additive sharing has")
            }
            _ => Ok(()),
        }
    }

    /// The number of sets of `t` helpers, saturating.
    pub fn sets(&self) -> u128 {
        let (n, t) = (u128::from(self.helpers), u128::from(self.threshold));
        (1..=t).fold(1_u128, |sets, i| sets.saturating_mul(n + 1 - i) / i)
    }

    /// Whether the helpers can hold shared keys for randomness and hence run the degree check.
    pub fn has_shared_randomness(&self) -> bool {
        let majority = u16::from(self.helpers) > 2 * u16::from(self.threshold);
        self.kind == SharingKind::Shamir && majority && self.sets() <= SETS_MAX
    }

    /// Whether helpers can multiply, compare and make bits of shares in `field`.
    pub fn has_products(&self, field: FieldId) -> bool {
        self.has_shared_randomness() && field != FieldId::F256
    }
}

impl fmt::Display for Sharing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            SharingKind::Shamir => "shamir",
            SharingKind::Additive => "additive",
        };
        write!(f, "{kind}, {} helpers, threshold {}", self.helpers, self.threshold)
    }
}

/// Which checks of what contributors sent a seal runs. The table of `docs/protocols.md`, section 3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputChecks {
    /// Every contribution's shares lie on polynomials of degree `t`.
    pub degree: bool,
    /// Every value is in its declared range.
    pub range: bool,
    /// No vector of a column that bounds the norm is longer.
    #[serde(default)]
    pub norm: bool,
}

impl InputChecks {
    pub(super) fn of(sharing: &Sharing, bits: Bits, columns: &[Column]) -> InputChecks {
        let degree = sharing.has_shared_randomness();
        let norm = columns.iter().any(|column| column.norm().is_some());
        InputChecks { degree, range: bits != Bits::None, norm }
    }

    /// Whether values are compared, beyond what shares tell by themselves.
    pub fn compare_values(&self) -> bool {
        self.range || self.norm
    }
}

impl fmt::Display for InputChecks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let contributors = if self.degree { "degree check" } else { "trusted" };
        let range = if self.range { "range check" } else { "trusted" };
        let norm = if self.norm { ", norm: norm check" } else { "" };
        write!(f, "contributors: {contributors}, range: {range}{norm}")
    }
}
