//! Results in long form, as CSV: a line for each number, unrounded as in JSON.
//!
//! `result,group1,group2,…,measure,value`: as many groups as the deepest table has, empty where a result has fewer. The
//! measure is `value`, or what it is of a fitted model or a test, as `coefficients / age`, or the place of a vector's number,
//! from 0. The value is empty where there is none. Where any result has noise, `stderr,low,high` follow, of those that have.

use quorate_circuit::{Margin, Outcome, Uncertainty};
use serde_json::Value;

use super::noise::{self, Noise};
use crate::failure::Failure;

/// The results as CSV, without the last line's end.
pub(super) fn results(results: &[(String, Outcome)], noise: &Noise) -> Result<String, Failure> {
    let mut lines = Vec::new();
    for (index, (name, outcome)) in results.iter().enumerate() {
        let noise = noise.get(index).and_then(|(_, noise)| noise.as_ref());
        push_lines(name, &[], outcome, noise, &mut lines)?;
    }
    let of_noise = if noise::is_none(noise) { &[][..] } else { &["stderr", "low", "high"] };
    let depth = lines.iter().map(|line| line.groups.len()).max().unwrap_or(0);
    let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
    let groups = (1..=depth).map(|number| format!("group{number}"));
    let heading =
        std::iter::once("result".to_owned()).chain(groups).chain(["measure".into(), "value".into()]);
    writer.write_record(heading.chain(of_noise.iter().map(ToString::to_string))).map_err(failed)?;
    for Line { result, mut groups, measure, value, margin } in lines {
        groups.resize(depth, String::new());
        let record = std::iter::once(result).chain(groups).chain([measure, value]);
        let record = record.chain(margin.into_iter().take(of_noise.len()));
        writer.write_record(record).map_err(failed)?;
    }
    let bytes = writer.into_inner().map_err(|error| failed(error.into_error()))?;
    Ok(String::from_utf8_lossy(&bytes).trim_end().to_owned())
}

struct Line {
    result: String,
    groups: Vec<String>,
    measure: String,
    value: String,
    /// Standard error and both ends, empty where there is no noise.
    margin: [String; 3],
}

fn push_lines(
    result: &str,
    groups: &[String],
    outcome: &Outcome,
    noise: Option<&Uncertainty>,
    lines: &mut Vec<Line>,
) -> Result<(), Failure> {
    if let Outcome::Table(cells) = outcome {
        for (index, (label, cell)) in cells.iter().enumerate() {
            let groups = [groups, std::slice::from_ref(label)].concat();
            push_lines(result, &groups, cell, noise.and_then(|noise| noise.part(index)), lines)?;
        }
        return Ok(());
    }
    let value = serde_json::to_value(outcome).map_err(failed)?;
    push_measures("", &value, &mut |measure, value| {
        let (result, groups) = (result.to_owned(), groups.to_vec());
        let margin = margin_of(measure, &value, noise);
        lines.push(Line { result, groups, measure: measure.to_owned(), value, margin });
    });
    Ok(())
}

/// What noise says of one measure of a result.
fn margin_of(measure: &str, value: &str, noise: Option<&Uncertainty>) -> [String; 3] {
    let found =
        match noise {
            Some(Uncertainty::Number(margin)) => Some(*margin),
            Some(Uncertainty::Vector { stderr, margin }) => value.parse().ok().map(|value: f64| Margin {
                stderr: *stderr,
                low: value - margin,
                high: value + margin,
            }),
            Some(Uncertainty::Parts(parts)) => measure.strip_prefix("coefficients / ").and_then(|name| {
                match parts.iter().find(|(part, _)| part == name)?.1.as_ref()? {
                    Uncertainty::Number(margin) => Some(*margin),
                    _ => None,
                }
            }),
            _ => None,
        };
    let texts = found.map(|Margin { stderr, low, high }| [stderr, low, high].map(|part| part.to_string()));
    texts.unwrap_or_default()
}

/// The numbers in a JSON value and what each measures.
fn push_measures(measure: &str, value: &Value, push: &mut dyn FnMut(&str, String)) {
    let named = if measure.is_empty() { "value" } else { measure };
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                let within = if measure.is_empty() { name.clone() } else { format!("{measure} / {name}") };
                push_measures(&within, field, push);
            }
        }
        Value::Array(numbers) if measure.is_empty() => {
            for (index, number) in numbers.iter().enumerate() {
                push_measures(&index.to_string(), number, push);
            }
        }
        Value::Null => push(named, String::new()),
        Value::String(text) => push(named, text.clone()),
        other => push(named, other.to_string()),
    }
}

