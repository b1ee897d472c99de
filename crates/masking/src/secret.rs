//! Shares of 32-byte secrets: Shamir's sharing of five numbers of F61.
//!
//! A secret's bytes 0..7, 7..14, 14..21, 21..28 and 28..32, as little-endian numbers below 2^56, are each the value at 0 of
//! a random polynomial of degree `threshold - 1`; the share of the client at position `p` is their values at `p + 1`. Any
//! `threshold - 1` shares are independent of the secret.

use quorate_field::{F61, Field};
use quorate_sharing::{Seed, Stream, lagrange_at_zero_through};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::Position;
use crate::keys::fresh;

/// Numbers that a secret is.
const LIMBS: usize = 5;
/// Bytes of a secret in one number.
const LIMB_BYTES: usize = 7;

/// Bytes of one share.
pub const SHARE_BYTES: usize = 8 * LIMBS;

/// One share of one secret, as it travels. Wiped when dropped; not shown.
pub type Share = Zeroizing<[u8; SHARE_BYTES]>;

/// Shares a secret: the share of each of `holders`, any `threshold` of which recover it.
pub fn share(
    secret: &[u8; 32],
    threshold: u32,
    holders: &[Position],
    rng: &mut impl CryptoRng,
) -> Vec<Share> {
    let degree = threshold as usize - 1;
    // Coefficients of x^1 and up, the highest first, `degree` for each number.
    let mut coefficients = quorate_sharing::Shares::<F61>::zeros(degree * LIMBS);
    Stream::new(&Seed::from_bytes(*fresh(rng))).fill(0, coefficients.as_mut_slice());
    let limbs = Zeroizing::new(to_limbs(secret));
    let polynomials = || {
        limbs
            .iter()
            .enumerate()
            .map(|(limb, &value)| (value, &coefficients.as_slice()[limb * degree..][..degree]))
    };
    let value = |x: F61, (constant, higher): (F61, &[F61])| {
        higher.iter().fold(F61::ZERO, |value, &coefficient| (value + coefficient) * x) + constant
    };
    holders
        .iter()
        .map(|&holder| {
            let mut share = Share::new([0; SHARE_BYTES]);
            for (out, polynomial) in share.chunks_exact_mut(8).zip(polynomials()) {
                value(point(holder), polynomial).write(out);
            }
            share
        })
        .collect()
}

/// The weights by which the shares of these holders, as many as the threshold, recover a secret.
///
/// Panics if a holder is given twice.
pub fn weights(holders: &[Position]) -> Vec<F61> {
    lagrange_at_zero_through(holders.iter().map(|&holder| point(holder)).collect())
}

/// The secret, from one share for each weight. `None`: a share is no share, or they are not of one secret (which is not
/// noticed by all sets of wrong shares: compare with what is known of the secret).
pub fn recover(weights: &[F61], shares: &[&Share]) -> Option<Zeroizing<[u8; 32]>> {
    let mut limbs = Zeroizing::new([F61::ZERO; LIMBS]);
    for (&weight, share) in weights.iter().zip(shares) {
        for (limb, bytes) in limbs.iter_mut().zip(share.chunks_exact(8)) {
            *limb += weight * F61::read(bytes).ok()?;
        }
    }
    from_limbs(&limbs)
}

/// Where on the polynomials a holder's share is.
fn point(holder: Position) -> F61 {
    F61::new(u64::from(holder) + 1)
}

fn to_limbs(secret: &[u8; 32]) -> [F61; LIMBS] {
    let mut limbs = [F61::ZERO; LIMBS];
    for (limb, bytes) in limbs.iter_mut().zip(secret.chunks(LIMB_BYTES)) {
        *limb = F61::new(bytes.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte)));
    }
    limbs
}

fn from_limbs(limbs: &[F61; LIMBS]) -> Option<Zeroizing<[u8; 32]>> {
    let mut secret = Zeroizing::new([0; 32]);
    let mut beyond = 0;
    for (bytes, limb) in secret.chunks_mut(LIMB_BYTES).zip(limbs) {
        let number = Zeroizing::new(limb.to_u64().to_le_bytes());
        bytes.copy_from_slice(&number[..bytes.len()]);
        beyond |= number[bytes.len()..].iter().fold(0, |beyond, byte| beyond | byte);
    }
    (beyond == 0).then_some(secret)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng;

    use super::*;

    fn recovered(secret: [u8; 32], threshold: u32, holders: &[Position], used: &[usize]) -> Option<[u8; 32]> {
        let shares = share(&secret, threshold, holders, &mut ChaCha20Rng::from_seed([1; 32]));
        let of: Vec<Position> = used.iter().map(|&index| holders[index]).collect();
        let used: Vec<&Share> = used.iter().map(|&index| &shares[index]).collect();
        recover(&weights(&of), &used).map(|secret| *secret)
    }

    proptest! {
        #[test]
        fn any_threshold_shares_recover_any_secret(secret: [u8; 32], threshold in 1_u32..12, first in 0_u32..60_000) {
            let holders: Vec<Position> = (0..12).map(|index| first + 3 * index).collect();
            let used: Vec<usize> = (12 - threshold as usize..12).rev().collect();
            prop_assert_eq!(recovered(secret, threshold, &holders, &used), Some(secret));
        }
    }

    #[test]
    fn fewer_shares_or_an_altered_one_give_something_else() {
        let (secret, holders) = ([0xff; 32], [2, 3, 5, 8, 13]);
        assert_ne!(recovered(secret, 4, &holders, &[0, 2, 4]), Some(secret));
        let mut shares = share(&secret, 3, &holders, &mut ChaCha20Rng::from_seed([1; 32]));
        shares[1][9] ^= 1;
        let used: Vec<&Share> = shares[..3].iter().collect();
        assert!(recover(&weights(&holders[..3]), &used).is_none_or(|recovered| *recovered != secret));
        shares[1][8..16].fill(0xff);
        let used: Vec<&Share> = shares[..3].iter().collect();
        assert!(recover(&weights(&holders[..3]), &used).is_none(), "not a number of the field");
    }

    /// One share less than the threshold fits every secret: with degree 1, a share of one holder and a forged one of another
    /// can be made to give any secret, so the first says nothing. Here: each number of a share is uniform over polynomials.
    #[test]
    fn one_share_below_the_threshold_is_uniform() {
        let high = |secret: [u8; 32]| {
            let count = (0..2000_u32).filter(|&trial| {
                let mut seed = [0; 32];
                seed[..4].copy_from_slice(&trial.to_le_bytes());
                let shares = share(&secret, 2, &[0, 1], &mut ChaCha20Rng::from_seed(seed));
                shares[0][7] >> 4 & 1 == 1
            });
            count.count()
        };
        for secret in [[0; 32], [0xff; 32]] {
            assert!(high(secret).abs_diff(1000) < 160, "seven deviations");
        }
    }
}
