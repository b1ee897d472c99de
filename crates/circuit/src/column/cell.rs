//! Cells of a table, read as values of a column.

use quorate_field::Integer;

use super::{Column, Domain};
use crate::date::parse_date;
use quorate_field::quantity::{Quantity, divide_half_even};

/// Longest cell that is read, in bytes.
pub const CELL_MAX: usize = 256;

/// What spreadsheets and R write for a value that is not there.
const NOT_AVAILABLE: &str = "NA";

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
    #[error(
        "the cell is empty: expected {expected}; a column that may be blank is declared `optional` in the study"
    )]
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
    /// Not a date.
    #[error("{found:?} is not a date: expected {expected}, written with year, month and day")]
    NotADate {
        /// The beginning of the cell.
        found: String,
        /// The domain in words.
        expected: String,
    },
    /// A number or date outside the declared range.
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
    /// Whether `cell` is a blank of a column that may be blank: nothing but white space, or `NA` where that is no label.
    pub fn is_blank(&self, cell: &str) -> bool {
        let is_label = |cell: &str| matches!(&self.domain, Domain::Category { labels } if labels.iter().any(|label| label == cell));
        let cell = cell.trim();
        self.is_optional() && (cell.is_empty() || (cell == NOT_AVAILABLE && !is_label(cell)))
    }

    /// The integer that `cell`, surrounding white space aside, stands for: of a vector, that of one element.
    ///
    /// Numbers are decimal, with a sign or an exponent if need be (`-1.5`, `1e+05`); dates have four, two and two
    /// digits; labels are matched exactly, but `yes | no` and `true | false` in any case, and as `1` and `0`.
    ///
    /// # Errors
    /// The cell is no value of the domain.
    pub fn encode(&self, cell: &str, rounding: Rounding) -> Result<Encoded, CellError> {
        let cell = cell.trim();
        let expected = || self.expected();
        if cell.is_empty() {
            return Err(CellError::Empty { expected: expected() });
        }
        match &self.domain {
            Domain::Category { labels } => match self.label(labels, cell) {
                Some(position) => Ok(Encoded { value: (position as u64).into(), rounded_by: None }),
                None => Err(CellError::UnknownLabel { found: shown(cell), expected: expected() }),
            },
            Domain::Number { min, max, decimals } | Domain::Vector { min, max, decimals, .. } => {
                self.encode_number(cell, rounding, (min, max), *decimals)
            }
            Domain::Date { min, max } => {
                let days = parse_date(cell).map(Integer::from);
                let value =
                    days.ok_or_else(|| CellError::NotADate { found: shown(cell), expected: expected() })?;
                if value < *min || value > *max {
                    return Err(CellError::OutOfRange { found: shown(cell), expected: expected() });
                }
                Ok(Encoded { value, rounded_by: None })
            }
        }
    }

    /// What a cell, or an element of a vector, may be, in words.
    pub fn expected(&self) -> String {
        match &self.domain {
            Domain::Vector { min, max, decimals, .. } => {
                Domain::Number { min: *min, max: *max, decimals: *decimals }.to_string()
            }
            domain => domain.to_string(),
        }
    }

    /// The position of the label that a cell means.
    fn label(&self, labels: &[String], cell: &str) -> Option<usize> {
        let exact = labels.iter().position(|label| label == cell);
        let Some(yes) = self.domain.yes() else { return exact };
        let is_one_of = |words: &[&str; 3]| words.iter().any(|word| word.eq_ignore_ascii_case(cell));
        match (is_one_of(&["yes", "true", "1"]), is_one_of(&["no", "false", "0"])) {
            (true, _) => Some(yes),
            (_, true) => Some(1 - yes),
            _ => exact,
        }
    }

    fn encode_number(
        &self,
        cell: &str,
        rounding: Rounding,
        (min, max): (&Integer, &Integer),
        decimals: u32,
    ) -> Result<Encoded, CellError> {
        let out_of_range = || CellError::OutOfRange { found: shown(cell), expected: self.expected() };
        let number = Scientific::read(cell)
            .ok_or_else(|| CellError::NotANumber { found: shown(cell), expected: self.expected() })?;
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
