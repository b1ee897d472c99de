use quorate_circuit::{Margin, Quantity, Sample, Undefined};
use quorate_field::Integer;

use super::*;

fn ratio(top: u64, bottom: u64) -> Outcome {
    Outcome::Number(Quantity::new(Integer::from(top), Integer::from(bottom)).unwrap())
}

fn table(cells: &[(&str, Outcome)]) -> Outcome {
    Outcome::Table(cells.iter().map(|(label, cell)| ((*label).to_owned(), cell.clone())).collect())
}

fn shown(named: &[(&str, Outcome)], has_bars: bool) -> String {
    let named: Vec<_> = named.iter().map(|(name, one)| ((*name).to_owned(), one.clone())).collect();
    results(&named, &[], has_bars)
}

#[test]
fn numbers_stand_beside_their_names() {
    let big = Outcome::Number(Quantity::from(12_345_678_901_234_567_890_u64));
    let shown = shown(
        &[
            ("people", ratio(12, 1)),
            ("big", big),
            ("third", ratio(1, 3)),
            ("none", Outcome::Undefined(Undefined::DivisionByZero)),
            ("holds", Outcome::Truth(true)),
        ],
        true,
    );
    let lines: Vec<Vec<&str>> = shown.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0], ["people", "12"]);
    assert_eq!(lines[1], ["big", "12345678901234567890"], "whole numbers are not rounded");
    assert_eq!(lines[2], ["third", "0.333333"]);
    assert_eq!(lines[3].join(" "), "none undefined: division by zero");
    assert_eq!(lines[4], ["holds", "true"]);
}

#[test]
fn two_groupings_make_rows_and_columns() {
    let undefined = Outcome::Undefined(Undefined::DivisionByZero);
    let pay = table(&[
        ("women", table(&[("young", ratio(100_000, 3)), ("old", ratio(2, 1))])),
        ("men", table(&[("young", ratio(5, 1)), ("old", undefined)])),
    ]);
    let shown = shown(&[("pay", pay)], false);
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(lines[0], "pay");
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(words(lines[1]), ["young", "old"]);
    assert_eq!(words(lines[2]), ["women", "33333.3", "2"]);
    assert_eq!(words(lines[3]), ["men", "5.0", "undefined"]);
    let end = |line: &str, word: &str| line.find(word).unwrap() + word.len();
    assert_eq!(end(lines[1], "young"), end(lines[2], "33333.3"), "aligned right:\n{shown}");
    assert_eq!(end(lines[2], "33333.3"), end(lines[3], "5.0"), "aligned right:\n{shown}");
}

#[test]
fn bins_have_bars_on_a_terminal_only() {
    let ages = table(&[("0..18", ratio(10, 1)), ("18..40", ratio(40, 1)), ("40..65", ratio(0, 1))]);
    assert!(!shown(&[("ages", ages.clone())], false).contains('█'));
    let shown_on_terminal = shown(&[("ages", ages)], true);
    let bars: Vec<usize> = shown_on_terminal.lines().skip(1).map(|line| line.matches('█').count()).collect();
    assert_eq!(bars, [10, 40, 0]);
    let labels = table(&[("women", ratio(1, 1)), ("men", ratio(2, 1))]);
    assert!(!shown(&[("people", labels)], true).contains('█'), "not of categories");
}

#[test]
fn models_and_tests_have_tables() {
    let one = FittedCoefficient { name: "age".into(), estimate: 2.0, standard_error: 1.0 };
    let model = Regression { coefficients: vec![one.clone(), one], r_squared: 0.5, rows: 12 };
    let sample = |label: &str, mean| Sample { label: label.to_owned(), rows: 9, mean };
    let test = TTest {
        samples: [sample("women", 1.0), sample("men", 3.5)],
        difference: -2.5,
        t: -2.0,
        freedom: 10.0,
        p_value: 0.0734,
        margin: 1.0,
    };
    let crossed = ChiSquared {
        statistic: 8.5,
        freedom: 1,
        p_value: 0.01,
        cramers_v: 0.25,
        rows: vec!["women".into(), "men".into()],
        columns: vec!["x".into(), "y".into()],
        counts: vec![vec![1, 2], vec![3, 40]],
    };
    let fit = |fit| Outcome::Fit(Box::new(fit));
    let shown = shown(
        &[
            ("model", fit(Fit::Regression(model))),
            ("test", fit(Fit::TTest(test))),
            ("crossed", fit(Fit::ChiSquared(crossed))),
        ],
        false,
    );
    let lines: Vec<String> =
        shown.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    for expected in [
        "estimate standard error t p",
        "age 2 1 2 0.073388",
        "R^2 0.5, 12 rows",
        "women 1.0 9",
        "difference -2.5 [-3.5, -1.5], t -2, df 10, p 0.0734",
        "x y",
        "men 3 40",
        "chi-squared 8.5, df 1, p 0.01, Cramér's V 0.25",
    ] {
        assert!(lines.iter().any(|line| line == expected), "{expected} is not in\n{shown}");
    }
}

