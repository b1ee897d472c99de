//! The checked tree: what a circuit means, with every name resolved and every type settled.
//!
//! Row values and aggregates are different types, so that nothing that takes an aggregate can be given somebody's row.
//! Row values are shared: a condition is in the tree once and in every atom that is computed under it.

use std::sync::Arc;

use quorate_field::Integer;

use crate::diagnostics::Span;
use crate::interval::Interval;
use crate::syntax::{Binary, Comparison};
use quorate_field::quantity::Quantity;

/// One number per row: an integer in units of `1 / scale`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RowNumber {
    /// How it comes about.
    pub kind: RowNumberKind,
    /// Where it stands.
    pub span: Span,
    /// Units that make one: positive.
    pub scale: Integer,
    /// All it can be, in units.
    pub interval: Interval,
    /// Whether it is a linear combination of columns.
    pub is_linear: bool,
}

/// How a row's number comes about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RowNumberKind {
    /// The same in every row.
    Constant(Quantity),
    /// A column of the study, by position.
    Column(usize),
    /// A sum.
    Add(Arc<RowNumber>, Arc<RowNumber>),
    /// A multiple.
    Scale(Arc<RowNumber>, Quantity),
    /// A product.
    Multiply(Arc<RowNumber>, Arc<RowNumber>),
    /// The second where the first holds, else the third.
    If(Arc<RowTruth>, Arc<RowNumber>, Arc<RowNumber>),
}

/// One truth value per row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RowTruth {
    /// How it comes about.
    pub kind: RowTruthKind,
    /// Where it stands.
    pub span: Span,
}

/// How a row's truth value comes about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RowTruthKind {
    /// Two numbers compared.
    Compare(Comparison, Arc<RowNumber>, Arc<RowNumber>),
    /// Whether a category, by its column's position, has the label at a position.
    Is(usize, usize),
    /// Whether two categories with the same labels have the same label.
    Same(usize, usize),
    /// Both.
    And(Arc<RowTruth>, Arc<RowTruth>),
    /// One or both.
    Or(Arc<RowTruth>, Arc<RowTruth>),
    /// Not.
    Not(Arc<RowTruth>),
    /// The second where the first holds, else the third.
    If(Arc<RowTruth>, Arc<RowTruth>, Arc<RowTruth>),
    /// Whether a column that may be blank, by its position, has a value. The checker's own, as the next one.
    Present(usize),
    /// Whether a truth is true or false, and not missing.
    Known(Arc<RowTruth>),
}

/// One value per row that may be missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RowValue {
    Number(Arc<RowNumber>),
    Truth(Arc<RowTruth>),
}

/// What a table is by: groups of rows, each with its label and who is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Grouping {
    /// In the circuit's words: equal words mean equal groups.
    pub words: String,
    pub groups: Vec<Labelled>,
}

/// Two numbers of a row, and their product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pair {
    pub left: RowNumber,
    pub right: RowNumber,
    pub product: RowNumber,
}

/// A linear model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Model {
    /// The predictors' names.
    pub names: Vec<String>,
    /// The outcome, then the predictors.
    pub numbers: Vec<RowNumber>,
    /// The product of each number with itself and with all after it, in order.
    pub products: Vec<RowNumber>,
}

/// A group of rows: its label, and who is in it.
pub(crate) type Labelled = (String, Arc<RowTruth>);

/// A row's number in two groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Samples {
    pub number: RowNumber,
    pub groups: [Labelled; 2],
}

/// Two groupings crossed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Crossed {
    pub rows: Vec<Labelled>,
    pub columns: Vec<Labelled>,
}

/// What a variance is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Of {
    /// A sample: `n - 1` below the line.
    Sample,
    /// A whole population: `n` below the line.
    Population,
}

/// What is asked of vectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Total {
    /// Their sum.
    Sum,
    /// It over the number of rows.
    Mean,
}

/// Which value of a sorted list is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rank {
    /// The least.
    Least,
    /// The least that at least this share of all values, more than 0 and at most 1, does not exceed.
    Share(Quantity),
}

/// One number or truth value of all rows, or a table of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Aggregate {
    /// How it comes about.
    pub kind: AggregateKind,
    /// Where it stands.
    pub span: Span,
    /// Whether it is a truth value.
    pub is_truth: bool,
    /// The groupings by which it is a table, by their positions, the outermost first.
    pub table: Vec<usize>,
}

/// How an aggregate comes about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum AggregateKind {
    /// A number.
    Constant(Quantity),
    /// `count()`.
    Rows,
    /// `count(condition)`.
    Count(Arc<RowTruth>),
    /// `sum(x)`.
    Sum(Arc<RowNumber>),
    /// `mean(x)`.
    Mean(Arc<RowNumber>),
    /// `mean(condition)`.
    Share(Arc<RowTruth>),
    /// `variance(x)` or `pvariance(x)`.
    Variance(Arc<RowNumber>, Of),
    /// `stddev(x)` or `pstddev(x)`.
    Deviation(Arc<RowNumber>, Of),
    /// `min(x)`, `max(x)`, `median(x)` or `quantile(x, q)`.
    Quantile(Arc<RowNumber>, Rank),
    /// `covariance(x, y)`, of the sample.
    Covariance(Arc<Pair>),
    /// `missing(x)`: the rows where it is.
    Missing(RowValue),
    /// Over the rows where the number is known.
    Complete(Box<Aggregate>, Arc<RowNumber>),
    /// `regression(y ~ x1 + x2)`.
    Regression(Arc<Model>),
    /// `ttest(x by g)`.
    TTest(Arc<Samples>),
    /// `chisq(a, b)`.
    ChiSquared(Arc<Crossed>),
    /// `sum(g)` or `mean(g)` of a vector, by its column's position, element by element.
    Vector(usize, Total),
    /// Two aggregates and an operator.
    Binary(Binary, Box<Aggregate>, Box<Aggregate>),
    /// Not.
    Not(Box<Aggregate>),
    /// The second if the first holds, else the third.
    If(Box<Aggregate>, Box<Aggregate>, Box<Aggregate>),
    /// Over the rows where the condition holds.
    Where(Box<Aggregate>, Arc<RowTruth>),
    /// Once for each group of a grouping, by its position.
    By(Box<Aggregate>, usize),
}

impl RowNumber {
    /// Whether it is the constant 0.
    pub(crate) fn is_zero(&self) -> bool {
        matches!(self.kind, RowNumberKind::Constant(value) if value == Quantity::ZERO)
    }
}

impl Aggregate {
    /// A number of all rows.
    pub(crate) fn number(kind: AggregateKind, span: Span) -> Self {
        Aggregate { kind, span, is_truth: false, table: vec![] }
    }

    /// Whether it is a vector, which is revealed as it is.
    pub(crate) fn is_vector(&self) -> bool {
        matches!(self.kind, AggregateKind::Vector(..))
    }

    /// Whether it is a fitted statistic, which is revealed as it is.
    pub(crate) fn is_fit(&self) -> bool {
        match &self.kind {
            AggregateKind::Regression(_) | AggregateKind::TTest(_) | AggregateKind::ChiSquared(_) => true,
            AggregateKind::Where(body, _) | AggregateKind::By(body, _) => body.is_fit(),
            _ => false,
        }
    }
}
