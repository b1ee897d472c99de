//! Coins with mistakes, each of which must show in the published vectors and in the statistics.

use super::mass::Mass;
use super::*;

/// Coins that are right but for what is said.
macro_rules! mutant {
    ($name:ident, $($wrong:item)*) => {
        struct $name(ChaCha20Rng);

        impl Coins for $name {
            fn word(&mut self) -> u64 {
                self.0.next_u64()
            }

            $($wrong)*
        }
    };
}

mutant! { BoundIncluded,
    fn below<N: Natural>(&mut self, bound: N) -> N {
        let bits = bound.less(N::ONE).bits();
        loop {
            let candidate = N::read(bits, || self.word());
            if candidate <= bound {
                return candidate;
            }
        }
    }
}

mutant! { FoldedInsteadOfRejected,
    fn below<N: Natural>(&mut self, bound: N) -> N {
        let candidate = N::read(bound.less(N::ONE).bits(), || self.word());
        candidate.less(candidate.over(bound).times(bound))
    }
}

mutant! { EqualIsTrue,
    fn flip<N: Natural>(&mut self, p: Ratio<N>) -> bool {
        self.below(p.below) <= p.above
    }
}

mutant! { UnfairSign,
    fn flip_fair(&mut self) -> bool {
        self.word() % 64 < 33
    }
}

mutant! { WholeExponentsOnly,
    fn flip_exponential<N: Natural>(&mut self, x: Ratio<N>) -> bool {
        let whole = x.above.over(x.below).integer().to_i128().unwrap();
        (0..whole).all(|_| self.flip_exponential_below_one(Ratio::<N>::ONE))
    }
}

mutant! { ExponentsUpToOne,
    fn flip_exponential<N: Natural>(&mut self, x: Ratio<N>) -> bool {
        self.flip_exponential_below_one(Ratio { above: x.above.min(x.below), below: x.below })
    }
}

mutant! { OneCoinTooFew,
    fn flip_exponential_below_one<N: Natural>(&mut self, x: Ratio<N>) -> bool {
        // The series 1 - x + x^2/2 ends where it should go on.
        let mut k = 1_u64;
        while k < 3 && self.flip(x) && self.flip(Ratio { above: 1, below: u128::from(k) }) {
            k += 1;
        }
        k % 2 == 1
    }
}

mutant! { DividedTooEarly,
    fn geometric<N: Natural>(&mut self, x: Ratio<N>) -> N {
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
        x.below.over(x.above).times(N::from_word(whole)).plus(low.over(x.above))
    }
}

mutant! { ZeroWithBothSigns,
    fn laplace<N: Natural>(&mut self, x: Ratio<N>) -> (bool, N) {
        let magnitude = self.geometric(x);
        (self.flip_fair(), magnitude)
    }
}

mutant! { PartsAreWholes,
    fn accept_part(&mut self, _: u64, _: u32) -> bool {
        true
    }
}

mutant! { PartsOfOneTooMany,
    fn accept_part(&mut self, k: u64, m: u32) -> bool {
        let m = u128::from(m) + 1;
        (1..=u128::from(k)).all(|i| self.flip(Ratio { above: m * (i - 1) + 1, below: m * i }))
    }
}

/// Which tests draws fail, of all kinds of noise.
fn faults<C: Coins>(new: impl Fn(ChaCha20Rng) -> C) -> Vec<&'static str> {
    let mut faults = Vec::new();
    let mut compare = |sampler: Sampler, mass: Mass| {
        let draws = sums(&sampler, 1, 100_000, &mut new(rng(60)));
        faults.extend(mass.faults(&draws));
    };
    for variance in [quantity(4, 1), quantity(25, 1), quantity(1371, 250)] {
        compare(Sampler::gaussian(&variance).unwrap(), Mass::gaussian(variance.to_f64()));
    }
    for (scale, m) in [(quantity(11, 2), 1), (quantity(11, 2), 2), (quantity(1, 2), 3)] {
        compare(Sampler::laplace(&scale, m).unwrap(), Mass::part(scale.to_f64(), m));
    }
    faults
}

#[test]
fn without_a_mistake_nothing_shows() {
    assert_eq!(differing_vectors(Right), [""; 0]);
    assert_eq!(faults(Right), [""; 0]);
}

macro_rules! each_shows {
    ($($test:ident: $mutant:ident,)*) => {$(
        #[test]
        fn $test() {
            assert!(!differing_vectors($mutant).is_empty());
            assert!(!faults($mutant).is_empty());
        }
    )*};
}

each_shows! {
    a_bound_that_is_included: BoundIncluded,
    a_remainder_for_a_rejection: FoldedInsteadOfRejected,
    an_equal_number_that_is_true: EqualIsTrue,
    an_unfair_sign: UnfairSign,
    an_exponent_rounded_down: WholeExponentsOnly,
    an_exponent_cut_at_one: ExponentsUpToOne,
    a_series_that_ends: OneCoinTooFew,
    a_quotient_rounded_too_early: DividedTooEarly,
    a_zero_with_both_signs: ZeroWithBothSigns,
    parts_as_large_as_the_whole: PartsAreWholes,
    parts_of_one_too_many: PartsOfOneTooMany,
}

/// A variance or a scale that lost its fraction.
#[test]
fn parameters_rounded_down_show() {
    let draws = sums(&Sampler::gaussian(&quantity(5, 1)).unwrap(), 1, 100_000, &mut Right(rng(61)));
    assert!(!Mass::gaussian(5.484).faults(&draws).is_empty());
    let draws = sums(&Sampler::laplace(&quantity(5, 1), 1).unwrap(), 1, 100_000, &mut Right(rng(62)));
    assert!(!Mass::laplace(5.5).faults(&draws).is_empty());
}
