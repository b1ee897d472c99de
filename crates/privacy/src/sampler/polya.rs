//! Polya variables: parts of a geometric one.
//!
//! `polya(x, m)` is `k` with probability proportional to `exp(-k x) C(k + 1/m - 1, k)`, the negative binomial distribution of shape `1/m`:
//! `m` of them add up to a geometric variable, and `m` differences of two to a discrete Laplace one (Goryczka, Xiong, "A
//! comprehensive comparison of multiparty secure additions with differential privacy", IEEE TDSC 2017).
//!
//! A geometric variable `k` is accepted with the probability `prod_{i=1..k} (m (i - 1) + 1) / (m i)`. Alone that would take as many
//! coins as the scale `1/x` is large. So `x` is doubled until it is at least 1, by
//!
//! ```text
//! ((1 - a) / (1 - a z))^r = ((1 - a^2) / (1 - a^2 z))^r * ((1 - b) / (1 - b Y(z)))^r,   b = a / (1 + a),
//! ```
//!
//! where the left side is the probability generating function for `a = exp(-x)` and `r = 1/m`, and `Y(z) = (1 - a^2) z / (1 - a^2 z)`
//! that of one more than a geometric variable for `2 x`: a Polya variable for `x` is one for `2 x`, and as many such `Y` as another
//! Polya variable says, for `b`, which is at most one half. That takes some coins for each of `log2(1/x)` doublings.

use super::coins::{Coins, Ratio};
use super::natural::Natural;

/// A draw for a positive `x` and a positive `m`.
pub(super) fn draw<N: Natural>(coins: &mut impl Coins, x: Ratio<N>, m: u32) -> N {
    if m == 1 {
        return coins.geometric(x);
    }
    let (mut total, mut x) = (N::ZERO, x);
    while x.above < x.below {
        let doubled = x.doubled();
        for _ in 0..accepted(coins, m, |coins| run(coins, x)) {
            total = total.plus(N::ONE).plus(coins.geometric(doubled));
        }
        x = doubled;
    }
    let last = accepted(coins, m, |coins| to_word(coins.geometric(x)));
    total.plus(N::from_word(last))
}

/// A geometric variable drawn until it is accepted as a Polya one.
fn accepted<C: Coins>(coins: &mut C, m: u32, mut geometric: impl FnMut(&mut C) -> u64) -> u64 {
    loop {
        let k = geometric(coins);
        if coins.accept_part(k, m) {
            return k;
        }
    }
}

/// Geometric: `k` with probability proportional to `b^k`, for `b = exp(-x) / (1 + exp(-x))`.
fn run<N: Natural>(coins: &mut impl Coins, x: Ratio<N>) -> u64 {
    let mut k = 0;
    while flip_logistic(coins, x) {
        k += 1;
    }
    k
}

/// True with a probability of `exp(-x) / (1 + exp(-x))`.
fn flip_logistic<N: Natural>(coins: &mut impl Coins, x: Ratio<N>) -> bool {
    loop {
        if coins.flip_fair() {
            return false;
        }
        if coins.flip_exponential(x) {
            return true;
        }
    }
}

/// As a word: it is a geometric variable for at least 1.
fn to_word<N: Natural>(k: N) -> u64 {
    k.integer().to_i128().and_then(|k| u64::try_from(k).ok()).unwrap_or(u64::MAX)
}
