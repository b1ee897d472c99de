//! Members: a set of clients of one round, as it is signed and sent.

use serde::{Deserialize, Serialize};

use crate::Position;

/// A set of positions below `n`, one bit each, from the lowest bit of the first byte: `ceil(n/8)` bytes, the last bits zero.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Members(#[serde(with = "serde_bytes")] Vec<u8>);

impl Members {
    /// Nobody of `clients`.
    pub fn none(clients: u32) -> Self {
        Members(vec![0; (clients as usize).div_ceil(8)])
    }

    /// Whether these bytes are a set of positions below `clients`.
    pub fn is_of(&self, clients: u32) -> bool {
        let unused = (clients as usize).next_multiple_of(8) - clients as usize;
        let last = self.0.last().copied().unwrap_or(0);
        self.0.len() == (clients as usize).div_ceil(8)
            && u32::from(last).leading_zeros() as usize >= 24 + unused
    }

    /// Whether it is in the set.
    pub fn contains(&self, position: Position) -> bool {
        self.0.get(position as usize / 8).is_some_and(|byte| byte >> (position % 8) & 1 == 1)
    }

    /// Puts a position below `n` in; whether it was not there before.
    ///
    /// Panics from `n` on, rounded up to eight.
    pub fn insert(&mut self, position: Position) -> bool {
        let was_there = self.contains(position);
        self.0[position as usize / 8] |= 1 << (position % 8);
        !was_there
    }

    /// How many.
    pub fn count(&self) -> u32 {
        self.0.iter().map(|byte| byte.count_ones()).sum()
    }

    /// The positions, in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = Position> + '_ {
        (0..).zip(&self.0).flat_map(|(index, byte): (Position, _)| {
            (0..8).filter(move |bit| byte >> bit & 1 == 1).map(move |bit| 8 * index + bit)
        })
    }

    /// The bytes, as they are signed.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_what_was_put_in() {
        let mut members = Members::none(19);
        for position in [0, 7, 8, 18] {
            assert!(members.insert(position));
            assert!(!members.insert(position));
        }
        assert_eq!(members.iter().collect::<Vec<_>>(), [0, 7, 8, 18]);
        assert_eq!(members.count(), 4);
        assert!(members.contains(18) && !members.contains(17) && !members.contains(1000));
    }

    #[test]
    fn sets_of_other_sizes_and_with_unused_bits_are_noticed() {
        let mut members = Members::none(19);
        assert!(members.is_of(19) && members.is_of(24) && !members.is_of(25) && !members.is_of(16));
        members.insert(18);
        assert!(members.is_of(19) && !members.is_of(18));
        members.insert(19);
        assert!(!members.is_of(19) && members.is_of(20));
        assert!(Members::none(16).is_of(16) && !Members::none(16).is_of(17));
    }
}
