//! Truths: what a phase computes of bits, as one Boolean program.

use std::collections::BTreeMap;

use quorate_circuit::{Bounded, Program, RowInstruction};
use quorate_field::Integer;

use super::reference::{is_below, is_equal};
use super::schedule::ColumnBits;
use crate::boolean::sum::{Number, Shape};
use crate::boolean::{Bit, Draft, compare};

/// Writes the truths of a phase into a draft.
pub(super) struct Writer<'a> {
    pub(super) program: &'a Program,
    pub(super) columns: &'a [ColumnBits],
    pub(super) shape: Shape,
    pub(super) draft: &'a mut Draft,
    /// By row value: the least that it can be, and the bits of the rest.
    pub(super) bits: BTreeMap<u32, (Integer, Number)>,
    pub(super) truths: BTreeMap<u32, Bit>,
}

impl Writer<'_> {
    /// Bits of a sealed column: of every input that is it.
    pub(super) fn seal(&mut self, column: u32, bits: Number) {
        for (value, instruction) in (0..).zip(&self.program.row) {
            if *instruction == (RowInstruction::Input { column }) {
                self.bits.insert(value, (self.columns[column as usize].min, bits.clone()));
            }
        }
    }

    pub(super) fn truth(&mut self, index: u32) {
        let bit = match &self.program.row[index as usize] {
            RowInstruction::Below(Bounded { value, with, .. }) => {
                let (min, bits) = &self.bits[value];
                is_below(self.draft, bits, min, with, self.shape)
            }
            RowInstruction::Equal(Bounded { value, with, .. }) => {
                let (min, bits) = &self.bits[value];
                is_equal(self.draft, bits, min, with)
            }
            RowInstruction::Less(left, right) => {
                let (left, right) = self.aligned(*left, *right);
                compare::less_than(self.draft, &left, &right, self.shape)
            }
            RowInstruction::Same(left, right) => {
                let (left, right) = self.aligned(*left, *right);
                compare::equal(self.draft, &left, &right)
            }
            RowInstruction::And(left, right) => {
                let (left, right) = (self.truths[left], self.truths[right]);
                self.draft.and(left, right)
            }
            RowInstruction::Xor(left, right) => {
                let (left, right) = (self.truths[left], self.truths[right]);
                self.draft.xor(left, right)
            }
            RowInstruction::Not(truth) => {
                let truth = self.truths[truth];
                self.draft.not(truth)
            }
            RowInstruction::Bit(of) => {
                let (least, bits) = &self.bits[&of.value];
                assert_eq!(*least, of.interval.min, "bits of the number less this least");
                bits[of.place as usize]
            }
            _ => unreachable!("only truths that are computed of row values are written"),
        };
        self.truths.insert(index, bit);
    }

    /// The bits of two numbers less the smaller of their least values, equally wide.
    fn aligned(&mut self, left: u32, right: u32) -> (Number, Number) {
        let ((left_min, mut left), (right_min, mut right)) =
            (self.bits[&left].clone(), self.bits[&right].clone());
        let offset = left_min.checked_sub(&right_min).and_then(|offset| offset.to_i128()).unwrap_or(0);
        let offset_bits = (128 - offset.unsigned_abs().leading_zeros()) as usize;
        // The offset may carry one bit beyond the wider of the two and its own width.
        let width = left.len().max(right.len()).max(offset_bits) + 1;
        let shift = u64::try_from(offset.unsigned_abs()).unwrap_or(u64::MAX);
        if offset > 0 {
            left = compare::add_constant(self.draft, &left, shift, narrow(width));
        } else if offset < 0 {
            right = compare::add_constant(self.draft, &right, shift, narrow(width));
        }
        for number in [&mut left, &mut right] {
            number.resize(width, Draft::ZERO);
        }
        (left, right)
    }
}

/// Widths of numbers are below 256.
fn narrow(width: usize) -> u32 {
    u32::try_from(width).unwrap_or(u32::MAX)
}
