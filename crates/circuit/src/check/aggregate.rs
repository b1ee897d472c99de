//! Aggregates to forms: what each is as a fraction of secret aggregates, over which rows, and whether it fits.

use std::collections::BTreeMap;
use std::sync::Arc;

use quorate_field::Integer;

use super::form::{Atom, Condition, Form, Fraction, Source, Summand};
use super::tree::{
    Aggregate, AggregateKind, Of, Pair, RowNumber, RowNumberKind, RowTruth, RowTruthKind, RowValue,
};
use super::{Checker, Forms, blank, words};
use crate::diagnostics::{Diagnostic, Span};
use crate::interval::Interval;
use crate::program::Coefficient;
use crate::syntax::Binary;
use quorate_field::quantity::Quantity;

/// Most atoms of a circuit.
const ATOMS_MAX: usize = 16 * 1024;

/// The rows that an aggregate is over: those where every condition holds.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    conditions: &'a [Condition],
    /// And where every number that is looked at is known: of these, what the summand or a condition implies is no work.
    known: &'a [Condition],
    /// The cell that is meant: for each grouping of the table, which of its groups.
    cell: &'a [(usize, usize)],
}

/// A linear combination of row values that are columns or come of products, and a constant.
struct Combination<'a> {
    terms: BTreeMap<String, (&'a RowNumber, Quantity)>,
    constant: Quantity,
}

