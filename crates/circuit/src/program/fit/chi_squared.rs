//! Pearson's chi-squared test: whether two categories are independent of each other.
//!
//! Pearson, "On the criterion that a given system of deviations...", Philosophical Magazine 50, 1900. Without Yates'
//! correction for continuity: as R's `chisq.test` and scipy's `chi2_contingency` with `correct = FALSE`. Labels that no row
//! has are left out, where those would give up. Cramér's V says how strong a connection is, from 0 to 1.

use std::fmt;

use serde::ser::{Serialize, SerializeStruct, Serializer};
use serde_json::{Map, Value};

use super::super::distribution::chi_squared_p_value;
use super::count_of;
use quorate_field::quantity::Quantity;

/// A chi-squared test of independence.
#[derive(Clone, Debug, PartialEq)]
pub struct ChiSquared {
    /// The statistic.
    pub statistic: f64,
    /// Degrees of freedom: one less than the labels of the first that some row has, times the same of the second.
    pub freedom: u64,
    /// How often independent categories would give as large a statistic.
    pub p_value: f64,
    /// Cramér's V.
    pub cramers_v: f64,
    /// The first category's labels.
    pub rows: Vec<String>,
    /// The second's.
    pub columns: Vec<String>,
    /// How many rows have both labels: for each of the first a count for each of the second.
    pub counts: Vec<Vec<u64>>,
}

/// `None` where fewer than two labels of either are there: nothing can depend on anything.
pub(super) fn fit(rows: &[String], columns: &[String], numbers: &[Quantity]) -> Option<ChiSquared> {
    if columns.is_empty() || numbers.len() != rows.len() * columns.len() {
        return None;
    }
    let cells = numbers.iter().map(count_of).collect::<Option<Vec<u64>>>()?;
    let counts: Vec<Vec<u64>> = cells.chunks(columns.len()).map(<[u64]>::to_vec).collect();
    let row_totals = counts.iter().map(|line| total_of(line.iter())).collect::<Option<Vec<u64>>>()?;
    let in_column = |index: usize| total_of(counts.iter().map(|line| &line[index]));
    let column_totals = (0..columns.len()).map(in_column).collect::<Option<Vec<u64>>>()?;
    let present = |totals: &[u64]| totals.iter().filter(|total| **total > 0).count() as u64;
    let (height, width) = (present(&row_totals), present(&column_totals));
    if height < 2 || width < 2 {
        return None;
    }
    let (freedom, total) = ((height - 1) * (width - 1), total_of(row_totals.iter())? as f64);
    let mut statistic = 0.0;
    for (line, row_total) in counts.iter().zip(&row_totals) {
        for (count, column_total) in line.iter().zip(&column_totals) {
            let expected = *row_total as f64 * *column_total as f64 / total;
            if expected > 0.0 {
                let off = *count as f64 - expected;
                statistic += off * off / expected;
            }
        }
    }
    let cramers_v = (statistic / (total * (height.min(width) - 1) as f64)).sqrt();
    let p_value = chi_squared_p_value(statistic, freedom as f64);
    let (rows, columns) = (rows.to_vec(), columns.to_vec());
    Some(ChiSquared { statistic, freedom, p_value, cramers_v, rows, columns, counts })
}

/// The sum of counts; `None` beyond 64 bits, which wrong shares can give.
fn total_of<'a>(mut counts: impl Iterator<Item = &'a u64>) -> Option<u64> {
    counts.try_fold(0_u64, |total, count| total.checked_add(*count))
}

impl Serialize for ChiSquared {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let line = |line: &Vec<u64>| -> Value {
            let cells = self.columns.iter().cloned().zip(line.iter().map(|count| Value::from(*count)));
            Value::Object(cells.collect())
        };
        let counts: Map<String, Value> =
            self.rows.iter().cloned().zip(self.counts.iter().map(line)).collect();
        let mut fields = serializer.serialize_struct("ChiSquared", 5)?;
        fields.serialize_field("chi_squared", &self.statistic)?;
        fields.serialize_field("df", &self.freedom)?;
        fields.serialize_field("p_value", &self.p_value)?;
        fields.serialize_field("cramers_v", &self.cramers_v)?;
        fields.serialize_field("counts", &counts)?;
        fields.end()
    }
}

impl fmt::Display for ChiSquared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ChiSquared { statistic, freedom, p_value, cramers_v, .. } = self;
        write!(f, "chi-squared = {statistic}, df = {freedom}, p = {p_value}, Cramér's V = {cramers_v}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test(counts: &[&[u64]]) -> Option<ChiSquared> {
        let labels = |count: usize| (0..count).map(|index| index.to_string()).collect::<Vec<_>>();
        let numbers: Vec<Quantity> =
            counts.iter().flat_map(|line| line.iter()).map(|count| Quantity::from(*count)).collect();
        fit(&labels(counts.len()), &labels(counts[0].len()), &numbers)
    }

    fn near(found: f64, expected: f64) {
        assert!((found - expected).abs() <= 1e-9 * expected.abs(), "{found}, expected {expected}");
    }

    /// Agresti, "An Introduction to Categorical Data Analysis", 2007, table 2.5: the example of R's `chisq.test`.
    #[test]
    fn as_r_does_with_party_and_gender() {
        let test = test(&[&[762, 327, 468], &[484, 239, 477]]).unwrap();
        near(test.statistic, 30.070_149_095_754_672);
        near(test.p_value, 2.953_589_183_211_759_5e-7);
        near(test.cramers_v, 0.104_435_802_356_467_77);
        assert_eq!(test.freedom, 2);
    }

    /// scipy's `chi2_contingency(correction=False)` of 397 professors, sex and rank, with labels that nobody has.
    #[test]
    fn labels_that_no_row_has_are_left_out() {
        let plain = test(&[&[11, 10, 18], &[56, 54, 248]]).unwrap();
        near(plain.statistic, 8.525_933_529_163_62);
        near(plain.p_value, 0.014_080_466_952_222_549);
        let more = test(&[&[11, 0, 10, 18], &[0, 0, 0, 0], &[56, 0, 54, 248]]).unwrap();
        assert_eq!((more.statistic, more.freedom), (plain.statistic, 2));
        assert_eq!((more.p_value, more.cramers_v), (plain.p_value, plain.cramers_v));
        assert_eq!(more.counts[1], [0, 0, 0, 0], "they are counted all the same");
    }

    #[test]
    fn independent_categories_give_zero_and_one_label_nothing() {
        let test_of_equal = test(&[&[2, 4], &[3, 6]]).unwrap();
        assert_eq!((test_of_equal.statistic, test_of_equal.p_value), (0.0, 1.0));
        assert_eq!(test(&[&[2, 0], &[3, 0]]), None);
        assert_eq!(test(&[&[0, 0], &[0, 0]]), None);
        assert_eq!(test(&[&[2, 4]]), None);
        assert_eq!(test(&[&[u64::MAX, 4], &[1, 2]]), None, "beyond all rows there can be");
    }
}
