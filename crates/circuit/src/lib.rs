//! Studies and circuits: language, checker, program, clear-text evaluator

mod column;
mod diagnostics;
mod interval;
mod program;
mod quantity;
mod study;
pub mod syntax;

pub use column::{CELL_MAX, CellError, Column, DECIMALS_MAX, Domain, Encoded, LABELS_MAX, Rounding};
pub use diagnostics::{Diagnostic, Diagnostics, Span};
pub use interval::Interval;
pub use program::{
    Coefficient, InvalidProgram, Outcome, Output, Program, PublicInstruction, Reduction, Revealed,
    RevealedAs, RowInstruction, RowTerm, ScalarInstruction, ScalarTerm, Undefined,
};
pub use quantity::Quantity;
pub use study::{
    ANALYSTS_MAX, Bits, COLUMNS_MAX, DOCUMENT_MAX, HELPERS_MAX, InputChecks, Policy, Proportion,
    ROWS_TOTAL_MAX, Security, Sharing, SharingKind, Study, StudyDraft, StudyError,
};
pub use syntax::Circuit;