impl Checker<'_> {
    /// The form of an aggregate, or its forms cell by cell.
    pub(super) fn forms(&mut self, value: &Aggregate) -> Option<Forms> {
        self.forms_within(value, &value.table, &[])
    }

    /// The part of a table in which some groupings are settled, and these are not.
    fn forms_within(
        &mut self,
        value: &Aggregate,
        open: &[usize],
        settled: &[(usize, usize)],
    ) -> Option<Forms> {
        let [grouping, open @ ..] = open else {
            return self.form(value, Rows { conditions: &[], known: &[], cell: settled }).map(Forms::One);
        };
        let labels: Vec<String> =
            self.groupings[*grouping].groups.iter().map(|(label, _)| label.clone()).collect();
        let mut table = Vec::with_capacity(labels.len());
        for (group, label) in labels.into_iter().enumerate() {
            let settled = [settled, &[(*grouping, group)]].concat();
            table.push((label, self.forms_within(value, open, &settled)?));
        }
        Some(Forms::Table(table))
    }

    fn form(&mut self, value: &Aggregate, rows: Rows<'_>) -> Option<Form> {
        let span = value.span;
        let fraction = match &value.kind {
            AggregateKind::Constant(constant) => Fraction::constant(constant),
            AggregateKind::Rows => self.count(rows)?,
            AggregateKind::Count(condition) => self.count_where(condition, rows)?,
            AggregateKind::Sum(number) => self.sum(number, rows, span)?,
            AggregateKind::Mean(number) => {
                let known = self.known(&[number], rows);
                let rows = rows.knowing(&known);
                let (sum, count) = (self.sum(number, rows, span)?, self.count(rows)?);
                self.fraction(sum.checked_div(&count, &self.atoms), span)?
            }
            AggregateKind::Share(condition) => {
                let known = self.with(rows.known, blank::known_truth(condition, &self.study.columns));
                let decided = rows.knowing(&known);
                let (holding, count) = (self.count_where(condition, rows)?, self.count(decided)?);
                self.fraction(holding.checked_div(&count, &self.atoms), span)?
            }
            AggregateKind::Variance(number, of) => self.variance(number, *of, rows, span)?,
            AggregateKind::Deviation(number, of) => {
                return self.variance(number, *of, rows, span).map(Form::Root);
            }
            AggregateKind::Quantile(number, rank) => self.quantile(number, *rank, rows, span)?,
            AggregateKind::Covariance(pair) => self.covariance(pair, rows, span)?,
            AggregateKind::Missing(value) => self.missing(value, rows)?,
            AggregateKind::Complete(body, number) => {
                let known = self.known(&[number], rows);
                return self.form(body, rows.knowing(&known));
            }
            AggregateKind::Regression(model) => return self.model_form(model, rows, span),
            AggregateKind::TTest(samples) => return self.t_test_form(samples, rows, span),
            AggregateKind::ChiSquared(pairs) => return self.chi_squared_form(pairs, rows),
            AggregateKind::Vector(column, total) => {
                let interval = self.study.columns[*column].domain.interval();
                self.fit(span, interval.checked_total(self.rows_max), true)?;
                return Some(Form::Vector(*column, *total));
            }
            AggregateKind::Binary(operator, left, right) => {
                return self.binary(*operator, left, right, rows, span);
            }
            AggregateKind::Not(inner) => {
                let inner = self.exact(inner, rows)?;
                self.fraction(Fraction::constant(&Quantity::ONE).checked_sub(&inner), span)?
            }
            AggregateKind::If(condition, yes, no) => {
                let condition = self.exact(condition, rows)?;
                let (yes, no) = (self.exact(yes, rows)?, self.exact(no, rows)?);
                // no + condition * (yes - no)
                let chosen =
                    yes.checked_sub(&no).and_then(|gain| condition.checked_mul(&gain)?.checked_add(&no));
                self.fraction(chosen.map(|chosen| chosen.multiplied(span)), span)?
            }
            AggregateKind::Where(body, condition) => {
                let condition = self.condition(Arc::clone(condition));
                return self.form_among(body, rows, condition);
            }
            AggregateKind::By(body, grouping) => {
                let (_, group) = rows.cell.iter().find(|(settled, _)| settled == grouping)?;
                let (_, group) = self.groupings[*grouping].groups.get(*group)?;
                let condition = self.condition(Arc::clone(group));
                return self.form_among(body, rows, condition);
            }
        };
        Some(Form::Fraction(fraction))
    }

    /// The form over those rows where `condition` holds too.
    fn form_among(&mut self, body: &Aggregate, rows: Rows<'_>, condition: Condition) -> Option<Form> {
        let conditions = [rows.conditions, &[condition]].concat();
        self.form(body, Rows { conditions: &conditions, ..rows })
    }

    pub(super) fn condition(&self, truth: Arc<RowTruth>) -> Condition {
        Condition::of(truth, &self.study.columns)
    }

    /// What must hold for the rows' numbers and these to be known.
    pub(super) fn known(&self, numbers: &[&RowNumber], rows: Rows<'_>) -> Vec<Condition> {
        let columns = &self.study.columns;
        let known = numbers.iter().map(|number| blank::known_number(number, columns));
        self.with(rows.known, known.fold(blank::Conditions::new(), blank::both))
    }

    /// Conditions and those of `more` that are not among them.
    fn with(&self, conditions: &[Condition], more: blank::Conditions) -> Vec<Condition> {
        let mut all = conditions.to_vec();
        let is_new = |words: &str| conditions.iter().all(|condition| &*condition.words != words);
        let more = more.into_iter().filter(|(words, _)| is_new(words));
        all.extend(more.map(|(_, truth)| self.condition(truth)));
        all
    }

    /// `missing(x)`: the rows where it is not known.
    fn missing(&mut self, value: &RowValue, rows: Rows<'_>) -> Option<Fraction> {
        let columns = &self.study.columns;
        let (known, span) = match value {
            RowValue::Number(number) => (blank::known_number(number, columns), number.span),
            RowValue::Truth(truth) => (blank::known_truth(truth, columns), truth.span),
        };
        let Some(known) = blank::all(known, span) else { return Some(Fraction::constant(&Quantity::ZERO)) };
        let missing = Arc::new(RowTruth { kind: RowTruthKind::Not(known), span });
        self.count_where(&missing, rows)
    }

    /// An aggregate that helpers must compute with, which they cannot with a square root.
    fn exact(&mut self, value: &Aggregate, rows: Rows<'_>) -> Option<Fraction> {
        match self.form(value, rows)? {
            Form::Fraction(fraction) => Some(fraction),
            Form::Root(_) | Form::Combined(..) | Form::Fit(_) | Form::Vector(..) => {
                self.refuse(
                    Diagnostic::new(
                        value.span,
                        "helpers take no square roots",
                        "a square root is taken in the clear",
                    )
                    .help("use `variance` instead of `stddev`"),
                );
                None
            }
        }
    }

    fn binary(
        &mut self,
        operator: Binary,
        left: &Aggregate,
        right: &Aggregate,
        rows: Rows<'_>,
        span: Span,
    ) -> Option<Form> {
        if let Binary::Compare(_) | Binary::And | Binary::Or = operator {
            let (left, right) = (self.exact(left, rows)?, self.exact(right, rows)?);
            return self.decision(operator, &left, &right, span).map(Form::Fraction);
        }
        let (left, right) = match (self.form(left, rows)?, self.form(right, rows)?) {
            (Form::Fraction(left), Form::Fraction(right)) => (left, right),
            (left, right) => return Some(Form::Combined(operator, Box::new((left, right)))),
        };
        if operator == Binary::Divide && right.is_zero() {
            self.refuse(Diagnostic::new(span, "division by zero", "the divisor is zero"));
            return None;
        }
        let result = match operator {
            Binary::Add => left.checked_add(&right),
            Binary::Subtract => left.checked_sub(&right),
            Binary::Multiply => left.checked_mul(&right),
            _ => left.checked_div(&right, &self.atoms),
        };
        self.fraction(result.map(|result| result.multiplied(span)), span).map(Form::Fraction)
    }

    /// One bit of two aggregates.
    pub(super) fn decision(
        &mut self,
        operator: Binary,
        left: &Fraction,
        right: &Fraction,
        span: Span,
    ) -> Option<Fraction> {
        let product = left.checked_mul(right);
        let result = match operator {
            Binary::And => product,
            Binary::Or => product.and_then(|both| left.checked_add(right)?.checked_sub(&both)),
            Binary::Compare(comparison) => {
                // What is compared is the difference; its interval gives the comparison's width.
                let difference = left.checked_sub(right).map(|difference| difference.multiplied(span));
                let difference = self.fraction(difference, span)?;
                let words = |side: &Fraction| side.words(&self.atoms);
                let meaning = format!("{} {} {}", words(left), operator.symbol(), words(right));
                let divisors = difference.divisors.clone();
                let source = Source::Decision { comparison, difference };
                let atom = Atom { meaning, interval: Interval::BIT, scale: Integer::ONE, span, source };
                self.atom(atom)?.dividing(&divisors)
            }
            _ => None,
        };
        self.fraction(result.map(|result| result.multiplied(span)), span)
    }

    /// Notes an aggregate if its numerator and denominator fit a field.
    pub(super) fn fraction(&mut self, fraction: Option<Fraction>, span: Span) -> Option<Fraction> {
        let fraction = fraction.and_then(|fraction| fraction.with_bits(&|atom| self.atoms[atom].is_bit()));
        let Some(fraction) = fraction else {
            self.refuse(super::overflow(span, None, quorate_field::FieldId::F256, self.rows_max));
            return None;
        };
        let interval = |polynomial: &super::polynomial::Polynomial| {
            polynomial.interval(&|atom| self.atoms[atom].interval, self.rows_max)
        };
        let (top, bottom) = (interval(&fraction.top), interval(&fraction.bottom));
        let is_linear =
            fraction.is_linear() && fraction.atoms().iter().all(|atom| self.atoms[*atom].is_plain());
        self.fit(span, top, is_linear)?;
        // A public denominator is only ever computed in the clear.
        if fraction.bottom.degree() > 0 {
            self.fit(span, bottom, is_linear)?;
        }
        Some(fraction)
    }

    pub(super) fn count(&mut self, rows: Rows<'_>) -> Option<Fraction> {
        let (conditions, source) = rows.of(Summand::One, &blank::Conditions::new());
        let Some(last) = conditions.last() else {
            return Some(Fraction::public(Coefficient::rows()));
        };
        let (meaning, span) = (format!("count({})", joined(&conditions)), last.truth.span);
        let interval = Interval::up_to(self.rows_max);
        self.atom(Atom { meaning, interval, scale: Integer::ONE, span, source })
    }

    fn count_where(&mut self, condition: &Arc<RowTruth>, rows: Rows<'_>) -> Option<Fraction> {
        let conditions = [rows.conditions, &[self.condition(Arc::clone(condition))]].concat();
        self.count(Rows { conditions: &conditions, ..rows })
    }

    pub(super) fn sum(&mut self, number: &RowNumber, rows: Rows<'_>, span: Span) -> Option<Fraction> {
        let known = self.known(&[number], rows);
        let rows = rows.knowing(&known);
        let Some(combination) = self.combination(number) else {
            self.refuse(super::overflow(span, None, quorate_field::FieldId::F256, self.rows_max));
            return None;
        };
        // What the text says must fit, even where what is computed is smaller.
        let columns = &self.study.columns;
        let is_over_its_own = |number| rows.needed(&blank::zero_without(number, columns)).next().is_none();
        let is_linear = number.is_linear
            && rows.conditions.is_empty()
            && combination.terms.values().all(|(term, _)| is_over_its_own(*term));
        self.fits(span, number.interval.checked_total(self.rows_max), is_linear)?;
        let count = self.count(rows)?;
        let mut total = Fraction::constant(&combination.constant).checked_mul(&count);
        for (words, (value, factor)) in &combination.terms {
            let interval = value.interval.checked_total(self.rows_max)?;
            let zero = blank::zero_without(value, &self.study.columns);
            let (conditions, source) = rows.of(Summand::Number(Box::new((*value).clone())), &zero);
            let span = conditions.last().map_or(value.span, |last| last.truth.span);
            let meaning = format!("sum({words}{})", where_words(&conditions));
            let atom = self.atom(Atom { meaning, interval, scale: value.scale, span, source })?;
            total =
                total.and_then(|total| total.checked_add(&Fraction::constant(factor).checked_mul(&atom)?));
        }
        self.fraction(total, span)
    }

    /// `(n * sum(x^2) - sum(x)^2) / (n * (n - 1))`, or over `n^2`: only the numerator leaves the helpers.
    fn variance(&mut self, number: &RowNumber, of: Of, rows: Rows<'_>, span: Span) -> Option<Fraction> {
        let known = self.known(&[number], rows);
        let rows = rows.knowing(&known);
        let (sum, squares) = (self.sum(number, rows, span)?, self.sum_of_squares(number, rows, span)?);
        self.spread(&squares, (&sum, &sum), of, rows, span)
    }

    /// `sum(x^2)`.
    pub(super) fn sum_of_squares(
        &mut self,
        number: &RowNumber,
        rows: Rows<'_>,
        span: Span,
    ) -> Option<Fraction> {
        let known = self.known(&[number], rows);
        let rows = rows.knowing(&known);
        let square = number.interval.checked_pow(2).and_then(|square| square.checked_total(self.rows_max));
        let (square, _) = self.fits(span, square, false)?;
        let scale = number.scale.checked_mul(&number.scale)?;
        let columns = &self.study.columns;
        let zero = blank::zero_without(number, columns);
        let (conditions, source) = rows.of(Summand::Square(Box::new(number.clone())), &zero);
        let meaning = format!("sum({}{})", words::square(number, columns), where_words(&conditions));
        self.atom(Atom { meaning, interval: square, scale, span, source })
    }

    /// `(n * sum(x*y) - sum(x) * sum(y)) / (n * (n - 1))`: only the numerator leaves the helpers.
    fn covariance(&mut self, pair: &Pair, rows: Rows<'_>, span: Span) -> Option<Fraction> {
        let known = self.known(&[&pair.product], rows);
        let rows = rows.knowing(&known);
        let (left, right) = (self.sum(&pair.left, rows, span)?, self.sum(&pair.right, rows, span)?);
        let products = self.sum(&pair.product, rows, span)?;
        self.spread(&products, (&left, &right), Of::Sample, rows, span)
    }

    fn spread(
        &mut self,
        products: &Fraction,
        (left, right): (&Fraction, &Fraction),
        of: Of,
        rows: Rows<'_>,
        span: Span,
    ) -> Option<Fraction> {
        let count = self.count(rows)?;
        let spread = || {
            let top = count.checked_mul(products)?.checked_sub(&left.checked_mul(right)?)?;
            let other = match of {
                Of::Sample => count.checked_sub(&Fraction::constant(&Quantity::ONE))?,
                Of::Population => count.clone(),
            };
            top.checked_div(&count.checked_mul(&other)?, &self.atoms)
        };
        let spread = spread().map(|spread| spread.multiplied(span));
        self.fraction(spread, span)
    }

    /// `value` taken apart at sums and multiples.
    fn combination<'a>(&self, value: &'a RowNumber) -> Option<Combination<'a>> {
        let mut combination = Combination { terms: BTreeMap::new(), constant: Quantity::ZERO };
        let mut pending = vec![(value, Quantity::ONE)];
        while let Some((value, factor)) = pending.pop() {
            match &value.kind {
                RowNumberKind::Constant(constant) => {
                    combination.constant =
                        combination.constant.checked_add(&constant.checked_mul(&factor)?)?;
                }
                RowNumberKind::Add(left, right) => pending.extend([(&**left, factor), (&**right, factor)]),
                RowNumberKind::Scale(inner, by) => pending.push((inner, factor.checked_mul(by)?)),
                _ => {
                    let words = words::number(value, &self.study.columns);
                    let term = combination.terms.entry(words).or_insert((value, Quantity::ZERO));
                    term.1 = term.1.checked_add(&factor)?;
                }
            }
        }
        Some(combination)
    }

    /// `atom / scale`, for the atom of this meaning, which is noted if it is new.
    pub(super) fn atom(&mut self, atom: Atom) -> Option<Fraction> {
        let (scale, next) = (atom.scale, self.atoms.len());
        let index = match self.atom_numbers.get(&atom.meaning) {
            Some(known) => *known,
            None if next == ATOMS_MAX => {
                let label = format!("at most {ATOMS_MAX} different counts, sums and comparisons");
                self.refuse(
                    Diagnostic::new(atom.span, "the circuit computes too much", label)
                        .help("ask for it in several circuits"),
                );
                return None;
            }
            None => {
                self.atom_numbers.insert(atom.meaning.clone(), next);
                self.atoms.push(atom);
                next
            }
        };
        Some(Fraction::atom(index, &scale))
    }
}

