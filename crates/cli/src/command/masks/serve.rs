//! `quorate masks serve`: rounds, until as many as asked are over.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use quorate_aggregator::{Finished, Limits, Plan, Server};
use quorate_contribute::npy_bytes;
use serde::Serialize;

use super::demand::{DemandArguments, bits, bits_or_none};
use super::enrolled;
use super::shape::ShapeArguments;
use crate::failure::Failure;
use crate::{keys, output};

#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  quorate masks serve --key server.key --enrolled enrolled --dimensions 1000 --clients 10 --out mean.npy\n\n\
    The file of enrolled clients has one public key (`quorate keys new`) in each line. A round begins when --clients of them are\n\
    connected; one with fewer neighbours than --sigma and --eta demand is refused."
)]
pub(super) struct Arguments {
    /// Where to listen
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:7200")]
    listen: String,
    /// The server's key file
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The file of clients' public keys
    #[arg(long, value_name = "FILE")]
    enrolled: PathBuf,
    #[command(flatten)]
    shape: ShapeArguments,
    #[command(flatten)]
    demand: DemandArguments,
    /// Neighbours of each client [default: the fewest that are enough]
    #[arg(long, value_name = "COUNT", requires = "threshold")]
    neighbours: Option<u32>,
    /// Neighbours that recover a client's secrets
    #[arg(long, value_name = "COUNT", requires = "neighbours")]
    threshold: Option<u32>,
    /// Clients rely on this server to follow the protocol: one step less, fewer neighbours, and those who do not rely on it stay away
    #[arg(long)]
    passive: bool,
    /// Clients to begin a round with [default: all that are enrolled]
    #[arg(long, value_name = "COUNT")]
    clients: Option<usize>,
    /// Rounds
    #[arg(long, value_name = "COUNT", default_value_t = 1)]
    rounds: u64,
    /// What clients compute their vectors from, sent to them and bound into their masks
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
    /// Seconds to wait for clients to connect
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    wait: u64,
    /// Seconds for clients to answer an invitation, with whatever they compute first
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    patience: u64,
    /// Seconds for each stage after that
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    stage: u64,
    /// Write the mean of the vectors here, as NumPy does; of several rounds, the last
    #[arg(long, value_name = "FILE.npy")]
    out: Option<PathBuf>,
    /// Print one JSON object for each round
    #[arg(long)]
    json: bool,
}

/// The names of the fields are the keys of the JSON.
#[derive(Debug, Serialize)]
struct Report {
    round: u64,
    id: String,
    clients: u32,
    neighbours: u32,
    threshold: u32,
    sigma: Option<f64>,
    eta: Option<f64>,
    survivors: u32,
    weight: Option<u64>,
    bytes_in: u64,
    seconds: f64,
    /// The first of the means.
    mean: Vec<f64>,
}

/// Numbers of a mean that are printed.
const SHOWN: usize = 5;

pub(super) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let enrolled = enrolled(&arguments.enrolled)?;
    let key = keys::read(&arguments.key)?;
    let count = u32::try_from(enrolled.len()).unwrap_or(u32::MAX);
    let encoding = arguments.shape.encoding(count)?;
    let model = match &arguments.model {
        Some(path) => std::fs::read(path).map_err(|source| Failure::File {
            doing: "read",
            path: path.clone(),
            source,
        })?,
        None => Vec::new(),
    };
    let clients_min = arguments.clients.unwrap_or(enrolled.len());
    let mut server = Server::bind(&arguments.listen, &key, enrolled, Limits::default()).await?;
    output::note(format_args!("listening at {}, key {}", server.address(), server.key()));
    for number in 1..=arguments.rounds {
        let found = server.gather(clients_min, Duration::from_secs(arguments.wait)).await;
        if found < clients_min {
            return Err(Failure::Invalid {
                message: format!("{found} clients are connected, and the round begins with {clients_min}"),
                hint: Some("wait longer with --wait, or begin with fewer: --clients".into()),
            });
        }
        let plan = Plan {
            number,
            is_active: !arguments.passive,
            graph: arguments.neighbours.zip(arguments.threshold),
            demand: arguments.demand.demand(),
            encoding,
            model: model.clone(),
            clients_min,
            patience: Duration::from_secs(arguments.patience),
            stage: Duration::from_secs(arguments.stage),
        };
        let finished = server.round(&plan).await.map_err(|error| Failure::Invalid {
            message: format!("round {number}: {error}"),
            hint: Some("nothing was learned of any vector; the clients can be invited again".into()),
        })?;
        report(&arguments, number, &finished)?;
    }
    server.close().await;
    Ok(())
}

fn report(arguments: &Arguments, number: u64, finished: &Finished) -> Result<(), Failure> {
    let Finished { round, strength, outcome, stages, bytes_in } = finished;
    let terms = round.terms();
    let survivors = outcome.survivors.count();
    let mean = terms.encoding.mean(&outcome.sum, outcome.weight.unwrap_or(survivors.into()));
    if let Some(path) = &arguments.out {
        write(path, &mean)?;
    }
    let seconds: f64 = stages.iter().map(|(_, took)| took.as_secs_f64()).sum();
    if arguments.json {
        return output::json(&Report {
            round: number,
            id: round.id().to_string(),
            clients: round.clients(),
            neighbours: terms.neighbours,
            threshold: terms.threshold,
            sigma: bits_or_none(strength.sigma),
            eta: bits_or_none(strength.eta),
            survivors,
            weight: outcome.weight,
            bytes_in: *bytes_in,
            seconds,
            mean,
        });
    }
    output::heading(format_args!("Round {number}"))?;
    let first: Vec<String> = mean.iter().take(SHOWN).map(|number| format!("{number:.6}")).collect();
    let more = if mean.len() > SHOWN { ", …" } else { "" };
    let lines = [
        ("in the sum", format!("{survivors} of {} clients", round.clients())),
        (
            "graph",
            format!(
                "{} neighbours, threshold {}, sigma {}, eta {}",
                terms.neighbours,
                terms.threshold,
                bits(strength.sigma),
                bits(strength.eta)
            ),
        ),
        ("mean", format!("{}{more}", first.join(", "))),
        ("received", output::bytes(*bytes_in)),
        ("took", output::seconds(seconds)),
    ];
    let rows = lines.map(|(name, text)| vec![name.to_owned(), text]).to_vec();
    output::line(output::aligned(rows, false, &[]))
}

fn write(path: &Path, mean: &[f64]) -> Result<(), Failure> {
    std::fs::write(path, npy_bytes(mean)).map_err(|source| Failure::File {
        doing: "write",
        path: path.to_owned(),
        source,
    })
}
