//! Keys of pairs: what exactly two helpers know.
//!
//! ```text
//! k_ij          = H("quorate/1/pair-key"; federation, [i ‖ contribution_i, j ‖ contribution_j])   i < j, 32 bytes each
//! k_ij,session  = HKDF-SHA256(ikm = k_ij, salt = none, info = "quorate/1/pair-session" ‖ session ‖ i ‖ j)
//! key of a draw = HKDF-Expand(prk = k_ij,session, info = "quorate/1/draw" ‖ draw)
//! ```
//!
//! The direction, who deals to whom, is part of the draw's purpose: from one key there are two streams for every use.

use std::fmt;

use quorate_hash::{Digest, Tagged};

use super::keys::bind_key;
use crate::{HelperNumber, Seed};

/// One helper's keys `k_ij`, one for each other member. Secret: wiped on drop, does not print.
pub struct PairKeys {
    helper: HelperNumber,
    /// By the other helper, ascending.
    keys: Vec<(HelperNumber, Seed)>,
}

impl PairKeys {
    /// The keys of `helper` with others, in any order. Panics if one is there twice, or the helper's own.
    pub fn new(helper: HelperNumber, mut keys: Vec<(HelperNumber, Seed)>) -> Self {
        keys.sort_unstable_by_key(|(other, _)| *other);
        assert!(keys.is_sorted_by(|(a, _), (b, _)| a < b), "one key a pair");
        assert!(keys.iter().all(|(other, _)| *other != helper), "a pair is two helpers");
        PairKeys { helper, keys }
    }

    /// The key with `other`, if there is one.
    pub fn with(&self, other: HelperNumber) -> Option<&Seed> {
        self.keys.iter().find(|(with, _)| *with == other).map(|(_, key)| key)
    }

    /// The keys of one session, ascending by the other helper.
    pub(super) fn bind(&self, session: &Digest) -> Vec<(HelperNumber, Seed)> {
        let bind = |(other, key): &(HelperNumber, Seed)| {
            let pair = [self.helper.min(*other), self.helper.max(*other)];
            (*other, bind_key(key, &[b"quorate/1/pair-session", &session.0, &pair]))
        };
        self.keys.iter().map(bind).collect()
    }
}

/// `k_ij` from what both contributed, `(helper, 32 random bytes)`, in any order: as random as the better of the two.
///
/// Panics if both are the same helper.
pub fn combine_pair_key(
    federation: &Digest,
    one: (HelperNumber, &Seed),
    other: (HelperNumber, &Seed),
) -> Seed {
    assert!(one.0 != other.0, "a pair is two helpers");
    let (low, high) = if one.0 < other.0 { (one, other) } else { (other, one) };
    let hash = Tagged::new("quorate/1/pair-key").digest(federation);
    let hash = hash.joined(&[low.0], low.1.expose()).joined(&[high.0], high.1.expose());
    Seed::from_bytes(hash.finish().0)
}

/// What the two compare to see that they hold the same key. Public: the key is 256 random bits.
pub fn pair_key_fingerprint(federation: &Digest, key: &Seed) -> Digest {
    Tagged::new("quorate/1/pair-key-fingerprint").digest(federation).bytes(key.expose()).finish()
}

impl fmt::Debug for PairKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PairKeys(helper {}, {} pairs)", self.helper, self.keys.len())
    }
}
