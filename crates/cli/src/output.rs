//! Printing: results to standard output, everything else to standard error. Colours are left out where nobody sees them
//! (a pipe, `NO_COLOR`).

use std::fmt::Display;
use std::io::{self, Write};

use anstream::{AutoStream, ColorChoice, stderr, stdout};
use comfy_table::{CellAlignment, Table, presets};
use indicatif::{ProgressBar, ProgressStyle};
use quorate_contribute::{Clipped, Rounded};
use serde::Serialize;

use crate::failure::Failure;

/// Prints a line of the result.
pub(crate) fn line(text: impl Display) -> Result<(), Failure> {
    writeln!(stdout(), "{text}").map_err(Failure::Output)
}

/// Prints an object as JSON, for programs.
pub(crate) fn json(value: &impl Serialize) -> Result<(), Failure> {
    let text =
        serde_json::to_string_pretty(value).map_err(|error| Failure::Output(io::Error::other(error)))?;
    line(text)
}

/// Tells the person at the terminal something that is not part of the result.
pub(crate) fn note(text: impl Display) {
    // Nobody to tell: nothing to do about it.
    drop(writeln!(stderr(), "{text}"));
}

/// A heading, emphasised where colours are shown.
pub(crate) fn heading(text: impl Display) -> Result<(), Failure> {
    let style = anstyle::Style::new().bold();
    line(format_args!("{style}{text}{style:#}"))
}

/// Whether standard error shows colours.
pub(crate) fn colors_on_stderr() -> bool {
    AutoStream::choice(&io::stderr()) != ColorChoice::Never
}

/// Rows in aligned columns, the first row as the heading where `has_heading`; columns in `right` are aligned right.
pub(crate) fn aligned(rows: Vec<Vec<String>>, has_heading: bool, right: &[usize]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    let mut rows = rows.into_iter();
    if has_heading && let Some(heading) = rows.next() {
        table.set_header(heading);
    }
    table.add_rows(rows);
    for index in right {
        if let Some(column) = table.column_mut(*index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    // Every cell is padded on both sides: the first one's padding is of no use.
    table
        .lines()
        .map(|line| line.strip_prefix(' ').unwrap_or(&line).trim_end().to_owned())
        .collect::<Vec<_>>()
        .join("\n")
}

/// Says once per column what rounding did.
pub(crate) fn note_rounding(rounded: &[Rounded]) {
    for Rounded { column, count, largest } in rounded {
        note(format_args!(
            "note: column {column:?}: {count} values had more decimals than declared and were rounded, half to even; \
             the largest change is {largest} (--exact makes this an error)"
        ));
    }
}

/// Says once per column what clipping did.
pub(crate) fn note_clipping(clipped: &[Clipped]) {
    for Clipped { column, count, elements, shortened, vectors } in clipped {
        if *count > 0 {
            note(format_args!(
                "note: column {column:?}: {count} of {elements} elements were out of range and clipped to it"
            ));
        }
        if *shortened > 0 {
            note(format_args!(
                "note: column {column:?}: {shortened} of {vectors} vectors were above their norm and made as short as it"
            ));
        }
    }
}

/// A bar for contributions on their way, with their rate. Not shown where standard error is no terminal.
pub(crate) fn contributions_bar(total: u64) -> ProgressBar {
    let template = "{bar:32} {pos}/{len} contributions, {per_sec}, {eta} left";
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(total).with_style(style)
}

/// A bar for steps that take long, with what is being done. Not shown where standard error is no terminal.
pub(crate) fn steps_bar(total: u64) -> ProgressBar {
    let template = "{bar:32} {pos}/{len} {msg}";
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(total).with_style(style)
}

/// Bytes for people.
pub(crate) fn bytes(count: u64) -> String {
    indicatif::DecimalBytes(count).to_string()
}

/// Seconds for people.
pub(crate) fn seconds(seconds: f64) -> String {
    match seconds {
        ..0.001 => format!("{:.0} µs", seconds * 1e6),
        ..1.0 => format!("{:.1} ms", seconds * 1e3),
        _ => format!("{seconds:.2} s"),
    }
}
