//! `quorate bench secrecy`: what secrecy costs, beside the same sums at one server that sees everything.
//!
//! The same table is summed by that server (`plain`) and by helpers, without and with the bits that make range checks
//! and comparisons possible; every sum is compared with the clear text. Client and servers are the same HTTPS stack,
//! every server makes contributions durable before it answers, and each contribution is a request of its own to each
//! server, on connections that stay open. Bytes are those of bodies; between helpers those on the wire, TLS and
//! heartbeats included. Pairwise masks are a round with all contributors online and nothing kept: of its messages, those that
//! clients send are counted.

mod masked;
pub(super) mod plain;
mod secret;

use std::time::Duration;

use clap::Args;
use quorate_circuit::{Column, Sharing};
use quorate_contribute::Table;
use serde::Serialize;

use super::generated;
use super::schemes::SchemeArgument;
use crate::draft::{self, BitsArgument};
use crate::failure::Failure;
use crate::output::{self, aligned, seconds};

/// Requests on their way at the same time.
const WINDOW: usize = 16;

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  quorate bench secrecy\n  quorate bench secrecy --values 10,500 --schemes 5:2 --json"
)]
pub(crate) struct Arguments {
    /// Numbers of values in a contribution
    #[arg(long, value_name = "COUNTS", value_delimiter = ',', default_value = "3,100,1000", value_parser = clap::value_parser!(u32).range(1..=1000))]
    values: Vec<u32>,
    /// How many contribute
    #[arg(long, value_name = "COUNT", default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    contributors: u32,
    /// Sharing schemes: N:T for N helpers of which T may collude, or additive:N
    #[arg(long, value_name = "SCHEMES", value_delimiter = ',', default_value = "additive:2,additive:3,3:1")]
    schemes: Vec<SchemeArgument>,
    /// Print as JSON
    #[arg(long)]
    json: bool,
}

/// What is summed.
struct Job {
    circuit: String,
    inputs: Vec<Column>,
    contributors: u32,
}

impl Job {
    /// Sums of so many columns of numbers of 20 bits.
    fn new(values: u32, contributors: u32) -> Result<Job, Failure> {
        let inputs: String = (0..values).map(|index| format!("input v{index} : 0 .. 999999\n")).collect();
        let sums: String = (0..values).map(|index| format!("reveal s{index} = sum(v{index})\n")).collect();
        let circuit = format!("circuit sums\n{inputs}{sums}");
        let inputs = draft::parse_circuit("the benchmark", &circuit)?.inputs();
        Ok(Job { circuit, inputs, contributors })
    }

    /// The table, the same every time.
    fn table(&self) -> Result<Table, Failure> {
        generated::table(&self.inputs, self.contributors)
    }
}

/// What was counted and measured. The names of the fields are the keys of the JSON.
#[derive(Clone, Copy, Debug, Serialize)]
struct Costs {
    /// Bodies of one contribution that is uploaded alone, to all servers together.
    bytes_per_contribution: f64,
    /// The same where many contributions are one upload.
    bytes_per_contribution_in_bulk: f64,
    /// Processor time of the contributor, with HTTP, TLS and the check of receipts.
    contributor_cpu_us: f64,
    /// Processor time of all servers together for each contribution: upload, seal and run.
    servers_cpu_us: f64,
    /// What servers send each other for each contribution: seal and run.
    bytes_between_servers: f64,
    upload_seconds: f64,
    seal_seconds: f64,
    run_seconds: f64,
}

/// Costs over those of the server that sees everything.
#[derive(Clone, Copy, Debug, Serialize)]
struct Ratios {
    bytes_per_contribution: f64,
    bytes_per_contribution_in_bulk: f64,
    /// All bytes, those between servers included.
    bytes_in_all: f64,
    contributor_cpu: f64,
    servers_cpu: f64,
}

#[derive(Debug, Serialize)]
struct Line {
    values: u32,
    variant: String,
    helpers: u8,
    costs: Costs,
    ratios: Ratios,
}

/// The names of the fields are the keys of the JSON.
#[derive(Debug, Serialize)]
struct Report {
    contributors: u32,
    lines: Vec<Line>,
}

/// Microseconds of each, of the processor time of so many.
fn microseconds_each(cpu: Duration, count: u32) -> f64 {
    cpu.as_secs_f64() * 1e6 / f64::from(count)
}

