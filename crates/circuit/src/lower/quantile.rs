//! Order statistics: the least number that at least a share of the rows do not exceed, bit by bit from the highest.
//!
//! Selection by radix: as in Aggarwal, Mishra, Pinkas, "Secure computation of the k-th ranked element", EUROCRYPT 2004, the answer is
//! searched for by counting, and as in Cormen, Leiserson, Rivest, Stein, "Introduction to Algorithms", chapter 8, digit by
//! digit. Differs from the former: the counts are secret too, and so is the path; every row takes part in every step.
//!
//! With `x - least` in digits, and of the rows those that conditions leave:
//!
//! ```text
//! below   rows that are below the answer in the digits so far       equal   rows that are equal to it in them
//! is_v    equal rows whose next digit is v
//! d_v     whether below, is_0, ..., is_(v-1) together are too few:  b * count < a * n, of a share a/b of n rows
//! below'  below xor d_1 is_0 xor d_2 is_1 xor ...
//! equal'  is_0 xor d_1 (is_0 xor is_1) xor d_2 (is_1 xor is_2) xor ...
//! ```
//!
//! `d_v` falls as v grows, so the next digit of the answer is how many of them hold. What is compared does not change, for `below` is
//! counted again: no product is on the way from one digit to the next. Of no rows no `d_v` holds and the answer is the least.
//!
//! Cost: for a digit of two bits a pass over the rows with three counts, ten ANDs a row in two rounds, and three comparisons side by
//! side. All order statistics of a circuit go through the same passes.

use quorate_field::Integer;

use super::Lowering;
use super::allocation::{Rank, around};
use super::arena::{Arena, constant};
use super::row::{Blanks, Truth};
use crate::check::form::Condition;
use crate::check::polynomial::Polynomial;
use crate::check::tree::RowNumber;
use crate::interval::Interval;
use crate::program::Bounded;
use quorate_field::quantity::Quantity;

/// Bits of a digit: with more of them there are fewer passes and more counts.
const DIGIT_BITS: usize = 2;

/// The rows that an order statistic is of.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    pub(super) conditions: &'a [Condition],
    /// The atom that says whether there are any, if they are not all.
    pub(super) exists: Option<usize>,
}

/// How many rows there are, and which share of them is looked for.
struct Goal<'a> {
    rows: Polynomial,
    share: &'a Quantity,
    /// What is added to every count, of a private result.
    noise: Option<Rank>,
}

/// A row's number as bits: `factor * (interval.min + bits) + added`.
pub(super) struct Sliced {
    interval: Interval,
    pub(super) bits: Vec<Truth>,
    factor: Integer,
    added: Integer,
}

impl Sliced {
    /// All that its bits can say, which is more than the number can be where that is no power of two.
    pub(super) fn reach(&self) -> Option<Interval> {
        let all = self.bits.iter().try_fold(Integer::ONE, |all, _| all.checked_add(&all))?;
        let max = self.interval.min.checked_add(&all)?.checked_sub(&Integer::ONE)?;
        let reach = Interval { min: self.interval.min, max }.checked_scale(&self.factor)?;
        reach.checked_add(&Interval::point(self.added))
    }
}

/// The rows while the answer is searched for.
struct Search {
    below: Truth,
    equal: Truth,
}

