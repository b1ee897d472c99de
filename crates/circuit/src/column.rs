//! Columns: a name and the domain of its values, and how a cell of a table becomes an integer.
//!
//! A number with `decimals` decimals is the integer of its units in the last place: `12.34` with two decimals is
//! 1234. A category is the position of its label, from 0. What is uploaded, bounded and computed on are these integers.

use std::fmt;

use quorate_field::Integer;
use serde::{Deserialize, Serialize};

use crate::diagnostics::Diagnostics;
use crate::interval::Interval;
use crate::quantity::{Quantity, divide_half_even, scaled_decimal};
use crate::syntax::{parse_domain, quote};

/// Most decimals of a column.
pub const DECIMALS_MAX: u32 = 18;
/// Most labels of a category.
pub const LABELS_MAX: usize = 256;
/// Longest cell that is read, in bytes.
pub const CELL_MAX: usize = 256;

/// One column of a study.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Column {
    /// Its name, in tables and circuits.
    pub name: String,
    /// Its values.
    pub domain: Domain,
}

/// The declared values of a column.
///
/// `Display` and [`Domain::parse`] are each other's inverse: `0.00 .. 200.00`, `female | male | other`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Domain {
    /// Numbers `min ..= max`, both scaled by `10^decimals`.
    Number {
        /// The least, scaled.
        min: Integer,
        /// The greatest, scaled.
        max: Integer,
        /// Decimals kept.
        decimals: u32,
    },
    /// One of at least two labels.
    Category {
        /// The labels, all different; a value is its label's position.
        labels: Vec<String>,
    },
}

/// What to do with more decimals than a column declares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// Refuse them.
    Exact,
    /// Round to the nearest, halves to even.
    HalfEven,
}

/// A cell's integer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoded {
    /// The value, scaled, inside the column's domain.
    pub value: Integer,
    /// By how much rounding changed it (not scaled, never zero); `None` if it did not.
    pub rounded_by: Option<Quantity>,
}

/// A cell that is no value of its column. The contributor is to blame; row and column are the caller's to add.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CellError {
    /// Nothing in it.
    #[error("the cell is empty: expected {expected}")]
    Empty {
        /// The domain in words.
        expected: String,
    },
    /// Not a decimal number.
    #[error("{found:?} is not a number: expected {expected}, written with digits and a decimal point")]
    NotANumber {
        /// The beginning of the cell.
        found: String,
        /// The domain in words.
        expected: String,
    },
    /// A number outside the declared range.
    #[error("{found} is out of range: expected {expected}")]
    OutOfRange {
        /// The beginning of the cell.
        found: String,
        /// The domain in words.
        expected: String,
    },
    /// More decimals than declared, where rounding was not allowed.
    #[error("{found} has more than {decimals} decimals: round it, or allow rounding")]
    NotExact {
        /// The beginning of the cell.
        found: String,
        /// Decimals declared.
        decimals: u32,
    },
    /// A label that the column does not have.
    #[error("{found:?} is none of the column's labels: expected {expected}")]
    UnknownLabel {
        /// The beginning of the cell.
        found: String,
        /// The domain in words.
        expected: String,
    },
}

impl Column {
    /// The integer that `cell`, surrounding white space aside, stands for.
    ///
    /// Numbers are decimal, with a sign or an exponent if need be (`-1.5`, `1e+05`); labels are matched exactly.
    ///
    /// # Errors
    /// The cell is no value of the domain.
    pub fn encode(&self, cell: &str, rounding: Rounding) -> Result<Encoded, CellError> {
        let cell = cell.trim();
        if cell.is_empty() {
            return Err(CellError::Empty { expected: self.domain.to_string() });
        }
        match &self.domain {
            Domain::Category { labels } => match labels.iter().position(|label| label == cell) {
                Some(position) => Ok(Encoded { value: (position as u64).into(), rounded_by: None }),
                None => {
                    Err(CellError::UnknownLabel { found: shown(cell), expected: self.domain.to_string() })
                }
            },
            Domain::Number { min, max, decimals } => {
                self.encode_number(cell, rounding, (min, max), *decimals)
            }
        }
    }

