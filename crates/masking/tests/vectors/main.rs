//! The published test vectors of pairwise masks: what `docs/test-vectors/masks-*.json` says is what this crate computes.
//!
//! Each file is built here from inputs fixed in the code and compared with what is published; with
//! `QUORATE_BLESS=1` in the environment it is written instead. A difference means a changed format: that takes a
//! decision record, not a blessing. `scripts/check-vectors.py` recomputes the same files without this crate.

#![allow(clippy::unwrap_used, clippy::panic, clippy::cast_possible_truncation, reason = "a test")]

mod parts;
#[path = "../../../sharing/tests/sharing/published.rs"]
mod published;
mod rounds;
mod whole;

use std::sync::Arc;

use quorate_federation::SecretKey;
use quorate_hash::Digest;
use quorate_masking::{Encoding, Position, Ring, Terms, Variant};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use published::{bytes, check, hex};

fn rng(seed: u8) -> ChaCha20Rng {
    ChaCha20Rng::from_seed([seed; 32])
}

/// The secret bytes of a client's lasting key.
fn identity_secret(client: Position) -> [u8; 32] {
    [0x10 + client as u8; 32]
}

fn identity(client: Position) -> Arc<SecretKey> {
    Arc::new(SecretKey::from_text(&hex(&identity_secret(client))).unwrap())
}

/// Terms of a round of so many clients.
fn terms(clients: Position, variant: Variant, neighbours: u32, threshold: u32) -> Terms {
    Terms {
        number: 7,
        server: identity(0x70).public(),
        clients: (0..clients).map(|client| identity(client).public()).collect(),
        variant,
        neighbours,
        threshold,
        survivors_min: threshold + 1,
        encoding: Encoding { ring: Ring::Mod32, length: 3, fraction_bits: 0, bound: 1000, weight_max: 0 },
        model: Digest(bytes(0xc0)),
    }
}

fn passive() -> Variant {
    Variant::Passive { seed: Digest(bytes(0xa0)) }
}