impl Lowering<'_> {
    /// The least number that at least a share of the rows do not exceed; zero of no rows, if `exists` is there.
    pub(super) fn quantile(
        &mut self,
        index: usize,
        number: &RowNumber,
        share: &Quantity,
        rows: Rows<'_>,
    ) -> Option<Polynomial> {
        let checked = self.checked;
        let atom = &checked.atoms[index];
        // Whether there are any is nothing that noise could tell: of no rows the answer is then whatever the noise says.
        let exists = match rows.exists.filter(|_| self.private.is_none()) {
            Some(exists) => self.atom(exists)?.clone(),
            None => constant(1_u64),
        };
        let noise = self.rank_noise(index, atom.span)?;
        let fits = atom.interval.bound() <= self.study.field.half();
        let goal = Goal { rows: Polynomial::default(), share, noise };
        let found = if fits { self.fitting_quantile(number, goal, rows.conditions, &exists) } else { None };
        if found.is_none() {
            self.refuse_beyond(atom.span, (!fits).then_some(atom.interval));
        }
        found
    }

    fn fitting_quantile(
        &mut self,
        number: &RowNumber,
        mut goal: Goal<'_>,
        conditions: &[Condition],
        exists: &Polynomial,
    ) -> Option<Polynomial> {
        let equal = self.rows.all(conditions)?;
        if equal == Truth::Known(false) {
            return Some(Polynomial::default());
        }
        goal.rows = self.count_of(equal)?;
        let Sliced { interval, bits, factor, added } = self.sliced(number)?;
        let offset = self.search(Search { below: Truth::Known(false), equal }, &bits, &goal)?;
        let least = interval.min.checked_mul(&factor)?.checked_add(&added)?;
        exists.checked_scale(&least)?.checked_add(&offset.checked_scale(&factor)?)
    }

    /// A number as bits. The order of `factor * x + added` is that of x, whose bits may be there already.
    pub(super) fn sliced(&mut self, number: &RowNumber) -> Option<Sliced> {
        let combination = self.rows.number(number, Blanks::Least)?;
        let added = combination.constant().at(0)?;
        let secret = combination.secret();
        let factor = secret.content().map_or(Integer::ONE, |(factor, _)| factor);
        let known = number.interval.checked_sub(&Interval::point(added))?;
        // Whole numbers, so the least is rounded up.
        let least = known.min.checked_neg()?.div_rem(&factor)?.0.checked_neg()?;
        let known = Interval { min: least, max: known.max.div_rem(&factor)?.0 };
        let (interval, bits) = if secret.is_zero() {
            (Interval::point(Integer::ZERO), vec![])
        } else {
            self.rows.bits(&secret.divided(&factor, 0), known)?
        };
        Some(Sliced { interval, bits, factor, added })
    }

    /// The answer less the least that a number can be, given its bits.
    fn search(&mut self, mut search: Search, bits: &[Truth], goal: &Goal<'_>) -> Option<Polynomial> {
        let mut answer = Polynomial::default();
        // Every comparison costs some of the privacy there is: as few as there can be, though in more passes.
        let digit_bits = if goal.noise.is_some() { 1 } else { DIGIT_BITS };
        for digit in bits.chunks(digit_bits).rev() {
            // All digits but the highest have all their bits.
            answer = answer.checked_scale(&Integer::from(1_u64 << digit_bits))?;
            let parts = self.parts(search.equal, digit);
            let (mut up_to, mut below, mut equal) = (search.below, search.below, parts[0]);
            for pair in parts.windows(2) {
                up_to = self.rows.xor(up_to, pair[0]);
                let decision = self.are_too_few(up_to, goal)?;
                answer = answer.checked_add(&Polynomial::atom(decision as usize))?;
                let decided = self.rows.everywhere(decision);
                let passed = self.rows.and(decided, pair[0]);
                below = self.rows.xor(below, passed);
                let change = self.rows.xor(pair[0], pair[1]);
                let change = self.rows.and(decided, change);
                equal = self.rows.xor(equal, change);
            }
            search = Search { below, equal };
        }
        Some(answer)
    }

    /// Of some rows those with each value of a digit of one or two bits, the lowest first.
    fn parts(&mut self, rows: Truth, digit: &[Truth]) -> Vec<Truth> {
        let rows_of = &mut self.rows;
        let zeros: Vec<Truth> = digit.iter().map(|bit| rows_of.not(*bit)).collect();
        match *zeros.as_slice() {
            [low, high] => {
                // Both bits' product does not depend on the rows: it is made once, before the search.
                let both = rows_of.and(low, high);
                let [zero, low, high] = [both, low, high].map(|zeros| rows_of.and(rows, zeros));
                let (one, two) = (rows_of.xor(high, zero), rows_of.xor(low, zero));
                let others = rows_of.xor(high, two);
                vec![zero, one, two, rows_of.xor(rows, others)]
            }
            [low] => {
                let zero = rows_of.and(rows, low);
                vec![zero, rows_of.xor(rows, zero)]
            }
            _ => vec![rows],
        }
    }

    /// The comparison that says whether some rows are less than the share that is looked for.
    fn are_too_few(&mut self, rows: Truth, goal: &Goal<'_>) -> Option<u32> {
        let (share, whole) = (goal.share.numerator(), goal.share.denominator());
        let wanted = goal.rows.checked_scale(&share)?;
        let difference = self.count_of(rows)?.checked_scale(&whole)?.checked_add(&wanted.checked_neg()?)?;
        // Some rows are no more than all.
        let rows_max = Integer::from(self.checked.rows_max);
        let interval = Interval {
            min: rows_max.checked_mul(&share.checked_neg()?)?,
            max: rows_max.checked_mul(&whole.checked_sub(&share)?)?,
        };
        let bound = goal.noise.as_ref().map_or(Integer::ZERO, Rank::bound);
        let interval = interval.checked_add(&around(&bound)?)?;
        let difference = if interval.bound() <= self.study.field.half() {
            difference
        } else {
            self.scalars.lifted(&difference, Interval::up_to(self.checked.rows_max))?
        };
        let mut value = self.scalars.value(&difference)?;
        if let Some(noise) = &goal.noise {
            value = self.with_rank_noise(value, noise)?;
        }
        Some(self.scalars.below(Bounded { value, interval, with: Integer::ZERO }))
    }

    /// In how many rows a truth holds.
    fn count_of(&mut self, truth: Truth) -> Option<Polynomial> {
        let indicator = self.rows.indicator(truth)?;
        self.scalars.sum(&indicator)
    }
}
