//! Truths in three-valued logic, as bits: where each is known, and where it holds.
//!
//! What is never missing costs nothing here. A comparison of what may be takes one AND, none if it does not hold of the
//! least value anyway; `and` and `or` take one more if somebody asks where the result is known; that what holds and what fails never meet makes their union an XOR.

use super::arena::constant;
use super::row::{Rows, Truth};
use crate::check::blank;
use crate::check::polynomial::Polynomial;
use crate::check::stored::Stored;
use crate::check::tree::{RowNumber, RowNumberKind, RowTruth, RowTruthKind};
use crate::program::RowInstruction;

/// A row's truth value that may be missing: then it does not hold.
#[derive(Clone, Copy)]
struct Kleene {
    known: Truth,
    holds: Truth,
}

impl Rows<'_> {
    /// Where a truth is known to hold.
    pub(super) fn holds(&mut self, truth: &RowTruth) -> Option<Truth> {
        Some(self.kleene(truth)?.holds)
    }

    /// Where a truth is true or false.
    pub(super) fn is_known(&mut self, truth: &RowTruth) -> Option<Truth> {
        Some(self.kleene(truth)?.known)
    }

    /// Where a column that may be blank has a value.
    pub(super) fn is_present(&mut self, column: usize) -> Option<Truth> {
        self.is_number(column + 1, 1)
    }

    /// A truth as a number where that is a combination of stored columns: 1 where it is known to hold, else 0.
    pub(super) fn stored(&mut self, truth: &RowTruth) -> Option<Polynomial> {
        let Stored { constant: one, plus, minus } = Stored::of(truth, self.columns())?;
        let mut number = constant(u64::from(one));
        if let Some(column) = plus {
            number = number.checked_add(&Polynomial::atom(self.input(column) as usize))?;
        }
        if let Some(column) = minus {
            let column = Polynomial::atom(self.input(column) as usize);
            number = number.checked_add(&column.checked_neg()?)?;
        }
        Some(number)
    }

    fn kleene(&mut self, truth: &RowTruth) -> Option<Kleene> {
        if !blank::is_in_truth(truth, self.columns()) {
            return Some(Kleene { known: Truth::Known(true), holds: self.truth(truth)? });
        }
        match &truth.kind {
            RowTruthKind::Not(inner) => {
                let inner = self.kleene(inner)?;
                Some(Kleene { holds: self.fails(inner), ..inner })
            }
            RowTruthKind::And(left, right) => {
                let (left, right) = (self.kleene(left)?, self.kleene(right)?);
                let holds = self.and(left.holds, right.holds);
                let (left, right) = (self.fails(left), self.fails(right));
                let fails = self.or(left, right);
                Some(Kleene { known: self.xor(holds, fails), holds })
            }
            RowTruthKind::Or(left, right) => {
                let (left, right) = (self.kleene(left)?, self.kleene(right)?);
                let holds = self.or(left.holds, right.holds);
                let (left, right) = (self.fails(left), self.fails(right));
                let fails = self.and(left, right);
                Some(Kleene { known: self.xor(holds, fails), holds })
            }
            RowTruthKind::If(condition, yes, no) => {
                let condition = self.kleene(condition)?;
                let (yes, no) = (self.kleene(yes)?, self.kleene(no)?);
                let holds = self.picked(condition, yes.holds, no.holds);
                Some(Kleene { known: self.picked(condition, yes.known, no.known), holds })
            }
            RowTruthKind::Compare(_, left, right) => {
                let (left, right) = (self.is_number_known(left)?, self.is_number_known(right)?);
                let known = self.and(left, right);
                self.where_known(known, truth)
            }
            RowTruthKind::Same(left, right) => {
                let (left, right) = (self.has_value(*left)?, self.has_value(*right)?);
                let known = self.and(left, right);
                self.where_known(known, truth)
            }
            RowTruthKind::Is(column, _) => {
                let known = self.has_value(*column)?;
                self.where_known(known, truth)
            }
            RowTruthKind::Present(_) | RowTruthKind::Known(_) => {
                Some(Kleene { known: Truth::Known(true), holds: self.truth(truth)? })
            }
        }
    }

    fn where_known(&mut self, known: Truth, truth: &RowTruth) -> Option<Kleene> {
        let raw = self.truth(truth)?;
        let holds = if self.is_false_of_blanks(raw, known)? { raw } else { self.and(known, raw) };
        Some(Kleene { known, holds })
    }

    /// Whether a truth does not hold of the least value of a column, which is what a blank of it holds, and there are no
    /// other blanks in it than `known` says.
    fn is_false_of_blanks(&mut self, truth: Truth, known: Truth) -> Option<bool> {
        let Truth::Value(truth) = truth else { return Some(false) };
        let (instruction, is_negated) = match &self.instructions()[truth as usize] {
            RowInstruction::Not(inner) => (&self.instructions()[*inner as usize], true),
            instruction => (instruction, false),
        };
        let (RowInstruction::Below(bounded) | RowInstruction::Equal(bounded)) = instruction else {
            return Some(false);
        };
        let RowInstruction::Input { column } = self.instructions()[bounded.value as usize] else {
            return Some(false);
        };
        let column = column as usize;
        let least = self.columns()[column].domain.interval().min;
        let holds = match instruction {
            RowInstruction::Below(bounded) => least < bounded.with,
            _ => least == bounded.with,
        };
        let is_false = self.columns()[column].is_optional() && holds == is_negated;
        Some(is_false && self.is_present(column)? == known)
    }

    fn has_value(&mut self, column: usize) -> Option<Truth> {
        if self.columns()[column].is_optional() { self.is_present(column) } else { Some(Truth::Known(true)) }
    }

    /// Where a number is known.
    fn is_number_known(&mut self, number: &RowNumber) -> Option<Truth> {
        match &number.kind {
            RowNumberKind::Constant(_) => Some(Truth::Known(true)),
            RowNumberKind::Column(column) => self.has_value(*column),
            RowNumberKind::Scale(inner, _) => self.is_number_known(inner),
            RowNumberKind::Add(left, right) | RowNumberKind::Multiply(left, right) => {
                let (left, right) = (self.is_number_known(left)?, self.is_number_known(right)?);
                Some(self.and(left, right))
            }
            RowNumberKind::If(condition, yes, no) => {
                let condition = self.kleene(condition)?;
                let (yes, no) = (self.is_number_known(yes)?, self.is_number_known(no)?);
                Some(self.picked(condition, yes, no))
            }
        }
    }

    fn fails(&mut self, truth: Kleene) -> Truth {
        self.xor(truth.known, truth.holds)
    }

    /// What a condition picks of two truths; nothing holds where the condition is missing.
    fn picked(&mut self, condition: Kleene, yes: Truth, no: Truth) -> Truth {
        if yes == no {
            return self.and(condition.known, yes);
        }
        let fails = self.fails(condition);
        let (yes, no) = (self.and(condition.holds, yes), self.and(fails, no));
        self.xor(yes, no)
    }

    fn or(&mut self, left: Truth, right: Truth) -> Truth {
        let (left, right) = (self.not(left), self.not(right));
        let neither = self.and(left, right);
        self.not(neither)
    }
}
