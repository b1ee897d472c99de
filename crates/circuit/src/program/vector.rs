//! Vectors: sums of vector columns over all rows, element by element, and what the analyst reads of them.
//!
//! A vector is revealed as it is: its elements are no scalars of the program, nothing is computed of them, and one
//! divisor, at the analyst, makes numbers of all.

use std::fmt;

use quorate_field::Integer;
use serde::ser::{Serialize, SerializeSeq, Serializer};
use serde::{Deserialize, Serialize as SerializePlain};

use super::outcome::serialize_number;
use crate::interval::Interval;
use quorate_field::quantity::Quantity;

/// Integers up to this size are doubles.
const DOUBLES_MAX: u128 = 1 << f64::MANTISSA_DIGITS;

/// The sum of a column of vectors, whose shares go to the analyst: one for each element, in the columns' field.
#[derive(Clone, Debug, PartialEq, Eq, SerializePlain, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VectorSum {
    /// The column of the study, by position.
    pub column: u32,
    /// Elements, as many as the column has cells in a row.
    pub length: u32,
    /// All that an element can be.
    pub interval: Interval,
    /// What it is, in the circuit's words.
    pub meaning: String,
    /// The noise that is in it, by position: as many numbers as it is long.
    pub noise: Option<u32>,
}

/// Numbers that are one result: integers over one divisor, exactly.
///
/// The serde form is a list of plain numbers, as [`Outcome`](super::Outcome)'s.
#[derive(Clone, PartialEq, Eq)]
pub struct Vector {
    integers: Vec<Integer>,
    divisor: Integer,
}

impl Vector {
    /// The integers over a divisor; `None` unless that is positive.
    pub fn new(integers: Vec<Integer>, divisor: Integer) -> Option<Self> {
        (divisor > Integer::ZERO).then_some(Vector { integers, divisor })
    }

    /// How many numbers.
    pub fn len(&self) -> usize {
        self.integers.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.integers.is_empty()
    }

    /// Number `index`, from 0, exactly; `None` behind the last.
    pub fn get(&self, index: usize) -> Option<Quantity> {
        Quantity::new(*self.integers.get(index)?, self.divisor)
    }
}

/// The first few, and how many there are.
impl fmt::Display for Vector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 8;
        let shown: Vec<String> =
            (0..SHOWN).filter_map(|index| self.get(index)).map(|number| number.to_string()).collect();
        match self.len() {
            0..=SHOWN => write!(f, "[{}]", shown.join(", ")),
            count => write!(f, "[{}, …] ({count} numbers)", shown.join(", ")),
        }
    }
}

impl fmt::Debug for Vector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Vector{self}")
    }
}

impl Serialize for Vector {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.len()))?;
        let divisor = &self.divisor;
        self.integers.iter().try_for_each(|integer| list.serialize_element(&Element { integer, divisor }))?;
        list.end()
    }
}

/// One number of a vector.
struct Element<'a> {
    integer: &'a Integer,
    divisor: &'a Integer,
}

impl Serialize for Element<'_> {
    #[expect(clippy::cast_precision_loss, reason = "of integers that are doubles")]
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // A million numbers in lowest terms take a minute; nearly all are a quotient of two doubles, which is the nearest one.
        if let (Some(top), Some(bottom)) = (self.integer.to_i128(), self.divisor.to_i128()) {
            let is_double = |x: i128| x.unsigned_abs() <= DOUBLES_MAX;
            if top % bottom != 0 && is_double(top) && is_double(bottom) {
                return serializer.serialize_f64(top as f64 / bottom as f64);
            }
            if top % bottom == 0 {
                return serialize_number(&Integer::from(top / bottom).into(), serializer);
            }
        }
        match Quantity::new(*self.integer, *self.divisor) {
            Some(quantity) => serialize_number(&quantity, serializer),
            None => serializer.serialize_none(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_as_those_that_stand_alone() {
        let integers =
            [0_i128, 7, -7, 10, -30, 1 << 60, (1 << 60) + 1, i128::MAX / 3, 1 << 53, (1 << 53) + 1];
        for divisor in [1_u64, 3, 10, 1 << 40, 10_000_000_000_000_000_000] {
            let divisor = Integer::from(divisor);
            let vector = Vector::new(integers.map(Integer::from).to_vec(), divisor).unwrap();
            let list = serde_json::to_value(&vector).unwrap();
            for (index, integer) in integers.into_iter().enumerate() {
                let alone = crate::Outcome::Number(Quantity::new(Integer::from(integer), divisor).unwrap());
                assert_eq!(list[index], serde_json::to_value(alone).unwrap(), "{integer} / {divisor}");
            }
        }
    }

    #[test]
    fn the_first_few_are_shown() {
        let vector = |count: u64| Vector::new((1..=count).map(Integer::from).collect(), Integer::from(2_u64));
        assert_eq!(vector(3).unwrap().to_string(), "[0.5, 1, 1.5]");
        assert_eq!(vector(9).unwrap().to_string(), "[0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4, …] (9 numbers)");
        assert_eq!(Vector::new(vec![], Integer::ZERO), None);
    }
}
