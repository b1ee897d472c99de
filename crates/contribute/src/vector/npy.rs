//! NumPy's file format `.npy`, as far as vectors of floating-point numbers need it: versions 1.0 and 2.0 (NEP 1), `<f4`
//! and `<f8`, one or two axes in C order.
//!
//! ```text
//!  0  "\x93NUMPY"
//!  6  version: 1 0 or 2 0
//!  8  u16 (version 1.0) or u32 length of what follows, little-endian
//!     {'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }, then blanks and a line's end
//!     the numbers, row by row
//! ```

use std::io::{self, Read, Seek, SeekFrom};

const MAGIC: &[u8; 6] = b"\x93NUMPY";
/// Longest header that is read: those of plain arrays are a hundred bytes.
const HEADER_MAX: u32 = 4096;

/// What a file is: its numbers, and where they begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) element: Float,
    /// The first axis, 1 where there is no second.
    pub(super) rows: u64,
    /// The last axis.
    pub(super) length: u64,
    /// Bytes before the first number.
    pub(super) offset: u64,
}

/// How a number is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Float {
    /// `<f4`.
    Single,
    /// `<f8`.
    Double,
}

/// A file that is no array of vectors. The contributor is to blame, except for `Unreadable` (this machine).
#[derive(Debug, thiserror::Error)]
pub enum NpyError {
    /// The file could not be read.
    #[error("reading it failed: {source}")]
    Unreadable {
        /// The operating system's words.
        source: io::Error,
    },
    /// Something else.
    #[error("it is no .npy file: it does not begin as one")]
    Magic,
    /// A version that this is not written for.
    #[error("it is of version {major}.{minor} of the .npy format: expected 1.0 or 2.0")]
    Version {
        /// Its first number.
        major: u8,
        /// Its second.
        minor: u8,
    },
    /// A header that does not read.
    #[error("its header does not read: {reason}")]
    Header {
        /// What is wrong with it.
        reason: String,
    },
    /// Numbers of another kind.
    #[error("its numbers are of type {found:?}: expected \"<f4\" or \"<f8\"")]
    Type {
        /// As NumPy calls it.
        found: String,
    },
    /// Numbers column by column.
    #[error("its numbers are in Fortran's order, column by column: expected C's, row by row")]
    Order,
    /// No axis, or more than two.
    #[error("it has {axes} axes: expected one, a vector, or two, a vector in each row")]
    Axes {
        /// How many.
        axes: usize,
    },
    /// Fewer numbers than the header says, or more.
    #[error("it has {found} bytes: its header makes it {expected}")]
    Size {
        /// Bytes that it should have.
        expected: u64,
        /// Bytes that it has.
        found: u64,
    },
}

impl NpyError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            NpyError::Unreadable { .. } => "check that the file is there and that you may read it",
            NpyError::Type { .. } => "save it as doubles: np.save(path, g.astype('<f8'))",
            NpyError::Order => "save it row by row: np.save(path, np.ascontiguousarray(g))",
            NpyError::Size { .. } => "it was cut off, or written over: save it again",
            _ => "save an array of one or two axes with NumPy: np.save(path, g)",
        }
    }
}

impl Float {
    pub(super) fn bytes(self) -> usize {
        match self {
            Float::Single => 4,
            Float::Double => 8,
        }
    }

    /// The numbers in `bytes`, which are whole ones.
    pub(super) fn read(self, bytes: &[u8]) -> Vec<f64> {
        match self {
            Float::Single => {
                bytes.as_chunks().0.iter().map(|number| f32::from_le_bytes(*number).into()).collect()
            }
            Float::Double => bytes.as_chunks().0.iter().map(|number| f64::from_le_bytes(*number)).collect(),
        }
    }
}

/// A `.npy` file, version 1.0, of one vector of doubles.
pub fn npy_bytes(vector: &[f64]) -> Vec<u8> {
    // Magic, version, length and header are a multiple of 64 bytes long (NEP 1).
    const LEAD: usize = 10;
    let dictionary = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': ({},), }}", vector.len());
    let length = (LEAD + dictionary.len() + 1).next_multiple_of(64) - LEAD;
    // A dictionary with one number has some eighty characters.
    let header = u16::try_from(length).unwrap_or(u16::MAX);
    let mut bytes = [&MAGIC[..], &[1, 0], &header.to_le_bytes(), dictionary.as_bytes()].concat();
    bytes.resize(LEAD + length - 1, b' ');
    bytes.push(b'\n');
    bytes.extend(vector.iter().flat_map(|number| number.to_le_bytes()));
    bytes
}

