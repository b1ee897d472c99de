//! Polynomials in secret aggregates, with coefficients that are polynomials in the public number of rows.

use std::collections::{BTreeMap, BTreeSet};

use quorate_field::Integer;

use super::form::Atom;
use crate::interval::Interval;
use crate::program::Coefficient;
use quorate_field::quantity::gcd;

/// Most terms of a polynomial, and highest degree in secrets: beyond, nothing sensible is meant.
const TERMS_MAX: usize = 4096;
const DEGREE_MAX: usize = 8;

/// Most bits whose values are all tried.
const TRIED_MAX: usize = 8;

/// A sum of products of atoms, each product a sorted list of their numbers, with its coefficient.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Polynomial(BTreeMap<Vec<usize>, Coefficient>);

impl Polynomial {
    /// One that no secret is in.
    pub(crate) fn public(coefficient: Coefficient) -> Self {
        Polynomial::default().with(vec![], coefficient)
    }

    /// One atom.
    pub(crate) fn atom(atom: usize) -> Self {
        Polynomial::default().with(vec![atom], Coefficient::constant(1_u64))
    }

    /// Its terms.
    pub(crate) fn terms(&self) -> impl Iterator<Item = (&[usize], &Coefficient)> {
        self.0.iter().map(|(atoms, coefficient)| (atoms.as_slice(), coefficient))
    }

    /// Highest number of secrets in a product.
    pub(crate) fn degree(&self) -> usize {
        self.0.keys().map(Vec::len).max().unwrap_or(0)
    }

    /// The part that no secret is in.
    pub(crate) fn constant(&self) -> Coefficient {
        self.0.get(&vec![]).cloned().unwrap_or_default()
    }

    /// The rest.
    pub(crate) fn secret(&self) -> Polynomial {
        Polynomial(
            self.0
                .iter()
                .filter(|(atoms, _)| !atoms.is_empty())
                .map(|(a, c)| (a.clone(), c.clone()))
                .collect(),
        )
    }

