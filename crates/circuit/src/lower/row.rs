//! The row program under construction: numbers as combinations of row values, truths as row values.
//!
//! A row number is lowered in units of its scale. Equal instructions are one, operands that commute are in order, and
//! what is known before any row is seen makes no instruction: `salary >= 0`, `if p then a else a`.

use std::collections::{BTreeMap, BTreeSet};

use quorate_field::{FieldId, Integer};

use super::arena::{Arena, Numbered, constant, narrow, opposite, single};
use super::comparison::{Asked, Comparing, Question};
use crate::check::form::Condition;
use crate::check::polynomial::Polynomial;
use crate::check::tree::{RowNumber, RowNumberKind, RowTruth, RowTruthKind};
use crate::column::Column;
use crate::interval::Interval;
use crate::program::{Bit, Bounded, RowInstruction, RowTerm};
use crate::syntax::Comparison;
use quorate_field::quantity::lcm;

/// A row's truth value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Truth {
    /// The same in every row.
    Known(bool),
    /// A row value.
    Value(u32),
}

/// What a blank is read as. It makes no difference where a number is known, and that is all that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Blanks {
    /// The least value of its column, as it is stored: the bits of the column are there already.
    Least,
    /// 0: what is added up needs no further condition.
    Zero,
}

/// Functions return `None` where an integer leaves the field or 512 bits.
pub(super) struct Rows<'a> {
    columns: &'a [Column],
    field: FieldId,
    values: Numbered<RowInstruction>,
    /// All that each number can be.
    intervals: Vec<Interval>,
    /// The same of those whose bits are made.
    sliced: BTreeMap<u32, Interval>,
}

impl Arena for Rows<'_> {
    fn value(&mut self, combination: &Polynomial) -> Option<u32> {
        if let Some(value) = single(combination) {
            return Some(value);
        }
        let half = self.field.half();
        let small = |integer: Integer| Some(integer).filter(|integer| integer.abs() <= half);
        let terms = combination.secret();
        let terms = terms.terms().map(|(value, factor)| {
            let factor = small(factor.at(0)?)?;
            Some(RowTerm { value: narrow(*value.first()?), factor })
        });
        let terms = terms.collect::<Option<Vec<_>>>()?;
        let instruction = RowInstruction::Linear { constant: small(combination.constant().at(0)?)?, terms };
        let interval = self.interval(combination)?;
        Some(self.push(instruction, interval))
    }

    fn multiply(&mut self, left: u32, right: u32) -> Option<u32> {
        let (a, b) = (self.intervals[left as usize], self.intervals[right as usize]);
        let interval = if left == right { a.checked_pow(2)? } else { a.checked_mul(&b)? };
        Some(self.push(RowInstruction::Multiply(left, right), interval))
    }
}

impl<'a> Rows<'a> {
    pub(super) fn new(columns: &'a [Column], field: FieldId) -> Self {
        Rows { columns, field, values: Numbered::new(), intervals: vec![], sliced: BTreeMap::new() }
    }

    pub(super) fn instructions(&self) -> &[RowInstruction] {
        self.values.items()
    }

    pub(super) fn columns(&self) -> &[Column] {
        self.columns
    }

    /// A row's number, in units.
    pub(super) fn number(&mut self, number: &RowNumber, blanks: Blanks) -> Option<Polynomial> {
        match &number.kind {
            RowNumberKind::Constant(value) => Some(constant(value.numerator())),
            RowNumberKind::Column(column) => self.column(*column, blanks),
            RowNumberKind::Add(left, right) => {
                let left = self.in_units(left, &number.scale, blanks)?;
                left.checked_add(&self.in_units(right, &number.scale, blanks)?)
            }
            RowNumberKind::Scale(inner, factor) => {
                // Exactly what the checker made of the scale: units * factor * scale / scale within.
                let top = factor.numerator().checked_mul(&number.scale)?;
                let bottom = factor.denominator().checked_mul(&inner.scale)?;
                let (units, rest) = top.div_rem(&bottom)?;
                debug_assert_eq!(rest, Integer::ZERO, "a scale holds its factor's denominator");
                self.number(inner, blanks)?.checked_scale(&units)
            }
            RowNumberKind::Multiply(left, right) => {
                let (left, right) = (self.number(left, blanks)?, self.number(right, blanks)?);
                self.product(&left, &right)
            }
            RowNumberKind::If(condition, yes, no) => {
                let indicator = self.chooses(condition, blanks)?;
                let yes = self.in_units(yes, &number.scale, blanks)?;
                let no = self.in_units(no, &number.scale, blanks)?;
                let gain = yes.checked_add(&no.checked_neg()?)?;
                self.product(&indicator, &gain)?.checked_add(&no)
            }
        }
    }

