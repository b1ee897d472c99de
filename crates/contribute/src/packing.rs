//! Packing: blocks of rows become field elements, shares, and uploads of a bounded size for every helper.
//!
//! Section 2 of `docs/protocols.md` by [`quorate_sharing::split`]. A block's `position` is part of everything derived
//! from the contributor's secret; it is the block's place in the contributor's file, so that the same file and secret
//! give the same bytes whatever was uploaded before.

use std::fmt;
use std::ops::Range;

use quorate_circuit::{SharingKind, Study};
use quorate_field::{Field, FieldId, Integer, with_field};
use quorate_hash::Digest;
use quorate_sharing::{ContributorSecret, Dealing, Piece, Scheme, SchemeKind, split};
use quorate_wire::{Blob, Contribution, PieceBytes, Upload, encode, limits};
use zeroize::Zeroize;

use crate::{ContributeError, Table};

/// Bytes of a contribution besides piece and commitments: rotation, rows, salt, lengths and the kind of piece.
const OVERHEAD_BYTES: usize = 1 + 4 + 32 + 8 + 4 + 8;
/// Bytes of an upload besides its contributions: the study and the number of contributions.
const ENVELOPE_BYTES: usize = 32 + 8;

/// What makes contributions for one study.
pub struct Packer {
    study: Digest,
    scheme: Scheme,
    field: FieldId,
    /// The stored columns, and how many cells of a row each has.
    columns: Vec<(String, usize)>,
    cells_per_row: usize,
    rows_max: u32,
    capacity: u64,
    secret: ContributorSecret,
}

/// How the rows of a table become contributions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grouping {
    /// Each row is one contributor's.
    EachRow,
    /// The whole table is one contributor's block.
    OneBlock,
    /// A column says whose each row is ([`Table::read_by`]).
    ByColumn,
}

/// One contribution, split.
#[derive(Debug)]
pub struct Packed {
    /// Its id, a commitment to all pieces.
    pub id: Digest,
    /// What each helper gets, helper 1 first.
    pub contributions: Vec<Contribution>,
}

/// Contributions that are uploaded together.
pub struct Batch {
    /// Their ids, in the order of the upload.
    pub ids: Vec<Digest>,
    /// Their rows, all together.
    pub rows: u64,
    /// The encoded [`Upload`] for each helper, helper 1 first. Secret: every other helper's is not for it.
    pub uploads: Vec<Vec<u8>>,
}

impl Packer {
    /// A packer for `study`. `secret` is the contributor's: 32 random bytes, the same for every try of one upload.
    ///
    /// # Errors
    /// The study's sharing scheme cannot be; [`Study::parse`] lets no such study pass.
    pub fn new(study: &Study, secret: ContributorSecret) -> Result<Self, ContributeError> {
        Ok(Packer {
            study: study.id(),
            scheme: scheme_of(study)?,
            field: study.field,
            columns: study.columns.iter().map(|column| (column.name.clone(), column.width())).collect(),
            cells_per_row: study.cells_per_row(),
            rows_max: study.rows_max,
            capacity: study.capacity,
            secret,
        })
    }

    /// Splits one block: `cells` are `rows` rows of the study's columns, row by row; of a vector, all elements.
    ///
    /// # Errors
    /// The block has no rows, too many, or a value that is not in the study's field.
    ///
    /// # Panics
    /// Unless `cells` are `rows` whole rows.
    pub fn pack(&self, position: u64, rows: u32, cells: &[Integer]) -> Result<Packed, ContributeError> {
        assert_eq!(cells.len(), rows as usize * self.cells_per_row, "a block is whole rows");
        if rows == 0 {
            return Err(ContributeError::NoRows { skipped: 0 });
        }
        if rows > self.rows_max {
            return Err(ContributeError::TooManyRows { rows: rows.into(), rows_max: self.rows_max });
        }
        let dealing = with_field!(self.field, F => self.deal::<F>(position, rows, cells))?;
        Ok(pack_dealing(dealing))
    }

