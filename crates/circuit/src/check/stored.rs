//! Truths that are stored: as numbers, 1 or 0, they are a column or the difference of two, so that they are counted and
//! added up with no bits and no products. That is whether a column is blank, and which of two labels a category has.

use super::tree::{RowTruth, RowTruthKind};
use crate::column::{Column, Domain};

/// `constant + plus - minus`: 1 where the truth is known to hold, else 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) constant: bool,
    pub(crate) plus: Option<usize>,
    pub(crate) minus: Option<usize>,
}

impl Stored {
    /// What a truth is stored as, if it is.
    pub(crate) fn of(truth: &RowTruth, columns: &[Column]) -> Option<Stored> {
        let (truth, is_negated) = match &truth.kind {
            RowTruthKind::Not(inner) => (&**inner, true),
            _ => (truth, false),
        };
        match &truth.kind {
            RowTruthKind::Present(column) => Some(Stored::column(column + 1, is_negated)),
            RowTruthKind::Is(column, label) => {
                let Domain::Category { labels } = &columns[*column].domain else { return None };
                let is_first = (*label == 0) != is_negated;
                let is_optional = columns[*column].is_optional();
                (labels.len() == 2).then_some(match (is_first, is_optional) {
                    // A blank is stored as the first label.
                    (true, true) => Stored { constant: false, plus: Some(column + 1), minus: Some(*column) },
                    (is_first, _) => Stored::column(*column, is_first),
                })
            }
            _ => None,
        }
    }

    fn column(column: usize, is_negated: bool) -> Stored {
        let (plus, minus) = if is_negated { (None, Some(column)) } else { (Some(column), None) };
        Stored { constant: is_negated, plus, minus }
    }
}
