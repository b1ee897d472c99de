//! Forecasts: what a run of a circuit will take, before it is asked for.

use quorate_circuit::{Estimate, Program, RecentRuns, Speed, Study};
use quorate_engine::interpret::rehearse;
use quorate_wire::Status;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

/// Bytes of an opening beside the circuit's text, the quorum and the keys: the rest of the signed request, and a nonce.
const OPENING_BYTES: u64 = 730;
/// Bytes of a confirmation beside the keys' fingerprints.
const CONFIRMATION_BYTES: u64 = 40;

/// What a run of the circuit with this text takes, which was lowered to `program` after `earlier` ones for `study`, on `rows` rows by helpers of
/// this speed. `None` if the study's helpers cannot run it.
pub fn forecast(
    text: &str,
    earlier: &[String],
    program: &Program,
    study: &Study,
    rows: u64,
    speed: Speed,
) -> Option<Estimate> {
    // The keys of a rehearsal protect nothing: any will do.
    let mut workload = rehearse(program, study, rows, &mut ChaCha20Rng::from_seed([0; 32]))?;
    workload.bytes += opening_bytes(text, earlier, program, study);
    let threshold = if program.is_linear() { 1 } else { study.sharing.threshold };
    Some(Estimate::new(workload, threshold, speed))
}

/// Bytes that a helper sends before it computes.
fn opening_bytes(text: &str, earlier: &[String], program: &Program, study: &Study) -> u64 {
    let (n, t) = (u64::from(study.sharing.helpers), u64::from(study.sharing.threshold));
    let bytes = |text: &str| serde_json::to_string(text).unwrap_or_default().len() as u64;
    let circuits = bytes(text) + earlier.iter().map(|text| bytes(text) + 1).sum::<u64>();
    let request = |quorum: u64| circuits + OPENING_BYTES + 2 * quorum;
    if program.is_linear() {
        return (n - 1) * request(n);
    }
    // Two helpers hold the keys of all sets without them, and one of their own.
    let keys = (1..=t).fold(1, |sets, i| sets * (n - 2 + 1 - i) / i) + 1;
    2 * t * (request(2 * t + 1) + CONFIRMATION_BYTES + 2 * 32 * keys)
}

/// How fast helpers are, by what they say of themselves.
pub fn speed<'a>(statuses: impl Iterator<Item = &'a Status>) -> Speed {
    let one = |status: &Status| {
        let recent = status.recent_runs;
        let recent = RecentRuns {
            runs: recent.runs,
            elapsed_us: recent.elapsed_us,
            rounds: recent.rounds,
            busy_us: recent.busy_us,
        };
        Speed::measured(status.round_trips_us.values().copied().max(), &recent)
    };
    statuses.map(one).fold(Speed::default(), Speed::slowest)
}
