//! Sets of helpers, and the enumeration of all those of one size.

use std::fmt;

use crate::{HELPERS_MAX, HelperNumber, Scheme};

/// A set of helpers: bit `j - 1` of the mask stands for helper `j`. Ordered by mask.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HelperSet(u64);

impl HelperSet {
    /// The set with this mask.
    pub fn from_mask(mask: u64) -> Self {
        HelperSet(mask)
    }

    /// The mask.
    pub fn mask(self) -> u64 {
        self.0
    }

    /// The set of these helpers. Panics on a number outside 1 to [`HELPERS_MAX`].
    pub fn of(helpers: &[HelperNumber]) -> Self {
        HelperSet(helpers.iter().fold(0, |mask, helper| {
            assert!((1..=HELPERS_MAX).contains(helper), "helper {helper}: not in 1 to {HELPERS_MAX}");
            mask | 1 << (helper - 1)
        }))
    }

    /// Whether `helper` is in the set.
    pub fn contains(self, helper: HelperNumber) -> bool {
        (1..=HELPERS_MAX).contains(&helper) && self.0 >> (helper - 1) & 1 == 1
    }

    /// The number of helpers in the set.
    pub fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// Whether it is empty.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The helpers, ascending.
    pub fn iter(self) -> impl Iterator<Item = HelperNumber> + Clone {
        (1..=HELPERS_MAX).filter(move |&helper| self.contains(helper))
    }

    /// All sets of `t` of a scheme's helpers, ascending by mask: the canonical order of set keys.
    ///
    /// Panics if the scheme has no PRSS ([`Scheme::has_prss`]): there could be 10^18 of them.
    pub fn all(scheme: &Scheme) -> Vec<Self> {
        assert!(scheme.has_prss(), "no pseudo-random sharing for {scheme}");
        let (n, t) = (u32::from(scheme.helpers()), u32::from(scheme.threshold()));
        let end = if n == u64::BITS { 0 } else { 1_u64 << n };
        let mut sets = Vec::new();
        let mut mask = (1_u64 << t) - 1;
        loop {
            sets.push(HelperSet(mask));
            // The next larger number with as many ones (Gosper, HAKMEM item 175): move the lowest block's top bit
            // up by one and its rest to the bottom.
            let lowest = mask & mask.wrapping_neg();
            let (ripple, overflowed) = mask.overflowing_add(lowest);
            if overflowed || (end != 0 && ripple >= end) {
                return sets;
            }
            mask = ripple | (((mask ^ ripple) / lowest) >> 2);
        }
    }
}

/// `{1,3}`.
impl fmt::Display for HelperSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers: Vec<String> = self.iter().map(|helper| helper.to_string()).collect();
        write!(f, "{{{}}}", numbers.join(","))
    }
}

impl fmt::Debug for HelperSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enumeration_is_complete_and_ascending() {
        for (n, t) in [(3, 1), (4, 1), (5, 2), (7, 3), (9, 4), (64, 1), (63, 1), (10, 3)] {
            let scheme = Scheme::shamir(n, t).unwrap();
            let sets = HelperSet::all(&scheme);
            assert_eq!(sets.len() as u64, scheme.sets());
            assert!(sets.is_sorted_by(|a, b| a < b));
            assert!(sets.iter().all(|set| set.len() == usize::from(t) && set.iter().all(|j| j <= n)));
        }
        let sets = HelperSet::all(&Scheme::shamir(5, 2).unwrap());
        assert_eq!(sets[..4], [&[1, 2][..], &[1, 3], &[2, 3], &[1, 4]].map(HelperSet::of));
        assert_eq!(HelperSet::of(&[1, 64]).to_string(), "{1,64}");
        assert!(!HelperSet::of(&[1]).contains(0) && !HelperSet::of(&[64]).contains(65));
    }
}
