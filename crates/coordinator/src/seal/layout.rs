//! Laying a sealed study out for computing: one contiguous column per input, in canonical order; of vectors row by row.

use quorate_circuit::{Bits, Column, Study};
use quorate_field::{Field, with_field};
use quorate_hash::Digest;
use quorate_sharing::Shares;
use quorate_wire::Refusal;

use super::agreement::Item;
use super::pieces;
use crate::Write;
use crate::context::Context;
use crate::study::Entry;

/// The writes that append these contributions to all columns. One column more than the study has holds each
/// contribution's id and number of rows (32 bytes, and 4 little-endian): whose rows are where.
pub(crate) fn append(
    entry: &Entry,
    generation: &Digest,
    items: &[Item],
    cx: &Context<'_>,
) -> Result<Vec<Write>, Refusal> {
    let columns = with_field!(entry.kept.study.field, F => {
        columns::<F>(&entry.kept.study, items, &pieces::blocks::<F>(entry, items, cx)?)
    });
    Ok(append_columns(entry, generation, columns, items))
}

/// The writes that append these encoded columns, one for each of the study, of these contributions.
pub(super) fn append_columns(
    entry: &Entry,
    generation: &Digest,
    mut columns: Vec<Vec<u8>>,
    items: &[Item],
) -> Vec<Write> {
    columns.push(items.iter().flat_map(|item| [&item.id.0[..], &item.rows.to_le_bytes()].concat()).collect());
    (0..).zip(columns).map(|(column, bytes)| append_column(entry, generation, column, bytes)).collect()
}

/// The write that appends to one column.
pub(super) fn append_column(entry: &Entry, generation: &Digest, column: u32, bytes: Vec<u8>) -> Write {
    Write::ColumnsAppend { study: entry.kept.study.id(), generation: *generation, column, bytes }
}

/// The column of a layout that holds the columns' bits, where they are kept.
pub(crate) fn bits_column(study: &Study) -> u32 {
    u32::try_from(study.columns.len() + 1).unwrap_or(u32::MAX)
}

/// How many columns a layout has.
pub(crate) fn width(entry: &Entry) -> u32 {
    let study = &entry.kept.study;
    bits_column(study) + u32::from(study.bits == Bits::Sealed)
}

/// The study's columns, encoded, of contributions with these shares.
pub(super) fn columns<F: Field>(study: &Study, items: &[Item], blocks: &[Shares<F>]) -> Vec<Vec<u8>> {
    let widths: Vec<usize> = study.columns.iter().map(Column::width).collect();
    let rows: usize = items.iter().map(|item| item.rows as usize).sum();
    let mut columns: Vec<Vec<u8>> = widths.iter().map(|width| vec![0; rows * width * F::BYTES]).collect();
    let mut row = 0;
    for block in blocks {
        for mut cells in block.as_slice().chunks_exact(study.cells_per_row()) {
            for (column, width) in columns.iter_mut().zip(&widths) {
                let (mine, others) = cells.split_at(*width);
                let encoded = column[row * width * F::BYTES..].chunks_exact_mut(F::BYTES);
                mine.iter().zip(encoded).for_each(|(cell, encoded)| cell.write(encoded));
                cells = others;
            }
            row += 1;
        }
    }
    columns
}
