//! Columns: a name and the domain of its values, and how a cell of a table becomes an integer.
//!
//! A number with `decimals` decimals is the integer of its units in the last place: `12.34` with two decimals is
//! 1234. A category is the position of its label, from 0; a date is its days since 1970-01-01. What is uploaded, bounded
//! and computed on are these integers.
//!
//! A column that may be blank is stored as two: its values, and directly behind them whether there is one. A vector is one
//! column with many cells in a row.

mod cell;
mod norm;

use std::fmt;

use quorate_field::Integer;
use serde::{Deserialize, Serialize};

use crate::date::date_text;
use crate::diagnostics::{Diagnostic, Diagnostics, Span};
use crate::interval::Interval;
use crate::syntax::{parse_declaration, quote};
use quorate_field::quantity::scaled_decimal;

pub use cell::{CELL_MAX, CellError, Encoded, Rounding};
pub use norm::{NORM_MAX, Norm, PROJECTIONS};

/// Most decimals of a column.
pub const DECIMALS_MAX: u32 = 18;
/// Most labels of a category.
pub const LABELS_MAX: usize = 256;
/// Most elements of a vector.
pub const ELEMENTS_MAX: u32 = 1_000_000;

/// One column of a study.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Column {
    /// Its name, in tables and circuits.
    pub name: String,
    /// Its values.
    pub domain: Domain,
    /// Whether it may be blank.
    #[serde(default)]
    pub role: Role,
}

/// What a column is to those who declare and fill it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// There is a value in every row.
    #[default]
    Required,
    /// A row may be blank: then the value is the least of the domain. Its presence is the next stored column.
    Optional,
    /// Whether the column before it has a value in the row: 1, or 0 for a blank. Nobody can name it.
    Presence,
}

/// The declared values of a column.
///
/// `Display` and [`Domain::parse`] are each other's inverse: `0.00 .. 200.00`, `female | male | other`,
/// `2020-01-01 .. 2025-12-31`, `vector[1000] of -1.0000 .. 1.0000`, `vector[1000] of -1.0000 .. 1.0000 norm 5.0000`.
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
    /// Dates `min ..= max`, in days since 1970-01-01.
    Date {
        /// The first.
        min: Integer,
        /// The last.
        max: Integer,
    },
    /// Vectors: in every row so many numbers `min ..= max`, both scaled by `10^decimals`.
    Vector {
        /// Elements of a row, 1 to [`ELEMENTS_MAX`].
        length: u32,
        /// The least element, scaled.
        min: Integer,
        /// The greatest element, scaled.
        max: Integer,
        /// Decimals kept.
        decimals: u32,
        /// The greatest Euclidean norm of a row's vector, scaled as the elements are, where it is bounded: a seal checks
        /// it.
        norm: Option<Integer>,
    },
}

impl Column {
    /// A column with a value in every row.
    pub fn new(name: impl Into<String>, domain: Domain) -> Self {
        Column { name: name.into(), domain, role: Role::Required }
    }

    /// A column that may be blank.
    pub fn optional(name: impl Into<String>, domain: Domain) -> Self {
        Column { name: name.into(), domain, role: Role::Optional }
    }

    /// The column that is declared with these words, as in a study's document: `0 .. 9`, `optional yes | no`.
    ///
    /// # Errors
    /// What is wrong and where, in bytes of `declaration`.
    pub fn parse(name: impl Into<String>, declaration: &str) -> Result<Self, Diagnostics> {
        let (is_optional, domain) = parse_declaration(declaration)?;
        Ok(if is_optional { Column::optional(name, domain) } else { Column::new(name, domain) })
    }

    /// The words that declare it: its domain, behind `optional` where it may be blank.
    pub fn declaration(&self) -> String {
        declaration(self.is_optional(), &self.domain)
    }

    /// Whether it may be blank.
    pub fn is_optional(&self) -> bool {
        self.role == Role::Optional
    }

    /// Whether it is what another column's blanks are known by, and nobody's to name or fill.
    pub fn is_presence(&self) -> bool {
        self.role == Role::Presence
    }

