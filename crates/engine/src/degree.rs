//! The degree check: is a contribution one polynomial of degree `t` at all members?
//!
//! `docs/protocols.md`, section 3, step 2. For every contribution, `v = sum_i rho_i [x_i] + [mask]_t` over all its
//! cells is opened to and from all members, and must be of degree at most `t`. The rho_i are independent
//! coefficients of a coin tossed after the set was agreed on, so a contribution that is off in any cell passes with
//! probability 1/p; never powers of one element, whose error would grow with the block. The mask, a fresh
//! pseudo-random sharing, hides the value of v. Who is to blame for a contribution that fails is not known: its
//! contributor or a helper; so it is left out and nobody is named.
//!
//! Cost: one round, one element per contribution from each member to each other one.

use std::collections::BTreeMap;
use std::ops::Range;

use quorate_field::{Field, read_slice};
use quorate_sharing::prss::{Draw, Purpose, SessionKeys};
use quorate_sharing::{HelperNumber, Shares, is_degree_at_most};

use crate::EngineError;

/// This member's masks `[r]_t` for the contributions `range` of the agreed order.
pub fn masks<F: Field>(keys: &SessionKeys, range: Range<u64>) -> Shares<F> {
    keys.random_shares(&Draw { purpose: Purpose::DegreeMask, instruction: 0, sub: 0 }, range)
}

/// This member's share of v for one contribution: `block` are its shares of all cells, `rho` at least as many
/// coefficients.
pub fn combine<F: Field>(rho: &[F], block: &[F], mask: F) -> F {
    F::dot(&rho[..block.len()], block) + mask
}

/// Which contributions pass: `opened` has every member's shares of v, this one's included, `count` each.
pub fn verdicts<F: Field>(
    threshold: u8,
    count: usize,
    opened: &BTreeMap<HelperNumber, Vec<u8>>,
) -> Result<Vec<bool>, EngineError> {
    let read = |(&from, bytes): (&HelperNumber, &Vec<u8>)| match read_slice::<F>(bytes) {
        Ok(elements) if elements.len() == count => Ok((from, elements)),
        Ok(elements) => {
            let reason = format!("{} elements instead of {count}", elements.len());
            Err(EngineError::Malformed { from, what: "degree check shares", reason })
        }
        Err(error) => {
            Err(EngineError::Malformed { from, what: "degree check shares", reason: error.to_string() })
        }
    };
    let members: Vec<(HelperNumber, Vec<F>)> = opened.iter().map(read).collect::<Result<_, _>>()?;
    let word = |i: usize| members.iter().map(move |(from, shares)| (*from, &shares[i..=i]));
    let whole: Vec<(HelperNumber, &[F])> = members.iter().map(|(from, s)| (*from, s.as_slice())).collect();
    if is_degree_at_most(threshold.into(), &whole) {
        return Ok(vec![true; count]);
    }
    Ok((0..count).map(|i| is_degree_at_most(threshold.into(), &word(i).collect::<Vec<_>>())).collect())
}

#[cfg(test)]
mod tests {
    use quorate_field::{F61, tiny::F31, write_slice};
    use quorate_hash::Digest;
    use quorate_sharing::{ContributorSecret, Scheme, expand, split};

    use super::*;
    use crate::coin::{coin_shares, open_coin};
    use crate::keys::tests::session_keys;

    const SESSION: Digest = Digest([1; 32]);

    /// Each member's shares of three contributions of two rows and two columns.
    fn shared<F: Field>(scheme: &Scheme, spoil: impl Fn(usize, u8, &mut [F])) -> Vec<Vec<Shares<F>>> {
        let block: Vec<F> = (1..=4).map(F::from_u64).collect();
        let split_one = |i: usize| {
            let secret = ContributorSecret::from_bytes([7; 32]);
            let dealing = split(scheme, &Digest([2; 32]), &secret, i as u64, 2, &block);
            let open = |dealt: &quorate_sharing::DealtPiece| {
                let mut shares = match &dealt.piece {
                    quorate_sharing::Piece::Seed(seed) => expand(seed, 4),
                    quorate_sharing::Piece::Data(data) => Shares::from_vec(read_slice(data).unwrap()),
                };
                spoil(i, dealt.helper, shares.as_mut_slice());
                shares
            };
            dealing.pieces.iter().map(open).collect()
        };
        (0..3).map(split_one).collect()
    }

