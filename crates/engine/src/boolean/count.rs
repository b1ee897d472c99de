//! Counting: how many rows have a bit, by carry-save steps over rows.
//!
//! A column of bits is folded: `K` segments of its rows become `K` numbers in the same lanes, which are added up;
//! then the sums are folded again, until one lane is left. The first fold does nearly all the work, one AND for
//! `K` rows' worth of each segment's lane: about one AND per row in all. Cutting a column into segments is local.
//!
//! ```text
//! rows --fold--> rows / K lanes of log K + 1 bits --fold--> ... --> 1 lane: the count
//! ```

use super::draft::Draft;
use super::lanes::LANES;
use super::program::Program;
use super::sum::{Number, sum};

/// Segments of a fold: with K of them the next fold has log K bits for each K rows to add up.
const SEGMENTS: usize = 256;

/// One fold: the lanes before it, as `segments` pieces of `lanes` lanes, and the width of a lane's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fold {
    /// Pieces; the last ones may reach beyond the rows and are zero there.
    pub segments: usize,
    /// Lanes after the fold.
    pub lanes: usize,
    /// Bits of each lane's number before the fold.
    pub width: u32,
}

impl Fold {
    /// The program of this fold: inputs are the segments' numbers, one after the other, each from its lowest bit.
    pub fn program(&self) -> Program {
        let mut draft = Draft::new();
        let numbers: Vec<Number> = (0..self.segments).map(|_| draft.secret_number(self.width)).collect();
        let total = sum(&mut draft, &numbers);
        draft.finish(&total)
    }

    /// Bits of each lane's number after the fold.
    pub fn width_after(&self) -> u32 {
        let largest = ((1_u128 << self.width) - 1) * self.segments as u128;
        u128::BITS - largest.leading_zeros()
    }

    /// Segment `index` of one bit, sub-share or word of rows alike: its lanes into `out`.
    ///
    /// # Panics
    /// If `out` is not of the words of [`Fold::lanes`] lanes.
    pub fn segment(&self, bit: &[u64], index: usize, out: &mut [u64]) {
        assert_eq!(out.len(), self.lanes.div_ceil(LANES), "words of the lanes after the fold");
        let first = index * self.lanes;
        if self.lanes.is_multiple_of(LANES) {
            let start = (first / LANES).min(bit.len());
            let end = (start + out.len()).min(bit.len());
            out.fill(0);
            out[..end - start].copy_from_slice(&bit[start..end]);
        } else {
            // Less than a word: both are powers of two, so a segment lies in one word.
            let word = bit.get(first / LANES).copied().unwrap_or(0);
            out[0] = (word >> (first % LANES)) & ((1 << self.lanes) - 1);
        }
    }
}

/// The folds that count `rows` rows of one bit, in order; the last one leaves one lane.
pub fn folds(rows: usize) -> Vec<Fold> {
    let (mut lanes, mut width, mut folds) = (rows.max(1), 1, Vec::new());
    while lanes > 1 {
        let words = lanes.div_ceil(LANES);
        let fold = if words > 1 {
            let segments = words.min(SEGMENTS);
            let words_after = words.div_ceil(segments);
            Fold { segments: words.div_ceil(words_after), lanes: words_after * LANES, width }
        } else {
            let lanes = lanes.next_power_of_two();
            let segments = lanes.min(8);
            Fold { segments, lanes: lanes / segments, width }
        };
        (lanes, width) = (fold.lanes, fold.width_after());
        folds.push(fold);
    }
    folds
}

#[cfg(test)]
mod tests {
    use super::super::{evaluate, lanes};
    use super::*;

    fn count(column: &[u64], rows: usize) -> (u64, usize) {
        let (mut bits, mut ands) = (vec![column.to_vec()], 0);
        for fold in folds(rows) {
            let words = lanes::words(fold.lanes);
            let mut inputs = vec![vec![0; words]; fold.segments * bits.len()];
            for (i, input) in inputs.iter_mut().enumerate() {
                fold.segment(&bits[i % bits.len()], i / bits.len(), input);
            }
            let program = fold.program();
            ands += program.ands() * words;
            let inputs: Vec<&[u64]> = inputs.iter().map(Vec::as_slice).collect();
            bits = evaluate(&program, &inputs, &[], fold.lanes);
            assert_eq!(bits.len(), fold.width_after() as usize);
        }
        (bits.iter().enumerate().map(|(i, bit)| bit[0] << i).sum(), ands)
    }

    #[test]
    fn the_count_is_the_number_of_ones() {
        for rows in [1, 2, 5, 63, 64, 65, 200, 8192, 10_007] {
            for pattern in [0, u64::MAX, 0x9249_2492_4924_9249] {
                let mut column: Vec<u64> =
                    (0..lanes::words(rows) as u64).map(|i| pattern.rotate_left(i as u32 % 7)).collect();
                lanes::clear_padding(&mut column, rows);
                let ones: u32 = column.iter().map(|word| word.count_ones()).sum();
                assert_eq!(count(&column, rows).0, u64::from(ones), "{rows} rows");
            }
        }
    }

    #[test]
    fn counting_costs_about_one_and_a_row() {
        let rows = 1 << 20;
        let ands = count(&vec![0; rows / 64], rows).1;
        assert!(
            (rows / 64 * 9 / 10..rows / 64 * 11 / 10).contains(&ands),
            "{ands} words of ANDs for {} words",
            rows / 64
        );
    }
}
