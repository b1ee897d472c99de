//! From the workers' sharing to one over all helpers: how sealed bits are kept.
//!
//! A seal works on `2t + 1` workers, but any quorum inside the sealing helpers must be able to run later. So `t + 1`
//! workers, who between them hold every sub-share, each share the XOR of theirs again over all sets of `t` of the `n`
//! helpers: a sub-share for every set without the dealer, all from keyed streams but one. It is the last step of an
//! AND ([`super::CnfOneRound`]) with no product before it.
//!
//! The streams are of the *session's* set keys, which every member outside a set holds, and name the dealer: a
//! coalition lacks the key of a set that it lies in, which masks what each dealer outside it shares.
//!
//! Cost: one round; each of t + 1 dealers sends m - 1 - t words for a word of rows to the m members of the seal.

use quorate_sharing::prss::{Draw, DrawStream, HelperSet, Purpose, SessionKeys};
use quorate_sharing::{HelperNumber, Scheme};
use zeroize::Zeroize;

use super::domain::{xor_bytes, xor_words};
use super::layout::Layout;
use crate::EngineError;
use crate::round::{Inbox, Outbox};

/// Draws of what is spread, beside those of ANDs.
const SPREAD: u32 = 2;

/// One member's part in spreading an instruction's bits.
#[derive(Debug)]
pub struct Spread {
    me: HelperNumber,
    /// Sub-shares of a bit at this member afterwards: one for every set of the scheme without it.
    width: usize,
    dealers: Vec<SpreadDealer>,
}

/// One dealer, as seen by this member.
#[derive(Debug)]
struct SpreadDealer {
    number: HelperNumber,
    /// This member's sub-shares that come from streams.
    drawn: Vec<(usize, DrawStream)>,
    /// The one that is sent, where this member holds it.
    sent: Option<usize>,
    receivers: Vec<HelperNumber>,
    /// At the dealer: the sub-shares of the workers' sharing that it adds up.
    own: Vec<usize>,
}

/// Bits that are under way. Secret: wiped on drop.
pub struct PendingSpread {
    words: usize,
    bits: usize,
    /// Bit by bit, sub-share by sub-share.
    shares: Vec<u64>,
}

impl Spread {
    /// For member `me` of `members` (ascending), of whom the workers of `layout` are some; a member that does not work
    /// gives any worker's layout. `keys` are the member's of the session.
    ///
    /// # Panics
    /// If the scheme has no pseudo-random sharing.
    pub fn new(
        scheme: &Scheme,
        members: &[HelperNumber],
        layout: &Layout,
        me: HelperNumber,
        keys: &SessionKeys,
        instruction: u32,
    ) -> Self {
        let held: Vec<HelperSet> =
            HelperSet::all(scheme).into_iter().filter(|set| !set.contains(me)).collect();
        let places = layout.places();
        let dealers: Vec<usize> =
            (0..=layout.threshold()).map(|k| (instruction as usize + k) % places).collect();
        let dealer = |&place: &usize| {
            let number = layout.workers()[place];
            let before = before(members, number, layout.threshold());
            let draw = Draw { purpose: Purpose::And { dealer: number }, instruction, sub: SPREAD };
            let drawn = held.iter().enumerate().filter(|(_, set)| !set.contains(number) && **set != before);
            // A sub-share goes to the first of the dealers that holds it.
            let first = |set| dealers.iter().find(|&&dealer| !layout.set_has(set, dealer)) == Some(&place);
            let own = layout.held().iter().enumerate().filter(|(_, set)| number == me && first(**set));
            SpreadDealer {
                number,
                drawn: drawn.map(|(sub, set)| (sub, keys.set_stream(*set, &draw))).collect(),
                sent: held.iter().position(|set| *set == before),
                receivers: members
                    .iter()
                    .copied()
                    .filter(|member| *member != number && !before.contains(*member))
                    .collect(),
                own: own.map(|(sub, _)| sub).collect(),
            }
        };
        Spread { me, width: held.len(), dealers: dealers.iter().map(dealer).collect() }
    }

    /// Sub-shares of a bit afterwards.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Sends what this member deals of `bits` shares, at a worker its shares and elsewhere `None`, of `words` words of
    /// rows each, for the morsel whose first row is row `64 * first_word`.
    pub fn start(
        &self,
        shares: Option<&[&[u64]]>,
        bits: usize,
        words: usize,
        first_word: u64,
        outbox: &mut Outbox,
    ) -> PendingSpread {
        let mut pending = PendingSpread { words, bits, shares: vec![0; bits * self.width * words] };
        let (mut drawn, mut rest) = (vec![0; bits * words], vec![0; bits * words]);
        for dealer in &self.dealers {
            rest.fill(0);
            for (bit, rest) in rest.chunks_exact_mut(words.max(1)).enumerate() {
                let share = shares.and_then(|shares| shares.get(bit));
                for (share, sub) in
                    share.into_iter().flat_map(|share| dealer.own.iter().map(move |s| (share, s)))
                {
                    xor_words(rest, &share[sub * words..][..words]);
                }
            }
            for (sub, stream) in &dealer.drawn {
                stream.fill_words(first_word * bits as u64, &mut drawn);
                xor_words(&mut rest, &drawn);
                pending.add(self.width, *sub, &drawn);
            }
            if dealer.number == self.me {
                dealer.sent.iter().for_each(|sub| pending.add(self.width, *sub, &rest));
                dealer.receivers.iter().for_each(|receiver| outbox.append_words(*receiver, &rest));
            }
        }
        drawn.as_mut_slice().zeroize();
        rest.as_mut_slice().zeroize();
        pending
    }

