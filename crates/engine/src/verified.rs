//! Which results may be released.
//!
//! A protocol whose result a lying helper can shift unnoticed returns [`Unverified`]; only [`Verified`] values can
//! be released to an analyst or opened as a verdict. Linear work on sealed shares is verified by construction: it
//! sends nothing, and a helper that answers wrongly is caught by the redundancy of the result shares.
//!
//! An unverified value names the [`Segment`]s of products that it depends on. That is all a later verification needs
//! beside the shares: a program gives each value one name, so a segment's instruction names both factors and the
//! product, and whoever verifies keeps those until their segment is done (Boneh, Boyle, Corrigan-Gibbs, Gilboa, Ishai,
//! "Zero-knowledge proofs on secret-shared data via fully linear PCPs", CRYPTO 2019).

use std::ops::Range;

use quorate_sharing::prss::{Draw, Purpose};

/// A value that may be released.
#[derive(Debug)]
pub struct Verified<T>(T);

/// A value that a lying helper may have shifted. It stays closed until it is verified or trusted by name.
#[derive(Debug)]
pub struct Unverified<T> {
    value: T,
    /// What it depends on, in no particular order.
    segments: Vec<Segment>,
}

/// Products of one instruction over a range of rows: the address of their randomness, and their name in a transcript.
/// No two protocols of a session have a segment's rows in common.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Segment {
    /// The program's instruction.
    pub instruction: u32,
    /// Which of the instruction's products, from 0.
    pub sub: u32,
    /// The rows, one product each.
    pub rows: Range<u64>,
}

impl Segment {
    /// Rows `first..first + count` of an instruction that has one product a row.
    pub fn new(instruction: u32, first: u64, count: usize) -> Self {
        Segment { instruction, sub: 0, rows: first..first + count as u64 }
    }

    /// The draw of this segment's randomness for a purpose.
    pub fn draw(&self, purpose: Purpose) -> Draw {
        Draw { purpose, instruction: self.instruction, sub: self.sub }
    }

    /// How many products.
    ///
    /// # Panics
    /// If they do not fit the memory.
    #[expect(clippy::expect_used, reason = "documented panic: rows of a morsel, which is in memory")]
    pub(crate) fn count(&self) -> usize {
        usize::try_from(self.rows.end - self.rows.start).expect("rows in memory")
    }

    /// Panics unless there is one row for each of `count` products.
    pub(crate) fn assert_rows(&self, count: usize) {
        assert_eq!(self.rows.end.checked_sub(self.rows.start), Some(count as u64), "one row a product");
    }
}

impl<T> Verified<T> {
    /// For results of local linear work on sealed shares, which no message can have shifted.
    pub(crate) fn local(value: T) -> Self {
        Verified(value)
    }

    /// The value, to be released.
    pub fn release(self) -> T {
        self.0
    }
}

impl<T> From<Verified<T>> for Unverified<T> {
    /// To go on computing with, beside what is not verified.
    fn from(verified: Verified<T>) -> Self {
        Unverified::new(verified.0)
    }
}

impl<T> Unverified<T> {
    /// For results that depended on messages.
    pub fn new(value: T) -> Self {
        Unverified { value, segments: Vec::new() }
    }

    /// For the products of one segment.
    pub fn of_segment(value: T, segment: Segment) -> Self {
        Unverified { value, segments: vec![segment] }
    }

    /// What local work makes of it.
    pub fn map<U>(self, work: impl FnOnce(T) -> U) -> Unverified<U> {
        Unverified { value: work(self.value), segments: self.segments }
    }

    /// This and another one, together.
    pub fn zip<U>(mut self, other: Unverified<U>) -> Unverified<(T, U)> {
        self.segments.extend(other.segments);
        Unverified { value: (self.value, other.value), segments: self.segments }
    }

    /// The value and what it depends on, to go on computing with. Whoever takes it apart puts the segments on its
    /// result, with [`Unverified::of_segments`].
    pub(crate) fn into_parts(self) -> (T, Vec<Segment>) {
        (self.value, self.segments)
    }

    /// For what was computed of the products of several segments.
    pub(crate) fn of_segments(value: T, segments: Vec<Segment>) -> Self {
        Unverified { value, segments }
    }

    /// The products that it depends on.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// The value, to go on computing with.
    #[cfg(test)]
    pub(crate) fn value(&self) -> &T {
        &self.value
    }

    /// Takes the value as it is, because the study says `security = "passive"`: helpers are trusted to follow the
    /// protocol. The one place where that trust is used.
    pub fn trust_helpers_of_passive_study(self) -> Verified<T> {
        Verified(self.value)
    }
}
