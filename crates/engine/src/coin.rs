//! Coins: public randomness that nobody could foresee, from one opened pseudo-random value.
//!
//! The value is fixed by the set keys before anything is opened and unknown to any `t` helpers, so a helper that
//! sees the others' shares first can only spoil it, which shows: all members' shares must lie on one polynomial of
//! degree `t`. One round, 32 bytes to each member. Statistical distance from uniform below 2^-120.

use std::collections::BTreeMap;

use quorate_field::{F127, read_slice, write_slice};
use quorate_hash::{Digest, Tagged};
use quorate_sharing::prss::{Draw, Purpose, SessionKeys};
use quorate_sharing::{HelperNumber, Seed, Stream, is_degree_at_most, lagrange_at_zero};

use crate::EngineError;

/// Two elements of about 127 bits each.
const ELEMENTS: u64 = 2;

/// A public coin: expands to as many independent coefficients, and random bits, as are wanted.
#[derive(Debug)]
pub struct Coin {
    coefficients: Seed,
    words: Seed,
}

/// This member's shares of the coin's value, to be sent to every other member.
pub fn coin_shares(keys: &SessionKeys, step: u32) -> Vec<u8> {
    let draw = Draw { purpose: Purpose::Coin, instruction: step, sub: 0 };
    write_slice(keys.random_shares::<F127>(&draw, 0..ELEMENTS).as_slice())
}

/// The coin from all members' shares, this one's included.
pub fn open_coin(
    threshold: u8,
    session: &Digest,
    shares: &BTreeMap<HelperNumber, Vec<u8>>,
) -> Result<Coin, EngineError> {
    let read = |(&from, bytes): (&HelperNumber, &Vec<u8>)| match read_slice::<F127>(bytes) {
        Ok(elements) if elements.len() as u64 == ELEMENTS => Ok((from, elements)),
        _ => Err(EngineError::Malformed {
            from,
            what: "coin shares",
            reason: "not two elements of F127".into(),
        }),
    };
    let shares: Vec<(HelperNumber, Vec<F127>)> = shares.iter().map(read).collect::<Result<_, _>>()?;
    let points: Vec<(HelperNumber, &[F127])> = shares.iter().map(|(from, s)| (*from, s.as_slice())).collect();
    if !is_degree_at_most(threshold.into(), &points) {
        return Err(EngineError::Inconsistent { what: "coin" });
    }
    let base = &points[..=usize::from(threshold)];
    let numbers: Vec<HelperNumber> = base.iter().map(|(from, _)| *from).collect();
    let weights: Vec<F127> = lagrange_at_zero(&numbers);
    let value =
        |i: usize| base.iter().zip(&weights).map(|((_, shares), weight)| shares[i] * *weight).sum::<F127>();
    let opened = write_slice(&[value(0), value(1)]);
    let seed = |label| Seed::from_bytes(Tagged::new(label).digest(session).bytes(&opened).finish().0);
    Ok(Coin { coefficients: seed("quorate/1/coin"), words: seed("quorate/1/coin-words") })
}

impl Coin {
    /// Independent uniform coefficients `first..first + out.len()`.
    pub fn coefficients<F: quorate_field::Field>(&self, first: u64, out: &mut [F]) {
        Stream::new(&self.coefficients).fill(first, out);
    }

    /// Independent words of 64 random bits, `first..first + out.len()`.
    pub fn words(&self, first: u64, out: &mut [u64]) {
        Stream::new(&self.words).fill_words(first, out);
    }
}

#[cfg(test)]
mod tests {
    use quorate_sharing::Scheme;

    use super::*;
    use crate::keys::tests::session_keys;

    fn shares(n: u8, t: u8, members: &[u8]) -> BTreeMap<HelperNumber, Vec<u8>> {
        let keys = session_keys(&Scheme::shamir(n, t).unwrap(), members, &Digest([1; 32]));
        members.iter().zip(keys).map(|(member, keys)| (*member, coin_shares(&keys, 0))).collect()
    }

    fn first_coefficient(coin: &Coin) -> F127 {
        let mut out = [F127::default()];
        coin.coefficients(0, &mut out);
        out[0]
    }

    #[test]
    fn the_same_coin_whichever_members_are_there_and_another_in_another_session() {
        let all = shares(5, 1, &[1, 2, 3, 4, 5]);
        let coin = open_coin(1, &Digest([1; 32]), &all).unwrap();
        let some = all.into_iter().filter(|(from, _)| [2, 4, 5].contains(from)).collect();
        let same = open_coin(1, &Digest([1; 32]), &some).unwrap();
        assert_eq!(first_coefficient(&coin), first_coefficient(&same));
        let other = open_coin(1, &Digest([2; 32]), &some).unwrap();
        assert_ne!(first_coefficient(&coin), first_coefficient(&other));
    }

    #[test]
    fn a_wrong_share_spoils_it_and_shows() {
        let mut shares = shares(3, 1, &[1, 2, 3]);
        shares.get_mut(&3).unwrap()[0] ^= 1;
        let spoiled = open_coin(1, &Digest([1; 32]), &shares);
        assert_eq!(spoiled.unwrap_err(), EngineError::Inconsistent { what: "coin" });
        shares.get_mut(&2).unwrap().pop();
        assert!(matches!(
            open_coin(1, &Digest([1; 32]), &shares),
            Err(EngineError::Malformed { from: 2, .. })
        ));
    }
}
