//! Properties: the lowering agrees with the oracle, the printer with the parser, and nothing panics.

use proptest::prelude::*;
use quorate_circuit::{Circuit, check, compile, explain, lower, oracle};
use quorate_field::Integer;

use super::support::{circuit, parse, study};

/// A row expression that is linear, as text.
fn linear_row() -> impl Strategy<Value = String> {
    let leaf =
        prop_oneof![Just("salary".to_owned()), Just("hourly".to_owned()), Just("\"yrs.service\"".to_owned())];
    leaf.prop_recursive(4, 12, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} + {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} - {b})")),
            (inner.clone(), constant()).prop_map(|(a, c)| format!("({a} * {c})")),
            (inner.clone(), constant()).prop_map(|(a, c)| format!("({c} - {a})")),
            (inner.clone(), 1_u32..50).prop_map(|(a, c)| format!("({a} / {c})")),
            inner.prop_map(|a| format!("(-{a})")),
        ]
    })
}

fn constant() -> impl Strategy<Value = String> {
    (0_u32..300, 0_usize..3)
        .prop_map(|(digits, decimals)| format!("{digits}.{:0>width$}", 7, width = decimals + 1))
}

/// An aggregate that is linear, as text.
fn linear_aggregate() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        linear_row().prop_map(|row| format!("sum({row})")),
        linear_row().prop_map(|row| format!("mean({row})")),
        Just("count()".to_owned()),
        constant(),
    ];
    leaf.prop_recursive(4, 16, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} + {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} - {b})")),
            (inner.clone(), constant()).prop_map(|(a, c)| format!("({a} * {c})")),
            (inner.clone(), 1_u32..50).prop_map(|(a, c)| format!("({a} / {c})")),
            inner.clone().prop_map(|a| format!("({a} / count())")),
            inner.clone().prop_map(|a| format!("({a} / (count() - 1))")),
            inner.clone().prop_map(|a| format!("(count() * {a})")),
            (inner.clone(), inner).prop_map(|(a, b)| format!("({a} / {b})")),
        ]
    })
}

/// Rows of the study: every column's integers inside its domain.
fn table() -> impl Strategy<Value = Vec<Vec<Integer>>> {
    let row = (0_i64..=1_000_000, -500_i64..=20_000, 0_i64..3, 0_i64..=60, 0_i64..2);
    prop::collection::vec(row, 0..6).prop_map(|rows| {
        let column =
            |pick: fn(&(i64, i64, i64, i64, i64)) -> i64| rows.iter().map(|row| pick(row).into()).collect();
        vec![
            column(|row| row.0),
            column(|row| row.1),
            column(|row| row.2),
            column(|row| row.3),
            column(|row| row.4),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn programs_give_what_their_text_says(aggregate in linear_aggregate(), table in table()) {
        let text = circuit(&format!("reveal x = {aggregate}\nreveal n = count()"));
        // Quotients of quotients can need products, and sums of many factors a larger field: refused, not wrong.
        if let Ok(program) = compile(&text, &study()) {
            prop_assert_eq!(program.validate(), Ok(()));
            let outputs = program.evaluate(&table).unwrap();
            let outcomes = program.outcomes(&outputs, table[0].len() as u64);
            prop_assert_eq!(outcomes, oracle(&check(&parse(&text), &study()).unwrap(), &table));
        }
    }

    #[test]
    fn sums_and_means_of_linear_rows_always_lower(row in linear_row(), table in table()) {
        let text = circuit(&format!("reveal x = mean({row}) - 1\nreveal y = sum({row})"));
        let Ok(checked) = check(&parse(&text), &study()) else { return Ok(()) };
        let Ok(program) = lower(&checked, &study()) else { return Ok(()) };
        prop_assert!(program.outputs.len() <= 1);
        let outcomes = program.outcomes(&program.evaluate(&table).unwrap(), table[0].len() as u64);
        prop_assert_eq!(outcomes, oracle(&checked, &table));
    }

    #[test]
    fn printed_circuits_parse_to_themselves(aggregate in linear_aggregate(), condition in condition()) {
        let reveals = format!("reveal x = {aggregate}\nreveal \"y z\" = count({condition}) by gender where {condition}");
        let printed = parse(&circuit(&reveals)).to_string();
        // Every operand is in parentheses, so that equal text means equal trees.
        prop_assert_eq!(parse(&printed).to_string(), printed);
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,100}") {
        let _ = Circuit::parse(&text);
        let _ = Circuit::parse(&format!("circuit t\nreveal x = {text}"));
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let text = String::from_utf8_lossy(&bytes);
        if let Err(diagnostics) = Circuit::parse(&text) {
            prop_assert!(!diagnostics.render(&text, false).is_empty());
        }
    }

    #[test]
    fn any_words_are_explained_or_refused(words in prop::collection::vec(word(), 0..25), table in table()) {
        let text = circuit(&format!("reveal x = {}", words.join(" ")));
        match explain(&text, &study()) {
            Err(diagnostics) => prop_assert!(!diagnostics.render(&text, false).is_empty()),
            Ok(explanation) => {
                prop_assert!(!explanation.to_string().is_empty());
                let _ = oracle(&check(&parse(&text), &study()).unwrap(), &table);
            }
        }
    }
}

fn condition() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("salary > 5".to_owned()),
        Just("gender == male".to_owned()),
        Just("region != north".to_owned()),
        linear_row().prop_map(|row| format!("{row} <= 7.5")),
    ];
    leaf.prop_recursive(3, 8, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a} and {b}")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} or {b})")),
            inner.prop_map(|a| format!("not {a}")),
        ]
    })
}

fn word() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "(",
        ")",
        "+",
        "-",
        "*",
        "/",
        "==",
        "<",
        ">=",
        "and",
        "or",
        "not",
        "if",
        "then",
        "else",
        "where",
        "by",
        ",",
        "sum(",
        "mean(",
        "count(",
        "count()",
        "variance(",
        "stddev(",
        "salary",
        "hourly",
        "gender",
        "male",
        "region",
        "0",
        "1",
        "2.5",
        "1_000_000",
        "sum(salary)",
        "mean(hourly)",
        "salary > 5",
        "gender == male",
        "mean(salary)",
        "(",
        ")",
        ")",
        "sum(hourly)",
        "/",
        "by gender",
        "where salary > 5",
    ])
}
