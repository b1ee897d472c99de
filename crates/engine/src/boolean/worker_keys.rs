//! Keys of the workers: set keys and pair keys as if nobody but the `2t + 1` workers were in the session.
//!
//! A seal has more members than workers, and a member that does not work holds the key of every set of workers.
//! Together with a worker it would know all that another worker's results are masked with. So the workers make keys
//! that no such coalition knows, without a message: for a set B of `t` workers
//!
//! ```text
//! K_B = H(k_A for all t-sets A of helpers whose working part is inside B)
//! ```
//!
//! Every worker outside B is outside each such A and holds all the k_A. A coalition T of at most `t` helpers whose
//! working part is inside B lies in a `t`-set A of that kind, or is one, and lacks its k_A; any other coalition has
//! a worker outside B, which K_B is meant for.
//!
//! Keys are numbered by the workers' *places*, from 1, not by their numbers in the federation.

use quorate_hash::Tagged;
use quorate_sharing::prss::{Draw, HelperSet, PairKeys, Purpose, SessionKeys, SetKeys};
use quorate_sharing::{Scheme, SchemeKind, Seed};
use zeroize::Zeroize;

use super::layout::{Layout, Place};

/// Draws that make keys are of an instruction that no program has.
const KEYS: u32 = u32::MAX;

/// One worker's keys, from its keys of the session, of sets and of pairs.
pub(super) fn worker_keys(layout: &Layout, members: &SessionKeys) -> SessionKeys {
    let scheme = scheme(layout);
    let me = number(layout.place());
    let sets = layout.held().iter().map(|&set| {
        let places = (0..layout.places()).filter(|&place| layout.set_has(set, place)).map(number);
        (HelperSet::of(&places.collect::<Vec<_>>()), set_key(layout, members, layout.helpers_of(set)))
    });
    #[expect(clippy::expect_used, reason = "one key for each set that the layout says the worker holds")]
    let sets = SetKeys::new(scheme, me, sets.collect()).expect("keys of all its sets");
    let others = (0..layout.places()).filter(|place| *place != layout.place());
    let pairs = others.map(|place| (number(place), pair_key(layout, members, place))).collect();
    // The keys they are made from are the session's, so these are too.
    let workers = Tagged::new("quorate/1/workers").bytes(layout.workers()).finish();
    sets.bind_with_pairs(&PairKeys::new(me, pairs), &workers)
}

/// The workers as a federation of their own.
pub(super) fn scheme(layout: &Layout) -> Scheme {
    #[expect(clippy::expect_used, reason = "a layout has 2t + 1 places, 0 < t < 32")]
    Scheme::new(SchemeKind::Shamir, number(layout.places() - 1), number(layout.threshold() - 1))
        .expect("2t + 1 helpers for the threshold t")
}

/// A worker's number among the workers.
pub(super) fn number(place: Place) -> u8 {
    #[expect(clippy::cast_possible_truncation, reason = "fewer than 64 places")]
    let number = place as u8 + 1;
    number
}

fn set_key(layout: &Layout, members: &SessionKeys, workers: HelperSet) -> Seed {
    let working = HelperSet::of(layout.workers()).mask();
    let draw = Draw { purpose: Purpose::AndMask, instruction: KEYS, sub: 0 };
    let inside: Vec<HelperSet> =
        members.sets().filter(|set| set.mask() & working & !workers.mask() == 0).collect();
    let hash = Tagged::new("quorate/1/worker-set-key").bytes(layout.workers()).u64(workers.mask());
    let hash = inside.iter().fold(hash.u64(inside.len() as u64), |hash, &set| {
        let mut words = [0; 4];
        members.set_stream(set, &draw).fill_words(0, &mut words);
        let hash = words.iter().fold(hash.u64(set.mask()), |hash, word| hash.u64(*word));
        words.zeroize();
        hash
    });
    Seed::from_bytes(hash.finish().0)
}

fn pair_key(layout: &Layout, members: &SessionKeys, place: Place) -> Seed {
    let (me, other) = (layout.me(), layout.workers()[place]);
    let purpose = Purpose::PairZero { adds: me.min(other), subtracts: me.max(other) };
    let mut words = [0; 4];
    members.pair_stream(other, &Draw { purpose, instruction: KEYS, sub: 0 }).fill_words(0, &mut words);
    let hash = Tagged::new("quorate/1/worker-pair-key").bytes(layout.workers());
    let key = words.iter().fold(hash, |hash, word| hash.u64(*word)).finish();
    words.zeroize();
    Seed::from_bytes(key.0)
}