impl<'a> Rows<'a> {
    /// The same where all of `known` holds, which has in it what must hold already.
    pub(super) fn knowing<'b>(self, known: &'b [Condition]) -> Rows<'b>
    where
        'a: 'b,
    {
        Rows { known, ..self }
    }

    /// Those of the rows where more conditions hold: `conditions` are what [`Rows::and`] gives.
    pub(super) fn over<'b>(&self, conditions: &'b [Condition]) -> Rows<'b>
    where
        'a: 'b,
    {
        Rows { conditions, ..*self }
    }

    /// The conditions of the rows, and these.
    pub(super) fn and(&self, more: &[Condition]) -> Vec<Condition> {
        [self.conditions, more].concat()
    }

    /// The conditions that must be seen to, and the source, of what is 0 unless `zero` holds.
    fn of(&self, summand: Summand, zero: &blank::Conditions) -> (Vec<Condition>, Source) {
        let conditions: Vec<Condition> = self.needed(zero).cloned().collect();
        let implied = self.asked().filter(|known| zero.contains_key(&*known.words)).cloned().collect();
        (conditions.clone(), Source::Rows { summand, conditions, implied })
    }

    /// The conditions that must be seen to for what is 0 unless `zero` holds.
    pub(super) fn needed<'s>(&'s self, zero: &'s blank::Conditions) -> impl Iterator<Item = &'s Condition> {
        self.conditions.iter().chain(self.asked().filter(|known| !zero.contains_key(&*known.words)))
    }

    /// What must be known and no condition implies.
    fn asked(&self) -> impl Iterator<Item = &Condition> {
        let is_implied = |known: &Condition| {
            self.conditions
                .iter()
                .any(|condition| condition.implies.iter().any(|words| **words == *known.words))
        };
        self.known.iter().filter(move |known| !is_implied(known))
    }
}

/// Which rows, behind what is computed of them.
pub(super) fn where_words(conditions: &[Condition]) -> String {
    if conditions.is_empty() { String::new() } else { format!(" where {}", joined(conditions)) }
}

fn joined(conditions: &[Condition]) -> String {
    let mut conditions: Vec<&str> = conditions.iter().map(|condition| &*condition.words).collect();
    conditions.dedup();
    match conditions.as_slice() {
        [one] => (*one).to_owned(),
        many => many.iter().map(|condition| format!("({condition})")).collect::<Vec<_>>().join(" and "),
    }
}
