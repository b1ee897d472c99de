//! Intervals of exact integers: what the checker knows of every value before any value is known.

use quorate_field::Integer;
use serde::{Deserialize, Serialize};
use std::fmt;

/// All integers `min ..= max`.
///
/// The operations return the smallest interval that holds every result, or `None` where that leaves 512 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Interval {
    /// The least.
    pub min: Integer,
    /// The greatest.
    pub max: Integer,
}

impl Interval {
    /// 0 or 1.
    pub const BIT: Interval = Interval { min: Integer::ZERO, max: Integer::ONE };

    /// `min ..= max`, with `min <= max`.
    pub fn new(min: Integer, max: Integer) -> Self {
        assert!(min <= max, "an interval's ends are in order");
        Interval { min, max }
    }

    /// One integer.
    pub fn point(value: Integer) -> Self {
        Interval { min: value, max: value }
    }

    /// `0 ..= max`.
    pub fn up_to(max: u64) -> Self {
        Interval { min: Integer::ZERO, max: max.into() }
    }

    /// The largest magnitude in it.
    pub fn bound(&self) -> Integer {
        self.min.abs().max(self.max.abs())
    }

    /// Whether it holds `value`.
    pub fn contains(&self, value: &Integer) -> bool {
        (self.min..=self.max).contains(value)
    }

    /// The smallest interval that holds both.
    #[must_use]
    pub fn hull(&self, other: &Interval) -> Interval {
        Interval { min: self.min.min(other.min), max: self.max.max(other.max) }
    }

    /// Sums.
    pub fn checked_add(&self, other: &Interval) -> Option<Interval> {
        Some(Interval { min: self.min.checked_add(&other.min)?, max: self.max.checked_add(&other.max)? })
    }

    /// Negatives.
    pub fn checked_neg(&self) -> Option<Interval> {
        Some(Interval { min: self.max.checked_neg()?, max: self.min.checked_neg()? })
    }

    /// Differences.
    pub fn checked_sub(&self, other: &Interval) -> Option<Interval> {
        self.checked_add(&other.checked_neg()?)
    }

    /// Products.
    pub fn checked_mul(&self, other: &Interval) -> Option<Interval> {
        let corners = [
            self.min.checked_mul(&other.min)?,
            self.min.checked_mul(&other.max)?,
            self.max.checked_mul(&other.min)?,
            self.max.checked_mul(&other.max)?,
        ];
        Some(Interval { min: *corners.iter().min()?, max: *corners.iter().max()? })
    }

    /// Products with one factor.
    pub fn checked_scale(&self, factor: &Integer) -> Option<Interval> {
        self.checked_mul(&Interval::point(*factor))
    }

    /// Powers. An even power is not negative.
    pub fn checked_pow(&self, exponent: u32) -> Option<Interval> {
        let power =
            (0..exponent).try_fold(Interval::point(Integer::ONE), |power, _| power.checked_mul(self))?;
        Some(if exponent.is_multiple_of(2) {
            Interval { min: power.min.max(Integer::ZERO), ..power }
        } else {
            power
        })
    }

    /// Sums over at most `rows` values, none at all included.
    pub fn checked_total(&self, rows: u64) -> Option<Interval> {
        self.checked_mul(&Interval::up_to(rows))
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} .. {}", self.min, self.max)
    }
}
