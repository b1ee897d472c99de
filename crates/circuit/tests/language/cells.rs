//! Cells of a table to integers of a column.

use proptest::prelude::*;
use quorate_circuit::{CellError, Rounding};
use quorate_field::Integer;

use super::support::column;

#[test]
fn numbers() {
    let column = column("x", "-10.00 .. 200.00");
    for (cell, value) in [
        ("0", 0),
        ("12.34", 1234),
        (" +7.5 ", 750),
        ("-0.01", -1),
        ("1e2", 10_000),
        ("1.5E+01", 1500),
        ("2500e-2", 2500),
        (".5", 50),
        ("5.", 500),
        ("200.0000", 20_000),
        ("-10", -1000),
        ("0e9", 0),
    ] {
        let encoded = column.encode(cell, Rounding::Exact).unwrap();
        assert_eq!((encoded.value, encoded.rounded_by), (Integer::from(value), None), "{cell:?}");
    }
}

#[test]
fn more_decimals_are_rounded_half_to_even_and_the_change_is_reported() {
    let column = column("x", "-10.00 .. 200.00");
    for (cell, value, change) in [
        ("0.005", 0, "0.005"),
        ("0.015", 2, "0.005"),
        ("-0.005", 0, "0.005"),
        ("-0.015", -2, "0.005"),
        ("0.0149999", 1, "0.0049999"),
        ("20.67307663", 2067, "0.00307663"),
        ("200.004", 20_000, "0.004"),
        ("1e-4", 0, "0.0001"),
    ] {
        let encoded = column.encode(cell, Rounding::HalfEven).unwrap();
        assert_eq!(encoded.value, Integer::from(value), "{cell}");
        assert_eq!(encoded.rounded_by.unwrap().to_string(), change, "{cell}");
        let error = column.encode(cell, Rounding::Exact).unwrap_err();
        assert!(error.to_string().contains("more than 2 decimals"), "{error}");
    }
}

#[test]
fn what_is_no_value() {
    let column = column("x", "0.00 .. 200.00");
    for (cell, words) in [
        ("", "empty: expected 0.00 .. 200.00"),
        ("  ", "empty"),
        ("abc", "\"abc\" is not a number"),
        ("1,5", "not a number"),
        ("1_000", "not a number"),
        ("--1", "not a number"),
        ("1e", "not a number"),
        ("1e99999", "not a number"),
        ("nan", "not a number"),
        ("inf", "not a number"),
        ("٣", "not a number"),
        (".", "not a number"),
        ("200.01", "200.01 is out of range: expected 0.00 .. 200.00"),
        ("-0.01", "out of range"),
        ("1e200", "out of range"),
        ("200.006", "out of range"),
    ] {
        let error = column.encode(cell, Rounding::HalfEven).expect_err(cell);
        assert!(error.to_string().contains(words), "{words:?} expected in {error}");
    }
    let long = "9".repeat(10_000);
    let error = column.encode(&long, Rounding::HalfEven).unwrap_err();
    assert!(error.to_string().len() < 200, "{error}");
}

#[test]
fn labels() {
    let column = column("g", "female | male | \"not said\"");
    assert_eq!(column.encode(" not said ", Rounding::Exact).unwrap().value, Integer::from(2));
    let error = column.encode("Male", Rounding::Exact).unwrap_err();
    assert!(matches!(&error, CellError::UnknownLabel { found, .. } if found == "Male"));
    assert!(error.to_string().contains("female | male | \"not said\""));
}

#[test]
fn yes_and_no_are_read_in_many_ways() {
    let column = column("s", "No | YES");
    for (cell, value) in [("yes", 1), ("NO", 0), ("1", 1), ("0", 0), ("True", 1), ("false", 0), (" Yes ", 1)]
    {
        assert_eq!(column.encode(cell, Rounding::Exact).unwrap().value, Integer::from(value), "{cell}");
    }
    for cell in ["y", "2", "maybe", "NA"] {
        assert!(
            matches!(column.encode(cell, Rounding::Exact), Err(CellError::UnknownLabel { .. })),
            "{cell}"
        );
    }
}

#[test]
fn dates() {
    let column = column("d", "2024-02-28 .. 2024-03-02");
    assert_eq!(column.encode(" 2024-02-29 ", Rounding::Exact).unwrap().value, Integer::from(19_782));
    for (cell, words) in [
        ("2024-02-30", "is not a date: expected 2024-02-28 .. 2024-03-02"),
        ("2024-03-01T00:00", "is not a date"),
        ("01/03/2024", "is not a date"),
        ("19782", "is not a date"),
        ("2024-03-03", "2024-03-03 is out of range"),
    ] {
        let error = column.encode(cell, Rounding::Exact).expect_err(cell);
        assert!(error.to_string().contains(words), "{words:?} expected in {error}");
    }
}

#[test]
fn blanks() {
    let number = column("x", "optional 0 .. 9");
    for (cell, is_blank) in
        [("", true), ("  ", true), (" NA ", true), ("na", false), ("NaN", false), ("0", false)]
    {
        assert_eq!(number.is_blank(cell), is_blank, "{cell:?}");
    }
    assert!(!column("x", "0 .. 9").is_blank(""));
    let country = column("country", "optional FR | NA");
    assert!(country.is_blank("") && !country.is_blank("NA"), "a label is a label");
}

proptest! {
    #[test]
    fn any_cell_is_read_or_refused(cell in "\\PC{0,40}") {
        let _ = column("x", "-1.000 .. 1.000").encode(&cell, Rounding::HalfEven);
    }

    #[test]
    fn numbers_agree_with_integer_arithmetic(units in -1_000_000_i64..=1_000_000) {
        let column = column("x", "-1000.000 .. 1000.000");
        let sign = if units < 0 { "-" } else { "" };
        let cell = format!("{sign}{}.{:03}", units.abs() / 1000, units.abs() % 1000);
        prop_assert_eq!(column.encode(&cell, Rounding::Exact).unwrap().value, Integer::from(units));
    }

    #[test]
    fn rounding_goes_to_the_nearest(millionths in -999_000_000_i64..=999_000_000) {
        let column = column("x", "-1000.000 .. 1000.000");
        let sign = if millionths < 0 { "-" } else { "" };
        let cell = format!("{sign}{}.{:06}", millionths.abs() / 1_000_000, millionths.abs() % 1_000_000);
        let value = column.encode(&cell, Rounding::HalfEven).unwrap().value.to_i128().unwrap();
        let (distance, is_even) = ((value * 1000 - i128::from(millionths)).abs(), value % 2 == 0);
        prop_assert!(distance < 500 || distance == 500 && is_even, "{} -> {}", cell, value);
    }
}
