//! Reading sealed-to-be contributions: from stored bytes to shares.

use quorate_field::Field;
use quorate_sharing::{Shares, read_piece};
use quorate_wire::{Code, ContributionRef, Refusal, limits};

use super::agreement::Item;
use crate::context::Context;
use crate::study::Entry;
use crate::upload::{header_of, piece_of};

/// Cells that one step of a seal works on, or one contribution's if it has more: bounds memory and how long other requests wait.
const CELLS_PER_STEP: u64 = 1 << 18;

/// Contributions read at a time to learn their numbers of rows.
const READ_AHEAD: usize = 64;

/// Most contributions of one step.
const ITEMS_PER_STEP: usize = 8_192;

/// How many of `items` the next step works on; the same at all members, who send one message per step.
pub(crate) fn step_length(entry: &Entry, items: &[Item]) -> usize {
    let cells_per_row = entry.kept.study.cells_per_row() as u64;
    let mut cells = 0;
    let fits = |item: &&Item| {
        cells += u64::from(item.rows) * cells_per_row;
        cells <= CELLS_PER_STEP
    };
    items.iter().take(ITEMS_PER_STEP).take_while(fits).count().max(1).min(items.len())
}

/// Everything this helper holds of the study, ascending.
pub(crate) fn items(entry: &Entry, cx: &Context<'_>) -> Result<Vec<Item>, Refusal> {
    let study = entry.kept.study.id();
    let ids = cx.records.ids(&study);
    if entry.kept.study.rows_max == 1 {
        return Ok(ids.into_iter().map(|id| Item { id, rows: 1 }).collect());
    }
    let mut items = Vec::with_capacity(ids.len());
    for ids in ids.chunks(READ_AHEAD) {
        let records = cx.records.contributions(&study, ids).map_err(unreadable)?;
        for (id, bytes) in ids.iter().zip(records) {
            items.push(Item { id: *id, rows: decode(&bytes)?.rows });
        }
    }
    Ok(items)
}

/// This helper's shares of each contribution, row by row.
pub(crate) fn blocks<F: Field>(
    entry: &Entry,
    items: &[Item],
    cx: &Context<'_>,
) -> Result<Vec<Shares<F>>, Refusal> {
    let study = &entry.kept.study;
    let ids: Vec<_> = items.iter().map(|item| item.id).collect();
    let records = cx.records.contributions(&study.id(), &ids).map_err(unreadable)?;
    let block = |bytes: Vec<u8>| {
        let contribution = decode(&bytes)?;
        let header = header_of(cx.number, &contribution);
        read_piece::<F>(&entry.scheme, &header, study.cells_per_row(), piece_of(&contribution))
            .map_err(|error| unreadable(error.to_string()))
    };
    records.into_iter().map(block).collect()
}

fn decode(bytes: &[u8]) -> Result<ContributionRef<'_>, Refusal> {
    quorate_wire::decode(bytes, limits::MESSAGE_MAX).map_err(unreadable)
}

/// Stored bytes that do not read although they were checked before they were stored: this machine's damage.
pub(crate) fn unreadable(reason: impl std::fmt::Display) -> Refusal {
    Refusal::new(Code::Busy, format!("this helper cannot read its own records: {reason}"))
        .hint("its operator should check the disk and restore the data directory")
}
