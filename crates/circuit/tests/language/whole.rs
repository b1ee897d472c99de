//! The whole language: what random circuits make of random tables, edges above all, is what their text says.

use proptest::prelude::*;
use proptest::sample::select;
use quorate_circuit::{Checked, Circuit, Column, Outcome, Program, Study, StudyDraft, check, lower, oracle};
use quorate_field::{FieldId, Integer};

use super::support::{column, draft, integers, parse};

/// Columns with few values, so that ties, edges, empty groups and blanks come up.
pub(super) const COLUMNS: [(&str, &str); 13] = [
    ("a", "0 .. 9"),
    ("b", "-3 .. 4"),
    ("c", "0.0 .. 1.5"),
    ("d", "0 .. 9"),
    ("g", "x | y | z"),
    ("h", "x | y | z"),
    ("k", "x | y"),
    ("o", "optional -2 .. 3"),
    ("p", "optional 1 .. 4"),
    ("q", "optional x | y | z"),
    ("s", "optional No | YES"),
    ("t", "true | false"),
    ("u", "optional 2020-02-27 .. 2020-03-02"),
];

pub(super) fn columns() -> Vec<Column> {
    COLUMNS.iter().map(|(name, domain)| column(name, domain)).collect()
}

fn study(field: FieldId, capacity: u64) -> Study {
    let draft = StudyDraft { field: Some(field), ..draft(columns(), capacity) };
    draft.document().unwrap().1
}

pub(super) fn circuit(reveals: &[String]) -> String {
    let inputs: String = COLUMNS.iter().map(|(name, domain)| format!("input {name} : {domain}\n")).collect();
    let reveals: String = (0..).zip(reveals).map(|(i, reveal)| format!("reveal r{i} = {reveal}\n")).collect();
    format!("circuit whole\n{inputs}{reveals}")
}

fn constant() -> impl Strategy<Value = String> {
    select(vec!["0", "1", "2", "3", "9", "0.5", "1.25", "0.05", "4.0", "100", "7.5", "2020-02-29"])
        .prop_map(str::to_owned)
}

fn number_column() -> impl Strategy<Value = &'static str> {
    select(vec!["a", "b", "c", "d", "a", "b", "c", "d", "o", "p", "u"])
}

/// A row's number, or truth, with conditions that hold never and always among them.
pub(super) fn row_number() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![4 => number_column().prop_map(str::to_owned), 1 => constant()];
    leaf.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} + {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} - {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} * {b})")),
            (inner.clone(), constant()).prop_map(|(a, b)| format!("({a} * {b})")),
            (inner.clone(), 1_u32..7).prop_map(|(a, c)| format!("({a} / {c})")),
            (leaf_truth(), inner.clone(), inner).prop_map(|(c, a, b)| format!("(if {c} then {a} else {b})")),
        ]
    })
}

fn comparison() -> impl Strategy<Value = &'static str> {
    select(vec!["==", "!=", "<", "<=", ">", ">="])
}

pub(super) fn leaf_truth() -> impl Strategy<Value = String> {
    let number = number_column;
    prop_oneof![
        (number(), comparison(), constant()).prop_map(|(a, op, b)| format!("({a} {op} {b})")),
        (constant(), comparison(), number()).prop_map(|(a, op, b)| format!("({a} {op} {b})")),
        (number(), comparison(), number()).prop_map(|(a, op, b)| format!("({a} {op} {b})")),
        (select(vec!["g", "h", "q"]), select(vec!["x", "y", "z", "g", "h", "q"]))
            .prop_map(|(a, b)| format!("({a} == {b})")),
        select(vec!["x", "y"]).prop_map(|label| format!("(k != {label})")),
        select(vec!["s", "(s == No)", "t", "(t == false)"]).prop_map(str::to_owned),
    ]
}

pub(super) fn row_truth() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        3 => leaf_truth(),
        1 => (row_number(), comparison(), row_number()).prop_map(|(a, op, b)| format!("({a} {op} {b})")),
    ];
    leaf.prop_recursive(3, 6, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} and {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} or {b})")),
            inner.clone().prop_map(|a| format!("(not {a})")),
            (inner.clone(), inner.clone(), inner).prop_map(|(c, a, b)| format!("(if {c} then {a} else {b})")),
        ]
    })
}