    /// A number in finer units.
    fn in_units(&mut self, number: &RowNumber, scale: &Integer, blanks: Blanks) -> Option<Polynomial> {
        self.number(number, blanks)?.checked_scale(&scale.div_rem(&number.scale)?.0)
    }

    /// A column, in units.
    fn column(&mut self, column: usize, blanks: Blanks) -> Option<Polynomial> {
        let value = Polynomial::atom(self.input(column) as usize);
        let least = self.columns[column].domain.interval().min;
        if blanks == Blanks::Least || !self.columns[column].is_optional() || least == Integer::ZERO {
            return Some(value);
        }
        // value - least, and least again where there is a value
        let presence = Polynomial::atom(self.input(column + 1) as usize);
        value.checked_add(&presence.checked_scale(&least)?)?.checked_add(&constant(least).checked_neg()?)
    }

    /// 1 where a condition chooses the first of two numbers, else 0.
    fn chooses(&mut self, condition: &RowTruth, blanks: Blanks) -> Option<Polynomial> {
        if let Some(stored) = self.stored(condition) {
            return Some(stored);
        }
        let condition = match blanks {
            Blanks::Least => self.truth(condition)?,
            Blanks::Zero => self.holds(condition)?,
        };
        self.indicator(condition)
    }

    /// 1 where all of some conditions are known to hold, else 0.
    pub(super) fn among(&mut self, conditions: &[Condition]) -> Option<Polynomial> {
        if conditions.iter().all(|condition| condition.is_stored) {
            // As numbers, no bits are made of them.
            return conditions.iter().try_fold(constant(1_u64), |all, condition| {
                let next = self.stored(&condition.truth)?;
                if all == next { Some(all) } else { self.product(&all, &next) }
            });
        }
        let all = self.all(conditions)?;
        self.indicator(all)
    }

    /// 1 where a truth holds, else 0.
    pub(super) fn indicator(&mut self, truth: Truth) -> Option<Polynomial> {
        let value = match truth {
            Truth::Known(truth) => return Some(constant(u64::from(truth))),
            Truth::Value(value) => value,
        };
        // The opposite of a truth is not converted beside it.
        let (value, is_negated) = match self.instructions()[value as usize] {
            RowInstruction::Not(inner) => (inner, true),
            _ => (value, false),
        };
        let number = self.push(RowInstruction::Number(value), Interval::BIT);
        let number = Polynomial::atom(number as usize);
        if is_negated {
            return opposite(&number);
        }
        Some(number)
    }

    /// Whether all of some conditions are known to hold, in whatever order they are given.
    pub(super) fn all(&mut self, conditions: &[Condition]) -> Option<Truth> {
        let mut values = BTreeSet::new();
        for condition in conditions {
            match self.holds(&condition.truth)? {
                Truth::Known(true) => {}
                Truth::Known(false) => return Some(Truth::Known(false)),
                Truth::Value(value) => {
                    values.insert(value);
                }
            }
        }
        let all = values.into_iter().map(Truth::Value).reduce(|all, condition| self.and(all, condition));
        Some(all.unwrap_or(Truth::Known(true)))
    }

