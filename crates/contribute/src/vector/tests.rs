use std::io::Cursor;

use super::*;
use crate::{BadRowsPolicy, Grouping, Table};

/// A file of vectors of doubles.
fn file(rows: &[&[f64]]) -> VectorFile {
    let shape = format!("({}, {})", rows.len(), rows[0].len());
    let text = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}\n");
    let length = u16::try_from(text.len()).unwrap().to_le_bytes();
    let numbers = rows.iter().flat_map(|row| row.iter()).flat_map(|number| number.to_le_bytes());
    let mut bytes = [b"\x93NUMPY\x01\x00", &length[..], text.as_bytes()].concat();
    bytes.extend(numbers);
    VectorFile::npy(Cursor::new(bytes)).unwrap()
}

fn columns() -> Vec<Column> {
    let column = |name: &str, domain| Column::parse(name, domain).unwrap();
    vec![
        column("g", "vector[3] of -1.00 .. 1.00"),
        column("age", "optional 0 .. 99"),
        column("h", "vector[1] of 0 .. 9"),
    ]
}

/// A table of two ages, with vectors from files.
fn table(g: VectorFile, clipping: Clipping) -> Result<Table, ContributeError> {
    let age = &columns()[1..2];
    let text = &b"age,id\n7,x\n,y\n"[..];
    let table = Table::read_by(age, Some("id"), text, Rounding::Exact, BadRowsPolicy::Refuse)?;
    let files = vec![("h".to_owned(), file(&[&[4.0], &[5.0]])), ("g".to_owned(), g)];
    table.with_vectors(&columns(), files, clipping)
}

fn cells(table: &Table, rows: std::ops::Range<usize>) -> Vec<i128> {
    table.block_cells(rows).unwrap().iter().map(|cell| cell.to_i128().unwrap()).collect()
}

#[test]
fn vectors_stand_where_the_study_has_them() {
    let table = table(file(&[&[0.1, -1.0, 0.254], &[0.255, 0.245, 1.0]]), Clipping::Refuse).unwrap();
    assert_eq!(cells(&table, 0..1), [10, -100, 25, 7, 1, 4], "a number, its presence, and the other vector");
    assert_eq!(cells(&table, 0..2)[6..], [26, 24, 100, 0, 0, 5], "to the nearest, halves to even");
    assert_eq!((table.rows(), table.contributions(Grouping::ByColumn)), (2, 2));
    assert!(table.clipped().is_empty() && table.rounded().is_empty());
    assert_eq!(table.plain_bytes(), 8 * 2 * 6);
}

#[test]
fn rows_that_were_moved_keep_their_vectors() {
    let age = &columns()[1..2];
    let text = &b"age,id\n1,x\n2,y\nbad,z\n4,x\n"[..];
    let table = Table::read_by(age, Some("id"), text, Rounding::Exact, BadRowsPolicy::Skip).unwrap();
    let files = |rows: &[&[f64]]| vec![("h".to_owned(), file(rows))];
    let table = table
        .with_vectors(&columns()[1..], files(&[&[1.0], &[2.0], &[3.0], &[4.0]]), Clipping::Refuse)
        .unwrap();
    assert_eq!(cells(&table, 0..3), [1, 1, 1, 4, 1, 4, 2, 1, 2]);
}

#[test]
fn a_study_of_vectors_alone_needs_no_table() {
    let g = &columns()[..1];
    let files = |rows: &[&[f64]]| vec![("g".to_owned(), file(rows))];
    let table = Table::of_vectors(g, files(&[&[0.0, 0.01, 0.02]]), Clipping::Refuse).unwrap();
    assert_eq!((cells(&table, 0..1), table.rows()), (vec![0, 1, 2], 1));
    assert!(matches!(Table::of_vectors(g, vec![], Clipping::Refuse), Err(ContributeError::NoRows { .. })));
}

#[test]
fn elements_out_of_range_are_named_or_clipped() {
    let wild = || file(&[&[0.0, 0.0, 1.006], &[-7.0, 0.5, f64::MAX]]);
    let error = table(wild(), Clipping::Refuse).unwrap_err().to_string();
    assert_eq!(error, "column \"g\", row 1, element 2: 1.006 is out of range: expected -1.00 .. 1.00");
    let clipped = table(wild(), Clipping::Clip).unwrap();
    assert_eq!(cells(&clipped, 0..2), [0, 0, 100, 7, 1, 4, -100, 50, 100, 0, 0, 5]);
    assert_eq!(
        clipped.clipped(),
        [Clipped { column: "g".into(), count: 3, elements: 6, shortened: 0, vectors: 2 }]
    );
    table(file(&[&[1.004, 0.0, 0.0], &[0.0; 3]]), Clipping::Refuse).expect("1.00 after rounding");
    for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let error = table(file(&[&[0.0; 3], &[0.0, number, 0.0]]), Clipping::Clip).unwrap_err();
        assert!(error.to_string().contains("row 2, element 1") && error.to_string().contains("is no number"));
    }
}

