//! Distributed noise: each member of a quorum draws its part, shares it, and all parts are added up.
//!
//! Dwork, Kenthapadi, McSherry, Mironov, Naor, "Our data, ourselves: privacy via distributed noise generation", EUROCRYPT 2006,
//! among helpers of which at most `t` tell the analyst what they drew. Differs from the paper: the parts are infinitely divisible
//! or close to it ([`quorate_privacy::Distribution`]), of such a size that those of `q - t` of the `q` members suffice.
//!
//! 1. Member `i` draws its part `e_i` of every number and shares it with the study's scheme: by a polynomial of degree `t` with
//!    `e_i` at 0, or by summands.
//! 2. It sends every other member its share, and keeps its own.
//! 3. All add up the `q` shares that they hold: `[e] = sum_i [e_i]`.
//!
//! Secrecy: of an honest member's part, `t` others hold `t` shares, which are uniform whatever it drew.
//!
//! Cost: one round; one element sent to each other member per number. How long drawing takes depends on what is drawn: the caller
//! must not let the time of sending tell it.
//!
//! What is *not* here: how noise is distributed, who may be in the quorum. A part that its member made up is not noticed.

use std::fmt;

use chacha20::ChaCha20Rng;
use quorate_circuit::Noise;
use quorate_field::{F127, Field, NamedField};
use quorate_hash::Tagged;
use quorate_sharing::{HelperNumber, Scheme, SchemeKind, Seed, Shares, Stream};
use rand_core::SeedableRng;

use crate::EngineError;
use crate::linear::embed;
use crate::round::{Inbox, Outbox, Progress, Task, write_elements};
use crate::verified::{Unverified, Verified};

/// What messages are called in errors.
const WHAT: &str = "shares of noise";

/// Numbers that are dealt at a time.
const BLOCK: usize = 1_024;

/// Shares of what all members drew together, by entry of the program's noise. Secret.
pub struct NoiseShares<F: Field>(Vec<EntryShares<F>>);

/// Shares of one entry's numbers, in the columns' field, or in that of 2^127 - 1 above it.
pub(crate) enum EntryShares<F: Field> {
    /// In the columns' field.
    Base(Shares<F>),
    /// Above it.
    Wide(Shares<F127>),
}

/// One member's part in drawing a program's noise: one round.
pub struct NoiseTask<F: NamedField> {
    entries: Vec<Noise>,
    dealer: Dealer,
    seed: Seed,
    /// What this member holds of the parts so far.
    sums: NoiseShares<F>,
    stage: Stage,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Nothing was drawn.
    Beginning,
    /// The shares were sent.
    Sent,
    /// Everybody's shares were added up.
    Added,
}

/// Who deals to whom.
struct Dealer {
    scheme: Scheme,
    me: HelperNumber,
    /// All members, ascending.
    quorum: Vec<HelperNumber>,
}

/// How many of a quorum's members must be honest about their parts, so that these suffice: all but the threshold.
///
/// # Panics
/// If the quorum is not larger than the threshold.
pub fn honest(scheme: &Scheme, quorum: usize) -> u32 {
    let honest = u32::try_from(quorum).ok().and_then(|all| all.checked_sub(scheme.threshold().into()));
    #[expect(clippy::expect_used, reason = "documented panic: quorums are checked when a run is asked for")]
    honest.filter(|honest| *honest > 0).expect("more members than the threshold")
}

impl<F: NamedField> NoiseShares<F> {
    /// Of a program without noise. No message can have shifted it.
    pub fn none() -> Verified<Self> {
        Verified::local(NoiseShares(Vec::new()))
    }

    /// Shares of zero for all entries.
    pub(crate) fn zeros(entries: &[Noise]) -> Self {
        let zeros = |entry: &Noise| match entry.field == F::ID {
            true => EntryShares::Base(Shares::zeros(entry.count as usize)),
            false => EntryShares::Wide(Shares::zeros(entry.count as usize)),
        };
        NoiseShares(entries.iter().map(zeros).collect())
    }

    /// One entry's.
    ///
    /// # Panics
    /// If the program has no such entry: programs are lowered here or validated.
    pub(crate) fn entry(&self, entry: u32) -> &EntryShares<F> {
        &self.0[entry as usize]
    }

