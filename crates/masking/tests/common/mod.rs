//! Rounds to try things on.

use std::sync::Arc;

use quorate_federation::SecretKey;
use quorate_hash::Digest;
use quorate_masking::{Encoding, Position, Ring, Round, Terms, Variant};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

pub(crate) const LENGTH: u32 = 300;

pub(crate) fn rng(seed: u64) -> ChaCha20Rng {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    ChaCha20Rng::from_seed(bytes)
}

pub(crate) fn identity(client: Position) -> Arc<SecretKey> {
    Arc::new(SecretKey::generate(&mut rng(1_000_000 + u64::from(client))))
}

pub(crate) fn passive() -> Variant {
    Variant::Passive { seed: Digest([9; 32]) }
}

/// Terms of a round of so many clients, with as many survivors needed as the threshold allows.
pub(crate) fn terms(clients: Position, variant: Variant, neighbours: u32, threshold: u32) -> Terms {
    Terms {
        number: 1,
        server: identity(clients).public(),
        clients: (0..clients).map(|client| identity(client).public()).collect(),
        variant,
        neighbours,
        threshold,
        survivors_min: threshold + 1,
        encoding: Encoding {
            ring: Ring::Mod32,
            length: LENGTH,
            fraction_bits: 0,
            bound: 1000,
            weight_max: 0,
        },
        model: Digest([1; 32]),
    }
}

pub(crate) fn round(clients: Position, variant: Variant, neighbours: u32, threshold: u32) -> Arc<Round> {
    Arc::new(Round::new(terms(clients, variant, neighbours, threshold)).unwrap())
}

/// The vector of a client: no two clients' are alike, and no two of its numbers.
pub(crate) fn vector(client: Position) -> Vec<i64> {
    (0..i64::from(LENGTH)).map(|place| (place * 37 + i64::from(client) * 101) % 2001 - 1000).collect()
}

/// What the sum of these clients' vectors is.
pub(crate) fn expected(survivors: impl Iterator<Item = Position>) -> Vec<i64> {
    survivors.fold(vec![0; LENGTH as usize], |sum, client| {
        sum.into_iter().zip(vector(client)).map(|(sum, number)| sum + number).collect()
    })
}
