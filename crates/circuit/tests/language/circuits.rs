//! The circuits of `circuits/`, on their samples, against results computed elsewhere (Python, `fractions`).

use std::path::PathBuf;

use quorate_circuit::{
    Bits, Cost, Outcome, Rounding, RowInstruction, ScalarInstruction, StudyDraft, check, compile, explain,
    oracle,
};
use quorate_field::{FieldId, Integer};
use serde_json::Value;

use super::support::{draft, integers, parse, study_of};

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
fn payroll_gives_what_python_gives_and_reveals_nothing_on_the_way() {
    let text = file("payroll.circuit");
    let table = sample("payroll", &text);
    let rows = table[0].len() as u64;
    for capacity in [rows, 1_000_000] {
        let study = study_of(&text, capacity);
        assert_eq!(study.field, FieldId::F61);
        let program = compile(&text, &study).unwrap();
        program.validate().unwrap();
        let outcomes = program.outcomes(&program.evaluate(&table).unwrap(), rows);
        assert_expected("payroll", &outcomes);
        assert_eq!(outcomes, oracle(&check(&parse(&text), &study).unwrap(), &table));
        let meanings: Vec<_> = program.outputs.iter().map(|output| output.meaning.as_str()).collect();
        assert_eq!(
            meanings,
            [
                "sum(salary)",
                "n*sum(salary^2) - sum(salary)^2",
                "count(salary > 50000)",
                "sum(salary where gender == female)",
                "count(gender == female)",
                "sum(salary where gender == male)",
                "count(gender == male)",
                "sum(salary where gender == other)",
                "count(gender == other)",
                "sum(salary where years >= 10 and gender == female)",
                "count(years >= 10 and gender == female)",
                "sum(salary) > 20000000",
            ]
        );
        // Every row is multiplied by nothing, and compared five times.
        assert!(!program.row.iter().any(|i| matches!(i, RowInstruction::Multiply(..))));
        let is_lifted = |i: &ScalarInstruction| matches!(i, ScalarInstruction::Lift { .. });
        assert_eq!(
            program.scalar.iter().filter(|i| is_lifted(i)).count(),
            if capacity == rows { 0 } else { 2 }
        );
    }
}

/// Equal, or where doubles were computed with nearly so.
fn is_same(found: &Value, expected: &Value) -> bool {
    match (found, expected) {
        (Value::Object(found), Value::Object(expected)) => {
            found.len() == expected.len()
                && found
                    .iter()
                    .all(|(label, cell)| expected.get(label).is_some_and(|other| is_same(cell, other)))
        }
        (Value::Number(found), Value::Number(expected)) => {
            let (found, expected) = (found.as_f64().unwrap(), expected.as_f64().unwrap());
            (found - expected).abs() <= 1e-9 * expected.abs()
        }
        _ => found == expected,
    }
}

#[test]
fn the_other_circuits_give_what_python_gives() {
    for name in [
        "pay_gap",
        "fairness",
        "customers",
        "hospital",
        "credit",
        "attributions",
        "regression",
        "ab_test",
        "ward",
    ] {
        let text = file(&format!("{name}.circuit"));
        let table = sample(name, &text);
        let rows = table[0].len() as u64;
        let study = study_of(&text, rows);
        let program = compile(&text, &study).unwrap();
        program.validate().unwrap();
        let outcomes = program.outcomes(&program.evaluate(&table).unwrap(), rows);
        assert_eq!(outcomes, oracle(&check(&parse(&text), &study).unwrap(), &table));
        let expected: serde_json::Map<String, Value> =
            serde_json::from_str(&file(&format!("{name}.expected.json"))).unwrap();
        assert_eq!(outcomes.len(), expected.len());
        for (result, outcome) in &outcomes {
            let found = serde_json::to_value(outcome).unwrap();
            assert!(is_same(&found, &expected[result]), "{name}: {result} is {found}, {}", expected[result]);
        }
    }
}

/// Four people, with every number worked out on paper.
#[test]
fn payroll_by_hand() {
    let text = file("payroll.circuit");
    let study = study_of(&text, 4);
    let program = compile(&text, &study).unwrap();
    let table = [
        integers(&[40_000, 50_000, 60_000, 70_000]),
        integers(&[0, 20_000, 1, 2]),
        integers(&[0, 1, 0, 0]),
        integers(&[9, 10, 10, 60]),
    ];
    let outcomes = program.outcomes(&program.evaluate(&table).unwrap(), 4);
    let json: serde_json::Map<String, Value> = outcomes
        .iter()
        .map(|(name, outcome)| (name.clone(), serde_json::to_value(outcome).unwrap()))
        .collect();
    assert_eq!(json["mean_salary"], 55_000);
    // Differences from the mean: 15, 5, 5, 15 thousand; (225 + 25 + 25 + 225) / 3 million.
    assert_eq!(json["spread"], (500_000_000.0_f64 / 3.0).sqrt());
    // 50 000 is not over 50 000.
    assert_eq!(json["share_over_50k"], 0.5);
    // (40 000 + 60 000 + 70 000) / 3; one man; nobody else.
    let by_gender = serde_json::json!({"female": 170_000.0 / 3.0, "male": 50_000, "other": null});
    assert_eq!(json["pay_by_gender"], by_gender);
    assert_eq!(json["senior_mean"], 65_000);
    assert_eq!(json["over_budget"], false);
}

#[test]
fn the_explanation_counts_what_a_run_costs() {
    let text = file("payroll.circuit");
    let costs = [Bits::Sealed, Bits::None].map(|bits| {
        let draft = StudyDraft { bits: Some(bits), ..draft(parse(&text).inputs(), 1000) };
        let explanation = explain(&text, &draft.document().unwrap().1).unwrap();
        let said = explanation.to_string();
        assert!(said.contains("truths made numbers"), "{said}");
        explanation.cost.unwrap()
    });
    for cost in costs {
        assert_eq!((cost.row_products, cost.row_conversions, cost.dots), (0, 5, 5));
        assert_eq!((cost.products, cost.lifts, cost.comparisons), (1, 0, 1));
        assert_eq!(cost.bytes_to_analyst, 12 * 8);
    }
    // 20 and 6 bits below a bound, three equalities of 2 bits, one conjunction.
    assert_eq!(costs[0].row_ands, 40 + 12 + 6 + 1);
    // And the bits of the three columns that are compared.
    assert_eq!(costs[1].row_ands, costs[0].row_ands + 3 * 4 * 61);
    assert!(costs[1].rounds >= costs[0].rounds);
    let linear = file("salaries.circuit");
    let cost = explain(&linear, &study_of(&linear, 1000)).unwrap().cost.unwrap();
    assert_eq!(cost, Cost { passes: 1, bytes_to_analyst: 40, ..Cost::default() });
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
    let text = file("pay_gap.circuit");
    let said = explain(&text, &study_of(&text, 1000)).unwrap().to_string();
    assert!(said.contains("of [1] to [6]: each of them is revealed"), "{said}");
    // The square of a condition is the condition: no product, and no number that is known already.
    assert!(!said.contains("(if gender == male then 1 else 0) * (if gender == male"), "{said}");
    let json = serde_json::to_string(&explanation).unwrap();
    assert_eq!(serde_json::from_str::<quorate_circuit::Explanation>(&json).unwrap(), explanation);
}
