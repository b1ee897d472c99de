//! What can be wrong with a contribution before anything is sent.

use quorate_hash::Digest;

use crate::table::BadRows;
use crate::vector::NpyError;

/// A table that cannot be contributed. To blame is the contributor's file, except for `Unreadable` (this machine) and
/// `Study` (whoever wrote the study).
#[derive(Debug, thiserror::Error)]
pub enum ContributeError {
    /// The file could not be read to its end.
    #[error("reading the table failed: {source}")]
    Unreadable {
        /// The operating system's words.
        source: std::io::Error,
    },
    /// There is not even a line of column names.
    #[error("the table is empty: expected a first line with column names, then one line per row")]
    Empty,
    /// There are column names but no rows, or none that could be used.
    #[error("the table has column names but no usable row ({skipped} skipped)")]
    NoRows {
        /// Rows skipped because they were bad.
        skipped: u64,
    },
    /// The line of column names is not UTF-8.
    #[error("the line of column names is not UTF-8 text: save the table as UTF-8")]
    HeaderNotUtf8,
    /// A column of the study is not in the table.
    #[error("the table has no column {name:?}{}; it has: {}", did_you_mean(nearest), found.join(", "))]
    MissingColumn {
        /// The column looked for.
        name: String,
        /// The table's columns, the first few.
        found: Vec<String>,
        /// The column that may be meant.
        nearest: Option<String>,
    },
    /// Two columns of the table have the name of one column of the study.
    #[error(
        "the table has two columns {name:?} (columns {first} and {second}): rename or remove one of them"
    )]
    RepeatedColumn {
        /// The name.
        name: String,
        /// The first one's place, from 1.
        first: usize,
        /// The second one's place, from 1.
        second: usize,
    },
    /// Rows that are no values of the study's columns.
    #[error("{bad}")]
    BadRows {
        /// The first of them, and how many there are.
        bad: BadRows,
    },
    /// More rows than one contribution may have.
    #[error("{rows} rows in one block, but the study allows {rows_max} per contribution")]
    TooManyRows {
        /// Rows of the block.
        rows: u64,
        /// The study's limit.
        rows_max: u32,
    },
    /// More contributions than the study takes.
    #[error("{contributions} contributions, but the study's capacity is {capacity}")]
    TooManyContributions {
        /// Contributions of this table.
        contributions: u64,
        /// The study's capacity.
        capacity: u64,
    },
    /// A block that does not fit one upload.
    #[error(
        "a block of {rows} rows takes {bytes} bytes per helper, over the limit of {limit} for one upload"
    )]
    BlockTooLarge {
        /// Rows of the block.
        rows: u32,
        /// Bytes it takes.
        bytes: usize,
        /// The most that one upload may have.
        limit: usize,
    },
    /// A value outside its column's declared domain reached the packer; nothing was sent.
    #[error("row {row}: the value of column {column:?} does not fit the study's field")]
    DoesNotFit {
        /// The row in its block, from 1.
        row: usize,
        /// The column.
        column: String,
    },
    /// A file of vectors does not read.
    #[error("the vectors of column {column:?}: {error}")]
    Vectors {
        /// The column.
        column: String,
        /// What is wrong with the file.
        error: NpyError,
    },
    /// Vectors for a column that there is not, or that has none.
    #[error("column {column:?} has no vectors: {declared}")]
    NotVectors {
        /// The name that was given.
        column: String,
        /// What it is declared as, or which columns have vectors.
        declared: String,
    },
    /// Vectors of another length than the column's.
    #[error("column {column:?}: the file's vectors have {found} elements, and the study's {expected}")]
    VectorLength {
        /// The column.
        column: String,
        /// Elements of the file's.
        found: u64,
        /// Elements declared.
        expected: u32,
    },
    /// Not one vector for each row.
    #[error("column {column:?}: the file has {found} vectors, and there are {expected} rows")]
    VectorRows {
        /// The column.
        column: String,
        /// The file's.
        found: u64,
        /// Rows of the table, or of the first file.
        expected: u64,
    },
    /// An element that is no value of its column.
    #[error("column {column:?}, row {row}, element {index}: {found} {reason}")]
    Element {
        /// The column.
        column: String,
        /// The row, from 1.
        row: u64,
        /// The element, from 0.
        index: usize,
        /// The number.
        found: f64,
        /// What is wrong with it.
        reason: String,
    },
    /// A vector that is longer than its column allows.
    #[error("column {column:?}, row {row}: the vector is above its norm: expected {declared}")]
    AboveNorm {
        /// The column.
        column: String,
        /// The row, from 1.
        row: u64,
        /// What the column is declared as.
        declared: String,
    },
    /// The study's sharing scheme cannot be.
    #[error("study {study}: {reason}")]
    Study {
        /// The study.
        study: Digest,
        /// What is wrong with its scheme.
        reason: quorate_sharing::SchemeError,
    },
}

impl ContributeError {
    /// What to do about it, where the message does not say.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            ContributeError::Unreadable { .. } => {
                Some("check that the file is there and that you may read it")
            }
            ContributeError::MissingColumn { .. } => {
                Some("columns are found by the names in the first line; others are ignored")
            }
            ContributeError::BadRows { .. } => {
                Some("nothing was sent; correct these rows, or leave them out with --skip-bad")
            }
            ContributeError::TooManyRows { .. } | ContributeError::BlockTooLarge { .. } => Some(
                "contribute the file in several blocks, or each row for itself, or ask for a study with a larger rows_max",
            ),
            ContributeError::Vectors { error, .. } => Some(error.hint()),
            ContributeError::NotVectors { .. } => {
                Some("name the column as the study does: --vector NAME=FILE.npy")
            }
            ContributeError::VectorRows { .. } => {
                Some("row i of every file is one contributor's, as is row i of the table")
            }
            ContributeError::Element { .. } => Some(
                "nothing was sent; with --clip, elements out of range become the nearest that is declared",
            ),
            ContributeError::AboveNorm { .. } => {
                Some("nothing was sent; with --clip, a vector above its norm is made as short as that")
            }
            ContributeError::TooManyContributions { .. } => Some(
                "ask the study's owner for a study with a larger capacity; it decides the field of every sum",
            ),
            _ => None,
        }
    }
}

fn did_you_mean(nearest: &Option<String>) -> String {
    nearest.as_ref().map(|name| format!(" (did you mean {name:?}?)")).unwrap_or_default()
}
