//! Linear regression by least squares, in the clear, of the sums that were revealed.
//!
//! Sums of squares and products about the means are exact; the normal equations are solved in doubles, on correlations,
//! which are of one size whatever the units. As R's `lm` and statsmodels' `OLS` with an intercept.

use std::fmt;

use serde::ser::{Serialize, SerializeStruct, Serializer};

use super::super::distribution::{student_margin, student_p_value};
use super::count_of;
use quorate_field::quantity::Quantity;

/// A pivot below this on correlations: the predictors are linearly dependent.
const DEPENDENT: f64 = 1e-10;

/// A fitted linear model.
#[derive(Clone, Debug, PartialEq)]
pub struct Regression {
    /// The intercept first, then one for each predictor.
    pub coefficients: Vec<FittedCoefficient>,
    /// The part of the variance that is explained, 0 to 1.
    pub r_squared: f64,
    /// Rows that it was fitted on.
    pub rows: u64,
}

/// One coefficient.
#[derive(Clone, Debug, PartialEq)]
pub struct FittedCoefficient {
    /// The predictor's name, or `intercept`.
    pub name: String,
    /// Its estimate.
    pub estimate: f64,
    /// The estimate's standard error.
    pub standard_error: f64,
}

impl FittedCoefficient {
    /// The estimate in standard errors.
    pub fn t(&self) -> f64 {
        self.estimate / self.standard_error
    }
}

impl Regression {
    /// Degrees of freedom: rows less coefficients.
    pub fn freedom(&self) -> f64 {
        self.rows as f64 - self.coefficients.len() as f64
    }

    /// The two-sided p-value of a coefficient by Student's t: how often rows without any such connection would give an
    /// estimate as far from zero.
    pub fn p_value(&self, one: &FittedCoefficient) -> f64 {
        student_p_value(one.t(), self.freedom())
    }

    /// Half the 95 percent interval of a coefficient.
    pub fn margin(&self, one: &FittedCoefficient) -> f64 {
        student_margin(self.freedom()) * one.standard_error
    }
}

/// The rows, the sums and the sums of products, in this order: see [`super::Statistic`].
pub(super) fn fit(names: &[String], numbers: &[Quantity]) -> Option<Regression> {
    let variables = names.len() + 1;
    let (rows, numbers) = numbers.split_first()?;
    let (sums, products) = numbers.split_at_checked(variables)?;
    let is_complete = products.len() == variables * (variables + 1) / 2;
    is_complete.then(|| Moments { names, rows: *rows, sums, products }.fit()).flatten()
}

/// What a model is fitted of: sums over rows.
struct Moments<'a> {
    /// The predictors' names.
    names: &'a [String],
    rows: Quantity,
    /// Of the outcome, then of each predictor.
    sums: &'a [Quantity],
    /// Of products of two of them: each with itself and all after it, in order.
    products: &'a [Quantity],
}

impl Moments<'_> {
    /// The fit; `None` where the rows do not determine it: too few, no variance, or dependent predictors.
    fn fit(&self) -> Option<Regression> {
        let whole = count_of(&self.rows)?;
        let (rows, predictors) = (whole as f64, self.names.len());
        let freedom = rows - predictors as f64 - 1.0;
        if freedom < 1.0 {
            return None;
        }
        let about_means = self.about_means()?;
        let spread = |i: usize| about_means[i][i].sqrt();
        // Noise can take a sum of squares below zero, whose root is no number.
        if (0..=predictors).any(|i| about_means[i][i] <= 0.0) {
            return None;
        }
        let correlation = |i: usize, j: usize| about_means[i][j] / (spread(i) * spread(j));
        let among = (1..=predictors).map(|i| (1..=predictors).map(|j| correlation(i, j)).collect());
        let inverse = inverted(among.collect())?;
        let with_outcome: Vec<f64> = (1..=predictors).map(|i| correlation(i, 0)).collect();
        let standardised: Vec<f64> = inverse.iter().map(|row| dot(row, &with_outcome)).collect();
        let r_squared = dot(&standardised, &with_outcome).clamp(0.0, 1.0);
        let variance = about_means[0][0] * (1.0 - r_squared) / freedom;

        let means: Vec<f64> = self.sums.iter().map(|sum| sum.to_f64() / rows).collect();
        let (mut intercept, mut coefficients) = (means[0], Vec::with_capacity(predictors + 1));
        for (i, name) in self.names.iter().enumerate() {
            let estimate = standardised[i] * spread(0) / spread(i + 1);
            let standard_error = (variance * inverse[i][i]).sqrt() / spread(i + 1);
            intercept -= estimate * means[i + 1];
            coefficients.push(FittedCoefficient { name: name.clone(), estimate, standard_error });
        }
        let scaled: Vec<f64> = (1..=predictors).map(|i| means[i] / spread(i)).collect();
        let leverage = inverse.iter().zip(&scaled).map(|(row, mean)| mean * dot(row, &scaled)).sum::<f64>();
        let standard_error = (variance * (1.0 / rows + leverage)).sqrt();
        coefficients
            .insert(0, FittedCoefficient { name: "intercept".into(), estimate: intercept, standard_error });
        let is_fit = |one: &FittedCoefficient| one.estimate.is_finite() && one.standard_error.is_finite();
        coefficients.iter().all(is_fit).then_some(Regression { coefficients, r_squared, rows: whole })
    }

    /// `sum(x*y) - sum(x)*sum(y)/n` for all pairs.
    fn about_means(&self) -> Option<Vec<Vec<f64>>> {
        let count = self.sums.len();
        let mut matrix = vec![vec![0.0; count]; count];
        let pairs = (0..count).flat_map(|i| (i..count).map(move |j| (i, j)));
        for ((i, j), product) in pairs.zip(self.products) {
            let means = self.sums[i].checked_mul(&self.sums[j])?.checked_div(&self.rows)?;
            let value = product.checked_sub(&means)?.to_f64();
            (matrix[i][j], matrix[j][i]) = (value, value);
        }
        Some(matrix)
    }
}

