//! Allocation: what a private result may cost, shared out among its numbers, and the noise that this makes.
//!
//! `private` says which numbers these are, `sensitivity` how far they move.

use std::collections::{BTreeMap, BTreeSet};

use quorate_field::quantity::Quantity;
use quorate_field::{FieldId, Integer};
use quorate_privacy::Distribution;

use super::arena::primitive;
use super::sensitivity::{Moves, among, words_of};
use crate::check::form::{Atom, Source, Summand};
use crate::check::polynomial::Polynomial;
use crate::check::privacy::{Mechanism, Private};
use crate::interval::Interval;
use crate::program::Coefficient;
use crate::study::Study;

/// What identifies a combination of sums: its atoms and their factors.
pub(super) type Terms = Vec<(usize, Integer)>;

/// Noise that is not drawn into anything yet.
#[derive(Clone, Copy)]
pub(super) struct Planned {
    pub(super) distribution: Distribution,
    pub(super) sensitivity: Integer,
    pub(super) bound: Integer,
    /// Of a comparison of an order statistic, what one row counts in it.
    pub(super) rank: Option<Integer>,
    /// The count, by its atom, of which so many times were taken off the sum.
    pub(super) centre: Option<(usize, Integer)>,
    /// Where it stands in the program, once it does.
    pub(super) place: Option<(u32, FieldId)>,
}

/// The noise of the comparisons of an order statistic.
pub(super) struct Rank {
    pub(super) planned: Planned,
    pub(super) words: String,
}

/// The numbers of a result that get noise.
#[derive(Default)]
pub(super) struct Wanted {
    pub(super) sums: BTreeMap<Terms, Polynomial>,
    /// Those of them that are compared as they are.
    pub(super) compared: BTreeSet<Terms>,
    /// By atom: how many comparisons it takes, and what a row moves each by.
    pub(super) ranks: BTreeMap<usize, (u32, Integer)>,
    /// The column of vectors that is added up.
    pub(super) vector: Option<usize>,
    pub(super) seen: BTreeSet<usize>,
}

/// A private number that is measured as a whole.
pub(super) struct Whole {
    pub(super) terms: Terms,
    /// In its smallest integers, without its constant.
    pub(super) sum: Polynomial,
    pub(super) factor: Coefficient,
}

impl Wanted {
    /// The count of the rows that a sum is over, if it gets noise as well, and the middle of what a row adds to the sum.
    pub(super) fn centre(&self, terms: &Terms, sum: &Polynomial, atoms: &[Atom]) -> Option<(usize, Integer)> {
        let mut groups = terms.iter().map(|(atom, _)| words_of(&atoms[*atom]));
        let group = groups.next().filter(|group| !group.is_empty())?;
        if self.compared.contains(terms) || groups.any(|other| other != group) {
            return None;
        }
        let is_count = |atom: &usize| {
            matches!(&atoms[*atom].source, Source::Rows { summand: Summand::One, .. })
                && words_of(&atoms[*atom]) == group
        };
        let mut counts = self.sums.keys().filter_map(|terms| match terms.as_slice() {
            [(atom, factor)] if *factor == Integer::ONE => Some(*atom),
            _ => None,
        });
        let count = counts.find(is_count)?;
        let range = among(sum, atoms)?;
        let middle = range.min.checked_add(&range.max)?.div_rem(&Integer::from(2_u64))?.0;
        let is_of_use = middle != Integer::ZERO && terms.iter().all(|(atom, _)| *atom != count);
        is_of_use.then_some((count, middle))
    }
}

/// A sum less so many times a count.
pub(super) fn centred(sum: &Polynomial, centre: Option<&(usize, Integer)>) -> Option<Polynomial> {
    let Some((count, times)) = centre else { return Some(sum.clone()) };
    sum.checked_add(&Polynomial::atom(*count).checked_scale(&times.checked_neg()?)?)
}

impl Moves {
    /// The noise of a number that moves by `sensitivity` at most, for all numbers together to cost what the result may.
    pub(super) fn planned(&self, sensitivity: Integer, private: &Private, study: &Study) -> Option<Planned> {
        // Also where nothing can move, noise is of something.
        let scale = Quantity::from(sensitivity.max(Integer::ONE));
        let some = |moves: Quantity| if moves == Quantity::ZERO { Quantity::ONE } else { moves };
        let distribution = match private.mechanism {
            Mechanism::Laplace { epsilon } => {
                Distribution::Laplace { scale: scale.checked_mul(&some(self.sum))?.checked_div(&epsilon)? }
            }
            Mechanism::Gaussian { rho } => {
                let square = scale.checked_mul(&scale)?.checked_mul(&some(self.squares))?;
                let twice = rho.checked_add(&rho)?;
                Distribution::Gaussian { variance: square.checked_div(&twice)? }
            }
        };
        // Of whatever quorum computes it.
        let (helpers, threshold) = (u32::from(study.sharing.helpers), u32::from(study.sharing.threshold));
        let bounds = (threshold + 1..=helpers).map(|quorum| distribution.bound(quorum, quorum - threshold));
        let bound = bounds.collect::<Option<Vec<_>>>()?.into_iter().max()?;
        (1..=helpers - threshold).try_for_each(|honest| distribution.sampler(honest).map(|_| ()))?;
        Some(Planned { distribution, sensitivity, bound, rank: None, centre: None, place: None })
    }
}

impl Rank {
    /// What its noise does not exceed.
    pub(super) fn bound(&self) -> Integer {
        self.planned.bound
    }
}

/// A polynomial that noise is added to as it is: sums over rows, added up with whole factors.
pub(super) fn whole(polynomial: &Polynomial, atoms: &[Atom]) -> Option<Whole> {
    let (sum, factor) = primitive(&polynomial.secret())?;
    let terms = sum.terms().map(|(product, factor)| match (product, factor.0.as_slice()) {
        ([atom], [factor]) if matches!(atoms[*atom].source, Source::Rows { .. }) => Some((*atom, *factor)),
        _ => None,
    });
    let terms = terms.collect::<Option<Terms>>()?;
    Some(Whole { terms, sum, factor })
}

/// Everything up to a bound, of either sign.
pub(super) fn around(bound: &Integer) -> Option<Interval> {
    Some(Interval { min: bound.checked_neg()?, max: *bound })
}