    pub(crate) fn is_zero(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn checked_add(&self, other: &Self) -> Option<Self> {
        let mut sum = self.clone();
        for (atoms, coefficient) in &other.0 {
            let total = match sum.0.get(atoms) {
                Some(mine) => mine.checked_add(coefficient)?,
                None => coefficient.clone(),
            };
            sum = sum.with(atoms.clone(), total);
        }
        (sum.0.len() <= TERMS_MAX).then_some(sum)
    }

    pub(crate) fn checked_mul(&self, other: &Self) -> Option<Self> {
        if self.degree() + other.degree() > DEGREE_MAX || self.0.len() * other.0.len() > TERMS_MAX {
            return None;
        }
        let mut product = Polynomial::default();
        for (left, a) in &self.0 {
            for (right, b) in &other.0 {
                let mut atoms = [left.as_slice(), right].concat();
                atoms.sort_unstable();
                let term = Polynomial::default().with(atoms, a.checked_mul(b)?);
                product = product.checked_add(&term)?;
            }
        }
        Some(product)
    }

    /// The same with constants for some of the atoms.
    pub(crate) fn with_constants(
        &self,
        constant: &dyn Fn(usize) -> Option<Coefficient>,
    ) -> Option<Polynomial> {
        let mut sum = Polynomial::default();
        for (atoms, coefficient) in &self.0 {
            let mut coefficient = coefficient.clone();
            let mut rest = Vec::with_capacity(atoms.len());
            for atom in atoms {
                match constant(*atom) {
                    Some(value) => coefficient = coefficient.checked_mul(&value)?,
                    None => rest.push(*atom),
                }
            }
            sum = sum.checked_add(&Polynomial::default().with(rest, coefficient))?;
        }
        Some(sum)
    }

    /// The same with powers of atoms that are 0 or 1 replaced by the atoms.
    pub(crate) fn with_bits(&self, is_bit: &dyn Fn(usize) -> bool) -> Option<Polynomial> {
        let mut sum = Polynomial::default();
        for (atoms, coefficient) in &self.0 {
            let mut atoms = atoms.clone();
            atoms.dedup_by(|a, b| a == b && is_bit(*a));
            sum = sum.checked_add(&Polynomial::default().with(atoms, coefficient.clone()))?;
        }
        Some(sum)
    }

    /// As a polynomial in its only atom, if it has one and nothing in it depends on the number of rows.
    pub(crate) fn univariate(&self) -> Option<(usize, Coefficient)> {
        let atom = *self.0.keys().next_back()?.first()?;
        let mut coefficients = vec![Integer::ZERO; self.degree() + 1];
        for (atoms, coefficient) in &self.0 {
            if atoms.iter().any(|other| *other != atom) || coefficient.0.len() > 1 {
                return None;
            }
            coefficients[atoms.len()] = *coefficient.0.first()?;
        }
        Some((atom, Coefficient(coefficients)))
    }

    pub(crate) fn checked_scale(&self, factor: &Integer) -> Option<Self> {
        self.checked_mul(&Polynomial::public(Coefficient::constant(*factor)))
    }

    pub(crate) fn checked_neg(&self) -> Option<Self> {
        self.checked_scale(&Integer::ONE.checked_neg()?)
    }

    /// The greatest integer and the highest power of the number of rows that divide it. `None` for zero.
    pub(crate) fn content(&self) -> Option<(Integer, usize)> {
        let integer = self.0.values().filter_map(Coefficient::content).reduce(gcd)?;
        Some((integer, self.0.values().filter_map(Coefficient::order).min()?))
    }

    /// Divided by what divides it.
    pub(crate) fn divided(&self, integer: &Integer, power: usize) -> Self {
        let divide = |c: &Coefficient| c.lowered(power).divided(integer);
        Polynomial(self.0.iter().map(|(atoms, c)| (atoms.clone(), divide(c))).collect())
    }

    /// Whether the first term's highest coefficient is below zero.
    pub(crate) fn is_negative(&self) -> bool {
        self.written().first().and_then(|(_, c)| c.0.last()).is_some_and(Integer::is_negative)
    }

    /// The terms as one writes them: squares behind products, as in a variance.
    fn written(&self) -> Vec<(&[usize], &Coefficient)> {
        let mut terms: Vec<_> = self.terms().collect();
        terms.sort_by_key(|(atoms, _)| atoms.windows(2).any(|pair| pair[0] == pair[1]));
        terms
    }

    /// All it can be, given what its atoms can be and how many rows there can be.
    pub(crate) fn interval(&self, atoms: &dyn Fn(usize) -> Interval, rows_max: u64) -> Option<Interval> {
        let mut sum = Interval::point(Integer::ZERO);
        for (product, coefficient) in &self.0 {
            let mut term = coefficient.interval(rows_max)?;
            for group in product.chunk_by(|a, b| a == b) {
                let power = atoms(group[0]).checked_pow(u32::try_from(group.len()).ok()?)?;
                term = term.checked_mul(&power)?;
            }
            sum = sum.checked_add(&term)?;
        }
        Some(sum)
    }

    /// Just what it can be, if it is of a few atoms that are 0 or 1 and of integers, by trying.
    pub(crate) fn interval_of_bits(&self, is_bit: &dyn Fn(usize) -> bool) -> Option<Interval> {
        let atoms: BTreeSet<usize> = self.0.keys().flatten().copied().collect();
        let is_plain = self.0.values().all(|coefficient| coefficient.0.len() <= 1);
        if atoms.len() > TRIED_MAX || !is_plain || !atoms.iter().all(|atom| is_bit(*atom)) {
            return None;
        }
        let mut all: Option<Interval> = None;
        for choice in 0_u32..1 << atoms.len() {
            let set: BTreeSet<usize> =
                (0..).zip(&atoms).filter(|(i, _)| choice >> i & 1 == 1).map(|(_, a)| *a).collect();
            let held = self.0.iter().filter(|(product, _)| product.iter().all(|atom| set.contains(atom)));
            let value = held.into_iter().try_fold(Integer::ZERO, |sum, (_, c)| sum.checked_add(&c.at(0)?))?;
            let point = Interval::point(value);
            all = Some(all.map_or(point, |all| all.hull(&point)));
        }
        all
    }

    /// In the circuit's words.
    pub(crate) fn words(&self, atoms: &[Atom]) -> String {
        let mut words = String::new();
        for (product, coefficient) in self.written() {
            let power = |group: &[usize]| match group.len() {
                1 => atoms[group[0]].meaning.clone(),
                power => format!("{}^{power}", atoms[group[0]].meaning),
            };
            let product: Vec<String> = product.chunk_by(|a, b| a == b).map(power).collect();
            let coefficient_words = coefficient.to_string();
            let is_sum = coefficient.0.iter().filter(|c| **c != Integer::ZERO).count() > 1;
            let (sign, size) = match coefficient_words.strip_prefix('-') {
                Some(size) if !is_sum => ("-", size.to_owned()),
                _ if is_sum => ("+", format!("({coefficient_words})")),
                _ => ("+", coefficient_words),
            };
            words += match (words.is_empty(), sign) {
                (true, "-") => "-",
                (true, _) => "",
                (false, "-") => " - ",
                (false, _) => " + ",
            };
            words += &match (product.is_empty(), size == "1") {
                (true, _) => size,
                (false, true) => product.join("*"),
                (false, false) => format!("{size}*{}", product.join("*")),
            };
        }
        if words.is_empty() { "0".to_owned() } else { words }
    }

    /// The same with `coefficient` for the product `atoms`.
    pub(crate) fn with(mut self, atoms: Vec<usize>, coefficient: Coefficient) -> Self {
        if coefficient.is_zero() {
            self.0.remove(&atoms);
        } else {
            self.0.insert(atoms, coefficient);
        }
        self
    }
}
