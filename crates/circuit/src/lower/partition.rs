//! Partitions: which combinations of groups a row can be in, as far as the conditions' text alone says.
//!
//! Labels of one category exclude each other, and so do pieces of one number's line: a table by ten labels has eleven
//! combinations, not 2^10. Everything here is public; no row is looked at.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use super::comparison::flipped;
use crate::check::blank::{is_in_number, is_in_truth};
use crate::check::groups::Group;
use crate::check::tree::{RowNumber, RowNumberKind, RowTruth, RowTruthKind};
use crate::check::words;
use crate::column::Column;
use crate::syntax::Comparison;
use quorate_field::quantity::Quantity;

/// Most combinations of what conditions look at that are gone through.
const CELLS_MAX: usize = 1 << 16;

/// For each combination of groups that a row may be in: whether it is in each of them.
pub(super) type Combinations = BTreeSet<Vec<bool>>;

/// The combinations; `None` where there are more than `most`, or too many to go through.
pub(super) fn combinations(groups: &[Group], columns: &[Column], most: usize) -> Option<Combinations> {
    let mut space = Space { columns, dimensions: BTreeMap::new() };
    let truths = || groups.iter().flat_map(|group| &group.conditions).map(|condition| &*condition.truth);
    truths().for_each(|truth| space.look(truth));
    let sizes: Vec<usize> = space
        .dimensions
        .values()
        .map(|(dimension, blanks)| dimension.regions() + usize::from(*blanks))
        .collect();
    let cells = sizes.iter().try_fold(1_usize, |cells, size| cells.checked_mul(*size))?;
    if cells > CELLS_MAX {
        return None;
    }
    let predicates: Vec<Vec<Predicate>> = groups
        .iter()
        .map(|group| group.conditions.iter().map(|condition| space.predicate(&condition.truth)).collect())
        .collect();
    let mut found = Combinations::new();
    let mut regions = vec![0; sizes.len()];
    for cell in 0..cells {
        let mut rest = cell;
        for (region, size) in regions.iter_mut().zip(&sizes) {
            (*region, rest) = (rest % size, rest / size);
        }
        let is_in = |conditions: &Vec<Predicate>| conditions.iter().all(|p| p.holds(&regions) == Some(true));
        found.insert(predicates.iter().map(is_in).collect());
        if found.len() > most {
            return None;
        }
    }
    Some(found)
}

/// What the conditions look at.
struct Space<'a> {
    columns: &'a [Column],
    /// By what is looked at, in the circuit's words, and whether it may be missing: that is a region more, the last.
    dimensions: BTreeMap<String, (Dimension, bool)>,
}

/// One thing that conditions look at, cut into regions.
enum Dimension {
    /// A category: a region for each label that is asked for, and one for the others.
    Labels(BTreeSet<usize>),
    /// A number: the points that it is compared with, ascending; they and what is between and beyond them are regions.
    Line(Vec<Quantity>),
    /// A condition: it holds or not.
    Truth,
}

/// A condition, of the regions that a row is in, one of each dimension. It may be missing, as conditions are.
enum Predicate {
    /// Whether the region of a dimension compares so with another; missing in the last one of it, if that says so.
    Region {
        dimension: usize,
        comparison: Comparison,
        region: usize,
        blank: Option<usize>,
    },
    And(Box<(Predicate, Predicate)>),
    Not(Box<Predicate>),
    If(Box<(Predicate, Predicate, Predicate)>),
}

impl Dimension {
    fn regions(&self) -> usize {
        match self {
            Dimension::Labels(labels) => labels.len() + 1,
            Dimension::Line(points) => 2 * points.len() + 1,
            Dimension::Truth => 2,
        }
    }
}

impl Predicate {
    fn holds(&self, regions: &[usize]) -> Option<bool> {
        match self {
            Predicate::Region { dimension, comparison, region, blank } => {
                let found = regions[*dimension];
                (*blank != Some(found)).then(|| comparison.holds(found.cmp(region)))
            }
            Predicate::And(both) => match (both.0.holds(regions), both.1.holds(regions)) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (left, right) => Some(left? && right?),
            },
            Predicate::Not(inner) => inner.holds(regions).map(|holds| !holds),
            Predicate::If(parts) => {
                let (condition, yes, no) = &**parts;
                if condition.holds(regions)? { yes } else { no }.holds(regions)
            }
        }
    }

    fn and(self, other: Predicate) -> Predicate {
        Predicate::And(Box::new((self, other)))
    }

    fn not(self) -> Predicate {
        Predicate::Not(Box::new(self))
    }

    fn or(self, other: Predicate) -> Predicate {
        self.not().and(other.not()).not()
    }
}

