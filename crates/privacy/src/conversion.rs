//! Conversions: what approximate differential privacy takes in zero-concentrated.

use quorate_field::Integer;
use quorate_field::quantity::Quantity;

/// A `rho` such that every `rho`-zCDP mechanism is `(epsilon, delta)`-differentially private: `rho + 2 sqrt(rho ln(1/delta)) <=
/// epsilon` (Bun, Steinke 2016, proposition 1.3). `None` unless `epsilon` is positive and `delta` between 0 and 1, or beyond 512 bits.
pub fn rho_of(epsilon: &Quantity, delta: &Quantity) -> Option<Quantity> {
    let is_good = Quantity::ZERO.checked_cmp(epsilon)?.is_lt()
        && Quantity::ZERO.checked_cmp(delta)?.is_lt()
        && delta.checked_cmp(&Quantity::ONE)?.is_lt();
    if !is_good {
        return None;
    }
    // ln(1/delta) <= log2(1/delta) ln(2), and (sqrt(l + e) - sqrt(l))^2 >= e^2 / (4 (l + e)).
    let ratio = delta.denominator().div_rem(&delta.numerator())?.0.checked_add(&Integer::ONE)?;
    let ln2 = Quantity::new(Integer::from(693_147_181_u64), Integer::from(1_000_000_000_u64))?;
    let log = ln2.checked_mul(&Quantity::from(Integer::from(u64::from(ratio.bits()))))?;
    let below = log.checked_add(epsilon)?.checked_mul(&Quantity::from(Integer::from(4_u64)))?;
    epsilon.checked_mul(epsilon)?.checked_div(&below)
}
