//! Groups: the sets of rows that a circuit asks about. A study's `min_group` judges them.
//!
//! A group is named by conditions that hold in it together: `where`, `by`, `count(..)`. Numbers that are chosen row by row imply
//! groups too: `sum(if p then x else 0)` tells as much of the rows where `p` holds as `sum(x) where p`, and so does the sum of a
//! column that has two values only. That a value is there, where a column may be blank, is no group for results of the column itself.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::form::{Atom, Condition, Form, Fraction, Source, Summand};
use super::tree::{RowNumber, RowNumberKind, RowTruth, RowTruthKind};
use crate::column::Column;
use crate::syntax::Comparison;
use quorate_field::Integer;
use quorate_field::quantity::Quantity;

/// The rows where all conditions hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Group {
    /// In the circuit's words: equal words mean equal rows.
    pub(crate) words: String,
    pub(crate) conditions: Vec<Condition>,
}

/// All groups, in the order in which they are judged: those of earlier circuits, then the coarser ones, then as the text goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Groups {
    pub(crate) groups: Vec<Group>,
    places: BTreeMap<String, usize>,
}

/// The groups that a result is of, by their places.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Uses {
    /// Those that it is asked of: it is suppressed where they have too few rows, none included.
    pub(crate) named: BTreeSet<usize>,
    /// Those that it also tells something of: it may be that they have no rows.
    pub(crate) implied: BTreeSet<usize>,
}

impl Groups {
    /// Adds the groups of a circuit's results behind those that are there.
    pub(crate) fn extend<'a>(
        &mut self,
        forms: impl Iterator<Item = &'a Form>,
        atoms: &[Atom],
        columns: &[Column],
    ) {
        let mut found: Vec<(usize, Group)> = Vec::new();
        for form in forms {
            visit(form, atoms, &mut |atom| {
                let (named, implied) = groups_of(atom, columns);
                for group in named.into_iter().chain(implied) {
                    found.push((group.size(), group));
                }
            });
        }
        found.sort_by_key(|(size, _)| *size);
        for (_, group) in found {
            let next = self.groups.len();
            if let std::collections::btree_map::Entry::Vacant(place) = self.places.entry(group.words.clone())
            {
                place.insert(next);
                self.groups.push(group);
            }
        }
    }

    /// The groups that a form tells something of.
    pub(crate) fn uses(&self, form: &Form, atoms: &[Atom], columns: &[Column]) -> Uses {
        let mut uses = Uses::default();
        visit(form, atoms, &mut |atom| {
            let (named, implied) = groups_of(atom, columns);
            let place = |group: &Group| self.places.get(&group.words).copied();
            uses.named.extend(named.iter().filter_map(place));
            uses.implied.extend(implied.iter().filter_map(place));
        });
        uses
    }
}

impl Uses {
    /// All of them.
    pub(crate) fn all(&self) -> impl Iterator<Item = usize> {
        self.named.union(&self.implied).copied().collect::<Vec<_>>().into_iter()
    }
}

impl Group {
    /// `None` of no conditions: those are all rows.
    fn of(conditions: &[Condition]) -> Option<Self> {
        let mut conditions = conditions.to_vec();
        conditions.sort_by(|a, b| a.words.cmp(&b.words));
        conditions.dedup_by(|a, b| a.words == b.words);
        let words: Vec<&str> = conditions.iter().map(|condition| &*condition.words).collect();
        let words = match words.as_slice() {
            [] => return None,
            [one] => (*one).to_owned(),
            many => many.iter().map(|words| format!("({words})")).collect::<Vec<_>>().join(" and "),
        };
        Some(Group { words, conditions })
    }

    /// Comparisons in it: groups with few are coarse.
    fn size(&self) -> usize {
        self.conditions.iter().map(|condition| leaves(&condition.truth)).sum()
    }
}

/// All atoms that a form is computed of, those that decide something included.
pub(super) fn visit<'a>(form: &Form, atoms: &'a [Atom], see: &mut dyn FnMut(&'a Atom)) {
    let mut pending: Vec<usize> = Vec::new();
    let mut add = |fraction: &Fraction| pending.extend(fraction.atoms());
    fractions(form, &mut add);
    let mut seen = BTreeSet::new();
    while let Some(atom) = pending.pop() {
        if !seen.insert(atom) {
            continue;
        }
        if let Source::Decision { difference, .. } = &atoms[atom].source {
            pending.extend(difference.atoms());
        }
    }
    seen.into_iter().for_each(|atom| see(&atoms[atom]));
}

