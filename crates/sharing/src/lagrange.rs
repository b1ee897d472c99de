//! Lagrange interpolation at public points: the weights by which shares become values.
//!
//! The polynomial of degree below `m` through `(x_i, y_i)` has at `x` the value `sum_i L_i(x) y_i` with
//! `L_i(x) = w_i * prod_{k != i} (x - x_k)` and `w_i = 1 / prod_{k != i} (x_i - x_k)`; all `w_i` together cost one
//! inversion (Montgomery's trick). Points are helpers' numbers and 0: public, so that timing says nothing.

use quorate_field::Field;

use crate::HelperNumber;

/// Distinct points to interpolate through.
pub(crate) struct Nodes<F: Field> {
    points: Vec<F>,
    /// `1 / prod_{k != i} (x_i - x_k)`.
    weights: Vec<F>,
}

impl<F: Field> Nodes<F> {
    /// Panics unless the points are distinct in the field.
    pub(crate) fn new(points: Vec<F>) -> Self {
        let mut weights: Vec<F> = points
            .iter()
            .enumerate()
            .map(|(i, &x)| product(others(&points, i).map(|other| x - other)))
            .collect();
        invert_all(&mut weights);
        Nodes { points, weights }
    }

    /// The points.
    pub(crate) fn points(&self) -> &[F] {
        &self.points
    }

    /// `w_i` for every point.
    pub(crate) fn weights(&self) -> &[F] {
        &self.weights
    }

    /// Writes `L_i(at)` for every point into `out`.
    pub(crate) fn write_coefficients(&self, at: F, out: &mut [F]) {
        assert_eq!(out.len(), self.points.len(), "one coefficient per point");
        // L_i = w_i * (product of the factors before i) * (product of those after i).
        let mut before = F::ONE;
        for ((out, &weight), &x) in out.iter_mut().zip(&self.weights).zip(&self.points) {
            *out = weight * before;
            before *= at - x;
        }
        let mut after = F::ONE;
        for (out, &x) in out.iter_mut().zip(&self.points).rev() {
            *out *= after;
            after *= at - x;
        }
    }

    /// `L_i(at)` for every point.
    pub(crate) fn coefficients(&self, at: F) -> Vec<F> {
        let mut out = vec![F::ZERO; self.points.len()];
        self.write_coefficients(at, &mut out);
        out
    }
}

/// The weights `L_i(0)`: a secret is `sum_i L_i(0) * share_i`, if its degree is below the number of helpers given.
///
/// Panics if a helper is given twice.
pub fn lagrange_at_zero<F: Field>(helpers: &[HelperNumber]) -> Vec<F> {
    Nodes::new(points_of(helpers)).coefficients(F::ZERO)
}

/// The weights `L_i(0)` of distinct points that are not helpers' numbers.
///
/// Panics if a point is given twice.
pub fn lagrange_at_zero_through<F: Field>(points: Vec<F>) -> Vec<F> {
    Nodes::new(points).coefficients(F::ZERO)
}

/// The weights `L_i(at)` by which these helpers' shares give the share of helper `at`.
///
/// Panics if a helper is given twice.
pub fn lagrange_at<F: Field>(helpers: &[HelperNumber], at: HelperNumber) -> Vec<F> {
    Nodes::new(points_of(helpers)).coefficients(F::from_u64(at.into()))
}

/// Whether the points of every position lie on a polynomial of at most this degree. Up to `degree + 1` points
/// always do: to show anything, `points` must be more.
///
/// For *opened* values only, which are public: it branches on them. Panics if a helper is given twice or the
/// vectors' lengths differ.
pub fn is_degree_at_most<F: Field>(degree: usize, points: &[(HelperNumber, &[F])]) -> bool {
    first_off_degree(degree, points).is_none()
}

/// The first position at which the points do not lie on a polynomial of at most this degree.
pub(crate) fn first_off_degree<F: Field>(degree: usize, points: &[(HelperNumber, &[F])]) -> Option<usize> {
    if points.len() <= degree + 1 {
        return None;
    }
    let (fixing, checked) = points.split_at(degree + 1);
    let helpers: Vec<HelperNumber> = fixing.iter().map(|(helper, _)| *helper).collect();
    let rows: Vec<&[F]> = fixing.iter().map(|(_, values)| *values).collect();
    let nodes = Nodes::new(points_of(&helpers));
    let misfits = checked.iter().filter_map(|(helper, values)| {
        let mut expected = vec![F::ZERO; values.len()];
        F::weighted_sum(&mut expected, &nodes.coefficients(F::from_u64((*helper).into())), &rows);
        expected.iter().zip(*values).position(|(expected, value)| expected != value)
    });
    misfits.min()
}

/// The helpers' x-coordinates.
pub(crate) fn points_of<F: Field>(helpers: &[HelperNumber]) -> Vec<F> {
    helpers.iter().map(|&helper| F::from_u64(helper.into())).collect()
}

fn others<F: Field>(points: &[F], i: usize) -> impl Iterator<Item = F> {
    points[..i].iter().chain(&points[i + 1..]).copied()
}

fn product<F: Field>(factors: impl Iterator<Item = F>) -> F {
    factors.fold(F::ONE, |product, factor| product * factor)
}

/// Replaces every element by its inverse, with one inversion.
pub(crate) fn invert_all<F: Field>(elements: &mut [F]) {
    // before[i] = the product of elements 0..i
    let mut before = Vec::with_capacity(elements.len());
    let all = elements.iter().fold(F::ONE, |product, &element| {
        before.push(product);
        product * element
    });
    #[expect(clippy::expect_used, reason = "documented panic: the callers' points are distinct and not zero")]
    let mut inverse = all.inverse().expect("distinct points");
    for (element, before) in elements.iter_mut().zip(before).rev() {
        let next = inverse * *element;
        *element = inverse * before;
        inverse = next;
    }
}
