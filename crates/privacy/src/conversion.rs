//! Conversions between approximate and zero-concentrated differential privacy.
//!
//! A mechanism of `rho`-zCDP is `(epsilon, delta)`-differentially private with, for every `alpha > 1`,
//!
//! ```text
//! epsilon = alpha rho + ln(1/delta) / (alpha - 1) + ln(1 - 1/alpha) - ln(alpha) / (alpha - 1)
//! ```
//!
//! (Canonne, Kamath, Steinke, "The discrete Gaussian for differential privacy", NeurIPS 2020, proposition 12). Any `alpha` gives a true
//! statement; the best is looked for around the one that is best without the last two terms, which makes the statement
//! `epsilon = rho + 2 sqrt(rho ln(1/delta))` of Bun and Steinke. Nothing said here is weaker than that, but for rounding.
//!
//! Computed in integers of 2^-64. Each logarithm is bounded from the side that makes less of a promise, and the result rounded to that side.

use quorate_field::Integer;
use quorate_field::quantity::Quantity;

use crate::logarithm::{LOG_ERROR, UNIT, fraction, log_below, product};

/// Decimals of a result.
const DECIMALS: u32 = 12;

/// A `rho` such that every `rho`-zCDP mechanism is `(epsilon, delta)`-differentially private, rounded down to 12 decimals: zero where
/// it is less. `None` unless `epsilon` is positive and `delta` between 0 and 1, or beyond 512 bits.
pub fn rho_of(epsilon: &Quantity, delta: &Quantity) -> Option<Quantity> {
    let log = log_inverse(delta)?;
    let epsilon = scaled(epsilon).filter(|_| is_positive(epsilon))?;
    if epsilon == Integer::ZERO {
        return Some(Quantity::ZERO);
    }
    // Best without the last terms: alpha - 1 = sqrt(L) / (sqrt(L + epsilon) - sqrt(L)).
    let root = log.checked_mul(&log.checked_add(&epsilon)?)?.floor_root()?;
    let start = fraction(&log.checked_add(&root)?, &epsilon)?;
    let rho = best(start, |order| {
        let left = epsilon.checked_sub(&beyond(&log, order)?)?;
        fraction(&left, &order.checked_add(&UNIT.into())?)
    })?;
    rounded(&if rho.is_negative() { Integer::ZERO } else { rho }, false)
}

/// An `epsilon` such that every `rho`-zCDP mechanism is `(epsilon, delta)`-differentially private, rounded up to 12 decimals. `None`
/// unless `rho` is positive and `delta` between 0 and 1, or beyond 512 bits.
pub fn epsilon_of(rho: &Quantity, delta: &Quantity) -> Option<Quantity> {
    let log = log_inverse(delta)?;
    let one = Integer::ONE;
    let rho = scaled(rho).filter(|_| is_positive(rho))?.checked_add(&one)?;
    let start = fraction(&log, &rho)?.checked_mul(&UNIT.into())?.floor_root()?;
    let negative = best(start, |order| {
        let lost = product(&rho, &order.checked_add(&UNIT.into())?)?.checked_add(&one)?;
        lost.checked_add(&beyond(&log, order)?)?.checked_neg()
    })?;
    let epsilon = negative.checked_neg()?;
    rounded(&if epsilon.is_negative() { Integer::ZERO } else { epsilon }, true)
}

/// Of two steps around a start, from a quarter of it to twice, the most that any order gives. An order is `alpha - 1`.
fn best(start: Integer, value: impl Fn(&Integer) -> Option<Integer>) -> Option<Integer> {
    let at = |numerator: u64, parts: u64| {
        let (order, _) = start.checked_mul(&numerator.into())?.div_rem(&parts.into())?;
        Some((value(&order.max(Integer::ONE))?, numerator))
    };
    let (_, coarse) = (8..=64).filter_map(|numerator| at(numerator, 32)).max()?;
    let fine = (32 * coarse - 32)..=(32 * coarse + 32);
    fine.filter_map(|numerator| at(numerator, 1024)).max().map(|(most, _)| most)
}

/// What `epsilon` is more than `alpha rho`, from above.
fn beyond(log: &Integer, order: &Integer) -> Option<Integer> {
    let alpha = Quantity::new(order.checked_add(&UNIT.into())?, UNIT.into())?;
    let ratio = Quantity::new(order.checked_add(&UNIT.into())?, *order)?;
    let of_alpha = fraction(&log_below(&alpha)?, order)?;
    let of_delta = fraction(log, order)?.checked_add(&Integer::ONE)?;
    of_delta.checked_sub(&log_below(&ratio)?)?.checked_sub(&of_alpha)
}

/// `ln(1 / delta)` from above; `None` unless `delta` is between 0 and 1.
fn log_inverse(delta: &Quantity) -> Option<Integer> {
    let is_less = delta.checked_cmp(&Quantity::ONE)?.is_lt();
    let inverse = Quantity::ONE.checked_div(delta).filter(|_| is_less && is_positive(delta))?;
    log_below(&inverse)?.checked_add(&LOG_ERROR.into())
}

fn is_positive(quantity: &Quantity) -> bool {
    !quantity.is_negative() && *quantity != Quantity::ZERO
}