    /// This member's shares over all helpers, bit by bit, sub-shares in the canonical order of the sets without it.
    pub fn finish(&self, mut pending: PendingSpread, inbox: &mut Inbox<'_>) -> Result<Vec<u64>, EngineError> {
        let (bits, words) = (pending.bits, pending.words);
        let mut received = vec![0; bits * words];
        for dealer in self.dealers.iter().filter(|dealer| dealer.number != self.me) {
            if let Some(sub) = dealer.sent {
                received.fill(0);
                xor_bytes(&mut received, inbox.take(dealer.number, 8 * bits * words, "spread bits")?);
                pending.add(self.width, sub, &received);
            }
        }
        received.zeroize();
        Ok(std::mem::take(&mut pending.shares))
    }
}

impl PendingSpread {
    fn add(&mut self, width: usize, sub: usize, bits: &[u64]) {
        for (bit, words) in bits.chunks_exact(self.words.max(1)).enumerate() {
            xor_words(&mut self.shares[(bit * width + sub) * self.words..][..self.words], words);
        }
    }
}

/// The `t` members before one of them, cyclically.
fn before(members: &[HelperNumber], number: HelperNumber, threshold: usize) -> HelperSet {
    let place = members.iter().position(|member| *member == number).unwrap_or(0) + members.len();
    HelperSet::of(&(1..=threshold).map(|k| members[(place - k) % members.len()]).collect::<Vec<_>>())
}

impl Drop for PendingSpread {
    fn drop(&mut self) {
        self.shares.as_mut_slice().zeroize();
    }
}

impl std::fmt::Debug for PendingSpread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PendingSpread({} bits of {} words)", self.bits, self.words)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use quorate_hash::Digest;

    use super::super::Shrink;
    use super::*;
    use crate::testing::{keys, scheme};

    /// Worker `i` of a sharing holds known sub-shares; spread over all members and shrunk to other workers, the bit is
    /// the same.
    #[test]
    fn what_is_spread_is_the_same_bit_for_every_quorum() {
        for (n, t, members, workers, quorum) in [
            (4, 1, vec![1, 2, 3, 4], vec![1, 2, 3], vec![2, 3, 4]),
            (4, 1, vec![1, 2, 4], vec![1, 2, 4], vec![1, 2, 4]),
            (6, 2, vec![1, 2, 3, 4, 5, 6], vec![1, 2, 3, 5, 6], vec![2, 3, 4, 5, 6]),
        ] {
            let scheme = scheme(n, t);
            let layout = |workers: &[u8], me| Layout::new(t, workers, me);
            let sub =
                |set: HelperSet, i: u64| set.mask().wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(i as u32);
            let mut outboxes: BTreeMap<u8, BTreeMap<u8, Vec<u8>>> = BTreeMap::new();
            let mut pending = Vec::new();
            for &me in &members {
                let mine = layout(&workers, me);
                let any = layout(&workers, workers[0]).unwrap();
                let keys = keys(&scheme, me, &Digest([4; 32]));
                let spread = Spread::new(&scheme, &members, mine.as_ref().unwrap_or(&any), me, &keys, 1);
                let share: Option<Vec<Vec<u64>>> = mine.map(|layout| {
                    (0..2)
                        .map(|i| layout.held_sets().flat_map(|set| [sub(set, i), sub(set, i + 9)]).collect())
                        .collect()
                });
                let share: Option<Vec<&[u64]>> =
                    share.as_ref().map(|share| share.iter().map(Vec::as_slice).collect());
                let mut outbox = Outbox::new();
                pending.push((me, spread.start(share.as_deref(), 2, 2, 3, &mut outbox), spread));
                for (to, blob) in outbox.into_blobs() {
                    outboxes.entry(to).or_default().insert(me, blob);
                }
            }
            let mut opened: BTreeMap<HelperSet, Vec<u64>> = BTreeMap::new();
            for (me, pending, spread) in pending {
                let received = outboxes.remove(&me).unwrap_or_default();
                let mut inbox = Inbox::new(&received);
                let shares = spread.finish(pending, &mut inbox).unwrap();
                inbox.finish().unwrap();
                let Some(layout) = layout(&quorum, me) else { continue };
                let shrink = Shrink::new(&scheme, &layout);
                assert_eq!(shrink.width_before(), spread.width());
                let mut out = vec![0; layout.width() * 2];
                let second = &shares[spread.width() * 2..];
                shrink.apply(second, &mut out);
                for (set, words) in layout.held_sets().zip(out.chunks(2)) {
                    assert_eq!(opened.entry(set).or_insert(words.to_vec()), words, "holders of {set} agree");
                }
            }
            let of_workers: Vec<HelperSet> = HelperSet::all(&scheme)
                .into_iter()
                .filter(|set| set.iter().all(|helper| workers.contains(&helper)))
                .collect();
            for (word, offset) in [(0, 1), (1, 10)] {
                let expected = of_workers.iter().fold(0, |bit, set| bit ^ sub(*set, offset));
                assert_eq!(opened.values().fold(0, |bit, words| bit ^ words[word]), expected, "({n},{t})");
            }
        }
    }
}
