//! Masks: streams of pseudo-random words, added to vectors or taken away, never written out.
//!
//! Word `i` of a seed's mask is bytes `i*B .. (i+1)*B`, little-endian, of the ChaCha20 keystream (RFC 8439) of the seed
//! with nonce words `(0, 0, 1)`, where `B` is 4 or 8: every word is uniform, none is rejected. Vectors are worked on in
//! blocks, by all cores, each block with every seed before the next: the sums stay in the first cache, and no more memory
//! is used than the vector and a kilobyte for each core.

use bytemuck::Pod;
use chacha20::ChaCha20;
use chacha20::cipher::{StreamCipher as _, StreamCipherSeek as _};
use quorate_sharing::{Seed, keystream};
use rayon::prelude::*;
use zeroize::Zeroize as _;

use crate::Words;

/// Bytes of keystream at a time: whole ChaCha blocks, in the first cache beside the sums.
const STREAM_BYTES: usize = 4096;

/// Bytes of sums that one core works on with every seed: with the stream, half of a small first cache.
const BLOCK_BYTES: usize = 16 << 10;

/// What a mask does to the vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// It is added.
    Plus,
    /// It is subtracted.
    Minus,
}

impl Sign {
    /// The sign of the mask of `own` and `other` in the vector of `own`: added at the lower position, subtracted at the
    /// higher.
    pub fn of_pair(own: crate::Position, other: crate::Position) -> Self {
        if own < other { Sign::Plus } else { Sign::Minus }
    }

    /// The other one.
    #[must_use]
    pub fn opposite(self) -> Self {
        match self {
            Sign::Plus => Sign::Minus,
            Sign::Minus => Sign::Plus,
        }
    }
}

impl Words {
    /// Adds or subtracts the masks of all these seeds.
    pub fn mask(&mut self, masks: &[(Seed, Sign)]) {
        match self {
            Words::Mod32(words) => mask_words(
                words,
                masks,
                |word, mask| word.wrapping_add(u32::from_le(mask)),
                |word, mask| word.wrapping_sub(u32::from_le(mask)),
            ),
            Words::Mod64(words) => mask_words(
                words,
                masks,
                |word, mask| word.wrapping_add(u64::from_le(mask)),
                |word, mask| word.wrapping_sub(u64::from_le(mask)),
            ),
        }
    }
}

fn mask_words<W: Pod + Send>(
    words: &mut [W],
    masks: &[(Seed, Sign)],
    plus: impl Fn(W, W) -> W + Sync,
    minus: impl Fn(W, W) -> W + Sync,
) {
    let per_block = BLOCK_BYTES / size_of::<W>();
    words.par_chunks_mut(per_block).enumerate().for_each(|(index, block)| {
        let mut stream = Stream::new();
        for (seed, sign) in masks {
            let first = (index * BLOCK_BYTES) as u64;
            match sign {
                Sign::Plus => stream.apply(seed, first, block, &plus),
                Sign::Minus => stream.apply(seed, first, block, &minus),
            }
        }
    });
}

/// A piece of keystream, wiped when dropped.
struct Stream([u64; STREAM_BYTES / 8]);

impl Stream {
    fn new() -> Self {
        Stream([0; STREAM_BYTES / 8])
    }

    /// `word = apply(word, mask)` for every word of a block that begins at byte `first` of the mask.
    fn apply<W: Pod>(&mut self, seed: &Seed, first: u64, block: &mut [W], apply: &impl Fn(W, W) -> W) {
        let mut cipher: ChaCha20 = keystream(seed.expose(), 1);
        #[expect(clippy::expect_used, reason = "a vector is at most 8 MiB, a keystream 256 GiB")]
        cipher.try_seek(first).expect("within the keystream");
        for words in block.chunks_mut(STREAM_BYTES / size_of::<W>()) {
            let stream = &mut bytemuck::cast_slice_mut::<u64, u8>(&mut self.0)[..size_of_val(words)];
            cipher.write_keystream(stream);
            let masks = bytemuck::cast_slice::<u8, W>(stream);
            words.iter_mut().zip(masks).for_each(|(word, &mask)| *word = apply(*word, mask));
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Encoding, Input, Ring};

    fn encoding(ring: Ring, length: u32) -> Encoding {
        Encoding { ring, length, fraction_bits: 0, bound: 1000, weight_max: 0 }
    }

    /// RFC 8439, 2.3.2 has another nonce; this is the keystream word by word, without blocks.
    #[test]
    fn a_mask_is_the_keystream_whatever_the_blocks() {
        for ring in [Ring::Mod32, Ring::Mod64] {
            for length in [1, 1023, 1025, 4096, 4097, 10_000] {
                let encoding = encoding(ring, length);
                let mut words = Words::zeros(&encoding);
                words.mask(&[(Seed::from_bytes([7; 32]), Sign::Plus)]);
                let mut expected = vec![0; encoding.bytes()];
                keystream(&[7; 32], 1).write_keystream(&mut expected);
                assert!(words.to_bytes() == expected, "{length} words of {ring:?}");
            }
        }
    }

    #[test]
    fn the_two_masks_of_a_pair_cancel() {
        for ring in [Ring::Mod32, Ring::Mod64] {
            let encoding = encoding(ring, 5000);
            let vector: Vec<i64> = (0..5000).map(|i| i % 1001 - 500).collect();
            let mut masked = encoding.encode(Input::Integers(&vector), 1).unwrap();
            masked.mask(&[
                (Seed::from_bytes([1; 32]), Sign::of_pair(3, 5)),
                (Seed::from_bytes([2; 32]), Sign::Plus),
            ]);
            assert_ne!(encoding.decode(&masked).0, vector);
            masked.mask(&[
                (Seed::from_bytes([2; 32]), Sign::Minus),
                (Seed::from_bytes([1; 32]), Sign::of_pair(5, 3)),
            ]);
            assert_eq!(encoding.decode(&masked).0, vector);
        }
    }
}
