//! Network: how long messages take, and which are lost.

use crate::chance::Chance;
use crate::plan::Faults;

/// Between helpers, and between clients and helpers.
pub(crate) struct Network {
    chance: Chance,
    faults: Faults,
    /// Helpers on one side of a partition, one bit each.
    cut: Option<u64>,
}

impl Network {
    /// A network with these faults.
    pub(crate) fn new(seed: u64, faults: Faults) -> Self {
        Network { chance: Chance::new(seed, "network", 0), faults, cut: None }
    }

    /// No more faults.
    pub(crate) fn calm(&mut self) {
        self.faults = Faults::default();
        self.cut = None;
    }

    /// Cuts the helpers in two, or mends the cut.
    pub(crate) fn cut(&mut self, side: Option<u64>) {
        self.cut = side;
    }

    /// When copies of a frame arrive, in microseconds from now.
    pub(crate) fn frame(&mut self, from: u8, to: u8) -> Vec<u64> {
        if self.cut.is_some_and(|side| (side >> from & 1) != (side >> to & 1)) {
            return Vec::new();
        }
        self.copies()
    }

    /// When copies of a request arrive at a helper.
    pub(crate) fn request(&mut self) -> Vec<u64> {
        self.copies()
    }

    /// When a reply arrives at its client, unless it is lost.
    pub(crate) fn reply(&mut self) -> Option<u64> {
        (!self.chance.hit(self.faults.lost)).then(|| self.delay())
    }

    fn copies(&mut self) -> Vec<u64> {
        if self.chance.hit(self.faults.lost) {
            return Vec::new();
        }
        let count = if self.chance.hit(self.faults.doubled) { 2 } else { 1 };
        (0..count).map(|_| self.delay()).collect()
    }

    fn delay(&mut self) -> u64 {
        if self.chance.hit(self.faults.late) {
            self.chance.between(10_000, 3_000_000)
        } else {
            self.chance.between(200, 20_000)
        }
    }
}