    fn encode_number(
        &self,
        cell: &str,
        rounding: Rounding,
        (min, max): (&Integer, &Integer),
        decimals: u32,
    ) -> Result<Encoded, CellError> {
        let out_of_range = || CellError::OutOfRange { found: shown(cell), expected: self.domain.to_string() };
        let number = Scientific::read(cell)
            .ok_or_else(|| CellError::NotANumber { found: shown(cell), expected: self.domain.to_string() })?;
        let exact = number.scaled(decimals).ok_or_else(out_of_range)?;
        if rounding == Rounding::Exact && !exact.is_integer() {
            return Err(CellError::NotExact { found: shown(cell), decimals });
        }
        let value = divide_half_even(&exact.numerator(), &exact.denominator()).ok_or_else(out_of_range)?;
        if value < *min || value > *max {
            return Err(out_of_range());
        }
        let change = Quantity::from(value).checked_sub(&exact).map(|change| change.abs());
        let unit = Integer::pow10(decimals).map(Quantity::from);
        let rounded_by = match (change, unit) {
            (Some(change), _) if change == Quantity::ZERO => None,
            (Some(change), Some(unit)) => change.checked_div(&unit),
            _ => return Err(out_of_range()),
        };
        Ok(Encoded { value, rounded_by })
    }
}

impl Domain {
    /// Reads a domain in the words of a circuit's `input`: `0.00 .. 200.00`, or `female | male | other`.
    ///
    /// # Errors
    /// What is wrong and where, in bytes of `text`.
    pub fn parse(text: &str) -> Result<Domain, Diagnostics> {
        parse_domain(text)
    }

    /// The integers that values are encoded as.
    pub fn interval(&self) -> Interval {
        match self {
            Domain::Number { min, max, .. } => Interval::new(*min, *max),
            Domain::Category { labels } => Interval::up_to(labels.len() as u64 - 1),
        }
    }

    /// `10^decimals`: how many integers make one unit of the value.
    pub fn scale(&self) -> Integer {
        match self {
            Domain::Number { decimals, .. } => Integer::pow10(*decimals).unwrap_or(Integer::ONE),
            Domain::Category { .. } => Integer::ONE,
        }
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Domain::Number { min, max, decimals } => {
                let text = |x| scaled_decimal(x, *decimals, true);
                write!(f, "{} .. {}", text(min), text(max))
            }
            Domain::Category { labels } => {
                let labels: Vec<_> = labels.iter().map(|label| quote(label)).collect();
                f.write_str(&labels.join(" | "))
            }
        }
    }
}

impl From<Domain> for String {
    fn from(domain: Domain) -> String {
        domain.to_string()
    }
}

impl TryFrom<String> for Domain {
    type Error = Diagnostics;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Domain::parse(&text)
    }
}

/// `mantissa * 10^exponent`.
struct Scientific {
    mantissa: Integer,
    exponent: i64,
}

impl Scientific {
    fn read(text: &str) -> Option<Scientific> {
        if text.len() > CELL_MAX {
            return None;
        }
        let (number, exponent) = match text.split_once(['e', 'E']) {
            Some((number, exponent)) => {
                let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
                let is_plain = (1..=4).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
                (number, exponent.parse::<i64>().ok().filter(|_| is_plain)?)
            }
            None => (text, 0),
        };
        let (is_negative, number) = match number.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, number.strip_prefix('+').unwrap_or(number)),
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let digits = format!("{whole}{fraction}");
        if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
            return None;
        }
        // Trailing zeros of the fraction carry nothing, and would cost range.
        let kept = whole.len() + fraction.trim_end_matches('0').len();
        let mantissa: Integer = if kept == 0 { Integer::ZERO } else { digits[..kept].parse().ok()? };
        let decimals = i64::try_from(kept - whole.len()).ok()?;
        let mantissa = if is_negative { mantissa.checked_neg()? } else { mantissa };
        Some(Scientific { mantissa, exponent: exponent - decimals })
    }

    /// The number times `10^decimals`, exactly; `None` if it is astronomically large or long.
    fn scaled(&self, decimals: u32) -> Option<Quantity> {
        let exponent = self.exponent + i64::from(decimals);
        if self.mantissa == Integer::ZERO {
            return Some(Quantity::ZERO);
        }
        let power = Integer::pow10(u32::try_from(exponent.unsigned_abs()).ok()?)?;
        match exponent {
            0.. => Some(self.mantissa.checked_mul(&power)?.into()),
            _ => Quantity::new(self.mantissa, power),
        }
    }
}

/// The beginning of a cell, for a message to its owner.
fn shown(cell: &str) -> String {
    const SHOWN: usize = 40;
    let mut text: String = cell.chars().take(SHOWN).collect();
    if text.len() < cell.len() {
        text.push('…');
    }
    text
}
