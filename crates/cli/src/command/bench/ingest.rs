//! `quorate bench ingest`: how fast contributions become durable at all helpers.
//!
//! In bulk, one client packs and uploads many contributions at a time. Alone, each contribution is a request of its own to each
//! helper, over connections that are open before the clock starts: a client like the server behind a form, which has as many
//! contributions under way as there are connections, and on each sends the next when all helpers have receipted the last one.
//! Client and helpers share this machine.

use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use quorate_client::ClientError;
use quorate_client::contributor::upload_batch;
use quorate_contribute::{ContributeError, Packer};
use quorate_local::cpu_of_process;
use serde::Serialize;
use tokio::task::JoinSet;

use super::generated;
use super::schemes::SchemeArgument;
use crate::draft::{self, BitsArgument, Rules};
use crate::failure::Failure;
use crate::output::{self, aligned};
use crate::trial::{CircuitText, Trial};

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  quorate bench ingest\n  quorate bench ingest --scheme 5:2 --columns 10 --connections 1,100 --json"
)]
pub(crate) struct Arguments {
    /// Sharing scheme: N:T for N helpers of which T may collude, or additive:N
    #[arg(long, value_name = "SCHEME", default_value = "3:1")]
    scheme: SchemeArgument,
    /// Columns of a contribution
    #[arg(long, value_name = "COUNT", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1000))]
    columns: u32,
    /// Contributions that are uploaded in bulk
    #[arg(long, value_name = "COUNT", default_value_t = 200_000, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    bulk: u32,
    /// Contributions that are uploaded alone, for each number of connections
    #[arg(long, value_name = "COUNT", default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    alone: u32,
    /// Connections to each helper that are open at the same time
    #[arg(long, value_name = "COUNTS", value_delimiter = ',', default_value = "16,100,1000", value_parser = clap::value_parser!(u32).range(1..=1000))]
    connections: Vec<u32>,
    /// Print as JSON
    #[arg(long)]
    json: bool,
}

/// One measurement. The names of the fields are the keys of the JSON.
#[derive(Debug, Serialize)]
struct Line {
    how: &'static str,
    connections: u32,
    contributions: u32,
    seconds: f64,
    contributions_per_second: f64,
    bytes_per_contribution: f64,
    /// Processor time of the client for each contribution.
    client_cpu_us: f64,
    /// Processor time of all helpers for each contribution.
    helpers_cpu_us: f64,
    /// The most that a helper had in memory.
    helper_memory_bytes: u64,
}

pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let bar = output::steps_bar(1 + arguments.connections.len() as u64);
    bar.set_message("in bulk");
    let mut lines = vec![in_bulk(&arguments).await?];
    for &connections in &arguments.connections {
        bar.inc(1);
        bar.set_message(format!("over {connections} connections"));
        lines.push(alone(&arguments, connections).await?);
    }
    bar.finish_and_clear();
    if arguments.json {
        return output::json(&lines);
    }
    let heading = [
        "upload",
        "connections",
        "contributions",
        "seconds",
        "a second",
        "B each",
        "client's CPU",
        "helpers' CPU",
        "memory",
    ];
    let mut rows = vec![heading.map(str::to_owned).to_vec()];
    rows.extend(lines.iter().map(|line| {
        vec![
            line.how.to_owned(),
            line.connections.to_string(),
            line.contributions.to_string(),
            format!("{:.2}", line.seconds),
            format!("{:.0}", line.contributions_per_second),
            format!("{:.0}", line.bytes_per_contribution),
            format!("{:.1} us", line.client_cpu_us),
            format!("{:.1} us", line.helpers_cpu_us),
            format!("{:.0} MB", line.helper_memory_bytes as f64 / 1e6),
        ]
    }));
    output::line(aligned(rows, true, &[1, 2, 3, 4, 5, 6, 7, 8]))
}

async fn in_bulk(arguments: &Arguments) -> Result<Line, Failure> {
    let mut trial = trial(arguments, arguments.bulk).await?;
    let clock = Clock::start(&trial);
    trial.contribute().await?;
    let line = clock.stop(&trial, "in bulk", 1, arguments.bulk, trial.bytes_of("uploaded"));
    trial.end();
    Ok(line)
}

async fn alone(arguments: &Arguments, connections: u32) -> Result<Line, Failure> {
    let trial = trial(arguments, arguments.alone).await?;
    trial.create_study().await?;
    let client = trial.local.helpers().clone();
    client.connect(connections as usize).await.map_err(ClientError::from)?;
    let packer = Packer::new(&trial.study, trial.secret.duplicate()).map_err(failed)?;
    let (packer, study) = (Arc::new(packer), trial.study.id());

    let clock = Clock::start(&trial);
    let mut uploads = JoinSet::new();
    for first in 0..connections as usize {
        let (client, packer, table) = (client.clone(), Arc::clone(&packer), Arc::clone(&trial.table));
        uploads.spawn(async move {
            let mut bytes = 0;
            for row in (first..table.rows()).step_by(connections as usize) {
                let batch = packer.pack_alone(row as u64, 1, table.row(row)).map_err(failed)?;
                bytes += upload_batch(&client, &study, batch).await?.bytes;
            }
            Ok::<u64, Failure>(bytes)
        });
    }
    let mut bytes = 0;
    while let Some(uploaded) = uploads.join_next().await {
        bytes += uploaded.unwrap_or_else(|fault| std::panic::resume_unwind(fault.into_panic()))?;
    }
    let line = clock.stop(&trial, "alone", connections, arguments.alone, bytes);
    trial.end();
    Ok(line)
}

async fn trial(arguments: &Arguments, rows: u32) -> Result<Trial, Failure> {
    let started = Instant::now();
    let inputs: String =
        (0..arguments.columns).map(|index| format!("input v{index} : 0 .. 999999\n")).collect();
    let circuit = format!("circuit ingest\n{inputs}reveal s = sum(v0)\n");
    let table = generated::table(&draft::parse_circuit("the benchmark", &circuit)?.inputs(), rows)?;
    let circuit = CircuitText { name: "the benchmark", text: &circuit };
    let (bits, rules) = (Some(BitsArgument::None), Rules::default());
    let trial = Trial::start(circuit, arguments.scheme.0, bits, rules, table, started).await?;
    trial.local.wait_until_connected().await?;
    Ok(trial)
}

/// Time, and processor time of the client and the helpers.
struct Clock {
    started: Instant,
    client: Duration,
    helpers: Duration,
}

impl Clock {
    fn start(trial: &Trial) -> Self {
        Clock { started: Instant::now(), client: cpu_of_process(), helpers: trial.local.usage_of_all().cpu }
    }

    fn stop(
        self,
        trial: &Trial,
        how: &'static str,
        connections: u32,
        contributions: u32,
        bytes: u64,
    ) -> Line {
        let seconds = self.started.elapsed().as_secs_f64();
        let usage = trial.local.usage_of_all();
        let of_each = |cpu: Duration| cpu.as_secs_f64() * 1e6 / f64::from(contributions);
        Line {
            how,
            connections,
            contributions,
            seconds,
            contributions_per_second: f64::from(contributions) / seconds,
            bytes_per_contribution: bytes as f64 / f64::from(contributions),
            client_cpu_us: of_each(cpu_of_process().saturating_sub(self.client)),
            helpers_cpu_us: of_each(usage.cpu.saturating_sub(self.helpers)),
            helper_memory_bytes: usage.memory_peak_bytes,
        }
    }
}

fn failed(error: ContributeError) -> Failure {
    Failure::Table { path: "generated numbers".into(), error }
}
