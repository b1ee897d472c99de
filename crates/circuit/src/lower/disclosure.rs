//! Disclosure: which results are of too few rows, decided by the helpers without seeing how many there are.
//!
//! Groups are judged one after the other, in a public order. What was accepted so far cuts the rows into **blocks**. A group is
//! accepted if every block that it cuts falls into pieces that are empty or have `min_group` rows; then it cuts them, and
//! otherwise the blocks stay as they are. A result is shown if all its groups were accepted and those that it is asked of
//! have `min_group` rows. So everything that is shown is a function of sums over whole blocks, and whatever is computed of all of it
//! together, by subtraction or otherwise, tells nothing of fewer than `min_group` rows apart from the others in their block. The group of all rows
//! is the first block: the complement of a group is judged with it. See `docs/decisions/0013-groups.md`.
//!
//! Cost: one AND of bits a row for each combination of groups, and for every few groups one step of comparisons of counts: a group is
//! judged for each way in which the ones just before it may be, side by side, and then the way that they went is picked. A group
//! that is not accepted moves the rows of each combination that it is in to the one that it is not in, by secret products: rows
//! and counts alike stay with the helpers.

use std::collections::BTreeMap;
use std::ops::Range;

use quorate_field::Integer;

use super::arena::{Arena, constant, opposite};
use super::partition::{Combinations, combinations};
use super::row::Truth;
use super::{Lowering, narrow};
use crate::check::form::Form;
use crate::check::groups::{Group, Uses};
use crate::check::polynomial::Polynomial;
use crate::diagnostics::{Diagnostic, Span};
use crate::interval::Interval;
use crate::program::{Bounded, Coefficient, Output, PublicInstruction};

/// Most combinations of groups that are told apart.
const COMBINATIONS_MAX: usize = 1_024;

/// Most groups that are judged side by side.
const AHEAD_MAX: usize = 4;

/// Most pieces that groups after the first of those are judged by: so many counts are compared in little more time than one.
const PIECES_AHEAD: usize = 256;

/// How far it is with the groups.
pub(super) enum Judgement {
    /// Nobody asked yet.
    Pending,
    /// It was refused, and said so.
    Refused,
    /// They are judged.
    Passed(Judged),
}

/// What was decided of the groups.
pub(super) struct Judged {
    /// For each group, a bit: whether it was accepted.
    accepted: Vec<Polynomial>,
    /// How many rows each has.
    sizes: Vec<Polynomial>,
    /// The bits of results, by what they are of.
    guards: BTreeMap<Uses, Guard>,
}

/// Whether a result is shown.
#[derive(Clone)]
pub(super) struct Guard {
    /// The bit that it is multiplied by: a scalar in the columns' field.
    bit: u32,
    /// The bit as the analyst sees it.
    pub(super) public: u32,
}

/// Counts of rows by combination of groups: a bit for each group.
type Counts = BTreeMap<Vec<bool>, Polynomial>;