    /// One entry's, which is in the columns' field.
    ///
    /// # Panics
    /// If it is not, or there is no such entry: programs are lowered here or validated.
    pub(crate) fn base(&self, entry: u32) -> &Shares<F> {
        match self.entry(entry) {
            EntryShares::Base(shares) => shares,
            EntryShares::Wide(_) => unreachable!("noise in the field of what it is added to"),
        }
    }
}

impl<F: NamedField> NoiseTask<F> {
    /// Member `me` of `quorum`, ascending, any number above the threshold of the scheme's helpers, all of them for an additive
    /// one, draws its part of `entries`. All that it draws, and all that hides it, comes of `seed`: fresh, and used for nothing else.
    ///
    /// # Panics
    /// If the quorum is not that, or `me` is not in it.
    pub fn new(
        entries: &[Noise],
        scheme: Scheme,
        me: HelperNumber,
        quorum: &[HelperNumber],
        seed: Seed,
    ) -> Self {
        let dealer = Dealer::new(scheme, me, quorum);
        let sums = NoiseShares::zeros(entries);
        NoiseTask { entries: entries.to_vec(), dealer, seed, sums, stage: Stage::Beginning }
    }

    /// This member's shares of the noise, once [`Task::advance`] said that it has ended.
    pub fn finish(self) -> Unverified<NoiseShares<F>> {
        Unverified::new(self.sums)
    }

    /// Draws this member's part of every number and deals it.
    fn deal(&mut self, outbox: &mut Outbox) {
        let honest = honest(&self.dealer.scheme, self.dealer.quorum.len());
        let derive = |label: &str, entry: usize, row: usize| {
            let seed = Tagged::new(label).bytes(self.seed.expose());
            Seed::from_bytes(seed.u64(entry as u64).u64(row as u64).finish().0)
        };
        for (place, (entry, sums)) in self.entries.iter().zip(&mut self.sums.0).enumerate() {
            let mut rng = ChaCha20Rng::from_seed(*derive("quorate/1/noise-part", place, 0).expose());
            let streams: Vec<Stream> = (0..usize::from(self.dealer.scheme.threshold()))
                .map(|row| Stream::new(&derive("quorate/1/noise-mask", place, row)))
                .collect();
            let random = |row: usize, first: u64, out: &mut [_]| streams[row].fill(first, out);
            let wide = |row: usize, first: u64, out: &mut [F127]| streams[row].fill(first, out);
            let sampler = entry.distribution.sampler(honest);
            let mut part = || match &sampler {
                Some(sampler) => sampler.draw(&mut rng),
                None => entry.distribution.draw(honest, &mut rng),
            };
            match sums {
                EntryShares::Base(sums) => {
                    let parts = Shares::from_vec((0..sums.len()).map(|_| embed::<F>(&part())).collect());
                    self.dealer.deal(&parts, random, sums, outbox);
                }
                EntryShares::Wide(sums) => {
                    let parts = Shares::from_vec((0..sums.len()).map(|_| embed::<F127>(&part())).collect());
                    self.dealer.deal(&parts, wide, sums, outbox);
                }
            }
        }
    }
}

impl<F: NamedField> Task for NoiseTask<F> {
    fn advance(&mut self, outbox: &mut Outbox) -> Progress {
        if self.stage != Stage::Beginning {
            return Progress::Ended;
        }
        self.deal(outbox);
        self.stage = Stage::Sent;
        Progress::Sent
    }

    fn receive(&mut self, inbox: &mut Inbox<'_>) -> Result<(), EngineError> {
        for from in self.dealer.others() {
            for sums in &mut self.sums.0 {
                match sums {
                    EntryShares::Base(sums) => add_received(from, sums, inbox)?,
                    EntryShares::Wide(sums) => add_received(from, sums, inbox)?,
                }
            }
        }
        self.stage = Stage::Added;
        Ok(())
    }
}

impl Dealer {
    fn new(scheme: Scheme, me: HelperNumber, quorum: &[HelperNumber]) -> Self {
        assert!(quorum.is_sorted_by(|a, b| a < b), "members in order");
        assert!(quorum.iter().all(|member| scheme.has_helper(*member)), "members of the scheme");
        assert!(quorum.contains(&me), "a member draws");
        let is_enough = match scheme.kind() {
            SchemeKind::Shamir => quorum.len() >= scheme.needed(),
            SchemeKind::Additive => quorum.len() == usize::from(scheme.helpers()),
        };
        assert!(is_enough, "members that can recombine");
        Dealer { scheme, me, quorum: quorum.to_vec() }
    }

