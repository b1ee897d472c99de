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