impl Lowering<'_> {
    /// The guard of a result; outer `None` if that is refused, inner if there is nothing to guard.
    pub(super) fn guard(&mut self, form: &Form, span: Span) -> Option<Option<Guard>> {
        let checked = self.checked;
        let uses = checked.groups.uses(form, &checked.atoms, &checked.columns);
        if uses.all().next().is_none() {
            return Some(None);
        }
        if matches!(self.judgement, Judgement::Pending) {
            self.judgement = self.judge(span).map_or(Judgement::Refused, Judgement::Passed);
        }
        let Judgement::Passed(judged) = &self.judgement else { return None };
        if let Some(known) = judged.guards.get(&uses) {
            return Some(Some(known.clone()));
        }
        let bits = uses.all().map(|group| judged.accepted[group].clone()).collect();
        let sizes = uses.named.iter().map(|group| judged.sizes[*group].clone()).collect();
        let guard = self.guard_of(&uses, bits, sizes);
        let guard = self.within(guard, span)?;
        if let Judgement::Passed(judged) = &mut self.judgement {
            judged.guards.insert(uses, guard.clone());
        }
        Some(Some(guard))
    }

    /// A scalar multiplied by the guard's bit, in the scalar's field.
    pub(super) fn guarded(&mut self, guard: &Guard, scalar: u32) -> Option<u32> {
        let is_lifted = self.scalars.field_of(scalar) != self.study.field;
        let bit = if is_lifted { self.scalars.lift(guard.bit, Interval::BIT) } else { guard.bit };
        self.scalars.multiply(bit.min(scalar), bit.max(scalar))
    }

    /// The guard of a result of groups that were accepted if these bits say so, those that it is asked of of these sizes.
    fn guard_of(&mut self, uses: &Uses, mut bits: Vec<Polynomial>, sizes: Vec<Polynomial>) -> Option<Guard> {
        for size in sizes {
            let is_small = self.below_min_group(&size)?;
            bits.push(opposite(&is_small)?);
        }
        let bit = self.all_of(bits)?;
        let bit = self.scalars.value(&bit)?;
        let words: Vec<&str> =
            uses.all().map(|group| self.checked.groups.groups[group].words.as_str()).collect();
        let meaning = format!("whether enough rows have {}", words.join("; "));
        let (field, interval) = (self.study.field, Interval::BIT);
        let output = Output { scalar: bit, field, interval, meaning, noise: None };
        let position = self.put_out(output);
        Some(Guard { bit, public: self.public(PublicInstruction::Output(position)) })
    }

    /// Decides of all groups.
    fn judge(&mut self, span: Span) -> Option<Judged> {
        if !self.has_products() {
            let label = match self.is_held_linear() {
                true => {
                    "groups are counted and compared, and a circuit that sums vectors is linear: ask for it alone"
                }
                false => "this study's helpers cannot multiply: groups are counted and compared with it",
            };
            self.refuse_groups(span, label);
            return None;
        }
        let groups = &self.checked.groups.groups;
        let found = combinations(groups, &self.checked.columns, COMBINATIONS_MAX);
        let Some(found) = found.filter(|found| closed(found).len() <= COMBINATIONS_MAX) else {
            self.refuse_groups(
                span,
                "the groups of this circuit, and of those before it, overlap in too many ways",
            );
            return None;
        };
        let judged = self.judged_among(groups, &found);
        self.within(judged, span)
    }

    fn refuse_groups(&mut self, span: Span, label: &str) {
        let message = format!(
            "results of fewer than {} rows are suppressed in this study",
            self.study.policy.disclosure.min_group
        );
        self.refuse(
            Diagnostic::new(span, message, label)
                .help("ask of fewer groups, or of groups that were asked of before (policy.min_group)"),
        );
    }

    fn judged_among(&mut self, groups: &[Group], found: &Combinations) -> Option<Judged> {
        let mut counts = self.counts(groups, found)?;
        let size = |group: usize, counts: &Counts| {
            let inside = counts.iter().filter(|(combination, _)| combination[group]);
            sum(inside.map(|(_, count)| count))
        };
        let sizes: Vec<Polynomial> =
            (0..groups.len()).map(|group| size(group, &counts)).collect::<Option<_>>()?;
        let mut accepted: Vec<Polynomial> = Vec::with_capacity(groups.len());
        while accepted.len() < groups.len() {
            let first = accepted.len();
            for bits in self.ahead(&counts, first..groups.len())? {
                let bit = self.picked(bits, &accepted[first..])?;
                if accepted.len() + 1 < groups.len() {
                    self.join(&mut counts, accepted.len(), &bit)?;
                }
                accepted.push(bit);
            }
        }
        Some(Judged { accepted, sizes, guards: BTreeMap::new() })
    }

    /// For each of the first few of some groups, whether it is accepted: a bit for each way in which those before it may have
    /// been judged, the first of them deciding between the halves, not accepted before accepted.
    fn ahead(&mut self, counts: &Counts, groups: Range<usize>) -> Option<Vec<Vec<Polynomial>>> {
        let mut ways = vec![counts.clone()];
        let (mut found, mut asked) = (Vec::new(), 0);
        for group in groups.take(AHEAD_MAX) {
            let pieces: Vec<Vec<Polynomial>> =
                ways.iter().map(|counts| pieces(counts, group)).collect::<Option<_>>()?;
            asked += pieces.iter().map(Vec::len).sum::<usize>();
            if asked > PIECES_AHEAD && !found.is_empty() {
                break;
            }
            let bits = pieces.iter().map(|pieces| self.are_empty_or_large(pieces));
            found.push(bits.collect::<Option<_>>()?);
            let both = ways.into_iter().map(|counts| Some([without(&counts, group)?, counts]));
            ways = both.collect::<Option<Vec<_>>>()?.into_iter().flatten().collect();
        }
        Some(found)
    }

    /// The one of some bits that the groups before were judged for.
    fn picked(&mut self, mut bits: Vec<Polynomial>, before: &[Polynomial]) -> Option<Polynomial> {
        for accepted in before {
            let with = bits.split_off(bits.len() / 2);
            let pick = |(without, with): (Polynomial, Polynomial)| {
                let change = self.scalars.product(accepted, &with.checked_add(&without.checked_neg()?)?)?;
                without.checked_add(&change)
            };
            bits = bits.into_iter().zip(with).map(pick).collect::<Option<_>>()?;
        }
        bits.pop()
    }

    /// The bit that says whether each of these numbers of rows is zero or `min_group`.
    fn are_empty_or_large(&mut self, pieces: &[Polynomial]) -> Option<Polynomial> {
        let mut are_good = Vec::with_capacity(pieces.len());
        for piece in pieces {
            let is_small = self.below_min_group(piece)?;
            let is_empty = self.is_empty(piece)?;
            are_good.push(opposite(&is_small.checked_add(&is_empty.checked_neg()?)?)?);
        }
        self.all_of(are_good)
    }

    /// How many rows there are of each combination: a tree of conjunctions, and what is left over by subtraction.
    fn counts(&mut self, groups: &[Group], found: &Combinations) -> Option<Counts> {
        let everybody = Polynomial::public(Coefficient::rows());
        let mut nodes = vec![(Vec::new(), Truth::Known(true), everybody)];
        for (place, group) in groups.iter().enumerate() {
            let members = self.rows.all(&group.conditions)?;
            let mut next = Vec::with_capacity(nodes.len() * 2);
            for (prefix, truth, count) in nodes {
                let with = |is_in: bool| [prefix.as_slice(), &[is_in]].concat();
                let is_there = |is_in: bool| {
                    found.range(with(is_in)..).next().is_some_and(|next| next[..=place] == with(is_in))
                };
                match (is_there(true), is_there(false)) {
                    (true, true) => {
                        let inside = self.rows.and(truth, members);
                        let indicator = match truth {
                            Truth::Known(true) => self.rows.among(&group.conditions)?,
                            _ => self.rows.indicator(inside)?,
                        };
                        let inside_count = self.scalars.sum(&indicator)?;
                        let outside_count = count.checked_add(&inside_count.checked_neg()?)?;
                        let outside = self.rows.xor(truth, inside);
                        next.push((with(true), inside, inside_count));
                        next.push((with(false), outside, outside_count));
                    }
                    (is_in, _) => next.push((with(is_in), truth, count)),
                }
            }
            nodes = next;
        }
        let none = closed(found).into_iter().map(|combination| (combination, Polynomial::default()));
        Some(none.chain(nodes.into_iter().map(|(combination, _, count)| (combination, count))).collect())
    }

    /// Where a group was not accepted, its part of every block goes back to the rest.
    fn join(&mut self, counts: &mut Counts, group: usize, accepted: &Polynomial) -> Option<()> {
        let inside: Vec<Vec<bool>> =
            counts.keys().filter(|combination| combination[group]).cloned().collect();
        for combination in inside {
            let mut outside = combination.clone();
            outside[group] = false;
            let count = counts[&combination].clone();
            let stays = self.scalars.product(accepted, &count)?;
            let goes = count.checked_add(&stays.checked_neg()?)?;
            let rest = counts.get(&outside).cloned().unwrap_or_default();
            counts.insert(outside, rest.checked_add(&goes)?);
            counts.insert(combination, stays);
        }
        Some(())
    }

    /// The bit that says whether a number of rows is below `min_group`.
    fn below_min_group(&mut self, count: &Polynomial) -> Option<Polynomial> {
        let bounded = self.rows_against(count, self.study.policy.disclosure.min_group)?;
        Some(Polynomial::atom(self.scalars.below(bounded) as usize))
    }

    fn is_empty(&mut self, count: &Polynomial) -> Option<Polynomial> {
        let bounded = self.rows_against(count, 0)?;
        Some(Polynomial::atom(self.scalars.equal(bounded) as usize))
    }

    fn rows_against(&mut self, count: &Polynomial, with: u64) -> Option<Bounded> {
        let interval = Interval::up_to(self.checked.rows_max);
        Some(Bounded { value: self.scalars.value(count)?, interval, with: Integer::from(with) })
    }

    /// The product of bits, in few rounds.
    fn all_of(&mut self, mut bits: Vec<Polynomial>) -> Option<Polynomial> {
        while bits.len() > 1 {
            let pairs = bits.chunks(2).map(|pair| match pair {
                [left, right] => self.scalars.product(left, right),
                single => single.first().cloned(),
            });
            bits = pairs.collect::<Option<_>>()?;
        }
        Some(bits.pop().unwrap_or_else(|| constant(1_u64)))
    }

    /// The position of an output, which is put last if it is not there.
    pub(super) fn put_out(&mut self, output: Output) -> u32 {
        let next = narrow(self.outputs.len());
        let position = *self.output_of.entry(output.scalar).or_insert(next);
        if position == next {
            self.outputs.push(output);
        }
        position
    }
}