/// A least, a greatest, a median, another quantile.
fn order_statistic() -> impl Strategy<Value = String> {
    let share = select(vec!["0.1", "1/3", "0.5", "2/3", "0.99", "1"]);
    prop_oneof![
        row_number().prop_map(|x| format!("min({x})")),
        row_number().prop_map(|x| format!("max({x})")),
        row_number().prop_map(|x| format!("median({x})")),
        (row_number(), share).prop_map(|(x, q)| format!("quantile({x}, {q})")),
    ]
}

/// An aggregate number without square roots; sums of squares of squares leave any field soon.
pub(super) fn aggregate() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        3 => row_number().prop_map(|x| format!("sum({x})")),
        3 => row_number().prop_map(|x| format!("mean({x})")),
        2 => row_truth().prop_map(|c| format!("count({c})")),
        2 => row_truth().prop_map(|c| format!("mean({c})")),
        2 => row_number().prop_map(|x| format!("variance({x})")),
        1 => row_number().prop_map(|x| format!("pvariance({x})")),
        1 => (row_number(), row_number()).prop_map(|(x, y)| format!("covariance({x}, {y})")),
        1 => (row_number(), row_number()).prop_map(|(x, w)| format!("mean({x}) weighted ({w})")),
        1 => Just("count()".to_owned()),
        1 => row_number().prop_map(|x| format!("missing({x})")),
        1 => row_truth().prop_map(|c| format!("missing({c})")),
        1 => select(vec!["q", "s", "g"]).prop_map(|c| format!("missing({c})")),
        3 => order_statistic(),
    ];
    leaf.prop_recursive(2, 4, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} + {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} - {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} * {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} / {b})")),
            (inner.clone(), constant()).prop_map(|(a, b)| format!("({a} * {b})")),
            (inner.clone(), leaf_truth()).prop_map(|(a, c)| format!("({a} where {c})")),
            (decision_of(inner.clone()), inner.clone(), inner)
                .prop_map(|(c, a, b)| format!("(if {c} then {a} else {b})")),
        ]
    })
}

pub(super) fn decision_of(number: impl Strategy<Value = String> + Clone) -> impl Strategy<Value = String> {
    let side = prop_oneof![number.clone(), constant()];
    (number, comparison(), side).prop_map(|(a, op, b)| format!("({a} {op} {b})"))
}

/// An aggregate truth.
fn decision() -> impl Strategy<Value = String> {
    decision_of(aggregate().boxed()).prop_recursive(2, 4, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} and {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} or {b})")),
            inner.clone().prop_map(|a| format!("(not {a})")),
            (inner.clone(), inner.clone(), inner).prop_map(|(c, a, b)| format!("(if {c} then {a} else {b})")),
        ]
    })
}

/// Whatever can be revealed.
pub(super) fn reveal() -> impl Strategy<Value = String> {
    let deviation = || {
        prop_oneof![
            2 => row_number().prop_map(|x| format!("stddev({x})")),
            1 => row_number().prop_map(|x| format!("pstddev({x})")),
            1 => (select(vec!["a", "b", "c", "o"]), row_number()).prop_map(|(x, y)| format!("correlation({x}, {y})")),
        ]
    };
    let groups = vec![
        "g",
        "k",
        "q",
        "s",
        "bins(o, [-2, 0, 3])",
        "bins(u, [2020-02-27, 2020-03-01, 2020-03-02])",
        "bins(a, [0, 3, 9])",
        "bins(b, [-2.5, 0, 4])",
        "bins(c + d, [0, 0.5, 1.25, 20])",
    ];
    let any = prop_oneof![
        4 => aggregate(),
        3 => decision(),
        2 => deviation(),
        1 => (select(vec!["a", "b", "c", "o"]), row_number(), leaf_truth())
            .prop_map(|(y, x, z)| format!("regression({y} ~ ({x}) + {z})")),
        1 => (select(vec!["a", "b", "c"]), leaf_truth()).prop_map(|(x, z)| format!("ttest({x} by {z})")),
        1 => leaf_truth().prop_map(|z| format!("chisq(k, {z})")),
        1 => (deviation(), select(vec!["+", "-", "*", "/"]), aggregate())
            .prop_map(|(a, op, b)| format!("({a} {op} {b})")),
    ];
    (any, prop::option::of(row_truth()), prop::option::of(select(groups))).prop_map(
        |(reveal, condition, category)| {
            let condition = condition.map_or(String::new(), |condition| format!(" where {condition}"));
            let category = category.map_or(String::new(), |category| format!(" by {category}"));
            format!("{reveal}{condition}{category}")
        },
    )
}

