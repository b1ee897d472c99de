//! `quorate bench thresholds`: what each number of helpers and each threshold costs, and what it bears, with helper
//! processes over TLS.
//!
//! Every line of the table is a study of its own, from the first upload to the mean of some runs, whose results are
//! compared with the clear text. Contributions are uploaded in bulk; what one contributor alone would send is counted,
//! and what it would compute measured, on one thread without a network. A linear study trusts ranges; a nonlinear one
//! has its bits made by the seal.

mod charts;
mod costs;
mod table;

use std::path::{Path, PathBuf};

use clap::Args;
use quorate_circuit::{Column, Sharing, SharingKind};
use serde::Serialize;

use self::costs::Costs;
use super::generated;
use super::network::{NetworkArguments, NetworkReport};
use super::schemes::{Faults, SchemeArgument};
use crate::draft::{self, BitsArgument};
use crate::failure::Failure;
use crate::{files, output};

const SCHEMES: &str = "3:1,4:1,5:1,5:2,6:2,7:3,9:4,16:5,31:10,additive:2,additive:3,additive:5";

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  quorate bench thresholds --plot costs\n  \
    quorate bench thresholds --schemes 3:1,5:2,additive:3 --contributors 1000 --network wan --json")]
pub(crate) struct Arguments {
    /// Sharing schemes: N:T for N helpers of which T may collude, or additive:N
    #[arg(long, value_name = "SCHEMES", value_delimiter = ',', default_value = SCHEMES)]
    schemes: Vec<SchemeArgument>,
    /// Numbers of contributors, one row each
    #[arg(long, value_name = "COUNTS", value_delimiter = ',', default_value = "100,1000,10000", value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    contributors: Vec<u32>,
    /// The circuit, on generated values of its inputs [default: a linear one and one with products and comparisons]
    #[arg(long, value_name = "FILE")]
    circuit: Option<PathBuf>,
    /// Runs that a time is the mean of
    #[arg(long, value_name = "COUNT", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1000))]
    runs: u32,
    #[command(flatten)]
    network: NetworkArguments,
    /// Draw costs against helpers, threshold and contributors into this directory, as SVG and PNG
    #[arg(long, value_name = "DIR")]
    plot: Option<PathBuf>,
    /// Print as JSON
    #[arg(long)]
    json: bool,
}

const INPUTS: &str =
    "input pay : 0 .. 1_000_000\ninput hours : 0 .. 80\ninput team : north | east | south | west\n";
const LINEAR: &str =
    "reveal total = sum(pay)\nreveal mean_pay = mean(pay)\nreveal mean_hours = mean(hours)\n";
const NONLINEAR: &str = "reveal mean_pay = mean(pay)\nreveal spread = variance(pay)\n\
                         reveal high = count(pay > 500_000)\nreveal pay_by_team = mean(pay) by team\n";

/// A circuit that is measured.
struct Job {
    name: String,
    text: String,
    inputs: Vec<Column>,
    is_linear: bool,
    bits: Option<BitsArgument>,
}

/// One circuit, scheme and number of contributors. The names of the fields are the keys of the JSON.
#[derive(Debug, Serialize)]
struct Line {
    circuit: String,
    is_linear: bool,
    scheme: String,
    sharing: SharingKind,
    helpers: u8,
    threshold: u8,
    contributors: u32,
    /// How many helpers may go wrong in which way. `None`, as the costs: helpers of this scheme cannot run the circuit.
    may: Option<Faults>,
    costs: Option<Costs>,
}

/// The names of the fields are the keys of the JSON.
#[derive(Debug, Serialize)]
struct Report {
    /// `None`: the loopback.
    network: Option<NetworkReport>,
    runs: u32,
    lines: Vec<Line>,
}

pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    if let Some(dir) = &arguments.plot {
        files::make_dir(dir)?;
    }
    let jobs = jobs(arguments.circuit.as_deref())?;
    let total = jobs.len() * arguments.schemes.len() * arguments.contributors.len();
    let bar = output::steps_bar(total as u64);
    let mut lines = Vec::with_capacity(total);
    for job in &jobs {
        for scheme in &arguments.schemes {
            for &contributors in &arguments.contributors {
                bar.set_message(format!("{}, {scheme}, {contributors} contributors", job.name));
                lines.push(line(&arguments, job, scheme, contributors).await?);
                bar.inc(1);
            }
        }
    }
    bar.finish_and_clear();
    if let Some(dir) = &arguments.plot {
        files::write_charts(dir, charts::charts(&lines))?;
    }
    if arguments.json {
        let (network, runs) = (arguments.network.report(), arguments.runs);
        return output::json(&Report { network, runs, lines });
    }
    output::line(table::of(&lines))
}

async fn line(
    arguments: &Arguments,
    job: &Job,
    scheme: &SchemeArgument,
    contributors: u32,
) -> Result<Line, Failure> {
    let Sharing { kind, helpers, threshold } = scheme.0;
    let can_compute = job.is_linear || scheme.0.has_shared_randomness();
    let costs =
        if can_compute { Some(costs::measure(job, scheme.0, contributors, arguments).await?) } else { None };
    Ok(Line {
        circuit: job.name.clone(),
        is_linear: job.is_linear,
        scheme: scheme.to_string(),
        sharing: kind,
        helpers,
        threshold,
        contributors,
        may: can_compute.then(|| Faults::of(&scheme.0, job.is_linear)),
        costs,
    })
}

fn jobs(path: Option<&Path>) -> Result<Vec<Job>, Failure> {
    let circuits = match path {
        Some(path) => vec![(path.display().to_string(), files::text(path)?, None)],
        None => vec![
            ("linear".to_owned(), format!("circuit linear\n{INPUTS}{LINEAR}"), Some(BitsArgument::None)),
            ("nonlinear".to_owned(), format!("circuit nonlinear\n{INPUTS}{NONLINEAR}"), None),
        ],
    };
    let job = |(name, text, bits): (String, String, Option<BitsArgument>)| {
        let circuit = draft::parse_circuit(&name, &text)?;
        // What a circuit is made of does not depend on who runs it.
        let sharing = Sharing { kind: SharingKind::Shamir, helpers: 3, threshold: 1 };
        let (_, _, program) = draft::document(draft::of_circuit(&circuit, sharing, bits, 1), &name, &text)?;
        let bits = if program.is_linear() { Some(BitsArgument::None) } else { bits };
        Ok(Job { name, text, inputs: circuit.inputs(), is_linear: program.is_linear(), bits })
    };
    circuits.into_iter().map(job).collect()
}
