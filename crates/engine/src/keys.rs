//! The keys of a session: for every set A of `t` helpers, one that everybody outside A holds and nobody inside it
//! knows; for every pair of members, one that the two hold.
//!
//! After Cramer, Damgård, Ishai, "Share conversion, pseudorandom secret-sharing and applications to secure
//! computation", TCC 2005. Differs from the paper's trusted set-up: every holder contributes 32 fresh bytes to every
//! key, so one honest holder makes it random, and holders compare fingerprints bound to the session. Two rounds,
//! C(n-2, t) + 1 contributions of 32 bytes from each member to each other one: the last is for the key of the pair.
//! Keys live in memory only and for one session.
//!
//! Where only some of the helpers are members, the sets still range over all `n`; the holders of a key are the
//! members outside the set, of whom there is always an honest one (members >= 2t+1).

use std::collections::BTreeMap;

use quorate_hash::{Digest, Tagged};
use quorate_sharing::prss::{
    HelperSet, PairKeys, SessionKeys, SetKeys, combine_pair_key, combine_set_key, pair_key_fingerprint,
    set_key_fingerprint,
};
use quorate_sharing::{HelperNumber, Scheme, Seed};
use rand_core::CryptoRng;
use zeroize::Zeroize;

use crate::EngineError;

/// This helper's part of the making of keys.
pub struct KeyAgreement {
    scheme: Scheme,
    me: HelperNumber,
    federation: Digest,
    members: Vec<HelperNumber>,
    /// The sets without this helper, in canonical order, each with this helper's own contribution.
    own: Vec<(HelperSet, Seed)>,
    /// The other members, each with this helper's contribution to the key of the pair.
    pairs: Vec<(HelperNumber, Seed)>,
}

/// Keys that the other holders have not confirmed yet.
pub struct UnconfirmedKeys {
    me: HelperNumber,
    federation: Digest,
    keys: SetKeys,
    pairs: PairKeys,
}

impl KeyAgreement {
    /// Draws this helper's contributions. `None` where the scheme has no pseudo-random sharing.
    pub fn new(
        scheme: &Scheme,
        me: HelperNumber,
        members: &[HelperNumber],
        federation: &Digest,
        rng: &mut dyn CryptoRng,
    ) -> Option<Self> {
        let sets = SetKeys::sets(scheme, me).ok()?;
        let mut draw = || {
            let mut bytes = [0; 32];
            rng.fill_bytes(&mut bytes);
            let seed = Seed::from_bytes(bytes);
            bytes.zeroize();
            seed
        };
        let own = sets.into_iter().map(|set| (set, draw())).collect();
        let others = members.iter().filter(|member| **member != me);
        let pairs = others.map(|other| (*other, draw())).collect();
        Some(KeyAgreement {
            scheme: *scheme,
            me,
            federation: *federation,
            members: members.to_vec(),
            own,
            pairs,
        })
    }

    /// What `to` is sent: this helper's contribution for each set that has neither of the two, in canonical order,
    /// then its contribution to the key of the pair.
    pub fn offer(&self, to: HelperNumber) -> Vec<[u8; 32]> {
        let pair = self.pairs.iter().filter(|(other, _)| *other == to);
        let sets = self.shared_with(to).map(|(_, seed)| seed);
        sets.chain(pair.map(|(_, seed)| seed)).map(|seed| *seed.expose()).collect()
    }

    /// Combines all members' contributions. `offers` has one entry for each other member.
    pub fn combine(
        self,
        offers: &BTreeMap<HelperNumber, Vec<[u8; 32]>>,
    ) -> Result<UnconfirmedKeys, EngineError> {
        let mut received: BTreeMap<(HelperSet, HelperNumber), Seed> = BTreeMap::new();
        let mut pairs = Vec::with_capacity(self.pairs.len());
        for (from, own) in &self.pairs {
            let from = *from;
            let offer = offers.get(&from).map(Vec::as_slice).unwrap_or_default();
            let sets: Vec<HelperSet> = self.shared_with(from).map(|(set, _)| *set).collect();
            let Some((pair, offer)) = offer.split_last().filter(|(_, offer)| offer.len() == sets.len())
            else {
                let reason = format!("{} contributions instead of {}", offer.len(), sets.len() + 1);
                return Err(EngineError::Malformed { from, what: "key contributions", reason });
            };
            let theirs = Seed::from_bytes(*pair);
            pairs.push((from, combine_pair_key(&self.federation, (self.me, own), (from, &theirs))));
            received.extend(
                sets.into_iter().zip(offer).map(|(set, bytes)| ((set, from), Seed::from_bytes(*bytes))),
            );
        }
        let combine = |(set, own): &(HelperSet, Seed)| {
            let holders = self.members.iter().filter(|member| !set.contains(**member));
            let contribution = |member: &HelperNumber| match received.get(&(*set, *member)) {
                Some(seed) => (*member, seed),
                None => (*member, own),
            };
            let contributions: Vec<(HelperNumber, &Seed)> = holders.map(contribution).collect();
            (*set, combine_set_key(&self.federation, *set, &contributions))
        };
        let keys = self.own.iter().map(combine).collect();
        let keys = SetKeys::new(self.scheme, self.me, keys)
            .map_err(|error| unreachable_without_bug(self.me, &error.to_string()))?;
        let pairs = PairKeys::new(self.me, pairs);
        Ok(UnconfirmedKeys { me: self.me, federation: self.federation, keys, pairs })
    }

