//! The last stage: shares of survivors' self-masks and of the mask keys of those who vanished, and the sum.
//!
//! Of each client the server asks for shares of one secret. What it recovers it holds against what it knows: the public mask
//! key, or the commitment to the self-mask's secret; shares of somebody who lies are found by leaving holders out.

use std::sync::Arc;

use quorate_field::F61;
use quorate_sharing::Seed;
use rayon::prelude::*;
use zeroize::Zeroizing;

use super::Attendance;
use super::inputs::Added;
use crate::keys::{RoundKey, self_seed};
use crate::mask::Sign;
use crate::message::{Given, commitment, is_ascending};
use crate::secret::{Share, recover, weights};
use crate::{Abort, Fault, Members, Position, Stage};

/// Takes the shares of survivors.
pub struct Unmasking {
    pub(super) attendance: Attendance,
    added: Added,
    /// By whose secret it is: who has given which share, in the order they came.
    given: Vec<Vec<(Position, Share)>>,
}

/// What a round came to.
#[derive(Debug)]
pub struct Outcome {
    /// Whose vectors are in the sum.
    pub survivors: Members,
    /// Who had shared its secrets and sent no vector: their masks were taken out of the others' vectors.
    pub vanished: u32,
    /// The sum of the survivors' numbers, after scaling.
    pub sum: Vec<i64>,
    /// The sum of their weights, in a round with weights.
    pub weight: Option<u64>,
    /// Bytes of masks that were computed to get there.
    pub mask_bytes: u64,
}

impl Unmasking {
    pub(super) fn new(added: Added, expected: Members) -> Self {
        let given = (0..added.round.clients()).map(|_| Vec::new()).collect();
        let attendance = Attendance::new(Arc::clone(&added.round), Stage::Unmasking, expected);
        Unmasking { attendance, added, given }
    }

    /// Takes the shares that a survivor gives; whether they are its first.
    pub fn receive(&mut self, from: Position, shares: Vec<Given>) -> Result<bool, Fault> {
        if !self.attendance.is_first(from)? {
            return Ok(false);
        }
        let kept = self.added.clients.kept(from);
        let is_kept =
            |given: &Given| kept.binary_search(&given.of).is_ok() && self.added.sharing.contains(given.of);
        if !is_ascending(&shares, |given| given.of) || !shares.iter().all(is_kept) {
            let reason = "they are not of clients whose holder it is, in ascending order";
            return Err(Fault::Shape { position: from, stage: Stage::Unmasking, reason });
        }
        for given in shares {
            self.given[given.of as usize].push((from, Share::new(given.share)));
        }
        Ok(self.attendance.come.insert(from))
    }

    /// Whether the sum can be had without waiting for more.
    pub fn is_enough(&self) -> bool {
        let threshold = self.added.round.terms().threshold as usize;
        self.added.sharing.iter().all(|position| self.given[position as usize].len() >= threshold)
    }

    /// Takes the masks out of the sum.
    pub fn close(self) -> Result<Outcome, Abort> {
        let Unmasking { attendance, mut added, given } = self;
        drop(attendance);
        let sharing: Vec<Position> = added.sharing.iter().collect();
        let masks = sharing
            .par_iter()
            .zip(given_of(given, &added.sharing))
            .map(|(&position, shares)| added.masks_of(position, shares))
            .collect::<Result<Vec<_>, Abort>>()?;
        let masks: Vec<(Seed, Sign)> = masks.into_iter().flatten().collect();
        added.sum.mask(&masks);
        let encoding = added.round.terms().encoding;
        let (sum, weight) = encoding.decode(&added.sum);
        Ok(Outcome {
            vanished: added.sharing.count() - added.survivors.count(),
            survivors: added.survivors,
            sum,
            weight,
            mask_bytes: masks.len() as u64 * encoding.bytes() as u64,
        })
    }
}

/// The shares of those who have shared secrets, in their order.
fn given_of(given: Vec<Vec<(Position, Share)>>, sharing: &Members) -> Vec<Vec<(Position, Share)>> {
    (0..).zip(given).filter(|(position, _)| sharing.contains(*position)).map(|(_, shares)| shares).collect()
}

impl Added {
    /// The masks that one client has left in the sum, with the signs that take them out.
    fn masks_of(
        &self,
        position: Position,
        shares: Vec<(Position, Share)>,
    ) -> Result<Vec<(Seed, Sign)>, Abort> {
        let round = self.round.id();
        if self.survivors.contains(position) {
            let promised = self.commitments[position as usize];
            let secret = self.recovered(position, "self-mask", shares, |secret| {
                promised.is_some_and(|promised| commitment(&self.round, position, secret) == promised)
            })?;
            return Ok(vec![(self_seed(&secret, round, position), Sign::Minus)]);
        }
        let Some(known) = self.clients.get(position) else { return Ok(Vec::new()) };
        let others: Vec<Position> = self
            .clients
            .neighbours(position)
            .into_iter()
            .filter(|&other| self.survivors.contains(other))
            .collect();
        if others.is_empty() {
            return Ok(Vec::new());
        }
        let secret = self.recovered(position, "mask key", shares, |secret| {
            RoundKey::from_secret(secret).public() == known.mask
        })?;
        let key = RoundKey::from_secret(&secret);
        let seeds = others.iter().map(|&other| {
            let public = self.clients.get(other).map_or_else(Default::default, |other| other.mask);
            let seed = key.pair_seed(round, position, other, &public);
            // The other's vector has it with its own sign.
            let sign = Sign::of_pair(other, position).opposite();
            // A key of small order was refused when it came.
            seed.map(|seed| (seed, sign)).map_err(|_| Abort::Unrecoverable {
                position: other,
                kind: "mask key",
                found: 0,
                needed: self.round.terms().threshold,
            })
        });
        seeds.collect()
    }

    /// The secret that a client's shares recover, if it `fits` what is known of it.
    fn recovered(
        &self,
        position: Position,
        kind: &'static str,
        mut shares: Vec<(Position, Share)>,
        fits: impl Fn(&[u8; 32]) -> bool,
    ) -> Result<Zeroizing<[u8; 32]>, Abort> {
        let needed = self.round.terms().threshold;
        let threshold = needed as usize;
        let found = u32::try_from(shares.len()).unwrap_or(u32::MAX);
        if found < needed {
            return Err(Abort::Unrecoverable { position, kind, found, needed });
        }
        shares.sort_unstable_by_key(|(holder, _)| *holder);
        // Every run of `threshold` holders around the circle: with one liar among twice as many, one is without it.
        let runs = if shares.len() == threshold { 1 } else { shares.len() };
        for first in 0..runs {
            let run = || shares.iter().cycle().skip(first).take(threshold);
            let holders: Vec<Position> = run().map(|(holder, _)| *holder).collect();
            let weights: Vec<F61> = weights(&holders);
            let used: Vec<&Share> = run().map(|(_, share)| share).collect();
            if let Some(secret) = recover(&weights, &used).filter(|secret| fits(secret)) {
                return Ok(secret);
            }
        }
        Err(Abort::Unrecoverable { position, kind, found: 0, needed })
    }
}
