//! `quorate bench explain`: estimates of `quorate explain` beside what runs really take, on helper processes of this machine.
//!
//! Every circuit is estimated twice: at default rates, as before a federation has computed anything, and at what the
//! helpers say of themselves after the runs. Times are means of whole runs, as an analyst makes them.

use std::fmt::Write as _;
use std::time::Instant;

use clap::Args;
use quorate_circuit::{Rounding, Speed, compile};
use quorate_client::{forecast, speed};
use quorate_contribute::{BadRowsPolicy, Table};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use serde::Serialize;

use crate::draft::{self, BitsArgument, Rules, SharingArgument};
use crate::failure::Failure;
use crate::output;
use crate::trial::{CircuitText, Trial};

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  quorate bench explain --rows 1000,100000 --json")]
pub(crate) struct Arguments {
    /// How many helpers
    #[arg(long, value_name = "N", default_value_t = 3)]
    helpers: u8,
    /// How many of them may collude and learn nothing
    #[arg(long, value_name = "T", default_value_t = 1)]
    threshold: u8,
    /// Rows of the generated tables
    #[arg(long, value_name = "COUNT", value_delimiter = ',', default_value = "1000,10000,100000", value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    rows: Vec<u32>,
    /// Runs that a time is the mean of
    #[arg(long, value_name = "COUNT", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    runs: u32,
    /// What sealing makes of the values' bits
    #[arg(long, value_enum, default_value = "sealed")]
    bits: BitsArgument,
    /// Print as JSON
    #[arg(long)]
    json: bool,
}

const INPUTS: &str = "input pay : 0 .. 1_000_000\ninput hours : 0 .. 80\ninput age : 18 .. 100\n\
                      input team : north | east | south | west\n";

/// The circuits that are run, each with what it is there for.
const CIRCUITS: [(&str, &str); 6] = [
    ("linear", "reveal mean_pay = mean(pay)\nreveal total = sum(hours + 2 * age)\n"),
    (
        "comparisons",
        "reveal rich = count(pay > 654_321)\nreveal rest = count(pay < 123_457 and age > 35 or hours == 40)\n",
    ),
    (
        "products",
        "reveal cubes = sum(hours * hours * age)\nreveal both = sum(pay * hours * age)\n\
         reveal tied = covariance(pay, age)\n",
    ),
    ("tables", "reveal pay_by_team = mean(pay) by team by bins(age, [18, 30, 45, 60, 100])\n"),
    ("regression", "reveal model = regression(pay ~ hours + age + (team == north) + (team == east))\n"),
    ("one bit", "reveal more = (mean(pay) where team == north) > (mean(pay) where team == south)\n"),
];

/// One circuit on one table.
#[derive(Debug, Serialize)]
struct Line {
    circuit: &'static str,
    rows: u32,
    seconds: f64,
    /// At default rates.
    estimated: f64,
    /// At what the helpers measured.
    estimated_measured: f64,
    ratio: f64,
    ratio_measured: f64,
    bytes_per_helper: u64,
    estimated_bytes: u64,
    #[serde(flatten)]
    workload: quorate_circuit::Workload,
}

pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let mut lines = Vec::new();
    for &rows in &arguments.rows {
        lines.extend(of_table(&arguments, rows).await?);
    }
    if arguments.json {
        return output::json(&lines);
    }
    let heading =
        ["circuit", "rows", "seconds", "defaults", "ratio", "measured", "ratio", "bytes/helper", "estimated"];
    let mut table = vec![heading.map(str::to_owned).to_vec()];
    table.extend(lines.iter().map(|line| {
        vec![
            line.circuit.to_owned(),
            line.rows.to_string(),
            format!("{:.4}", line.seconds),
            format!("{:.4}", line.estimated),
            format!("{:.2}", line.ratio),
            format!("{:.4}", line.estimated_measured),
            format!("{:.2}", line.ratio_measured),
            line.bytes_per_helper.to_string(),
            line.estimated_bytes.to_string(),
        ]
    }));
    output::line(output::aligned(table, true, &[1, 2, 3, 4, 5, 6, 7, 8]))
}

async fn of_table(arguments: &Arguments, rows: u32) -> Result<Vec<Line>, Failure> {
    let trial = trial(arguments, rows).await?;
    let mut lines = Vec::new();
    for (name, reveals) in CIRCUITS {
        let circuit = circuit(reveals);
        trial.run_circuit(&circuit).await?;
        let started = Instant::now();
        let mut bytes = 0;
        for _ in 0..arguments.runs {
            let run = trial.run_circuit(&circuit).await?;
            bytes = run.bytes_between_helpers() / run.answer.quorum.len().max(1) as u64;
        }
        let seconds = started.elapsed().as_secs_f64() / f64::from(arguments.runs);
        let program = compile(&circuit, &trial.study)
            .map_err(|diagnostics| draft::refused("the benchmark", &circuit, diagnostics))?;
        let of = |speed: Speed| {
            forecast(&circuit, &[], &program, &trial.study, u64::from(rows), speed).ok_or_else(|| {
                Failure::Invalid {
                    message: format!("helpers of {} cannot run every circuit", trial.study.sharing),
                    hint: Some("take more than twice as many helpers as the threshold".into()),
                }
            })
        };
        let statuses = trial.local.helpers().statuses().await;
        let (default, measured) = (of(Speed::default())?, of(speed(statuses.iter().flatten()))?);
        lines.push(Line {
            circuit: name,
            rows,
            seconds,
            estimated: default.seconds(),
            estimated_measured: measured.seconds(),
            ratio: default.seconds() / seconds,
            ratio_measured: measured.seconds() / seconds,
            bytes_per_helper: bytes,
            estimated_bytes: default.workload.bytes,
            workload: default.workload,
        });
    }
    trial.end();
    Ok(lines)
}

fn circuit(reveals: &str) -> String {
    format!("circuit bench\n{INPUTS}{reveals}")
}

/// A sealed study of generated rows.
async fn trial(arguments: &Arguments, rows: u32) -> Result<Trial, Failure> {
    let started = Instant::now();
    let sharing = draft::sharing(SharingArgument::Shamir, arguments.helpers, Some(arguments.threshold))?;
    let text = circuit("reveal rows = count()\n");
    let inputs = draft::parse_circuit("the benchmark", &text)?.inputs();
    let table = Table::read(&inputs, csv(rows).as_bytes(), Rounding::Exact, BadRowsPolicy::Refuse)
        .map_err(|error| Failure::Table { path: "generated numbers".into(), error })?;
    let text = CircuitText { name: "the benchmark", text: &text };
    let mut trial =
        Trial::start(text, sharing, Some(arguments.bits), Rules::default(), table, started).await?;
    trial.contribute().await?;
    trial.seal().await?;
    Ok(trial)
}

fn csv(rows: u32) -> String {
    let mut rng = ChaCha20Rng::from_seed([2; 32]);
    let mut csv = String::from("pay,hours,age,team\n");
    for _ in 0..rows {
        let mut up_to = |max: u64| rng.next_u64() % (max + 1);
        let (pay, hours, age) = (up_to(1_000_000), up_to(80), 18 + up_to(82));
        let team = ["north", "east", "south", "west"][usize::try_from(up_to(3)).unwrap_or(0)];
        let _ = writeln!(csv, "{pay},{hours},{age},{team}");
    }
    csv
}
