//! The sharing scheme of a study: its kind, its number of helpers and its threshold.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::PieceKind;

/// A helper's number, 1 to `n`: its x-coordinate in Shamir's scheme.
pub type HelperNumber = u8;

/// The most helpers a federation can have. A set of helpers then fits a 64-bit mask.
pub const HELPERS_MAX: u8 = 64;

/// The most `t`-subsets of the helpers for which keys are kept, one per subset and helper outside it: with more,
/// there is no pseudo-random secret sharing and hence no degree check and no Boolean domain.
pub const SETS_MAX: u64 = 126;

/// How a value becomes shares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SchemeKind {
    /// Shamir, "How to share a secret", 1979: values of a polynomial of degree `t`. Any `t + 1` shares recombine.
    Shamir,
    /// Shares that add up to the value. All are needed: one helper away, and everything is lost.
    Additive,
}

/// A sharing scheme whose parameters fit each other: `t` shares reveal nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Parameters", into = "Parameters")]
pub struct Scheme {
    kind: SchemeKind,
    helpers: u8,
    threshold: u8,
}

/// A scheme that cannot be: the operator's mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SchemeError {
    /// The number of helpers is out of range.
    #[error("{helpers} helpers: choose 2 to {HELPERS_MAX}")]
    Helpers {
        /// The number asked for.
        helpers: u8,
    },
    /// The threshold is zero, or so large that all helpers together could not recombine.
    #[error("threshold {threshold} with {helpers} helpers: choose 1 to {}", helpers.saturating_sub(1))]
    Threshold {
        /// The threshold asked for.
        threshold: u8,
        /// The number of helpers.
        helpers: u8,
    },
    /// An additive sharing needs every helper: its threshold is one less than their number.
    #[error("additive sharing over {helpers} helpers has threshold {}, not {threshold}: leave it out", helpers.saturating_sub(1))]
    AdditiveThreshold {
        /// The threshold asked for.
        threshold: u8,
        /// The number of helpers.
        helpers: u8,
    },
}

impl Scheme {
    /// The scheme with these parameters: for Shamir `1 <= threshold < helpers`, for additive sharing
    /// `threshold = helpers - 1`; at most [`HELPERS_MAX`] helpers.
    pub fn new(kind: SchemeKind, helpers: u8, threshold: u8) -> Result<Self, SchemeError> {
        if !(2..=HELPERS_MAX).contains(&helpers) {
            return Err(SchemeError::Helpers { helpers });
        }
        if !(1..helpers).contains(&threshold) {
            return Err(SchemeError::Threshold { threshold, helpers });
        }
        if kind == SchemeKind::Additive && threshold != helpers - 1 {
            return Err(SchemeError::AdditiveThreshold { threshold, helpers });
        }
        Ok(Scheme { kind, helpers, threshold })
    }

    /// Shamir sharing of degree `threshold` over `helpers` helpers.
    pub fn shamir(helpers: u8, threshold: u8) -> Result<Self, SchemeError> {
        Self::new(SchemeKind::Shamir, helpers, threshold)
    }

    /// Additive sharing over `helpers` helpers.
    pub fn additive(helpers: u8) -> Result<Self, SchemeError> {
        Self::new(SchemeKind::Additive, helpers, helpers.saturating_sub(1))
    }

    /// Additive or Shamir.
    pub fn kind(&self) -> SchemeKind {
        self.kind
    }

    /// `n`, the number of helpers.
    pub fn helpers(&self) -> u8 {
        self.helpers
    }

    /// `t`: so many shares together reveal nothing.
    pub fn threshold(&self) -> u8 {
        self.threshold
    }

    /// The number of shares that recombine: `t + 1`.
    pub fn needed(&self) -> usize {
        usize::from(self.threshold) + 1
    }

    /// How many helpers compute together what is not linear: `2t + 1`.
    pub fn workers(&self) -> usize {
        2 * usize::from(self.threshold) + 1
    }

    /// The fewest helpers that may seal a study: enough to check contributions (2t+1) where the scheme allows it, and
    /// so many that any two such sets have an honest helper in common even if `t` lie, (n+t)/2 rounded down plus 1;
    /// otherwise two disjoint sets of helpers could each seal a set of their own.
    pub fn seal_quorum(&self) -> usize {
        let (n, t) = (usize::from(self.helpers), usize::from(self.threshold));
        let checking = if self.has_prss() { self.workers() } else { self.needed() };
        checking.max((n + t) / 2 + 1)
    }

    /// The helpers' numbers, 1 to `n`.
    pub fn numbers(&self) -> std::ops::RangeInclusive<HelperNumber> {
        1..=self.helpers
    }

    /// Whether `helper` is one of 1 to `n`.
    pub fn has_helper(&self, helper: HelperNumber) -> bool {
        self.numbers().contains(&helper)
    }

    /// C(n, t), the number of `t`-subsets of the helpers; saturating.
    pub fn sets(&self) -> u64 {
        let (n, t) = (u128::from(self.helpers), u128::from(self.threshold));
        // After step k the product is C(n-t+k, k), an integer; at most C(64, 32) < 2^61, so u128 never overflows.
        let sets = (1..=t).fold(1, |sets, k| sets * (n - t + k) / k);
        u64::try_from(sets).unwrap_or(u64::MAX)
    }