    fn check<F: Field>(n: u8, t: u8, members: &[u8], spoil: impl Fn(usize, u8, &mut [F])) -> Vec<bool> {
        let scheme = Scheme::shamir(n, t).unwrap();
        let blocks = shared(&scheme, spoil);
        let keys = session_keys(&scheme, members, &SESSION);
        let shares = members.iter().zip(&keys).map(|(m, keys)| (*m, coin_shares(keys, 0))).collect();
        let coin = open_coin(t, &SESSION, &shares).unwrap();
        let mut rho = vec![F::ZERO; 4];
        coin.coefficients(0, &mut rho);
        let opened = members.iter().zip(&keys).map(|(member, keys)| {
            let masks = masks::<F>(keys, 0..3);
            let of = |(i, helpers): (usize, &Vec<Shares<F>>)| {
                combine(&rho, helpers[usize::from(*member) - 1].as_slice(), masks.as_slice()[i])
            };
            (*member, write_slice(&blocks.iter().enumerate().map(of).collect::<Vec<F>>()))
        });
        verdicts::<F>(t, 3, &opened.collect()).unwrap()
    }

    #[test]
    fn honest_contributions_pass_with_every_set_of_members() {
        assert_eq!(check::<F61>(4, 1, &[1, 2, 3, 4], |_, _, _| ()), [true; 3]);
        assert_eq!(check::<F61>(4, 1, &[1, 3, 4], |_, _, _| ()), [true; 3]);
        assert_eq!(check::<F61>(5, 2, &[1, 2, 3, 4, 5], |_, _, _| ()), [true; 3]);
    }

    #[test]
    fn a_piece_that_does_not_fit_fails_alone() {
        let spoil = |i: usize, helper: u8, shares: &mut [F61]| {
            if i == 1 && helper == 3 {
                shares[2] += F61::ONE;
            }
        };
        assert_eq!(check(3, 1, &[1, 2, 3], spoil), [true, false, true]);
        assert_eq!(check(4, 1, &[1, 2, 3, 4], spoil), [true, false, true]);
        assert_eq!(
            check(4, 1, &[1, 2, 4], spoil),
            [true; 3],
            "helper 3 is not a member: its piece is not used"
        );
    }

    /// In a tiny field a bad contribution passes about once in p: the check tests something, and no more often.
    #[test]
    fn the_error_is_one_in_p() {
        let mut passed = 0;
        let runs = 3_100;
        for run in 0..runs {
            let mut rho = [F31::ZERO; 4];
            let coin = open_coin_of(run);
            coin.coefficients(0, &mut rho);
            // Shares at 1, 2, 3 of a degree-1 sharing of zero, off by one in one cell at helper 3.
            let error = [F31::ZERO, F31::ONE, F31::ZERO, F31::ZERO];
            let opened: BTreeMap<u8, Vec<u8>> =
                [(1, F31::ZERO), (2, F31::ZERO), (3, combine(&rho, &error, F31::ZERO))]
                    .into_iter()
                    .map(|(helper, v)| (helper, write_slice(&[v])))
                    .collect();
            passed += u32::from(verdicts::<F31>(1, 1, &opened).unwrap()[0]);
        }
        assert!((60..=140).contains(&passed), "{passed} of {runs}, expected about 100");
    }

    fn open_coin_of(run: u64) -> crate::coin::Coin {
        let shares = (1..=2).map(|h| (h, write_slice(&[quorate_field::F127::from_u64(run); 2]))).collect();
        open_coin(1, &SESSION, &shares).unwrap()
    }

    #[test]
    fn messages_of_the_wrong_size_are_the_senders_fault() {
        let opened = BTreeMap::from([(1, vec![0; 8]), (2, vec![0; 7]), (3, vec![0; 8])]);
        assert!(matches!(verdicts::<F61>(1, 1, &opened), Err(EngineError::Malformed { from: 2, .. })));
        let opened = BTreeMap::from([(1, vec![0; 8]), (2, vec![0xff; 8]), (3, vec![0; 8])]);
        assert!(matches!(verdicts::<F61>(1, 1, &opened), Err(EngineError::Malformed { from: 2, .. })));
    }
}
