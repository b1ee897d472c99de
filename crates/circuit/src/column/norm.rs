//! Norms: the integers by which a seal checks that a vector's Euclidean norm is bounded.
//!
//! `docs/protocols.md`, section 3. With B the bound, in units of the last decimal, and N elements, a vector x passes if
//!
//! ```text
//! |<R_j, x>| <= 8 B           for each of 64 random R_j of -1, 0, 1        so that |x_i| <= 16 B, but for one in 2^64
//! sum of x_i^2 mod p <= B^2                                              and with N (16 B)^2 < p / 2 nothing wraps
//! ```

use quorate_field::Integer;

/// Projections of a vector that a seal looks at. One that is too long passes each with probability 1/2 at most.
pub const PROJECTIONS: usize = 64;

/// Greatest norm, in units of the last decimal: its square is compared on 60 bits.
pub const NORM_MAX: u64 = 1 << 30;

/// The bound of a projection is so many times that of the norm: a vector within it fails one of them with probability
/// 2 PROJECTIONS exp(-SLACK^2) at most, below 2^-85.
const SLACK: u64 = 8;

/// The bound on the norm of a column's vectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Norm {
    /// In units of the last decimal.
    bound: Integer,
    square: Integer,
    projection: Integer,
    reach: Integer,
}

impl Norm {
    /// `bound`, in units of the last decimal, for vectors of `length` elements; `None` where the numbers leave 512 bits.
    pub(super) fn new(bound: Integer, length: u32) -> Option<Norm> {
        let projection = bound.checked_mul(&SLACK.into())?;
        let element = projection.checked_mul(&Integer::from(2_u64))?;
        let reach = element.checked_mul(&element)?.checked_mul(&length.into())?;
        Some(Norm { bound, square: bound.checked_mul(&bound)?, projection, reach })
    }

    /// The greatest norm, in units of the last decimal.
    pub fn bound(&self) -> Integer {
        self.bound
    }

    /// The greatest sum of squares.
    pub fn square(&self) -> Integer {
        self.square
    }

    /// The greatest magnitude of a projection.
    pub fn projection(&self) -> Integer {
        self.projection
    }

    /// The greatest sum of squares of vectors that pass the projections: what the field must hold.
    pub fn reach(&self) -> Integer {
        self.reach
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_compared_with_what() {
        let norm = Norm::new(50_000_u64.into(), 100_000).unwrap();
        let integers = [norm.bound(), norm.square(), norm.projection(), norm.reach()];
        let expected = ["50000", "2500000000", "400000", "64000000000000000"];
        assert_eq!(integers.map(|integer| integer.to_string()), expected);
    }

    /// What is said of honest vectors, by the bound of section 3: 2 exp(-slack^2) for each projection.
    #[test]
    fn honest_vectors_pass() {
        let slack = f64::from(u32::try_from(SLACK).unwrap());
        let projections = f64::from(u32::try_from(PROJECTIONS).unwrap());
        let fails = (2.0 * projections).log2() - slack * slack * std::f64::consts::LOG2_E;
        assert!(fails < -85.0, "2^{fails}");
    }
}
