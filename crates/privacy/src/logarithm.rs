//! Natural logarithms from below, in fixed point, the same on every machine.
//!
//! `ln(2^k z) = k ln 2 + 2 atanh(w)` with `1 <= z < 2` and `w = (z - 1) / (z + 1) <= 1/3`, and `atanh(w) = w + w^3/3 + w^5/5 + ...`.
//! All terms are positive and rounded down, and there are [`TERMS`] of them, so that the result is not above the logarithm. It is
//! below it by less than [`LOG_ERROR`]: z and w are off by one unit each, which the derivative of `2 atanh` takes to 5 at most; a power
//! is off by less than 3 units, and a term by less than 4, which makes 8 `TERMS`; the terms left out are below one
//! unit together; and k times the error of `ln 2` is below 512 units. Together that is below 1024.

use quorate_field::Integer;
use quorate_field::quantity::Quantity;

use crate::sampler::power_of_two;

/// Bits after the point.
pub(crate) const FRACTION_BITS: u32 = 64;
/// 1.
pub(crate) const UNIT: u128 = 1 << FRACTION_BITS;
/// `floor(ln(2) 2^64)`.
const LN_2: u64 = 0xB172_17F7_D1CF_79AB;
/// Terms of the series: `3^-41 < 2^-64`.
const TERMS: u64 = 20;
/// More than what a logarithm is off by.
pub(crate) const LOG_ERROR: u64 = 1024;

/// `ln(q)` from below, in units of 2^-64. `None` for what is below 1, and beyond 512 bits.
pub(crate) fn log_below(quantity: &Quantity) -> Option<Integer> {
    let (whole, _) = quantity.numerator().div_rem(&quantity.denominator())?;
    let exponent = whole.bits().checked_sub(1)?;
    let above = quantity.numerator().checked_mul(&UNIT.into())?;
    let (z, _) = above.div_rem(&quantity.denominator().checked_mul(&power_of_two(exponent)?)?)?;
    let unit = Integer::from(UNIT);
    let w = fraction(&z.checked_sub(&unit)?, &z.checked_add(&unit)?)?;
    let square = product(&w, &w)?;
    let (mut sum, mut power) = (Integer::ZERO, w);
    for i in 0..TERMS {
        let (term, _) = power.div_rem(&Integer::from(2 * i + 1))?;
        sum = sum.checked_add(&term)?;
        power = product(&power, &square)?;
    }
    let twos = Integer::from(LN_2).checked_mul(&Integer::from(exponent))?;
    sum.checked_add(&sum)?.checked_add(&twos)
}

/// `a * b` in units, rounded down.
pub(crate) fn product(a: &Integer, b: &Integer) -> Option<Integer> {
    Some(a.checked_mul(b)?.div_rem(&UNIT.into())?.0)
}

/// `a / b` in units, rounded down.
pub(crate) fn fraction(a: &Integer, b: &Integer) -> Option<Integer> {
    Some(a.checked_mul(&UNIT.into())?.div_rem(b)?.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logarithms_are_from_below_and_close() {
        // floor(ln(q) 2^64), computed with 200 digits.
        for (numerator, denominator, expected) in [
            (1_u64, 1_u64, "0"),
            (2, 1, "12786308645202655659"),
            (3, 2, "7479511080090283978"),
            (1_000_000_000, 1, "382276781265598821176"),
            (18_446_744_073_709_551_615, 18_446_744_073_709_551_614, "1"),
            (1999, 1000, "12777082966553888988"),
        ] {
            let quantity = Quantity::new(numerator.into(), denominator.into()).unwrap();
            let below = log_below(&quantity).unwrap();
            let expected: Integer = expected.parse().unwrap();
            let error = expected.checked_sub(&below).unwrap();
            assert!(!error.is_negative() && error < LOG_ERROR.into(), "{quantity}: {below}");
        }
        // The largest exponent has the largest error.
        let large = Quantity::from(power_of_two(380).unwrap());
        let expected: Integer = "4858797285177009150719".parse().unwrap();
        let error = expected.checked_sub(&log_below(&large).unwrap()).unwrap();
        assert!(!error.is_negative() && error < LOG_ERROR.into());
        assert_eq!(log_below(&Quantity::new(1_u64.into(), 2_u64.into()).unwrap()), None);
        assert_eq!(log_below(&Quantity::ZERO), None);
    }
}