/// How many rows there are in each piece of the blocks that a group cuts.
fn pieces(counts: &Counts, group: usize) -> Option<Vec<Polynomial>> {
    let mut pieces = Vec::new();
    for [inside, outside] in blocks(counts, group) {
        let (inside, outside) = (sum(inside.into_iter())?, sum(outside.into_iter())?);
        if !inside.is_zero() && !outside.is_zero() {
            pieces.extend([inside, outside]);
        }
    }
    Some(pieces)
}

/// The counts where a group was not accepted: its part of every block is back with the rest.
fn without(counts: &Counts, group: usize) -> Option<Counts> {
    let mut joined = counts.clone();
    for (combination, count) in counts.iter().filter(|(combination, _)| combination[group]) {
        let mut outside = combination.clone();
        outside[group] = false;
        let rest = joined.get(&outside).cloned().unwrap_or_default();
        joined.insert(outside, rest.checked_add(count)?);
        joined.insert(combination.clone(), Polynomial::default());
    }
    Some(joined)
}

/// The counts of each block that the groups before `group` make: inside it and outside.
fn blocks(counts: &Counts, group: usize) -> Vec<[Vec<&Polynomial>; 2]> {
    let mut blocks: BTreeMap<&[bool], [Vec<&Polynomial>; 2]> = BTreeMap::new();
    for (combination, count) in counts {
        let block = blocks.entry(&combination[..group]).or_default();
        block[usize::from(!combination[group])].push(count);
    }
    blocks.into_values().collect()
}

/// With every combination also those in which some of its groups are left away: where the rows of groups that are not accepted go.
fn closed(found: &Combinations) -> Combinations {
    let mut closed = Combinations::new();
    let mut pending: Vec<Vec<bool>> = found.iter().cloned().collect();
    while let Some(combination) = pending.pop() {
        if closed.len() > COMBINATIONS_MAX || !closed.insert(combination.clone()) {
            continue;
        }
        for group in 0..combination.len() {
            if combination[group] {
                let mut fewer = combination.clone();
                fewer[group] = false;
                pending.push(fewer);
            }
        }
    }
    closed
}

fn sum<'a>(mut counts: impl Iterator<Item = &'a Polynomial>) -> Option<Polynomial> {
    counts.try_fold(Polynomial::default(), |sum, count| sum.checked_add(count))
}
