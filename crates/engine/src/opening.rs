//! Openings: masked values that the workers make known to each other.
//!
//! A value is never opened bare: [`Mask`] is a fresh pseudo-random sharing `[r]_t`, used up by the one [`Masked`] value
//! `x - r` that it makes, and [`open`] takes nothing else. Results are not opened but revealed to the analyst.
//!
//! Cost: one round; each worker sends each value to `t` others ([`Points::Enough`]) or to all `2t` ([`Points::All`]). With
//! just enough points a worker that lies shifts what others see and nobody notices, as with a product; with all, any
//! wrong point of up to `t` shows, and nobody is named: it takes `3t + 1` points to tell whose it is.

use quorate_field::Field;
use quorate_sharing::prss::{Draw, Purpose};
use quorate_sharing::{HelperNumber, Shares, is_degree_at_most, lagrange_at_zero};

use crate::EngineError;
use crate::round::{Inbox, Member, Outbox};
use crate::verified::Segment;

/// What messages are called in errors.
const WHAT: &str = "masked values";

/// Shares of random values that nobody knows, to mask one value each.
#[derive(Debug)]
pub struct Mask<F: Field>(Shares<F>);

/// Shares of values less their masks: uniform, whatever the values are.
#[derive(Debug)]
pub struct Masked<F: Field>(Shares<F>);

/// Masked values that all workers know. Only an opening makes them.
#[derive(Debug)]
pub struct Opened<F: Field>(Vec<F>);

/// How many points of a polynomial a worker gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Points {
    /// `t + 1`, its own included.
    Enough,
    /// All `2t + 1`: they must fit.
    All,
}

/// Masked values of which the others' shares are missing.
#[derive(Debug)]
pub struct PendingOpening<F: Field> {
    own: Shares<F>,
    points: Points,
}

impl<F: Field> Mask<F> {
    /// Fresh masks for the segment's rows. The values `r_A` that they are made of are those of the same draw,
    /// [`Mask::draw_of`].
    pub fn new(member: &Member, segment: &Segment) -> Self {
        Mask(member.keys().random_shares(&Self::draw_of(segment), segment.rows.clone()))
    }

    /// The draw of a segment's masks.
    pub fn draw_of(segment: &Segment) -> Draw {
        segment.draw(Purpose::Random)
    }

    /// `[x - r]_t`; equal lengths.
    pub fn hide(self, x: &Shares<F>) -> Masked<F> {
        let mut masked = x.duplicate();
        masked.sub_assign(&self.0);
        Masked(masked)
    }
}

impl<F: Field> Opened<F> {
    /// The masked values.
    pub fn values(&self) -> &[F] {
        &self.0
    }
}

/// Opens masked values to all workers.
pub fn open<F: Field>(
    member: &Member,
    masked: Masked<F>,
    points: Points,
    outbox: &mut Outbox,
) -> PendingOpening<F> {
    let count = match points {
        Points::Enough => member.threshold(),
        Points::All => 2 * member.threshold(),
    };
    for to in member.before(member.me(), count) {
        outbox.append_elements(to, masked.0.as_slice());
    }
    PendingOpening { own: masked.0, points }
}

impl<F: Field> PendingOpening<F> {
    /// Interpolates what was received. To blame for points that do not fit: one of the workers.
    pub fn finish(self, member: &Member, inbox: &mut Inbox<'_>) -> Result<Opened<F>, EngineError> {
        let (t, me) = (member.threshold(), member.me());
        let from: Vec<HelperNumber> = match self.points {
            Points::Enough => member.after(me, t).collect(),
            Points::All => member.after(me, 2 * t).collect(),
        };
        let mut received: Vec<Vec<F>> = Vec::with_capacity(from.len());
        for &sender in &from {
            let mut shares = vec![F::ZERO; self.own.len()];
            inbox.take_elements::<F>(sender, shares.len(), WHAT)?.read(0, &mut shares)?;
            received.push(shares);
        }
        let others = from.iter().copied().zip(received.iter().map(Vec::as_slice));
        let points: Vec<(HelperNumber, &[F])> =
            std::iter::once((me, self.own.as_slice())).chain(others).collect();
        if !is_degree_at_most(t, &points) {
            return Err(EngineError::Inconsistent { what: WHAT });
        }
        let (numbers, rows): (Vec<HelperNumber>, Vec<&[F]>) = points[..=t].iter().copied().unzip();
        let mut opened = vec![F::ZERO; self.own.len()];
        F::weighted_sum(&mut opened, &lagrange_at_zero(&numbers), &rows);
        Ok(Opened(opened))
    }
}
