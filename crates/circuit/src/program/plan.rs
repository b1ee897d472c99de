//! Plans: what a program leaves open, chosen from public data alone.

use quorate_hash::{Digest, Tagged};

use super::Program;

/// Up to so many rows a program takes few rounds; beyond, few ANDs.
const ROWS_IN_FEW_ROUNDS: u64 = 16_384;

/// How a program that is not linear is computed. The analyst's client proposes its hash; every helper makes the plan for
/// itself and refuses another one: no two helpers may choose differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// How carries travel in the row program.
    pub adder: Adder,
    /// Morsels of rows under way at once, each a block of the sealed layout; morsel m goes in lane m mod this.
    pub lanes: u16,
}

/// How carries and borrows travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Adder {
    /// One bit after the other: fewest ANDs.
    Serial,
    /// In a tree: fewest rounds.
    Prefix,
}

impl Plan {
    /// The version of what plans mean: helpers of two versions do not compute together.
    const FORMAT: u64 = 1;

    /// The plan for a run on so many rows.
    pub fn of(rows: u64) -> Plan {
        let adder = if rows <= ROWS_IN_FEW_ROUNDS { Adder::Prefix } else { Adder::Serial };
        Plan { adder, lanes: 4 }
    }

    /// Its hash, with the program's.
    pub fn hash(&self, program: &Program) -> Digest {
        let adder = match self.adder {
            Adder::Serial => 0,
            Adder::Prefix => 1,
        };
        let hash = Tagged::new("quorate/1/plan").u64(Self::FORMAT).digest(&program.hash()).u64(adder);
        hash.u64(self.lanes.into()).finish()
    }
}