fn failed(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Failure {
    Failure::Output(std::io::Error::other(error))
}

#[cfg(test)]
mod tests {
    use quorate_circuit::{Fit, FittedCoefficient, Quantity, Regression, Undefined, Vector};
    use quorate_field::Integer;

    use super::*;

    #[test]
    fn a_line_for_each_number() {
        let number = |top: u64, bottom: u64| {
            Outcome::Number(Quantity::new(Integer::from(top), Integer::from(bottom)).unwrap())
        };
        let undefined = Outcome::Undefined(Undefined::DivisionByZero);
        let inner = Outcome::Table(vec![("x".into(), number(1, 3)), ("y, z".into(), undefined)]);
        let one = FittedCoefficient { name: "intercept".into(), estimate: 1.5, standard_error: 0.5 };
        let fit = Fit::Regression(Regression { coefficients: vec![one], r_squared: 0.25, rows: 9 });
        let all = [
            ("people".to_owned(), number(12, 1)),
            ("both".to_owned(), Outcome::Table(vec![("a".into(), inner)])),
            ("holds".to_owned(), Outcome::Truth(false)),
            ("model".to_owned(), Outcome::Fit(Box::new(fit))),
            (
                "g".to_owned(),
                Outcome::Vector(Vector::new(vec![Integer::ONE; 2], Integer::from(4_u64)).unwrap()),
            ),
        ];
        let text = results(&all, &[]).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines[..5],
            [
                "result,group1,group2,measure,value",
                "people,,,value,12",
                "both,a,x,value,0.3333333333333333",
                "both,a,\"y, z\",value,",
                "holds,,,value,false",
            ]
        );
        assert!(lines.contains(&"model,,,coefficients / intercept,1.5"), "{text}");
        assert!(text.ends_with("g,,,0,0.25\ng,,,1,0.25"), "{text}");
        assert!(lines.contains(&"model,,,r_squared,0.25") && lines.contains(&"model,,,n,9"), "{text}");
    }

    #[test]
    fn noise_has_columns_where_there_is_any() {
        let number = |value: u64| Outcome::Number(Quantity::from(value));
        let within =
            |stderr: f64, low: f64, high: f64| Some(Uncertainty::Number(Margin { stderr, low, high }));
        let one = FittedCoefficient { name: "age".into(), estimate: 1.5, standard_error: 0.5 };
        let fit = Fit::Regression(Regression { coefficients: vec![one], r_squared: 0.25, rows: 9 });
        let vector = Outcome::Vector(Vector::new(vec![Integer::ONE], Integer::from(4_u64)).unwrap());
        let table = Outcome::Table(vec![("a".into(), number(7)), ("b".into(), number(8))]);
        let all = [
            ("people", number(12), None),
            ("pay", number(50), within(2.5, 45.1, 54.9)),
            (
                "by",
                table,
                Some(Uncertainty::Parts(vec![("a".into(), within(1.0, 5.0, 9.0)), ("b".into(), None)])),
            ),
            (
                "model",
                Outcome::Fit(Box::new(fit)),
                Some(Uncertainty::Parts(vec![("age".into(), within(0.5, 1.0, 2.0))])),
            ),
            ("g", vector, Some(Uncertainty::Vector { stderr: 0.25, margin: 0.5 })),
        ];
        let outcomes: Vec<_> = all.iter().map(|(name, one, _)| ((*name).to_owned(), one.clone())).collect();
        let noise: Vec<_> = all.iter().map(|(name, _, noise)| ((*name).to_owned(), noise.clone())).collect();
        let text = results(&outcomes, &noise).unwrap();
        for line in [
            "result,group1,measure,value,stderr,low,high",
            "people,,value,12,,,",
            "pay,,value,50,2.5,45.1,54.9",
            "by,a,value,7,1,5,9",
            "by,b,value,8,,,",
            "model,,coefficients / age,1.5,0.5,1,2",
            "model,,standard_errors / age,0.5,,,",
            "g,,0,0.25,0.25,-0.25,0.75",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
    }
}
