//! What goes from pass to pass: truths of a morsel's rows, and what scalars turned out to be, all shared.

use std::collections::BTreeMap;

use zeroize::Zeroizing;

/// Truths of a morsel's rows that later passes read: this worker's shares, bit-sliced. Secret: wiped on drop, does not
/// print.
#[derive(Default)]
pub struct Carried(pub(super) BTreeMap<u32, Zeroizing<Vec<u64>>>);

/// Scalars that are comparisons: this worker's sub-shares of each, a word each of which the lowest bit counts. Secret: wiped on
/// drop, does not print.
#[derive(Default)]
pub struct Decided(pub(super) BTreeMap<u32, Zeroizing<Vec<u64>>>);

impl Decided {
    /// A scalar's truth as one of every row, in words of rows.
    ///
    /// # Panics
    /// If the scalar is not decided yet.
    pub(super) fn everywhere(&self, scalar: u32, words: usize) -> Zeroizing<Vec<u64>> {
        let spread = |word: &u64| std::iter::repeat_n((word & 1).wrapping_neg(), words);
        Zeroizing::new(self.0[&scalar].iter().flat_map(spread).collect())
    }
}

impl std::fmt::Debug for Carried {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Carried({} truths)", self.0.len())
    }
}

impl std::fmt::Debug for Decided {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Decided({} scalars)", self.0.len())
    }
}
