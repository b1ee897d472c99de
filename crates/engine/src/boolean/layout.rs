//! Who holds what in replicated (CNF) sharing, and who does what in an AND: pure functions of the workers.
//!
//! Ito, Saito, Nishizeki, "Secret sharing scheme realizing general access structure", GLOBECOM 1987. A bit is the
//! XOR of one sub-share for every set of `t` of the `2t + 1` workers; a helper holds those of the sets that it is
//! not in. Any `t` helpers lack exactly one, that of the set they are.
//!
//! Everything is cyclic: moving all workers on by one place moves every assignment with them, so all do the same
//! amount of work.

use quorate_sharing::HelperNumber;
use quorate_sharing::prss::HelperSet;

/// A place among the workers, in ascending order of their numbers.
pub(super) type Place = usize;

/// A set of places, by index in [`Layout::sets`].
pub(super) type SetIndex = usize;

/// What one of `2t + 1` workers holds and does.
#[derive(Clone, Debug)]
pub struct Layout {
    workers: Vec<HelperNumber>,
    me: Place,
    /// All `t`-sets of places, as masks, ascending.
    sets: Vec<u64>,
    /// The sets whose sub-shares this worker holds, ascending: the order of sub-shares in a share.
    held: Vec<SetIndex>,
    /// This worker's cross terms: sub-share `a` times each sub-share of the list.
    terms: Vec<(usize, Vec<usize>)>,
    /// How each worker's results are shared again, by the dealer's place.
    dealings: Vec<Dealing>,
}

/// How a dealer's bit is shared again, as seen by one worker: the sub-shares of sets with the dealer are zero, one
/// is what is left and sent, the others are drawn from keyed streams.
#[derive(Clone, Debug)]
pub(super) struct Dealing {
    /// This worker's drawn sub-shares.
    pub(super) drawn: Vec<usize>,
    /// The one that is sent, where this worker holds it.
    pub(super) sent: Option<usize>,
    /// Places that it is sent to.
    pub(super) receivers: Vec<Place>,
}

impl Layout {
    /// The layout for `me`, one of `workers`, of which there are `2t + 1`, ascending. `None` if they are not, or `me`
    /// is none of them.
    pub fn new(threshold: u8, workers: &[HelperNumber], me: HelperNumber) -> Option<Self> {
        let fits = threshold > 0
            && workers.len() == 2 * usize::from(threshold) + 1
            && workers.is_sorted_by(|a, b| a < b)
            && workers.len() < 64;
        let me = workers.iter().position(|worker| *worker == me).filter(|_| fits)?;
        let sets: Vec<u64> =
            (0..1_u64 << workers.len()).filter(|mask| mask.count_ones() == u32::from(threshold)).collect();
        let held: Vec<SetIndex> = (0..sets.len()).filter(|&set| sets[set] >> me & 1 == 0).collect();
        let mut layout =
            Layout { workers: workers.to_vec(), me, sets, held, terms: Vec::new(), dealings: Vec::new() };
        layout.terms = layout.cross_terms();
        layout.dealings = (0..workers.len()).map(|dealer| layout.dealing(dealer)).collect();
        Some(layout)
    }

    /// The workers, ascending.
    pub fn workers(&self) -> &[HelperNumber] {
        &self.workers
    }

    /// This worker's number.
    pub fn me(&self) -> HelperNumber {
        self.workers[self.me]
    }

    /// `t`.
    pub fn threshold(&self) -> usize {
        self.workers.len() / 2
    }

    /// Sub-shares of a bit at this worker: C(2t, t).
    pub fn width(&self) -> usize {
        self.held.len()
    }

    /// The sets whose sub-shares this worker holds, in the order of sub-shares in a share.
    pub fn held_sets(&self) -> impl Iterator<Item = HelperSet> {
        self.held.iter().map(|&set| self.helpers_of(set))
    }

    /// The helpers of a set of places.
    pub(super) fn helpers_of(&self, set: SetIndex) -> HelperSet {
        let members = (0..self.workers.len()).filter(|place| self.sets[set] >> place & 1 == 1);
        HelperSet::of(&members.map(|place| self.workers[place]).collect::<Vec<_>>())
    }

    pub(super) fn place(&self) -> Place {
        self.me
    }

    pub(super) fn places(&self) -> usize {
        self.workers.len()
    }

    #[cfg(test)]
    pub(super) fn set_count(&self) -> usize {
        self.sets.len()
    }

    pub(super) fn held(&self) -> &[SetIndex] {
        &self.held
    }

    pub(super) fn set_has(&self, set: SetIndex, place: Place) -> bool {
        self.sets[set] >> place & 1 == 1
    }

    /// The set of these `t` places.
    pub(super) fn set_of(&self, places: &[Place]) -> SetIndex {
        let mask: u64 = places.iter().map(|place| 1 << place).sum();
        self.sets.binary_search(&mask).unwrap_or(usize::MAX)
    }

    /// A set C of `t` workers, who deal what they know of the other sets, in order. It moves on by one place with every
    /// instruction.
    pub(super) fn dealers(&self, instruction: u32) -> (SetIndex, Vec<Place>) {
        let first = instruction as usize % self.places();
        let places: Vec<Place> = (0..self.threshold()).map(|k| (first + k) % self.places()).collect();
        (self.set_of(&places), places)
    }

