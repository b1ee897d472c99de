//! Opening of verdict bits: every worker learns them.
//!
//! For a receiver `i` and every set B that it is in, the first worker after `i` that is outside B sends b_B; a sender
//! adds up all that it has for one receiver. A coalition of `t` lacks one sub-share of the bit, and the bit gives it
//! that one anyway: it learns nothing more. Cost: one round, t words sent by each worker for a word of rows.

use super::domain::{xor_bytes, xor_words};
use super::execution::Outputs;
use super::layout::{Layout, Place};
use crate::EngineError;
use crate::round::{Inbox, Outbox};
use crate::verified::Verified;

/// Bits that are being opened. Secret until they are.
pub struct PendingOpening(Outputs);

/// Sends to the other workers what they lack of all these bits. Only verified bits can be opened: a carry with an
/// error in it would be a predicate of honest people's values.
pub fn open(layout: &Layout, bits: Verified<Outputs>, outbox: &mut Outbox) -> PendingOpening {
    let bits = bits.release();
    for bit in 0..bits.len() {
        let (share, words) = (bits.bit(bit), bits.bit(bit).len() / layout.width());
        for receiver in (0..layout.places()).filter(|place| *place != layout.place()) {
            let mut sum = vec![0; words];
            let mine =
                |set: usize| layout.set_has(set, receiver) && sender(layout, receiver, set) == layout.place();
            for (sub, _) in layout.held().iter().enumerate().filter(|(_, set)| mine(**set)) {
                xor_words(&mut sum, &share[sub * words..][..words]);
            }
            if senders(layout, receiver).contains(&layout.place()) {
                outbox.append_words(layout.workers()[receiver], &sum);
            }
        }
    }
    PendingOpening(bits)
}

impl PendingOpening {
    /// The opened bits, one after the other.
    pub fn finish(self, layout: &Layout, inbox: &mut Inbox<'_>) -> Result<Vec<Vec<u64>>, EngineError> {
        let open = |bit| {
            let words = self.0.bit(bit).len() / layout.width();
            let mut opened = vec![0; words];
            self.0.bit(bit).chunks_exact(words.max(1)).for_each(|sub| xor_words(&mut opened, sub));
            for place in senders(layout, layout.place()) {
                xor_bytes(&mut opened, inbox.take(layout.workers()[place], 8 * words, "opened bits")?);
            }
            Ok(opened)
        };
        (0..self.0.len()).map(open).collect()
    }
}

/// Who sends `receiver` the sub-share of a set that it is in: there are `t + 1` workers outside.
fn sender(layout: &Layout, receiver: Place, set: usize) -> Place {
    let after = (1..layout.places()).map(|k| (receiver + k) % layout.places());
    after.into_iter().find(|&place| !layout.set_has(set, place)).unwrap_or(receiver)
}

/// All who send something: a set with the receiver has `t - 1` others, so one of the next `t` is outside.
fn senders(layout: &Layout, receiver: Place) -> Vec<Place> {
    (1..=layout.threshold()).map(|k| (receiver + k) % layout.places()).collect()
}

impl std::fmt::Debug for PendingOpening {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PendingOpening({} bits)", self.0.len())
    }
}