    /// One block as an upload of its own, as somebody sends it who has no other. As [`pack`](Self::pack) otherwise.
    ///
    /// # Errors
    /// As [`pack`](Self::pack).
    ///
    /// # Panics
    /// As [`pack`](Self::pack).
    pub fn pack_alone(&self, position: u64, rows: u32, cells: &[Integer]) -> Result<Batch, ContributeError> {
        let Packed { id, contributions } = self.pack(position, rows, cells)?;
        let upload = |contribution| encode(&Upload { study: self.study, contributions: vec![contribution] });
        Ok(Batch {
            ids: vec![id],
            rows: rows.into(),
            uploads: contributions.into_iter().map(upload).collect(),
        })
    }

    fn deal<F: Field>(
        &self,
        position: u64,
        rows: u32,
        cells: &[Integer],
    ) -> Result<Dealing, ContributeError> {
        let mut block: Vec<F> = Vec::with_capacity(cells.len());
        for (index, cell) in cells.iter().enumerate() {
            let element = F::from_integer(cell);
            block.push(element.ok_or_else(|| ContributeError::DoesNotFit {
                row: index / self.cells_per_row + 1,
                column: self.column_of(index % self.cells_per_row),
            })?);
        }
        let dealing = split(&self.scheme, &self.study, &self.secret, position, rows, &block);
        block.zeroize();
        Ok(dealing)
    }

    /// The column of a row's cell.
    fn column_of(&self, cell: usize) -> String {
        let mut end = 0;
        let is_it = |(_, width): &&(String, usize)| {
            end += width;
            cell < end
        };
        self.columns.iter().find(is_it).map(|(name, _)| name.clone()).unwrap_or_default()
    }

    /// All contributions of `table` as uploads of about [`limits::UPLOAD_TARGET`] bytes per helper.
    ///
    /// # Errors
    /// The table has more contributions or rows than the study or one upload takes; nothing was split.
    pub fn batches<'a>(
        &'a self,
        table: &'a Table,
        grouping: Grouping,
    ) -> Result<Batches<'a>, ContributeError> {
        let (blocks, rows) = (table.contributions(grouping), table.largest_block(grouping));
        let too_many = ContributeError::TooManyRows { rows: rows as u64, rows_max: self.rows_max };
        let rows = u32::try_from(rows).ok().filter(|rows| *rows <= self.rows_max).ok_or(too_many)?;
        if blocks as u64 > self.capacity {
            let (contributions, capacity) = (blocks as u64, self.capacity);
            return Err(ContributeError::TooManyContributions { contributions, capacity });
        }
        let bytes = self.contribution_bytes(rows);
        if bytes + ENVELOPE_BYTES > limits::UPLOAD_MAX {
            return Err(ContributeError::BlockTooLarge { rows, bytes, limit: limits::UPLOAD_MAX });
        }
        Ok(Batches { packer: self, table, grouping, next: 0 })
    }

    /// The most bytes that a contribution of `rows` rows takes in one helper's upload.
    pub fn contribution_bytes(&self, rows: u32) -> usize {
        let data = rows as usize * self.cells_per_row * self.field.bytes();
        OVERHEAD_BYTES + 32 * usize::from(self.scheme.helpers()) + data.max(32)
    }

    /// The study's helpers.
    pub fn helpers(&self) -> u8 {
        self.scheme.helpers()
    }
}

/// The sharing scheme of a study.
///
/// # Errors
/// The study's numbers fit no scheme; [`Study::parse`] lets no such study pass.
pub fn scheme_of(study: &Study) -> Result<Scheme, ContributeError> {
    let kind = match study.sharing.kind {
        SharingKind::Shamir => SchemeKind::Shamir,
        SharingKind::Additive => SchemeKind::Additive,
    };
    Scheme::new(kind, study.sharing.helpers, study.sharing.threshold)
        .map_err(|reason| ContributeError::Study { study: study.id(), reason })
}

