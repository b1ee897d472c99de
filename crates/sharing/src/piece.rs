//! One helper's piece of a contribution: a seed, or plain shares; its encoding, and the checks at the door.
//!
//! A block is rows of equally many cells, here called columns: a study's column has one of them, or a vector's length.
//! Encoded, a piece is one byte of kind (0 seed, 1 data) and its body: 32 bytes of seed, or `rows * columns` field
//! elements, row by row, each little-endian and canonical (`< p`). Which helper gets which kind follows from the
//! public rotation ([`Scheme::piece_kind`]); a piece of the wrong kind is refused, because a helper that accepted
//! plain data for a seed would hold a share that the contributor chose freely where the format says it cannot.

use std::fmt;

use quorate_field::{Field, NonCanonicalAt, check_slice};
use zeroize::{Zeroize, Zeroizing};

use crate::{HelperNumber, Scheme, Seed, Shares, expand};

/// Seed or plain data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PieceKind {
    /// A 32-byte seed whose stream is the share.
    Seed,
    /// The shares themselves, encoded.
    Data,
}

/// The public part of a piece: bound by its commitment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PieceHeader {
    /// Whom the piece is for, 1 to `n`.
    pub helper: HelperNumber,
    /// The rotation, 0 to `n - 1`: which helpers got seeds.
    pub rot: u8,
    /// The number of rows in the contribution.
    pub rows: u32,
}

/// One helper's piece. Secret: wiped on drop, prints only its kind and size.
pub enum Piece {
    /// A seed whose stream is the share.
    Seed(Seed),
    /// Little-endian canonical elements, row by row.
    Data(Vec<u8>),
}

/// A borrowed piece, for instance inside an upload. Prints only its kind and size.
#[derive(Clone, Copy)]
pub enum PieceRef<'a> {
    /// The bytes of a seed.
    Seed(&'a [u8; 32]),
    /// The bytes of plain shares.
    Data(&'a [u8]),
}

/// A piece that cannot be a share of anything in this study: the contributor's doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PieceError {
    /// The helper's number is not one of the study's.
    #[error("piece for helper {helper}, but the helpers are 1 to {helpers}")]
    Helper {
        /// The number in the header.
        helper: HelperNumber,
        /// `n`.
        helpers: u8,
    },
    /// The rotation is not below the number of helpers.
    #[error("piece for helper {helper} has rotation {rot}, which must be below {helpers}")]
    Rotation {
        /// Whose piece it is.
        helper: HelperNumber,
        /// The rotation in the header.
        rot: u8,
        /// `n`.
        helpers: u8,
    },
    /// The contribution has no row.
    #[error("piece for helper {helper} has no rows: send at least one")]
    NoRows {
        /// Whose piece it is.
        helper: HelperNumber,
    },
    /// The encoding starts with an unknown kind, or holds a seed that is not 32 bytes long, or nothing.
    #[error(
        "piece for helper {helper}, {bytes} bytes long, is neither a seed (0 and 32 bytes) nor data (1 and elements)"
    )]
    Encoding {
        /// Whose piece it is.
        helper: HelperNumber,
        /// The length of the encoding.
        bytes: usize,
    },
    /// A seed where data belongs, or the other way round.
    #[error("piece for helper {helper} is {found}, but with rotation {rot} it must be {}", found.other())]
    Kind {
        /// Whose piece it is.
        helper: HelperNumber,
        /// The rotation in the header.
        rot: u8,
        /// What it is.
        found: PieceKind,
    },
    /// Not `rows * columns` elements.
    #[error(
        "piece for helper {helper} has {found} bytes of data; its rows and the study's columns make it {expected}"
    )]
    Length {
        /// Whose piece it is.
        helper: HelperNumber,
        /// The bytes that `rows * columns` elements take.
        expected: u64,
        /// The bytes that are there.
        found: u64,
    },
    /// An element that is not below the field's modulus.
    #[error(
        "piece for helper {helper}: the element at row {row}, column {column} (from 0) is not below the modulus"
    )]
    NonCanonical {
        /// Whose piece it is.
        helper: HelperNumber,
        /// The row of the first such element, from 0.
        row: usize,
        /// Its column, from 0.
        column: usize,
    },
}

/// Checks what one helper can check of a piece alone: helper, rotation and rows are in range, the kind is the one
/// that the rotation gives this helper, and data is `rows * columns` canonical elements.
///
/// It says nothing about the other helpers' pieces: that these lie on one polynomial with it, the degree check at
/// sealing shows.
pub fn check_piece<F: Field>(
    scheme: &Scheme,
    header: &PieceHeader,
    columns: usize,
    piece: PieceRef<'_>,
) -> Result<(), PieceError> {
    check_shape::<F>(scheme, header, columns, piece)?;
    if let PieceRef::Data(data) = piece {
        check_slice::<F>(data).map_err(|error| non_canonical(header, columns, error))?;
    }
    Ok(())
}

