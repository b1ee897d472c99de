//! Reports of runs: results and what vouches for them, for people, as JSON and as CSV.

mod cost;
mod long;
mod noise;
mod text;

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use clap::Args;
use quorate_circuit::{Circuit, Outcome, Study, Uncertainty, Undefined};
use quorate_client::Integrity;
use quorate_client::analyst::Run;
use quorate_client::owner;
use quorate_privacy::Loss;
use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::failure::Failure;
use crate::output::{aligned, bytes, line, note, seconds};
use cost::Cost;

/// How results are given out, as arguments.
#[derive(Debug, Args)]
pub(crate) struct ReportArguments {
    /// Print as JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Draw the results into this file, which ends with .svg or .png
    #[arg(long, value_name = "FILE", value_parser = plot_path)]
    pub(crate) plot: Option<PathBuf>,
}

fn plot_path(given: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(given);
    match ending(&path).as_str() {
        "svg" | "png" => Ok(path),
        _ => Err("expected a name that ends with .svg or .png".to_owned()),
    }
}

fn ending(path: &Path) -> String {
    path.extension().unwrap_or_default().to_string_lossy().to_lowercase()
}

/// How a report is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// For people.
    Text,
    /// As an object.
    Json,
    /// The results alone, a line for each number.
    Csv,
}

impl Style {
    /// JSON or text.
    pub(crate) fn json(is_json: bool) -> Self {
        if is_json { Style::Json } else { Style::Text }
    }
}

/// A run as it is printed. The names of the fields are the keys of the JSON.
#[derive(Debug, serde::Serialize)]
pub(crate) struct Report {
    results: Ordered<Outcome>,
    /// How far noise may have taken results.
    #[serde(serialize_with = "noise::serialize", skip_serializing_if = "noise::is_none")]
    noise: Vec<(String, Option<Uncertainty>)>,
    /// What it cost, where results are private.
    #[serde(skip_serializing_if = "Option::is_none")]
    privacy: Option<Cost>,
    /// Results and cells that are withheld, as `name / label`.
    suppressed: Vec<String>,
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
    /// The report of `run`; `skipped` rows were refused before anything was sent. `spent` is what helpers say after it that the study's
    /// results cost, if they were asked.
    pub(crate) fn of(study: &Study, run: &Run, skipped: u64, spent: Option<Loss>) -> Self {
        let manifest = &run.manifest.manifest;
        let checks = owner::checks_of(manifest);
        let mut fields: Vec<_> = run.program.outputs.iter().map(|output| output.field).collect();
        fields.push(study.field);
        fields.sort_unstable();
        fields.dedup();
        Report {
            results: Ordered(run.answer.results.clone()),
            noise: run.answer.noise.clone(),
            privacy: Cost::of(study, run, spent),
            suppressed: suppressed(&run.answer.results),
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
                ("between_helpers".into(), run.bytes_between_helpers()),
                ("results".into(), run.bytes_of_results()),
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

    /// Prints the report.
    pub(crate) fn print(&self, style: Style) -> Result<(), Failure> {
        for meaning in &self.implausible {
            note(format_args!(
                "warning: {meaning} is beyond what declared values can give: some contributor's value was out of its \
                 range, and ranges are trusted in this study"
            ));
        }
        match style {
            Style::Json => return crate::output::json(self),
            Style::Csv => return line(long::results(&self.results.0, &self.noise)?),
            Style::Text => {}
        }
        line(text::results(&self.results.0, &self.noise, std::io::stdout().is_terminal()))?;
        line("")?;
        line(aligned(self.details(), false, &[]))
    }

    /// Draws the results of `circuit` into a file.
    pub(crate) fn draw(&self, path: &Path, circuit: &str) -> Result<(), Failure> {
        let failed = |source| Failure::File { doing: "write", path: path.to_owned(), source };
        let circuit = Circuit::parse(circuit).ok();
        let picture = quorate_plot::draw(&self.results.0, &self.noise, circuit.as_ref());
        let bytes = match ending(path).as_str() {
            "png" => picture.png().map_err(|error| failed(std::io::Error::other(error)))?,
            _ => picture.svg().into_bytes(),
        };
        std::fs::write(path, bytes).map_err(failed)
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
        let of_noise = "± is where the exact result is with 95 percent, as far as noise goes";
        let noise = (!noise::is_none(&self.noise)).then(|| ("noise", of_noise.to_owned()));
        let privacy = self.privacy.map(|cost| ("privacy", cost.text()));
        let rows = [
            ("contributions", format!("{accepted} accepted, {refused} refused")),
            ("quorum", helpers(&self.quorum)),
            ("integrity", self.integrity_text()),
            ("inputs", self.inputs.clone()),
            ("fields", self.fields.join(", ")),
            ("seconds", listed(seconds)),
            ("bytes", listed(bytes.collect())),
        ];
        let rows = noise.into_iter().chain(privacy).chain(rows);
        rows.map(|(name, value)| vec![name.to_owned(), value]).collect()
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

/// The results and cells that are withheld, as `name / label`.
fn suppressed(results: &[(String, Outcome)]) -> Vec<String> {
    let mut paths = Vec::new();
    for (name, outcome) in results {
        push_suppressed(name, outcome, &mut paths);
    }
    paths
}

fn push_suppressed(path: &str, outcome: &Outcome, paths: &mut Vec<String>) {
    match outcome {
        Outcome::Table(cells) => {
            for (label, cell) in cells {
                push_suppressed(&format!("{path} / {label}"), cell, paths);
            }
        }
        Outcome::Undefined(Undefined::Suppressed) => paths.push(path.to_owned()),
        _ => {}
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