    /// The first of the dealers outside a set; only the set that they are has none.
    pub(super) fn dealer_of(&self, dealers: &[Place], set: SetIndex) -> Option<Place> {
        dealers.iter().copied().find(|&place| !self.set_has(set, place))
    }

    /// Which of this worker's sub-shares is that of a set.
    pub(super) fn sub_share(&self, set: SetIndex) -> Option<usize> {
        self.held.binary_search(&set).ok()
    }

    /// The sub-share that carries public values: that of the first set, at its holders.
    pub(super) fn public_sub_share(&self) -> Option<usize> {
        self.sub_share(0)
    }

    pub(super) fn terms(&self) -> &[(usize, Vec<usize>)] {
        &self.terms
    }

    pub(super) fn dealings(&self) -> &[Dealing] {
        &self.dealings
    }

    /// The product of two bits is the XOR over all pairs of sets of the product of their sub-shares; each pair goes
    /// to one worker outside both sets.
    fn cross_terms(&self) -> Vec<(usize, Vec<usize>)> {
        let mine = |&(_, a): &(usize, SetIndex)| {
            let held = self.held.iter().enumerate();
            held.filter(|&(_, &b)| self.worker_of(a, b) == self.me).map(|(b, _)| b).collect::<Vec<_>>()
        };
        let held: Vec<(usize, SetIndex)> = self.held.iter().copied().enumerate().collect();
        held.iter().map(|pair| (pair.0, mine(pair))).filter(|(_, factors)| !factors.is_empty()).collect()
    }

    /// The first worker outside both sets from place `-(sum of their places)` on. Moving everything on by one place
    /// adds 2t = -1 to the sum, so the assignment moves along and every worker gets as many pairs.
    fn worker_of(&self, a: SetIndex, b: SetIndex) -> Place {
        let places = self.workers.len();
        let sum: usize = (0..places)
            .map(|place| place * (usize::from(self.set_has(a, place)) + usize::from(self.set_has(b, place))))
            .sum();
        let start = places - sum % places;
        let outside = |place: &Place| !self.set_has(a, *place) && !self.set_has(b, *place);
        // 2t places at most are in either set, and there are 2t + 1.
        (start..start + places).map(|place| place % places).find(outside).unwrap_or(self.me)
    }

    /// What is left goes to the set of the `t` workers before the dealer, so it is sent to the `t` after it.
    fn dealing(&self, dealer: Place) -> Dealing {
        let (places, threshold) = (self.places(), self.threshold());
        let before: u64 = (1..=threshold).map(|k| 1 << ((dealer + places - k) % places)).sum();
        let dealt = |set: SetIndex| !self.set_has(set, dealer);
        let drawn = self.held.iter().enumerate().filter(|&(_, &set)| dealt(set) && self.sets[set] != before);
        let sent = self.held.iter().position(|&set| self.sets[set] == before);
        Dealing {
            drawn: drawn.map(|(sub, _)| sub).collect(),
            sent,
            receivers: (1..=threshold).map(|k| (dealer + k) % places).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layouts(t: u8) -> Vec<Layout> {
        let workers: Vec<u8> = (1..=2 * t + 1).collect();
        workers.iter().map(|me| Layout::new(t, &workers, *me).unwrap()).collect()
    }

    #[test]
    fn every_pair_of_sets_goes_to_one_holder_of_both_and_all_get_as_many() {
        for t in 1..=4 {
            let layouts = layouts(t);
            let mut pairs = std::collections::BTreeSet::new();
            for layout in &layouts {
                let mine = layout.terms().iter().flat_map(|(a, b)| b.iter().map(move |b| (*a, *b)));
                let mine: Vec<_> = mine.map(|(a, b)| (layout.held()[a], layout.held()[b])).collect();
                assert_eq!(mine.len() * layouts.len(), layout.set_count().pow(2), "balanced");
                assert!(mine.into_iter().all(|pair| pairs.insert(pair)), "a pair goes to one worker");
            }
            assert_eq!(pairs.len(), layouts[0].set_count().pow(2));
        }
    }

    #[test]
    fn a_dealing_is_drawn_but_for_one_and_that_reaches_all_its_holders() {
        for t in 1..=3 {
            let layouts = layouts(t);
            for dealer in 0..layouts.len() {
                let own = &layouts[dealer].dealings()[dealer];
                assert_eq!(own.drawn.len() + 1, layouts[dealer].width(), "all of its own sets");
                let holders = (0..layouts.len())
                    .filter(|&place| place != dealer && layouts[place].dealings()[dealer].sent.is_some());
                let mut receivers = own.receivers.clone();
                receivers.sort_unstable();
                assert_eq!(holders.collect::<Vec<_>>(), receivers);
            }
        }
        assert_eq!([1, 2, 3].map(|t| layouts(t)[0].width()), [2, 6, 20]);
    }

    #[test]
    fn workers_must_be_exactly_2t_plus_1() {
        assert!(Layout::new(1, &[1, 3, 4], 3).is_some());
        assert!(Layout::new(1, &[1, 3, 4], 2).is_none());
        assert!(Layout::new(1, &[1, 2, 3, 4], 2).is_none());
        assert!(Layout::new(1, &[2, 1, 3], 2).is_none());
        assert!(Layout::new(0, &[1], 1).is_none());
    }
}