/// The shares that a piece stands for: `rows * columns` of them, row by row. Checks as [`check_piece`] does.
pub fn read_piece<F: Field>(
    scheme: &Scheme,
    header: &PieceHeader,
    columns: usize,
    piece: PieceRef<'_>,
) -> Result<Shares<F>, PieceError> {
    let cells = check_shape::<F>(scheme, header, columns, piece)?;
    match piece {
        PieceRef::Seed(seed) => Ok(expand(&Seed::from_bytes(*seed), cells)),
        PieceRef::Data(data) => {
            let mut shares = Shares::zeros(cells);
            F::read_slice(data, shares.as_mut_slice())
                .map_err(|error| non_canonical(header, columns, error))?;
            Ok(shares)
        }
    }
}

/// Everything but the elements; returns their number.
fn check_shape<F: Field>(
    scheme: &Scheme,
    &PieceHeader { helper, rot, rows }: &PieceHeader,
    columns: usize,
    piece: PieceRef<'_>,
) -> Result<usize, PieceError> {
    assert!(columns > 0, "a study has at least one column");
    let helpers = scheme.helpers();
    if !scheme.has_helper(helper) {
        return Err(PieceError::Helper { helper, helpers });
    }
    if rot >= helpers {
        return Err(PieceError::Rotation { helper, rot, helpers });
    }
    if rows == 0 {
        return Err(PieceError::NoRows { helper });
    }
    let found = piece.kind();
    if scheme.piece_kind(rot, helper) != found {
        return Err(PieceError::Kind { helper, rot, found });
    }
    let cells = u64::from(rows).saturating_mul(columns as u64);
    let expected = cells.saturating_mul(F::BYTES as u64);
    let bytes = piece.body().len() as u64;
    let too_many = PieceError::Length { helper, expected, found: bytes };
    if found == PieceKind::Data && bytes != expected {
        return Err(too_many);
    }
    usize::try_from(cells).map_err(|_| too_many)
}

fn non_canonical(
    header: &PieceHeader,
    columns: usize,
    NonCanonicalAt { index }: NonCanonicalAt,
) -> PieceError {
    PieceError::NonCanonical { helper: header.helper, row: index / columns, column: index % columns }
}

impl PieceKind {
    /// The first byte of an encoded piece: 0 seed, 1 data.
    pub fn code(self) -> u8 {
        match self {
            PieceKind::Seed => 0,
            PieceKind::Data => 1,
        }
    }

    fn other(self) -> Self {
        match self {
            PieceKind::Seed => PieceKind::Data,
            PieceKind::Data => PieceKind::Seed,
        }
    }
}

impl fmt::Display for PieceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            PieceKind::Seed => "a seed",
            PieceKind::Data => "data",
        })
    }
}

impl Piece {
    /// The piece, borrowed.
    pub fn as_piece_ref(&self) -> PieceRef<'_> {
        match self {
            Piece::Seed(seed) => PieceRef::Seed(seed.expose()),
            Piece::Data(data) => PieceRef::Data(data),
        }
    }
}

impl<'a> PieceRef<'a> {
    /// Seed or data.
    pub fn kind(self) -> PieceKind {
        match self {
            PieceRef::Seed(_) => PieceKind::Seed,
            PieceRef::Data(_) => PieceKind::Data,
        }
    }

    /// The bytes after the kind.
    pub fn body(self) -> &'a [u8] {
        match self {
            PieceRef::Seed(seed) => seed,
            PieceRef::Data(data) => data,
        }
    }

    /// The encoded piece: one byte of kind, then the body.
    pub fn encode(self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(1 + self.body().len()));
        bytes.push(self.kind().code());
        bytes.extend_from_slice(self.body());
        bytes
    }

    /// The piece that `bytes` encode; `helper` is named in the error. Nothing about its elements is checked yet.
    pub fn parse(helper: HelperNumber, bytes: &'a [u8]) -> Result<Self, PieceError> {
        let error = PieceError::Encoding { helper, bytes: bytes.len() };
        match bytes.split_first() {
            Some((0, body)) => Ok(PieceRef::Seed(body.try_into().map_err(|_| error)?)),
            Some((1, body)) => Ok(PieceRef::Data(body)),
            _ => Err(error),
        }
    }

    /// An owned copy of the secret piece.
    pub fn to_owned(self) -> Piece {
        match self {
            PieceRef::Seed(seed) => Piece::Seed(Seed::from_bytes(*seed)),
            PieceRef::Data(data) => Piece::Data(data.to_vec()),
        }
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        if let Piece::Data(data) = self {
            data.zeroize();
        }
    }
}

impl fmt::Debug for Piece {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_piece_ref().fmt(f)
    }
}

impl fmt::Debug for PieceRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Piece({}, {} bytes)", self.kind(), self.body().len())
    }
}