    fn shared_with(&self, other: HelperNumber) -> impl Iterator<Item = &(HelperSet, Seed)> {
        self.own.iter().filter(move |(set, _)| !set.contains(other))
    }
}

impl UnconfirmedKeys {
    /// What `to` is sent: a fingerprint of each key that both hold, bound to the session: of the sets in canonical
    /// order, then of the pair.
    pub fn fingerprints(&self, to: HelperNumber, session: &Digest) -> Vec<Digest> {
        let sets = self.shared_with(to).map(|(set, key)| set_key_fingerprint(&self.federation, set, key));
        let pair = self.pairs.with(to).map(|key| pair_key_fingerprint(&self.federation, key));
        sets.chain(pair).map(|fingerprint| confirmation(session, &fingerprint)).collect()
    }

    /// Compares with what the other members sent and binds the keys to the session.
    pub fn confirm(
        self,
        session: &Digest,
        fingerprints: &BTreeMap<HelperNumber, Vec<Digest>>,
    ) -> Result<SessionKeys, EngineError> {
        for (&from, theirs) in fingerprints {
            let ours = self.fingerprints(from, session);
            if ours.len() != theirs.len() {
                let reason = format!("{} fingerprints instead of {}", theirs.len(), ours.len());
                return Err(EngineError::Malformed { from, what: "key fingerprints", reason });
            }
            let sets = self.shared_with(from).map(|(set, _)| set);
            if let Some((set, _)) = sets.zip(ours.iter().zip(theirs)).find(|(_, (a, b))| a != b) {
                return Err(EngineError::Key { first: self.me, second: from, set });
            }
            if ours.last() != theirs.last() {
                let reason = "the two do not hold the same key of their pair".to_owned();
                return Err(EngineError::Malformed { from, what: "a fingerprint of the pair's key", reason });
            }
        }
        Ok(self.keys.bind_with_pairs(&self.pairs, session))
    }

    fn shared_with(&self, other: HelperNumber) -> impl Iterator<Item = (HelperSet, &Seed)> {
        self.keys.iter().filter(move |(set, _)| !set.contains(other))
    }
}

/// The fingerprint is of a fresh 256-bit key under a one-way hash, so it tells nothing about the key; with the
/// session in it, nothing about other sessions.
fn confirmation(session: &Digest, fingerprint: &Digest) -> Digest {
    Tagged::new("quorate/1/key-confirmation").digest(session).digest(fingerprint).finish()
}

fn unreachable_without_bug(me: HelperNumber, reason: &str) -> EngineError {
    EngineError::Malformed { from: me, what: "its own set keys", reason: reason.to_owned() }
}

impl std::fmt::Debug for KeyAgreement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeyAgreement(helper {}, {} sets)", self.me, self.own.len())
    }
}

