//! Recombination: redundancy, detection, correction, and never a wrong answer within the distance.

use proptest::prelude::*;
use quorate_field::tiny::{F7, F31};
use quorate_field::{F61, F127, F256, Field};
use quorate_sharing::{Decoder, RecombineError, Scheme, recombine};

/// A polynomial's values at 1 to `n`.
fn shares<F: Field>(coefficients: &[F], n: u8) -> Vec<F> {
    let at = |x: F| coefficients.iter().rev().fold(F::ZERO, |value, c| value * x + *c);
    (1..=n).map(|j| at(F::from_u64(j.into()))).collect()
}

fn points<F: Field>(shares: &[F]) -> Vec<(u8, &[F])> {
    (1..).zip(shares.chunks(1)).collect()
}

fn nonzero<F: Field>(p: u64) -> Vec<F> {
    (1..p).map(F::from_u64).collect()
}

/// All `size`-subsets of `0..n`.
fn subsets(n: usize, size: u32) -> impl Iterator<Item = Vec<usize>> {
    let members = move |mask: u32| (0..n).filter(|i| mask >> i & 1 == 1).collect();
    (0_u32..1 << n).filter(move |mask| mask.count_ones() == size).map(members)
}

/// All vectors of `len` of these elements.
fn vectors<F: Field>(elements: &[F], len: u32) -> Vec<Vec<F>> {
    let count = elements.len();
    (0..count.pow(len))
        .map(|code| (0..len).map(|i| elements[code / count.pow(i) % count]).collect())
        .collect()
}

/// Every pattern of `errors` wrong shares of `m`: what `recombine` makes of it. The rule:
/// - correctable and `m >= 3t+1`: corrected, exactly the liars named;
/// - more errors than that, but within the distance: refused, nobody named.
fn every_error_pattern<F: Field>(p: u64, m: u8, t: u8, errors: u32) {
    let scheme = Scheme::shamir(m, t).unwrap();
    let corrects = if m > 3 * t { u32::from(m - t - 1) / 2 } else { 0 };
    assert!(errors + corrects < u32::from(m - t), "beyond the distance");
    let coefficients: Vec<F> = (0..=t).map(|i| F::from_u64(u64::from(i) * 3 + 2)).collect();
    let word = shares(&coefficients, m);
    for places in subsets(m.into(), errors) {
        for values in vectors::<F>(&nonzero(p), errors) {
            let mut received = word.clone();
            places.iter().zip(&values).for_each(|(&i, value)| received[i] += *value);
            let answer = recombine(&scheme, &points(&received));
            if errors <= corrects {
                let recombined = answer.unwrap();
                assert_eq!(recombined.values, coefficients[..1]);
                assert_eq!(recombined.redundancy, usize::from(m - t - 1));
                assert_eq!(recombined.wrong, places.iter().map(|i| *i as u8 + 1).collect::<Vec<_>>());
            } else {
                let inconsistent =
                    RecombineError::Inconsistent { points: m.into(), threshold: t.into(), position: 0 };
                assert_eq!(answer, Err(inconsistent));
            }
        }
    }
}

#[test]
fn every_small_error_pattern_is_corrected_or_refused() {
    // Corrected: errors <= (m-t-1)/2 and m >= 3t+1.
    every_error_pattern::<F31>(31, 4, 1, 1);
    every_error_pattern::<F31>(31, 5, 1, 1);
    every_error_pattern::<F31>(31, 6, 1, 2);
    every_error_pattern::<F31>(31, 7, 2, 2);
    every_error_pattern::<F31>(31, 10, 3, 1);
    every_error_pattern::<F7>(7, 6, 1, 2);
    // Refused, though a decoder could find a nearest word: t+2 <= m < 3t+1.
    every_error_pattern::<F31>(31, 3, 1, 1);
    every_error_pattern::<F31>(31, 5, 2, 1);
    every_error_pattern::<F31>(31, 5, 2, 2);
    every_error_pattern::<F31>(31, 6, 2, 1);
    every_error_pattern::<F31>(31, 6, 2, 2);
    every_error_pattern::<F7>(7, 6, 3, 2);
    // Refused: more errors than can be corrected, fewer than the distance allows to mistake for others.
    every_error_pattern::<F31>(31, 5, 1, 2);
    every_error_pattern::<F31>(31, 8, 2, 2);
    every_error_pattern::<F7>(7, 6, 1, 0);
}

/// Beyond the distance a wrong answer cannot be excluded, but it must be within reach of what was received.
#[test]
fn every_word_of_a_small_code_decodes_to_the_nearest_word_or_not_at_all() {
    let elements: Vec<F7> = F7::every().collect();
    let (m, t) = (5, 1);
    let words = vectors(&elements, 2).into_iter().map(|line| (line[0], shares(&line, m))).collect::<Vec<_>>();
    let decoder = Decoder::new(&[1, 2, 3, 4, 5], t);
    for received in vectors(&elements, m.into()) {
        let distance = |word: &[F7]| word.iter().zip(&received).filter(|(a, b)| a != b).count();
        let near: Vec<_> = words.iter().filter(|(_, word)| distance(word) <= decoder.errors_max()).collect();
        let decoded = decoder.decode(&received).map(|decoded| decoded.value);
        assert_eq!(decoded.as_slice(), near.iter().map(|(value, _)| *value).collect::<Vec<_>>());
    }
}

