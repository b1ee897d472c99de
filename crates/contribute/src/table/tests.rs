use super::*;

fn columns() -> Vec<Column> {
    let column = |name: &str, domain| Column::parse(name, domain).unwrap();
    vec![column("salary", "0.00 .. 1_000.00"), column("gender", "female | male")]
}

fn read(text: impl AsRef<[u8]>) -> Result<Table, ContributeError> {
    Table::read(&columns(), text.as_ref(), Rounding::HalfEven, BadRowsPolicy::Refuse)
}

fn cells(table: &Table) -> Vec<i128> {
    table.cells().iter().map(|cell| cell.to_i128().unwrap()).collect()
}

#[test]
fn columns_are_found_by_name_and_others_ignored() {
    let text = "\u{feff}note,gender, salary ,note\r\nx,male,12.5,y\r\n\"a, b\",female, 7 ,\r\n";
    let table = read(text).unwrap();
    assert_eq!((table.rows(), table.columns()), (2, 2));
    assert_eq!(cells(&table), [1250, 1, 700, 0]);
    assert!(table.rounded().is_empty());
    assert_eq!(table.row(1), [Integer::from(700), Integer::from(0)]);
}

#[test]
fn rounding_is_half_to_even_and_reported_once_per_column() {
    let text = "salary,gender\n0.125,male\n0.135,male\n0.1299,male\n3,male\n";
    let table = read(text).unwrap();
    assert_eq!(cells(&table), [12, 1, 14, 1, 13, 1, 300, 1]);
    let [rounded] = table.rounded() else { panic!("{:?}", table.rounded()) };
    assert_eq!((rounded.column.as_str(), rounded.count), ("salary", 3));
    assert_eq!(rounded.largest.to_string(), "0.005");
    let exact = Table::read(&columns(), text.as_bytes(), Rounding::Exact, BadRowsPolicy::Refuse);
    let message = exact.unwrap_err().to_string();
    assert!(
        message.starts_with("3 rows cannot be contributed:\n  row 1 (line 2), column \"salary\": 0.125"),
        "{message}"
    );
}

/// Every bad table with its message; what must fail stands beside what must pass.
#[test]
fn bad_tables_and_their_messages() {
    let table: &[(&[u8], &str)] = &[
        (b"", "the table is empty: expected a first line with column names, then one line per row"),
        (b"\n\n", "the table is empty: expected a first line with column names, then one line per row"),
        (b"salary,gender\n", "the table has column names but no usable row (0 skipped)"),
        (
            b"Salery,gender\n1,male\n",
            "the table has no column \"salary\" (did you mean \"Salery\"?); it has: Salery, gender",
        ),
        (b"a,gender\n1,male\n", "the table has no column \"salary\"; it has: a, gender"),
        (
            b"salary,gender,salary\n1,male,2\n",
            "the table has two columns \"salary\" (columns 1 and 3): rename or remove one of them",
        ),
        (
            b"sal\xffary,gender\n1,male\n",
            "the line of column names is not UTF-8 text: save the table as UTF-8",
        ),
        (b"salary,gender\n1,male\n2\n", "row 2 (line 3), 1 cells, but the first line names 2 columns"),
        (b"salary,gender\n1,male,3\n", "row 1 (line 2), 3 cells, but the first line names 2 columns"),
        (b"salary,gender\n\xff,male\n", "row 1 (line 2), column \"salary\": not UTF-8 text"),
        (
            b"salary,gender\n1,mail\n",
            "row 1 (line 2), column \"gender\": \"mail\" is none of the column's labels: expected female | male",
        ),
        (
            b"salary,gender\n1,male\n1000.01,male\n",
            "row 2 (line 3), column \"salary\": 1000.01 is out of range: expected 0.00 .. 1000.00",
        ),
        (
            b"salary,gender\n-0.01,male\n",
            "row 1 (line 2), column \"salary\": -0.01 is out of range: expected 0.00 .. 1000.00",
        ),
        (
            b"salary,gender\n\"\n\",male\n",
            "row 1 (line 2), column \"salary\": the cell is empty: expected 0.00 .. 1000.00; a column that may be blank is \
             declared `optional` in the study",
        ),
        (
            b"salary,gender\nmuch,male\n",
            "row 1 (line 2), column \"salary\": \"much\" is not a number: expected 0.00 .. 1000.00",
        ),
    ];
    for (text, expected) in table {
        let message = read(text).unwrap_err().to_string();
        assert!(message.starts_with(expected), "{:?}\n{message}", String::from_utf8_lossy(text));
    }
}

