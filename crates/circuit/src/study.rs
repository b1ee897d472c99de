//! Studies: what is asked of contributors, by whom, under which rules.
//!
//! A study is a TOML document of format 1. Its id is the hash of the document's bytes, so that everybody who holds the
//! same id means the same study down to the last comment. [`Study::parse`] refuses whatever is not understood in full,
//! out of its limits, or not built yet. [`StudyDraft`] writes documents.

mod bits;
mod disclosure;
mod document;
mod draft;
mod error;
mod privacy;
mod sharing;

pub use bits::Bits;
pub use disclosure::Disclosure;
pub use draft::StudyDraft;
pub use error::StudyError;
pub use sharing::{HELPERS_MAX, InputChecks, Sharing, SharingKind};

use quorate_field::{FieldId, Integer};
use quorate_hash::{Digest, Tagged};
use quorate_privacy::Budget;
use serde::{Deserialize, Serialize};

use crate::column::{Column, Domain};
use crate::interval::Interval;
use crate::program::Parts;

/// Longest document, in bytes.
pub const DOCUMENT_MAX: usize = 1024 * 1024;
/// Most stored columns: one that may be blank is two.
pub const COLUMNS_MAX: usize = 4096;
/// Most bytes of one row's shares at a helper: vectors are long, and a row travels in one message.
pub const ROW_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Most rows of all contributions together.
pub const ROWS_TOTAL_MAX: u64 = 1 << 40;
/// Most analysts.
pub const ANALYSTS_MAX: usize = 256;

/// A study, parsed and checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Study {
    /// What people call it.
    pub name: String,
    /// The federation that holds it, by the digest of its document.
    pub federation: Digest,
    /// How values are split over the helpers.
    pub sharing: Sharing,
    /// The stored columns, in the order in which a contribution's rows hold them: a column that may be blank with its
    /// presence behind it, a vector with all its elements.
    pub columns: Vec<Column>,
    /// Most rows of one contribution.
    pub rows_max: u32,
    /// Most contributions.
    pub capacity: u64,
    /// The field that shares are in; it holds every column's sum over all rows that can come, and what is computed to
    /// check norms.
    pub field: FieldId,
    /// What sealing makes of the columns' bits.
    pub bits: Bits,
    /// Against whom the helpers' computation is protected.
    pub security: Security,
    /// The Ed25519 key of whoever may seal it.
    pub owner: [u8; 32],
    /// Who may ask, and of how many.
    pub policy: Policy,
    /// What all answers together may cost a contributor's privacy. With a budget every result is noisy.
    pub privacy: Option<Budget>,
    id: Digest,
}

/// What the helpers may do without harm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Security {
    /// Look, but not deviate.
    Passive,
}

/// Rules that every helper enforces for itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Fewest contributions that may be computed on.
    pub min_cohort: u64,
    /// Largest share of all contributions that a seal may leave out.
    pub excluded_max: Proportion,
    /// The Ed25519 keys of those who may ask.
    pub analysts: Vec<[u8; 32]>,
    /// What may not be asked.
    pub disclosure: Disclosure,
}

/// An exact proportion, 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proportion {
    /// In units of 10^-9.
    billionths: u32,
}

impl Study {
    /// Reads a document.
    ///
    /// # Errors
    /// The owner's document: which key, what was expected, what to do.
    pub fn parse(text: &str) -> Result<Study, StudyError> {
        document::parse(text)
    }

    /// The hash of the document's exact bytes.
    pub fn id(&self) -> Digest {
        self.id
    }

    /// The id of the study whose document is `text`, parsed or not.
    pub fn id_of(text: &str) -> Digest {
        Tagged::new("quorate/1/study").bytes(text.as_bytes()).finish()
    }

    /// Most rows there can be: every contribution there is room for, each of full size.
    pub fn rows_total_max(&self) -> u64 {
        self.capacity * u64::from(self.rows_max)
    }

    /// The position of the column called `name`. That of its presence, if it may be blank, is the next.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name && !column.is_presence())
    }

    /// Cells of one row over all stored columns: a vector has as many as it is long.
    pub fn cells_per_row(&self) -> usize {
        self.columns.iter().map(Column::width).sum()
    }

    /// The columns as they are declared.
    pub fn declared(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().filter(|column| !column.is_presence())
    }

    /// What the seal holds vectors to, in words: a line for each column that bounds their norm.
    pub fn norm_rules(&self) -> Vec<String> {
        let rule = |column: &Column| match &column.domain {
            Domain::Vector { norm: Some(norm), decimals, .. } => Some(format!(
                "norm of {}: at most {}, or the seal leaves the contribution out",
                crate::syntax::quote(&column.name),
                quorate_field::quantity::scaled_decimal(norm, *decimals, true)
            )),
            _ => None,
        };
        self.columns.iter().filter_map(rule).collect()
    }

    /// Of how many parts the noise of a run is, at most, and how many of them nobody is taken to know: one helper's each.
    pub fn noise_parts(&self, is_linear: bool) -> Parts {
        let (helpers, threshold) = (u32::from(self.sharing.helpers), u32::from(self.sharing.threshold));
        Parts::of(if is_linear { helpers } else { 2 * threshold + 1 }, threshold)
    }

    /// Which input checks a seal runs, and which it has to take on trust.
    pub fn input_checks(&self) -> InputChecks {
        InputChecks::of(&self.sharing, self.bits, &self.columns)
    }
}

impl Proportion {
    /// All of it.
    pub const EVERYTHING: Proportion = Proportion { billionths: 1_000_000_000 };

    /// A proportion from decimal text between 0 and 1 with at most nine decimals, such as `0.05`.
    pub fn parse(text: &str) -> Option<Proportion> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let is_plain =
            !fraction.is_empty() && fraction.len() <= 9 && fraction.bytes().all(|b| b.is_ascii_digit());
        let billionths = match whole {
            _ if !is_plain => return None,
            "0" => format!("{fraction:0<9}").parse().ok()?,
            "1" if fraction.bytes().all(|digit| digit == b'0') => 1_000_000_000,
            _ => return None,
        };
        Some(Proportion { billionths })
    }

    /// Whether `part` of `whole` is at most this proportion.
    pub fn allows(&self, part: u64, whole: u64) -> bool {
        u128::from(part) * 1_000_000_000 <= u128::from(self.billionths) * u128::from(whole)
    }
}

impl std::fmt::Display for Proportion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&quorate_field::quantity::scaled_decimal(&u64::from(self.billionths).into(), 9, false))
    }
}

/// The smallest field that holds every column's sum over `rows` rows and the checks of norms, or the first column with none and the bound.
fn smallest_field(columns: &[Column], rows: u64) -> Result<FieldId, (usize, Integer)> {
    let mut field = FieldId::F61;
    for (index, column) in columns.iter().enumerate() {
        let bound = column_bound(column, rows);
        let needed = bound.and_then(|bound| FieldId::smallest_for(&bound));
        field = field.max(needed.ok_or((index, bound.unwrap_or(column.domain.interval().bound())))?);
    }
    Ok(field)
}

/// The largest magnitude of a column's sum over up to `rows` rows, or of what the check of its norm computes. `None`
/// beyond 512 bits.
fn column_bound(column: &Column, rows: u64) -> Option<Integer> {
    let declared = column.domain.interval().checked_total(rows).as_ref().map(Interval::bound)?;
    let Some(norm) = column.norm() else { return Some(declared) };
    // No element of an accepted vector is larger than the norm, whatever its own range.
    let accepted = norm.bound().checked_mul(&rows.into())?;
    Some(declared.max(accepted).max(norm.reach()))
}