#[test]
fn one_set_of_liars_must_explain_all_positions() {
    let scheme = Scheme::shamir(7, 2).unwrap();
    let word = shares(&[F61::from_u64(5), F61::from_u64(6), F61::from_u64(7)], 7);
    let lies = |liars: &[(usize, usize)]| {
        let mut vectors: Vec<Vec<F61>> = word.iter().map(|share| vec![*share; 4]).collect();
        liars.iter().for_each(|&(helper, position)| vectors[helper - 1][position] += F61::ONE);
        let points: Vec<(u8, &[F61])> = (1..).zip(vectors.iter().map(Vec::as_slice)).collect();
        recombine(&scheme, &points)
    };
    let recombined = lies(&[(2, 0), (5, 3), (2, 3)]).unwrap();
    assert_eq!((recombined.values, recombined.wrong), (vec![F61::from_u64(5); 4], vec![2, 5]));
    // Each position alone has one error; together three helpers lied, more than two.
    let error = RecombineError::Inconsistent { points: 7, threshold: 2, position: 3 };
    assert_eq!(lies(&[(2, 0), (5, 1), (7, 3)]), Err(error));
}

#[test]
fn requests_that_cannot_be() {
    let scheme = Scheme::shamir(4, 1).unwrap();
    let one: &[F61] = &[F61::ONE];
    let two: &[F61] = &[F61::ONE, F61::ONE];
    let error = |points: &[(u8, &[F61])]| recombine(&scheme, points).unwrap_err();
    assert_eq!(error(&[]), RecombineError::TooFew { needed: 2, found: 0 });
    assert_eq!(error(&[(1, one)]), RecombineError::TooFew { needed: 2, found: 1 });
    assert_eq!(error(&[(1, one), (1, one)]), RecombineError::Duplicate { helper: 1 });
    for helper in [0, 5, 64, 65, 255] {
        assert_eq!(error(&[(1, one), (helper, one)]), RecombineError::Unknown { helper, helpers: 4 });
    }
    let length = RecombineError::Length { helper: 3, expected: 1, found: 2 };
    assert_eq!(error(&[(1, one), (3, two)]), length);
    let additive = Scheme::additive(3).unwrap();
    let missing = RecombineError::TooFew { needed: 3, found: 2 };
    assert_eq!(recombine(&additive, &[(1, one), (3, one)]), Err(missing));
    assert_eq!(recombine(&additive, &[(1, one), (3, one), (2, one)]).unwrap().values, [F61::from_u64(3)]);
    let empty: &[F61] = &[];
    assert!(recombine(&scheme, &[(1, empty), (2, empty), (3, empty)]).unwrap().values.is_empty());
}

/// A random polynomial's shares with random errors in random places, in a random order.
fn corrects<F: Field>(n: u8, t: u8, seed: u64, errors: usize) {
    let mut state = seed;
    let mut random = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 33
    };
    let scheme = Scheme::shamir(n, t).unwrap();
    let coefficients: Vec<F> = (0..=t).map(|_| F::from_u64(random() << 31 | random())).collect();
    let word = shares(&coefficients, n);
    let mut order: Vec<usize> = (0..n.into()).collect();
    (1..order.len()).for_each(|i| order.swap(i, random() as usize % (i + 1)));
    let mut received = word.clone();
    let mut wrong: Vec<u8> = order[..errors].iter().map(|i| *i as u8 + 1).collect();
    wrong.iter().for_each(|j| received[usize::from(*j) - 1] += F::from_u64(random() + 1));
    wrong.sort_unstable();
    order.rotate_left(errors / 2);
    let points: Vec<(u8, &[F])> =
        order.iter().map(|&i| (i as u8 + 1, std::slice::from_ref(&received[i]))).collect();
    let recombined = recombine(&scheme, &points).unwrap();
    assert_eq!((recombined.values, recombined.wrong), (coefficients[..1].to_vec(), wrong));
}

proptest! {
    #[test]
    fn up_to_half_the_redundancy_is_corrected(t in 1_u8..11, spare in 0_u8..20, errors: usize, seed: u64) {
        let n = 3 * t + 1 + spare;
        let errors = errors % (usize::from(n - t - 1) / 2 + 1);
        corrects::<F61>(n, t, seed, errors);
        corrects::<F127>(n, t, seed, errors);
    }
}

#[test]
fn the_widest_field_and_the_largest_federation_decode() {
    corrects::<F256>(10, 3, 1, 3);
    corrects::<F61>(64, 21, 2, 21);
    corrects::<F61>(31, 10, 3, 10);
}
