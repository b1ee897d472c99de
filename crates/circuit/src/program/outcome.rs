//! Outcomes: what the analyst reads, computed in the clear of the outputs and the public number of rows.

use std::fmt;

use quorate_field::Integer;
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::fit::Fit;
use super::{Program, PublicInstruction, Revealed, Vector};
use quorate_field::quantity::Quantity;

/// One result.
///
/// The serde form is plain: a number (whole numbers of up to 64 bits exactly, others as the nearest double), a bool,
/// a map from label to number, a list of numbers, or null where there is no value. `Display` is exact wherever a decimal can be.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// An exact number.
    Number(Quantity),
    /// A number that is not rational, or whose exact form is beyond 512 bits.
    Real(f64),
    /// A truth value.
    Truth(bool),
    /// One outcome for each group; of a table by two groupings, a table for each group of the first.
    Table(Vec<(String, Outcome)>),
    /// A fitted statistic: a linear model, a test.
    Fit(Box<Fit>),
    /// A sum or mean of vectors, element by element.
    Vector(Vector),
    /// No value.
    Undefined(Undefined),
}

/// Why an outcome has no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Undefined {
    /// A quotient with zero below the line: a mean of no rows, for one.
    #[error("undefined: division by zero")]
    DivisionByZero,
    /// A model or a test that its rows do not determine.
    #[error(
        "undefined: too few rows, a variable that does not vary, or predictors that depend on each other"
    )]
    NotDetermined,
    /// A square root of what noise took below zero.
    #[error("undefined: the noise took a square below zero")]
    Noise,
    /// Of fewer rows than the study's smallest group, or with too few to tell it from another result.
    #[error("suppressed: too few rows")]
    Suppressed,
}

impl Outcome {
    /// The nearest double of a number, 1 or 0 of a truth value; `None` of a table or where there is no value.
    pub fn to_f64(&self) -> Option<f64> {
        match self {
            Outcome::Number(quantity) => Some(quantity.to_f64()),
            Outcome::Real(real) => Some(*real),
            Outcome::Truth(truth) => Some(f64::from(u8::from(*truth))),
            Outcome::Table(_) | Outcome::Fit(_) | Outcome::Vector(_) | Outcome::Undefined(_) => None,
        }
    }
}

impl Outcome {
    /// A fit, if there is one.
    pub(crate) fn fitted(fit: Option<Fit>) -> Outcome {
        fit.map_or(Outcome::Undefined(Undefined::NotDetermined), |fit| Outcome::Fit(Box::new(fit)))
    }
}

impl Program {
    /// The results, by name, of the outputs' integers and the number of rows that were computed on.
    ///
    /// `outputs` are in the order of [`Program::outputs`], one each, then the elements of each of its vectors; and the program is a lowered or validated one: the
    /// caller's to see to, and asserted.
    pub fn outcomes(&self, outputs: &[Integer], rows: u64) -> Vec<(String, Outcome)> {
        assert_eq!(
            outputs.len() as u64,
            self.outputs.len() as u64 + self.elements(),
            "one integer for each output, and for each element of a vector"
        );
        let (outputs, elements) = outputs.split_at(self.outputs.len());
        let numbers = self.public_numbers(outputs, rows);
        let number = |index: u32| numbers[index as usize].outcome();
        let truth = |index: u32| match number(index) {
            Outcome::Number(quantity) => Outcome::Truth(quantity != Quantity::ZERO),
            other => other,
        };
        let outcome = |result: &Revealed| match result {
            Revealed::Vector { vector, divisor } => {
                let (before, of_vector) = self.vectors.split_at(*vector as usize);
                let from: usize = before.iter().map(|vector| vector.length as usize).sum();
                let integers = elements[from..][..of_vector[0].length as usize].to_vec();
                let vector = divisor.at(rows).and_then(|divisor| Vector::new(integers, divisor));
                vector.map_or(Outcome::Undefined(Undefined::DivisionByZero), Outcome::Vector)
            }
            result => result.outcome(&number, &truth),
        };
        self.reveals.iter().map(|reveal| (reveal.name.clone(), outcome(&reveal.result))).collect()
    }
}

impl Program {
    /// What the analyst computes in the clear, number by number.
    pub(super) fn public_numbers(&self, outputs: &[Integer], rows: u64) -> Vec<Number> {
        let mut numbers: Vec<Number> = Vec::with_capacity(self.public.len());
        for instruction in &self.public {
            let at = |index: u32| numbers[index as usize];
            let number = match instruction {
                PublicInstruction::Constant(quantity) => Number::Exact(*quantity),
                PublicInstruction::Rows(polynomial) => match polynomial.at(rows) {
                    Some(value) => Number::Exact(value.into()),
                    None => Number::Real(f64::INFINITY),
                },
                PublicInstruction::Output(index) => Number::Exact(outputs[*index as usize].into()),
                PublicInstruction::Add(a, b) => at(*a).combine(at(*b), Quantity::checked_add, |x, y| x + y),
                PublicInstruction::Multiply(a, b) => {
                    at(*a).combine(at(*b), Quantity::checked_mul, |x, y| x * y)
                }
                PublicInstruction::Divide(a, b) => at(*a).divide(at(*b)),
                PublicInstruction::Root(square) => at(*square).root(),
            };
            numbers.push(number);
        }
        numbers
    }
}

