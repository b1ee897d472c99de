//! A contributor's randomness: everything one contribution needs, from the contributor's secret.
//!
//! ```text
//! key  = HKDF-SHA256(ikm = secret, salt = none,
//!                    info = "quorate/1/contribution-key" ‖ kind ‖ n ‖ t ‖ study ‖ position ‖ block, length 32)
//! grid = ChaCha20 keystream of key with nonce words (0, 0, 1), in pieces of 32 bytes
//! grid[0]              first 8 bytes, little-endian, modulo n: rot      (the other 24 bytes are not used)
//! grid[j], j = 1..n    salt of helper j
//! grid[n + 1 + k]      seed of the helper at place k = 0..t-1 after rot
//! ```
//!
//! `kind` (0 Shamir, 1 additive), `n` and `t` are one byte each, `position` eight little-endian bytes, `study` a
//! digest, and `block = H("quorate/1/block"; field name, rows, encoded cells)`, the labelled hash.
//!
//! Because the block's hash is in the key, a resumed upload is byte-identical, while a *changed* value shares
//! nothing with the old one: with equal seeds, a helper with a data piece of both would learn `x - x'` (a test
//! keeps that mutant). `rot` is public and need not be uniform; the seeds are as good as the secret.

use chacha20::ChaCha20;
use chacha20::cipher::StreamCipher as _;
use hkdf::Hkdf;
use quorate_field::Field;
use quorate_hash::{Digest, Tagged};
use sha2::Sha256;
use zeroize::Zeroize;

use crate::stream::keystream;
use crate::{ContributorSecret, HELPERS_MAX, HelperNumber, Scheme, SchemeKind, Seed};

const CELL: usize = 32;
/// `rot`, `n` salts and `t <= n - 1` seeds.
const CELLS_MAX: usize = 2 * HELPERS_MAX as usize;

/// The randomness of one contribution. Wiped on drop.
pub(crate) struct Derivation {
    helpers: u8,
    used: usize,
    grid: [u8; CELL * CELLS_MAX],
}

impl Derivation {
    /// The randomness of the contribution `position` of this contributor with this block.
    pub(crate) fn new(
        scheme: &Scheme,
        study: &Digest,
        secret: &ContributorSecret,
        position: u64,
        block: &Digest,
    ) -> Self {
        let kind = match scheme.kind() {
            SchemeKind::Shamir => 0,
            SchemeKind::Additive => 1,
        };
        let mut key = [0; 32];
        #[expect(clippy::expect_used, reason = "HKDF-SHA256 gives up to 8160 bytes, and 32 are asked for")]
        Hkdf::<Sha256>::new(None, secret.expose())
            .expand_multi_info(
                &[
                    b"quorate/1/contribution-key",
                    &[kind, scheme.helpers(), scheme.threshold()],
                    &study.0,
                    &position.to_le_bytes(),
                    &block.0,
                ],
                &mut key,
            )
            .expect("32 bytes of output");

        let used = CELL * (1 + usize::from(scheme.helpers()) + scheme.seeds());
        let mut grid = [0; CELL * CELLS_MAX];
        let mut cipher: ChaCha20 = keystream(&key, 1);
        cipher.write_keystream(&mut grid[..used]);
        key.zeroize();
        Derivation { helpers: scheme.helpers(), used, grid }
    }

    /// The rotation, 0 to `n - 1`.
    pub(crate) fn rot(&self) -> u8 {
        let number = self.cell(0)[..8].iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte));
        #[expect(clippy::cast_possible_truncation, reason = "less than the number of helpers")]
        let rot = (number % u64::from(self.helpers)) as u8;
        rot
    }

    /// The salt of one helper's commitment.
    pub(crate) fn salt(&self, helper: HelperNumber) -> [u8; 32] {
        self.cell(helper.into())
    }

    /// The seed of the helper at place `k` after `rot`, `k < t`.
    pub(crate) fn seed(&self, k: usize) -> Seed {
        Seed::from_bytes(self.cell(1 + usize::from(self.helpers) + k))
    }

    fn cell(&self, index: usize) -> [u8; CELL] {
        std::array::from_fn(|i| self.grid[..self.used][CELL * index + i])
    }
}

impl Drop for Derivation {
    fn drop(&mut self) {
        self.grid[..self.used].zeroize();
    }
}

/// The hash of a block that enters the key: secret, since a block of few possible values can be guessed from it.
pub(crate) fn hash_block<F: Field>(rows: u32, encoded: &[u8]) -> Digest {
    Tagged::new("quorate/1/block").bytes(F::NAME.as_bytes()).u64(rows.into()).bytes(encoded).finish()
}
