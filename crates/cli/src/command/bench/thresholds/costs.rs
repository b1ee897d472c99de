//! Costs of one circuit under one scheme with one number of contributors.

use std::time::{Duration, Instant};

use quorate_circuit::{Sharing, Speed};
use quorate_client::{ClientError, analyst, answer, forecast};
use quorate_contribute::{Packer, scheme_of};
use quorate_local::{Network, cpu_of_thread};
use serde::Serialize;

use super::{Arguments, Job, generated};
use crate::clear::ClearText;
use crate::draft::Rules;
use crate::failure::Failure;
use crate::trial::{CircuitText, Trial};

/// Contributions that the contributor's time is the mean of.
const PACKED_MAX: usize = 500;
/// Recombinations that their time is the mean of.
const RECOMBINED: u32 = 20;

/// What was counted and measured. The names of the fields are the keys of the JSON.
#[derive(Debug, Serialize)]
pub(super) struct Costs {
    /// Bodies that one contributor alone sends, to all helpers together.
    pub(super) bytes_per_contributor: u64,
    /// Of the uploads in bulk, for each contribution.
    pub(super) bytes_per_contribution_in_bulk: f64,
    /// Processor time to split, commit and encode one contribution.
    pub(super) contributor_cpu_us: f64,
    /// Processor time of one helper for each contribution of the upload, on average.
    pub(super) helper_upload_cpu_us: f64,
    /// Processor time of one helper for each contribution of the seal, on average.
    pub(super) helper_seal_cpu_us: f64,
    /// Processor time of one helper for one run, on average.
    pub(super) helper_run_cpu_seconds: f64,
    /// The most memory that a helper had.
    pub(super) helper_memory_bytes: u64,
    /// What upload, seal and runs added to it, for each contribution.
    pub(super) helper_memory_bytes_per_contribution: f64,
    /// Rounds of messages of a run that follow each other; `None` where helpers work each alone.
    pub(super) rounds: Option<u64>,
    /// What helpers sent each other for a run, all together.
    pub(super) bytes_between_helpers: u64,
    /// From the first contribution to the last receipt.
    pub(super) upload_seconds: f64,
    /// From the owner's request to the manifest.
    pub(super) seal_seconds: f64,
    /// From the analyst's request to the answer.
    pub(super) run_seconds: f64,
    /// From the last result share to the answer.
    pub(super) recombine_us: f64,
}

/// Measures, and compares every result with the clear text.
pub(super) async fn measure(
    job: &Job,
    sharing: Sharing,
    contributors: u32,
    arguments: &Arguments,
) -> Result<Costs, Failure> {
    let mut trial = start(job, sharing, contributors, arguments.network.network()).await?;
    let clear = ClearText::of(&trial.program, &trial.table)?;
    let (contributor_cpu_us, bytes_per_contributor) = contributor(&trial)?;

    let helpers = f64::from(sharing.helpers);
    let before = trial.local.usage_of_all();
    trial.contribute().await?;
    let uploaded = trial.local.usage_of_all();
    trial.seal().await?;
    let sealed = trial.local.usage_of_all();
    let (run, run_seconds) = runs(&trial, &clear, arguments.runs).await?;
    let after = trial.local.usage_of_all();

    let of_each = |cpu: Duration| cpu.as_secs_f64() * 1e6 / helpers / f64::from(contributors);
    let memory = after.memory_peak_bytes.saturating_sub(before.memory_peak_bytes);
    let rounds = forecast(&job.text, &[], &run.program, &trial.study, contributors.into(), Speed::default())
        .map(|estimate| estimate.workload.rounds)
        .filter(|_| !job.is_linear);
    let costs = Costs {
        bytes_per_contributor,
        bytes_per_contribution_in_bulk: trial.bytes_of("uploaded") as f64 / f64::from(contributors),
        contributor_cpu_us,
        helper_upload_cpu_us: of_each(uploaded.cpu.saturating_sub(before.cpu)),
        helper_seal_cpu_us: of_each(sealed.cpu.saturating_sub(uploaded.cpu)),
        // One run more was made to warm up.
        helper_run_cpu_seconds: after.cpu.saturating_sub(sealed.cpu).as_secs_f64()
            / helpers
            / f64::from(arguments.runs + 1),
        helper_memory_bytes: after.memory_peak_bytes,
        helper_memory_bytes_per_contribution: memory as f64 / f64::from(contributors),
        rounds,
        bytes_between_helpers: run.bytes_between_helpers(),
        upload_seconds: trial.seconds_of("contribute"),
        seal_seconds: trial.seconds_of("seal"),
        run_seconds,
        recombine_us: recombination(&trial, &run)?,
    };
    trial.end();
    Ok(costs)
}

/// A study for the job on helpers that have found each other.
async fn start(
    job: &Job,
    sharing: Sharing,
    contributors: u32,
    network: Option<Network>,
) -> Result<Trial, Failure> {
    let started = Instant::now();
    let table = generated::table(&job.inputs, contributors)?;
    let (circuit, rules) = (CircuitText { name: &job.name, text: &job.text }, Rules::default());
    let trial = Trial::start_over(network, circuit, sharing, job.bits, rules, table, started).await?;
    trial.local.wait_until_connected().await?;
    Ok(trial)
}

/// Microseconds to make one contribution, and bytes of it.
fn contributor(trial: &Trial) -> Result<(f64, u64), Failure> {
    let failed = |error| Failure::Table { path: "generated numbers".into(), error };
    let packer = Packer::new(&trial.study, trial.secret.duplicate()).map_err(failed)?;
    let count = trial.table.rows().min(PACKED_MAX);
    let (mut bytes, started) = (0, cpu_of_thread());
    for row in 0..count {
        let batch = packer.pack_alone(row as u64, 1, trial.table.row(row)).map_err(failed)?;
        bytes = batch.uploads.iter().map(|upload| upload.len() as u64).sum();
    }
    let took = cpu_of_thread().saturating_sub(started);
    Ok((took.as_secs_f64() * 1e6 / count.max(1) as f64, bytes))
}

/// A run to warm up, and the mean seconds of `count` others.
async fn runs(trial: &Trial, clear: &ClearText, count: u32) -> Result<(analyst::Run, f64), Failure> {
    let (mut run, _) = trial.run().await?;
    clear.compare(&run)?;
    let mut seconds = 0.0;
    for _ in 0..count {
        (run, _) = trial.run().await?;
        clear.compare(&run)?;
        seconds += run.seconds;
    }
    Ok((run, seconds / f64::from(count)))
}

/// Microseconds to put the helpers' shares together.
fn recombination(trial: &Trial, run: &analyst::Run) -> Result<f64, Failure> {
    let failed = |error| Failure::Table { path: "generated numbers".into(), error };
    let scheme = scheme_of(&trial.study).map_err(failed)?;
    let rows = run.manifest.manifest.rows;
    let started = cpu_of_thread();
    for _ in 0..RECOMBINED {
        answer(&scheme, &run.program, rows, &run.replies).map_err(ClientError::Answer)?;
    }
    let took = cpu_of_thread().saturating_sub(started);
    Ok(took.as_secs_f64() * 1e6 / f64::from(RECOMBINED))
}
