//! Costs against helpers, threshold and contributors, as pictures.

use std::path::Path;

use quorate_circuit::SharingKind;
use quorate_plot::{Axis, Chart, Series, draw_charts};

use super::Line;
use super::costs::Costs;
use crate::failure::Failure;

/// A cost that is drawn: its name in files, its title, its axis, and what it is of a line.
struct Cost {
    name: &'static str,
    title: &'static str,
    axis: fn() -> Axis,
    of: fn(&Costs) -> f64,
}

const UPLOAD: Cost = Cost {
    name: "upload",
    title: "Upload of one contributor",
    axis: || Axis::linear("bytes, to all helpers together"),
    of: |costs| costs.bytes_per_contributor as f64,
};
const TIME: Cost = Cost {
    name: "time",
    title: "Seal and run",
    axis: || Axis::log("seconds"),
    of: |costs| costs.seal_seconds + costs.run_seconds,
};
const WORK: Cost = Cost {
    name: "work",
    title: "Work of one helper, upload and seal",
    axis: || Axis::log("microseconds of CPU for each contribution"),
    of: |costs| costs.helper_upload_cpu_us + costs.helper_seal_cpu_us,
};

/// Writes each chart into `dir`, as SVG and PNG: the upload by helpers and by threshold, the other costs by helpers, by threshold and
/// by contributors for every circuit.
pub(super) fn write(dir: &Path, lines: &[Line]) -> Result<(), Failure> {
    for (name, chart) in charts(lines) {
        let picture = draw_charts(&[chart]);
        let png = picture.png().map_err(|error| failed(dir, std::io::Error::other(error)))?;
        for (ending, bytes) in [("svg", picture.svg().into_bytes()), ("png", png)] {
            let path = dir.join(format!("{name}.{ending}"));
            std::fs::write(&path, bytes).map_err(|source| failed(&path, source))?;
        }
    }
    Ok(())
}

/// The charts with the names of their files.
fn charts(lines: &[Line]) -> Vec<(String, Chart)> {
    // Additive sharing last, so that thresholds have the same colours in all charts.
    let (additive, shamir): (Vec<&Line>, Vec<&Line>) =
        lines.iter().partition(|line| line.sharing == SharingKind::Additive);
    let all = [shamir, additive].concat();
    // The most contributors: what each one costs is least hidden by what the helpers cost anyway.
    let most = lines.iter().map(|line| line.contributors).max().unwrap_or(0);
    let circuits = distinct(lines.iter().map(|line| line.circuit.clone()));
    let mut charts = Vec::new();
    for (index, circuit) in circuits.iter().enumerate() {
        let of_all: Vec<&Line> = all.iter().copied().filter(|line| line.circuit == *circuit).collect();
        let of_most: Vec<&Line> = of_all.iter().copied().filter(|line| line.contributors == most).collect();
        let stem = Path::new(circuit).file_stem().unwrap_or_default().to_string_lossy();
        let mut push = |cost: &Cost, by: &str, what: String, chart: Chart| {
            let circuit = if cost.name == UPLOAD.name { String::new() } else { format!("-{stem}") };
            let title = format!("{}{what}", cost.title);
            charts.push((format!("{}-by-{by}{circuit}", cost.name), Chart { title, ..chart }));
        };
        // Uploads do not depend on what is computed.
        let costs = if index == 0 { &[&UPLOAD, &TIME, &WORK][..] } else { &[&TIME, &WORK] };
        for cost in costs {
            let what = match cost.name == UPLOAD.name {
                true => String::new(),
                false => format!(": {stem}, {most} contributors"),
            };
            let chart = by(cost, Axis::linear("helpers"), &of_most, |line| line.helpers.into(), of_threshold);
            push(cost, "helpers", what.clone(), chart);
            let at = |line: &Line| line.threshold.into();
            let chart = by(cost, Axis::linear("threshold"), &of_most, at, of_helpers);
            push(cost, "threshold", what, chart);
        }
        for cost in [&TIME, &WORK] {
            let (at, scheme) = (|line: &Line| line.contributors.into(), |line: &Line| line.scheme.clone());
            let chart = by(cost, Axis::log("contributors"), &of_all, at, scheme);
            push(cost, "contributors", format!(": {stem}"), chart);
        }
    }
    charts
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

/// A chart with a line for each of the names that `series` gives, its points in ascending order.
fn by(
    cost: &Cost,
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
    Chart { title: String::new(), x, y: (cost.axis)(), series }
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
