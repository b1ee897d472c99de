//! What can be wrong with a study's document. Its owner is to blame.

use quorate_field::{FieldId, Integer};

use super::{Bits, Sharing};

/// Why a document is no study: the key, what was expected, what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StudyError {
    /// More bytes than a document may have.
    #[error("the study document has {bytes} bytes: expected at most {max}; ask for fewer columns")]
    TooLong {
        /// What it has.
        bytes: usize,
        /// What it may have.
        max: usize,
    },
    /// Not TOML, a key missing, unknown, or of the wrong type.
    #[error("the study document does not read: {message}")]
    Document {
        /// The place and the expectation, by the TOML parser.
        message: String,
    },
    /// A key with a value out of what it may have.
    #[error("study key `{key}` is {found}: expected {expected}; {help}")]
    Value {
        /// The key, with its position where there are several.
        key: String,
        /// What stands there.
        found: String,
        /// What may stand there.
        expected: String,
        /// What to do.
        help: &'static str,
    },
    /// A value that is foreseen and that no helper can keep yet.
    #[error("study key `{key}` is \"{value}\": not built yet; {help}")]
    NotBuiltYet {
        /// The key.
        key: &'static str,
        /// What stands there.
        value: String,
        /// What to do.
        help: &'static str,
    },
    /// Bits asked of helpers that cannot make them.
    #[error(
        "study key `bits` is \"{bits}\": helpers make bits with products, which {sharing} in {field} has not; it takes \
         shamir with more than twice as many helpers as the threshold, at most 126 sets of threshold helpers, and f61 \
         or f127; or write bits = \"none\": ranges are trusted"
    )]
    NoBits {
        /// What stands there.
        bits: Bits,
        /// How values are split.
        sharing: Sharing,
        /// The field of the shares.
        field: FieldId,
    },
    /// Bits asked of a column that is too wide.
    #[error(
        "study key `bits` is \"{bits}\": the range of column `{column}` must be narrower than 2^60; narrow it, or write \
         bits = \"none\": ranges are trusted"
    )]
    TooWideForBits {
        /// What stands there.
        bits: Bits,
        /// The column.
        column: String,
    },
    /// Bits asked of a study with vectors.
    #[error(
        "study key `bits` is \"{bits}\": helpers make no bits of vectors, as `{column}` is one; write bits = \"none\": ranges \
         are trusted"
    )]
    VectorBits {
        /// What stands there.
        bits: Bits,
        /// A column of vectors.
        column: String,
    },
    /// A norm asked of helpers that cannot check it.
    #[error(
        "column `{column}` has a norm: helpers check norms with products, which {sharing} in {field} has not; it takes \
         shamir with more than twice as many helpers as the threshold, at most 126 sets of threshold helpers, and f61 \
         or f127; or leave the norm away: vectors are trusted"
    )]
    NoNorms {
        /// The column of vectors.
        column: String,
        /// How values are split.
        sharing: Sharing,
        /// The field of the shares.
        field: FieldId,
    },
    /// The field cannot hold a column's sum, or what the check of its norm computes.
    #[error(
        "study key `field` is {declared}: what is computed of column `{column}` over {rows} rows reaches {bound}, beyond \
         the {} that {declared} holds; {}", declared.half(), would_do(*.suffices)
    )]
    FieldTooSmall {
        /// The field in the document.
        declared: FieldId,
        /// The column.
        column: String,
        /// `capacity * rows_max`.
        rows: u64,
        /// The largest magnitude.
        bound: Integer,
        /// The smallest field that suffices for every column, if there is one.
        suffices: Option<FieldId>,
    },
}

fn would_do(suffices: Option<FieldId>) -> String {
    match suffices {
        Some(field) => format!("field = \"{}\" would do", field.as_str()),
        None => "no field would do: lower `capacity` or `rows_max`, or narrow the column's domain".to_owned(),
    }
}
