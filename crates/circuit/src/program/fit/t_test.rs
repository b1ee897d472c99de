//! Welch's t-test: whether the means of two groups differ, whatever their variances are.
//!
//! Welch, "The generalization of 'Student's' problem when several different population variances are involved",
//! Biometrika 34, 1947, with the degrees of freedom of Satterthwaite, 1946. As R's `t.test` and scipy's `ttest_ind` with
//! `equal_var=False`. Means and variances are exact until they are divided by each other.

use std::fmt;

use serde::ser::{Serialize, SerializeStruct, Serializer};
use serde_json::{Map, Value};

use super::super::distribution::{student_margin, student_p_value};
use super::count_of;
use quorate_field::quantity::Quantity;

/// A t-test of two groups.
#[derive(Clone, Debug, PartialEq)]
pub struct TTest {
    /// The two groups, in the category's order.
    pub samples: [Sample; 2],
    /// The first group's mean less the second's.
    pub difference: f64,
    /// The difference in standard errors.
    pub t: f64,
    /// Degrees of freedom: not a whole number as a rule.
    pub freedom: f64,
    /// How often groups with equal means would differ as much, in either direction.
    pub p_value: f64,
    /// Half the 95 percent interval of the difference.
    pub margin: f64,
}

/// A group of rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Its label.
    pub label: String,
    /// Its rows: two or more.
    pub rows: u64,
    /// Their mean.
    pub mean: f64,
}

/// Of each group the rows, the sum and the sum of squares. `None` where a group has fewer than two rows, or neither varies.
pub(super) fn fit(groups: &[String; 2], numbers: &[Quantity]) -> Option<TTest> {
    let [rows_1, sum_1, squares_1, rows_2, sum_2, squares_2] = numbers else { return None };
    let (first, second) = (Moments::of(rows_1, sum_1, squares_1)?, Moments::of(rows_2, sum_2, squares_2)?);
    let difference = first.mean.checked_sub(&second.mean)?.to_f64();
    // The squared standard errors of both means.
    let (error_1, error_2) = (first.variance / first.count(), second.variance / second.count());
    let error = error_1 + error_2;
    if error <= 0.0 {
        return None;
    }
    let freedom = error * error
        / (error_1 * error_1 / (first.count() - 1.0) + error_2 * error_2 / (second.count() - 1.0));
    let t = difference / error.sqrt();
    let margin = student_margin(freedom) * error.sqrt();
    let [label_1, label_2] = groups.clone();
    let samples = [first.sample(label_1), second.sample(label_2)];
    Some(TTest { samples, difference, t, freedom, p_value: student_p_value(t, freedom), margin })
}

struct Moments {
    rows: u64,
    mean: Quantity,
    /// With `n - 1` below.
    variance: f64,
}

impl Moments {
    fn of(rows: &Quantity, sum: &Quantity, squares: &Quantity) -> Option<Self> {
        let count = count_of(rows).filter(|count| *count >= 2)?;
        let mean = sum.checked_div(rows)?;
        let about_mean = squares.checked_sub(&sum.checked_mul(&mean)?)?;
        let variance = about_mean.checked_div(&Quantity::from(count - 1))?.to_f64();
        Some(Moments { rows: count, mean, variance })
    }

    fn count(&self) -> f64 {
        self.rows as f64
    }

    fn sample(&self, label: String) -> Sample {
        Sample { label, rows: self.rows, mean: self.mean.to_f64() }
    }
}

impl Serialize for TTest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let by_label = |of: fn(&Sample) -> Value| -> Map<String, Value> {
            self.samples.iter().map(|sample| (sample.label.clone(), of(sample))).collect()
        };
        let mut fields = serializer.serialize_struct("TTest", 8)?;
        fields.serialize_field("t", &self.t)?;
        fields.serialize_field("df", &self.freedom)?;
        fields.serialize_field("p_value", &self.p_value)?;
        fields.serialize_field("difference", &self.difference)?;
        fields.serialize_field("low", &(self.difference - self.margin))?;
        fields.serialize_field("high", &(self.difference + self.margin))?;
        fields.serialize_field("means", &by_label(|sample| sample.mean.into()))?;
        fields.serialize_field("counts", &by_label(|sample| sample.rows.into()))?;
        fields.end()
    }
}

impl fmt::Display for TTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let TTest { difference, t, freedom, p_value, .. } = self;
        write!(f, "difference {difference}, t = {t}, df = {freedom}, p = {p_value}")
    }
}

#[cfg(test)]
mod tests {
    use quorate_field::Integer;

    use super::*;

    fn number(value: i64, below: i64) -> Quantity {
        Quantity::new(Integer::from(value), Integer::from(below)).unwrap()
    }

    /// A test of whole numbers in tenths.
    fn test(first: &[i64], second: &[i64]) -> Option<TTest> {
        let moments = |values: &[i64]| {
            let squares = values.iter().map(|value| value * value).sum();
            let rows = i64::try_from(values.len()).unwrap();
            [number(rows, 1), number(values.iter().sum(), 10), number(squares, 100)]
        };
        fit(&["a".into(), "b".into()], &[moments(first), moments(second)].concat())
    }

    fn near(found: f64, expected: f64) {
        assert!((found - expected).abs() <= 1e-9 * expected.abs(), "{found}, expected {expected}");
    }

    /// R: `t.test(extra ~ group, data = sleep)`, Student's own data.
    #[test]
    fn as_r_does_with_sleep() {
        let first = [7, -16, -2, -12, -1, 34, 37, 8, 0, 20];
        let second = [19, 8, 11, 1, -1, 44, 55, 16, 46, 34];
        let test = test(&first, &second).unwrap();
        near(test.t, -1.860_813_467_486_852_6);
        near(test.freedom, 17.776_473_516_178_488);
        near(test.p_value, 0.079_394_140_187_358_3);
        near(test.difference, -1.58);
        near(test.difference - test.margin, -3.365_483_230_711_710_4);
        near(test.difference + test.margin, 0.205_483_230_711_711_37);
        assert_eq!(test.samples[1], Sample { label: "b".into(), rows: 10, mean: 2.33 });
    }

    /// scipy's `ttest_ind(equal_var=False)` of 397 professors' salaries, women and men.
    #[test]
    fn as_scipy_does_with_salaries() {
        let numbers = [39, 3_939_094, 423_451_478_894, 358, 41_202_370, 5_072_725_163_826];
        let numbers = numbers.map(|value| number(value, 1));
        let test = fit(&["female".into(), "male".into()], &numbers).unwrap();
        near(test.t, -3.161_474_091_674_088);
        near(test.freedom, 50.121_515_335_151_7);
        near(test.p_value, 0.002_663_617_939_963_995_6);
        near(test.difference - test.margin, -23_037.915_598_201_3);
        near(test.difference + test.margin, -5_138.101_877_805_024);
    }

    #[test]
    fn what_the_rows_do_not_determine_is_not_tested() {
        assert_eq!(test(&[1], &[1, 2, 3]), None, "one row");
        assert_eq!(test(&[], &[1, 2, 3]), None, "no row");
        assert_eq!(test(&[1, 1], &[2, 2]), None, "nothing varies");
        assert!(test(&[1, 1], &[2, 3]).is_some(), "one group varies");
        assert_eq!(fit(&["a".into(), "b".into()], &[]), None, "no numbers");
    }
}
