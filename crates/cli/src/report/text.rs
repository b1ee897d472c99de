//! Results for people: aligned tables of rounded numbers.

use quorate_circuit::{ChiSquared, Fit, FittedCoefficient, Outcome, Regression, TTest, Vector};
use quorate_plot::{figure, figures, is_binned};

use crate::output::aligned;

/// Characters of the longest bar.
const BAR_MAX: f64 = 40.0;

/// The results: numbers beside their names, each table and model below its own. Bins get bars where `has_bars`.
pub(super) fn results(results: &[(String, Outcome)], has_bars: bool) -> String {
    let (mut blocks, mut scalars) = (Vec::new(), Vec::new());
    for (name, outcome) in results {
        if is_leaf(outcome) {
            scalars.push(vec![name.clone(), leaf(outcome)]);
            continue;
        }
        flush(&mut scalars, &mut blocks);
        push_blocks(name, outcome, has_bars, &mut blocks);
    }
    flush(&mut scalars, &mut blocks);
    blocks.join("\n\n")
}

fn flush(scalars: &mut Vec<Vec<String>>, blocks: &mut Vec<String>) {
    if !scalars.is_empty() {
        blocks.push(aligned(std::mem::take(scalars), false, &[1]));
    }
}

/// A table by one or two groupings or a model is one block; a table of more has one for each of the first's groups.
fn push_blocks(name: &str, outcome: &Outcome, has_bars: bool, blocks: &mut Vec<String>) {
    let text = match outcome {
        Outcome::Fit(fit) => match &**fit {
            Fit::Regression(regression) => model(regression),
            Fit::TTest(test) => t_test(test),
            Fit::ChiSquared(test) => chi_squared(test),
        },
        Outcome::Vector(numbers) => vector(numbers),
        Outcome::Table(cells) if cells.iter().all(|(_, cell)| is_leaf(cell)) => one_way(cells, has_bars),
        Outcome::Table(cells) => match two_way(cells) {
            Some(text) => text,
            None => {
                for (label, cell) in cells {
                    push_blocks(&format!("{name} / {label}"), cell, has_bars, blocks);
                }
                return;
            }
        },
        cell => leaf(cell),
    };
    let indented: Vec<String> = text.lines().map(|line| format!("  {line}").trim_end().to_owned()).collect();
    blocks.push(format!("{name}\n{}", indented.join("\n")));
}

fn is_leaf(outcome: &Outcome) -> bool {
    !matches!(outcome, Outcome::Table(_) | Outcome::Fit(_) | Outcome::Vector(_))
}

/// Groups below each other, with bars where they are bins.
fn one_way(cells: &[(String, Outcome)], has_bars: bool) -> String {
    let texts = column(cells.iter().map(|(_, cell)| cell));
    let values: Vec<f64> = cells.iter().map(|(_, cell)| cell.to_f64().unwrap_or(0.0)).collect();
    let largest = values.iter().copied().fold(0.0, f64::max);
    let has_bars = has_bars && is_binned(cells) && largest > 0.0;
    let mut rows = Vec::with_capacity(cells.len());
    for (((label, _), text), value) in cells.iter().zip(texts).zip(values) {
        let bar = has_bars.then(|| bar(value / largest));
        rows.push([label.clone(), text].into_iter().chain(bar).collect());
    }
    aligned(rows, false, &[1])
}

/// A bar for a part of the largest; none for what is below zero.
#[expect(clippy::cast_possible_truncation, reason = "between 0 and BAR_MAX")]
fn bar(part: f64) -> String {
    "█".repeat((part.max(0.0) * BAR_MAX).round() as usize)
}

/// The first grouping's groups below each other, the second's beside each other; `None` of other tables.
fn two_way(cells: &[(String, Outcome)]) -> Option<String> {
    let mut lines: Vec<&[(String, Outcome)]> = Vec::with_capacity(cells.len());
    for (_, cell) in cells {
        match cell {
            Outcome::Table(line) if line.iter().all(|(_, cell)| is_leaf(cell)) => lines.push(line),
            _ => return None,
        }
    }
    let width = lines.first()?.len();
    if lines.iter().any(|line| line.len() != width) {
        return None;
    }
    let heading = std::iter::once(String::new()).chain(lines[0].iter().map(|(label, _)| label.clone()));
    let mut rows = vec![heading.collect::<Vec<_>>()];
    rows.extend(cells.iter().map(|(label, _)| vec![label.clone()]));
    for index in 0..width {
        let texts = column(lines.iter().map(|line| &line[index].1));
        rows[1..].iter_mut().zip(texts).for_each(|(row, text)| row.push(text));
    }
    Some(aligned(rows, true, &(1..=width).collect::<Vec<_>>()))
}

