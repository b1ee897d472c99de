//! CSV files of contributors: refused with row and column, or values of the columns' ranges.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use quorate_circuit::{Rounding, Study};
use quorate_contribute::{BadRowsPolicy, Table};

static STUDY: LazyLock<Study> = LazyLock::new(|| quorate_fuzz::studies()[0].1.clone());

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, bytes)) = bytes.split_first() else { return };
    let rounding = if choice & 1 == 0 { Rounding::Exact } else { Rounding::HalfEven };
    let policy = if choice & 2 == 0 { BadRowsPolicy::Refuse } else { BadRowsPolicy::Skip };
    match Table::read(&STUDY.columns, bytes, rounding, policy) {
        Err(error) => assert!(!error.to_string().is_empty()),
        Ok(table) => {
            assert!(table.rows() > 0);
            for row in 0..table.rows() {
                for (column, value) in STUDY.columns.iter().zip(table.row(row)) {
                    assert!(column.domain.interval().contains(value));
                }
            }
        }
    }
});
