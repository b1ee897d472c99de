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

    /// Whether the vector of these elements is within the bound.
    pub fn holds(&self, elements: &[Integer]) -> bool {
        sum_of_squares(elements).is_some_and(|sum| sum <= self.square)
    }

    /// The vector of these elements made as long as the bound, if it is longer: every element times the bound over the
    /// norm, rounded up, and that towards zero. Whether it was longer. Elements beyond 255 bits become zeros.
    pub fn shorten(&self, elements: &mut [Integer]) -> bool {
        if self.holds(elements) {
            return false;
        }
        // sum of (x_i B / L)^2 <= B^2 sum of x_i^2 / L^2 <= B^2
        let length = sum_of_squares(elements).map(|sum| root_above(&sum));
        for element in elements {
            let size = length.and_then(|length| element.abs().checked_mul(&self.bound)?.div_rem(&length));
            let size = size.map_or(Integer::ZERO, |(quotient, _)| quotient);
            *element = if element.is_negative() { size.checked_neg().unwrap_or(size) } else { size };
        }
        true
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

/// `None` beyond 512 bits.
fn sum_of_squares(elements: &[Integer]) -> Option<Integer> {
    elements.iter().try_fold(Integer::ZERO, |sum, x| sum.checked_add(&x.checked_mul(x)?))
}

/// The least integer whose square is at least `square`, which is positive: Newton's steps from above.
fn root_above(square: &Integer) -> Integer {
    let half = |x: Integer| x.div_rem(&Integer::from(2_u64)).map_or(x, |(half, _)| half);
    // Not below the root, and not much above it: a sum of squares has at most 511 bits.
    let mut root =
        (0..square.bits().div_ceil(2)).fold(Integer::ONE, |root, _| root.checked_add(&root).unwrap_or(root));
    loop {
        let next =
            square.div_rem(&root).and_then(|(quotient, _)| root.checked_add(&quotient)).map_or(root, half);
        if next >= root {
            break;
        }
        root = next;
    }
    match root.checked_mul(&root) {
        Some(below) if below < *square => root.checked_add(&Integer::ONE).unwrap_or(root),
        _ => root,
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

    #[test]
    fn roots_are_rounded_up() {
        for root in (1..200_u64).chain([1 << 31, (1 << 32) - 1, 999_999_937]) {
            let square = Integer::from(root * root);
            assert_eq!(root_above(&square), Integer::from(root));
            assert_eq!(root_above(&square.checked_add(&Integer::ONE).unwrap()), Integer::from(root + 1));
            assert_eq!(
                root_above(&square.checked_sub(&Integer::ONE).unwrap().max(Integer::ONE)),
                Integer::from(root)
            );
        }
    }

    #[test]
    fn shortened_vectors_are_within_the_bound_and_no_others_are_changed() {
        let norm = Norm::new(50_u64.into(), 3).unwrap();
        let shortened = |elements: [i64; 3]| {
            let mut elements = elements.map(Integer::from);
            let is_changed = norm.shorten(&mut elements);
            assert!(norm.holds(&elements));
            (is_changed, elements.map(|x| x.to_i128().unwrap()))
        };
        assert_eq!(shortened([30, -40, 0]), (false, [30, -40, 0]));
        assert_eq!(shortened([30, -40, 1]), (true, [29, -39, 0]), "51 is the root above 2501");
        assert_eq!(shortened([300, 0, -400]), (true, [30, 0, -40]));
        assert_eq!(shortened([i64::MAX, i64::MIN, 7]), (true, [35, -35, 0]));
        for x in 0..500 {
            shortened([x, 499 - x, x * x]);
        }
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
