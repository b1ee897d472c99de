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
//! Cost: 1 + t rounds; 2 t^2 elements sent by each worker and bit; t products.

use quorate_field::Field;
use quorate_sharing::{Shares, lagrange_at_zero};

use super::convert::set_weight;
use super::layout::Layout;
use crate::EngineError;
use crate::product::{Degree2t, PendingReshare, reshare};
use crate::round::{Inbox, Member, Outbox, Progress};
use crate::verified::{Segment, Unverified};

/// A column of bits on its way, driven as a [`super::Execution`] is. Secret: wiped on drop, does not print.
pub struct ToArithmetic<F: Field> {
    segment: Segment,
    /// Before the first round: this worker's v_i, one column for each dealer and zero but for its own.
    dealt: Vec<Shares<F>>,
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
        #[expect(clippy::expect_used, reason = "rows of a morsel, which is in memory")]
        let rows = usize::try_from(segment.rows.end - segment.rows.start).expect("rows fit the memory");
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
        // A dealing is a reduction of the degree of v_i / lambda_i at the dealer and of zero at the others.
        let lambda: Vec<F> = lagrange_at_zero(layout.workers());
        #[expect(clippy::expect_used, reason = "Lagrange coefficients at zero of non-zero points")]
        let inverse = lambda[layout.place()].inverse().expect("a coefficient that is not zero");
        let part = |&dealer: &usize| {
            let is_mine = dealer == layout.place();
            column(&|set| is_mine && layout.dealer_of(&dealers, set) == Some(dealer), inverse)
        };
        let dealt = dealers.iter().map(part).collect();
        ToArithmetic {
            segment,
            dealt,
            parts: Vec::new(),
            sum,
            folded: 0,
            pending: Vec::new(),
            transcript: Vec::new(),
        }
    }

    /// Writes what to send next.
    pub fn advance(&mut self, member: &Member, outbox: &mut Outbox) -> Progress {
        if !self.dealt.is_empty() {
            let ones = Shares::from_vec(vec![F::ONE; self.sum.len()]);
            for (sub, column) in (0..).zip(std::mem::take(&mut self.dealt)) {
                let product = Degree2t::product(&column, &ones);
                self.pending.push(reshare(member, self.sub_segment(sub), &product, outbox));
            }
            return Progress::Sent;
        }
        let Some(part) = self.parts.last() else { return Progress::Ended };
        let product = Degree2t::product(&self.sum, part);
        let sub = self.folded + u32::from(member.scheme().threshold());
        self.pending.push(reshare(member, self.sub_segment(sub), &product, outbox));
        Progress::Sent
    }

    /// Reads what the others sent in the same round.
    pub fn receive(&mut self, member: &Member, inbox: &mut Inbox<'_>) -> Result<(), EngineError> {
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
