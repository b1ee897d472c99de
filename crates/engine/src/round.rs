//! Members, and what they send each other in a round.
//!
//! A protocol of one round is two functions: the first takes what the member holds and writes an [`Outbox`], the
//! second takes what is pending and reads an [`Inbox`]. Several protocols share a round by writing to one outbox, and
//! reading from one inbox, in the same order. Messages are plain field elements or words, little-endian, without
//! headers: all members know what comes, since it follows from the program.
//!
//! ```text
//! let mut outbox = Outbox::new();
//! let pending = reshare(&member, segment, z, &mut outbox);
//! // the caller moves the bytes
//! let mut inbox = Inbox::new(&received);
//! let product = pending.finish(&member, &mut inbox)?;
//! inbox.finish()?;
//! ```
//!
//! What is *not* here: who carries messages, headers, rounds' numbers; the session is bound to the connection.

use std::collections::BTreeMap;
use std::fmt;

use quorate_field::Field;
use quorate_sharing::prss::SessionKeys;
use quorate_sharing::{HelperNumber, Scheme};

use crate::EngineError;

/// One of the `2t + 1` helpers that work, with its keys.
pub struct Member {
    scheme: Scheme,
    me: HelperNumber,
    workers: Vec<HelperNumber>,
    keys: SessionKeys,
}

/// A computation of several rounds, driven by whoever carries the messages:
///
/// ```text
/// while advance(outbox) is Sent { move the bytes; receive(inbox) }
/// ```
pub trait Task {
    /// Computes until something must be sent, and writes it.
    fn advance(&mut self, outbox: &mut Outbox) -> Progress;

    /// Reads what the others sent in the same round. Whom an error blames is in it.
    fn receive(&mut self, inbox: &mut Inbox<'_>) -> Result<(), EngineError>;
}

/// How far a computation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It sent something (possibly from other members only) and waits for its inbox.
    Sent,
    /// It has ended.
    Ended,
}

/// What a member sends in one round: the bytes for each receiver.
#[derive(Default)]
pub struct Outbox {
    blobs: BTreeMap<HelperNumber, Vec<u8>>,
}

/// What a member received in one round, read from the front.
pub struct Inbox<'a> {
    /// What is not read yet.
    blobs: BTreeMap<HelperNumber, &'a [u8]>,
}

impl Member {
    /// Member `me` of `workers`, which are exactly `2t + 1` of the scheme's helpers, ascending. `keys` are those of a
    /// session of which all workers are members.
    ///
    /// # Panics
    /// If the workers are not that, or `me` is none of them.
    pub fn new(scheme: Scheme, me: HelperNumber, workers: &[HelperNumber], keys: SessionKeys) -> Self {
        assert_eq!(workers.len(), scheme.workers(), "2t + 1 workers");
        assert!(workers.is_sorted_by(|a, b| a < b), "workers in order");
        assert!(workers.iter().all(|worker| scheme.has_helper(*worker)), "workers of the scheme");
        assert!(workers.contains(&me), "a member works");
        Member { scheme, me, workers: workers.to_vec(), keys }
    }

    /// The sharing scheme.
    pub fn scheme(&self) -> &Scheme {
        &self.scheme
    }

    /// `t`.
    pub fn threshold(&self) -> usize {
        self.scheme.threshold().into()
    }

    /// This member's number.
    pub fn me(&self) -> HelperNumber {
        self.me
    }

    /// All `2t + 1` workers, ascending, this one included.
    pub fn workers(&self) -> &[HelperNumber] {
        &self.workers
    }

    /// The workers but this one, ascending.
    pub fn others(&self) -> impl Iterator<Item = HelperNumber> {
        self.workers.iter().copied().filter(|worker| *worker != self.me)
    }

    /// This member's place among the workers, from 0.
    pub fn place(&self) -> usize {
        self.place_of(self.me)
    }

    /// The place of `worker` among the workers, from 0. Panics on others.
    pub fn place_of(&self, worker: HelperNumber) -> usize {
        #[expect(clippy::expect_used, reason = "documented panic: who works is public and fixed")]
        self.workers.binary_search(&worker).expect("a worker")
    }

