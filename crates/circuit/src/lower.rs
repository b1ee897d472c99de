//! Lowering: a checked circuit to a [`Program`].
//!
//! Every `reveal` is a fraction of polynomials in secret atoms (see `check::form`). Numerator and denominator become one
//! output each, where a secret is in them at all: in its smallest integers, so that equal knowledge is one output,
//! whatever the circuit calls it. Factors, the number of rows, the division and square roots are left to the analyst.
//! What only one count decides, such as `N*(N - 1)`, is computed by the analyst of the count.
//!
//! `row` lowers row values (`kleene` says where they are known), `scalar` sums and polynomials of them, `decision` comparisons of aggregates, `quantile`
//! order statistics, `disclosure` which results are shown, all on `arena` and `comparison`; `finish` leaves out what nothing reads and picks the reductions; `refusal` says no.

mod arena;
mod comparison;
mod decision;
mod disclosure;
mod finish;
mod kleene;
mod partition;
mod private;
mod quantile;
mod refusal;
mod row;
mod scalar;
mod sensitivity;
mod vector;

use std::collections::BTreeMap;

use quorate_field::{FieldId, Integer};

use quorate_privacy::Loss;

use crate::check::form::{Atom, Condition, FitForm, Form, Fraction, Source, Summand};
use crate::check::polynomial::Polynomial;
use crate::check::{Checked, CheckedReveal, Forms, unit};
use crate::diagnostics::{Diagnostics, Span};
use crate::interval::Interval;
use crate::program::{
    Coefficient, INSTRUCTIONS_MAX, Noise, Output, Program, PublicInstruction, Revealed, RevealedAs, VectorSum,
};
use crate::study::Study;
use crate::syntax::Binary;
use arena::{Arena, Numbered, narrow, primitive};
use disclosure::{Guard, Judgement};
use quorate_field::quantity::{Quantity, gcd};
use row::{Blanks, Rows};
use scalar::Scalars;

/// Most row values under construction: nothing sensible that is left of so many fits a program.
const ROWS_MAX: usize = 2 * INSTRUCTIONS_MAX;

/// Lowers a circuit that was checked on `study`.
///
/// # Errors
/// What the study's helpers cannot do, underlined; a value beyond the study's field. The analyst is to blame.
pub fn lower(checked: &Checked, study: &Study) -> Result<Program, Diagnostics> {
    let mut lowering = Lowering {
        checked,
        study,
        rows: Rows::new(&checked.columns, study.field),
        scalars: Scalars::new(study.field, checked.rows_max),
        atoms: vec![None; checked.atoms.len()],
        outputs: vec![],
        output_of: BTreeMap::new(),
        vectors: vec![],
        public: Numbered::new(),
        judgement: Judgement::Pending,
        is_oversized: false,
        current: None,
        private: None,
        noise: vec![],
        loss: Loss::NONE,
        diagnostics: Diagnostics::default(),
    };
    let reveals = checked.reveals.iter().filter_map(|reveal| lowering.reveal(reveal)).collect();
    if !lowering.diagnostics.is_empty() {
        return Err(lowering.diagnostics.in_order());
    }
    let program = lowering.program(reveals);
    match program.validate() {
        Ok(()) => Ok(program),
        Err(invalid) => Err(refusal::unfit(checked, &invalid).into()),
    }
}

struct Lowering<'a> {
    checked: &'a Checked,
    study: &'a Study,
    rows: Rows<'a>,
    scalars: Scalars,
    /// What was made of each atom.
    atoms: Vec<Option<Polynomial>>,
    outputs: Vec<Output>,
    /// Their positions by scalar.
    output_of: BTreeMap<u32, u32>,
    vectors: Vec<VectorSum>,
    public: Numbered<PublicInstruction>,
    judgement: Judgement,
    /// Whether it was said that there is too much of it.
    is_oversized: bool,
    /// The guard of the result that is being lowered.
    current: Option<Guard>,
    /// How the result that is being lowered is made private, if it is.
    private: Option<private::Plan>,
    noise: Vec<Noise>,
    loss: Loss,
    diagnostics: Diagnostics,
}

