//! Private results: which numbers of a result get noise, and how much.
//!
//! Noise is added to sums over rows, whole multiples of them added up; everything else is computed of the noisy sums, by the analyst or, where
//! they are compared, by the helpers: whatever is computed of noisy numbers costs nothing more. So a variance reveals two noisy
//! sums and not one exact numerator. An order statistic is searched for with noisy counts, bit by bit, and is then revealed
//! as it is.
//!
//! What a result may cost is shared out among all its numbers, each in its own scale: with scales `w_j`, and `d^2` the most that the sum of
//! the squares of their moves comes to in these ([`sensitivities`]), Gaussian noise of variance `w_j^2 d^2 / (2 rho)` on each is `rho`-zCDP
//! (Bun, Steinke 2016, lemma 2.4, and composition); with `d` the most that the sum of moves comes to, Laplace noise of scale
//! `w_j d / epsilon` is `epsilon`-DP (Dwork, McSherry, Nissim, Smith, TCC 2006). Each comparison of an order statistic is a number of
//! its own, in units of what one contribution moves its count.
//!
//! Of a sum over rows that are counted too, noise goes to what it exceeds so many times the middle of its range: a row that comes into
//! the group or leaves it moves that by half as much, and the analyst adds what was taken off, by the noisy count.

use std::collections::{BTreeMap, BTreeSet};

use quorate_field::quantity::Quantity;
use quorate_field::{FieldId, Integer};

use super::allocation::{Planned, Rank, Terms, Wanted, Whole, around, centred, whole};
use super::arena::{Arena, narrow};
use super::comparison::{Asked, Comparing, Question};
use super::sensitivity::{Moves, among, sensitivities, sensitivity_of_vector};
use super::{Lowering, meaning};
use crate::check::CheckedReveal;
use crate::check::form::{Atom, Form, Fraction, Source};
use crate::check::groups::fractions;
use crate::check::polynomial::Polynomial;
use crate::check::privacy::Private;
use crate::diagnostics::{Diagnostic, Span};
use crate::interval::Interval;
use crate::program::{Coefficient, Noise, Output, PublicInstruction};

/// How one private result is lowered.
#[derive(Default)]
pub(super) struct Plan {
    /// The noise of each sum, by its terms.
    sums: BTreeMap<Terms, Planned>,
    /// The noise of each comparison of an order statistic, by its atom.
    ranks: BTreeMap<usize, Planned>,
    /// What was made of the order statistics and comparisons of aggregates of this result: their noise is its own.
    made: BTreeMap<usize, Polynomial>,
    /// Of the number that is lowered, what says whether an order statistic has any rows: it is taken that it has.
    assumed: BTreeSet<usize>,
    /// The noise of each element, of a vector.
    vector: Option<Planned>,
}