impl Space<'_> {
    /// Notes what a condition looks at.
    fn look(&mut self, truth: &RowTruth) {
        match &truth.kind {
            RowTruthKind::And(left, right) | RowTruthKind::Or(left, right) => {
                self.look(left);
                self.look(right);
            }
            RowTruthKind::Not(inner) => self.look(inner),
            RowTruthKind::If(condition, yes, no) => {
                [condition, yes, no].into_iter().for_each(|part| self.look(part));
            }
            RowTruthKind::Is(column, label) => {
                let empty = || (Dimension::Labels(BTreeSet::new()), self.columns[*column].is_optional());
                let dimension = self.dimensions.entry(category(*column)).or_insert_with(empty);
                if let Dimension::Labels(labels) = &mut dimension.0 {
                    labels.insert(*label);
                }
            }
            RowTruthKind::Compare(_, left, right) if let Some((number, point, _)) = on_line(left, right) => {
                let blanks = is_in_number(number, self.columns);
                let (name, empty) = (self.line(number), || (Dimension::Line(Vec::new()), blanks));
                if let Dimension::Line(points) = &mut self.dimensions.entry(name).or_insert_with(empty).0 {
                    let place = place_of(&point, points);
                    if points.get(place).is_none_or(|other| order(other, &point).is_ne()) {
                        points.insert(place, point);
                    }
                }
            }
            _ => {
                let blanks = is_in_truth(truth, self.columns);
                self.dimensions.insert(words::truth(truth, self.columns), (Dimension::Truth, blanks));
            }
        }
    }

    /// A condition of the regions; everything in it was looked at.
    fn predicate(&self, truth: &RowTruth) -> Predicate {
        match &truth.kind {
            RowTruthKind::And(left, right) => self.predicate(left).and(self.predicate(right)),
            RowTruthKind::Or(left, right) => self.predicate(left).or(self.predicate(right)),
            RowTruthKind::Not(inner) => self.predicate(inner).not(),
            RowTruthKind::If(condition, yes, no) => {
                let parts = (self.predicate(condition), self.predicate(yes), self.predicate(no));
                Predicate::If(Box::new(parts))
            }
            RowTruthKind::Is(column, label) => {
                let region = |dimension: &Dimension| match dimension {
                    Dimension::Labels(labels) => labels.range(..label).count(),
                    _ => 0,
                };
                self.region(&category(*column), Comparison::Equal, &region)
            }
            RowTruthKind::Compare(comparison, left, right)
                if let Some((number, point, comparison)) = on_line(left, right)
                    .map(|(number, point, is_left)| (number, point, turned(*comparison, is_left))) =>
            {
                let region = |dimension: &Dimension| match dimension {
                    Dimension::Line(points) => 2 * place_of(&point, points) + 1,
                    _ => 0,
                };
                self.region(&self.line(number), comparison, &region)
            }
            _ => self.region(&words::truth(truth, self.columns), Comparison::Equal, &|_| 1),
        }
    }

    fn region(&self, name: &str, comparison: Comparison, region: &dyn Fn(&Dimension) -> usize) -> Predicate {
        let found = self.dimensions.iter().enumerate().find(|(_, (other, _))| *other == name);
        let (dimension, region, blank) = found.map_or((0, 0, None), |(place, (_, (dimension, blanks)))| {
            (place, region(dimension), blanks.then(|| dimension.regions()))
        });
        Predicate::Region { dimension, comparison, region, blank }
    }

    fn line(&self, number: &RowNumber) -> String {
        format!("line of {}", words::number(number, self.columns))
    }
}

fn category(column: usize) -> String {
    format!("labels of column {column}")
}

/// A number that is compared with a constant, the constant, and whether the number stands left.
fn on_line<'a>(left: &'a RowNumber, right: &'a RowNumber) -> Option<(&'a RowNumber, Quantity, bool)> {
    match (&left.kind, &right.kind) {
        (_, RowNumberKind::Constant(point)) => Some((left, *point, true)),
        (RowNumberKind::Constant(point), _) => Some((right, *point, false)),
        _ => None,
    }
}

/// The comparison with sides exchanged, unless they stand as they should.
fn turned(comparison: Comparison, is_right: bool) -> Comparison {
    if is_right { comparison } else { flipped(comparison) }
}

fn place_of(point: &Quantity, points: &[Quantity]) -> usize {
    points.partition_point(|other| order(other, point).is_lt())
}

/// Constants of a text are far below the size at which they could not be compared.
fn order(left: &Quantity, right: &Quantity) -> Ordering {
    left.checked_cmp(right).unwrap_or_else(|| left.to_f64().total_cmp(&right.to_f64()))
}
