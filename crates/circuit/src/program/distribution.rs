//! Distributions that tests and intervals are read off: Student's t and chi-squared.
//!
//! Tails are taken of the regularised incomplete beta and gamma functions directly, so that small p-values keep their
//! digits.

use statrs::function::beta::checked_beta_reg;
use statrs::function::gamma::checked_gamma_ur;

/// What an interval of 95 percent leaves out on both sides together.
const LEFT_OUT: f64 = 0.05;

/// The two-sided p-value of `t` with `freedom` degrees of freedom; NaN where there is none.
pub(crate) fn student_p_value(t: f64, freedom: f64) -> f64 {
    if t.is_infinite() {
        return 0.0;
    }
    checked_beta_reg(freedom / 2.0, 0.5, freedom / (freedom + t * t)).unwrap_or(f64::NAN)
}

/// The `t` that 95 percent lie within on both sides of zero, for `freedom` degrees of freedom; NaN where there is none.
pub(crate) fn student_margin(freedom: f64) -> f64 {
    if !(freedom.is_finite() && freedom > 0.0) {
        return f64::NAN;
    }
    // The p-value falls as t grows: doubled until it is beyond, then halved between.
    let (mut low, mut high) = (0.0, 1.0);
    while student_p_value(high, freedom) > LEFT_OUT && high < 1e12 {
        (low, high) = (high, high * 2.0);
    }
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if student_p_value(middle, freedom) > LEFT_OUT {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

/// The p-value of a chi-squared statistic: how much lies above it; NaN where there is none.
pub(crate) fn chi_squared_p_value(statistic: f64, freedom: f64) -> f64 {
    if statistic == 0.0 {
        return 1.0;
    }
    checked_gamma_ur(freedom / 2.0, statistic / 2.0).unwrap_or(f64::NAN)
}

/// Half the 95 percent interval of a mean of `rows` values with this standard deviation, by Student's t; `None` of fewer
/// than two.
pub fn margin_of_mean(deviation: f64, rows: u64) -> Option<f64> {
    let count = rows as f64;
    (rows >= 2).then(|| student_margin(count - 1.0) * deviation / count.sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: f64, expected: f64) {
        assert!((found - expected).abs() <= 1e-9 * expected.abs(), "{found}, expected {expected}");
    }

    /// R: `2 * pt(-t, df)`, `qt(0.975, df)`, `pchisq(x, df, lower.tail = FALSE)`.
    #[test]
    fn as_in_tables() {
        near(student_p_value(2.0, 10.0), 0.073_388_034_770_740_36);
        near(student_p_value(-2.0, 10.0), 0.073_388_034_770_740_36);
        near(student_p_value(1.0, 1.0), 0.5);
        near(student_p_value(0.0, 7.5), 1.0);
        near(student_margin(1.0), 12.706_204_736_174_7);
        near(student_margin(10.0), 2.228_138_851_986_274);
        near(student_margin(2.0), 4.302_652_729_749_46);
        near(chi_squared_p_value(3.841_458_820_694_124, 1.0), 0.05);
        near(chi_squared_p_value(2.0, 2.0), (-1.0_f64).exp());
        near(chi_squared_p_value(0.0, 3.0), 1.0);
    }

    #[test]
    fn where_there_is_none() {
        assert!(student_margin(0.0).is_nan() && student_margin(f64::NAN).is_nan());
        assert!(student_p_value(f64::NAN, 3.0).is_nan());
        near(student_p_value(f64::INFINITY, 3.0) + 1.0, 1.0);
        assert_eq!(margin_of_mean(1.0, 1), None);
        near(margin_of_mean(3.0, 9).unwrap(), student_margin(8.0));
    }
}
