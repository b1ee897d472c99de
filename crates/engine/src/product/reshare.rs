//! Degree reduction by resharing.
//!
//! Gennaro, Rabin, Rabin, "Simplified VSS and fast-track multiparty computations with applications to threshold
//! cryptography", PODC 1998. Since `x * y = sum_i lambda_i * z_i` over the `2t + 1` workers `i`, where lambda
//! interpolates degree `2t` at 0, each worker deals `lambda_i * z_i` afresh with degree `t`, and everybody adds up what
//! it was dealt.
//!
//! Differs from the paper: the `t` workers after a dealer, cyclically, do not receive their share but draw it from the
//! key that they have in common with the dealer (Cramer, Damgård, Ishai, TCC 2005); these `t` values and the one at 0
//! fix the dealer's polynomial. A dealer sends `t` elements a product, and so each pair of workers has one direction
//! that is drawn and one that is sent. The draw names the direction all the same: the argument must not hang on the
//! assignment.
//!
//! A **dealing** is the same for a value that one worker knows: it alone deals, the value itself.
//!
//! Secrecy: of an honest dealer's polynomial, uniform of degree `t` but for its value at 0, `t` workers see `t` values.
//!
//! Cost: one round; `t` elements sent and `2t` streams expanded per worker and product, or per dealer and value.

use quorate_field::Field;
use quorate_sharing::prss::{DrawStream, Purpose};
use quorate_sharing::{HelperNumber, Shares, lagrange_at, lagrange_at_zero};

use super::{BLOCK, Degree2t};
use crate::EngineError;
use crate::round::{Inbox, Member, Outbox, write_elements};
use crate::verified::{Segment, Unverified};

/// What messages are called in errors.
const WHAT: &str = "reshared products";

/// Who draws its share of a dealer's polynomial from the common key: `t` of the other workers.
pub(super) type Drawers = fn(&Member, HelperNumber) -> Vec<HelperNumber>;

/// Products of which the shares that others send are missing.
#[derive(Debug)]
pub struct PendingReshare<F: Field> {
    segment: Segment,
    /// What this worker was dealt by itself and drew of others.
    sum: Shares<F>,
    /// The dealers that send.
    senders: Vec<HelperNumber>,
}

/// `[z]_2t -> [z]_t`, one for each row of the segment: deals this worker's shares.
///
/// # Panics
/// If the segment's rows are not as many as the shares.
pub fn reshare<F: Field>(
    member: &Member,
    segment: Segment,
    z: &Degree2t<F>,
    outbox: &mut Outbox,
) -> PendingReshare<F> {
    reshare_as(member, segment, z, outbox, |member, dealer| {
        member.after(dealer, member.threshold()).collect()
    })
}

/// [`reshare`], where `drawers` says who draws.
pub(super) fn reshare_as<F: Field>(
    member: &Member,
    segment: Segment,
    z: &Degree2t<F>,
    outbox: &mut Outbox,
    drawers: Drawers,
) -> PendingReshare<F> {
    segment.assert_rows(z.len());
    let lambda = lagrange_at_zero::<F>(member.workers())[member.place()];
    begin(member, segment, member.workers(), Some((lambda, z.0.as_slice())), outbox, drawers)
}

/// A sharing of degree `t` of values that `dealer` knows, one for each row of the segment. The dealer gives the values,
/// the others nothing.
///
/// # Panics
/// If the dealer gives no value for each of the segment's rows, or another worker gives any.
pub fn deal<F: Field>(
    member: &Member,
    segment: Segment,
    dealer: HelperNumber,
    values: Option<&Shares<F>>,
    outbox: &mut Outbox,
) -> PendingReshare<F> {
    assert_eq!(values.is_some(), dealer == member.me(), "the dealer's values");
    let mine = values.map(|values| {
        segment.assert_rows(values.len());
        (F::ONE, values.as_slice())
    });
    begin(member, segment, &[dealer], mine, outbox, |member, dealer| {
        member.after(dealer, member.threshold()).collect()
    })
}

/// What this worker deals, `mine`, if it is one of the dealers: its values and a factor of them all; and what it draws of
/// the others.
fn begin<F: Field>(
    member: &Member,
    segment: Segment,
    dealers: &[HelperNumber],
    mine: Option<(F, &[F])>,
    outbox: &mut Outbox,
    drawers: Drawers,
) -> PendingReshare<F> {
    let me = member.me();
    let draws_from = |dealer: &HelperNumber| drawers(member, *dealer).contains(&me);
    let others = dealers.iter().copied().filter(|dealer| *dealer != me);
    let (drawn, senders): (Vec<_>, Vec<_>) = others.partition(draws_from);
    let count = segment.count();
    let mut sum = Shares::zeros(count);
    if mine.is_none() && drawn.is_empty() {
        return PendingReshare { segment, sum, senders };
    }
    let drawers = if mine.is_some() { drawers(member, me) } else { Vec::new() };
    let factor = mine.map(|(factor, _)| factor);
    let mut dealer = Dealer::new(member, &segment, factor, drawers, &drawn, outbox);
    for (index, sum) in sum.as_mut_slice().chunks_mut(BLOCK).enumerate() {
        let start = index * BLOCK;
        let values = mine.map(|(_, values)| &values[start..start + sum.len()]);
        dealer.deal(start, values, sum, outbox);
    }
    PendingReshare { segment, sum, senders }
}

