//! Lowering: a checked circuit to a [`Program`], as far as this engine goes.
//!
//! Every `reveal` is a fraction of polynomials in secret sums (see `check::form`). Numerator and denominator become one
//! output each, where a secret is in them at all: the linear combination of column sums in its smallest integers, so
//! that equal knowledge is one output, whatever the circuit calls it. Factors, the number of rows and the division are
//! left to the analyst. Sums of columns are taken before anything is combined: a combination of a million rows costs
//! what one of two numbers does.

use std::collections::BTreeSet;

use quorate_field::Integer;

use crate::check::form::{Atom, Form, Fraction, Source};
use crate::check::polynomial::Polynomial;
use crate::check::{Checked, CheckedReveal, Forms, unit};
use crate::diagnostics::{Diagnostic, Diagnostics, Span};
use crate::interval::Interval;
use crate::program::{
    Coefficient, Output, Program, PublicInstruction, Reduction, Revealed, RevealedAs, RowInstruction,
    ScalarInstruction, ScalarTerm,
};
use crate::quantity::gcd;
use crate::study::Study;

const CANNOT_MULTIPLY: &str = "this engine cannot multiply yet";

/// Lowers a circuit that was checked on `study`.
///
/// # Errors
/// What this engine cannot do, underlined; a value beyond the study's field. The analyst is to blame.
pub fn lower(checked: &Checked, study: &Study) -> Result<Program, Diagnostics> {
    let mut lowering =
        Lowering { checked, study, program: empty(checked, study), diagnostics: Diagnostics::default() };
    lowering.sum_columns();
    for reveal in &checked.reveals {
        lowering.reveal(reveal);
    }
    let Lowering { program, diagnostics, .. } = lowering;
    diagnostics.or(program)
}

fn empty(checked: &Checked, study: &Study) -> Program {
    Program {
        format: 2,
        name: checked.name.clone(),
        field: study.field,
        columns: narrow(study.columns.len()),
        rows_max: checked.rows_max,
        row: vec![],
        reductions: vec![],
        scalar: vec![],
        outputs: vec![],
        public: vec![],
        reveals: vec![],
    }
}

struct Lowering<'a> {
    checked: &'a Checked,
    study: &'a Study,
    program: Program,
    diagnostics: Diagnostics,
}

