//! Pseudo-random sharing with real keys: agreement of helpers, and draws that share nothing.

use quorate_field::{F61, F127, Field};
use quorate_hash::Digest;
use quorate_sharing::prss::{
    Draw, HelperSet, Purpose, SessionKeys, SetKeys, SetKeysError, combine_set_key, set_key_fingerprint,
};
use quorate_sharing::{Scheme, Seed, is_degree_at_most, recombine};

const FEDERATION: Digest = Digest([8; 32]);
const DRAW: Draw = Draw { purpose: Purpose::Random, instruction: 3, sub: 0 };

/// The key of a set, from a contribution of each holder.
fn key_of(scheme: &Scheme, set: HelperSet) -> Seed {
    let holders: Vec<u8> = scheme.numbers().filter(|&j| !set.contains(j)).collect();
    let seeds: Vec<Seed> = holders.iter().map(|j| Seed::from_bytes([*j ^ set.mask() as u8; 32])).collect();
    combine_set_key(&FEDERATION, set, &holders.into_iter().zip(&seeds).collect::<Vec<_>>())
}

fn keys(scheme: &Scheme, helper: u8) -> SetKeys {
    let sets = SetKeys::sets(scheme, helper).unwrap();
    let keys = sets.into_iter().rev().map(|set| (set, key_of(scheme, set))).collect();
    SetKeys::new(*scheme, helper, keys).unwrap()
}

fn session(scheme: &Scheme, session: u8) -> Vec<SessionKeys> {
    scheme.numbers().map(|helper| keys(scheme, helper).bind(&Digest([session; 32]))).collect()
}

fn degree_and_agreement<F: Field>(n: u8, t: u8) {
    let scheme = Scheme::shamir(n, t).unwrap();
    let shares: Vec<_> =
        session(&scheme, 1).iter().map(|keys| keys.random_shares::<F>(&DRAW, 5..25)).collect();
    let points: Vec<(u8, &[F])> = (1..).zip(shares.iter().map(|shares| shares.as_slice())).collect();
    assert!(is_degree_at_most(t.into(), &points));
    assert!(!is_degree_at_most(usize::from(t) - 1, &points));
    // Any t + 1 of them give the same values.
    let all = recombine(&scheme, &points).unwrap().values;
    assert_eq!(recombine(&scheme, &points[..scheme.needed()]).unwrap().values, all);
    assert_eq!(recombine(&scheme, &points[points.len() - scheme.needed()..]).unwrap().values, all);
}

#[test]
fn shares_have_degree_t() {
    for (n, t) in [(3, 1), (4, 1), (5, 2), (7, 3), (9, 4)] {
        degree_and_agreement::<F61>(n, t);
        degree_and_agreement::<F127>(n, t);
    }
}

#[test]
fn the_place_in_the_stream_depends_on_the_row_alone() {
    let scheme = Scheme::shamir(4, 1).unwrap();
    let keys = &session(&scheme, 1)[0];
    let all = keys.random_shares::<F61>(&DRAW, 0..1000);
    for rows in [0..1, 7..8, 100..900, 999..1000, 500..500] {
        let part = keys.random_shares::<F61>(&DRAW, rows.clone());
        assert_eq!(part.as_slice(), &all.as_slice()[rows.start as usize..rows.end as usize]);
    }
}

