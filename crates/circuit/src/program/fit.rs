//! Fits: statistics that the analyst computes in the clear of several revealed numbers at once, with estimates, degrees of
//! freedom and p-values: a linear model, Welch's t-test, Pearson's chi-squared test.

mod chi_squared;
mod regression;
mod t_test;

pub use chi_squared::ChiSquared;
pub use regression::{FittedCoefficient, Regression};
pub use t_test::{Sample, TTest};

use std::fmt;

use quorate_field::Integer;
use serde::{Deserialize, Serialize, Serializer};

use quorate_field::quantity::Quantity;

/// What is fitted of revealed numbers, and what they are called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Statistic {
    /// A linear model of an outcome. Its numbers: the rows; the sums of the outcome and of each predictor; the sums of
    /// products of two of them, each with itself and all after it, in order.
    Regression {
        /// The predictors' names.
        names: Vec<String>,
    },
    /// Welch's t-test. Its numbers: of each of two groups the rows, the sum and the sum of squares.
    TTest {
        /// The groups' labels.
        groups: [String; 2],
    },
    /// Pearson's chi-squared test. Its numbers: the rows of every pair of groups, the second grouping's beside each other.
    ChiSquared {
        /// The first grouping's labels.
        rows: Vec<String>,
        /// The second grouping's.
        columns: Vec<String>,
    },
}

/// A fitted statistic.
#[derive(Clone, Debug, PartialEq)]
pub enum Fit {
    /// A linear model.
    Regression(Regression),
    /// Welch's t-test.
    TTest(TTest),
    /// Pearson's chi-squared test.
    ChiSquared(ChiSquared),
}

impl Statistic {
    /// The fit; `None` where the numbers do not determine it, or are not as many as it takes.
    pub(crate) fn fit(&self, numbers: &[Quantity]) -> Option<Fit> {
        match self {
            Statistic::Regression { names } => regression::fit(names, numbers).map(Fit::Regression),
            Statistic::TTest { groups } => t_test::fit(groups, numbers).map(Fit::TTest),
            Statistic::ChiSquared { rows, columns } => {
                chi_squared::fit(rows, columns, numbers).map(Fit::ChiSquared)
            }
        }
    }
}

/// A whole number that is not negative: rows.
fn count_of(number: &Quantity) -> Option<u64> {
    let whole = number.numerator().to_i128().filter(|_| number.denominator() == Integer::ONE);
    whole.and_then(|whole| u64::try_from(whole).ok())
}

impl Serialize for Fit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Fit::Regression(regression) => regression.serialize(serializer),
            Fit::TTest(test) => test.serialize(serializer),
            Fit::ChiSquared(test) => test.serialize(serializer),
        }
    }
}

impl fmt::Display for Fit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fit::Regression(regression) => regression.fmt(f),
            Fit::TTest(test) => test.fmt(f),
            Fit::ChiSquared(test) => test.fmt(f),
        }
    }
}
