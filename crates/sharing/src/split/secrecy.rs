//! Secrecy, exhaustively: over tiny fields, every secret and every value of the seeds' streams.
//!
//! The streams are replaced by what they stand for, uniform field elements. The joint view of every `t` helpers
//! must then have one distribution, whatever the secret. Each planted leak must be caught by the same check.

use std::collections::HashMap;

use quorate_field::F61;
use quorate_field::tiny::Tiny;

use super::*;

/// All vectors of `len` field elements.
fn every_vector<const B: u32>(len: usize) -> Vec<Vec<Tiny<B>>> {
    (0..len).fold(vec![vec![]], |vectors, _| {
        let longer = |vector: &Vec<Tiny<B>>| {
            let vector = vector.clone();
            Tiny::every().map(move |x| [&vector[..], &[x]].concat())
        };
        vectors.iter().flat_map(longer).collect()
    })
}

/// Whether the view of every `t` of the `n` shares has one distribution for all secrets, over all `random` values.
fn hides<const B: u32>(
    n: usize,
    t: usize,
    random: usize,
    shares: impl Fn(Tiny<B>, &[Tiny<B>]) -> Vec<Tiny<B>>,
) -> bool {
    let subsets = (0_u32..1 << n).filter(|mask| mask.count_ones() as usize == t);
    let randomness = every_vector(random);
    let distribution = |mask: u32, secret| {
        let mut counts: HashMap<Vec<u8>, usize> = HashMap::new();
        for values in &randomness {
            let shares = shares(secret, values);
            assert_eq!(shares.len(), n);
            let view = (0..n).filter(|j| mask >> j & 1 == 1).map(|j| shares[j].to_u8()).collect();
            *counts.entry(view).or_default() += 1;
        }
        counts
    };
    let first = |mask| distribution(mask, Tiny::ZERO);
    subsets.into_iter().all(|mask| {
        let expected = first(mask);
        Tiny::every().all(|secret| distribution(mask, secret) == expected)
    })
}

/// All shares, helper 1 first, from the secret and the streams' values: what `split` computes per cell.
fn all_shares<F: Field>(scheme: &Scheme, rot: u8, secret: F, streams: &[F]) -> Vec<F> {
    let completion = Completion::new(scheme, rot);
    let inputs: Vec<F> = std::iter::once(secret).chain(streams.iter().copied()).collect();
    let inputs: Vec<&[F]> = inputs.iter().map(std::slice::from_ref).collect();
    let mut shares = vec![F::ZERO; scheme.helpers().into()];
    for k in 0..scheme.helpers() {
        let share = &mut shares[usize::from(scheme.helper_at(rot, k)) - 1];
        match streams.get(usize::from(k)) {
            Some(stream) => *share = *stream,
            None => completion.share(usize::from(k) - streams.len(), &inputs, std::slice::from_mut(share)),
        }
    }
    shares
}

fn split_hides<const B: u32>(scheme: &Scheme) {
    let (n, t) = (scheme.helpers().into(), scheme.seeds());
    for rot in 0..scheme.helpers() {
        let hidden = hides::<B>(n, t, t, |secret, streams| all_shares(scheme, rot, secret, streams));
        assert!(hidden, "{scheme}, rotation {rot}");
    }
}

#[test]
fn every_t_shares_look_the_same_for_every_secret() {
    for (n, t) in [(2, 1), (3, 1), (4, 1), (3, 2), (4, 2), (5, 2)] {
        split_hides::<3>(&Scheme::shamir(n, t).unwrap());
    }
    split_hides::<5>(&Scheme::shamir(3, 1).unwrap());
    for n in 2..=4 {
        split_hides::<3>(&Scheme::additive(n).unwrap());
    }
    split_hides::<5>(&Scheme::additive(2).unwrap());
}

#[test]
fn t_plus_one_shares_do_not() {
    let scheme = Scheme::shamir(3, 1).unwrap();
    assert!(!hides::<3>(3, 2, 1, |secret, streams| all_shares(&scheme, 0, secret, streams)));
}

