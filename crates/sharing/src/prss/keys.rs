//! The keys of pseudo-random secret sharing: of a federation, and of one session.
//!
//! ```text
//! k_A           = H("quorate/1/set-key"; federation, mask(A), [j_1 ‖ contribution_1, j_2 ‖ …])   32 bytes each
//! k_A,session   = HKDF-SHA256(ikm = k_A, salt = none, info = "quorate/1/session" ‖ session ‖ mask(A))
//! key of a draw = HKDF-Expand(prk = k_A,session, info = "quorate/1/draw" ‖ draw)
//! r_A of a row  = element `row` of that key's stream (`crate::stream`)
//! ```
//!
//! A row's place in the stream is a function of the row alone, so that rows can be computed in any order and block,
//! and no two helpers can disagree about it.

use std::fmt;
use std::ops::Range;

use hkdf::Hkdf;
use quorate_field::Field;
use quorate_hash::{Digest, Tagged};
use sha2::Sha256;

use super::{Draw, HelperSet};
use crate::lagrange::{invert_all, points_of};
use crate::{HelperNumber, Scheme, Seed, Shares, Stream};

/// Keys of the wrong sets, or none possible: this machine's key file, or the operator's choice of scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SetKeysError {
    /// The scheme has no pseudo-random sharing.
    #[error(
        "no pseudo-random sharing for {scheme}: it takes Shamir with at least 2t+1 helpers and at most 126 sets"
    )]
    NoPrss {
        /// The scheme.
        scheme: Scheme,
    },
    /// The helper is none of the scheme's.
    #[error("keys for helper {helper}, but the helpers are 1 to {helpers}")]
    Helper {
        /// The number.
        helper: HelperNumber,
        /// `n`.
        helpers: u8,
    },
    /// There must be one key for every set without the helper.
    #[error("helper {helper} needs the key of set {set} exactly once")]
    Missing {
        /// Whose keys they are.
        helper: HelperNumber,
        /// The first set whose key is not there, or there twice.
        set: HelperSet,
    },
    /// A key that the helper must not have, or of no set of this scheme.
    #[error("helper {helper} must not have a key of set {set}")]
    Foreign {
        /// Whose keys they are.
        helper: HelperNumber,
        /// The set.
        set: HelperSet,
    },
}

/// One helper's keys `k_A`, for every set `A` of `t` helpers without it. Secret: wiped on drop, does not print.
pub struct SetKeys {
    scheme: Scheme,
    helper: HelperNumber,
    /// In canonical order ([`HelperSet::all`]).
    keys: Vec<(HelperSet, Seed)>,
}

/// One helper's keys for one session. Secret: wiped on drop, does not print.
pub struct SessionKeys {
    scheme: Scheme,
    helper: HelperNumber,
    keys: Vec<(HelperSet, Seed)>,
}

impl SetKeys {
    /// The keys of `helper`: exactly one for every set of `t` helpers without it, in any order.
    pub fn new(
        scheme: Scheme,
        helper: HelperNumber,
        mut keys: Vec<(HelperSet, Seed)>,
    ) -> Result<Self, SetKeysError> {
        let sets = Self::sets(&scheme, helper)?;
        if let Some(&(set, _)) = keys.iter().find(|(set, _)| sets.binary_search(set).is_err()) {
            return Err(SetKeysError::Foreign { helper, set });
        }
        for &set in &sets {
            if keys.iter().filter(|(other, _)| *other == set).count() != 1 {
                return Err(SetKeysError::Missing { helper, set });
            }
        }
        keys.sort_unstable_by_key(|(set, _)| *set);
        Ok(SetKeys { scheme, helper, keys })
    }

    /// The sets of which `helper` must hold a key, in canonical order: C(n-1, t) of them.
    pub fn sets(scheme: &Scheme, helper: HelperNumber) -> Result<Vec<HelperSet>, SetKeysError> {
        if !scheme.has_prss() {
            return Err(SetKeysError::NoPrss { scheme: *scheme });
        }
        if !scheme.has_helper(helper) {
            return Err(SetKeysError::Helper { helper, helpers: scheme.helpers() });
        }
        Ok(HelperSet::all(scheme).into_iter().filter(|set| !set.contains(helper)).collect())
    }

    /// The keys, in canonical order of their sets: to store them.
    pub fn iter(&self) -> impl Iterator<Item = (HelperSet, &Seed)> {
        self.keys.iter().map(|(set, key)| (*set, key))
    }

