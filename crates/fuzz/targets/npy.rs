//! NumPy files of contributors: refused with what is wrong, or vectors of the column's range.
#![no_main]

use std::io::Cursor;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use quorate_circuit::Column;
use quorate_contribute::{Clipping, ContributeError, Table, VectorFile};

static COLUMNS: LazyLock<Vec<Column>> =
    LazyLock::new(|| vec![Column::parse("g", "vector[2] of -1.00 .. 1.00").expect("a good declaration")]);

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, bytes)) = bytes.split_first() else { return };
    let clipping = if choice & 1 == 0 { Clipping::Refuse } else { Clipping::Clip };
    let file = match VectorFile::npy(Cursor::new(bytes.to_vec())) {
        Ok(file) => file,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    // The header claims no more numbers than are there.
    assert!(file.rows().saturating_mul(file.length()).saturating_mul(4) <= bytes.len() as u64);
    match Table::of_vectors(&COLUMNS, vec![("g".to_owned(), file)], clipping) {
        Err(error) => assert!(!error.to_string().is_empty()),
        Ok(table) => {
            let is_clipped = table.clipped().iter().any(|clipped| clipped.count > 0);
            assert!(clipping == Clipping::Clip || !is_clipped);
            let cells: Result<_, ContributeError> = table.block_cells(0..table.rows());
            let cells = cells.expect("what was checked can be read");
            assert_eq!(cells.len(), 2 * table.rows());
            assert!(cells.iter().all(|cell| COLUMNS[0].domain.interval().contains(cell)));
        }
    }
});
