//! From a shared bit to Shamir shares of it.
//!
//! As in a conversion the other way ([`super::convert`]), `t` workers C, in order, know between them every sub-share but
//! that of C itself: worker i of C knows v_i, the XOR of the sub-shares that it holds and none before it, and
//!
//! ```text
//! b = b_C xor v_1 xor ... xor v_t
//! ```
//!
//! All holders of b_C know it, so b_C f_C(j) is a sharing without a message (Cramer, Damgård, Ishai, TCC 2005); each
//! v_i is dealt by its worker; `t` products fold them, x xor y = x + y - 2xy. No daBit is needed: nothing is opened.
//! Instead of random bits that are shared twice (Rotaru, Wood, "MArBled circuits", INDOCRYPT 2019) it is the bit itself.
//!
//! Where only the number of ones is asked for, the last products are added up before they are reduced: one reduction for
//! all rows.
//!
//! Cost: 1 + t rounds; t elements sent by each of t dealers and bit; t products, or t - 1 and a round less.

use quorate_field::Field;
use quorate_sharing::{HelperNumber, Shares};

use super::convert::set_weight;
use super::layout::Layout;
use crate::EngineError;
use crate::product::{Degree2t, PendingReshare, deal, reshare};
use crate::round::{Inbox, Member, Outbox, Progress};
use crate::verified::{Segment, Unverified};

/// A column of bits on its way, driven as a [`super::Execution`] is. Secret: wiped on drop, does not print.
pub struct ToArithmetic<F: Field> {
    segment: Segment,
    /// Whether only the number of ones is asked for.
    counts: bool,
    /// Before the first round: the dealers, and this worker's v_i.
    dealt: Vec<(HelperNumber, Option<Shares<F>>)>,
    /// v_1 to v_t, as far as they are not folded.
    parts: Vec<Shares<F>>,
    sum: Shares<F>,
    folded: u32,
    pending: Vec<PendingReshare<F>>,
    /// The products that the sum depends on.
    transcript: Vec<Unverified<()>>,
}

impl<F: Field> ToArithmetic<F> {
    /// One bit of the segment's rows: `share` is this worker's, sub-shares one after the other. The segment's
    /// sub-draws `0..2t` are used.
    ///
    /// # Panics
    /// If the lengths do not fit.
    pub fn new(layout: &Layout, segment: Segment, share: &[u64]) -> Self {
        let rows = segment.count();
        let words = super::lanes::words(rows);
        assert_eq!(share.len(), layout.width() * words, "one share of all rows");
        let (direct, dealers) = layout.dealers(segment.instruction);
        let column = |keep: &dyn Fn(usize) -> bool, weight: F| {
            let mut bit = vec![0; words];
            for (sub, _) in layout.held().iter().enumerate().filter(|(_, set)| keep(**set)) {
                super::domain::xor_words(&mut bit, &share[sub * words..][..words]);
            }
            let element = |row: usize| F::from_u64(bit[row / 64] >> (row % 64) & 1) * weight;
            Shares::from_vec((0..rows).map(element).collect())
        };
        let weight = set_weight(layout.me(), layout.helpers_of(direct));
        let sum = column(&|set| set == direct, weight);
        let part = |&dealer: &usize| {
            let is_mine = dealer == layout.place();
            let known = || column(&|set| layout.dealer_of(&dealers, set) == Some(dealer), F::ONE);
            (layout.workers()[dealer], is_mine.then(known))
        };
        let dealt = dealers.iter().map(part).collect();
        ToArithmetic {
            segment,
            counts: false,
            dealt,
            parts: Vec::new(),
            sum,
            folded: 0,
            pending: Vec::new(),
            transcript: Vec::new(),
        }
    }

    /// The same for the number of ones alone, for [`ToArithmetic::finish_count`].
    pub fn counting(layout: &Layout, segment: Segment, share: &[u64]) -> Self {
        ToArithmetic { counts: true, ..ToArithmetic::new(layout, segment, share) }
    }

    /// Writes what to send next.
    pub fn advance(&mut self, member: &Member, outbox: &mut Outbox) -> Progress {
        if !self.dealt.is_empty() {
            for (sub, (dealer, values)) in (0..).zip(std::mem::take(&mut self.dealt)) {
                self.pending.push(deal(member, self.sub_segment(sub), dealer, values.as_ref(), outbox));
            }
            return Progress::Sent;
        }
        let Some(part) = self.parts.last().filter(|_| !self.is_counted()) else { return Progress::Ended };
        let product = Degree2t::product(&self.sum, part);
        let sub = self.folded + u32::from(member.scheme().threshold());
        self.pending.push(reshare(member, self.sub_segment(sub), &product, outbox));
        Progress::Sent
    }

    /// Reads what the others sent in the same round.
    pub fn receive(&mut self, member: &Member, inbox: &mut Inbox<'_>) -> Result<(), EngineError> {
        if self.pending.is_empty() {
            // It ended before others of the same round.
            return Ok(());
        }
        let mut received = Vec::with_capacity(self.pending.len());
        for pending in std::mem::take(&mut self.pending) {
            self.transcript.push(pending.finish(member, inbox)?.map(|shares| received.push(shares)));
        }
        match self.parts.pop() {
            None => self.parts = received,
            Some(part) => {
                // x xor y = x + y - 2xy
                let two = F::ONE + F::ONE;
                self.sum.add_assign(&part);
                received.iter().for_each(|product| self.sum.add_scaled(-two, product));
                self.folded += 1;
            }
        }
        Ok(())
    }

    /// Shares of degree `t` of the bit, once [`ToArithmetic::advance`] said that it has ended.
    pub fn finish(self) -> Unverified<Shares<F>> {
        assert!(self.dealt.is_empty() && self.parts.is_empty(), "the conversion has ended");
        self.finished()
    }

    /// This worker's share, of degree `2t`, of the number of ones, once [`ToArithmetic::advance`] said that it has ended.
    ///
    /// # Panics
    /// If it has not, or does not count.
    pub fn finish_count(mut self) -> Unverified<Shares<F>> {
        assert!(self.is_counted(), "the count has ended");
        // x xor y = x + y - 2xy, added up
        let part = self.parts.pop().unwrap_or_else(|| Shares::zeros(self.sum.len()));
        let (x, y) = (self.sum.as_slice(), part.as_slice());
        let both = F::dot(x, y);
        let count = F::sum_slice(x) + F::sum_slice(y) - both - both;
        self.sum = Shares::from_vec(vec![count]);
        self.finished()
    }

    /// Whether one part is left of what is counted.
    fn is_counted(&self) -> bool {
        self.counts && self.dealt.is_empty() && self.parts.len() == 1
    }

    fn finished(self) -> Unverified<Shares<F>> {
        let join = |sum: Unverified<_>, products| sum.zip(products).map(|(sum, ())| sum);
        self.transcript.into_iter().fold(Unverified::new(self.sum), join)
    }

    fn sub_segment(&self, sub: u32) -> Segment {
        Segment { sub, ..self.segment.clone() }
    }
}

impl<F: Field> std::fmt::Debug for ToArithmetic<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ToArithmetic({} rows, {} folded)", self.sum.len(), self.folded)
    }
}
