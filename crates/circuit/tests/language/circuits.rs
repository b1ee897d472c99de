//! The circuits of `circuits/`, on their samples, against results computed elsewhere (Python, `fractions`).

use std::path::PathBuf;

use quorate_circuit::{Outcome, Rounding, check, compile, explain, oracle};
use quorate_field::Integer;
use serde_json::Value;

use super::support::{parse, study_of};

fn file(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../circuits").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The sample's columns, encoded, in the circuit's order.
fn sample(name: &str, text: &str) -> Vec<Vec<Integer>> {
    let csv = file(&format!("{name}.csv"));
    let mut lines = csv.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let header = lines.next().unwrap();
    let rows: Vec<_> = lines.collect();
    let encode = |column: &quorate_circuit::Column| {
        let at = header.iter().position(|name| *name == column.name).unwrap();
        rows.iter().map(|row| column.encode(row[at], Rounding::Exact).unwrap().value).collect()
    };
    parse(text).inputs().iter().map(encode).collect()
}

fn assert_expected(name: &str, outcomes: &[(String, Outcome)]) {
    let expected: serde_json::Map<String, Value> =
        serde_json::from_str(&file(&format!("{name}.expected.json"))).unwrap();
    assert_eq!(outcomes.len(), expected.len());
    for (name, outcome) in outcomes {
        assert_eq!(serde_json::to_value(outcome).unwrap(), expected[name], "{name}");
    }
}

#[test]
fn salaries_gives_what_python_gives() {
    let text = file("salaries.circuit");
    let table = sample("salaries", &text);
    let study = study_of(&text, table[0].len() as u64);
    let program = compile(&text, &study).unwrap();
    program.validate().unwrap();
    let outputs = program.evaluate(&table).unwrap();
    let outcomes = program.outcomes(&outputs, table[0].len() as u64);
    assert_expected("salaries", &outcomes);
    assert_eq!(outcomes, oracle(&check(&parse(&text), &study).unwrap(), &table));
    // Seven numbers leave the helpers' sums; the rest is arithmetic of them.
    let meanings: Vec<_> = program.outputs.iter().map(|output| output.meaning.as_str()).collect();
    assert_eq!(
        meanings,
        [
            "sum(salary)",
            "sum(bonus), in units of 0.01",
            "sum(years)",
            "sum(salary) + sum(bonus), in units of 0.01",
            "sum(salary) - sum(bonus), in units of 0.01"
        ]
    );
}

#[test]
fn payroll_checks_in_full_and_its_oracle_gives_what_python_gives() {
    let text = file("payroll.circuit");
    let table = sample("payroll", &text);
    let study = study_of(&text, table[0].len() as u64);
    assert_expected("payroll", &oracle(&check(&parse(&text), &study).unwrap(), &table));
}

#[test]
fn payroll_is_refused_where_it_asks_for_products() {
    let text = file("payroll.circuit");
    let study = study_of(&text, 1000);
    let refused = compile(&text, &study).unwrap_err();
    assert!(refused.0.iter().all(|diagnostic| diagnostic.message == "this engine cannot multiply yet"));
    let places: Vec<_> = refused.0.iter().map(|d| &text[d.span.start..d.span.end]).collect();
    assert_eq!(
        places,
        [
            "stddev(salary)",
            "salary > 50_000",
            "mean(salary) by gender",
            "years >= 10 and gender == female",
            "sum(salary) > 20_000_000"
        ]
    );
    let explanation = explain(&text, &study).unwrap();
    assert_eq!(explanation.refused, refused);
    assert!(explanation.cost.is_none());
    assert!(explanation.to_string().contains("this engine cannot run it yet"));
}

#[test]
fn the_explanation_says_what_is_revealed() {
    let text = file("salaries.circuit");
    let explanation = explain(&text, &study_of(&text, 1000)).unwrap();
    let share = explanation.reveals.iter().find(|reveal| reveal.name == "bonus_share").unwrap();
    assert_eq!(share.outputs.len(), 2);
    let difference = explanation.reveals.iter().find(|reveal| reveal.name == "salary_over_bonus").unwrap();
    assert_eq!(difference.outputs.len(), 1);
    assert_eq!(explanation.cost.unwrap().bytes_to_analyst, 5 * 8);
    let said = explanation.to_string();
    for words in [
        "each of them is revealed",
        "of n alone",
        "in units of 0.01",
        "contributors: degree check, range: trusted",
    ] {
        assert!(said.contains(words), "{words:?} expected in\n{said}");
    }
    let json = serde_json::to_string(&explanation).unwrap();
    assert_eq!(serde_json::from_str::<quorate_circuit::Explanation>(&json).unwrap(), explanation);
}