impl<F: Field> PendingReshare<F> {
    /// Adds what the other dealers sent.
    pub fn finish(
        mut self,
        _member: &Member,
        inbox: &mut Inbox<'_>,
    ) -> Result<Unverified<Shares<F>>, EngineError> {
        let mut dealt = Shares::zeros(BLOCK.min(self.sum.len()));
        for &sender in &self.senders {
            let elements = inbox.take_elements::<F>(sender, self.sum.len(), WHAT)?;
            for (index, sum) in self.sum.as_mut_slice().chunks_mut(BLOCK).enumerate() {
                let dealt = &mut dealt.as_mut_slice()[..sum.len()];
                elements.read(index * BLOCK, dealt)?;
                F::add_slices(sum, dealt);
            }
        }
        Ok(Unverified::of_segment(self.sum, self.segment))
    }
}

/// One worker's dealing of one segment, block by block.
struct Dealer<F: Field> {
    first_row: u64,
    /// This worker's streams with those that draw from it, then with those of which it draws.
    streams: Vec<DrawStream>,
    /// How many draw from it: `t`.
    drawers: usize,
    /// Who is sent, the place of its elements in its outbox, and the weights of `z` and of the drawn shares in its
    /// share of this worker's polynomial.
    receivers: Vec<(HelperNumber, usize, Vec<F>)>,
    /// The weights of this worker's own share; none if it deals nothing.
    own: Vec<F>,
    /// A block of each stream.
    drawn: Vec<Shares<F>>,
    share: Shares<F>,
}

impl<F: Field> Dealer<F> {
    fn new(
        member: &Member,
        segment: &Segment,
        factor: Option<F>,
        drawers: Vec<HelperNumber>,
        drawn: &[HelperNumber],
        outbox: &mut Outbox,
    ) -> Self {
        let (me, count) = (member.me(), segment.count());
        let stream = |dealer, recipient, other| {
            member.keys().pair_stream(other, &segment.draw(Purpose::Reshare { dealer, recipient }))
        };
        let to = drawers.iter().map(|recipient| stream(me, *recipient, *recipient));
        let from = drawn.iter().map(|dealer| stream(*dealer, me, *dealer));
        let streams: Vec<DrawStream> = to.chain(from).collect();

        // The polynomial is the factor times the value at 0 and the drawn shares at the drawers.
        let nodes: Vec<HelperNumber> = std::iter::once(0).chain(drawers.iter().copied()).collect();
        let weights = |factor: F, at| {
            let mut weights = lagrange_at::<F>(&nodes, at);
            weights[0] *= factor;
            weights
        };
        let (mut receivers, mut own) = (Vec::new(), Vec::new());
        if let Some(factor) = factor {
            for to in member.others().filter(|other| !drawers.contains(other)) {
                receivers.push((to, outbox.reserve(to, count * F::BYTES), weights(factor, to)));
            }
            own = weights(factor, me);
        }
        let block = || Shares::zeros(BLOCK.min(count));
        Dealer {
            first_row: segment.rows.start,
            drawers: drawers.len(),
            receivers,
            own,
            drawn: streams.iter().map(|_| block()).collect(),
            share: block(),
            streams,
        }
    }

    /// Deals the block of values that starts at element `start`: writes what is sent, and into `sum`, zero before, what
    /// this worker deals itself and draws of others.
    fn deal(&mut self, start: usize, values: Option<&[F]>, sum: &mut [F], outbox: &mut Outbox) {
        let (row, length) = (self.first_row + start as u64, sum.len());
        for (stream, drawn) in self.streams.iter().zip(&mut self.drawn) {
            stream.fill(row, &mut drawn.as_mut_slice()[..length]);
        }
        let (to, from) = self.drawn.split_at(self.drawers);
        let rows: Vec<&[F]> =
            values.into_iter().chain(to.iter().map(|row| &row.as_slice()[..length])).collect();
        let share = &mut self.share.as_mut_slice()[..length];
        for (receiver, place, weights) in &self.receivers {
            share.fill(F::ZERO);
            F::weighted_sum(share, weights, &rows);
            let bytes = outbox.slice(*receiver, place + start * F::BYTES, length * F::BYTES);
            write_elements(share, bytes);
        }
        F::weighted_sum(sum, &self.own, &rows);
        let rows: Vec<&[F]> = from.iter().map(|row| &row.as_slice()[..length]).collect();
        F::accumulate_rows(sum, &rows);
    }
}