/// All fractions that a form is made of.
pub(crate) fn fractions(form: &Form, see: &mut dyn FnMut(&Fraction)) {
    match form {
        Form::Fraction(fraction) | Form::Root(fraction) => see(fraction),
        Form::Combined(_, parts) => {
            fractions(&parts.0, see);
            fractions(&parts.1, see);
        }
        Form::Fit(fit) => fit.numbers.iter().for_each(see),
        // Vectors are added up over all rows: no group is asked about.
        Form::Vector(..) => {}
    }
}

/// The group that an atom is asked of, if it is not all rows, and those that it implies.
fn groups_of(atom: &Atom, columns: &[Column]) -> (Option<Group>, Vec<Group>) {
    let (numbers, conditions): (Option<&RowNumber>, Vec<Condition>) = match &atom.source {
        Source::Rows { summand: Summand::One, conditions, implied } => {
            (None, without(conditions.iter().chain(implied), &|_| true))
        }
        Source::Rows { summand: Summand::Number(number) | Summand::Square(number), conditions, implied } => {
            // What is implied is that values of the summand's own columns are there.
            let others = without(implied.iter(), &|_| true);
            (Some(number), [conditions.as_slice(), &others].concat())
        }
        Source::Quantile { number, conditions, .. } => {
            (Some(number), without(conditions.iter(), &|column| reads(number, column)))
        }
        Source::Decision { .. } => return (None, vec![]),
    };
    let mut deciding = Vec::new();
    if let Some(number) = numbers {
        conditions_in(number, columns, &mut deciding);
    }
    let among =
        |truth: Arc<RowTruth>| Group::of(&[conditions.as_slice(), &[Condition::of(truth, columns)]].concat());
    (Group::of(&conditions), deciding.into_iter().filter_map(among).collect())
}

/// Conditions but for those that a column has a value, of the columns that `is_own` says: how many rows have one is told with
/// what is computed of the column, and is no group. The values of other columns in just these rows would be one.
fn without<'a>(
    conditions: impl Iterator<Item = &'a Condition>,
    is_own: &dyn Fn(usize) -> bool,
) -> Vec<Condition> {
    let is_group = |condition: &&Condition| match condition.truth.kind {
        RowTruthKind::Present(column) => !is_own(column),
        _ => true,
    };
    conditions.filter(is_group).cloned().collect()
}

/// Whether a number is computed of a column.
fn reads(number: &RowNumber, column: usize) -> bool {
    match &number.kind {
        RowNumberKind::Constant(_) => false,
        RowNumberKind::Column(other) => *other == column,
        RowNumberKind::Add(left, right) | RowNumberKind::Multiply(left, right) => {
            reads(left, column) || reads(right, column)
        }
        RowNumberKind::Scale(inner, _) => reads(inner, column),
        RowNumberKind::If(_, yes, no) => reads(yes, column) || reads(no, column),
    }
}

/// The conditions that choose what a number is.
fn conditions_in(number: &RowNumber, columns: &[Column], found: &mut Vec<Arc<RowTruth>>) {
    match &number.kind {
        RowNumberKind::Constant(_) => {}
        RowNumberKind::Column(column) => {
            let interval = columns[*column].domain.interval();
            let is_bit = interval.max.checked_sub(&interval.min) == Some(Integer::ONE);
            let Some(max) = Quantity::new(interval.max, number.scale).filter(|_| is_bit) else { return };
            let kind = RowNumberKind::Constant(max);
            let (interval, scale) = (crate::Interval::point(max.numerator()), max.denominator());
            let greatest = RowNumber { kind, span: number.span, scale, interval, is_linear: true };
            let kind = RowTruthKind::Compare(Comparison::Equal, Arc::new(number.clone()), Arc::new(greatest));
            found.push(Arc::new(RowTruth { kind, span: number.span }));
        }
        RowNumberKind::Add(left, right) | RowNumberKind::Multiply(left, right) => {
            conditions_in(left, columns, found);
            conditions_in(right, columns, found);
        }
        RowNumberKind::Scale(inner, _) => conditions_in(inner, columns, found),
        RowNumberKind::If(condition, yes, no) => {
            found.push(Arc::clone(condition));
            conditions_in(yes, columns, found);
            conditions_in(no, columns, found);
        }
    }
}

fn leaves(truth: &RowTruth) -> usize {
    match &truth.kind {
        RowTruthKind::And(left, right) | RowTruthKind::Or(left, right) => leaves(left) + leaves(right),
        RowTruthKind::Not(inner) => leaves(inner),
        RowTruthKind::If(condition, yes, no) => leaves(condition) + leaves(yes) + leaves(no),
        _ => 1,
    }
}