fn pack_dealing(dealing: Dealing) -> Packed {
    let Dealing { id, rot, rows, commitments, pieces } = dealing;
    let commitments: Vec<u8> = commitments.iter().flat_map(|commitment| commitment.0).collect();
    let contributions = pieces.into_iter().map(|mut dealt| {
        let piece = match &mut dealt.piece {
            Piece::Seed(seed) => PieceBytes::Seed(*seed.expose()),
            Piece::Data(data) => PieceBytes::Data(Blob::new(std::mem::take(data))),
        };
        Contribution { rot, rows, salt: dealt.salt, commitments: commitments.clone(), piece }
    });
    Packed { id, contributions: contributions.collect() }
}

/// The uploads of a table, one batch at a time.
#[derive(Debug)]
pub struct Batches<'a> {
    packer: &'a Packer,
    table: &'a Table,
    grouping: Grouping,
    next: usize,
}

impl Batches<'_> {
    /// Contributions in all batches together.
    pub fn contributions(&self) -> u64 {
        self.table.contributions(self.grouping) as u64
    }

    fn block(&self, index: usize) -> Option<Range<usize>> {
        self.table.block(self.grouping, index)
    }

    /// The blocks of the next upload: one, and as many more as it takes.
    fn next_blocks(&self) -> Vec<Range<usize>> {
        let (mut blocks, mut bytes) = (Vec::new(), 0);
        while let Some(block) = self.block(self.next + blocks.len()) {
            bytes += self.packer.contribution_bytes(rows_of(&block));
            let is_full = bytes > limits::UPLOAD_TARGET || blocks.len() == limits::UPLOAD_CONTRIBUTIONS_MAX;
            if is_full && !blocks.is_empty() {
                break;
            }
            blocks.push(block);
        }
        blocks
    }

    fn pack(&self, blocks: &[Range<usize>]) -> Result<Batch, ContributeError> {
        let helpers = usize::from(self.packer.helpers());
        let mut ids = Vec::with_capacity(blocks.len());
        let mut by_helper: Vec<Vec<Contribution>> =
            (0..helpers).map(|_| Vec::with_capacity(blocks.len())).collect();
        let rows = blocks.iter().map(|block| block.len() as u64).sum();
        for block in blocks {
            // The place in the file, not among the rows kept: correcting one bad row changes no other contribution.
            let position = self.table.number(block.start) - 1;
            let cells = self.table.block_cells(block.clone())?;
            let packed = self.packer.pack(position, rows_of(block), &cells)?;
            ids.push(packed.id);
            for (contributions, contribution) in by_helper.iter_mut().zip(packed.contributions) {
                contributions.push(contribution);
            }
        }
        let upload = |contributions| encode(&Upload { study: self.packer.study, contributions });
        Ok(Batch { ids, rows, uploads: by_helper.into_iter().map(upload).collect() })
    }
}

impl Iterator for Batches<'_> {
    type Item = Result<Batch, ContributeError>;

    fn next(&mut self) -> Option<Self::Item> {
        let blocks = self.next_blocks();
        if blocks.is_empty() {
            return None;
        }
        self.next += blocks.len();
        Some(self.pack(&blocks))
    }
}

/// Rows of a block, which fit: the largest was checked before any was packed.
fn rows_of(block: &Range<usize>) -> u32 {
    u32::try_from(block.len()).unwrap_or(u32::MAX)
}

impl fmt::Debug for Packer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Packer(study {}, {}, {})", self.study.short(), self.scheme, self.field)
    }
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes: usize = self.uploads.iter().map(Vec::len).sum();
        write!(f, "Batch({} contributions, {bytes} bytes for {} helpers)", self.ids.len(), self.uploads.len())
    }
}

#[cfg(test)]
mod tests;