impl std::fmt::Debug for UnconfirmedKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "UnconfirmedKeys(helper {})", self.me)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng;

    use super::*;

    type Offers = BTreeMap<HelperNumber, BTreeMap<HelperNumber, Vec<[u8; 32]>>>;

    fn agreements(scheme: &Scheme, members: &[u8]) -> Vec<KeyAgreement> {
        let start = |&me: &u8| {
            let mut rng = ChaCha20Rng::from_seed([me; 32]);
            KeyAgreement::new(scheme, me, members, &Digest([9; 32]), &mut rng).unwrap()
        };
        members.iter().map(start).collect()
    }

    fn offers(agreements: &[KeyAgreement]) -> Offers {
        let to = |to: &KeyAgreement| {
            let from = agreements.iter().filter(|from| from.me != to.me);
            (to.me, from.map(|from| (from.me, from.offer(to.me))).collect())
        };
        agreements.iter().map(to).collect()
    }

    fn confirm(keys: Vec<UnconfirmedKeys>, session: &Digest) -> Vec<Result<SessionKeys, EngineError>> {
        let heard = |to: &UnconfirmedKeys| {
            let from = keys.iter().filter(|from| from.me != to.me);
            from.map(|from| (from.me, from.fingerprints(to.me, session))).collect::<BTreeMap<_, _>>()
        };
        let heard: Vec<_> = keys.iter().map(heard).collect();
        keys.into_iter().zip(heard).map(|(keys, heard)| keys.confirm(session, &heard)).collect()
    }

    /// All members' confirmed keys, made in one process.
    pub(crate) fn session_keys(scheme: &Scheme, members: &[u8], session: &Digest) -> Vec<SessionKeys> {
        let agreements = agreements(scheme, members);
        let offers = offers(&agreements);
        let keys = agreements
            .into_iter()
            .map(|a| {
                let o = &offers[&a.me];
                a.combine(o).unwrap()
            })
            .collect();
        confirm(keys, session).into_iter().map(Result::unwrap).collect()
    }

    #[test]
    fn holders_agree_with_all_members_and_with_one_away() {
        for (n, t, members) in [(3, 1, vec![1, 2, 3]), (4, 1, vec![1, 3, 4]), (6, 2, vec![1, 2, 4, 5, 6])] {
            let scheme = Scheme::shamir(n, t).unwrap();
            assert_eq!(session_keys(&scheme, &members, &Digest([1; 32])).len(), members.len());
        }
    }

    #[test]
    fn a_member_that_tells_two_holders_different_things_is_found_out() {
        let scheme = Scheme::shamir(4, 1).unwrap();
        let members = [1, 2, 3, 4];
        let agreements = agreements(&scheme, &members);
        let mut offers = offers(&agreements);
        offers.get_mut(&2).unwrap().get_mut(&1).unwrap()[0][5] ^= 1;
        let keys = agreements
            .into_iter()
            .map(|a| {
                let o = &offers[&a.me];
                a.combine(o).unwrap()
            })
            .collect();
        let results = confirm(keys, &Digest([1; 32]));
        assert!(matches!(results[1], Err(EngineError::Key { first: 2, .. })));
    }

    #[test]
    fn both_of_a_pair_hold_its_key_and_nobody_else() {
        use quorate_field::F61;
        use quorate_sharing::prss::{Draw, Purpose};
        let scheme = Scheme::shamir(4, 1).unwrap();
        let keys = session_keys(&scheme, &[1, 3, 4], &Digest([1; 32]));
        let first = |holder: usize, other, dealer, recipient| {
            let purpose = Purpose::Reshare { dealer, recipient };
            let mut out = [F61::default()];
            keys[holder].pair_stream(other, &Draw { purpose, instruction: 0, sub: 0 }).fill(0, &mut out);
            out[0]
        };
        assert_eq!(first(0, 3, 1, 3), first(1, 1, 1, 3));
        assert_ne!(first(0, 3, 1, 3), first(0, 3, 3, 1), "each direction has its own stream");
        assert_ne!(first(0, 3, 1, 3), first(0, 4, 1, 3), "each pair has its own key");
    }

    #[test]
    fn a_wrong_contribution_to_a_pair_is_found_out() {
        let scheme = Scheme::shamir(3, 1).unwrap();
        let agreements = agreements(&scheme, &[1, 2, 3]);
        let mut offers = offers(&agreements);
        offers.get_mut(&1).unwrap().get_mut(&2).unwrap().last_mut().unwrap()[0] ^= 1;
        let keys = agreements.into_iter().map(|a| {
            let o = &offers[&a.me];
            a.combine(o).unwrap()
        });
        let results = confirm(keys.collect(), &Digest([1; 32]));
        assert!(matches!(results[0], Err(EngineError::Malformed { from: 2, .. })));
        assert!(matches!(results[1], Err(EngineError::Malformed { from: 1, .. })));
        assert!(results[2].is_ok());
    }

    #[test]
    fn offers_of_the_wrong_length_are_refused() {
        let scheme = Scheme::shamir(3, 1).unwrap();
        let agreements = agreements(&scheme, &[1, 2, 3]);
        let mut offers = offers(&agreements);
        offers.get_mut(&1).unwrap().get_mut(&2).unwrap().pop();
        let first = agreements.into_iter().next().unwrap();
        assert!(matches!(first.combine(&offers[&1]), Err(EngineError::Malformed { from: 2, .. })));
    }

    #[test]
    fn without_enough_helpers_there_are_no_set_keys() {
        let mut rng = ChaCha20Rng::from_seed([0; 32]);
        for scheme in
            [Scheme::additive(3).unwrap(), Scheme::shamir(31, 10).unwrap(), Scheme::shamir(3, 2).unwrap()]
        {
            let members: Vec<u8> = scheme.numbers().collect();
            assert!(KeyAgreement::new(&scheme, 1, &members, &Digest([9; 32]), &mut rng).is_none());
        }
    }
}