    /// The `count` workers after `worker`, cyclically.
    pub fn after(&self, worker: HelperNumber, count: usize) -> impl Iterator<Item = HelperNumber> {
        let place = self.place_of(worker);
        (1..=count).map(move |step| self.workers[(place + step) % self.workers.len()])
    }

    /// The `count` workers before `worker`, cyclically, the farthest first.
    pub fn before(&self, worker: HelperNumber, count: usize) -> impl Iterator<Item = HelperNumber> {
        let place = self.place_of(worker) + self.workers.len();
        (1..=count).rev().map(move |step| self.workers[(place - step) % self.workers.len()])
    }

    /// The session's keys.
    pub fn keys(&self) -> &SessionKeys {
        &self.keys
    }
}

impl Outbox {
    /// An empty one.
    pub fn new() -> Self {
        Outbox::default()
    }

    /// Appends `bytes` zero bytes for `to` and gives them to be written in place.
    pub fn append(&mut self, to: HelperNumber, bytes: usize) -> &mut [u8] {
        let blob = self.blobs.entry(to).or_default();
        let start = blob.len();
        blob.resize(start + bytes, 0);
        &mut blob[start..]
    }

    /// Appends `bytes` zero bytes for `to`; where they start, for [`Outbox::slice`].
    pub fn reserve(&mut self, to: HelperNumber, bytes: usize) -> usize {
        let blob = self.blobs.entry(to).or_default();
        blob.resize(blob.len() + bytes, 0);
        blob.len() - bytes
    }

    /// Bytes `start..start + bytes` of what `to` is sent, to be written in place. Panics if they were not reserved.
    pub fn slice(&mut self, to: HelperNumber, start: usize, bytes: usize) -> &mut [u8] {
        &mut self.blobs.entry(to).or_default()[start..start + bytes]
    }

    /// Appends these elements for `to`.
    pub fn append_elements<F: Field>(&mut self, to: HelperNumber, elements: &[F]) {
        write_elements(elements, self.append(to, elements.len() * F::BYTES));
    }

    /// Appends these words for `to`.
    pub fn append_words(&mut self, to: HelperNumber, words: &[u64]) {
        let bytes = self.append(to, words.len() * 8);
        bytes.as_chunks_mut::<8>().0.iter_mut().zip(words).for_each(|(out, word)| *out = word.to_le_bytes());
    }

    /// The bytes for each receiver that is sent any.
    pub fn into_blobs(self) -> BTreeMap<HelperNumber, Vec<u8>> {
        self.blobs
    }
}

impl<'a> Inbox<'a> {
    /// What each sender sent.
    pub fn new<B: AsRef<[u8]>>(received: &'a BTreeMap<HelperNumber, B>) -> Self {
        Inbox { blobs: received.iter().map(|(from, blob)| (*from, blob.as_ref())).collect() }
    }

    /// The next `bytes` bytes from a sender; `what` they are, for the error. To blame for too few: the sender.
    pub fn take(
        &mut self,
        from: HelperNumber,
        bytes: usize,
        what: &'static str,
    ) -> Result<&'a [u8], EngineError> {
        let blob = self.blobs.entry(from).or_default();
        let Some((taken, rest)) = blob.split_at_checked(bytes) else {
            let reason = format!("{} bytes are left of the message, and {bytes} are expected", blob.len());
            return Err(EngineError::Malformed { from, what, reason });
        };
        *blob = rest;
        Ok(taken)
    }

    /// The next `count` elements from a sender, not decoded yet.
    pub fn take_elements<F: Field>(
        &mut self,
        from: HelperNumber,
        count: usize,
        what: &'static str,
    ) -> Result<Elements<'a>, EngineError> {
        Ok(Elements { from, what, bytes: self.take(from, count * F::BYTES, what)? })
    }

    /// Reads the next `out.len()` words from a sender.
    pub fn take_words(
        &mut self,
        from: HelperNumber,
        out: &mut [u64],
        what: &'static str,
    ) -> Result<(), EngineError> {
        let words = self.take(from, out.len() * 8, what)?.as_chunks::<8>().0;
        out.iter_mut().zip(words).for_each(|(out, word)| *out = u64::from_le_bytes(*word));
        Ok(())
    }

    /// Every message is read to its end. To blame for more: the sender.
    pub fn finish(self) -> Result<(), EngineError> {
        match self.blobs.into_iter().find(|(_, rest)| !rest.is_empty()) {
            None => Ok(()),
            Some((from, rest)) => {
                let reason = format!("{} bytes too many", rest.len());
                Err(EngineError::Malformed { from, what: "a round's message", reason })
            }
        }
    }
}

