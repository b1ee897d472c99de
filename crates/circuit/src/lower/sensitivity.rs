//! Sensitivities: how far numbers move together when one contribution is another one.
//!
//! Numbers are whole multiples of sums over rows, added up. A row is in some of the groups that the sums are over; which combinations
//! of groups there are says [`combinations`], and what a row of each adds to each number, the intervals. A contribution is the sum
//! of the same of `rows_max` rows, its number of rows being public; so no two of them differ by more than `rows_max` times
//! what two rows do: a norm is largest at corners.
//!
//! The scale of each number is its own sensitivity; of all together it is known how large the sum of the moves, in these
//! scales, and that of their squares can be. A row moves from one group to another, so of a table two cells move and not all.

use std::collections::{BTreeMap, BTreeSet};

use quorate_field::Integer;
use quorate_field::quantity::Quantity;

use super::partition::combinations;
use crate::check::form::{Atom, Condition, Source, Summand};
use crate::check::groups::Group;
use crate::check::polynomial::Polynomial;
use crate::column::Column;
use crate::interval::Interval;

/// Most combinations of groups that are told apart: every two of them are looked at.
const COMBINATIONS_MAX: usize = 512;

/// Parts of a sensitivity: moves are counted in these, rounded up.
const PARTS: u64 = 1 << 32;

/// The sensitivities of some numbers.
pub(super) struct Sensitivities {
    /// Of each alone: the most that it moves.
    pub(super) each: Vec<Integer>,
    /// Of all together, each in units of its own.
    pub(super) together: Moves,
}

/// How far numbers move together.
pub(super) struct Moves {
    /// The most that the sum of their moves is.
    pub(super) sum: Quantity,
    /// The most that the sum of the squares of their moves is.
    pub(super) squares: Quantity,
}

/// What a row adds to each number, by the groups that it is in.
type Contributions = Vec<Vec<Interval>>;

/// Of combinations of sums with whole factors, for contributions of `rows` rows. `None` beyond 512 bits.
pub(super) fn sensitivities(
    numbers: &[Polynomial],
    atoms: &[Atom],
    columns: &[Column],
    rows: u64,
) -> Option<Sensitivities> {
    let contributions = contributions(numbers, atoms, columns)?;
    let each: Vec<Integer> = match &contributions {
        Some(contributions) => {
            (0..numbers.len()).map(|number| widest(contributions, number)).collect::<Option<_>>()?
        }
        // Too many combinations: each row may be in or out of every group.
        None => numbers.iter().map(|number| width(&anywhere(number, atoms)?)).collect::<Option<_>>()?,
    };
    let (sum, squares) = match &contributions {
        Some(contributions) => together(contributions, &each)?,
        None => (numbers.len() as u128 * u128::from(PARTS), numbers.len() as u128 * u128::from(PARTS).pow(2)),
    };
    let of_parts = |count: u128, power: u32| {
        let count = Integer::from(i128::try_from(count).ok()?);
        Quantity::new(count, Integer::from(i128::from(PARTS).pow(power)))
    };
    let each = each.into_iter().map(|each| each.checked_mul(&rows.into())).collect::<Option<_>>()?;
    let together = Moves { sum: of_parts(sum, 1)?, squares: of_parts(squares, 2)? };
    Some(Sensitivities { each, together })
}

/// Of all elements of a vector's sum together.
pub(super) fn sensitivity_of_vector(column: &Column, rows: u64) -> Option<Moves> {
    let length = Integer::from(column.width() as u64);
    let range = width(&column.domain.interval())?.checked_mul(&rows.into())?;
    let (sum, squares) = (range.checked_mul(&length)?, range.checked_mul(&range)?.checked_mul(&length)?);
    let Some(norm) = column.norm() else {
        return Some(Moves { sum: sum.into(), squares: squares.into() });
    };
    // Two vectors within a norm are at most twice as far apart; a sum of n moves is at most the root of n times their squares'.
    let apart = norm.bound().checked_mul(&Integer::from(2_u64))?.checked_mul(&rows.into())?;
    let squares = squares.min(apart.checked_mul(&apart)?);
    let of_squares = squares.checked_mul(&length)?.floor_root()?.checked_add(&Integer::ONE)?;
    Some(Moves { sum: sum.min(of_squares).into(), squares: squares.into() })
}

/// The inner `None` where there are too many combinations of groups.
fn contributions(
    numbers: &[Polynomial],
    atoms: &[Atom],
    columns: &[Column],
) -> Option<Option<Contributions>> {
    let mut groups: Vec<Group> = Vec::new();
    let mut places: BTreeMap<usize, usize> = BTreeMap::new();
    for (product, _) in numbers.iter().flat_map(Polynomial::terms) {
        let [atom] = product else { continue };
        let conditions = conditions_of(&atoms[*atom]);
        let place = groups.iter().position(|group| same(&group.conditions, &conditions));
        let place = place.unwrap_or_else(|| {
            groups.push(Group { words: String::new(), conditions });
            groups.len() - 1
        });
        places.insert(*atom, place);
    }
    let Some(found) = combinations(&groups, columns, COMBINATIONS_MAX) else { return Some(None) };
    let rows = found.iter().map(|combination| {
        let added = |number: &Polynomial| contribution(number, atoms, &|atom| combination[places[&atom]]);
        numbers.iter().map(added).collect::<Option<Vec<_>>>()
    });
    rows.collect::<Option<Vec<_>>>().map(Some)
}