impl Revealed {
    fn outcome(&self, number: &dyn Fn(u32) -> Outcome, truth: &dyn Fn(u32) -> Outcome) -> Outcome {
        match self {
            Revealed::Number(index) => number(*index),
            Revealed::Truth(index) => truth(*index),
            // Vectors stand in no table and are not guarded: they are of all rows.
            Revealed::Vector { .. } => Outcome::Undefined(Undefined::NotDetermined),
            Revealed::Guarded { shown, result } => match truth(*shown) {
                Outcome::Truth(false) => Outcome::Undefined(Undefined::Suppressed),
                _ => result.outcome(number, truth),
            },
            Revealed::Table(cells) => {
                let cell = |(label, cell): &(String, Revealed)| (label.clone(), cell.outcome(number, truth));
                Outcome::Table(cells.iter().map(cell).collect())
            }
            Revealed::Fit { statistic, numbers } => {
                let exact = |index: &u32| match number(*index) {
                    Outcome::Number(quantity) => Some(quantity),
                    _ => None,
                };
                let numbers = numbers.iter().map(exact).collect::<Option<Vec<_>>>();
                Outcome::fitted(numbers.and_then(|numbers| statistic.fit(&numbers)))
            }
        }
    }
}

/// A number on the way to an outcome: exact as long as 512 bits hold it.
#[derive(Clone, Copy)]
pub(crate) enum Number {
    Exact(Quantity),
    Real(f64),
    Undefined(Undefined),
}

impl Number {
    pub(crate) fn combine(
        self,
        other: Number,
        exact: impl Fn(&Quantity, &Quantity) -> Option<Quantity>,
        real: impl Fn(f64, f64) -> f64,
    ) -> Number {
        match (self, other) {
            (Number::Undefined(why), _) | (_, Number::Undefined(why)) => Number::Undefined(why),
            (Number::Exact(a), Number::Exact(b)) => match exact(&a, &b) {
                Some(result) => Number::Exact(result),
                None => Number::Real(real(a.to_f64(), b.to_f64())),
            },
            (a, b) => Number::Real(real(a.to_f64(), b.to_f64())),
        }
    }

    pub(crate) fn divide(self, divisor: Number) -> Number {
        if let (Number::Exact(_) | Number::Real(_), true) = (self, divisor.is_zero()) {
            return Number::Undefined(Undefined::DivisionByZero);
        }
        self.combine(divisor, Quantity::checked_div, |x, y| x / y)
    }

    /// The square root, exact where it is rational.
    pub(crate) fn root(self) -> Number {
        match self {
            Number::Exact(square) if square.is_negative() => Number::Undefined(Undefined::Noise),
            Number::Exact(square) => {
                let exact = || {
                    Quantity::new(integer_root(&square.numerator())?, integer_root(&square.denominator())?)
                };
                exact().map_or_else(|| Number::Real(square.to_f64().sqrt()), Number::Exact)
            }
            Number::Real(square) if square < 0.0 => Number::Undefined(Undefined::Noise),
            Number::Real(square) => Number::Real(square.sqrt()),
            undefined @ Number::Undefined(_) => undefined,
        }
    }

    pub(crate) fn is_zero(self) -> bool {
        match self {
            Number::Exact(quantity) => quantity == Quantity::ZERO,
            Number::Real(real) => real == 0.0,
            Number::Undefined(_) => false,
        }
    }

    pub(crate) fn to_f64(self) -> f64 {
        match self {
            Number::Exact(quantity) => quantity.to_f64(),
            Number::Real(real) => real,
            Number::Undefined(_) => f64::NAN,
        }
    }

    pub(crate) fn outcome(self) -> Outcome {
        match self {
            Number::Exact(quantity) => Outcome::Number(quantity),
            Number::Real(real) => Outcome::Real(real),
            Number::Undefined(why) => Outcome::Undefined(why),
        }
    }
}

/// The root of a square.
fn integer_root(square: &Integer) -> Option<Integer> {
    square.floor_root().filter(|root| root.checked_mul(root) == Some(*square))
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Number(quantity) => quantity.fmt(f),
            Outcome::Real(real) => real.fmt(f),
            Outcome::Truth(truth) => truth.fmt(f),
            Outcome::Undefined(why) => why.fmt(f),
            Outcome::Fit(fit) => fit.fmt(f),
            Outcome::Vector(vector) => vector.fmt(f),
            Outcome::Table(cells) => {
                let cell = |(label, outcome): &(String, Outcome)| match outcome {
                    Outcome::Table(_) => format!("{label}: ({outcome})"),
                    _ => format!("{label}: {outcome}"),
                };
                f.write_str(&cells.iter().map(cell).collect::<Vec<_>>().join(", "))
            }
        }
    }
}

impl Serialize for Outcome {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Outcome::Number(quantity) => serialize_number(quantity, serializer),
            Outcome::Real(real) => serializer.serialize_f64(*real),
            Outcome::Truth(truth) => serializer.serialize_bool(*truth),
            Outcome::Undefined(_) => serializer.serialize_none(),
            Outcome::Fit(fit) => fit.serialize(serializer),
            Outcome::Vector(vector) => vector.serialize(serializer),
            Outcome::Table(cells) => {
                let mut map = serializer.serialize_map(Some(cells.len()))?;
                cells.iter().try_for_each(|(label, outcome)| map.serialize_entry(label, outcome))?;
                map.end()
            }
        }
    }
}

pub(super) fn serialize_number<S: Serializer>(quantity: &Quantity, serializer: S) -> Result<S::Ok, S::Error> {
    let whole = quantity.numerator().to_i128().filter(|_| quantity.is_integer());
    match whole.map(|whole| (u64::try_from(whole), i64::try_from(whole))) {
        Some((Ok(whole), _)) => serializer.serialize_u64(whole),
        Some((_, Ok(whole))) => serializer.serialize_i64(whole),
        _ => serializer.serialize_f64(quantity.to_f64()),
    }
}
