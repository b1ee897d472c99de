//! Degree reduction by a king.
//!
//! Damgård, Nielsen, "Scalable and unconditionally secure multiparty computation", CRYPTO 2007: the king learns
//! `e = x * y + r` for a random `r` that all hold shares of, and shares it; subtracting `[r]_t` leaves `[x * y]_t`. With the
//! shares of `t` workers fixed at zero, which need not be sent, as in Goyal, Song, "Malicious security comes free in
//! honest-majority MPC", 2020.
//!
//! 1. Every worker sends the king `v_i = lambda_i * (z_i + r_i) + o_i`, where lambda interpolates degree `2t` at 0 and the
//!    `o_i` are a fresh sharing of zero; the king adds them up to `e`.
//! 2. The king sends the workers but the `t` after it their values of the polynomial of degree `t` that is `e` at 0 and
//!    zero at those `t`; everybody subtracts `r_i`.
//!
//! Differs from the paper: `[r]_t` comes from pseudo-random sharing, and its sharing of degree `2t` is the same one plus a
//! sharing of zero; with `2t + 1` workers those are exactly the vectors `o_i / lambda_i` with `sum_i o_i = 0`, so that
//! `o_i`, the sum of what it draws with each worker above it less what it draws with each below, does it with `2t`
//! streams instead of `t * C(n-1, t)`. **Not optional**: without it the king sees `z_i + r_i`, of which `r_i` lie on
//! a polynomial of degree `t`, and learns of the `z_i` what the degree above `t` holds.
//!
//! Each worker is king of its part of the rows. Cost: two rounds; `(2t + t)/(2t + 1)` elements sent and `C(n-1, t) + 2t`
//! streams expanded per worker and product.

use std::ops::Range;

use quorate_field::Field;
use quorate_sharing::prss::Purpose;
use quorate_sharing::{HelperNumber, Shares, lagrange_at, lagrange_at_zero};

use super::Degree2t;
use crate::EngineError;
use crate::round::{Inbox, Member, Outbox};
use crate::verified::{Segment, Unverified};

/// What messages are called in errors.
const MASKED: &str = "masked products";
const SHARED: &str = "shares of masked products";

/// Products that are masked and on their way to the kings.
#[derive(Debug)]
pub struct PendingKing<F: Field> {
    segment: Segment,
    /// `[r]_t`.
    mask: Shares<F>,
    /// This worker's `v` of the rows that it is king of.
    own: Shares<F>,
}

/// Products whose masked values the kings have shared.
#[derive(Debug)]
pub struct PendingShare<F: Field> {
    segment: Segment,
    mask: Shares<F>,
    /// This worker's shares of the masked products that it is king of.
    own: Shares<F>,
}

/// `[z]_2t -> [z]_t`, one for each row of the segment: masks this worker's shares and sends them to the kings.
///
/// # Panics
/// If the segment's rows are not as many as the shares.
pub fn king<F: Field>(
    member: &Member,
    segment: Segment,
    z: Degree2t<F>,
    outbox: &mut Outbox,
) -> PendingKing<F> {
    segment.assert_rows(z.len());
    // 1. v = lambda * (z + r) + o
    let mask = member.keys().random_shares::<F>(&segment.draw(Purpose::KingMask), segment.rows.clone());
    let Degree2t(mut masked) = z;
    masked.add_assign(&mask);
    masked.scale(lagrange_at_zero::<F>(member.workers())[member.place()]);
    add_zero(member, &segment, masked.as_mut_slice());
    for other in member.others() {
        outbox.append_elements(other, &masked.as_slice()[rows_of(member, other, mask.len())]);
    }
    let own = &masked.as_slice()[rows_of(member, member.me(), mask.len())];
    PendingKing { segment, own: Shares::from_vec(own.to_vec()), mask }
}

impl<F: Field> PendingKing<F> {
    /// As king: opens this worker's part and shares it.
    pub fn share(
        self,
        member: &Member,
        inbox: &mut Inbox<'_>,
        outbox: &mut Outbox,
    ) -> Result<PendingShare<F>, EngineError> {
        let PendingKing { segment, mask, own: mut opened } = self;
        let mut received = Shares::zeros(opened.len());
        for other in member.others() {
            inbox.take_elements::<F>(other, opened.len(), MASKED)?.read(0, received.as_mut_slice())?;
            opened.add_assign(&received);
        }
        // 2. e times the polynomial that is 1 at 0 and 0 at the zeros.
        let me = member.me();
        let share = |at| {
            let mut share = opened.duplicate();
            share.scale(weight::<F>(member, me, at));
            share
        };
        for other in member.others().filter(|other| !is_zero_of(member, me, *other)) {
            outbox.append_elements(other, share(other).as_slice());
        }
        Ok(PendingShare { segment, mask, own: share(me) })
    }
}

impl<F: Field> PendingShare<F> {
    /// Takes the mask off what the kings shared.
    pub fn finish(
        self,
        member: &Member,
        inbox: &mut Inbox<'_>,
    ) -> Result<Unverified<Shares<F>>, EngineError> {
        let mut product = Shares::zeros(self.mask.len());
        for &king in member.workers() {
            let part = &mut product.as_mut_slice()[rows_of(member, king, self.mask.len())];
            if king == member.me() {
                part.copy_from_slice(self.own.as_slice());
            } else if !is_zero_of(member, king, member.me()) {
                inbox.take_elements::<F>(king, part.len(), SHARED)?.read(0, part)?;
            }
        }
        product.sub_assign(&self.mask);
        Ok(Unverified::of_segment(product, self.segment))
    }
}

/// The part of `count` rows that a worker is king of: the same everywhere, and as equal as can be.
pub(super) fn rows_of(member: &Member, king: HelperNumber, count: usize) -> Range<usize> {
    let (place, workers) = (member.place_of(king), member.workers().len());
    count * place / workers..count * (place + 1) / workers
}

/// Whether a king's sharing is fixed at zero at `worker`.
fn is_zero_of(member: &Member, king: HelperNumber, worker: HelperNumber) -> bool {
    member.after(king, member.threshold()).any(|zero| zero == worker)
}

/// The value at `at` of the polynomial of degree `t` that is 1 at 0 and 0 at the king's zeros.
fn weight<F: Field>(member: &Member, king: HelperNumber, at: HelperNumber) -> F {
    let nodes: Vec<HelperNumber> = std::iter::once(0).chain(member.after(king, member.threshold())).collect();
    lagrange_at::<F>(&nodes, at)[0]
}

/// Adds this worker's part of a sharing of zero, additive over the workers.
fn add_zero<F: Field>(member: &Member, segment: &Segment, out: &mut [F]) {
    let me = member.me();
    for other in member.others() {
        let purpose = Purpose::PairZero { adds: me.min(other), subtracts: me.max(other) };
        let sign = if me < other { F::ONE } else { -F::ONE };
        let stream = member.keys().pair_stream(other, &segment.draw(purpose));
        stream.add_scaled(segment.rows.start, sign, out);
    }
}
