//! Vectors: the sum of a column of them, which is revealed as it is, with noise in every element where it is private.

use super::Lowering;
use super::arena::narrow;
use super::private::around;
use crate::check::tree::Total;
use crate::check::unit;
use crate::diagnostics::{Diagnostic, Span};
use crate::program::{Coefficient, Revealed, VectorSum};
use crate::syntax::quote;

impl Lowering<'_> {
    /// The sum or mean of a column of vectors: one sum for both.
    pub(super) fn vector(&mut self, column: usize, total: Total, span: Span) -> Option<Revealed> {
        let found = &self.study.columns[column];
        let interval = found.domain.interval().checked_total(self.checked.rows_max);
        let Some(interval) = interval.filter(|interval| interval.bound() <= self.study.field.half()) else {
            self.refuse_beyond(span, interval);
            return None;
        };
        let known = self.vectors.iter().position(|vector| vector.column as usize == column);
        let is_noisy = |known: &usize| self.private.is_some() || self.vectors[*known].noise.is_some();
        if let Some(known) = known.filter(is_noisy) {
            let label = format!("{} is revealed twice", self.vectors[known].meaning);
            self.refuse(
                Diagnostic::new(span, "a private vector is revealed once in a circuit", label)
                    .help("the mean is the sum over the number of rows: ask for one of them"),
            );
            return None;
        }
        let position = known.unwrap_or_else(|| {
            let meaning = match unit(&found.domain.scale()) {
                Some(unit) => format!("sum({}), in units of {unit}", quote(&found.name)),
                None => format!("sum({})", quote(&found.name)),
            };
            let (column, length) = (narrow(column), narrow(found.width()));
            let drawn = self.vector_noise(length, &meaning);
            let bound = drawn.and_then(|(_, bound)| around(&bound));
            let interval = bound.and_then(|bound| interval.checked_add(&bound)).unwrap_or(interval);
            let noise = drawn.map(|(noise, _)| noise);
            self.vectors.push(VectorSum { column, length, interval, meaning, noise });
            self.vectors.len() - 1
        });
        let interval = self.vectors[position].interval;
        if interval.bound() > self.study.field.half() {
            self.refuse_beyond(span, Some(interval));
            return None;
        }
        let divisor = match total {
            Total::Sum => Coefficient::constant(1_u64),
            Total::Mean => Coefficient::rows(),
        };
        let divisor = divisor.checked_scale(&found.domain.scale())?;
        Some(Revealed::Vector { vector: narrow(position), divisor })
    }
}
