//! The sums by helpers of whom no few learn anything.

use std::time::Instant;

use futures_util::stream::{self, StreamExt, TryStreamExt};
use quorate_circuit::Sharing;
use quorate_client::ClientError;
use quorate_client::contributor::{Progress, upload_batch};
use quorate_contribute::{ContributeError, Packer, Table};
use quorate_local::{Network, cpu_of_process};

use super::{Costs, Job, WINDOW, microseconds_each};
use crate::clear::ClearText;
use crate::draft::{BitsArgument, Rules};
use crate::failure::Failure;
use crate::trial::{CircuitText, Trial};

/// Measures, and compares the sums with the clear text.
pub(super) async fn measure(job: &Job, sharing: Sharing, bits: BitsArgument) -> Result<Costs, Failure> {
    let circuit = CircuitText { name: "the benchmark", text: &job.circuit };
    // The relays of a network without delay count what helpers send each other.
    let (network, rules) = (Some(Network::default()), Rules::default());
    let (table, started) = (job.table()?, Instant::now());
    let mut trial = Trial::start_over(network, circuit, sharing, Some(bits), rules, table, started).await?;
    trial.local.wait_until_connected().await?;
    trial.create_study().await?;
    trial.local.helpers().connect(WINDOW).await.map_err(ClientError::from)?;
    let clear = ClearText::of(&trial.program, &trial.table)?;
    let contributions = f64::from(job.contributors);

    let (before, own_before, started) = (trial.local.usage_of_all().cpu, cpu_of_process(), Instant::now());
    let uploaded = upload(&trial).await?;
    let (own, upload_seconds) = (cpu_of_process().saturating_sub(own_before), started.elapsed());
    let between = trial.local.bytes_between_helpers().unwrap_or(0);
    trial.seal().await?;
    let (run, _) = trial.run().await?;
    let servers = trial.local.usage_of_all().cpu.saturating_sub(before);
    let between = trial.local.bytes_between_helpers().unwrap_or(0).saturating_sub(between);
    clear.compare(&run)?;

    let costs = Costs {
        bytes_per_contribution: uploaded as f64 / contributions,
        bytes_per_contribution_in_bulk: in_bulk(&trial)? as f64 / contributions,
        contributor_cpu_us: microseconds_each(own, job.contributors),
        servers_cpu_us: microseconds_each(servers, job.contributors),
        bytes_between_servers: between as f64 / contributions,
        upload_seconds: upload_seconds.as_secs_f64(),
        seal_seconds: trial.seconds_of("seal"),
        run_seconds: run.seconds,
    };
    trial.end();
    Ok(costs)
}

/// Uploads every row alone; the bytes of all bodies.
async fn upload(trial: &Trial) -> Result<u64, Failure> {
    let packer = packer(trial)?;
    let (table, helpers, study): (&Table, _, _) = (&trial.table, trial.local.helpers(), trial.study.id());
    let rows = (0..table.rows()).map(|row| {
        let (packer, study) = (&packer, &study);
        async move {
            let batch = packer.pack_alone(row as u64, 1, table.row(row)).map_err(failed)?;
            let Progress { bytes, .. } = upload_batch(helpers, study, batch).await?;
            Ok::<u64, Failure>(bytes)
        }
    });
    let uploads = stream::iter(rows).buffer_unordered(WINDOW);
    uploads.try_fold(0, async |all, bytes| Ok(all + bytes)).await
}

/// Bytes of all bodies where many contributions are one upload.
fn in_bulk(trial: &Trial) -> Result<u64, Failure> {
    let (packer, table) = (packer(trial)?, &trial.table);
    let mut bytes = 0;
    for batch in packer.batches(table, table.grouping()).map_err(failed)? {
        bytes += batch.map_err(failed)?.uploads.iter().map(|upload| upload.len() as u64).sum::<u64>();
    }
    Ok(bytes)
}

fn packer(trial: &Trial) -> Result<Packer, Failure> {
    Packer::new(&trial.study, trial.secret.duplicate()).map_err(failed)
}

fn failed(error: ContributeError) -> Failure {
    Failure::Table { path: "generated numbers".into(), error }
}