#[test]
fn the_first_twenty_bad_rows_are_shown_and_all_are_counted() {
    let text = format!("salary,gender\n{}1,male\n", "x,male\n".repeat(25));
    let message = read(&text).unwrap_err().to_string();
    assert!(message.starts_with("25 rows cannot be contributed:\n  row 1 (line 2), column"), "{message}");
    assert_eq!(message.lines().count(), 22);
    assert!(message.ends_with("and 5 more"), "{message}");
}

#[test]
fn skipped_rows_leave_nothing_behind_and_the_others_keep_their_numbers() {
    let text = "salary,gender\n1,male\n2.001,nobody\n3,female\n";
    let table = Table::read(&columns(), text.as_bytes(), Rounding::HalfEven, BadRowsPolicy::Skip).unwrap();
    assert_eq!(cells(&table), [100, 1, 300, 0]);
    assert_eq!((table.number(0), table.number(1), table.skipped().count), (1, 3, 1));
    assert!(table.rounded().is_empty(), "a skipped row's rounding does not count");
    let none = Table::read(&columns(), &b"salary,gender\nx,y\n"[..], Rounding::HalfEven, BadRowsPolicy::Skip);
    assert!(matches!(none, Err(ContributeError::NoRows { skipped: 1 })));
}

#[test]
fn a_blank_is_the_least_value_and_no_presence() {
    let optional = |name, domain| Column::parse(name, domain).unwrap();
    let columns =
        [optional("x", "optional -5 .. 9"), optional("n", "0 .. 9"), optional("g", "optional a | NA")];
    let text = "g,n,x\na,1,\nNA,2, NA \n,3,0\n";
    let table = Table::read(&columns, text.as_bytes(), Rounding::Exact, BadRowsPolicy::Refuse).unwrap();
    assert_eq!((table.rows(), table.columns()), (3, 5));
    assert_eq!(cells(&table), [-5, 0, 1, 0, 1, -5, 0, 2, 1, 1, 0, 1, 3, 0, 0]);
    let stored = Column::stored(columns);
    let again = Table::read(&stored, text.as_bytes(), Rounding::Exact, BadRowsPolicy::Refuse).unwrap();
    assert_eq!(cells(&again), cells(&table), "the same of the columns as they are stored");
    let bad =
        Table::read(&stored, &b"g,n,x\na,,1\n"[..], Rounding::Exact, BadRowsPolicy::Refuse).unwrap_err();
    assert!(bad.to_string().contains("column \"n\": the cell is empty"), "{bad}");
}

#[test]
fn rows_of_one_contributor_are_one_block() {
    let text = "salary,who,gender\n1,b,male\n2,a,male\n3, b ,male\n4,c,male\n5,a,male\n6,b,male\n";
    let read = |by, text: &str| {
        Table::read_by(&columns(), by, text.as_bytes(), Rounding::Exact, BadRowsPolicy::Skip)
    };
    let table = read(Some("who"), text).unwrap();
    assert_eq!(cells(&table).into_iter().step_by(2).collect::<Vec<_>>(), [100, 300, 600, 200, 500, 400]);
    let by = table.grouping();
    assert_eq!(by, Grouping::ByColumn);
    assert_eq!((table.contributions(by), table.largest_block(by)), (3, 3));
    let blocks: Vec<_> = (0..4).map(|index| table.block(by, index)).collect();
    assert_eq!(blocks, [Some(0..3), Some(3..5), Some(5..6), None]);
    assert_eq!((0..6).map(|row| table.number(row)).collect::<Vec<_>>(), [1, 3, 6, 2, 5, 4]);
    let each = read(None, text).unwrap();
    assert_eq!((each.contributions(each.grouping()), each.largest_block(each.grouping())), (6, 1));
    let nobody = read(Some("who"), "salary,who,gender\n1, ,male\n2,a,male\n").unwrap();
    assert!(nobody.skipped().to_string().contains("column \"who\": the cell is empty, and it is to say who"));
    assert!(
        matches!(read(Some("whom"), text), Err(ContributeError::MissingColumn { name, .. }) if name == "whom")
    );
}

#[test]
fn a_failing_reader_is_this_machines_fault() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("disk on fire"))
        }
    }
    let error = Table::read(&columns(), Broken, Rounding::HalfEven, BadRowsPolicy::Refuse).unwrap_err();
    assert_eq!(error.to_string(), "reading the table failed: disk on fire");
}

#[test]
fn debug_shows_no_value() {
    assert_eq!(format!("{:?}", read("salary,gender\n777,male\n").unwrap()), "Table(1 rows of 2 columns)");
}
