//! Reports of runs: results and what vouches for them, for people and as JSON.

use quorate_circuit::{InputChecks, Outcome, Study};
use quorate_client::Integrity;
use quorate_client::analyst::Run;
use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::failure::Failure;
use crate::output::{aligned, bytes, line, note, seconds};

/// A run as it is printed. The names of the fields are the keys of the JSON.
#[derive(Debug, serde::Serialize)]
pub(crate) struct Report {
    results: Ordered<Outcome>,
    contributions: Contributions,
    quorum: Vec<u8>,
    integrity: Integrity,
    inputs: String,
    fields: Vec<String>,
    seconds: Ordered<f64>,
    bytes: Ordered<u64>,
    #[serde(skip)]
    implausible: Vec<String>,
    /// Whether helpers worked each alone: a wrong share is all that could be wrong.
    #[serde(skip)]
    is_linear: bool,
}

#[derive(Debug, serde::Serialize)]
struct Contributions {
    accepted: u64,
    refused: u64,
}

/// A map in the order in which it was made.
#[derive(Clone, Debug)]
pub(crate) struct Ordered<T>(pub(crate) Vec<(String, T)>);

impl<T> Ordered<T> {
    pub(crate) fn push(&mut self, name: &str, value: T) {
        self.0.push((name.to_owned(), value));
    }
}

impl<T: Serialize> Serialize for Ordered<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        self.0.iter().try_for_each(|(name, value)| map.serialize_entry(name, value))?;
        map.end()
    }
}

impl Report {
    /// The report of `run`; `skipped` rows were refused before anything was sent.
    pub(crate) fn of(study: &Study, run: &Run, skipped: u64) -> Self {
        let manifest = &run.manifest;
        let checks = InputChecks { degree: manifest.degree_checked, range: manifest.range_checked };
        let mut fields: Vec<_> = run.program.outputs.iter().map(|output| output.field).collect();
        fields.push(study.field);
        fields.sort_unstable();
        fields.dedup();
        Report {
            results: Ordered(run.answer.results.clone()),
            contributions: Contributions {
                accepted: manifest.contributions,
                refused: manifest.excluded.total() + manifest.left_out.contributions + skipped,
            },
            quorum: run.answer.quorum.clone(),
            integrity: run.answer.integrity.clone(),
            inputs: checks.to_string(),
            fields: fields.iter().map(ToString::to_string).collect(),
            seconds: Ordered(vec![("run".into(), run.seconds)]),
            bytes: Ordered(vec![
                ("between_helpers".into(), run.bytes_between_helpers),
                ("results".into(), run.bytes_of_results),
            ]),
            implausible: run.answer.implausible.clone(),
            is_linear: run.program.is_linear(),
        }
    }

    /// Puts the times and sizes of earlier steps before those of the run.
    pub(crate) fn after(mut self, seconds: &Ordered<f64>, bytes: &Ordered<u64>) -> Self {
        self.seconds.0.splice(0..0, seconds.0.iter().cloned());
        self.bytes.0.splice(0..0, bytes.0.iter().cloned());
        self
    }

    /// Adds how long everything took.
    pub(crate) fn total(mut self, seconds: f64) -> Self {
        self.seconds.push("total", seconds);
        self
    }

    /// Prints the report for people, or as JSON.
    pub(crate) fn print(&self, json: bool) -> Result<(), Failure> {
        for meaning in &self.implausible {
            note(format_args!(
                "warning: {meaning} is beyond what declared values can give: some contributor's value was out of its \
                 range, and ranges are trusted in this study"
            ));
        }
        if json {
            return crate::output::json(self);
        }
        line(self.results_text())?;
        line("")?;
        line(aligned(self.details(), false, &[]))
    }

    /// The results in aligned columns.
    pub(crate) fn results_text(&self) -> String {
        let mut rows = Vec::new();
        for (name, outcome) in &self.results.0 {
            push_rows(name, outcome, &mut rows);
        }
        aligned(rows, false, &[1])
    }

    /// What vouches for the results, in words.
    pub(crate) fn integrity_text(&self) -> String {
        let Integrity { redundant_shares, wrong_helpers } = &self.integrity;
        let shares = if *redundant_shares == 1 { "share" } else { "shares" };
        match (redundant_shares, wrong_helpers.as_slice()) {
            (0, _) => "0 redundant shares: unverified".to_owned(),
            (count, []) if self.is_linear => format!("{count} redundant {shares}: all fit"),
            (count, []) => {
                format!("{count} redundant {shares}: all fit; helpers are trusted to compute rightly")
            }
            (count, wrong) => {
                format!("{count} redundant {shares}: wrong shares of {} were corrected", helpers(wrong))
            }
        }
    }

    fn details(&self) -> Vec<Vec<String>> {
        let Contributions { accepted, refused } = self.contributions;
        let listed = |parts: Vec<String>| parts.join(", ");
        let seconds =
            self.seconds.0.iter().map(|(name, value)| format!("{name} {}", seconds(*value))).collect();
        let bytes =
            self.bytes.0.iter().map(|(name, value)| format!("{} {}", name.replace('_', " "), bytes(*value)));
        let rows = [
            ("contributions", format!("{accepted} accepted, {refused} refused")),
            ("quorum", helpers(&self.quorum)),
            ("integrity", self.integrity_text()),
            ("inputs", self.inputs.clone()),
            ("fields", self.fields.join(", ")),
            ("seconds", listed(seconds)),
            ("bytes", listed(bytes.collect())),
        ];
        rows.into_iter().map(|(name, value)| vec![name.to_owned(), value]).collect()
    }
}

/// `helper 3`, `helpers 1, 2 and 4`.
pub(crate) fn helpers(numbers: &[u8]) -> String {
    let texts: Vec<String> = numbers.iter().map(u8::to_string).collect();
    match texts.as_slice() {
        [] => "no helper".to_owned(),
        [one] => format!("helper {one}"),
        [most @ .., last] => format!("helpers {} and {last}", most.join(", ")),
    }
}

/// A line for each cell of a table, or one.
fn push_rows(name: &str, outcome: &Outcome, rows: &mut Vec<Vec<String>>) {
    match outcome {
        Outcome::Table(cells) => {
            cells.iter().for_each(|(label, cell)| push_rows(&format!("{name} / {label}"), cell, rows));
        }
        Outcome::Fit(fit) => {
            for one in &fit.coefficients {
                let value = format!("{} (standard error {})", one.estimate, one.standard_error);
                rows.push(vec![format!("{name} / {}", one.name), value]);
            }
            rows.push(vec![format!("{name} / R^2"), fit.r_squared.to_string()]);
        }
        outcome => rows.push(vec![name.to_owned(), outcome.to_string()]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn helpers_are_listed_in_words() {
        assert_eq!(helpers(&[]), "no helper");
        assert_eq!(helpers(&[3]), "helper 3");
        assert_eq!(helpers(&[1, 2, 4]), "helpers 1, 2 and 4");
    }

    #[test]
    fn maps_keep_their_order() {
        let map = Ordered(vec![("b".into(), 1), ("a".into(), 2)]);
        assert_eq!(serde_json::to_string(&map).unwrap(), r#"{"b":1,"a":2}"#);
    }
}