/// Functions return `None` where something is refused, and say so in `diagnostics`.
impl Lowering<'_> {
    fn program(self, reveals: Vec<RevealedAs>) -> Program {
        let wanted: Vec<u32> = self.output_of.keys().copied().collect();
        let finished = finish::finish(self.rows.instructions(), self.scalars.values(), &wanted);
        let output = |output: Output| Output { scalar: finished.places[&output.scalar], ..output };
        Program {
            format: Program::FORMAT,
            name: self.checked.name.clone(),
            field: self.study.field,
            columns: self.study.columns.iter().map(|column| narrow(column.width())).collect(),
            rows_max: self.checked.rows_max,
            noise: self.noise,
            loss: self.loss,
            outputs: self.outputs.into_iter().map(output).collect(),
            row: finished.row,
            reductions: finished.reductions,
            scalar: finished.scalar,
            vectors: self.vectors,
            public: self.public.items().to_vec(),
            reveals,
        }
    }

    fn reveal(&mut self, reveal: &CheckedReveal) -> Option<RevealedAs> {
        if let Some(private) = &reveal.private {
            // Planned as one that has none, so that comparisons know that they get noise.
            self.private = Some(private::Plan::default());
            self.private = self.plan(reveal, private)?;
        }
        let result = self.forms(&reveal.forms, reveal.value.is_truth, reveal.span);
        self.private = None;
        let result = result?;
        Some(RevealedAs { name: reveal.name.clone(), result })
    }

    fn forms(&mut self, forms: &Forms, is_truth: bool, span: Span) -> Option<Revealed> {
        Some(match forms {
            Forms::One(form) => {
                self.current = if self.private.is_some() { None } else { self.guard(form, span)? };
                let result = self.cell(form, is_truth, span);
                match (self.current.take(), result?) {
                    (None, result) => result,
                    (Some(guard), result) => {
                        Revealed::Guarded { shown: guard.public, result: Box::new(result) }
                    }
                }
            }
            Forms::Table(cells) => {
                let mut lowered = Vec::with_capacity(cells.len());
                for (label, forms) in cells {
                    lowered.push((label.clone(), self.forms(forms, is_truth, span)?));
                }
                Revealed::Table(lowered)
            }
        })
    }

    fn cell(&mut self, form: &Form, is_truth: bool, span: Span) -> Option<Revealed> {
        match form {
            Form::Fit(fit) => self.fit(fit, span),
            Form::Vector(column, total) => self.vector(*column, *total, span),
            form if is_truth => self.form(form, span).map(Revealed::Truth),
            form => self.form(form, span).map(Revealed::Number),
        }
    }

    fn fit(&mut self, fit: &FitForm, span: Span) -> Option<Revealed> {
        let mut numbers = Vec::with_capacity(fit.numbers.len());
        for number in &fit.numbers {
            numbers.push(self.fraction(number, span)?);
        }
        Some(Revealed::Fit { statistic: fit.statistic.clone(), numbers })
    }

    /// Whether helpers multiply for this circuit.
    fn has_products(&self) -> bool {
        self.study.sharing.has_products(self.study.field) && !self.is_held_linear()
    }

    /// Whether it is for its vectors that they do not: a circuit that sums any is linear.
    fn is_held_linear(&self) -> bool {
        self.study.sharing.has_products(self.study.field) && self.checked.has_vectors()
    }

    /// The public number that a form is.
    fn form(&mut self, form: &Form, span: Span) -> Option<u32> {
        match form {
            Form::Fraction(fraction) => self.fraction(fraction, span),
            Form::Root(fraction) => {
                let square = self.fraction(fraction, span)?;
                Some(self.public(PublicInstruction::Root(square)))
            }
            Form::Combined(operator, parts) => {
                let (left, right) = (self.form(&parts.0, span), self.form(&parts.1, span));
                Some(self.combined(*operator, left?, right?))
            }
            // The checker lets a model be revealed, and nothing else.
            // Revealed as it is: the checker lets nothing be computed of it.
            Form::Fit(fit) => self.fraction(fit.numbers.first()?, span),
            Form::Vector(..) => None,
        }
    }

    fn combined(&mut self, operator: Binary, left: u32, right: u32) -> u32 {
        match operator {
            Binary::Multiply => self.public(PublicInstruction::Multiply(left, right)),
            Binary::Divide => self.public(PublicInstruction::Divide(left, right)),
            Binary::Subtract => {
                let minus_one = Quantity::from(Integer::from(-1_i64));
                let minus_one = self.public(PublicInstruction::Constant(minus_one));
                let negative = self.public(PublicInstruction::Multiply(minus_one, right));
                self.public(PublicInstruction::Add(left, negative))
            }
            // What decides is refused of square roots by the checker.
            _ => self.public(PublicInstruction::Add(left, right)),
        }
    }

    fn fraction(&mut self, fraction: &Fraction, span: Span) -> Option<u32> {
        if self.refuse_products(fraction, span) {
            return None;
        }
        self.assume(fraction);
        let (top, bottom) = (self.known(&fraction.top, span)?, self.known(&fraction.bottom, span)?);
        let (top, bottom) = (self.polynomial(&top, span), self.polynomial(&bottom, span));
        let (top, bottom) = (top?, bottom?);
        let mut number = self.divide(top, bottom);
        for divisor in fraction.hidden_divisors() {
            // x * d / d: x, or undefined where d is zero.
            let divisor = self.public(PublicInstruction::Rows(divisor));
            let product = self.public(PublicInstruction::Multiply(number, divisor));
            number = self.public(PublicInstruction::Divide(product, divisor));
        }
        Some(number)
    }

    fn divide(&mut self, top: u32, bottom: u32) -> u32 {
        match &self.public.items()[bottom as usize] {
            PublicInstruction::Rows(one) if one.is_one() => top,
            _ => self.public(PublicInstruction::Divide(top, bottom)),
        }
    }

    /// A polynomial in atoms as a public number: its secret part as an output in smallest integers, times a factor, plus
    /// what is public of it.
    fn polynomial(&mut self, polynomial: &Polynomial, span: Span) -> Option<u32> {
        if self.private.is_some() {
            return self.private_polynomial(polynomial, span);
        }
        let constant = PublicInstruction::Rows(polynomial.constant());
        let Some((secret, factor)) = primitive(&polynomial.secret()) else {
            return Some(self.public(constant));
        };
        let mut number = match self.told_by(&secret) {
            Some((atom, powers)) => self.powers(atom, &powers, span)?,
            None => self.output(&secret, span)?,
        };
        if !factor.is_one() {
            let factor = self.public(PublicInstruction::Rows(factor));
            number = self.public(PublicInstruction::Multiply(number, factor));
        }
        if !polynomial.constant().is_zero() {
            let constant = self.public(constant);
            number = self.public(PublicInstruction::Add(number, constant));
        }
        Some(number)
    }

    /// The one atom that a polynomial of higher degree is of, and which it tells but for 0 and 1.
    fn told_by(&self, polynomial: &Polynomial) -> Option<(usize, Coefficient)> {
        let is_telling = |powers: &Coefficient| {
            powers.is_telling() || powers.checked_neg().is_some_and(|negative| negative.is_telling())
        };
        let told = polynomial.univariate().filter(|(_, powers)| powers.0.len() > 2 && is_telling(powers));
        told.filter(|(atom, _)| !self.checked.atoms[*atom].interval.min.is_negative())
    }

    /// A polynomial in an atom as a public number, by Horner's rule.
    fn powers(&mut self, atom: usize, powers: &Coefficient, span: Span) -> Option<u32> {
        let output = self.output(&Polynomial::atom(atom), span)?;
        let mut terms = powers.0.iter().rev();
        let mut number = self.public(PublicInstruction::Rows(Coefficient::constant(*terms.next()?)));
        for coefficient in terms {
            number = self.public(PublicInstruction::Multiply(number, output));
            if *coefficient != Integer::ZERO {
                let coefficient = self.public(PublicInstruction::Rows(Coefficient::constant(*coefficient)));
                number = self.public(PublicInstruction::Add(number, coefficient));
            }
        }
        Some(number)
    }

    /// The output that is a polynomial in atoms, as a public number.
    fn output(&mut self, polynomial: &Polynomial, span: Span) -> Option<u32> {
        let (mut scalar, mut interval) = self.scalar(polynomial, span)?;
        if let Some(guard) = self.current.clone() {
            let guarded = self.guarded(&guard, scalar);
            scalar = self.within(guarded, span)?;
            interval = interval.hull(&Interval::point(Integer::ZERO));
        }
        let meaning = meaning(polynomial, &self.checked.atoms);
        let field = self.scalars.field_of(scalar);
        let output = Output { scalar, field, interval, meaning, noise: None };
        let position = self.put_out(output);
        Some(self.public(PublicInstruction::Output(position)))
    }

    /// The same polynomial with what turned out to be public of its atoms.
    fn known(&mut self, polynomial: &Polynomial, span: Span) -> Option<Polynomial> {
        let mut atoms: Vec<usize> = polynomial.terms().flat_map(|(atoms, _)| atoms).copied().collect();
        atoms.sort_unstable();
        atoms.dedup();
        let (checked, is_private) = (self.checked, self.private.is_some());
        let is_of_rows = |atom: usize| matches!(checked.atoms[atom].source, Source::Rows { .. });
        let mut is_good = true;
        for atom in atoms.into_iter().filter(|atom| !is_private || is_of_rows(*atom)) {
            is_good &= self.atom(atom).is_some();
        }
        if !is_good {
            return None;
        }
        // What comes of noise is not known before.
        let constant = |atom: usize| match is_private && !is_of_rows(atom) {
            true => self.is_assumed(atom).then(|| Coefficient::constant(1_u64)),
            false => self.atoms[atom].as_ref().filter(|made| made.degree() == 0).map(Polynomial::constant),
        };
        let known = polynomial.with_constants(&constant);
        if known.is_none() {
            self.refuse_beyond(span, None);
        }
        known
    }

    /// The scalar that is a polynomial in atoms, in the columns' field if that holds it and else in F127, and all that
    /// it can be.
    fn scalar(&mut self, polynomial: &Polynomial, span: Span) -> Option<(u32, Interval)> {
        let atoms = &self.checked.atoms;
        let of_bits = polynomial.interval_of_bits(&|atom| atoms[atom].is_bit());
        let interval =
            of_bits.or_else(|| polynomial.interval(&|atom| atoms[atom].interval, self.checked.rows_max));
        let found = self.scalar_within(polynomial, interval);
        if found.is_none() {
            self.refuse_beyond(span, interval);
        }
        found
    }

    /// The same in the first field that holds all of an interval.
    fn scalar_within(
        &mut self,
        polynomial: &Polynomial,
        interval: Option<Interval>,
    ) -> Option<(u32, Interval)> {
        let can_lift = self.study.field == FieldId::F61 && self.has_products();
        let fields = [Some(self.study.field), can_lift.then_some(FieldId::F127)];
        fields.into_iter().flatten().find_map(|field| {
            let interval = interval.filter(|interval| interval.bound() <= field.half())?;
            Some((self.scalar_in(polynomial, field)?, interval))
        })
    }

    /// The same in one field; `None` where a coefficient leaves it.
    fn scalar_in(&mut self, polynomial: &Polynomial, field: FieldId) -> Option<u32> {
        let (atoms, made, is_lifted) = (&self.checked.atoms, &self.atoms, field != self.study.field);
        let mut leaf = |scalars: &mut Scalars, atom: usize| {
            let made: &Polynomial = made[atom].as_ref()?;
            if !is_lifted {
                return Some(made.clone());
            }
            let scalar = scalars.value(made)?;
            Some(Polynomial::atom(scalars.lift(scalar, atoms[atom].interval) as usize))
        };
        let combination = self.scalars.horner(polynomial, &mut leaf)?;
        let scalar = self.scalars.value(&combination)?;
        Some(scalar).filter(|scalar| self.scalars.field_of(*scalar) == field)
    }

    /// What is made of an atom: a combination of scalars in the columns' field.
    fn atom(&mut self, index: usize) -> Option<&Polynomial> {
        if self.made(index).is_none() {
            let checked = self.checked;
            let atom = &checked.atoms[index];
            if self.rows.instructions().len() > ROWS_MAX {
                self.refuse_size(atom.span);
                return None;
            }
            let made = match &atom.source {
                Source::Rows { summand, conditions, .. } => self.sum(atom, summand, conditions)?,
                Source::Quantile { number, share, conditions, exists } => {
                    let rows = quantile::Rows { conditions, exists: *exists };
                    self.quantile(index, number, share, rows)?
                }
                Source::Decision { comparison, difference } => {
                    self.decision(*comparison, difference, atom.span)?
                }
            };
            self.make(index, made);
        }
        self.made(index)
    }

    /// A sum over the rows where all conditions hold.
    fn sum(&mut self, atom: &Atom, summand: &Summand, conditions: &[Condition]) -> Option<Polynomial> {
        let fits = atom.interval.bound() <= self.study.field.half();
        let sum = if fits { self.fitting_sum(summand, conditions) } else { None };
        if sum.is_none() {
            self.refuse_beyond(atom.span, (!fits).then_some(atom.interval));
        }
        sum
    }

    fn fitting_sum(&mut self, summand: &Summand, conditions: &[Condition]) -> Option<Polynomial> {
        let indicator = self.rows.among(conditions)?;
        let number = match summand {
            Summand::One => arena::constant(1_u64),
            Summand::Number(number) => self.rows.number(number, Blanks::Zero)?,
            Summand::Square(number) => {
                let number = self.rows.number(number, Blanks::Zero)?;
                self.rows.product(&number, &number)?
            }
        };
        let number = self.rows.product(&indicator, &number)?;
        self.scalars.sum(&number)
    }

    fn public(&mut self, instruction: PublicInstruction) -> u32 {
        self.public.push(instruction)
    }
}

/// What an output is, in the circuit's words, and in which units it is a whole number.
fn meaning(polynomial: &Polynomial, atoms: &[Atom]) -> String {
    // An atom's integer is the value times its scale.
    let scale = |product: &[usize]| {
        product.iter().try_fold(Integer::ONE, |scale, atom| scale.checked_mul(&atoms[*atom].scale))
    };
    let values: Option<Vec<_>> =
        polynomial.terms().map(|(product, c)| Some((product, c.checked_scale(&scale(product)?)?))).collect();
    let Some(values) = values else { return polynomial.words(atoms) };
    let unit_scale = values.iter().filter_map(|(_, c)| c.content()).reduce(gcd).unwrap_or(Integer::ONE);
    let words = values
        .iter()
        .fold(Polynomial::default(), |sum, (product, c)| sum.with(product.to_vec(), c.divided(&unit_scale)));
    match unit(&unit_scale) {
        Some(unit) => format!("{}, in units of {unit}", words.words(atoms)),
        None => words.words(atoms),
    }
}
