//! The values of one key for one draw, addressed by row.

#[cfg(feature = "testing")]
use std::sync::Arc;

use hkdf::Hkdf;
use quorate_field::Field;
use sha2::Sha256;
use zeroize::Zeroize as _;

use super::Draw;
#[cfg(feature = "testing")]
use super::HelperSet;
use crate::{Seed, Shares, Stream};

/// Elements that are expanded at a time: 8 to 32 KiB, which stay in the first-level cache or just beside it.
const BLOCK: usize = 1024;

/// The pseudo-random values of one key for one draw: elements of a field, or words, never both from one draw.
///
/// Secret. What stands at a row depends on the key, the draw and the row alone.
pub struct DrawStream(Source);

enum Source {
    /// The stream of this key.
    Keyed(Seed),
    /// What a test says.
    #[cfg(feature = "testing")]
    Scripted(Arc<dyn Script>, KeyName, Draw),
}

/// Which key a scripted draw is from.
#[cfg(feature = "testing")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyName {
    /// Of a set.
    Set(HelperSet),
    /// Of a pair, the lower number first.
    Pair(crate::HelperNumber, crate::HelperNumber),
}

/// A test's word on what every draw gives.
#[cfg(feature = "testing")]
pub trait Script: Send + Sync {
    /// The value of a key for a draw at a row.
    fn value(&self, key: KeyName, draw: &Draw, row: u64) -> u64;
}

impl DrawStream {
    /// The values of a session's key for a draw.
    pub(super) fn new(key: &Seed, draw: &Draw) -> Self {
        let mut bytes = [0; 32];
        #[expect(
            clippy::expect_used,
            reason = "the key is one hash long, and one hash of output is asked for"
        )]
        Hkdf::<Sha256>::from_prk(key.expose())
            .expect("a 32-byte key")
            .expand_multi_info(&[b"quorate/1/draw", &draw.encode()], &mut bytes)
            .expect("32 bytes of output");
        let key = Seed::from_bytes(bytes);
        bytes.zeroize();
        DrawStream(Source::Keyed(key))
    }

    #[cfg(feature = "testing")]
    pub(super) fn scripted(script: Arc<dyn Script>, key: KeyName, draw: Draw) -> Self {
        DrawStream(Source::Scripted(script, key, draw))
    }

    /// Writes the elements of rows `first, first + 1, …` into `out`.
    pub fn fill<F: Field>(&self, first: u64, out: &mut [F]) {
        match &self.0 {
            Source::Keyed(key) => Stream::new(key).fill(first, out),
            #[cfg(feature = "testing")]
            Source::Scripted(script, key, draw) => {
                let rows = first..;
                rows.zip(out).for_each(|(row, out)| *out = F::from_u64(script.value(*key, draw, row)));
            }
        }
    }

    /// `out[i] += k * element of row first + i`.
    pub fn add_scaled<F: Field>(&self, first: u64, k: F, out: &mut [F]) {
        let mut values = Shares::zeros(BLOCK.min(out.len()));
        for (row, out) in (first..).step_by(BLOCK).zip(out.chunks_mut(BLOCK)) {
            let values = &mut values.as_mut_slice()[..out.len()];
            self.fill(row, values);
            F::axpy(out, k, values);
        }
    }

    /// Writes words `first, first + 1, …` into `out`: word `i` is bytes `8i..8i + 8` of the key's first keystream
    /// ([`Stream::fill_words`]).
    ///
    /// Panics beyond the keystream's 256 GiB: limits on rows keep callers far below.
    pub fn fill_words(&self, first: u64, out: &mut [u64]) {
        match &self.0 {
            Source::Keyed(key) => Stream::new(key).fill_words(first, out),
            #[cfg(feature = "testing")]
            Source::Scripted(script, key, draw) => {
                (first..).zip(out).for_each(|(row, out)| *out = script.value(*key, draw, row));
            }
        }
    }
}

impl std::fmt::Debug for DrawStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DrawStream(secret)")
    }
}