    /// A truth, blanks read as the least value: right where it is known.
    pub(super) fn truth(&mut self, truth: &RowTruth) -> Option<Truth> {
        Some(match &truth.kind {
            RowTruthKind::Compare(comparison, left, right) => return self.compare(*comparison, left, right),
            RowTruthKind::Is(column, label) => return self.is_number(*column, u64::try_from(*label).ok()?),
            RowTruthKind::Present(column) => return self.is_present(*column),
            RowTruthKind::Known(inner) => return self.is_known(inner),
            RowTruthKind::Same(left, right) => {
                let (left, right) = (self.input(*left), self.input(*right));
                if left == right {
                    return Some(Truth::Known(true));
                }
                Truth::Value(self.push_truth(RowInstruction::Same(left.min(right), left.max(right))))
            }
            RowTruthKind::And(left, right) => {
                let (left, right) = (self.truth(left)?, self.truth(right)?);
                self.and(left, right)
            }
            RowTruthKind::Or(left, right) => {
                let (left, right) = (self.truth(left)?, self.truth(right)?);
                let (left, right) = (self.not(left), self.not(right));
                let neither = self.and(left, right);
                self.not(neither)
            }
            RowTruthKind::Not(inner) => {
                let inner = self.truth(inner)?;
                self.not(inner)
            }
            RowTruthKind::If(condition, yes, no) => {
                // no + condition * (yes + no), of bits
                let (condition, yes, no) = (self.truth(condition)?, self.truth(yes)?, self.truth(no)?);
                let differ = self.xor(yes, no);
                let change = self.and(condition, differ);
                self.xor(no, change)
            }
        })
    }

    /// Whether a column is a number.
    pub(super) fn is_number(&mut self, column: usize, number: u64) -> Option<Truth> {
        let value = Polynomial::atom(self.input(column) as usize);
        let difference = value.checked_add(&constant(number).checked_neg()?)?;
        self.compare_with_zero(Comparison::Equal, &difference, None)
    }

    fn compare(&mut self, comparison: Comparison, left: &RowNumber, right: &RowNumber) -> Option<Truth> {
        let scale = lcm(left.scale, right.scale)?;
        let units = |number: &RowNumber| scale.div_rem(&number.scale).map(|(units, _)| units);
        let known = left.interval.checked_scale(&units(left)?)?;
        let known = known.checked_sub(&right.interval.checked_scale(&units(right)?)?)?;
        let right = self.in_units(right, &scale, Blanks::Least)?.checked_neg()?;
        let difference = self.in_units(left, &scale, Blanks::Least)?.checked_add(&right)?;
        self.compare_with_zero(comparison, &difference, Some(known))
    }

    fn compare_with_zero(
        &mut self,
        comparison: Comparison,
        difference: &Polynomial,
        known: Option<Interval>,
    ) -> Option<Truth> {
        let comparing = Comparing::new(comparison, difference, &|p| self.interval(p), known)?;
        let Asked { value, interval, question, is_negated } = match comparing {
            Comparing::Known(truth) => return Some(Truth::Known(truth)),
            Comparing::Asked(asked) => *asked,
        };
        if interval.bound() > self.field.half() {
            return None;
        }
        let truth = match self.compare_inputs(&value, question) {
            Some(truth) => truth,
            None => {
                let value = self.value(&value)?;
                Truth::Value(self.push_truth(match question {
                    Question::Below(with) => RowInstruction::Below(Bounded { value, interval, with }),
                    Question::Equal(with) => RowInstruction::Equal(Bounded { value, interval, with }),
                }))
            }
        };
        Some(if is_negated { self.not(truth) } else { truth })
    }

    /// A question of the difference of two inputs as one of the inputs, whose bits may be there already.
    fn compare_inputs(&mut self, difference: &Polynomial, question: Question) -> Option<Truth> {
        let terms: Vec<_> = difference.terms().collect();
        let [([left], one), ([right], minus)] = terms.as_slice() else { return None };
        let is_input = |value: usize| matches!(self.instructions()[value], RowInstruction::Input { .. });
        let is_difference = one.is_one() && minus.at(0)? == Integer::from(-1_i64);
        if !is_difference || !is_input(*left) || !is_input(*right) {
            return None;
        }
        let (left, right) = (narrow(*left), narrow(*right));
        match question {
            Question::Below(bound) if bound == Integer::ZERO => {
                Some(Truth::Value(self.push_truth(RowInstruction::Less(left, right))))
            }
            Question::Below(bound) if bound == Integer::ONE => {
                let greater = self.push_truth(RowInstruction::Less(right, left));
                Some(self.not(Truth::Value(greater)))
            }
            Question::Equal(number) if number == Integer::ZERO => {
                Some(Truth::Value(self.push_truth(RowInstruction::Same(left, right))))
            }
            _ => None,
        }
    }

