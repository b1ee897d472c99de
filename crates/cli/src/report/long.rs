//! Results in long form, as CSV: a line for each number, unrounded as in JSON.
//!
//! `result,group1,group2,…,measure,value`: as many groups as the deepest table has, empty where a result has fewer. The
//! measure is `value`, or what it is of a fitted model or a test, as `coefficients / age`, or the place of a vector's number,
//! from 0. The value is empty where there is none.

use quorate_circuit::Outcome;
use serde_json::Value;

use crate::failure::Failure;

/// The results as CSV, without the last line's end.
pub(super) fn results(results: &[(String, Outcome)]) -> Result<String, Failure> {
    let mut lines = Vec::new();
    for (name, outcome) in results {
        push_lines(name, &[], outcome, &mut lines)?;
    }
    let depth = lines.iter().map(|line| line.groups.len()).max().unwrap_or(0);
    let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
    let groups = (1..=depth).map(|number| format!("group{number}"));
    let heading =
        std::iter::once("result".to_owned()).chain(groups).chain(["measure".into(), "value".into()]);
    writer.write_record(heading).map_err(failed)?;
    for Line { result, mut groups, measure, value } in lines {
        groups.resize(depth, String::new());
        let record = std::iter::once(result).chain(groups).chain([measure, value]);
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
}

fn push_lines(
    result: &str,
    groups: &[String],
    outcome: &Outcome,
    lines: &mut Vec<Line>,
) -> Result<(), Failure> {
    if let Outcome::Table(cells) = outcome {
        for (label, cell) in cells {
            push_lines(result, &[groups, std::slice::from_ref(label)].concat(), cell, lines)?;
        }
        return Ok(());
    }
    let value = serde_json::to_value(outcome).map_err(failed)?;
    push_measures("", &value, &mut |measure, value| {
        let (result, groups) = (result.to_owned(), groups.to_vec());
        lines.push(Line { result, groups, measure: measure.to_owned(), value });
    });
    Ok(())
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
        let text = results(&all).unwrap();
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
}
