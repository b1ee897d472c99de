//! The table of costs, for people.

use super::Line;
use super::costs::Costs;
use crate::command::bench::schemes::Faults;
use crate::output::{aligned, bytes, seconds};

/// A row for each line; dashes where helpers of the scheme cannot run the circuit.
pub(super) fn of(lines: &[Line]) -> String {
    let columns = [
        "circuit",
        "scheme",
        "contributors",
        "crash",
        "collude",
        "lie",
        "B each",
        "CPU each",
        "helper CPU",
        "memory",
        "rounds",
        "between",
        "seal",
        "run",
        "recombine",
    ];
    let mut rows = vec![columns.map(str::to_owned).to_vec()];
    rows.extend(lines.iter().map(|line| {
        let mut row = vec![line.circuit.clone(), line.scheme.clone(), line.contributors.to_string()];
        match (&line.may, &line.costs) {
            (Some(may), Some(costs)) => row.extend(cells(may, costs)),
            _ => row.resize(columns.len(), "-".to_owned()),
        }
        row
    }));
    let right: Vec<usize> = (2..columns.len()).collect();
    format!("{}\n\n{LEGEND}", aligned(rows, true, &right))
}

const LEGEND: &str = "\
crash, collude, lie: helpers that may be away after the seal, put their shares together, send wrong results (noticed/corrected).
B each, CPU each: what one contributor sends to all helpers together, and computes.
helper CPU, memory: of one helper for each contribution, upload and seal; of the largest helper.
rounds, between: of a run; what helpers send each other for it, all together.
A dash: these helpers cannot run the circuit.";

fn cells(may: &Faults, costs: &Costs) -> Vec<String> {
    let helper_cpu_us = costs.helper_upload_cpu_us + costs.helper_seal_cpu_us;
    vec![
        may.crash.to_string(),
        may.collude.to_string(),
        format!("{}/{}", may.lie_noticed, may.lie_corrected),
        costs.bytes_per_contributor.to_string(),
        seconds(costs.contributor_cpu_us / 1e6),
        seconds(helper_cpu_us / 1e6),
        bytes(costs.helper_memory_bytes),
        costs.rounds.map_or_else(|| "-".to_owned(), |rounds| rounds.to_string()),
        bytes(costs.bytes_between_helpers),
        seconds(costs.seal_seconds),
        seconds(costs.run_seconds),
        seconds(costs.recombine_us / 1e6),
    ]
}
