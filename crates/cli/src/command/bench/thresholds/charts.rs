//! Costs against helpers, threshold and contributors, as pictures.

use std::path::Path;

use quorate_circuit::SharingKind;
use quorate_plot::{Axis, Chart, Series};

use super::Line;
use super::costs::Costs;

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
    axis: || Axis::log("bytes, to all helpers together"),
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

/// The charts with the names of their files: the upload by helpers and by threshold, the other costs by helpers, by threshold
/// and by contributors for every circuit that ran.
pub(super) fn charts(lines: &[Line]) -> Vec<(String, Chart)> {
    // Additive sharing last, so that thresholds have the same colours in all charts.
    let (additive, shamir): (Vec<&Line>, Vec<&Line>) =
        lines.iter().partition(|line| line.sharing == SharingKind::Additive);
    let all = [shamir, additive].concat();
    let circuits = distinct(lines.iter().map(|line| line.circuit.clone()));
    let mut charts = Vec::new();
    for (index, circuit) in circuits.iter().enumerate() {
        let lines: Vec<&Line> = all.iter().copied().filter(|line| line.circuit == *circuit).collect();
        // Uploads do not depend on what is computed.
        if index == 0 {
            charts.extend(against_helpers(&UPLOAD, "", &lines));
        }
        let stem = Path::new(circuit).file_stem().unwrap_or_default().to_string_lossy();
        for cost in [&TIME, &WORK] {
            charts.extend(against_helpers(cost, &stem, &lines));
            let (at, scheme) = (|line: &Line| line.contributors.into(), |line: &Line| line.scheme.clone());
            let chart = chart(cost, Axis::log("contributors"), &lines, at, scheme);
            let title = format!("{}: {stem}", cost.title);
            charts.push((format!("{}-by-contributors-{stem}", cost.name), Chart { title, ..chart }));
        }
    }
    charts
}

/// A cost against the number of helpers and against the threshold. `circuit` is empty where it does not matter.
fn against_helpers(cost: &Cost, circuit: &str, lines: &[&Line]) -> [(String, Chart); 2] {
    // The most contributors: what each one costs is least hidden by what the helpers cost anyway.
    let most = lines.iter().map(|line| line.contributors).max().unwrap_or(0);
    let lines: Vec<&Line> = lines.iter().copied().filter(|line| line.contributors == most).collect();
    let (name, title) = match circuit {
        "" => (String::new(), cost.title.to_owned()),
        _ => (format!("-{circuit}"), format!("{}: {circuit}, {most} contributors", cost.title)),
    };
    let helpers = chart(cost, Axis::log("helpers"), &lines, |line| line.helpers.into(), of_threshold);
    let at = |line: &Line| line.threshold.into();
    let threshold = chart(cost, Axis::linear("threshold"), &lines, at, of_helpers);
    [
        (format!("{}-by-helpers{name}", cost.name), Chart { title: title.clone(), ..helpers }),
        (format!("{}-by-threshold{name}", cost.name), Chart { title, ..threshold }),
    ]
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
fn chart(
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