/// In units, rounded down.
fn scaled(quantity: &Quantity) -> Option<Integer> {
    fraction(&quantity.numerator(), &quantity.denominator())
}

/// Units as a quantity of 12 decimals, rounded up or down.
fn rounded(units: &Integer, up: bool) -> Option<Quantity> {
    let added = if up { Integer::from(UNIT - 1) } else { Integer::ZERO };
    let power = Integer::pow10(DECIMALS)?;
    let (whole, _) = units.checked_mul(&power)?.checked_add(&added)?.div_rem(&UNIT.into())?;
    Quantity::new(whole, power)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A decimal of at most 60 digits.
    fn decimal(text: &str) -> Quantity {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits: Integer = format!("{whole}{fraction}").parse().unwrap();
        let power = Integer::pow10(u32::try_from(fraction.len()).unwrap());
        Quantity::new(digits, power.unwrap()).unwrap()
    }

    fn one_in(power: u32) -> Quantity {
        Quantity::new(Integer::ONE, Integer::pow10(power).unwrap()).unwrap()
    }

    /// `low <= high`, and they differ by at most one part in a million and a unit of the last decimal.
    fn is_just_below(low: &Quantity, high: &Quantity) -> bool {
        let apart = high.checked_sub(low).unwrap();
        let most = high.checked_mul(&one_in(6)).unwrap().checked_add(&one_in(12)).unwrap();
        !apart.is_negative() && apart.checked_cmp(&most).unwrap().is_le()
    }

    #[test]
    fn rho_is_the_most_that_the_best_order_gives() {
        // The best over all orders, found with 40 digits.
        for (epsilon, power, best) in [
            ("1", 9, "0.01497305767358853"),
            ("0.1", 6, "0.0003210476903457402"),
            ("0.001", 9, "0.00000002547197698213543"),
            ("10", 5, "1.782695616328953"),
            ("0.5", 12, "0.002793277347784375"),
            ("1000", 9, "753.0342615219486"),
            ("2", 100, "0.004447589468056809"),
        ] {
            let rho = rho_of(&decimal(epsilon), &one_in(power)).unwrap();
            assert!(is_just_below(&rho, &decimal(best)), "epsilon {epsilon}, delta 1e-{power}: {rho}");
        }
    }

    #[test]
    fn epsilon_is_the_least_that_the_best_order_gives() {
        for (rho, power, best) in [
            ("0.0118", 9, "0.8831639398407301"),
            ("0.5", 6, "5.221534444530168"),
            ("0.000001", 9, "0.006804060822206218"),
            ("10", 5, "30.11085730379572"),
            ("0.1", 2, "0.978754757625594"),
            ("100", 9, "189.0556529021115"),
        ] {
            let epsilon = epsilon_of(&decimal(rho), &one_in(power)).unwrap();
            assert!(is_just_below(&decimal(best), &epsilon), "rho {rho}, delta 1e-{power}: {epsilon}");
        }
    }

    #[test]
    fn the_same_integers_on_every_machine() {
        assert_eq!(rho_of(&Quantity::ONE, &one_in(9)).unwrap().to_string(), "0.014973057056");
        assert_eq!(epsilon_of(&decimal("0.0118"), &one_in(9)).unwrap().to_string(), "0.88316394261");
    }

    #[test]
    fn what_is_no_pair_has_no_conversion() {
        let half = decimal("0.5");
        for (number, delta) in [
            (Quantity::ZERO, half),
            (half.checked_neg().unwrap(), half),
            (half, Quantity::ZERO),
            (half, Quantity::ONE),
            (half, decimal("1.5")),
            (half, half.checked_neg().unwrap()),
        ] {
            assert_eq!(rho_of(&number, &delta), None, "{number} {delta}");
            assert_eq!(epsilon_of(&number, &delta), None, "{number} {delta}");
        }
        assert_eq!(rho_of(&one_in(30), &one_in(9)), Some(Quantity::ZERO));
        assert_eq!(rho_of(&Quantity::ONE, &one_in(140)), None);
    }

    proptest! {
        #[test]
        fn there_and_back_gains_nothing(epsilon in 1_u64..10_000_000, power in 1_u32..40) {
            let epsilon = Quantity::new(epsilon.into(), Integer::pow10(6).unwrap()).unwrap();
            let rho = rho_of(&epsilon, &one_in(power)).unwrap();
            // Never less than the bound of Bun and Steinke has: e^2 / (4 (L + e)), with L < 2.31 power.
            let log = Quantity::new((231 * u64::from(power)).into(), 100_u64.into()).unwrap();
            let below = log.checked_add(&epsilon).unwrap().checked_mul(&Quantity::from(4)).unwrap();
            let least = epsilon.checked_mul(&epsilon).unwrap().checked_div(&below).unwrap();
            let rounded = rho.checked_add(&one_in(12)).unwrap();
            prop_assert!(rounded.checked_cmp(&least).unwrap().is_ge(), "{} {}", rho, least);
            if rho != Quantity::ZERO {
                let back = epsilon_of(&rho, &one_in(power)).unwrap();
                let is_less = back.checked_cmp(&epsilon).unwrap().is_lt();
                prop_assert!(is_less || is_just_below(&epsilon, &back), "{} {}", back, epsilon);
            }
        }
    }
}
