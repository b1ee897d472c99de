//! Exact rational numbers: constants of a circuit, and results as the analyst sees them.
//!
//! Always in lowest terms with a positive denominator. Every operation returns `None` instead of a wrong value where
//! numerator or denominator would leave the 512 bits of an [`Integer`] or where there is no value (division by zero).

use std::cmp::Ordering;
use std::fmt;

use crate::Integer;
use serde::{Deserialize, Serialize};

/// Significant digits of a quantity whose decimal expansion does not end.
const DIGITS_SHOWN: u32 = 12;
/// Most decimals of an expansion that is shown in full.
const DECIMALS_MAX: u32 = 40;

/// An exact rational number.
///
/// `Display` is the exact decimal where it ends within 40 decimals (`2.5`), else 12 significant digits. The serde form is
/// `{"numerator": "5", "denominator": "2"}`; a result's is the plain number.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Unreduced")]
pub struct Quantity {
    numerator: Integer,
    denominator: Integer,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unreduced {
    numerator: Integer,
    denominator: Integer,
}

impl TryFrom<Unreduced> for Quantity {
    type Error = &'static str;

    fn try_from(raw: Unreduced) -> Result<Self, Self::Error> {
        Quantity::new(raw.numerator, raw.denominator).ok_or("a quantity needs a denominator other than zero")
    }
}

impl Quantity {
    /// 0.
    pub const ZERO: Quantity = Quantity { numerator: Integer::ZERO, denominator: Integer::ONE };
    /// 1.
    pub const ONE: Quantity = Quantity { numerator: Integer::ONE, denominator: Integer::ONE };

    /// `numerator / denominator`; `None` if the denominator is zero.
    pub fn new(numerator: Integer, denominator: Integer) -> Option<Self> {
        if denominator == Integer::ZERO {
            return None;
        }
        let divisor = gcd(numerator, denominator);
        let sign = if denominator.is_negative() { divisor.checked_neg()? } else { divisor };
        Some(Quantity { numerator: numerator.div_rem(&sign)?.0, denominator: denominator.div_rem(&sign)?.0 })
    }

    /// Above the fraction line, in lowest terms.
    pub fn numerator(&self) -> Integer {
        self.numerator
    }

    /// Below the fraction line: positive.
    pub fn denominator(&self) -> Integer {
        self.denominator
    }

    /// Whether it is a whole number.
    pub fn is_integer(&self) -> bool {
        self.denominator == Integer::ONE
    }

    /// The sum.
    pub fn checked_add(&self, other: &Quantity) -> Option<Self> {
        let left = self.numerator.checked_mul(&other.denominator)?;
        let right = other.numerator.checked_mul(&self.denominator)?;
        Quantity::new(left.checked_add(&right)?, self.denominator.checked_mul(&other.denominator)?)
    }

    /// The difference.
    pub fn checked_sub(&self, other: &Quantity) -> Option<Self> {
        self.checked_add(&other.checked_neg()?)
    }

    /// The product.
    pub fn checked_mul(&self, other: &Quantity) -> Option<Self> {
        // Cancelled crosswise first, so that no intermediate value is larger than need be.
        let left = Quantity::new(self.numerator, other.denominator)?;
        let right = Quantity::new(other.numerator, self.denominator)?;
        Some(Quantity {
            numerator: left.numerator.checked_mul(&right.numerator)?,
            denominator: left.denominator.checked_mul(&right.denominator)?,
        })
    }

    /// The quotient; `None` also where `other` is zero.
    pub fn checked_div(&self, other: &Quantity) -> Option<Self> {
        self.checked_mul(&Quantity::new(other.denominator, other.numerator)?)
    }

    /// The negative.
    pub fn checked_neg(&self) -> Option<Self> {
        Some(Quantity { numerator: self.numerator.checked_neg()?, denominator: self.denominator })
    }

    /// The magnitude.
    #[must_use]
    pub fn abs(&self) -> Self {
        Quantity { numerator: self.numerator.abs(), denominator: self.denominator }
    }

    /// Whether it is below zero.
    pub fn is_negative(&self) -> bool {
        self.numerator.is_negative()
    }

    /// The order of two quantities; `None` where comparing them leaves 512 bits.
    pub fn checked_cmp(&self, other: &Quantity) -> Option<Ordering> {
        let left = self.numerator.checked_mul(&other.denominator)?;
        Some(left.cmp(&other.numerator.checked_mul(&self.denominator)?))
    }

    /// The nearest double, up to one unit in its last place.
    pub fn to_f64(&self) -> f64 {
        // Correctly rounded from the exact decimal, where there is one.
        match self.exact_decimal() {
            Some(text) => text.parse().unwrap_or(f64::NAN),
            None => match self.scientific(25) {
                Some(text) => text.parse().unwrap_or(f64::NAN),
                None => self.numerator.to_f64() / self.denominator.to_f64(),
            },
        }
    }