fn dot(left: &[f64], right: &[f64]) -> f64 {
    left.iter().zip(right).map(|(left, right)| left * right).sum()
}

/// The inverse by Gauss-Jordan elimination with partial pivoting; `None` of a singular matrix.
fn inverted(mut matrix: Vec<Vec<f64>>) -> Option<Vec<Vec<f64>>> {
    let size = matrix.len();
    for (index, row) in matrix.iter_mut().enumerate() {
        row.extend((0..size).map(|column| if column == index { 1.0 } else { 0.0 }));
    }
    for column in 0..size {
        let magnitude = |row: &usize| matrix[*row][column].abs();
        let pivot = (column..size).max_by(|a, b| magnitude(a).total_cmp(&magnitude(b)))?;
        if magnitude(&pivot) < DEPENDENT {
            return None;
        }
        matrix.swap(column, pivot);
        let scale = matrix[column][column];
        matrix[column].iter_mut().for_each(|cell| *cell /= scale);
        let pivot_row = matrix[column].clone();
        for row in (0..size).filter(|row| *row != column) {
            let factor = matrix[row][column];
            matrix[row].iter_mut().zip(&pivot_row).for_each(|(cell, pivot)| *cell -= factor * pivot);
        }
    }
    Some(matrix.into_iter().map(|row| row[size..].to_vec()).collect())
}

impl Serialize for Regression {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let by_name = |of: &dyn Fn(&FittedCoefficient) -> f64| -> serde_json::Map<String, serde_json::Value> {
            self.coefficients.iter().map(|one| (one.name.clone(), of(one).into())).collect()
        };
        let mut fields = serializer.serialize_struct("Regression", 6)?;
        fields.serialize_field("coefficients", &by_name(&|one| one.estimate))?;
        fields.serialize_field("standard_errors", &by_name(&|one| one.standard_error))?;
        fields.serialize_field("t", &by_name(&FittedCoefficient::t))?;
        fields.serialize_field("p_values", &by_name(&|one| self.p_value(one)))?;
        fields.serialize_field("r_squared", &self.r_squared)?;
        fields.serialize_field("n", &self.rows)?;
        fields.end()
    }
}

impl fmt::Display for Regression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for FittedCoefficient { name, estimate, standard_error } in &self.coefficients {
            write!(f, "{name}: {estimate} (standard error {standard_error}), ")?;
        }
        write!(f, "R^2: {}", self.r_squared)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moments(names: &[String], rows: &[Vec<i64>]) -> Option<Regression> {
        let whole = |value: i64| Quantity::from(quorate_field::Integer::from(value));
        let count = names.len() + 1;
        let sums = (0..count).map(|i| whole(rows.iter().map(|row| row[i]).sum()));
        let pairs = (0..count).flat_map(|i| (i..count).map(move |j| (i, j)));
        let products = pairs.map(|(i, j)| whole(rows.iter().map(|row| row[i] * row[j]).sum()));
        let rows = whole(i64::try_from(rows.len()).unwrap());
        fit(names, &std::iter::once(rows).chain(sums).chain(products).collect::<Vec<_>>())
    }

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    /// Longley-like by hand: y = 1, 2, 2, 5 on x = 0, 1, 2, 3 has slope 6/5 and intercept 7/10.
    #[test]
    fn a_line_by_hand() {
        let rows = [vec![1, 0], vec![2, 1], vec![2, 2], vec![5, 3]];
        let fit = moments(&names(&["x"]), &rows).unwrap();
        let near =
            |found: f64, expected: f64| assert!((found - expected).abs() < 1e-12, "{found}, {expected}");
        near(fit.coefficients[0].estimate, 0.7);
        near(fit.coefficients[1].estimate, 1.2);
        // Residuals 0.3, 0.1, -1.1, 0.7: 1.8 in squares, over 2 degrees of freedom; x has 5 about its mean.
        near(fit.coefficients[1].standard_error, (0.9_f64 / 5.0).sqrt());
        near(fit.coefficients[0].standard_error, (0.9_f64 * (0.25 + 2.25 / 5.0)).sqrt());
        near(fit.r_squared, 1.0 - 1.8 / 9.0);
        // t = 1.2 / sqrt(0.18) = 2 sqrt(2) with 2 degrees of freedom: p = 1 - t / sqrt(t^2 + 2).
        near(fit.p_value(&fit.coefficients[1]), 1.0 - (0.8_f64).sqrt());
        // 95 percent of Student's t with 2 degrees of freedom lie within 0.95 * sqrt(2 / (1 - 0.95^2)).
        near(fit.margin(&fit.coefficients[1]), 0.95 * (2.0_f64 / 0.0975).sqrt() * 0.18_f64.sqrt());
    }

    #[test]
    fn what_the_rows_do_not_determine_is_not_fitted() {
        let two = names(&["x", "z"]);
        assert_eq!(moments(&two, &[vec![1, 0, 1], vec![2, 1, 5], vec![3, 5, 2]]), None, "too few rows");
        let dependent: Vec<_> = (0..9).map(|i| vec![i * i, i, 2 * i + 1]).collect();
        assert_eq!(moments(&two, &dependent), None, "dependent predictors");
        let constant: Vec<_> = (0..9).map(|i| vec![i, 4, i * i]).collect();
        assert_eq!(moments(&two, &constant), None, "a predictor that does not vary");
        assert_eq!(moments(&two, &[]), None, "nobody");
        assert_eq!(fit(&two, &[]), None, "no numbers");
    }
}
