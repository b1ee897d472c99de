//! Gao's decoder for Reed-Solomon words, over any of our fields.
//!
//! S. Gao, "A new algorithm for decoding Reed-Solomon codes", in: Communications, Information and Network Security,
//! Kluwer 2003, pp. 55-68. Algorithm 1, with the extended Euclidean algorithm run plainly: words here have at most
//! 64 symbols. Quadratic in their number.

use quorate_field::Field;

use crate::HelperNumber;
use crate::lagrange::{Nodes, points_of};
use crate::polynomial::Polynomial;

/// Decodes words of one symbol per helper that should lie on a polynomial of degree at most `t`.
///
/// For *public* words: variable-time. The decision whether a correction may be trusted is [`crate::recombine`]'s.
pub struct Decoder<F: Field> {
    helpers: Vec<HelperNumber>,
    nodes: Nodes<F>,
    /// `g0 = prod_i (x - x_i)`.
    vanishing: Polynomial<F>,
    degree: usize,
}

/// A decoded word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded<F: Field> {
    /// The polynomial's value at 0.
    pub value: F,
    /// The helpers whose symbols are not the polynomial's values, in the order they were given.
    pub wrong: Vec<HelperNumber>,
}

impl<F: Field> Decoder<F> {
    /// A decoder for words of these helpers' symbols. Panics unless the helpers are distinct and more than `degree`.
    pub fn new(helpers: &[HelperNumber], degree: usize) -> Self {
        assert!(
            helpers.len() > degree,
            "{} points do not fix a polynomial of degree {degree}",
            helpers.len()
        );
        let points: Vec<F> = points_of(helpers);
        let vanishing = Polynomial::with_roots(&points);
        Decoder { helpers: helpers.to_vec(), nodes: Nodes::new(points), vanishing, degree }
    }

    /// The most errors that a word can have and still be decoded: `(m - t - 1) / 2`.
    pub fn errors_max(&self) -> usize {
        (self.helpers.len() - self.degree - 1) / 2
    }

    /// The only polynomial of degree at most `t` that differs from `word` in at most [`Self::errors_max`] places, if
    /// there is one. Panics unless `word` has one symbol per helper.
    pub fn decode(&self, word: &[F]) -> Option<Decoded<F>> {
        assert_eq!(word.len(), self.helpers.len(), "one symbol per helper");
        let (m, k) = (word.len(), self.degree + 1);

        // 1. Interpolation: g1(x_i) = word_i, deg g1 < m.
        let g1 = self.interpolate(word);

        // 2. Partial gcd: u*g0 + v*g1 = g, stopped as soon as deg g < (m + k) / 2. (`len` is deg + 1.)
        let (mut g_before, mut g) = (self.vanishing.clone(), g1);
        let (mut v_before, mut v) = (Polynomial::zero(), Polynomial::one());
        while 2 * g.len() > m + k + 1 {
            let (quotient, remainder) = g_before.div_rem(&g);
            let v_next = v_before.minus_product(&quotient, &v);
            (g_before, g) = (g, remainder);
            (v_before, v) = (v, v_next);
        }

        // 3. Long division: g = f*v + r. If r = 0 and deg f < k, f is the answer, else there is none.
        let (f, r) = g.div_rem(&v);
        if !r.is_zero() || f.len() > k {
            return None;
        }
        let wrong = self.disagreeing(&f, word);
        (wrong.len() <= self.errors_max()).then(|| Decoded { value: f.evaluate(F::ZERO), wrong })
    }

    /// The polynomial of degree below `m` through the word: `sum_i word_i * w_i * g0(x) / (x - x_i)`.
    fn interpolate(&self, word: &[F]) -> Polynomial<F> {
        let mut sum = vec![F::ZERO; word.len()];
        let points = self.nodes.points().iter().zip(self.nodes.weights());
        for ((&x, &weight), &symbol) in points.zip(word) {
            let (basis, _) = self.vanishing.div_rem(&Polynomial::with_roots(&[x]));
            F::axpy(&mut sum, weight * symbol, basis.coefficients());
        }
        Polynomial::new(sum)
    }

    fn disagreeing(&self, f: &Polynomial<F>, word: &[F]) -> Vec<HelperNumber> {
        let symbols = self.nodes.points().iter().zip(word);
        let wrong = self.helpers.iter().zip(symbols).filter(|(_, (x, symbol))| f.evaluate(**x) != **symbol);
        wrong.map(|(helper, _)| *helper).collect()
    }
}