    /// The decimal expansion, if it ends within 40 decimals.
    fn exact_decimal(&self) -> Option<String> {
        let (mut rest, mut decimals) = (self.denominator, 0_u32);
        for factor in [10_u64, 2, 5] {
            let factor = Integer::from(factor);
            while let Some((quotient, _)) = rest.div_rem(&factor).filter(|(_, r)| *r == Integer::ZERO) {
                (rest, decimals) = (quotient, decimals + 1);
                if decimals > DECIMALS_MAX {
                    return None;
                }
            }
        }
        if rest != Integer::ONE {
            return None;
        }
        let power = Integer::pow10(decimals)?;
        let scaled = self.numerator.checked_mul(&power.div_rem(&self.denominator)?.0)?;
        Some(scaled_decimal(&scaled, decimals, false))
    }

    /// `digits` significant digits as `d.ddde±x`.
    fn scientific(&self, digits: u32) -> Option<String> {
        // The exponent e with 10^e <= |x| < 10^(e+1), estimated from lengths and then corrected.
        let length = |x: &Integer| i64::try_from(x.abs().to_string().len()).unwrap_or(i64::MAX);
        let mut exponent = length(&self.numerator) - length(&self.denominator);
        loop {
            let shift = i64::from(digits) - 1 - exponent;
            let power = Integer::pow10(u32::try_from(shift.unsigned_abs()).ok()?)?;
            let (top, bottom) = if shift >= 0 {
                (self.numerator.abs().checked_mul(&power)?, self.denominator)
            } else {
                (self.numerator.abs(), self.denominator.checked_mul(&power)?)
            };
            let mantissa = divide_half_even(&top, &bottom)?.to_string();
            if mantissa.len() < digits as usize {
                exponent -= 1;
            } else if mantissa.len() > digits as usize {
                exponent += 1;
            } else {
                let sign = if self.is_negative() { "-" } else { "" };
                return Some(format!("{sign}{}.{}e{exponent}", &mantissa[..1], &mantissa[1..]));
            }
        }
    }
}

impl From<Integer> for Quantity {
    fn from(numerator: Integer) -> Self {
        Quantity { numerator, denominator: Integer::ONE }
    }
}

impl From<u64> for Quantity {
    fn from(number: u64) -> Self {
        Integer::from(number).into()
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(text) = self.exact_decimal() {
            return f.write_str(&text);
        }
        match self.scientific(DIGITS_SHOWN).and_then(|text| plain_from_scientific(&text)) {
            Some(text) => f.write_str(&text),
            None => write!(f, "{:e}", self.to_f64()),
        }
    }
}

impl fmt::Debug for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.numerator, self.denominator)
    }
}

/// `scaled / 10^decimals` as decimal text, all decimals written if `keep`, else without trailing zeros.
pub fn scaled_decimal(scaled: &Integer, decimals: u32, keep: bool) -> String {
    let digits = scaled.abs().to_string();
    let decimals = decimals as usize;
    let digits = format!("{digits:0>width$}", width = decimals + 1);
    let (whole, fraction) = digits.split_at(digits.len() - decimals);
    let fraction = if keep { fraction } else { fraction.trim_end_matches('0') };
    let sign = if scaled.is_negative() { "-" } else { "" };
    if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

/// `top / bottom` rounded to the nearest integer, halves to even. `bottom` is positive.
pub fn divide_half_even(top: &Integer, bottom: &Integer) -> Option<Integer> {
    let (quotient, remainder) = top.div_rem(bottom)?;
    let twice = remainder.checked_add(&remainder)?;
    let is_odd = quotient.div_rem(&Integer::from(2_u64))?.1 == Integer::ONE;
    match twice.cmp(bottom) {
        Ordering::Greater => quotient.checked_add(&Integer::ONE),
        Ordering::Equal if is_odd => quotient.checked_add(&Integer::ONE),
        _ => Some(quotient),
    }
}

/// The greatest common divisor; 1 for two zeros.
pub fn gcd(a: Integer, b: Integer) -> Integer {
    let (mut a, mut b) = (a.abs(), b.abs());
    while b != Integer::ZERO {
        let remainder = a.div_rem(&b).map_or(Integer::ZERO, |(_, remainder)| remainder);
        (a, b) = (b, remainder);
    }
    if a == Integer::ZERO { Integer::ONE } else { a }
}

/// The least common multiple of two positive integers.
pub fn lcm(a: Integer, b: Integer) -> Option<Integer> {
    a.div_rem(&gcd(a, b))?.0.checked_mul(&b)
}

/// `1.2345e2` as `123.45`, for exponents that a reader would rather see written out.
fn plain_from_scientific(text: &str) -> Option<String> {
    let (mantissa, exponent) = text.split_once('e')?;
    let exponent: i32 = exponent.parse().ok()?;
    if !(-6..=20).contains(&exponent) {
        return Some(text.to_owned());
    }
    let digits: Integer = mantissa.replace('.', "").parse().ok()?;
    let decimals = i32::try_from(mantissa.split_once('.')?.1.len()).ok()? - exponent;
    if decimals >= 0 {
        return Some(scaled_decimal(&digits, decimals.unsigned_abs(), false));
    }
    Some(digits.checked_mul(&Integer::pow10(decimals.unsigned_abs())?)?.to_string())
}