#[test]
fn the_first_numbers_of_a_vector_are_shown() {
    let vector = |count: u64| {
        let integers = (1..=count).map(|i| Integer::from(i * 1_000)).collect();
        Outcome::Vector(Vector::new(integers, Integer::from(3_u64)).unwrap())
    };
    let shown = shown(&[("people", ratio(1, 1)), ("g", vector(100_000)), ("h", vector(2))], true);
    let lines: Vec<String> =
        shown.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(lines[0..4], ["people 1", "", "g", "0 333.33"]);
    assert_eq!(lines[10..13], ["7 2666.67", "and 99992 more of 100000 numbers (--json gives all)", ""]);
    assert_eq!(lines[13..], ["h", "0 333.333", "1 666.667"]);
}

#[test]
fn a_table_by_three_groupings_is_one_for_each_of_the_first() {
    let inner = table(&[("x", table(&[("p", ratio(1, 1))]))]);
    let shown = shown(&[("all", table(&[("a", inner.clone()), ("b", inner)]))], false);
    assert!(shown.starts_with("all / a\n") && shown.contains("\n\nall / b\n"), "{shown}");
}

#[test]
fn noise_has_a_column_of_its_own() {
    let within = |value: f64, margin: f64| {
        Some(Uncertainty::Number(Margin { stderr: margin / 2.0, low: value - margin, high: value + margin }))
    };
    let one = |name: &str| FittedCoefficient { name: name.into(), estimate: 2.468, standard_error: 1.0 };
    let model = Regression { coefficients: vec![one("intercept"), one("age")], r_squared: 0.5, rows: 12 };
    let line = |a: u64| table(&[("young", ratio(a, 3)), ("old", ratio(2, 1))]);
    let integers = vec![Integer::from(1_234_i64), Integer::from(-7_i64)];
    let all = [
        ("people", ratio(12, 1), None),
        ("pay", ratio(523_412, 10), within(52_341.2, 812.4)),
        ("middle", ratio(41, 1), Some(Uncertainty::Rank { rows: 11.2 })),
        (
            "by",
            table(&[("a", ratio(1_000, 3)), ("b", ratio(5, 1))]),
            parts(&[("a", within(333.3, 41.0)), ("b", None)]),
        ),
        (
            "both",
            table(&[("x", line(100_000)), ("y", line(7))]),
            parts(&[("x", parts(&[("young", within(33_333.3, 120.0)), ("old", None)])), ("y", None)]),
        ),
        (
            "model",
            Outcome::Fit(Box::new(Fit::Regression(model))),
            parts(&[("intercept", within(2.468, 0.5)), ("age", within(2.468, 0.25))]),
        ),
        (
            "g",
            Outcome::Vector(Vector::new(integers, Integer::ONE).unwrap()),
            Some(Uncertainty::Vector { stderr: 50.0, margin: 98.0 }),
        ),
    ];
    let noise: Vec<_> = all.iter().map(|(name, _, noise)| ((*name).to_owned(), noise.clone())).collect();
    let outcomes: Vec<_> = all.iter().map(|(name, one, _)| ((*name).to_owned(), one.clone())).collect();
    let shown = results(&outcomes, &noise, false);
    let lines: Vec<String> =
        shown.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    let expected = [
        "people 12",
        "pay 52340 ± 810",
        "middle 41 ± 12 rows of its rank",
        "",
        "by",
        "a 333 ± 41",
        "b 5",
        "",
        "both",
        "young old",
        "x 33330 ± 120 2",
        "y 2.33333 2",
        "",
        "model",
        "estimate noise standard error t p",
        "intercept 2.47 ± 0.50 1 2.468 0.0332184",
        "age 2.47 ± 0.25 1 2.468 0.0332184",
        "",
        "R^2 0.5, 12 rows",
        "standard errors, t and p do not count the noise",
        "",
        "g",
        "0 1234",
        "1 -7",
        "each ± 98",
    ];
    assert_eq!(lines, expected, "{shown}");
}

fn parts(parts: &[(&str, Option<Uncertainty>)]) -> Option<Uncertainty> {
    Some(Uncertainty::Parts(parts.iter().map(|(name, part)| ((*name).to_owned(), part.clone())).collect()))
}