impl Lowering<'_> {
    /// Plans the noise of a result: none, which costs nothing, if no secret is in it. `None` where it is refused.
    pub(super) fn plan(&mut self, reveal: &CheckedReveal, private: &Private) -> Option<Plan> {
        let mut wanted = Wanted::default();
        for form in reveal.forms.all() {
            if let Form::Vector(column, _) = form {
                wanted.vector = Some(*column);
            }
            let mut found = Vec::new();
            fractions(form, &mut |fraction| found.push(fraction.clone()));
            for fraction in found {
                self.assume(&fraction);
                for polynomial in [&fraction.top, &fraction.bottom] {
                    let known = self.known(polynomial, reveal.span)?;
                    self.want(&known, &mut wanted, reveal.span)?;
                }
            }
        }
        if wanted.sums.is_empty() && wanted.ranks.is_empty() && wanted.vector.is_none() {
            // Still private: that nothing gets noise may be for what is taken for granted only of private results.
            return Some(Plan::default());
        }
        let plan = self.allocate(&wanted, private);
        let plan = self.within(plan, private.span)?;
        self.loss = self.loss.plus(&private.loss);
        Some(plan)
    }

    /// Notes what of a polynomial gets noise.
    fn want(&mut self, polynomial: &Polynomial, wanted: &mut Wanted, span: Span) -> Option<()> {
        let checked = self.checked;
        if let Some(whole) = whole(polynomial, &checked.atoms) {
            wanted.sums.insert(whole.terms, whole.sum);
            return Some(());
        }
        let atoms: Vec<usize> = polynomial.terms().flat_map(|(atoms, _)| atoms).copied().collect();
        for index in atoms {
            if !wanted.seen.insert(index) {
                continue;
            }
            let atom = &checked.atoms[index];
            match &atom.source {
                Source::Rows { .. } => self.want(&Polynomial::atom(index), wanted, span)?,
                Source::Quantile { number, share, .. } => {
                    let bits = self.sliced(number).map(|sliced| narrow(sliced.bits.len()));
                    let bits = self.within(bits, atom.span)?;
                    wanted.ranks.insert(index, (bits, share.denominator()));
                }
                Source::Decision { comparison, difference } => {
                    let top = self.oriented(difference, atom.span)?;
                    if let Comparing::Asked(asked) = self.comparing(*comparison, &top, atom.span)? {
                        let value = self.compared(&asked, span)?;
                        wanted.compared.insert(value.terms.clone());
                        wanted.sums.insert(value.terms, value.sum);
                    }
                }
            }
        }
        Some(())
    }

    /// The noise of everything that is wanted.
    fn allocate(&self, wanted: &Wanted, private: &Private) -> Option<Plan> {
        let (checked, rows) = (self.checked, u64::from(self.study.rows_max));
        let centres: Vec<Option<(usize, Integer)>> =
            wanted.sums.iter().map(|(terms, sum)| wanted.centre(terms, sum, &checked.atoms)).collect();
        let measured = wanted.sums.values().zip(&centres).map(|(sum, centre)| centred(sum, centre.as_ref()));
        let numbers = measured.collect::<Option<Vec<Polynomial>>>()?;
        let all = sensitivities(&numbers, &checked.atoms, &checked.columns, rows)?;
        let comparisons: u64 = wanted.ranks.values().map(|(count, _)| u64::from(*count)).sum();
        let more = Quantity::from(Integer::from(comparisons));
        let joint = Moves {
            sum: all.together.sum.checked_add(&more)?,
            squares: all.together.squares.checked_add(&more)?,
        };
        let planned = |sensitivity: Integer| joint.planned(sensitivity, private, self.study);
        let vector = match wanted.vector {
            Some(column) => {
                let moves = sensitivity_of_vector(&checked.columns[column], rows)?;
                Some(moves.planned(Integer::ONE, private, self.study)?)
            }
            None => None,
        };
        let sums = wanted.sums.keys().zip(all.each).zip(centres);
        let sums = sums.map(|((terms, each), centre)| {
            let planned = planned(each)?;
            Some((terms.clone(), Planned { centre, ..planned }))
        });
        let ranks = wanted.ranks.iter().map(|(atom, (_, unit))| {
            let planned = planned(unit.checked_mul(&rows.into())?)?;
            Some((*atom, Planned { rank: Some(*unit), ..planned }))
        });
        Some(Plan {
            sums: sums.collect::<Option<_>>()?,
            ranks: ranks.collect::<Option<_>>()?,
            made: BTreeMap::new(),
            assumed: BTreeSet::new(),
            vector,
        })
    }

    /// Takes it that order statistics have rows: whether they do is nothing that noise could tell.
    pub(super) fn assume(&mut self, fraction: &Fraction) {
        let atoms = &self.checked.atoms;
        let exists = |atom: usize| match &atoms[atom].source {
            Source::Quantile { exists, .. } => *exists,
            _ => None,
        };
        if let Some(plan) = &mut self.private {
            plan.assumed = fraction.atoms().into_iter().filter_map(exists).collect();
        }
    }

    /// Whether it is taken that this decision is true.
    pub(super) fn is_assumed(&self, atom: usize) -> bool {
        self.private.as_ref().is_some_and(|plan| plan.assumed.contains(&atom))
    }

    /// What is made of an atom in this result, where that is not the same in all results.
    pub(super) fn made(&self, atom: usize) -> Option<&Polynomial> {
        match (&self.private, &self.checked.atoms[atom].source) {
            (Some(plan), Source::Quantile { .. } | Source::Decision { .. }) => plan.made.get(&atom),
            _ => self.atoms[atom].as_ref(),
        }
    }

    /// Remembers what was made of it.
    pub(super) fn make(&mut self, atom: usize, made: Polynomial) {
        match (&mut self.private, &self.checked.atoms[atom].source) {
            (Some(plan), Source::Quantile { .. } | Source::Decision { .. }) => {
                plan.made.insert(atom, made);
            }
            _ => self.atoms[atom] = Some(made),
        }
    }

    /// A polynomial in atoms as a public number that is computed of noisy ones.
    pub(super) fn private_polynomial(&mut self, polynomial: &Polynomial, span: Span) -> Option<u32> {
        let mut number = None;
        if let Some(Whole { terms, sum, factor }) = whole(polynomial, &self.checked.atoms) {
            let output = self.noisy_output(&terms, &sum, span)?;
            number = Some(self.multiple(output, factor));
        } else {
            for (atoms, coefficient) in polynomial.secret().terms() {
                let mut product = None;
                for atom in atoms {
                    let factor = self.private_atom(*atom, span)?;
                    product = Some(match product {
                        None => factor,
                        Some(product) => self.public(PublicInstruction::Multiply(product, factor)),
                    });
                }
                let term = self.multiple(product?, coefficient.clone());
                number = Some(self.added(number, term));
            }
        }
        let constant = polynomial.constant();
        if number.is_none() || !constant.is_zero() {
            let constant = self.public(PublicInstruction::Rows(constant));
            number = Some(self.added(number, constant));
        }
        number
    }

    fn added(&mut self, sum: Option<u32>, term: u32) -> u32 {
        sum.map_or(term, |sum| self.public(PublicInstruction::Add(sum, term)))
    }

    fn multiple(&mut self, number: u32, factor: Coefficient) -> u32 {
        if factor.is_one() {
            return number;
        }
        let factor = self.public(PublicInstruction::Rows(factor));
        self.public(PublicInstruction::Multiply(number, factor))
    }

    /// An atom as a public number: a noisy sum, or what noisy sums came to.
    fn private_atom(&mut self, atom: usize, span: Span) -> Option<u32> {
        let checked = self.checked;
        if let Some(Whole { terms, sum, .. }) = whole(&Polynomial::atom(atom), &checked.atoms) {
            return self.noisy_output(&terms, &sum, span);
        }
        let made = self.atom(atom)?.clone();
        if made.degree() == 0 {
            return Some(self.public(PublicInstruction::Rows(made.constant())));
        }
        let scalar = self.scalars.value(&made);
        let scalar = self.within(scalar, span)?;
        let field = self.scalars.field_of(scalar);
        let interval = self.private_interval(atom).filter(|interval| interval.bound() <= field.half());
        let interval = self.within(interval, span)?;
        let meaning = checked.atoms[atom].meaning.clone();
        let position = self.put_out(Output { scalar, field, interval, meaning, noise: None });
        Some(self.public(PublicInstruction::Output(position)))
    }

    /// All that an atom can be that noise decided: a search that is led astray ends where no row is.
    fn private_interval(&mut self, atom: usize) -> Option<Interval> {
        let Atom { source, interval, .. } = &self.checked.atoms[atom];
        match source {
            Source::Quantile { number, .. } => Some(interval.hull(&self.sliced(number)?.reach()?)),
            _ => Some(*interval),
        }
    }

    fn noisy_output(&mut self, terms: &Terms, sum: &Polynomial, span: Span) -> Option<u32> {
        let centre =
            self.private.as_ref().and_then(|plan| plan.sums.get(terms)).and_then(|planned| planned.centre);
        let measured = centred(sum, centre.as_ref());
        let measured = self.within(measured, span)?;
        let (scalar, interval, noise) = self.noisy(terms, &measured, &measured, span)?;
        let (field, meaning) = (self.scalars.field_of(scalar), meaning(&measured, &self.checked.atoms));
        let position = self.put_out(Output { scalar, field, interval, meaning, noise: Some(noise) });
        let number = self.public(PublicInstruction::Output(position));
        let Some((count, times)) = centre else { return Some(number) };
        let count = self.private_atom(count, span)?;
        let taken = self.multiple(count, Coefficient::constant(times));
        Some(self.public(PublicInstruction::Add(number, taken)))
    }

    /// `value`, which is `sum` and a constant, with the noise of `sum`; all it can be; and the place of the noise.
    fn noisy(
        &mut self,
        terms: &Terms,
        sum: &Polynomial,
        value: &Polynomial,
        span: Span,
    ) -> Option<(u32, Interval, u32)> {
        let planned = self.private.as_ref().and_then(|plan| plan.sums.get(terms)).copied();
        let planned = self.within(planned, span)?;
        let mut is_good = true;
        for (atoms, _) in value.secret().terms() {
            is_good &= atoms.iter().all(|atom| self.atom(*atom).is_some());
        }
        if !is_good {
            return None;
        }
        let (atoms, rows_max) = (&self.checked.atoms, self.checked.rows_max);
        let interval = match planned.centre {
            // Each row adds so much at most, which is less than its sum and its count may be apart.
            Some(_) => among(value, atoms).and_then(|interval| interval.checked_total(rows_max)),
            None => value.interval(&|atom| atoms[atom].interval, rows_max),
        };
        let interval = interval.and_then(|interval| interval.checked_add(&around(&planned.bound)?));
        let Some((scalar, interval)) = self.scalar_within(value, interval) else {
            self.refuse_beyond(span, interval);
            return None;
        };
        let noise = self.place_noise(terms, &planned, self.scalars.field_of(scalar), sum, span)?;
        let scalar = self.with_noise(scalar, noise);
        let scalar = self.within(scalar, span)?;
        Some((scalar, interval, noise))
    }

    /// What is compared with a number, with its noise.
    pub(super) fn noisy_comparison(&mut self, asked: &Asked, span: Span) -> Option<(u32, Interval)> {
        let whole = self.compared(asked, span)?;
        let (scalar, interval, _) = self.noisy(&whole.terms, &whole.sum, &asked.value, span)?;
        Some((scalar, interval))
    }

    /// What a private comparison is of: a sum.
    fn compared(&mut self, asked: &Asked, span: Span) -> Option<Whole> {
        if let Question::Equal(_) = asked.question {
            let label = "noisy numbers are equal by chance";
            self.refuse(
                Diagnostic::new(span, "no noise goes with `==` and `!=`", label)
                    .help("ask whether it is more, or less"),
            );
            return None;
        }
        let found = whole(&asked.value, &self.checked.atoms).filter(|whole| whole.factor.is_one());
        if found.is_none() {
            let label = "products, quotients and bits of secret aggregates are in what is compared";
            self.refuse(
                Diagnostic::new(span, "noise is added to sums, and this compares something else", label).help(
                    "compare one mean with a number, or reveal both sides `with` noise and compare them yourself",
                ),
            );
        }
        found
    }

    /// The noise of each comparison of an order statistic; nothing where this result is exact.
    pub(super) fn rank_noise(&mut self, atom: usize, span: Span) -> Option<Option<Rank>> {
        let Some(plan) = &self.private else { return Some(None) };
        let planned = plan.ranks.get(&atom).copied();
        let planned = self.within(planned, span)?;
        Some(Some(Rank { planned, words: format!("a step of {}", self.checked.atoms[atom].meaning) }))
    }

    /// A scalar with the noise of a comparison.
    pub(super) fn with_rank_noise(&mut self, scalar: u32, rank: &Rank) -> Option<u32> {
        let noise = self.push_noise(&rank.planned, self.scalars.field_of(scalar), 1, rank.words.clone());
        self.with_noise(scalar, noise)
    }

    /// The noise of a vector's elements, if its sum is private; and what it makes of all that an element can be.
    pub(super) fn vector_noise(&mut self, length: u32, words: &str) -> Option<(u32, Integer)> {
        let planned = self.private.as_ref()?.vector?;
        Some((self.push_noise(&planned, self.study.field, length, words.to_owned()), planned.bound))
    }

    fn with_noise(&mut self, scalar: u32, noise: u32) -> Option<u32> {
        let noise = self.scalars.noise(noise, self.scalars.field_of(scalar));
        let sum = Polynomial::atom(scalar as usize).checked_add(&Polynomial::atom(noise as usize))?;
        self.scalars.value(&sum)
    }

    /// The place of a sum's noise: the same however often it is read.
    fn place_noise(
        &mut self,
        terms: &Terms,
        planned: &Planned,
        field: FieldId,
        sum: &Polynomial,
        span: Span,
    ) -> Option<u32> {
        match planned.place {
            Some((place, known)) if known == field => return Some(place),
            Some(_) => {
                self.refuse_beyond(span, None);
                return None;
            }
            None => {}
        }
        let words = meaning(sum, &self.checked.atoms);
        let place = self.push_noise(planned, field, 1, words);
        if let Some(planned) = self.private.as_mut().and_then(|plan| plan.sums.get_mut(terms)) {
            planned.place = Some((place, field));
        }
        Some(place)
    }

    fn push_noise(&mut self, planned: &Planned, field: FieldId, count: u32, meaning: String) -> u32 {
        let Planned { distribution, sensitivity, bound, rank, .. } = *planned;
        self.noise.push(Noise { field, count, distribution, sensitivity, bound, meaning, rank });
        narrow(self.noise.len() - 1)
    }
}