    /// The keys of one session. `session` must never have been used before: it hashes fresh nonces of its members.
    pub fn bind(&self, session: &Digest) -> SessionKeys {
        let bind = |(set, key): &(HelperSet, Seed)| {
            let mut bound = [0; 32];
            let info: [&[u8]; 3] = [b"quorate/1/session", &session.0, &set.mask().to_le_bytes()];
            #[expect(
                clippy::expect_used,
                reason = "HKDF-SHA256 gives up to 8160 bytes, and 32 are asked for"
            )]
            Hkdf::<Sha256>::new(None, key.expose()).expand_multi_info(&info, &mut bound).expect("32 bytes");
            (*set, Seed::from_bytes(bound))
        };
        SessionKeys { scheme: self.scheme, helper: self.helper, keys: self.keys.iter().map(bind).collect() }
    }
}

impl SessionKeys {
    /// This helper's shares, of degree `t`, of one pseudo-random value for every row of `rows`.
    pub fn random_shares<F: Field>(&self, draw: &Draw, rows: Range<u64>) -> Shares<F> {
        let count = usize::try_from(rows.end.saturating_sub(rows.start));
        #[expect(clippy::expect_used, reason = "a vector of the rows would not fit the memory either")]
        let count = count.expect("rows fit the address space");
        let sets = self.keys.iter().map(|(set, _)| *set);
        let weights = set_weights(&self.scheme, self.helper, sets);
        let (mut sum, mut values) = (Shares::zeros(count), Shares::zeros(count));
        for ((_, key), weight) in self.keys.iter().zip(weights) {
            stream_of(key, draw).fill(rows.start, values.as_mut_slice());
            sum.add_scaled(weight, &values);
        }
        sum
    }
}

/// `f_A(j)` for these sets `A` and helper `j`.
pub(super) fn set_weights<F: Field>(
    scheme: &Scheme,
    helper: HelperNumber,
    sets: impl Iterator<Item = HelperSet>,
) -> Vec<F> {
    // f_A(x) = prod over i in A of (i - x) / i
    let numbers: Vec<HelperNumber> = scheme.numbers().collect();
    let mut inverses: Vec<F> = points_of(&numbers);
    invert_all(&mut inverses);
    let x = F::from_u64(helper.into());
    let factor = |i: HelperNumber| (F::from_u64(i.into()) - x) * inverses[usize::from(i) - 1];
    sets.map(|set| set.iter().map(factor).fold(F::ONE, |f, factor| f * factor)).collect()
}

/// The stream of one set's values for one draw.
fn stream_of(key: &Seed, draw: &Draw) -> Stream {
    let mut bytes = [0; 32];
    #[expect(clippy::expect_used, reason = "the key is one hash long, and one hash of output is asked for")]
    Hkdf::<Sha256>::from_prk(key.expose())
        .expect("a 32-byte key")
        .expand_multi_info(&[b"quorate/1/draw", &draw.encode()], &mut bytes)
        .expect("32 bytes of output");
    Stream::new(&Seed::from_bytes(bytes))
}

/// `k_A` from what every holder contributed to it, `(helper, 32 random bytes)`, ascending by helper: as random as the
/// best of the contributions. The contributors are the holders that take part: helpers outside `set`, in order; where
/// a helper is away, the others make the key. Panics on none, a member of the set, or another order.
pub fn combine_set_key(federation: &Digest, set: HelperSet, contributions: &[(HelperNumber, &Seed)]) -> Seed {
    assert!(!contributions.is_empty(), "a holder of {set} contributes");
    assert!(contributions.is_sorted_by(|(a, _), (b, _)| a < b), "contributions to {set} are in order");
    assert!(
        contributions.iter().all(|(helper, _)| !set.contains(*helper)),
        "only holders of {set} contribute"
    );
    let mut hash =
        Tagged::new("quorate/1/set-key").digest(federation).u64(set.mask()).u64(contributions.len() as u64);
    for (helper, contribution) in contributions {
        hash = hash.joined(&[*helper], contribution.expose());
    }
    Seed::from_bytes(hash.finish().0)
}

/// What the holders of `k_A` compare to see that they hold the same key. Public: the key is 256 random bits.
pub fn set_key_fingerprint(federation: &Digest, set: HelperSet, key: &Seed) -> Digest {
    Tagged::new("quorate/1/set-key-fingerprint")
        .digest(federation)
        .u64(set.mask())
        .bytes(key.expose())
        .finish()
}

impl fmt::Debug for SetKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SetKeys(helper {}, {} sets)", self.helper, self.keys.len())
    }
}

impl fmt::Debug for SessionKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionKeys(helper {}, {} sets)", self.helper, self.keys.len())
    }
}