    pub(super) fn not(&mut self, truth: Truth) -> Truth {
        match truth {
            Truth::Known(truth) => Truth::Known(!truth),
            Truth::Value(value) => Truth::Value(match self.instructions()[value as usize] {
                RowInstruction::Not(inner) => inner,
                _ => self.push_truth(RowInstruction::Not(value)),
            }),
        }
    }

    pub(super) fn and(&mut self, left: Truth, right: Truth) -> Truth {
        match (left, right) {
            (Truth::Known(false), _) | (_, Truth::Known(false)) => Truth::Known(false),
            (Truth::Known(true), other) | (other, Truth::Known(true)) => other,
            (a, b) if a == b => a,
            (Truth::Value(a), Truth::Value(b)) if self.are_opposite(a, b) => Truth::Known(false),
            (Truth::Value(a), Truth::Value(b)) => {
                Truth::Value(self.push_truth(RowInstruction::And(a.min(b), a.max(b))))
            }
        }
    }

    fn are_opposite(&self, left: u32, right: u32) -> bool {
        let is_not = |a: u32, b: u32| self.instructions()[a as usize] == RowInstruction::Not(b);
        is_not(left, right) || is_not(right, left)
    }

    pub(super) fn xor(&mut self, left: Truth, right: Truth) -> Truth {
        match (left, right) {
            (Truth::Known(false), other) | (other, Truth::Known(false)) => other,
            (Truth::Known(true), other) | (other, Truth::Known(true)) => self.not(other),
            (a, b) if a == b => Truth::Known(false),
            (Truth::Value(a), Truth::Value(b)) if self.are_opposite(a, b) => Truth::Known(true),
            (Truth::Value(a), Truth::Value(b)) => {
                Truth::Value(self.push_truth(RowInstruction::Xor(a.min(b), a.max(b))))
            }
        }
    }

    /// The truth that a scalar is, the same in every row.
    pub(super) fn everywhere(&mut self, scalar: u32) -> Truth {
        Truth::Value(self.push_truth(RowInstruction::Everywhere(scalar)))
    }

    /// A number's bits, the lowest first. It is known to be in `known`; the interval of the first call is that of all.
    /// `None` where the field does not hold it.
    pub(super) fn bits(&mut self, number: &Polynomial, known: Interval) -> Option<(Interval, Vec<Truth>)> {
        let value = self.value(number)?;
        let is_input = matches!(self.instructions()[value as usize], RowInstruction::Input { .. });
        let interval = match self.sliced.get(&value) {
            Some(interval) => *interval,
            // What the bits of a column stand for is settled.
            None if is_input => self.intervals[value as usize],
            None => {
                let all = self.intervals[value as usize];
                Interval { min: all.min.max(known.min), max: all.max.min(known.max) }
            }
        };
        if interval.bound() > self.field.half() {
            return None;
        }
        self.sliced.insert(value, interval);
        let width = interval.max.checked_sub(&interval.min)?.bits();
        let bit = |place| RowInstruction::Bit(Bit { value, interval, place });
        let bits = (0..width).map(|place| Truth::Value(self.push_truth(bit(place)))).collect();
        Some((interval, bits))
    }

    pub(super) fn input(&mut self, column: usize) -> u32 {
        let interval = self.columns[column].domain.interval();
        self.push(RowInstruction::Input { column: narrow(column) }, interval)
    }

    fn push_truth(&mut self, instruction: RowInstruction) -> u32 {
        self.push(instruction, Interval::BIT)
    }

    fn push(&mut self, instruction: RowInstruction, interval: Interval) -> u32 {
        let value = self.values.push(instruction);
        if self.intervals.len() < self.values.items().len() {
            self.intervals.push(interval);
        }
        value
    }

    fn interval(&self, combination: &Polynomial) -> Option<Interval> {
        // Coefficients of row values do not depend on the number of rows.
        combination.interval(&|value| self.intervals[value], 0)
    }
}
