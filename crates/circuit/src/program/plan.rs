//! Plans: what a program leaves open, chosen from public data alone.

use quorate_hash::{Digest, Tagged};

use super::{Program, Reduction, RowInstruction};
use crate::study::{Bits, Study};

/// Up to so many rows a program takes few rounds; beyond, few ANDs.
const ROWS_IN_FEW_ROUNDS: u64 = 16_384;

/// How many rows a morsel may have.
const MORSEL_ROWS: std::ops::RangeInclusive<u32> = 1_024..=32_768;

/// Bytes of a round's message, about, that a morsel should not go beyond: what is under way stays in the caches.
const ROUND_BYTES: u64 = 512 << 10;

/// Bytes of a morsel's columns and their bits, about.
const COLUMN_BYTES: u64 = 16 << 20;

/// Bytes of the numbers of a morsel that are converted to bits at the same time, about.
const CONVERSION_BYTES: u64 = 8 << 20;

/// How a program that is not linear is computed. The analyst's client proposes its hash; every helper makes the plan for
/// itself and refuses another one: no two helpers may choose differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// How carries travel in the row program.
    pub adder: Adder,
    /// Rows of a morsel, a power of two between 1,024 and 32,768; the last one has fewer.
    pub morsel_rows: u32,
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
    /// Morsels of rows under way at once; morsel m goes in lane m mod this.
    pub const LANES: u16 = 4;

    /// The version of what plans mean: helpers of two versions do not compute together.
    const FORMAT: u64 = 3;

    /// The plan for a run of a program, lowered for `study`, on so many rows.
    pub fn of(program: &Program, study: &Study, rows: u64) -> Plan {
        let adder = if rows <= ROWS_IN_FEW_ROUNDS { Adder::Prefix } else { Adder::Serial };
        Plan { adder, morsel_rows: morsel_rows(program, study) }
    }

    /// Bytes that a worker's shares of one number of `bytes` bytes take while it is converted: a bit of `t + 1` numbers for each
    /// of its C(2t, t) sub-shares.
    pub fn conversion_bytes(threshold: u8, bytes: usize) -> u64 {
        ((u64::from(threshold) + 1) * bytes as u64).saturating_mul(sub_shares(threshold))
    }

    /// Bytes that a worker's shares of one truth of each of `rows` rows take.
    pub fn truth_bytes(threshold: u8, rows: u64) -> u64 {
        (rows.div_ceil(64) * 8).saturating_mul(sub_shares(threshold))
    }

    /// Its hash, with the program's.
    pub fn hash(&self, program: &Program) -> Digest {
        let adder = match self.adder {
            Adder::Serial => 0,
            Adder::Prefix => 1,
        };
        let hash = Tagged::new("quorate/1/plan").u64(Self::FORMAT).digest(&program.hash()).u64(adder);
        hash.u64(Self::LANES.into()).u64(self.morsel_rows.into()).finish()
    }
}

/// Sub-shares of a bit that a worker has: C(2t, t).
fn sub_shares(threshold: u8) -> u64 {
    let t = u64::from(threshold);
    (1..=t).fold(1_u64, |sets, i| sets.saturating_mul(t + i) / i)
}

/// The most truths that become numbers or are counted in one pass, of which `numbers` become numbers in the first.
fn most_counts(program: &Program, numbers: usize) -> usize {
    let passes = program.passes();
    let mut counts = vec![0; passes.count() as usize];
    counts[0] = numbers;
    for (scalar, reduction) in (0..).zip(&program.reductions) {
        counts[passes.of_scalar(scalar) as usize] += usize::from(matches!(reduction, Reduction::Count(_)));
    }
    counts.into_iter().max().unwrap_or(0)
}

/// As many rows as keep messages, columns and conversions within their sizes: long messages cost less a row, until they leave the
/// caches.
fn morsel_rows(program: &Program, study: &Study) -> u32 {
    let count =
        |is: fn(&RowInstruction) -> bool| program.row.iter().filter(|instruction| is(instruction)).count();
    let products = count(|instruction| matches!(instruction, RowInstruction::Multiply(..)));
    let numbers = count(|instruction| matches!(instruction, RowInstruction::Number(_)));
    let numbers = most_counts(program, numbers);
    let is_sealed = |value: &u32| {
        study.bits == Bits::Sealed && matches!(program.row[*value as usize], RowInstruction::Input { .. })
    };
    let conversions = program.compared().into_iter().filter(|value| !is_sealed(value)).count();

    let (element, threshold) = (study.field.bytes() as u64, u64::from(study.sharing.threshold));
    let sent = products.max(numbers) as u64 * element * threshold;
    let read = program.columns_read().len() as u64 * element * sub_shares(study.sharing.threshold);
    let bits = conversions as u64 * Plan::conversion_bytes(study.sharing.threshold, study.field.bytes());
    let fits = |rows: &u32| {
        let rows = u64::from(*rows);
        rows * sent <= ROUND_BYTES && rows * read <= COLUMN_BYTES && rows * bits <= CONVERSION_BYTES
    };
    let halves = std::iter::successors(Some(*MORSEL_ROWS.end()), |rows| Some(rows / 2));
    halves.take_while(|rows| MORSEL_ROWS.contains(rows)).find(fits).unwrap_or(*MORSEL_ROWS.start())
}
