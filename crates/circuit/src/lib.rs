//! Studies and circuits: what is asked of contributors, and what of their data.
//!
//! A [`Study`] says what every column holds and how many rows can come; a circuit says in text what an analyst wants of
//! them. On its way it is a [`Circuit`] (its syntax), [`Checked`] (types settled and intervals carried through) and a
//! [`Program`] (the engine's few operations, and what the analyst does with their results in the clear):
//!
//! 1. [`syntax`]: limits, tokens, tree, parser, printer;
//! 2. [`check`]: types, intervals, and every aggregate as the fraction that will be revealed of it;
//! 3. [`lower`]: fractions to instructions, or what the study's helpers cannot do;
//! 4. [`Program::evaluate`] and [`oracle`]: both again in the clear, for everything else to be compared with;
//! 5. [`explain`]: what a run reveals and costs, and why nothing overflows.
//!
//! `docs/circuits.md` is the language's reference. Invariants: text and documents from anybody never panic, never recurse
//! deeper than the limits allow, and never overflow silently; equal circuits and studies give equal programs, byte for
//! byte. What is *not* here: shares, helpers, a network, a clock.

mod check;
mod column;
mod date;
mod diagnostics;
mod evaluate;
mod explain;
mod interval;
mod lower;
mod program;
mod study;
pub mod syntax;

pub use check::{Checked, check, check_after};
pub use column::{
    CELL_MAX, CellError, Column, DECIMALS_MAX, Domain, ELEMENTS_MAX, Encoded, LABELS_MAX, NORM_MAX, Norm,
    PROJECTIONS, Role, Rounding,
};
pub use diagnostics::{Diagnostic, Diagnostics, Span};
pub use evaluate::{EvaluateError, oracle};
pub use explain::{
    Cost, Estimate, ExpectedError, ExplainedNode, ExplainedNoise, ExplainedOutput, ExplainedReveal,
    Explanation, Privacy, RecentRuns, Speed, Workload, explain, explain_after,
};
pub use interval::Interval;
pub use lower::lower;
pub use program::{
    Adder, Bit, Bounded, ChiSquared, Coefficient, Fit, FittedCoefficient, InvalidProgram, Margin, Noise,
    Outcome, Output, Parts, Passes, Plan, Program, PublicInstruction, Reduction, Regression, Revealed,
    RevealedAs, RowInstruction, RowTerm, Sample, ScalarInstruction, ScalarTerm, Statistic, TTest,
    Uncertainty, Undefined, Vector, VectorSum, margin_of_mean,
};
pub use quorate_field::Quantity;
pub use study::{
    ANALYSTS_MAX, Bits, COLUMNS_MAX, DOCUMENT_MAX, Disclosure, HELPERS_MAX, InputChecks, Policy, Proportion,
    ROW_BYTES_MAX, ROWS_TOTAL_MAX, Security, Sharing, SharingKind, Study, StudyDraft, StudyError,
};
pub use syntax::Circuit;

/// Reads, checks and lowers a circuit for a study.
///
/// # Errors
/// Everything that is wrong with the circuit, underlined. The analyst is to blame.
pub fn compile(text: &str, study: &Study) -> Result<Program, Diagnostics> {
    compile_after(text, study, &[]).map(|compiled| compiled.program)
}

/// A circuit that was lowered after others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compiled {
    /// What it was lowered to.
    pub program: Program,
    /// Whether it asks about groups of rows that the others did not ask about, in a study that has a smallest group.
    pub asks_anew: bool,
}

/// The same on a study that was asked circuits before, oldest first: where it has a smallest group, no result may tell
/// more together with theirs.
///
/// # Errors
/// Everything that is wrong with the circuit, underlined. The analyst is to blame.
pub fn compile_after(text: &str, study: &Study, earlier: &[String]) -> Result<Compiled, Diagnostics> {
    let checked = check_after(&Circuit::parse(text)?, study, &parsed(earlier)?)?;
    Ok(Compiled { program: lower(&checked, study)?, asks_anew: checked.asks_anew })
}

fn parsed(texts: &[String]) -> Result<Vec<Circuit>, Diagnostics> {
    texts.iter().map(|text| Circuit::parse(text)).collect()
}