impl Lowering<'_> {
    /// The sums of all columns that are revealed in whatever way, in the study's order.
    fn sum_columns(&mut self) {
        let forms = self.checked.reveals.iter().flat_map(|reveal| match &reveal.forms {
            Forms::One(form) => vec![form],
            Forms::Table(cells) => cells.iter().map(|(_, form)| form).collect(),
        });
        let mut columns = BTreeSet::new();
        for form in forms {
            let Form::Fraction(fraction) = form else { continue };
            columns.extend(fraction.atoms().into_iter().filter_map(|atom| {
                match self.checked.atoms[atom].source {
                    Source::Column(column) => Some(narrow(column)),
                    Source::Products(..) => None,
                }
            }));
        }
        for (value, column) in columns.into_iter().enumerate() {
            self.program.row.push(RowInstruction::Input { column });
            self.program.reductions.push(Reduction::Sum { value: narrow(value) });
        }
    }

    fn reveal(&mut self, reveal: &CheckedReveal) {
        let result = match &reveal.forms {
            Forms::One(form) => self.form(form, reveal.span).map(|number| {
                if reveal.value.is_truth { Revealed::Truth(number) } else { Revealed::Number(number) }
            }),
            Forms::Table(cells) => {
                let lowered =
                    cells.iter().map(|(label, form)| Some((label.clone(), self.form(form, reveal.span)?)));
                lowered.collect::<Option<Vec<_>>>().map(Revealed::Table)
            }
        };
        if let Some(result) = result {
            self.program.reveals.push(RevealedAs { name: reveal.name.clone(), result });
        }
    }

    /// The public number that a form is.
    fn form(&mut self, form: &Form, span: Span) -> Option<u32> {
        match form {
            Form::Fraction(fraction) => self.fraction(fraction, span),
            Form::Root(fraction) => {
                self.refuse_products(fraction, span);
                None
            }
            Form::Combined(parts) => {
                parts.iter().for_each(|part| {
                    self.form(part, span);
                });
                None
            }
        }
    }

    fn fraction(&mut self, fraction: &Fraction, span: Span) -> Option<u32> {
        if self.refuse_products(fraction, span) {
            return None;
        }
        let top = self.polynomial(&fraction.top, span)?;
        let bottom = self.polynomial(&fraction.bottom, span)?;
        let mut number = self.divide(top, bottom);
        for divisor in &fraction.cancelled {
            // x * d / d: x, or undefined where d is zero.
            let divisor = self.public(PublicInstruction::Rows(divisor.clone()));
            let product = self.public(PublicInstruction::Multiply(number, divisor));
            number = self.public(PublicInstruction::Divide(product, divisor));
        }
        Some(number)
    }

    /// Says where the circuit asks for products; whether it does.
    fn refuse_products(&mut self, fraction: &Fraction, span: Span) -> bool {
        let mut needed: Vec<(Span, &str)> = Vec::new();
        for atom in fraction.atoms() {
            if let Source::Products(place, why) = self.checked.atoms[atom].source {
                needed.push((place, why));
            }
        }
        if !fraction.is_linear() && needed.is_empty() {
            let place = fraction.multiplied_at.unwrap_or(span);
            needed.push((place, "helpers would multiply secrets to reveal no more than this"));
        }
        for (place, why) in &needed {
            let is_known = |known: &Diagnostic| known.span == *place && known.message == CANNOT_MULTIPLY;
            if !self.diagnostics.0.iter().any(is_known) {
                self.diagnostics.push(Diagnostic::new(*place, CANNOT_MULTIPLY, *why).help(
                    "it computes count(), sums and means of columns, and what is linear in them; \
                     reveal such parts under names of their own, if they may be known",
                ));
            }
        }
        !needed.is_empty()
    }

    /// A linear polynomial as a public number: its secret part as an output in smallest integers, times a factor,
    /// plus what is public of it.
    fn polynomial(&mut self, polynomial: &Polynomial, span: Span) -> Option<u32> {
        let constant = PublicInstruction::Rows(polynomial.constant());
        let secret = polynomial.secret();
        let Some((integer, power)) = secret.content() else {
            return Some(self.public(constant));
        };
        let integer = if secret.is_negative() { integer.checked_neg()? } else { integer };
        let output = self.output(&secret.divided(&integer, power), span)?;
        let mut number = self.public(PublicInstruction::Output(output));
        let factor = Coefficient::power(power).checked_scale(&integer)?;
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

    fn divide(&mut self, top: u32, bottom: u32) -> u32 {
        match &self.program.public[bottom as usize] {
            PublicInstruction::Rows(one) if one.is_one() => top,
            _ => self.public(PublicInstruction::Divide(top, bottom)),
        }
    }

    /// The output that is a linear combination of atoms, which are sums of columns.
    fn output(&mut self, combination: &Polynomial, span: Span) -> Option<u32> {
        let atoms = &self.checked.atoms;
        let interval = combination.interval(&|atom| atoms[atom].interval, self.checked.rows_max);
        let half = self.study.field.half();
        let coefficients_fit = combination.terms().all(|(_, coefficient)| {
            coefficient.interval(self.checked.rows_max).is_some_and(|interval| interval.bound() <= half)
        });
        let Some(interval) = interval.filter(|interval| interval.bound() <= half && coefficients_fit) else {
            self.diagnostics.push(self.beyond_field(span, interval));
            return None;
        };
        let scalar = self.scalar(combination)?;
        let meaning = meaning(combination, atoms);
        let output = Output { scalar, field: self.study.field, interval, meaning };
        Some(push(&mut self.program.outputs, output))
    }

    fn beyond_field(&self, span: Span, interval: Option<Interval>) -> Diagnostic {
        let field = self.study.field;
        let label = match interval {
            Some(interval) => format!("between {} and {}", interval.min, interval.max),
            None => "beyond 512 bits".to_owned(),
        };
        let suffices = interval.and_then(|interval| quorate_field::FieldId::smallest_for(&interval.bound()));
        let larger = match suffices.filter(|larger| *larger > field) {
            Some(larger) => format!("field = \"{}\"", larger.as_str()),
            None => "room for fewer rows, or narrower ranges".to_owned(),
        };
        Diagnostic::new(span, "this overflows the study's field", label).help(format!(
            "the study's field, {field}, holds integers up to {}: the study needs a larger `field` for this ({larger})",
            field.half()
        ))
    }

    /// The scalar that is a combination: a reduction, or a linear instruction on reductions.
    fn scalar(&mut self, combination: &Polynomial) -> Option<u32> {
        let mut terms = Vec::new();
        for (product, coefficient) in combination.terms() {
            let Source::Column(column) = self.checked.atoms[*product.first()?].source else { return None };
            let input = RowInstruction::Input { column: narrow(column) };
            let sum = self.program.row.iter().position(|instruction| *instruction == input)?;
            terms.push(ScalarTerm { scalar: narrow(sum), factor: coefficient.clone() });
        }
        terms.sort_by_key(|term| term.scalar);
        match terms.as_slice() {
            [term] if term.factor.is_one() => Some(term.scalar),
            _ => {
                let linear = ScalarInstruction::Linear { constant: Coefficient::default(), terms };
                Some(narrow(self.program.reductions.len()) + push(&mut self.program.scalar, linear))
            }
        }
    }

    fn public(&mut self, instruction: PublicInstruction) -> u32 {
        push(&mut self.program.public, instruction)
    }
}

/// What an output is, in the circuit's words, and in which units it is a whole number.
fn meaning(combination: &Polynomial, atoms: &[Atom]) -> String {
    // An atom's integer is the value times its scale.
    let scale = |product: &[usize]| product.first().map_or(Integer::ONE, |atom| atoms[*atom].scale);
    let values: Option<Vec<_>> =
        combination.terms().map(|(product, c)| Some((product, c.checked_scale(&scale(product))?))).collect();
    let Some(values) = values else { return combination.words(atoms) };
    let unit_scale = values.iter().filter_map(|(_, c)| c.content()).reduce(gcd).unwrap_or(Integer::ONE);
    let words = values
        .iter()
        .fold(Polynomial::default(), |sum, (product, c)| sum.with(product.to_vec(), c.divided(&unit_scale)));
    match unit(&unit_scale) {
        Some(unit) => format!("{}, in units of {unit}", words.words(atoms)),
        None => words.words(atoms),
    }
}

/// The position of `item` in `items`, where it is put if it is not there.
fn push<T: PartialEq>(items: &mut Vec<T>, item: T) -> u32 {
    let position = items.iter().position(|existing| *existing == item).unwrap_or_else(|| {
        items.push(item);
        items.len() - 1
    });
    narrow(position)
}

/// Sizes are bounded by the limits on a circuit's text and a study's columns, far below 2^32.
fn narrow(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}
