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
use zeroize::Zeroize as _;

use super::{Draw, DrawStream, HelperSet, PairKeys, Purpose};
use crate::lagrange::{invert_all, points_of};
use crate::{HelperNumber, Scheme, Seed, Shares};

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

/// One helper's keys for one session, of sets and of pairs. Secret: wiped on drop, does not print.
pub struct SessionKeys {
    scheme: Scheme,
    helper: HelperNumber,
    /// In canonical order.
    sets: Vec<(HelperSet, Seed)>,
    /// By the other helper, ascending.
    pairs: Vec<(HelperNumber, Seed)>,
    #[cfg(feature = "testing")]
    script: Option<std::sync::Arc<dyn super::Script>>,
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
            (*set, bind_key(key, &[b"quorate/1/session", &session.0, &set.mask().to_le_bytes()]))
        };
        let sets = self.keys.iter().map(bind).collect();
        SessionKeys {
            scheme: self.scheme,
            helper: self.helper,
            sets,
            pairs: Vec::new(),
            #[cfg(feature = "testing")]
            script: None,
        }
    }

    /// The keys of one session, of sets and of pairs.
    pub fn bind_with_pairs(&self, pairs: &PairKeys, session: &Digest) -> SessionKeys {
        SessionKeys { pairs: pairs.bind(session), ..self.bind(session) }
    }
}

impl SessionKeys {
    /// The sets whose keys this helper holds, in canonical order.
    pub fn sets(&self) -> impl Iterator<Item = HelperSet> {
        self.sets.iter().map(|(set, _)| *set)
    }

    /// The values `r_A` of one set for one draw.
    ///
    /// Panics if this helper is in the set, or the set is none of the scheme's.
    pub fn set_stream(&self, set: HelperSet, draw: &Draw) -> DrawStream {
        #[expect(clippy::expect_used, reason = "documented panic: which sets a helper holds is public")]
        let index =
            self.sets.binary_search_by_key(&set, |(set, _)| *set).expect("a key that the helper holds");
        self.stream_of_set(index, draw)
    }

    /// What this helper and `other` alone know, for one draw.
    ///
    /// Panics if the two have no common key: no pair keys were agreed on, or `other` is not a member.
    pub fn pair_stream(&self, other: HelperNumber, draw: &Draw) -> DrawStream {
        #[expect(clippy::expect_used, reason = "documented panic: who the members are is public")]
        let index = self.pairs.binary_search_by_key(&other, |(other, _)| *other).expect("a key of the pair");
        #[cfg(feature = "testing")]
        if let Some(script) = &self.script {
            let pair = super::KeyName::Pair(self.helper.min(other), self.helper.max(other));
            return DrawStream::scripted(script.clone(), pair, *draw);
        }
        DrawStream::new(&self.pairs[index].1, draw)
    }

    /// This helper's shares, of degree `t`, of one pseudo-random value for every row of `rows`.
    pub fn random_shares<F: Field>(&self, draw: &Draw, rows: Range<u64>) -> Shares<F> {
        let mut sum = Shares::zeros(count(&rows));
        let weights = set_weights(&self.scheme, self.helper, self.sets());
        for (index, weight) in weights.into_iter().enumerate() {
            self.stream_of_set(index, draw).add_scaled(rows.start, weight, sum.as_mut_slice());
        }
        sum
    }

    /// This helper's shares, of degree `2t`, of zero for every row of `rows`: uniform among all such sharings to any
    /// `t` helpers, which lack the `t` values of the set that they are.
    pub fn zero_shares<F: Field>(&self, instruction: u32, sub: u32, rows: Range<u64>) -> Shares<F> {
        let mut sum = Shares::zeros(count(&rows));
        let x = F::from_u64(self.helper.into());
        let weights: Vec<F> = set_weights(&self.scheme, self.helper, self.sets());
        for (index, weight) in weights.into_iter().enumerate() {
            let mut weight = weight;
            for power in 1..=self.scheme.threshold() {
                weight *= x;
                let draw = Draw { purpose: Purpose::Zero { power }, instruction, sub };
                self.stream_of_set(index, &draw).add_scaled(rows.start, weight, sum.as_mut_slice());
            }
        }
        sum
    }

    fn stream_of_set(&self, index: usize, draw: &Draw) -> DrawStream {
        let (_set, key) = &self.sets[index];
        #[cfg(feature = "testing")]
        if let Some(script) = &self.script {
            return DrawStream::scripted(script.clone(), super::KeyName::Set(*_set), *draw);
        }
        DrawStream::new(key, draw)
    }

    /// Keys whose every draw is what `script` says: to try all values of the randomness.
    ///
    /// Panics where the scheme has no pseudo-random sharing.
    #[cfg(feature = "testing")]
    pub fn scripted(scheme: Scheme, helper: HelperNumber, script: std::sync::Arc<dyn super::Script>) -> Self {
        let no_key = || Seed::from_bytes([0; 32]);
        #[expect(clippy::expect_used, reason = "for tests, which choose schemes that have it")]
        let sets = SetKeys::sets(&scheme, helper).expect("a scheme with pseudo-random sharing");
        let sets = sets.into_iter().map(|set| (set, no_key())).collect();
        let pairs =
            scheme.numbers().filter(|other| *other != helper).map(|other| (other, no_key())).collect();
        SessionKeys { scheme, helper, sets, pairs, script: Some(script) }
    }
}

/// `HKDF-SHA256(ikm = key, salt = none, info)`.
pub(super) fn bind_key(key: &Seed, info: &[&[u8]]) -> Seed {
    let mut bound = [0; 32];
    #[expect(clippy::expect_used, reason = "HKDF-SHA256 gives up to 8160 bytes, and 32 are asked for")]
    Hkdf::<Sha256>::new(None, key.expose()).expand_multi_info(info, &mut bound).expect("32 bytes");
    let key = Seed::from_bytes(bound);
    bound.zeroize();
    key
}

fn count(rows: &Range<u64>) -> usize {
    let count = usize::try_from(rows.end.saturating_sub(rows.start));
    #[expect(clippy::expect_used, reason = "a vector of the rows would not fit the memory either")]
    count.expect("rows fit the address space")
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
        write!(f, "SessionKeys(helper {}, {} sets, {} pairs)", self.helper, self.sets.len(), self.pairs.len())
    }
}
