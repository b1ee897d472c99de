//! Refusals: what a study's helpers cannot do, and where the circuit asks for it.

use quorate_field::FieldId;

use super::Lowering;
use crate::check::Checked;
use crate::check::form::Fraction;
use crate::diagnostics::{Diagnostic, Span};
use crate::interval::Interval;
use crate::program::InvalidProgram;

const CANNOT_MULTIPLY: &str = "this study's helpers cannot multiply";
const CANNOT_BESIDE_VECTORS: &str = "helpers do not multiply in a run that sums vectors";

impl Lowering<'_> {
    /// Says where the circuit asks for products that there are not; whether it does.
    pub(super) fn refuse_products(&mut self, fraction: &Fraction, span: Span) -> bool {
        if self.has_products() {
            return false;
        }
        let atoms = fraction.atoms();
        let atoms = atoms.iter().map(|atom| &self.checked.atoms[*atom]);
        let mut needed: Vec<_> = atoms.filter_map(|atom| Some((atom.span, atom.products()?))).collect();
        // Of noisy sums the analyst computes the rest.
        if !fraction.is_linear() && needed.is_empty() && self.private.is_none() {
            let place = fraction.multiplied_at.unwrap_or(span);
            needed.push((place, "helpers would multiply secrets to reveal no more than this"));
        }
        let reason = if self.is_held_linear() {
            "a circuit that sums vectors is linear: ask for this in one of its own".to_owned()
        } else if self.study.field == FieldId::F256 {
            format!(
                "shares in {} are for linear circuits only: it takes a study in F61 or F127",
                self.study.field
            )
        } else {
            format!(
                "{}: it takes shamir with more than twice as many helpers as the threshold, and at most 126 sets of \
                 threshold helpers",
                self.study.sharing
            )
        };
        for (place, why) in &needed {
            let help = format!(
                "{reason}; without, there are count(), sums and means of columns, and what is linear in them"
            );
            let message = if self.is_held_linear() { CANNOT_BESIDE_VECTORS } else { CANNOT_MULTIPLY };
            self.refuse(Diagnostic::new(*place, message, *why).help(help));
        }
        !needed.is_empty()
    }

    /// A value that the study's field does not hold.
    pub(super) fn refuse_beyond(&mut self, span: Span, interval: Option<Interval>) {
        let field = self.study.field;
        let label = match interval {
            Some(interval) => format!("between {} and {}", interval.min, interval.max),
            None => "a factor or a value on the way leaves it".to_owned(),
        };
        let suffices = match interval {
            Some(interval) => FieldId::smallest_for(&interval.bound()),
            None => FieldId::ALL.into_iter().find(|larger| *larger > field),
        };
        let larger = match suffices.filter(|larger| *larger > field) {
            Some(larger) => format!("field = \"{}\"", larger.as_str()),
            None => "room for fewer rows, or narrower ranges".to_owned(),
        };
        let help = format!(
            "the study's field, {field}, holds integers up to {}: the study needs a larger `field` for this ({larger})",
            field.half()
        );
        self.refuse(Diagnostic::new(span, "this overflows the study's field", label).help(help));
    }

    /// A divisor that is secret and may be above or below zero.
    pub(super) fn refuse_sign(&mut self, span: Span, divisor: &str) {
        let label = format!("the divisor, {divisor}, may be above or below zero");
        self.refuse(Diagnostic::new(span, "this comparison turns with the sign of a secret", label).help(
            "compare with the divisor on the other side, sum(a) > 2 * sum(b), if that is what is meant",
        ));
    }

    /// More row values than a program may have.
    pub(super) fn refuse_size(&mut self, span: Span) {
        if self.is_oversized {
            return;
        }
        self.is_oversized = true;
        self.refuse(
            Diagnostic::new(span, "the circuit makes no program that helpers run", "too much for each row")
                .help("ask for less at once: in several circuits, or in fewer tables"),
        );
    }

    pub(super) fn refuse(&mut self, diagnostic: Diagnostic) {
        let is_same =
            |known: &Diagnostic| (known.span, &known.message) == (diagnostic.span, &diagnostic.message);
        if !self.diagnostics.0.iter().any(is_same) {
            self.diagnostics.push(diagnostic);
        }
    }
}

/// A program that would not be run: too large, for all that the limits on the text allow.
pub(super) fn unfit(checked: &Checked, invalid: &InvalidProgram) -> Diagnostic {
    let span = checked.reveals.iter().map(|reveal| reveal.span).reduce(Span::to).unwrap_or_default();
    Diagnostic::new(span, "the circuit makes no program that helpers run", invalid.to_string())
        .help("ask for less at once: in several circuits, or in fewer tables")
}
