//! Elementary draws: uniform numbers, and coins whose probability is a ratio or the exponential of one.
//!
//! After Canonne, Kamath, Steinke, "The discrete Gaussian for differential privacy", NeurIPS 2020, algorithms 1 and 2. Differs from
//! the paper: a coin of probability `x/k` is one of `x` and one of `1/k`, so that no number grows with `k`.

use super::natural::Natural;

/// `above / below`, which is positive.
#[derive(Clone, Copy)]
pub(super) struct Ratio<N> {
    pub(super) above: N,
    pub(super) below: N,
}

impl<N: Natural> Ratio<N> {
    /// 1.
    pub(super) const ONE: Ratio<N> = Ratio { above: N::ONE, below: N::ONE };

    /// Twice as much.
    pub(super) fn doubled(self) -> Ratio<N> {
        Ratio { above: self.above.plus(self.above), below: self.below }
    }
}

/// Draws from random words.
pub(super) trait Coins {
    /// The next 64 random bits.
    fn word(&mut self) -> u64;

    /// Uniform below a positive bound: as many bits as the largest of them has, again until they are below.
    fn below<N: Natural>(&mut self, bound: N) -> N {
        let bits = bound.less(N::ONE).bits();
        loop {
            let candidate = N::read(bits, || self.word());
            if candidate < bound {
                return candidate;
            }
        }
    }

    /// True with a probability of `p`, at most 1.
    fn flip<N: Natural>(&mut self, p: Ratio<N>) -> bool {
        self.below(p.below) < p.above
    }

    /// True with a probability of one half.
    fn flip_fair(&mut self) -> bool {
        self.flip(Ratio { above: 1_u128, below: 2 })
    }

    /// True with a probability of `exp(-x)`.
    fn flip_exponential<N: Natural>(&mut self, x: Ratio<N>) -> bool {
        let mut rest = x;
        while rest.above > rest.below {
            if !self.flip_exponential_below_one(Ratio::<N>::ONE) {
                return false;
            }
            rest.above = rest.above.less(rest.below);
        }
        self.flip_exponential_below_one(rest)
    }

    /// True with a probability of `exp(-x)`, `x` being at most 1: the number of coins of `x/1, x/2, ...` up to the first that is
    /// false is odd with that probability.
    fn flip_exponential_below_one<N: Natural>(&mut self, x: Ratio<N>) -> bool {
        let mut k = 1_u64;
        while self.flip(x) && self.flip(Ratio { above: 1, below: u128::from(k) }) {
            k += 1;
        }
        k % 2 == 1
    }

    /// Geometric: `k` with probability proportional to `exp(-k x)`. `x` is positive.
    fn geometric<N: Natural>(&mut self, x: Ratio<N>) -> N {
        // What is proportional to exp(-i / below), of which `above` follow each other for the same k.
        let low = loop {
            let low = self.below(x.below);
            if self.flip_exponential(Ratio { above: low, below: x.below }) {
                break low;
            }
        };
        let mut whole = 0_u64;
        while self.flip_exponential_below_one(Ratio::<N>::ONE) {
            whole += 1;
        }
        x.below.times(N::from_word(whole)).plus(low).over(x.above)
    }

    /// Whether a geometric `k` is accepted as a Polya variable of shape `1/m`: with probability
    /// `prod_{i=1..k} (m (i - 1) + 1) / (m i)`.
    fn accept_part(&mut self, k: u64, m: u32) -> bool {
        let m = u128::from(m);
        (1..=u128::from(k)).all(|i| self.flip(Ratio { above: m * (i - 1) + 1, below: m * i }))
    }

    /// Discrete Laplace: sign and magnitude of `k` with probability proportional to `exp(-|k| x)`.
    fn laplace<N: Natural>(&mut self, x: Ratio<N>) -> (bool, N) {
        loop {
            let magnitude = self.geometric(x);
            let is_negative = self.flip_fair();
            // Zero has one sign only, or it would come twice as often as it should.
            if !(is_negative && magnitude == N::ZERO) {
                return (is_negative, magnitude);
            }
        }
    }
}