#[test]
fn vectors_above_their_norm_are_named_or_shortened() {
    let columns = [Column::parse("g", "vector[3] of -1.00 .. 1.00 norm 1.5").unwrap()];
    let table =
        |rows: &[&[f64]], clipping| Table::of_vectors(&columns, vec![("g".to_owned(), file(rows))], clipping);
    let fits: &[&[f64]] = &[&[1.0, -1.0, 0.5], &[1.0, 1.0, 0.5]];
    let exact = table(fits, Clipping::Refuse).unwrap();
    assert_eq!(cells(&exact, 0..2), [100, -100, 50, 100, 100, 50], "the norm is 1.5");
    assert!(table(fits, Clipping::Clip).unwrap().clipped().is_empty(), "nothing that fits is changed");

    let long: &[&[f64]] = &[&[0.0; 3], &[1.0, 1.0, 0.51], &[-9.0, 1.0, 1.0]];
    let error = table(long, Clipping::Refuse).unwrap_err();
    assert_eq!(
        error.to_string(),
        "column \"g\", row 2: the vector is above its norm: expected vector[3] of -1.00 .. 1.00 norm 1.50"
    );
    assert!(error.hint().unwrap().contains("nothing was sent"));
    let shortened = table(long, Clipping::Clip).unwrap();
    // 100 * 150 / 151 and 51 * 150 / 151; then 100 * 150 / 174: towards zero, so that no norm is above 150.
    assert_eq!(cells(&shortened, 0..3), [0, 0, 0, 99, 99, 50, -86, 86, 86]);
    let clipped = Clipped { column: "g".into(), count: 1, elements: 9, shortened: 2, vectors: 3 };
    assert_eq!(shortened.clipped(), [clipped]);

    let read = |text: &str| Table::read(&columns, text.as_bytes(), Rounding::Exact, BadRowsPolicy::Refuse);
    let bad = read("g.0,g.1,g.2\n1,1,0.5\n1,1,0.51\n").unwrap_err().to_string();
    assert!(bad.contains("row 2 (line 3), column \"g\": the vector is above its norm"), "{bad}");
}

#[test]
fn files_that_are_not_of_these_columns() {
    let message = |columns: &[Column], files: Vec<(&str, VectorFile)>| {
        let files = files.into_iter().map(|(name, file)| (name.to_owned(), file)).collect();
        Table::of_vectors(columns, files, Clipping::Refuse).unwrap_err().to_string()
    };
    let (g, h) = (&columns()[..1], &columns()[2..]);
    assert_eq!(
        message(g, vec![("g", file(&[&[0.0; 2]]))]),
        "column \"g\": the file's vectors have 2 elements, and the study's 3"
    );
    let unknown = message(g, vec![("g", file(&[&[0.0; 3]])), ("gg", file(&[&[0.0]]))]);
    assert_eq!(unknown, "column \"gg\" has no vectors: those that have are [g]");
    let number = message(&columns()[1..2], vec![("age", file(&[&[0.0]]))]);
    assert_eq!(number, "column \"age\" has no vectors: optional 0 .. 99");
    let both = [g, h].concat();
    let rows = message(&both, vec![("g", file(&[&[0.0; 3]])), ("h", file(&[&[0.0], &[1.0]]))]);
    assert_eq!(rows, "column \"h\": the file has 2 vectors, and there are 1 rows");
}

#[test]
fn large_numbers_lose_nothing() {
    let columns = [Column::parse("g", "vector[2] of 0.00 .. 1_000_000_000_000_000_000_000.00").unwrap()];
    let numbers = [123_456_789_012_345_678_848.0, 1e21];
    let table =
        Table::of_vectors(&columns, vec![("g".to_owned(), file(&[&numbers]))], Clipping::Refuse).unwrap();
    assert_eq!(cells(&table, 0..1), [12_345_678_901_234_568_000_000, 100_000_000_000_000_000_000_000]);
}

#[test]
fn a_table_has_a_column_for_each_element() {
    let columns = &columns()[..2];
    let read = |text: &str| Table::read(columns, text.as_bytes(), Rounding::Exact, BadRowsPolicy::Refuse);
    let table = read("g.2,g.0,age,g.1\n0.5,0.25,3,-1\n0,0,,1\n").unwrap();
    assert_eq!(cells(&table, 0..2), [25, -100, 50, 3, 1, 0, 100, 0, 0, 0]);
    let missing = read("g.0,g.1,age\n0,0,1\n").unwrap_err().to_string();
    assert!(missing.contains("no column \"g.2\""), "{missing}");
    let bad = read("g.0,g.1,g.2,age\n0,9,0,1\n").unwrap_err().to_string();
    assert!(bad.contains("column \"g.1\": 9 is out of range: expected -1.00 .. 1.00"), "{bad}");
}

#[test]
fn single_precision_is_read_as_it_is() {
    let text = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }\n";
    let length = u16::try_from(text.len()).unwrap().to_le_bytes();
    let mut bytes = [b"\x93NUMPY\x01\x00", &length[..], text.as_bytes()].concat();
    bytes.extend([0.1_f32, -0.3].iter().flat_map(|number| number.to_le_bytes()));
    let columns = [Column::parse("g", "vector[2] of -1.0000 .. 1.0000").unwrap()];
    let file = VectorFile::npy(Cursor::new(bytes)).unwrap();
    let table = Table::of_vectors(&columns, vec![("g".to_owned(), file)], Clipping::Refuse).unwrap();
    assert_eq!(cells(&table, 0..1), [1000, -3000]);
}

#[test]
fn what_is_written_reads_back() {
    for length in [1, 7, 100_000] {
        let vector: Vec<f64> = (0..length).map(|i| f64::from(i) / 3.0 - 1.0).collect();
        let bytes = crate::npy_bytes(&vector);
        assert_eq!((bytes.len() - 8 * vector.len()) % 64, 0);
        let file = VectorFile::npy(Cursor::new(bytes)).unwrap();
        assert_eq!((file.rows(), file.length()), (1, vector.len() as u64));
        assert_eq!(file.read(0).unwrap(), vector);
    }
}
