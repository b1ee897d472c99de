//! What a Boolean program needs of a sharing.
//!
//! The interpreter ([`super::Execution`]) knows registers and layers; how a bit is shared and how an AND is done is
//! behind [`Domain`]. [`super::CnfOneRound`] and [`super::CnfKing`] are replicated sharing; [`super::Clear`] is no
//! sharing at all and so the oracle for both. For thresholds of 4 and more, bit-sliced Shamir sharing over GF(2^m)
//! would be another.

use zeroize::Zeroize;

use super::program::{AndGate, Register};
use crate::EngineError;
use crate::round::{Inbox, Outbox};
use crate::verified::Segment;

/// One helper's side of a sharing of bits, while one program runs on one morsel.
///
/// A share of one bit is `width` sub-shares of as many words as the morsel's rows take, one sub-share after the
/// other. Every domain is linear: XOR, and AND with a public word, act on each sub-share.
pub trait Domain {
    /// Sub-shares of a bit at this helper.
    fn width(&self) -> usize;

    /// `<x> <- <x> xor c`: `share` is all of a register, `public` one word per word of rows.
    fn xor_public(&self, share: &mut [u64], public: &[u64]);

    /// `<x> <- not <x>` on `words` words of rows.
    fn not(&self, share: &mut [u64], words: usize);

    /// What the ANDs of this program on a morsel of `rows` rows are verified as; nothing where they cannot be wrong.
    fn segment(&self, _rows: usize) -> Option<Segment> {
        None
    }

    /// Rounds of an AND; a clear domain has none.
    fn rounds(&self) -> u32;

    /// Writes what to send in round `round` of these ANDs. Registers are not changed.
    fn send(&mut self, round: u32, gates: &[AndGate], registers: &Registers, outbox: &mut Outbox);

    /// Takes what was received in round `round`, and after the last writes the results. Without rounds, called once.
    fn receive(
        &mut self,
        round: u32,
        gates: &[AndGate],
        registers: &mut Registers,
        inbox: &mut Inbox<'_>,
    ) -> Result<(), EngineError>;
}

/// The registers of one morsel. Secret: wiped on drop, do not print.
pub struct Registers {
    data: Vec<u64>,
    words: usize,
    /// Words of one register: `words` times the domain's width.
    stride: usize,
}

impl Registers {
    /// `count` registers of `width` sub-shares of `words` words, all zero.
    pub(super) fn new(count: usize, width: usize, words: usize) -> Self {
        Registers { data: vec![0; count * width * words], words, stride: width * words }
    }

    /// Words of one sub-share.
    pub fn words(&self) -> usize {
        self.words
    }

    /// All sub-shares of a register.
    pub fn get(&self, register: Register) -> &[u64] {
        &self.data[register as usize * self.stride..][..self.stride]
    }

    /// All sub-shares of a register, to write.
    pub fn get_mut(&mut self, register: Register) -> &mut [u64] {
        &mut self.data[register as usize * self.stride..][..self.stride]
    }

    /// `out = left xor right`.
    pub(super) fn xor(&mut self, out: Register, left: Register, right: Register) {
        let (left, right) = if out == right { (right, left) } else { (left, right) };
        if out != left {
            self.copy(out, left);
        }
        let (out, right) = self.pair(out, right);
        xor_words(out, right);
    }

    /// `out = from`.
    pub(super) fn copy(&mut self, out: Register, from: Register) {
        if out != from {
            let start = from as usize * self.stride;
            self.data.copy_within(start..start + self.stride, out as usize * self.stride);
        }
    }

    /// One register to write and another one to read.
    fn pair(&mut self, out: Register, other: Register) -> (&mut [u64], &[u64]) {
        let (out, other) = (out as usize * self.stride, other as usize * self.stride);
        assert!(out != other, "an operation on one register with itself");
        if out < other {
            let (low, high) = self.data.split_at_mut(other);
            (&mut low[out..out + self.stride], &high[..self.stride])
        } else {
            let (low, high) = self.data.split_at_mut(out);
            (&mut high[..self.stride], &low[other..other + self.stride])
        }
    }
}

impl Drop for Registers {
    fn drop(&mut self) {
        // As a slice: of a vector the unused capacity is wiped too, byte by byte, and there is none here.
        self.data.as_mut_slice().zeroize();
    }
}

impl std::fmt::Debug for Registers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Registers({} words of {} words)", self.data.len(), self.words)
    }
}

/// `acc[i] ^= x[i]`; equal lengths.
#[inline]
pub(super) fn xor_words(acc: &mut [u64], x: &[u64]) {
    assert_eq!(acc.len(), x.len(), "operands of equal length");
    acc.iter_mut().zip(x).for_each(|(acc, x)| *acc ^= x);
}

/// `acc[i] ^= ` the words in `bytes`, little-endian.
///
/// # Panics
/// If the lengths do not fit.
#[inline]
pub(super) fn xor_bytes(acc: &mut [u64], bytes: &[u8]) {
    let (words, rest) = bytes.as_chunks::<8>();
    assert!(rest.is_empty() && acc.len() == words.len(), "as many bytes as words");
    acc.iter_mut().zip(words).for_each(|(acc, word)| *acc ^= u64::from_le_bytes(*word));
}

/// The first `words` words of a buffer that only grows, so that wiping its length wipes all that was ever in it.
pub(super) fn grow(buffer: &mut Vec<u64>, words: usize) -> &mut [u64] {
    if buffer.len() < words {
        // A new one, since growing in place would leave the old words behind.
        buffer.as_mut_slice().zeroize();
        *buffer = vec![0; words];
    }
    &mut buffer[..words]
}
