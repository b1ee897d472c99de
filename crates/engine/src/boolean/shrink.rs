//! From a sharing over all helpers to one over the workers: local.
//!
//! A stored bit has a sub-share for every set of `t` of the `n` helpers. The sub-share of A is added to that of a set
//! of `t` workers that contains A's working part: whoever works outside that set is outside A and holds it. Nothing
//! is learned, since nothing is sent; and a bit costs the workers what it would if they were the whole federation.

use quorate_sharing::Scheme;
use quorate_sharing::prss::HelperSet;

use super::domain::xor_words;
use super::layout::Layout;

/// Where each of a helper's sub-shares goes.
#[derive(Clone, Debug)]
pub struct Shrink {
    /// For every set of the scheme without this helper, in canonical order: a sub-share of the workers' sharing, or
    /// `None` where other workers hold that.
    targets: Vec<Option<usize>>,
    width: usize,
}

impl Shrink {
    /// From a sharing over the scheme's helpers to one over the workers.
    ///
    /// # Panics
    /// If the scheme has no pseudo-random sharing.
    pub fn new(scheme: &Scheme, layout: &Layout) -> Self {
        let held = HelperSet::all(scheme).into_iter().filter(|set| !set.contains(layout.me()));
        let target = |set: HelperSet| {
            let (mut places, others): (Vec<usize>, Vec<usize>) =
                (0..layout.places()).partition(|&place| set.contains(layout.workers()[place]));
            places.extend(others.into_iter().take(layout.threshold() - places.len()));
            layout.sub_share(layout.set_of(&places))
        };
        Shrink { targets: held.map(target).collect(), width: layout.width() }
    }

    /// Sub-shares of a bit afterwards.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Sub-shares of a bit before.
    pub fn width_before(&self) -> usize {
        self.targets.len()
    }

    /// One bit's share, its sub-shares one after the other.
    ///
    /// # Panics
    /// If the lengths do not fit.
    pub fn apply(&self, share: &[u64], out: &mut [u64]) {
        let words = out.len() / self.width;
        assert!(share.len() == words * self.targets.len() && out.len() == words * self.width, "one share");
        out.fill(0);
        for (target, share) in self.targets.iter().zip(share.chunks_exact(words.max(1))) {
            if let Some(sub) = target {
                xor_words(&mut out[sub * words..][..words], share);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// Each set of the scheme has its own bit, so the result tells where each one went.
    #[test]
    fn every_sub_share_arrives_once_and_at_all_holders() {
        for (n, t, workers) in [
            (4, 1, vec![1, 3, 4]),
            (6, 2, vec![1, 2, 4, 5, 6]),
            (5, 2, vec![1, 2, 3, 4, 5]),
            (6, 1, vec![2, 4, 6]),
        ] {
            let scheme = Scheme::shamir(n, t).unwrap();
            let sets = HelperSet::all(&scheme);
            let mut opened: BTreeMap<HelperSet, u64> = BTreeMap::new();
            for &me in &workers {
                let layout = Layout::new(t, &workers, me).unwrap();
                let shrink = Shrink::new(&scheme, &layout);
                let share: Vec<u64> =
                    (0..sets.len()).filter(|i| !sets[*i].contains(me)).map(|i| 1 << i).collect();
                assert_eq!(share.len(), shrink.width_before());
                let mut out = vec![0; layout.width()];
                shrink.apply(&share, &mut out);
                for (set, sub) in layout.held_sets().zip(out) {
                    assert_eq!(*opened.entry(set).or_insert(sub), sub, "holders of {set} agree");
                }
            }
            assert_eq!(opened.values().fold(0, |all, sub| all ^ sub), (1 << sets.len()) - 1);
            assert_eq!(opened.values().map(|sub| sub.count_ones()).sum::<u32>(), sets.len() as u32);
        }
    }
}