    /// Whether pseudo-random secret sharing ([`crate::prss`]) is there for it: Shamir, `n >= 2t + 1`, and at most
    /// [`SETS_MAX`] sets.
    pub fn has_prss(&self) -> bool {
        self.kind == SchemeKind::Shamir && self.helpers > 2 * self.threshold && self.sets() <= SETS_MAX
    }

    /// How many helpers get a seed instead of data: the `t` helpers after `rot` in Shamir's scheme, all but one in
    /// the additive one. `t` in both.
    pub fn seeds(&self) -> usize {
        usize::from(self.threshold)
    }

    /// The helper at place `k` (0 to `n - 1`) after the rotation `rot`: `(rot + k) mod n + 1`.
    ///
    /// Places 0 to `t - 1` get seeds, the others data, in both schemes: in the additive one the last place, helper
    /// `(rot + n - 1) mod n + 1`, gets the data.
    pub fn helper_at(&self, rot: u8, k: u8) -> HelperNumber {
        let place = (u16::from(rot) + u16::from(k)) % u16::from(self.helpers);
        // place < n <= 64.
        #[expect(clippy::cast_possible_truncation, reason = "less than the number of helpers")]
        let place = place as u8;
        place + 1
    }

    /// The kind of piece that `helper` must get under the rotation `rot`.
    pub fn piece_kind(&self, rot: u8, helper: HelperNumber) -> PieceKind {
        let is_seed = (0..self.threshold).any(|k| self.helper_at(rot, k) == helper);
        if is_seed { PieceKind::Seed } else { PieceKind::Data }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            SchemeKind::Shamir => write!(f, "Shamir ({},{})", self.helpers, self.threshold),
            SchemeKind::Additive => write!(f, "additive ({})", self.helpers),
        }
    }
}

/// A scheme as it is written in documents, before it is checked.
#[derive(Serialize, Deserialize)]
struct Parameters {
    kind: SchemeKind,
    helpers: u8,
    threshold: u8,
}

impl TryFrom<Parameters> for Scheme {
    type Error = SchemeError;

    fn try_from(scheme: Parameters) -> Result<Self, SchemeError> {
        Scheme::new(scheme.kind, scheme.helpers, scheme.threshold)
    }
}

impl From<Scheme> for Parameters {
    fn from(scheme: Scheme) -> Self {
        Parameters { kind: scheme.kind, helpers: scheme.helpers, threshold: scheme.threshold }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_that_do_not_fit_are_refused() {
        assert_eq!(Scheme::shamir(1, 1), Err(SchemeError::Helpers { helpers: 1 }));
        assert_eq!(Scheme::shamir(65, 1), Err(SchemeError::Helpers { helpers: 65 }));
        assert_eq!(Scheme::shamir(3, 0), Err(SchemeError::Threshold { threshold: 0, helpers: 3 }));
        assert_eq!(Scheme::shamir(3, 3), Err(SchemeError::Threshold { threshold: 3, helpers: 3 }));
        assert_eq!(
            Scheme::new(SchemeKind::Additive, 3, 1),
            Err(SchemeError::AdditiveThreshold { threshold: 1, helpers: 3 })
        );
        assert_eq!(Scheme::additive(0), Err(SchemeError::Helpers { helpers: 0 }));
        assert_eq!(Scheme::additive(3).unwrap().threshold(), 2);
        assert!(serde_json::from_str::<Scheme>(r#"{"kind":"shamir","helpers":3,"threshold":3}"#).is_err());
        let scheme: Scheme = serde_json::from_str(r#"{"kind":"shamir","helpers":4,"threshold":1}"#).unwrap();
        assert_eq!(scheme, Scheme::shamir(4, 1).unwrap());
    }

    #[test]
    fn the_number_of_sets_decides_on_prss() {
        let sets = |n, t| Scheme::shamir(n, t).unwrap().sets();
        assert_eq!([sets(3, 1), sets(5, 2), sets(7, 3), sets(9, 4)], [3, 10, 35, 126]);
        assert_eq!(sets(64, 32), 1_832_624_140_942_590_534);
        let has_prss = |n, t| Scheme::shamir(n, t).unwrap().has_prss();
        assert!(has_prss(9, 4) && has_prss(4, 1) && has_prss(64, 1));
        assert!(!has_prss(10, 4) && !has_prss(4, 2) && !has_prss(31, 10) && !has_prss(64, 63));
        assert!(!Scheme::additive(3).unwrap().has_prss());
    }

    #[test]
    fn exactly_t_helpers_get_seeds_whatever_the_rotation() {
        for n in 2..=HELPERS_MAX {
            for t in [1, n / 2, n - 1].into_iter().filter(|t| *t > 0) {
                let scheme = Scheme::shamir(n, t).unwrap();
                for rot in 0..n {
                    let seeds = scheme.numbers().filter(|&j| scheme.piece_kind(rot, j) == PieceKind::Seed);
                    assert_eq!(seeds.count(), scheme.seeds());
                    assert_eq!(scheme.piece_kind(rot, rot + 1), PieceKind::Seed);
                }
            }
        }
    }
}