#[test]
fn nothing_is_drawn_twice() {
    let scheme = Scheme::shamir(4, 1).unwrap();
    let draws = [
        DRAW,
        Draw { instruction: 4, ..DRAW },
        Draw { sub: 1, ..DRAW },
        Draw { purpose: Purpose::Coin, ..DRAW },
        Draw { purpose: Purpose::DegreeMask, ..DRAW },
        Draw { purpose: Purpose::And { dealer: 1 }, ..DRAW },
        Draw { purpose: Purpose::And { dealer: 2 }, ..DRAW },
        Draw { purpose: Purpose::Reshare { dealer: 1, recipient: 2 }, ..DRAW },
        Draw { purpose: Purpose::Reshare { dealer: 2, recipient: 1 }, ..DRAW },
        Draw { purpose: Purpose::Reshare { dealer: 1, recipient: 0 }, ..DRAW },
    ];
    let mut seen = std::collections::HashSet::new();
    let mut values = 0;
    for number in [1, 2] {
        for keys in session(&scheme, number) {
            for draw in &draws {
                let shares = keys.random_shares::<F61>(draw, 0..50);
                let mut fresh = shares.as_slice().iter().map(|share| share.to_integer().to_string());
                assert!(fresh.all(|share| seen.insert(share)), "session {number}, {draw:?}");
                values += 50;
            }
        }
    }
    assert_eq!(seen.len(), values);
    assert_eq!(draws.iter().map(Draw::encode).collect::<std::collections::HashSet<_>>().len(), draws.len());
}

#[test]
fn keys_of_the_wrong_sets_are_refused() {
    let scheme = Scheme::shamir(4, 1).unwrap();
    let set = |helper: u8| HelperSet::of(&[helper]);
    let build = |sets: &[HelperSet]| {
        let keys = sets.iter().map(|set| (*set, key_of(&scheme, *set))).collect();
        SetKeys::new(scheme, 2, keys).map(|_| ()).unwrap_err()
    };
    assert_eq!(build(&[set(1), set(3)]), SetKeysError::Missing { helper: 2, set: set(4) });
    assert_eq!(build(&[set(1), set(3), set(4), set(3)]), SetKeysError::Missing { helper: 2, set: set(3) });
    assert_eq!(build(&[set(1), set(2)]), SetKeysError::Foreign { helper: 2, set: set(2) });
    assert_eq!(build(&[set(5)]), SetKeysError::Foreign { helper: 2, set: set(5) });
    assert_eq!(SetKeys::sets(&scheme, 5), Err(SetKeysError::Helper { helper: 5, helpers: 4 }));
    let scheme = Scheme::shamir(31, 10).unwrap();
    assert_eq!(SetKeys::sets(&scheme, 1), Err(SetKeysError::NoPrss { scheme }));
}

/// The fingerprint of the key of {3} that these holders' contributions make.
fn fingerprint_of(contributions: &[(u8, u8)]) -> Digest {
    let set = HelperSet::of(&[3]);
    let seeds: Vec<Seed> = contributions.iter().map(|(_, byte)| Seed::from_bytes([*byte; 32])).collect();
    let numbers = contributions.iter().map(|(helper, _)| *helper);
    let key = combine_set_key(&FEDERATION, set, &numbers.zip(&seeds).collect::<Vec<_>>());
    set_key_fingerprint(&FEDERATION, set, &key)
}

#[test]
fn holders_agree_on_a_key_exactly_if_all_contributions_agree() {
    let all = [(1, 1), (2, 2), (4, 3)];
    assert_eq!(fingerprint_of(&all), fingerprint_of(&all));
    let others: [&[(u8, u8)]; 6] = [
        &[(1, 0), (2, 2), (4, 3)],
        &[(1, 1), (2, 0), (4, 3)],
        &[(1, 1), (2, 2), (4, 0)],
        &[(1, 2), (2, 1), (4, 3)],
        // A helper that is away does not contribute; who did is part of the key.
        &[(1, 1), (2, 2)],
        &[(1, 1), (4, 2)],
    ];
    let mut seen = std::collections::HashSet::from([fingerprint_of(&all)]);
    assert!(others.iter().all(|contributions| seen.insert(fingerprint_of(contributions))));
}

#[test]
#[should_panic(expected = "only holders")]
fn a_member_of_the_set_must_not_know_its_key() {
    fingerprint_of(&[(1, 1), (3, 2)]);
}

#[test]
#[should_panic(expected = "in order")]
fn one_contribution_a_holder() {
    fingerprint_of(&[(1, 1), (1, 2)]);
}
