//! Secrecy and correctness of pseudo-random sharing, over tiny fields with the sets' values as the randomness.

use std::collections::HashMap;

use quorate_field::Field;
use quorate_field::tiny::{F7, F31};

use super::keys::set_weights;
use super::*;
use crate::{Scheme, is_degree_at_most, recombine};

/// Every helper's share, helper 1 first, from the values `r_A` of all sets in canonical order.
fn shares<F: Field>(scheme: &Scheme, values: &[F]) -> Vec<F> {
    let sets = HelperSet::all(scheme);
    let share = |helper| {
        let held = || sets.iter().copied().filter(move |set| !set.contains(helper));
        let values =
            sets.iter().zip(values).filter(|(set, _)| !set.contains(helper)).map(|(_, value)| *value);
        F::dot(&set_weights(scheme, helper, held()), &values.collect::<Vec<F>>())
    };
    scheme.numbers().map(share).collect()
}

/// All assignments of F7 to `sets` sets.
fn every_assignment(sets: u32) -> impl Iterator<Item = Vec<F7>> {
    (0..7_u64.pow(sets)).map(move |code| (0..sets).map(|i| F7::from_u64(code / 7_u64.pow(i) % 7)).collect())
}

#[test]
fn shares_lie_on_a_polynomial_with_the_sum_at_zero() {
    for (n, t) in [(3, 1), (4, 1), (6, 1), (5, 2), (6, 2), (7, 3), (9, 4)] {
        let scheme = Scheme::shamir(n, t).unwrap();
        let sets = scheme.sets();
        for round in 0..20 {
            let values: Vec<F31> =
                (0..sets).map(|i| F31::from_u64(i * i * 7 + round * 11 + i * round)).collect();
            let shares = shares(&scheme, &values);
            let points: Vec<(u8, &[F31])> = (1..).zip(shares.chunks(1)).collect();
            assert!(is_degree_at_most(t.into(), &points));
            assert_eq!(recombine(&scheme, &points).unwrap().values, [F31::sum_slice(&values)]);
        }
        // The degree is t and not less: one set alone gives f_A.
        let one: Vec<F31> = (0..sets).map(|i| F31::from_u64((i == 0).into())).collect();
        let shares = shares(&scheme, &one);
        let points: Vec<(u8, &[F31])> = (1..).zip(shares.chunks(1)).collect();
        assert!(!is_degree_at_most(usize::from(t) - 1, &points));
    }
}

/// Whether the coalition's keys say nothing about the value: what it knows, every `r_A` with one of it outside `A`,
/// goes with every value equally often. (Its shares are a function of what it knows.)
fn hides(scheme: &Scheme, coalition: HelperSet, assignments: impl Iterator<Item = Vec<F7>>) -> bool {
    let sets = HelperSet::all(scheme);
    let mut views: HashMap<Vec<u8>, [usize; 7]> = HashMap::new();
    for values in assignments {
        let is_known = |set: &HelperSet| coalition.iter().any(|helper| !set.contains(helper));
        let known = sets.iter().zip(&values).filter(|(set, _)| is_known(set));
        let view = known.map(|(_, value)| value.to_u8()).collect();
        views.entry(view).or_default()[usize::from(F7::sum_slice(&values).to_u8())] += 1;
    }
    views.values().all(|counts| counts.iter().all(|count| *count == counts[0]))
}

#[test]
fn the_keys_of_t_helpers_say_nothing_about_the_value() {
    for (n, t) in [(3, 1), (4, 1), (5, 1)] {
        let scheme = Scheme::shamir(n, t).unwrap();
        for coalition in HelperSet::all(&scheme) {
            assert!(
                hides(&scheme, coalition, every_assignment(scheme.sets() as u32)),
                "{scheme} {coalition}"
            );
        }
    }
}

#[test]
fn planted_leaks_are_caught() {
    let scheme = Scheme::shamir(3, 1).unwrap();
    // Two helpers know everything.
    assert!(!hides(&scheme, HelperSet::of(&[1, 2]), every_assignment(3)));
    // One key for the sets {1} and {2}: helper 1, outside {2}, knows both.
    let shared_key = every_assignment(2).map(|values| vec![values[0], values[0], values[1]]);
    assert!(!hides(&scheme, HelperSet::of(&[1]), shared_key));
}

/// For every scheme: a coalition of `t` holds all keys but one, that of itself; any larger one holds all.
#[test]
fn exactly_one_key_is_missing() {
    for (n, t) in [(3, 1), (4, 1), (5, 2), (7, 3), (9, 4), (64, 1)] {
        let scheme = Scheme::shamir(n, t).unwrap();
        let sets = HelperSet::all(&scheme);
        for coalition in &sets {
            let is_missing = |set: &&HelperSet| coalition.iter().all(|helper| set.contains(helper));
            assert_eq!(sets.iter().filter(is_missing).collect::<Vec<_>>(), [coalition]);
        }
    }
}