impl Header {
    /// Reads the header of a file, and holds it against the file's length.
    pub(super) fn read(file: &mut (impl Read + Seek + ?Sized)) -> Result<Self, NpyError> {
        let size = file.seek(SeekFrom::End(0)).map_err(unreadable)?;
        file.seek(SeekFrom::Start(0)).map_err(unreadable)?;
        let [m, a, g, i, c, s, major, minor] = array::<8>(file)?;
        if [m, a, g, i, c, s] != *MAGIC {
            return Err(NpyError::Magic);
        }
        let (before, length) = match (major, minor) {
            (1, 0) => (10, u16::from_le_bytes(array(file)?).into()),
            (2, 0) => (12, u32::from_le_bytes(array(file)?)),
            _ => return Err(NpyError::Version { major, minor }),
        };
        if length > HEADER_MAX {
            return Err(header(format!("it has {length} bytes, at most {HEADER_MAX}")));
        }
        let mut text = vec![0; length as usize];
        file.read_exact(&mut text).map_err(cut_off)?;
        let text = std::str::from_utf8(&text).map_err(|_| header("it is not text"))?;
        let Fields { descr, fortran_order, shape } = Fields::parse(text)?;
        let element = match descr.as_str() {
            "<f4" => Float::Single,
            "<f8" => Float::Double,
            _ => return Err(NpyError::Type { found: descr }),
        };
        let (rows, length) = match shape.as_slice() {
            [length] => (1, *length),
            [rows, length] => (*rows, *length),
            other => return Err(NpyError::Axes { axes: other.len() }),
        };
        if fortran_order && rows > 1 && length > 1 {
            return Err(NpyError::Order);
        }
        let offset = before + text.len() as u64;
        let bytes = rows.checked_mul(length).and_then(|count| count.checked_mul(element.bytes() as u64));
        let expected = bytes.and_then(|bytes| bytes.checked_add(offset)).unwrap_or(u64::MAX);
        if expected != size {
            return Err(NpyError::Size { expected, found: size });
        }
        Ok(Header { element, rows, length, offset })
    }
}

/// The header's dictionary.
struct Fields {
    descr: String,
    fortran_order: bool,
    shape: Vec<u64>,
}

impl Fields {
    fn parse(text: &str) -> Result<Self, NpyError> {
        let mut rest = Rest(text);
        let (mut descr, mut fortran_order, mut shape) = (None, None, None);
        rest.expect("{")?;
        while !rest.take("}") {
            let key = rest.quoted()?;
            rest.expect(":")?;
            let is_new = match key {
                "descr" => descr.replace(rest.quoted()?.to_owned()).is_none(),
                "fortran_order" => fortran_order.replace(rest.boolean()?).is_none(),
                "shape" => shape.replace(rest.tuple()?).is_none(),
                other => return Err(header(format!("it has a key {other:?}"))),
            };
            if !is_new {
                return Err(header(format!("it has {key:?} twice")));
            }
            if !rest.take(",") {
                rest.expect("}")?;
                break;
            }
        }
        if !rest.0.trim().is_empty() {
            return Err(header("there is something behind the dictionary"));
        }
        match (descr, fortran_order, shape) {
            (Some(descr), Some(fortran_order), Some(shape)) => Ok(Fields { descr, fortran_order, shape }),
            _ => Err(header("it lacks 'descr', 'fortran_order' or 'shape'")),
        }
    }
}

/// What of the header is not read yet.
struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    fn take(&mut self, word: &str) -> bool {
        match self.0.trim_start().strip_prefix(word) {
            Some(rest) => {
                self.0 = rest;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, word: &str) -> Result<(), NpyError> {
        if self.take(word) { Ok(()) } else { Err(header(format!("expected {word:?}"))) }
    }

    fn quoted(&mut self) -> Result<&'a str, NpyError> {
        let quote = if self.take("'") {
            '\''
        } else if self.take("\"") {
            '"'
        } else {
            return Err(header("expected a text in quotes"));
        };
        let (text, rest) = self.0.split_once(quote).ok_or_else(|| header("a text without its last quote"))?;
        self.0 = rest;
        Ok(text)
    }

    fn boolean(&mut self) -> Result<bool, NpyError> {
        let is_true = self.take("True");
        if is_true || self.take("False") { Ok(is_true) } else { Err(header("expected True or False")) }
    }

    fn tuple(&mut self) -> Result<Vec<u64>, NpyError> {
        self.expect("(")?;
        let mut numbers = Vec::new();
        while !self.take(")") {
            let rest = self.0.trim_start();
            let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            let (digits, rest) = rest.split_at(end);
            numbers.push(digits.parse().map_err(|_| header("expected a whole number"))?);
            self.0 = rest;
            if !self.take(",") {
                self.expect(")")?;
                break;
            }
        }
        Ok(numbers)
    }
}

fn array<const BYTES: usize>(file: &mut (impl Read + ?Sized)) -> Result<[u8; BYTES], NpyError> {
    let mut bytes = [0; BYTES];
    file.read_exact(&mut bytes).map_err(cut_off)?;
    Ok(bytes)
}

fn header(reason: impl Into<String>) -> NpyError {
    NpyError::Header { reason: reason.into() }
}

pub(super) fn unreadable(source: io::Error) -> NpyError {
    NpyError::Unreadable { source }
}

/// A file that ends in its header is none.
fn cut_off(source: io::Error) -> NpyError {
    match source.kind() {
        io::ErrorKind::UnexpectedEof => NpyError::Magic,
        _ => unreadable(source),
    }
}

#[cfg(test)]
mod tests;