/// What a row adds to a number, given which of its sums it is in.
fn contribution(number: &Polynomial, atoms: &[Atom], is_in: &dyn Fn(usize) -> bool) -> Option<Interval> {
    let mut total = Interval::point(Integer::ZERO);
    for (product, factor) in number.terms() {
        let [atom] = product else { continue };
        if is_in(*atom) {
            total = total.checked_add(&of_row(&atoms[*atom])?.checked_scale(factor.0.first()?)?)?;
        }
    }
    Some(total)
}

/// All that a row can add to a number, whatever groups it is in.
fn anywhere(number: &Polynomial, atoms: &[Atom]) -> Option<Interval> {
    let mut total = Interval::point(Integer::ZERO);
    for (product, factor) in number.terms() {
        let [atom] = product else { continue };
        let zero = Interval::point(Integer::ZERO);
        total = total.checked_add(&of_row(&atoms[*atom])?.hull(&zero).checked_scale(factor.0.first()?)?)?;
    }
    Some(total)
}

/// What a row that is in an atom's sum adds to it.
fn of_row(atom: &Atom) -> Option<Interval> {
    match &atom.source {
        Source::Rows { summand: Summand::One, .. } => Some(Interval::point(Integer::ONE)),
        Source::Rows { summand: Summand::Number(number), .. } => Some(number.interval),
        Source::Rows { summand: Summand::Square(number), .. } => number.interval.checked_pow(2),
        Source::Quantile { .. } | Source::Decision { .. } => None,
    }
}

/// What a row that is in all of a number's sums adds to it.
pub(super) fn among(number: &Polynomial, atoms: &[Atom]) -> Option<Interval> {
    contribution(number, atoms, &|_| true)
}

/// The conditions of the rows that an atom is of, in words.
pub(super) fn words_of(atom: &Atom) -> BTreeSet<&str> {
    match &atom.source {
        Source::Rows { conditions, implied, .. } => {
            conditions.iter().chain(implied).map(|c| &*c.words).collect()
        }
        _ => BTreeSet::new(),
    }
}

fn conditions_of(atom: &Atom) -> Vec<Condition> {
    match &atom.source {
        Source::Rows { conditions, implied, .. } => conditions.iter().chain(implied).cloned().collect(),
        _ => vec![],
    }
}

fn same(left: &[Condition], right: &[Condition]) -> bool {
    left.len() == right.len() && left.iter().zip(right).all(|(left, right)| left.words == right.words)
}

fn width(interval: &Interval) -> Option<Integer> {
    interval.max.checked_sub(&interval.min)
}

/// The most that a number moves when one row is another one.
fn widest(contributions: &Contributions, number: usize) -> Option<Integer> {
    let all = contributions.iter().map(|row| row[number]).reduce(|all, one| all.hull(&one));
    width(&all.unwrap_or(Interval::point(Integer::ZERO)))
}

/// The most that all numbers move together: the sum, and the sum of squares, in parts of each one's own sensitivity.
fn together(contributions: &Contributions, each: &[Integer]) -> Option<(u128, u128)> {
    let least: Vec<Integer> = (0..each.len())
        .map(|number| contributions.iter().map(|row| row[number].min).min().unwrap_or(Integer::ZERO))
        .collect();
    // In parts above the least, rounded apart, so that what is between them is not less than it was.
    let scaled = contributions.iter().map(|row| {
        let numbers = row.iter().zip(&least).zip(each);
        let parts = numbers.map(|((interval, least), each)| {
            let part = |end: &Integer, added: &Integer| {
                let (scaled, _) = end
                    .checked_sub(least)?
                    .checked_mul(&PARTS.into())?
                    .checked_add(added)?
                    .div_rem(&(*each).max(Integer::ONE))?;
                u64::try_from(scaled.to_i128()?).ok()
            };
            let above = (*each).max(Integer::ONE).checked_sub(&Integer::ONE)?;
            Some((part(&interval.min, &Integer::ZERO)?, part(&interval.max, &above)?))
        });
        parts.collect::<Option<Vec<(u64, u64)>>>()
    });
    let scaled: Vec<Vec<(u64, u64)>> = scaled.collect::<Option<_>>()?;
    let (mut sum, mut squares) = (0, 0);
    for (place, left) in scaled.iter().enumerate() {
        for right in &scaled[..=place] {
            let moves = left.iter().zip(right).map(|((left_min, left_max), (right_min, right_max))| {
                u128::from(left_max.saturating_sub(*right_min).max(right_max.saturating_sub(*left_min)))
            });
            let (of_pair, of_squares) =
                moves.fold((0, 0), |(sum, squares), by| (sum + by, squares + by * by));
            (sum, squares) = (of_pair.max(sum), of_squares.max(squares));
        }
    }
    Some((sum, squares))
}
