//! Costs against helpers, threshold and contributors, as pictures.

use std::path::Path;

use quorate_circuit::SharingKind;
use quorate_plot::{Axis, Chart, Series, draw_charts};

use super::Line;
use super::costs::Costs;
use crate::failure::Failure;

/// A cost that is drawn: its title, its axis, and what it is of a line.
struct Cost {
    title: &'static str,
    axis: fn() -> Axis,
    of: fn(&Costs) -> f64,
}

const UPLOADED: Cost = Cost {
    title: "Upload of one contributor",
    axis: || Axis::linear("bytes, to all helpers together"),
    of: |costs| costs.bytes_per_contributor as f64,
};
const SEAL_AND_RUN: Cost = Cost {
    title: "Seal and run",
    axis: || Axis::log("seconds"),
    of: |costs| costs.seal_seconds + costs.run_seconds,
};
const HELPER_CPU: Cost = Cost {
    title: "Work of one helper, upload and seal",
    axis: || Axis::log("microseconds of CPU for each contribution"),
    of: |costs| costs.helper_upload_cpu_us + costs.helper_seal_cpu_us,
};

/// Writes `helpers`, `threshold` and `contributors` into `dir`, each as SVG and PNG.
pub(super) fn write(dir: &Path, lines: &[Line]) -> Result<(), Failure> {
    // The most contributors: what each one costs is least hidden by what the helpers cost anyway.
    let most = lines.iter().map(|line| line.contributors).max().unwrap_or(0);
    let largest: Vec<&Line> = lines.iter().filter(|line| line.contributors == most).collect();
    let all: Vec<&Line> = lines.iter().collect();
    let circuits = distinct(lines.iter().map(|line| line.circuit.clone()));

    let mut helpers = vec![uploads(&largest, "helpers", |line| line.helpers.into(), of_threshold)];
    let mut threshold = vec![uploads(&largest, "threshold", |line| line.threshold.into(), of_helpers)];
    let mut contributors = Vec::new();
    for circuit in &circuits {
        for cost in [&SEAL_AND_RUN, &HELPER_CPU] {
            let suffix = format!(", {circuit}, {most} contributors");
            let (x, of_circuit) = (Axis::linear("helpers"), of(&largest, circuit));
            helpers.push(chart(cost, &suffix, x, &of_circuit, |line| line.helpers.into(), of_threshold));
            let x = Axis::linear("threshold");
            threshold.push(chart(cost, &suffix, x, &of_circuit, |line| line.threshold.into(), of_helpers));
            let (x, suffix) = (Axis::log("contributors"), format!(", {circuit}"));
            let of_circuit = of(&all, circuit);
            let scheme = |line: &Line| line.scheme.clone();
            contributors.push(chart(cost, &suffix, x, &of_circuit, |line| line.contributors.into(), scheme));
        }
    }
    for (name, charts) in [("helpers", helpers), ("threshold", threshold), ("contributors", contributors)] {
        let picture = draw_charts(&charts);
        let png = picture.png().map_err(|error| failed(dir, std::io::Error::other(error)))?;
        for (ending, bytes) in [("svg", picture.svg().into_bytes()), ("png", png)] {
            let path = dir.join(format!("{name}.{ending}"));
            std::fs::write(&path, bytes).map_err(|source| failed(&path, source))?;
        }
    }
    Ok(())
}

fn failed(path: &Path, source: std::io::Error) -> Failure {
    Failure::File { doing: "write", path: path.to_owned(), source }
}

/// Lines of helpers that share a threshold, or are additive.
fn of_threshold(line: &Line) -> String {
    match line.sharing {
        SharingKind::Additive => "additive".to_owned(),
        SharingKind::Shamir => format!("threshold {}", line.threshold),
    }
}

/// Lines of the fewest helpers for a threshold, of more, or additive.
fn of_helpers(line: &Line) -> String {
    let spare = i32::from(line.helpers) - 2 * i32::from(line.threshold) - 1;
    match (line.sharing, spare) {
        (SharingKind::Additive, _) => "additive".to_owned(),
        (SharingKind::Shamir, 0) => "2t + 1 helpers".to_owned(),
        (SharingKind::Shamir, 1) => "2t + 2 helpers".to_owned(),
        (SharingKind::Shamir, _) => "other numbers of helpers".to_owned(),
    }
}

/// Uploads do not depend on the circuit: those of the first one.
fn uploads(lines: &[&Line], label: &str, at: fn(&Line) -> f64, series: fn(&Line) -> String) -> Chart {
    let first = lines.first().map(|line| line.circuit.clone()).unwrap_or_default();
    chart(&UPLOADED, "", Axis::linear(label), &of(lines, &first), at, series)
}

fn of<'a>(lines: &[&'a Line], circuit: &str) -> Vec<&'a Line> {
    lines.iter().copied().filter(|line| line.circuit == circuit).collect()
}

/// A chart with a line for each of the names that `series` gives, its points in ascending order.
fn chart(
    cost: &Cost,
    suffix: &str,
    x: Axis,
    lines: &[&Line],
    at: impl Fn(&Line) -> f64,
    series: impl Fn(&Line) -> String,
) -> Chart {
    let names = distinct(lines.iter().filter(|line| line.costs.is_some()).map(|line| series(line)));
    let of_name = |name: String| {
        let of_it = lines.iter().filter(|line| series(line) == name);
        let mut points: Vec<(f64, f64)> =
            of_it.filter_map(|line| Some((at(line), (cost.of)(line.costs.as_ref()?)))).collect();
        points.sort_by(|left, right| left.0.total_cmp(&right.0));
        Series { name, points }
    };
    let series = names.into_iter().map(of_name).collect();
    Chart { title: format!("{}{suffix}", cost.title), x, y: (cost.axis)(), series }
}

/// Each name once, in the order in which they come.
fn distinct(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut distinct: Vec<String> = Vec::new();
    for name in names {
        if !distinct.contains(&name) {
            distinct.push(name);
        }
    }
    distinct
}
