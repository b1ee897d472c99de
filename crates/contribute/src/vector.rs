//! Vectors from files: read row by row when they are wanted, so that a thousand gradients never are in memory together.
//!
//! Numbers are floating-point and become integers of the column's units: the nearest one, halves to even. Every element is
//! looked at before anything is used, and again when it is. So is the norm of each vector where the column bounds it.

mod npy;

use std::fmt;
use std::io::{Read, Seek, SeekFrom};
use std::sync::{Mutex, PoisonError};

use quorate_circuit::{Column, Domain, Rounding};
use quorate_field::Integer;

use npy::{Header, unreadable};
pub use npy::{NpyError, npy_bytes};

use crate::ContributeError;

/// Doubles below this, which is 2^53, are all the integers there are.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

/// What to do with elements outside the declared range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clipping {
    /// Any of them is an error, and so is a vector above its norm.
    Refuse,
    /// They become the nearest value that is declared, and are counted; then vectors above their norm become shorter.
    Clip,
}

/// Something to read vectors from, anywhere in it.
pub trait Source: Read + Seek + Send {}

impl<T: Read + Seek + Send> Source for T {}

/// A file of vectors for one column.
pub struct VectorFile {
    file: Mutex<Box<dyn Source>>,
    header: Header,
}

/// The vectors of one column, checked: one for each row of the file.
pub(crate) struct Vectors {
    source: VectorFile,
    column: Column,
    units: Units,
    clipping: Clipping,
    changed: Changes,
}

/// What clipping changed.
#[derive(Clone, Copy, Default)]
struct Changes {
    /// Elements that were out of their range.
    clipped: u64,
    /// Vectors that were above their norm.
    shortened: u64,
}

/// A column's range in units, and how many make one.
#[derive(Clone, Copy)]
struct Units {
    scale: f64,
    min: i128,
    max: i128,
}

impl VectorFile {
    /// A `.npy` file: `<f4` or `<f8`, one axis (one vector) or two (a vector in each row). Only its header is read.
    ///
    /// # Errors
    /// It is no such file.
    pub fn npy(mut file: impl Source + 'static) -> Result<Self, NpyError> {
        let header = Header::read(&mut file)?;
        Ok(VectorFile { file: Mutex::new(Box::new(file)), header })
    }

    /// How many vectors.
    pub fn rows(&self) -> u64 {
        self.header.rows
    }

    /// How many elements each has.
    pub fn length(&self) -> u64 {
        self.header.length
    }

    /// Vector `row`, from 0.
    ///
    /// # Errors
    /// There is no such row, or the file cannot be read.
    pub fn read(&self, row: u64) -> Result<Vec<f64>, NpyError> {
        let Header { element, length, offset, .. } = self.header;
        // The header was held against the file's length: no product overflows.
        let bytes = length * element.bytes() as u64;
        let mut buffer = vec![0; usize::try_from(bytes).unwrap_or(usize::MAX)];
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(offset + row * bytes)).map_err(unreadable)?;
        file.read_exact(&mut buffer).map_err(unreadable)?;
        Ok(element.read(&buffer))
    }
}

impl Vectors {
    /// The vectors of a column, all of which are read once.
    pub(crate) fn check(
        source: VectorFile,
        column: &Column,
        clipping: Clipping,
    ) -> Result<Self, ContributeError> {
        let Domain::Vector { length, min, max, .. } = &column.domain else {
            return Err(ContributeError::NotVectors {
                column: column.name.clone(),
                declared: column.declaration(),
            });
        };
        let column = column.clone();
        if source.length() != u64::from(*length) {
            let (found, expected) = (source.length(), *length);
            return Err(ContributeError::VectorLength { column: column.name, found, expected });
        }
        let bound = |bound: &Integer, beyond| bound.to_i128().unwrap_or(beyond);
        let units = Units {
            scale: column.domain.scale().to_f64(),
            min: bound(min, i128::MIN),
            max: bound(max, i128::MAX),
        };
        let mut vectors = Vectors { source, column, units, clipping, changed: Changes::default() };
        for row in 0..vectors.source.rows() {
            let (_, Changes { clipped, shortened }) = vectors.encode(row)?;
            vectors.changed.clipped += clipped;
            vectors.changed.shortened += shortened;
        }
        Ok(vectors)
    }