impl Ratios {
    fn of(costs: &Costs, plain: &Costs) -> Ratios {
        let in_all = |costs: &Costs| costs.bytes_per_contribution + costs.bytes_between_servers;
        Ratios {
            bytes_per_contribution: costs.bytes_per_contribution / plain.bytes_per_contribution,
            bytes_per_contribution_in_bulk: costs.bytes_per_contribution_in_bulk
                / plain.bytes_per_contribution_in_bulk,
            bytes_in_all: in_all(costs) / in_all(plain),
            contributor_cpu: costs.contributor_cpu_us / plain.contributor_cpu_us,
            // Small runs may be shorter than the tick by which other processes' time is counted.
            servers_cpu: costs.servers_cpu_us / plain.servers_cpu_us.max(1.0),
        }
    }
}

pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let variants: Vec<(String, Sharing, BitsArgument)> =
        arguments.schemes.iter().flat_map(|scheme| variants(*scheme)).collect();
    let bar = output::steps_bar((arguments.values.len() * (variants.len() + 3)) as u64);
    let mut lines = Vec::new();
    for &values in &arguments.values {
        let job = Job::new(values, arguments.contributors)?;
        bar.set_message(format!("{values} values, plain"));
        let plain = plain::measure(&job).await?;
        let mut push = |variant: String, helpers, costs| {
            bar.inc(1);
            lines.push(Line { values, variant, helpers, costs, ratios: Ratios::of(&costs, &plain) });
        };
        push("plain".to_owned(), 1, plain);
        for (name, sharing, bits) in &variants {
            bar.set_message(format!("{values} values, {name}"));
            push(name.clone(), sharing.helpers, secret::measure(&job, *sharing, *bits).await?);
        }
        // Without enough contributors there is no round to measure.
        let masks = [("masks, passive", true), ("masks, active", false)];
        for (name, is_passive) in
            masks.into_iter().filter(|_| arguments.contributors >= masked::CONTRIBUTORS_MIN)
        {
            bar.set_message(format!("{values} values, {name}"));
            push(name.to_owned(), 1, masked::measure(&job, is_passive).await?);
        }
    }
    bar.finish_and_clear();
    if arguments.json {
        return output::json(&Report { contributors: arguments.contributors, lines });
    }
    output::line(table(&lines))
}

/// A scheme without bits, and with them where its helpers can make them.
fn variants(scheme: SchemeArgument) -> Vec<(String, Sharing, BitsArgument)> {
    let mut variants = vec![(scheme.to_string(), scheme.0, BitsArgument::None)];
    if scheme.0.has_shared_randomness() {
        variants.push((format!("{scheme} with bits"), scheme.0, BitsArgument::Sealed));
    }
    variants
}

fn table(lines: &[Line]) -> String {
    let heading = [
        "values",
        "variant",
        "B each",
        "ratio",
        "in bulk",
        "ratio",
        "between",
        "all ratio",
        "CPU each",
        "ratio",
        "servers' CPU",
        "ratio",
    ];
    let mut rows = vec![heading.map(str::to_owned).to_vec()];
    rows.extend(lines.iter().map(|Line { values, variant, costs, ratios, .. }| {
        vec![
            values.to_string(),
            variant.clone(),
            format!("{:.0}", costs.bytes_per_contribution),
            format!("{:.2}", ratios.bytes_per_contribution),
            format!("{:.0}", costs.bytes_per_contribution_in_bulk),
            format!("{:.2}", ratios.bytes_per_contribution_in_bulk),
            format!("{:.0}", costs.bytes_between_servers),
            format!("{:.2}", ratios.bytes_in_all),
            seconds(costs.contributor_cpu_us / 1e6),
            format!("{:.1}", ratios.contributor_cpu),
            seconds(costs.servers_cpu_us / 1e6),
            format!("{:.1}", ratios.servers_cpu),
        ]
    }));
    format!("{}\n\n{LEGEND}", aligned(rows, true, &[0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]))
}

const LEGEND: &str = "\
Everything is for one contribution, and every ratio to plain: one server that sees everything.
B each: bodies to all servers, each contribution alone. in bulk: many in one upload.
between: from server to server, seal and run. all ratio: of B each and between together.
CPU each: the contributor's. servers' CPU: of all together, upload, seal and run.";
