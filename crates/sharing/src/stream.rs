//! A seed's stream of field elements, addressed by position.
//!
//! Element `i` is bytes `i*B .. (i+1)*B` of the ChaCha20 keystream (RFC 8439: 96-bit nonce, counter from 0) of the
//! seed with nonce words `(0, 0, 1)`, masked to the field's bits, where `B` is the field's size in bytes. If that is
//! not below the modulus `p`, element `i` is taken in the same way from the keystream with nonce words `(0, 0, 2)`,
//! then `(0, 0, 3)`, and so on. The nonce's words are little-endian, so its last word is its last four bytes.
//!
//! So element `i` depends on the seed and `i` alone: streams can be sought, computed in blocks of any size and in
//! any order, and re-implemented (`docs/test-vectors/`). It is uniform in `0..p`, being the first value below `p` of
//! a row of independent uniform ones.
//!
//! **The branch on `>= p` is harmless**, though it depends on the stream and the stream is a share: what it reveals
//! to somebody who times it is that the *first* value at some position was out of range (probability 2^-61 for F61,
//! 2^-127 for F127, 189/2^256 for F256). That value is thrown away, and the one used in its place comes from
//! another keystream and is independent of it.

use chacha20::ChaCha20;
use chacha20::cipher::{KeyIvInit as _, StreamCipher as _, StreamCipherSeek as _};
use quorate_field::Field;
use subtle::Choice as Rejected;
use zeroize::Zeroize as _;

use crate::{Seed, Shares};

/// Bytes of keystream per block: in L1 cache, and sixteen ChaCha blocks, enough for its widest backend.
const BLOCK: usize = 1024;

/// The nonce word of the first keystream.
const FIRST: u32 = 1;

/// Bytes of the widest field.
const ELEMENT_MAX: usize = 32;

/// The stream of one seed.
pub struct Stream {
    key: Seed,
}

impl Stream {
    /// The stream of `seed`.
    pub fn new(seed: &Seed) -> Self {
        Stream { key: seed.duplicate() }
    }

    /// Writes elements `first, first + 1, …` of the stream into `out`.
    ///
    /// Panics beyond the keystream's 256 GiB: limits on rows keep callers far below.
    pub fn fill<F: Field>(&self, first: u64, out: &mut [F]) {
        self.each_block(first, out, F::from_masked_slice, |element, value| *element = value);
    }

    /// Adds elements `first, first + 1, …` of the stream to those of `sums`. No more of the stream than a kilobyte is ever in
    /// memory.
    ///
    /// Panics as [`Stream::fill`] does.
    pub fn add_to<F: Field>(&self, first: u64, sums: &mut [F]) {
        self.each_block(
            first,
            sums,
            |bytes, sums| F::add_masked_slice(sums, bytes),
            |sum, value| *sum += value,
        );
    }

    /// Writes words `first, first + 1, …` into `out`: word `i` is bytes `8i..8i + 8` of the first keystream. Of one seed
    /// there are elements or words, never both.
    ///
    /// Panics as [`Stream::fill`] does.
    pub fn fill_words(&self, first: u64, out: &mut [u64]) {
        let mut cipher = keystream(self.key.expose(), FIRST);
        #[expect(
            clippy::expect_used,
            reason = "documented panic: no row number comes near 2^32 blocks of keystream"
        )]
        first.checked_mul(8).and_then(|at| cipher.try_seek(at).ok()).expect("at most 256 GiB");
        let mut block = [0; BLOCK];
        let used = BLOCK.min(8 * out.len());
        for out in out.chunks_mut(BLOCK / 8) {
            let bytes = &mut block[..8 * out.len()];
            cipher.write_keystream(bytes);
            let words = bytes.as_chunks::<8>().0.iter().map(|word| u64::from_le_bytes(*word));
            out.iter_mut().zip(words).for_each(|(out, word)| *out = word);
        }
        block[..used].zeroize();
    }

    /// Takes the stream from element `first` on, block by block: `take` has whole blocks and says whether an element was
    /// rejected, in whose place, left alone or zero, `replace` then gets the next one.
    fn each_block<F: Field>(
        &self,
        first: u64,
        out: &mut [F],
        take: impl Fn(&[u8], &mut [F]) -> bool,
        replace: impl Fn(&mut F, F),
    ) {
        let mut block = [0; BLOCK];
        let used = BLOCK.min(out.len() * F::BYTES);
        let mut cipher = keystream(self.key.expose(), FIRST);
        seek::<F>(&mut cipher, first);
        let mut position = first;
        for chunk in out.chunks_mut(BLOCK / F::BYTES) {
            let bytes = &mut block[..chunk.len() * F::BYTES];
            cipher.write_keystream(bytes);
            if take(bytes, chunk) {
                self.replace_rejected(position, bytes, chunk, &replace);
            }
            position += chunk.len() as u64;
        }
        block[..used].zeroize();
    }

    /// Takes the elements of `chunk` whose `bytes` were not below `p` from the later keystreams.
    #[cold]
    fn replace_rejected<F: Field>(
        &self,
        position: u64,
        bytes: &[u8],
        chunk: &mut [F],
        replace: impl Fn(&mut F, F),
    ) {
        for ((index, element), bytes) in (position..).zip(chunk).zip(bytes.chunks_exact(F::BYTES)) {
            let (mut value, mut is_rejected) = F::from_masked(bytes);
            let mut nonce = FIRST;
            while bool::from(is_rejected) {
                nonce += 1;
                (value, is_rejected) = self.element(nonce, index);
            }
            if nonce > FIRST {
                replace(element, value);
            }
        }
    }

    /// Element `index` of one keystream, and whether it is not below `p`.
    fn element<F: Field>(&self, nonce: u32, index: u64) -> (F, Rejected) {
        let mut bytes = [0; ELEMENT_MAX];
        let bytes = &mut bytes[..F::BYTES];
        let mut cipher = keystream(self.key.expose(), nonce);
        seek::<F>(&mut cipher, index);
        cipher.write_keystream(bytes);
        let element = F::from_masked(bytes);
        bytes.zeroize();
        element
    }
}

/// The first `count` elements of a seed's stream.
pub fn expand<F: Field>(seed: &Seed, count: usize) -> Shares<F> {
    let mut shares = Shares::zeros(count);
    expand_into(seed, shares.as_mut_slice());
    shares
}

/// Writes the first elements of a seed's stream into `out`.
pub fn expand_into<F: Field>(seed: &Seed, out: &mut [F]) {
    Stream::new(seed).fill(0, out);
}

/// The ChaCha20 keystream of `key` with nonce words `(0, 0, nonce)`, from its beginning.
pub fn keystream(key: &[u8; 32], nonce: u32) -> ChaCha20 {
    let mut words = [0; 12];
    words[8..].copy_from_slice(&nonce.to_le_bytes());
    ChaCha20::new(key.into(), &words.into())
}

/// Moves a keystream to the first byte of element `index`.
fn seek<F: Field>(cipher: &mut ChaCha20, index: u64) {
    #[expect(
        clippy::expect_used,
        reason = "documented panic: no row number comes near 2^32 blocks of keystream"
    )]
    index
        .checked_mul(F::BYTES as u64)
        .and_then(|byte| cipher.try_seek(byte).ok())
        .expect("a stream is at most 256 GiB long");
}