/// Encoded elements of one sender, decoded block by block.
#[derive(Clone, Copy)]
pub struct Elements<'a> {
    from: HelperNumber,
    what: &'static str,
    bytes: &'a [u8],
}

impl Elements<'_> {
    /// Decodes elements `first, first + 1, …` into `out`. To blame for one that is not canonical: the sender.
    ///
    /// Panics beyond the end.
    pub fn read<F: Field>(&self, first: usize, out: &mut [F]) -> Result<(), EngineError> {
        let bytes = &self.bytes[first * F::BYTES..(first + out.len()) * F::BYTES];
        for (index, (out, bytes)) in out.iter_mut().zip(bytes.chunks_exact(F::BYTES)).enumerate() {
            *out = F::read(bytes).map_err(|error| EngineError::Malformed {
                from: self.from,
                what: self.what,
                reason: format!("element {}: {error}", first + index),
            })?;
        }
        Ok(())
    }
}

/// Encodes elements in place; `out` has `F::BYTES` bytes for each.
pub fn write_elements<F: Field>(elements: &[F], out: &mut [u8]) {
    elements.iter().zip(out.chunks_exact_mut(F::BYTES)).for_each(|(element, out)| element.write(out));
}

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Member({} of {:?}, {})", self.me, self.workers, self.scheme)
    }
}

impl fmt::Debug for Outbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.blobs.iter().map(|(to, blob)| (to, blob.len()))).finish()
    }
}

impl fmt::Debug for Inbox<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.blobs.iter().map(|(from, blob)| (from, blob.len()))).finish()
    }
}

#[cfg(test)]
mod tests {
    use quorate_field::F61;

    use super::*;

    #[test]
    fn what_is_written_in_order_is_read_in_order() {
        let mut outbox = Outbox::new();
        outbox.append_elements(2, &[F61::from_u64(5), F61::from_u64(6)]);
        outbox.append_words(2, &[u64::MAX]);
        outbox.append_words(3, &[]);
        let received = outbox.into_blobs();
        let mut inbox = Inbox::new(&received);
        let elements = inbox.take_elements::<F61>(2, 2, "shares").unwrap();
        let (mut second, mut word) = ([F61::ZERO], [0]);
        elements.read(1, &mut second).unwrap();
        inbox.take_words(2, &mut word, "words").unwrap();
        assert_eq!((second[0].to_u64(), word[0]), (6, u64::MAX));
        inbox.finish().unwrap();
    }

    #[test]
    fn the_sender_of_a_bad_message_is_named() {
        let received = BTreeMap::from([(4, vec![0xff; 12])]);
        let named = |result: Result<(), EngineError>| {
            assert!(matches!(result, Err(EngineError::Malformed { from: 4, .. })), "{result:?}");
        };
        named(Inbox::new(&received).take(4, 13, "shares").map(|_| ()));
        let mut inbox = Inbox::new(&received);
        named(inbox.take_elements::<F61>(4, 1, "shares").unwrap().read(0, &mut [F61::ZERO]));
        named(inbox.finish());
        let nobody = Inbox::new(&received).take(5, 1, "shares").map(|_| ());
        assert!(matches!(nobody, Err(EngineError::Malformed { from: 5, .. })));
    }
}