/// The first few numbers, and how many there are.
fn vector(vector: &Vector) -> String {
    const SHOWN: usize = 8;
    let shown: Vec<Outcome> = (0..SHOWN).filter_map(|index| vector.get(index)).map(Outcome::Number).collect();
    let indices = (0..shown.len()).map(|index| index.to_string());
    let rows = indices.zip(column(shown.iter())).map(|(index, text)| vec![index, text]).collect();
    let first = aligned(rows, false, &[0, 1]);
    match vector.len() - shown.len() {
        0 => first,
        more => format!("{first}\nand {more} more of {} numbers (--json gives all)", vector.len()),
    }
}

/// A row for each coefficient.
fn model(fit: &Regression) -> String {
    let heading = ["", "estimate", "standard error", "t", "p"].map(str::to_owned).to_vec();
    let row = |one: &FittedCoefficient| {
        let numbers = [one.estimate, one.standard_error, one.t(), fit.p_value(one)];
        std::iter::once(one.name.clone()).chain(numbers.map(figure)).collect()
    };
    let rows = std::iter::once(heading).chain(fit.coefficients.iter().map(row)).collect();
    let table = aligned(rows, true, &[1, 2, 3, 4]);
    format!("{table}\n\nR^2 {}, {} rows", figure(fit.r_squared), fit.rows)
}

/// Both groups, and how they differ.
fn t_test(test: &TTest) -> String {
    let means = figures(&test.samples.each_ref().map(|sample| sample.mean));
    let mut rows = vec![["", "mean", "rows"].map(str::to_owned).to_vec()];
    for (sample, mean) in test.samples.iter().zip(means) {
        rows.push(vec![sample.label.clone(), mean, sample.rows.to_string()]);
    }
    let TTest { difference, margin, t, freedom, p_value, .. } = test;
    let [low, middle, high] = [difference - margin, *difference, difference + margin].map(figure);
    let [t, freedom, p_value] = [*t, *freedom, *p_value].map(figure);
    let table = aligned(rows, true, &[1, 2]);
    format!("{table}\n\ndifference {middle} [{low}, {high}], t {t}, df {freedom}, p {p_value}")
}

/// The rows that were counted, and how they depend.
fn chi_squared(test: &ChiSquared) -> String {
    let heading = std::iter::once(String::new()).chain(test.columns.iter().cloned());
    let mut rows = vec![heading.collect::<Vec<_>>()];
    for (label, counts) in test.rows.iter().zip(&test.counts) {
        rows.push(std::iter::once(label.clone()).chain(counts.iter().map(u64::to_string)).collect());
    }
    let table = aligned(rows, true, &(1..=test.columns.len()).collect::<Vec<_>>());
    let [statistic, p_value, cramers_v] = [test.statistic, test.p_value, test.cramers_v].map(figure);
    format!("{table}\n\nchi-squared {statistic}, df {}, p {p_value}, Cramér's V {cramers_v}", test.freedom)
}

/// A column's cells with equally many decimals.
fn column<'a>(cells: impl Iterator<Item = &'a Outcome>) -> Vec<String> {
    let cells: Vec<&Outcome> = cells.collect();
    let is_number = |cell: &&Outcome| matches!(cell, Outcome::Number(_) | Outcome::Real(_));
    let numbers: Vec<f64> =
        cells.iter().copied().filter(is_number).map(|cell| cell.to_f64().unwrap_or(f64::NAN)).collect();
    let mut texts = figures(&numbers).into_iter();
    let text = |cell: &Outcome| match cell {
        Outcome::Number(quantity) if quantity.is_integer() && is_whole(&numbers) => {
            texts.next();
            quantity.to_string()
        }
        Outcome::Number(_) | Outcome::Real(_) => texts.next().unwrap_or_default(),
        Outcome::Undefined(why) => {
            let why = why.to_string();
            why.split(':').next().unwrap_or_default().to_owned()
        }
        other => other.to_string(),
    };
    cells.into_iter().map(text).collect()
}

fn is_whole(numbers: &[f64]) -> bool {
    numbers.iter().all(|number| number.fract() == 0.0)
}

/// A number on a line of its own.
fn leaf(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Undefined(why) => why.to_string(),
        other => column(std::iter::once(other)).swap_remove(0),
    }
}

#[cfg(test)]
mod tests {
    use quorate_circuit::{Quantity, Sample, Undefined};
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
        results(&named, has_bars)
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
        let bars: Vec<usize> =
            shown_on_terminal.lines().skip(1).map(|line| line.matches('█').count()).collect();
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
}
