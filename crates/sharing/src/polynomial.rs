//! Polynomials over a field, coefficient of `x^0` first, for decoding *public* words: everything here is
//! variable-time.

use quorate_field::Field;

/// A polynomial without leading zeros; zero has no coefficients.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Polynomial<F: Field>(Vec<F>);

impl<F: Field> Polynomial<F> {
    pub(crate) fn new(mut coefficients: Vec<F>) -> Self {
        while coefficients.last() == Some(&F::ZERO) {
            coefficients.pop();
        }
        Polynomial(coefficients)
    }

    pub(crate) fn zero() -> Self {
        Polynomial(Vec::new())
    }

    pub(crate) fn one() -> Self {
        Polynomial(vec![F::ONE])
    }

    /// `prod_i (x - root_i)`.
    pub(crate) fn with_roots(roots: &[F]) -> Self {
        let mut coefficients = vec![F::ONE];
        for &root in roots {
            coefficients.insert(0, F::ZERO);
            for i in 1..coefficients.len() {
                let above = coefficients[i];
                coefficients[i - 1] -= root * above;
            }
        }
        Polynomial(coefficients)
    }

    /// The number of coefficients: the degree plus one, and 0 for zero.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn is_zero(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn evaluate(&self, x: F) -> F {
        self.0.iter().rev().fold(F::ZERO, |value, &coefficient| value * x + coefficient)
    }

    pub(crate) fn coefficients(&self) -> &[F] {
        &self.0
    }

    /// `self - a * b`.
    pub(crate) fn minus_product(&self, a: &Self, b: &Self) -> Self {
        let mut out = self.0.clone();
        if !a.is_zero() && !b.is_zero() {
            out.resize(out.len().max(a.len() + b.len() - 1), F::ZERO);
        }
        for (i, &k) in a.0.iter().enumerate() {
            F::axpy(&mut out[i..i + b.len()], -k, &b.0);
        }
        Self::new(out)
    }

    /// Quotient and remainder. Panics if `divisor` is zero.
    pub(crate) fn div_rem(&self, divisor: &Self) -> (Self, Self) {
        #[expect(clippy::expect_used, reason = "documented panic; a leading coefficient is not zero")]
        let inverse = divisor.0.last().and_then(|lead| lead.inverse()).expect("the divisor is not zero");
        let mut rest = self.0.clone();
        let mut quotient = vec![F::ZERO; (self.len() + 1).saturating_sub(divisor.len())];
        for i in (0..quotient.len()).rev() {
            let k = rest[i + divisor.len() - 1] * inverse;
            F::axpy(&mut rest[i..i + divisor.len()], -k, &divisor.0);
            quotient[i] = k;
        }
        (Self::new(quotient), Self::new(rest))
    }
}