    /// Cells of a row: 1, or the length of a vector.
    pub fn width(&self) -> usize {
        match self.domain {
            Domain::Vector { length, .. } => length as usize,
            _ => 1,
        }
    }

    /// Whether a row has a vector of it.
    pub fn is_vector(&self) -> bool {
        matches!(self.domain, Domain::Vector { .. })
    }

    /// The bound on the norm of its vectors, if it has one.
    pub fn norm(&self) -> Option<Norm> {
        match self.domain {
            Domain::Vector { length, norm: Some(norm), .. } => Norm::new(norm, length),
            _ => None,
        }
    }

    /// The columns that are stored for these: each that may be blank with its presence behind it.
    pub fn stored(columns: impl IntoIterator<Item = Column>) -> Vec<Column> {
        let mut stored = Vec::new();
        for column in columns.into_iter().filter(|column| !column.is_presence()) {
            let presence = column.is_optional().then(|| column.presence());
            stored.push(column);
            stored.extend(presence);
        }
        stored
    }

    /// The column that says where this one is blank.
    fn presence(&self) -> Column {
        let domain = Domain::Number { min: Integer::ZERO, max: Integer::ONE, decimals: 0 };
        Column { name: format!("{} is there", quote(&self.name)), domain, role: Role::Presence }
    }
}

/// The words that declare a column.
pub(crate) fn declaration(is_optional: bool, domain: &Domain) -> String {
    if is_optional { format!("optional {domain}") } else { domain.to_string() }
}

impl Domain {
    /// Reads a domain in the words of a circuit's `input`: `0.00 .. 200.00`, `female | male | other`,
    /// `2020-01-01 .. 2025-12-31` or `vector[1000] of -1.0000 .. 1.0000`.
    ///
    /// # Errors
    /// What is wrong and where, in bytes of `text`.
    pub fn parse(text: &str) -> Result<Domain, Diagnostics> {
        match parse_declaration(text)? {
            (false, domain) => Ok(domain),
            (true, _) => {
                let span = Span::new(0, text.len());
                let diagnostic = Diagnostic::new(span, "a domain is not `optional`", "a column is");
                Err(diagnostic.help("leave the word away").into())
            }
        }
    }

    /// The integers that values, or a vector's elements, are encoded as.
    pub fn interval(&self) -> Interval {
        match self {
            Domain::Number { min, max, .. } | Domain::Date { min, max } | Domain::Vector { min, max, .. } => {
                Interval::new(*min, *max)
            }
            Domain::Category { labels } => Interval::up_to(labels.len() as u64 - 1),
        }
    }

    /// `10^decimals`: how many integers make one unit of the value.
    pub fn scale(&self) -> Integer {
        match self {
            Domain::Number { decimals, .. } | Domain::Vector { decimals, .. } => {
                Integer::pow10(*decimals).unwrap_or(Integer::ONE)
            }
            Domain::Category { .. } | Domain::Date { .. } => Integer::ONE,
        }
    }

    /// The position of the label that means that something is so, if the labels are `yes` and `no`, or `true` and
    /// `false`, in any case and order.
    pub fn yes(&self) -> Option<usize> {
        let Domain::Category { labels } = self else { return None };
        let [first, second] = labels.as_slice() else { return None };
        let is = |label: &str, word: &str| label.eq_ignore_ascii_case(word);
        let is_pair = |yes: &str, no: &str| {
            [("yes", "no"), ("true", "false")].iter().any(|words| is(yes, words.0) && is(no, words.1))
        };
        match (is_pair(first, second), is_pair(second, first)) {
            (true, _) => Some(0),
            (_, true) => Some(1),
            _ => None,
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
            Domain::Vector { length, min, max, decimals, norm } => {
                let text = |x| scaled_decimal(x, *decimals, true);
                write!(f, "vector[{length}] of {} .. {}", text(min), text(max))?;
                norm.as_ref().map_or(Ok(()), |norm| write!(f, " norm {}", text(norm)))
            }
            Domain::Category { labels } => {
                let labels: Vec<_> = labels.iter().map(|label| quote(label)).collect();
                f.write_str(&labels.join(" | "))
            }
            Domain::Date { min, max } => write!(f, "{} .. {}", date_text(min), date_text(max)),
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