#[test]
fn planted_leaks_are_caught() {
    let shamir = Scheme::shamir(4, 2).unwrap();
    let additive = Scheme::additive(3).unwrap();
    // One stream for two helpers.
    let reused = |scheme: Scheme, n| {
        hides::<3>(n, 2, 1, move |secret, r: &[Tiny<3>]| all_shares(&scheme, 1, secret, &[r[0], r[0]]))
    };
    assert!(!reused(shamir, 4));
    assert!(!reused(additive, 3));
    // A polynomial of lower degree than promised.
    let lower = Scheme::shamir(4, 1).unwrap();
    assert!(!hides::<3>(4, 2, 1, |secret, streams| all_shares(&lower, 0, secret, streams)));
    // Two shares that differ by the secret.
    let tied = |secret, r: &[Tiny<3>]| {
        let mut shares = all_shares(&shamir, 0, secret, r);
        shares[3] = shares[0] + secret;
        shares
    };
    assert!(!hides::<3>(4, 2, 2, tied));
    // Masks that are never zero.
    let nonzero = |secret, r: &[Tiny<3>]| {
        let r = if r[0] == Tiny::ZERO { Tiny::ONE } else { r[0] };
        vec![r, secret - r]
    };
    assert!(!hides::<3>(2, 1, 1, nonzero));
}

const STUDY: Digest = Digest([3; 32]);

fn data_of(dealing: &Dealing, helper: HelperNumber) -> Option<Vec<F61>> {
    match &dealing.pieces[usize::from(helper) - 1].piece {
        Piece::Seed(_) => None,
        Piece::Data(data) => Some(quorate_field::read_slice(data).unwrap()),
    }
}

/// What a helper that holds data pieces of two contributions would compute for their difference, if both had been
/// split with the same seeds.
fn guess_difference(scheme: &Scheme, old: &Dealing, new: &Dealing, helper: HelperNumber) -> Option<F61> {
    let (old_share, new_share) = (data_of(old, helper)?, data_of(new, helper)?);
    let completion = Completion::<F61>::new(scheme, old.rot);
    let output =
        (scheme.threshold()..scheme.helpers()).position(|k| scheme.helper_at(old.rot, k) == helper)?;
    let weight = completion.coefficients[output * completion.inputs];
    Some((new_share[0] - old_share[0]) * weight.inverse()?)
}

/// PROTOCOLS: "a changed value shares nothing with the old one (keep a mutant that drops the hash)".
#[test]
fn without_the_hash_of_the_block_a_changed_value_gives_the_difference_away() {
    let scheme = Scheme::shamir(4, 1).unwrap();
    let secret = ContributorSecret::from_bytes([9; 32]);
    let (old, new) = ([F61::from_u64(52_000)], [F61::from_u64(61_500)]);
    let helpers = || scheme.numbers();

    // The mutant: the key does not depend on the block.
    let mutant = |block: &[F61]| {
        deal(&scheme, &STUDY, &Derivation::new(&scheme, &STUDY, &secret, 0, &Digest([0; 32])), 1, block)
    };
    let (first, second) = (mutant(&old), mutant(&new));
    let leaks = helpers().filter_map(|j| guess_difference(&scheme, &first, &second, j));
    assert_eq!(leaks.collect::<Vec<_>>(), [F61::from_u64(9_500); 3]);

    // The real thing, at many positions: neither differences nor seeds agree.
    for position in 0..200 {
        let real = |block: &[F61]| split(&scheme, &STUDY, &secret, position, 1, block);
        let (first, second) = (real(&old), real(&new));
        let mut leaks = helpers().filter_map(|j| guess_difference(&scheme, &first, &second, j));
        assert!(leaks.all(|difference| difference != F61::from_u64(9_500)));
        assert!(first.pieces.iter().zip(&second.pieces).all(|(a, b)| a.salt != b.salt));
    }
}