    /// How many vectors.
    pub(crate) fn rows(&self) -> u64 {
        self.source.rows()
    }

    /// How many elements each has.
    pub(crate) fn width(&self) -> usize {
        self.column.width()
    }

    /// The column, and what clipping changed of it, if it did.
    pub(crate) fn clipped(&self) -> Option<Clipped> {
        let Changes { clipped, shortened } = self.changed;
        (clipped + shortened > 0).then(|| Clipped {
            column: self.column.name.clone(),
            count: clipped,
            elements: self.source.rows() * self.source.length(),
            shortened,
            vectors: self.source.rows(),
        })
    }

    /// The integers of vector `row`, from 0.
    pub(crate) fn read(&self, row: u64) -> Result<Vec<Integer>, ContributeError> {
        self.encode(row).map(|(elements, _)| elements)
    }

    fn encode(&self, row: u64) -> Result<(Vec<Integer>, Changes), ContributeError> {
        let (mut elements, clipped) = self.elements(row)?;
        let Some(norm) = self.column.norm() else { return Ok((elements, Changes { clipped, shortened: 0 })) };
        let is_above = match self.clipping {
            Clipping::Clip => norm.shorten(&mut elements),
            Clipping::Refuse if norm.holds(&elements) => false,
            Clipping::Refuse => {
                let (column, declared) = (self.column.name.clone(), self.column.declaration());
                return Err(ContributeError::AboveNorm { column, row: row + 1, declared });
            }
        };
        Ok((elements, Changes { clipped, shortened: is_above.into() }))
    }

    /// The integers of a vector's elements, and how many of them were clipped.
    fn elements(&self, row: u64) -> Result<(Vec<Integer>, u64), ContributeError> {
        let numbers = self
            .source
            .read(row)
            .map_err(|error| ContributeError::Vectors { column: self.column.name.clone(), error })?;
        let (mut elements, mut clipped) = (Vec::with_capacity(numbers.len()), 0);
        for (index, number) in numbers.into_iter().enumerate() {
            let refuse = |reason| ContributeError::Element {
                column: self.column.name.clone(),
                row: row + 1,
                index,
                found: number,
                reason,
            };
            if !number.is_finite() {
                return Err(refuse("is no number".to_owned()));
            }
            match (self.unit(number), self.clipping) {
                (Ok(integer), _) => elements.push(integer),
                (Err(nearest), Clipping::Clip) => {
                    clipped += 1;
                    elements.push(nearest);
                }
                (Err(_), Clipping::Refuse) => {
                    return Err(refuse(format!("is out of range: expected {}", self.column.expected())));
                }
            }
        }
        Ok((elements, clipped))
    }

    /// The integer that a finite number is, or else the nearest that is declared.
    fn unit(&self, number: f64) -> Result<Integer, Integer> {
        let Units { scale, min, max } = self.units;
        let scaled = (number * scale).round_ties_even();
        if scaled.abs() < EXACT_MAX {
            #[expect(clippy::cast_possible_truncation, reason = "an integer of at most 53 bits")]
            let integer = scaled as i128;
            return match integer.clamp(min, max) {
                inside if inside == integer => Ok(integer.into()),
                nearest => Err(nearest.into()),
            };
        }
        // Large numbers as a table's cell is read: the product may have lost digits.
        let interval = self.column.domain.interval();
        let nearest = if number < 0.0 { interval.min } else { interval.max };
        let encoded = self.column.encode(&format!("{number:e}"), Rounding::HalfEven);
        encoded.map(|encoded| encoded.value).map_err(|_| nearest)
    }
}

/// What clipping did to one column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clipped {
    /// The column.
    pub column: String,
    /// Elements that were outside its range.
    pub count: u64,
    /// Elements in all.
    pub elements: u64,
    /// Vectors that were above their norm, and became shorter.
    pub shortened: u64,
    /// Vectors in all.
    pub vectors: u64,
}

impl fmt::Debug for VectorFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VectorFile({} vectors of {})", self.rows(), self.length())
    }
}

impl fmt::Debug for Vectors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Vectors({:?}, {:?})", self.column.name, self.source)
    }
}

#[cfg(test)]
mod tests;
