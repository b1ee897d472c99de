//! Amounts of privacy loss: whole numbers of trillionths.

use std::fmt;
use std::str::FromStr;

use quorate_field::Integer;
use quorate_field::quantity::{Quantity, scaled_decimal};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Decimals of an amount.
const DECIMALS: u32 = 12;

/// An amount of epsilon or rho: a multiple of 10^-12, at most 10^6.
///
/// `Display` and the serde form are the exact decimal, such as `0.125`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(u64);

/// A text that is no amount.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no amount: a decimal from 0 to 1000000 with at most twelve decimals is")]
pub struct ParseAmountError {
    text: String,
}

impl Amount {
    /// None.
    pub const ZERO: Amount = Amount(0);
    /// The least above none.
    pub const UNIT: Amount = Amount(1);
    /// The most that there can be: sums stop there.
    pub const MAX: Amount = Amount(1_000_000_000_000_000_000);

    /// A quantity rounded down to an amount; `None` if it is negative or beyond the most.
    pub fn floor(quantity: &Quantity) -> Option<Amount> {
        Amount::scaled(quantity, &Integer::ZERO)
    }

    /// A quantity rounded up to an amount; `None` if it is negative or beyond the most.
    pub fn ceil(quantity: &Quantity) -> Option<Amount> {
        Amount::scaled(quantity, &quantity.denominator().checked_sub(&Integer::ONE)?)
    }

    fn scaled(quantity: &Quantity, added: &Integer) -> Option<Amount> {
        let scaled = quantity.numerator().checked_mul(&Integer::pow10(DECIMALS)?)?.checked_add(added)?;
        let (whole, _) = scaled.div_rem(&quantity.denominator())?;
        let amount = u64::try_from(whole.to_i128()?).ok().map(Amount)?;
        (!quantity.is_negative() && amount <= Amount::MAX).then_some(amount)
    }

    /// Half the square of a quantity, rounded up to an amount; `None` if it is beyond the most.
    pub(crate) fn half_square(quantity: &Quantity) -> Option<Amount> {
        let half = Quantity::new(Integer::ONE, Integer::from(2_u64))?;
        Amount::ceil(&quantity.checked_mul(quantity)?.checked_mul(&half)?)
    }

    /// The exact number.
    pub fn quantity(self) -> Quantity {
        let unit = Integer::pow10(DECIMALS).and_then(|unit| Quantity::new(self.0.into(), unit));
        unit.unwrap_or(Quantity::ZERO)
    }

    /// The sum, at most [`Amount::MAX`].
    #[must_use]
    pub fn saturating_add(self, other: Amount) -> Amount {
        Amount(self.0.saturating_add(other.0)).min(Amount::MAX)
    }

    /// What is left after `other`; none if that is more.
    #[must_use]
    pub fn saturating_sub(self, other: Amount) -> Amount {
        Amount(self.0.saturating_sub(other.0))
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&scaled_decimal(&self.0.into(), DECIMALS, false))
    }
}

impl FromStr for Amount {
    type Err = ParseAmountError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parsed = || {
            let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
            let is_plain =
                |digits: &str| !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
            let fits = is_plain(whole)
                && is_plain(fraction)
                && whole.len() <= 7
                && fraction.len() <= DECIMALS as usize;
            let digits = fits.then(|| format!("{whole}{fraction:0<12}"))?;
            digits.parse().ok().map(Amount).filter(|amount| *amount <= Amount::MAX)
        };
        parsed().ok_or_else(|| ParseAmountError { text: text.chars().take(40).collect() })
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_as_they_are_written() {
        for text in ["0", "0.5", "1", "0.000000000001", "1000000", "12.25"] {
            assert_eq!(text.parse::<Amount>().unwrap().to_string(), text);
        }
        for text in ["", ".5", "1.", "-1", "1e3", "0.0000000000001", "1000000.1", "10000000", "½"] {
            assert!(text.parse::<Amount>().is_err(), "{text}");
        }
    }

    #[test]
    fn quantities_are_rounded_either_way() {
        let third = Quantity::new(Integer::ONE, Integer::from(3_u64)).unwrap();
        assert_eq!(Amount::floor(&third).unwrap().to_string(), "0.333333333333");
        assert_eq!(Amount::ceil(&third).unwrap().to_string(), "0.333333333334");
        let half = "0.5".parse::<Amount>().unwrap();
        assert_eq!(
            (Amount::floor(&half.quantity()), Amount::ceil(&half.quantity())),
            (Some(half), Some(half))
        );
        assert_eq!(Amount::floor(&third.checked_neg().unwrap()), None);
    }
}
