//! Domains as they are written, and what is wrong with those that are none.

use super::tree::Name;
use crate::column::{DECIMALS_MAX, Domain, ELEMENTS_MAX, LABELS_MAX, NORM_MAX};
use crate::date::date_text;
use crate::diagnostics::{Diagnostic, Span};
use quorate_field::Integer;
use quorate_field::quantity::scaled_decimal;

/// A domain as written, not yet checked.
#[derive(Clone)]
pub(super) enum Written {
    Range((bool, Number), (bool, Number)),
    Dates(i64, i64),
    Labels(Vec<Name>),
    Vector(WrittenVector),
}

/// `vector[length] of elements norm norm`; the numbers with their places.
#[derive(Clone)]
pub(super) struct WrittenVector {
    pub(super) length: (Number, Span),
    pub(super) elements: Box<Written>,
    pub(super) norm: Option<(Number, Span)>,
}

/// `digits / 10^decimals`.
#[derive(Clone)]
pub(super) struct Number {
    pub(super) digits: Integer,
    pub(super) decimals: u32,
}

impl Written {
    /// The domain of a column, if it is one that may be blank where this one may.
    pub(super) fn declared(self, is_optional: bool, span: Span) -> Result<Domain, Diagnostic> {
        if is_optional && matches!(self, Written::Vector(..)) {
            return Err(Diagnostic::new(
                span,
                "a vector is not `optional`",
                "expected a vector in every row",
            )
            .help("leave the word away: whoever has no vector contributes no row"));
        }
        self.check(span)
    }

    /// The domain, if it is one.
    fn check(self, span: Span) -> Result<Domain, Diagnostic> {
        match self {
            Written::Range(low, high) => check_range(low, high, span),
            Written::Dates(from, to) => check_dates(from, to, span),
            Written::Labels(labels) => check_labels(labels, span),
            Written::Vector(vector) => check_vector(vector, span),
        }
    }
}

fn check_range(low: (bool, Number), high: (bool, Number), span: Span) -> Result<Domain, Diagnostic> {
    let decimals = low.1.decimals.max(high.1.decimals);
    if decimals > DECIMALS_MAX {
        return Err(Diagnostic::new(span, "the range has too many decimals", format!("{decimals} decimals"))
            .help(format!("declare at most {DECIMALS_MAX}; values are rounded to what is declared")));
    }
    let scaled = |(is_negative, number): (bool, Number)| {
        let scaled = number.digits.checked_mul(&Integer::pow10(decimals - number.decimals)?)?;
        if is_negative { scaled.checked_neg() } else { Some(scaled) }
    };
    let (Some(min), Some(max)) = (scaled(low), scaled(high)) else {
        return Err(Diagnostic::new(span, "the range is too large", "beyond any field"));
    };
    if min > max {
        let text = |x| scaled_decimal(x, decimals, true);
        return Err(Diagnostic::new(span, "the range is empty", "the lower end is above the upper")
            .help(format!("perhaps {} .. {}", text(&max), text(&min))));
    }
    Ok(Domain::Number { min, max, decimals })
}

fn check_vector(vector: WrittenVector, span: Span) -> Result<Domain, Diagnostic> {
    let WrittenVector { length: (length, place), elements, norm } = vector;
    let elements = elements.check(span)?;
    let Domain::Number { min, max, decimals } = elements else {
        return Err(Diagnostic::new(span, "a vector is of numbers", format!("this is of {elements}"))
            .help("write a range, as in: vector[1000] of -1.0000 .. 1.0000"));
    };
    let digits = length.digits.to_i128().filter(|_| length.decimals == 0);
    let length = digits.and_then(|length| u32::try_from(length).ok());
    let Some(length) = length.filter(|length| (1..=ELEMENTS_MAX).contains(length)) else {
        let label = format!("expected a whole number, 1 to {ELEMENTS_MAX}");
        return Err(Diagnostic::new(place, "a vector cannot have this many elements", label)
            .help("split a longer vector over several columns, or studies"));
    };
    let vectors = Domain::Vector { length, min, max, decimals, norm: None };
    norm.map_or(Ok(vectors.clone()), |(number, place)| check_norm(number, place, &vectors))
}

/// The same vectors, with a norm of at most `number`.
fn check_norm(number: Number, place: Span, vectors: &Domain) -> Result<Domain, Diagnostic> {
    let Domain::Vector { length, min, max, decimals, .. } = *vectors else { return Ok(vectors.clone()) };
    let refuse = |message: &str, label: String| Err(Diagnostic::new(place, message, label));
    if min > Integer::ZERO || max < Integer::ZERO {
        let label = "vectors of these elements cannot be made shorter".to_owned();
        return refuse("a norm is of elements on both sides of 0", label).map_err(|diagnostic| {
            diagnostic.help("let the range begin at 0 or below, and end at 0 or above")
        });
    }
    let missing = decimals.checked_sub(number.decimals);
    let Some(norm) = missing.and_then(|missing| number.digits.checked_mul(&Integer::pow10(missing)?)) else {
        return refuse("the norm has more decimals than the elements", format!("at most {decimals}"));
    };
    let text = |norm: &Integer| scaled_decimal(norm, decimals, true);
    let largest = Integer::from(NORM_MAX);
    if norm == Integer::ZERO || norm > largest {
        let label = format!("expected more than 0, and at most {}", text(&largest));
        return refuse("a norm cannot be this", label).map_err(|diagnostic| {
            diagnostic
                .help(format!("it is at most {NORM_MAX} units of the last decimal: declare fewer decimals"))
        });
    }
    let greatest = min.abs().max(max);
    let of_all = greatest.checked_mul(&greatest).and_then(|square| square.checked_mul(&length.into()));
    if norm.checked_mul(&norm).zip(of_all).is_some_and(|(square, of_all)| square > of_all) {
        return refuse("no vector in this range has such a norm", "above all of them".to_owned())
            .map_err(|diagnostic| diagnostic.help("lower it, or leave it away"));
    }
    Ok(Domain::Vector { length, min, max, decimals, norm: Some(norm) })
}

fn check_dates(from: i64, to: i64, span: Span) -> Result<Domain, Diagnostic> {
    let (min, max) = (Integer::from(from), Integer::from(to));
    if min > max {
        return Err(Diagnostic::new(span, "the range is empty", "the first date is after the last")
            .help(format!("perhaps {} .. {}", date_text(&max), date_text(&min))));
    }
    Ok(Domain::Date { min, max })
}

fn check_labels(labels: Vec<Name>, span: Span) -> Result<Domain, Diagnostic> {
    if labels.len() > LABELS_MAX {
        return Err(Diagnostic::new(
            span,
            "the category has too many labels",
            format!("{} labels", labels.len()),
        )
        .help(format!("at most {LABELS_MAX}")));
    }
    if labels.len() < 2 {
        return Err(Diagnostic::new(span, "a category needs at least two labels", "only one label")
            .help("write a range as in 0 .. 1_000_000, or labels as in female | male | other"));
    }
    for (index, label) in labels.iter().enumerate() {
        if labels[..index].iter().any(|earlier| earlier.text == label.text) {
            return Err(
                Diagnostic::new(label.span, "a label is given twice", "again").help("remove one of them")
            );
        }
    }
    Ok(Domain::Category { labels: labels.into_iter().map(|label| label.text).collect() })
}