    fn others(&self) -> impl Iterator<Item = HelperNumber> {
        self.quorum.iter().copied().filter(|member| *member != self.me)
    }

    /// By what a member's share is made of the value and of `t` random elements: powers of its number, or one of the elements,
    /// of which the dealer keeps the rest.
    fn weights<F: Field>(&self, member: HelperNumber) -> Vec<F> {
        let threshold = usize::from(self.scheme.threshold());
        match self.scheme.kind() {
            SchemeKind::Shamir => {
                let number = F::from_u64(member.into());
                std::iter::successors(Some(F::ONE), |power| Some(*power * number))
                    .take(threshold + 1)
                    .collect()
            }
            SchemeKind::Additive if member == self.me => {
                std::iter::once(F::ONE).chain(std::iter::repeat_n(-F::ONE, threshold)).collect()
            }
            SchemeKind::Additive => {
                let of_others = self.others().map(|other| if other == member { F::ONE } else { F::ZERO });
                std::iter::once(F::ZERO).chain(of_others).collect()
            }
        }
    }

    /// Shares these values: writes what the others are sent, and adds this member's shares to `own`, of equal length.
    /// `random(row, first, out)` gives the elements `first..` of the row, one for each value.
    fn deal<F: Field>(
        &self,
        values: &Shares<F>,
        random: impl Fn(usize, u64, &mut [F]),
        own: &mut Shares<F>,
        outbox: &mut Outbox,
    ) {
        let receivers: Vec<(HelperNumber, usize, Vec<F>)> = self
            .others()
            .map(|to| (to, outbox.reserve(to, values.len() * F::BYTES), self.weights(to)))
            .collect();
        let mine = self.weights::<F>(self.me);
        let block = || Shares::<F>::zeros(BLOCK.min(values.len()));
        let (mut rows, mut share): (Vec<Shares<F>>, _) =
            ((1..mine.len()).map(|_| block()).collect(), block());
        let blocks = values.as_slice().chunks(BLOCK).zip(own.as_mut_slice().chunks_mut(BLOCK));
        for (index, (values, own)) in blocks.enumerate() {
            let (start, length) = (index * BLOCK, values.len());
            for (row, elements) in rows.iter_mut().enumerate() {
                random(row, start as u64, &mut elements.as_mut_slice()[..length]);
            }
            let elements = rows.iter().map(|row| &row.as_slice()[..length]);
            let summands: Vec<&[F]> = std::iter::once(values).chain(elements).collect();
            for (to, place, weights) in &receivers {
                let share = &mut share.as_mut_slice()[..length];
                share.fill(F::ZERO);
                F::weighted_sum(share, weights, &summands);
                write_elements(share, outbox.slice(*to, place + start * F::BYTES, length * F::BYTES));
            }
            F::weighted_sum(own, &mine, &summands);
        }
    }
}

/// Adds another member's shares of one entry.
fn add_received<F: Field>(
    from: HelperNumber,
    sums: &mut Shares<F>,
    inbox: &mut Inbox<'_>,
) -> Result<(), EngineError> {
    let sent = inbox.take_elements::<F>(from, sums.len(), WHAT)?;
    let mut received = Shares::<F>::zeros(BLOCK.min(sums.len()));
    for (index, sums) in sums.as_mut_slice().chunks_mut(BLOCK).enumerate() {
        let received = &mut received.as_mut_slice()[..sums.len()];
        sent.read(index * BLOCK, received)?;
        F::add_slices(sums, received);
    }
    Ok(())
}

impl<F: Field> fmt::Debug for NoiseShares<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NoiseShares<{}>({} entries)", F::NAME, self.0.len())
    }
}

impl<F: NamedField> fmt::Debug for NoiseTask<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "NoiseTask({} entries, helper {} of {:?})",
            self.entries.len(),
            self.dealer.me,
            self.dealer.quorum
        )
    }
}

#[cfg(test)]
mod tests;