/// A few rows of edges, zeros and ones, and what is between, with ties.
pub(super) fn table(rows: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Vec<Integer>>> {
    let row = (
        select(vec![0_i64, 0, 1, 5, 8, 9, 9]),
        select(vec![-3_i64, -3, -1, 0, 1, 4, 4]),
        select(vec![0_i64, 1, 5, 10, 15, 15]),
        select(vec![0_i64, 0, 1, 5, 9]),
        (0_i64..3, 0_i64..3, 0_i64..2, 0_i64..2),
        (optional(-2, 3), optional(1, 4), optional(0, 2), optional(0, 1), optional(18_319, 18_323)),
    );
    prop::collection::vec(row, rows).prop_map(|rows| {
        let rows = rows.into_iter().map(|(a, b, c, d, (g, h, k, t), (o, p, q, s, u))| {
            [&[a, b, c, d, g, h, k], &o[..], &p, &q, &s, &[t], &u].concat()
        });
        let rows: Vec<_> = rows.map(|row| integers(&row)).collect();
        (0..rows[0].len()).map(|column| rows.iter().map(|row| row[column]).collect()).collect()
    })
}

/// A value and its presence; a blank is the least value.
fn optional(min: i64, max: i64) -> impl Strategy<Value = [i64; 2]> {
    prop_oneof![2 => (min..=max).prop_map(|value| [value, 1]), 1 => Just([min, 0])]
}

/// Equal, square roots to the last bits: they are added in another order.
pub(super) fn is_same(left: &Outcome, right: &Outcome) -> bool {
    match (left, right) {
        (Outcome::Table(left), Outcome::Table(right)) => left
            .iter()
            .zip(right)
            .all(|((label, left), (other, right))| label == other && is_same(left, right)),
        (Outcome::Real(left), Outcome::Real(right)) => (left - right).abs() <= 1e-9 * left.abs().max(1.0),
        _ => left == right,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn any_circuit_gives_what_its_text_says(
        reveals in prop::collection::vec(reveal(), 1..4),
        table in table(1..7),
        field in select(vec![FieldId::F61, FieldId::F127]),
        capacity in select(vec![6_u64, 1000, 1 << 35]),
    ) {
        let (text, study) = (circuit(&reveals), study(field, capacity));
        // Constants compared, products beyond every field, divisors of either sign: refused, not wrong.
        let Ok(parsed) = Circuit::parse(&text) else { return Ok(()) };
        let Ok(checked) = check(&parsed, &study) else { return Ok(()) };
        let Ok(program) = lower(&checked, &study) else { return Ok(()) };
        assert_agrees(&text, &checked, &program, &table);
    }
}

#[track_caller]
fn assert_agrees(text: &str, checked: &Checked, program: &Program, table: &[Vec<Integer>]) {
    assert_eq!(program.validate(), Ok(()), "{text}");
    let outcomes = program.outcomes(&program.evaluate(table).unwrap(), table[0].len() as u64);
    let expected = oracle(checked, table);
    let same = outcomes.iter().zip(&expected).all(|(left, right)| is_same(&left.1, &right.1));
    assert!(same && outcomes.len() == expected.len(), "{text}\n{outcomes:?}\n{expected:?}");
}

/// What random circuits found once, and what they find seldom.
#[test]
fn found_before() {
    let table = [[9, 0], [-3, 4], [0, 15], [9, 9], [0, 2], [0, 0], [1, 1], [-2, 1], [0, 1], [1, 3], [0, 1]];
    let more = [[1, 0], [1, 0], [1, 0], [1, 1], [0, 1], [18_320, 18_319], [1, 0]];
    let table = [&table[..], &more].concat();
    for reveal in [
        "not ((mean(a) where b > 4.0) == variance(a) / sum(a))",
        "mean(a) / ((count() / (count() - 1)) / (sum(d) / count()))",
        "sum(a) / (sum(c) / sum(b * b))",
        "(variance(a) <= 5) where b > 0",
        "variance(a) by g where a >= 0",
        "(mean(a) >= 4.5) by g",
        "(mean(a) / sum(b * b) != 1) where k == x",
        "if count(a > 3) > 0 then (mean(a) where a > 3) else 0",
        "sum(a) * sum(a) + 3 * sum(a)",
        "stddev(a) / stddev(d) - mean(c)",
        "covariance(a, b) where c < 1",
        "covariance(a, a) - variance(a)",
        "correlation(a, d)",
        "regression(a ~ d)",
        "regression(a ~ b + (g == x) + c * 2) where a != d",
        "regression(b ~ a + d) by k",
        "ttest(a by b > 0)",
        "ttest(c * 2 - d by bins(a, [0, 3, 9])) where g != x",
        "ttest(a > 3 by b > 0) by k",
        "chisq(g, k)",
        "chisq(g, bins(a, [0, 3, 9])) where b > -2",
        "chisq(h, a > 3) by g",
        "mean(c) weighted a where g != x",
        "(mean(a) weighted (d + 1) by k) - (mean(a) by k)",
        "correlation(a, b * c) by k",
        "pvariance(a) by g",
        "pstddev(a - d) where b >= 0",
        "histogram(a, [0, 3, 9])",
        "mean(a) by g by k where b > -2",
        "(count(a > 3) by k) / (count() by k)",
        "histogram(d, [0, 4, 9]) by h by g",
        "histogram(b, [-3.5, -3, 0, 3.5]) where k == y",
        "(mean(b) > 0) by bins(c, [0, 0.55, 1.5])",
        "count(if a > d then g == h else not k == y)",
        "sum(if a * b > c then a - 0.5 else b / 3) where a != d",
        "(mean(o) > 0) where not s",
        "mean(if s then p else a)",
        "mean(p) weighted o by s",
        "correlation(o, a) + missing(o + p) where t",
        "regression(a ~ o + s) by t",
        "min(a)",
        "median(b) - max(c)",
        "quantile(a, 0.3) where b > 0",
        "quantile(2 * b - 7, 1) by g",
        "median(-b / 3) where a > 100",
        "(median(a) > 4) where b < -2",
        "(max(b) where k == x) - (min(b) where k == y)",
        "median(5)",
        "max(c * 2 + 1) where a >= 0",
        "(mean(a) + median(a)) by k",
        "sum(a) / (median(d) where c > 1)",
        "median(if a > 5 then b else c) + quantile(b, 0.3)",
        "not (min(a) == max(a)) by g by k",
    ] {
        for rows in 1..=2 {
            let columns: Vec<_> = table.iter().map(|column| integers(&column[..rows])).collect();
            let (text, study) = (circuit(&[reveal.to_owned()]), study(FieldId::F61, 1000));
            let checked = check(&parse(&text), &study).unwrap();
            assert_agrees(&text, &checked, &lower(&checked, &study).unwrap(), &columns);
        }
    }
}

#[test]
fn most_random_circuits_lower() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let (mut runner, study) = (TestRunner::deterministic(), study(FieldId::F61, 6));
    let lowers = (0..300).filter(|_| {
        let text = circuit(&[reveal().new_tree(&mut runner).unwrap().current()]);
        check(&parse(&text), &study).is_ok_and(|checked| lower(&checked, &study).is_ok())
    });
    let lowered = lowers.count();
    assert!(lowered > 150, "{lowered} of 300");
}

#[test]
fn nobody_is_undefined_or_false() {
    let reveals = [
        "mean(a)",
        "stddev(a)",
        "mean(a) > 1",
        "(mean(a) <= 1) where b < 0",
        "count(a > 1)",
        "median(a)",
        "min(b) where b < 0",
        "max(b) > 1",
        "(quantile(b, 0.1) < 1) where b < 0",
    ];
    let (text, study) = (circuit(&reveals.map(str::to_owned)), study(FieldId::F61, 6));
    let checked = check(&parse(&text), &study).unwrap();
    let program = lower(&checked, &study).unwrap();
    let table = vec![integers(&[]); study.columns.len()];
    let outcomes = program.outcomes(&program.evaluate(&table).unwrap(), 0);
    assert_eq!(outcomes, oracle(&checked, &table));
    let shown: Vec<_> = outcomes.iter().map(|(_, outcome)| serde_json::to_string(outcome).unwrap()).collect();
    assert_eq!(shown, ["null", "null", "null", "false", "0", "null", "null", "null", "false"]);
}
