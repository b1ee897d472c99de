//! What a Boolean program needs of a sharing.
//!
//! The interpreter ([`super::Execution`]) knows registers and layers; how a bit is shared and how an AND is done is
//! behind [`Domain`]. [`super::CnfOneRound`] and [`super::CnfKing`] are replicated sharing; [`super::Clear`] is no
//! sharing at all and so the oracle for both. For thresholds of 4 and more, bit-sliced Shamir sharing over GF(2^m)
//! would be another.

use std::sync::{Arc, Mutex, PoisonError};

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
    /// Where the memory goes.
    scratch: Arc<Scratch>,
}

/// Memory of registers for the next morsel, wiped: asking the system for it anew would cost as much as some of the
/// protocols.
#[derive(Default)]
pub struct Scratch(Mutex<Vec<Vec<u64>>>);

impl Scratch {
    /// `words` zeros.
    fn take(&self, words: usize) -> Vec<u64> {
        let mut data = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default();
        if data.capacity() < words {
            return vec![0; words];
        }
        // All of it is zero: the old words were wiped, the others never used.
        data.resize(words, 0);
        data
    }

    fn give(&self, mut data: Vec<u64>) {
        // As a slice: of a vector the unused capacity is wiped too, byte by byte, and nothing was ever in it.
        data.as_mut_slice().zeroize();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(data);
    }
}

impl Registers {
    /// `count` registers of `width` sub-shares of `words` words, all zero.
    pub(super) fn new(count: usize, width: usize, words: usize, scratch: Arc<Scratch>) -> Self {
        Registers { data: scratch.take(count * width * words), words, stride: width * words, scratch }
    }

    /// Words of one sub-share.
    pub fn words(&self) -> usize {
        self.words
    }

    /// All sub-shares of a register.
    pub fn get(&self, register: Register) -> &[u64] {
        &self.data[register as usize * self.stride..][..self.stride]
    }

    /// All sub-shares of `count` registers from `first` on, one register after the other, to write.
    pub(super) fn range_mut(&mut self, first: usize, count: usize) -> &mut [u64] {
        &mut self.data[first * self.stride..][..count * self.stride]
    }

    /// All sub-shares of a register, to write.
    pub fn get_mut(&mut self, register: Register) -> &mut [u64] {
        &mut self.data[register as usize * self.stride..][..self.stride]
    }

    /// `out = left xor right`.
    pub(super) fn xor(&mut self, out: Register, left: Register, right: Register) {
        let place = |register: Register| {
            let start = register as usize * self.stride;
            start..start + self.stride
        };
        let (left, right) = if out == right { (right, left) } else { (left, right) };
        if out == left {
            let (out, right) = self.pair(out, right);
            xor_words(out, right);
        } else if let Ok([out, left, right]) =
            self.data.get_disjoint_mut([place(out), place(left), place(right)])
        {
            let inputs = left.iter().zip(&*right);
            out.iter_mut().zip(inputs).for_each(|(out, (left, right))| *out = left ^ right);
        } else {
            // A register with itself.
            self.get_mut(out).fill(0);
        }
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
        self.scratch.give(std::mem::take(&mut self.data));
    }
}

impl std::fmt::Debug for Scratch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Scratch")
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
