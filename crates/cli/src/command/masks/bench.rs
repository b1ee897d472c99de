//! `quorate masks bench`: what a round costs each client and the server, in one process and without a network.
//!
//! The very client and server of a round, every message through the codec; vectors are of 32-bit words where the clients'
//! sum fits them. Clients that vanish do so after they have shared their secrets, where it costs the server most. Beside the
//! server's unmasking stands how long the generator alone takes for as many bytes of masks, on all cores, a moment later.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chacha20::ChaCha20;
use chacha20::cipher::{KeyIvInit as _, StreamCipher as _};
use clap::Args;
use quorate_federation::SecretKey;
use quorate_hash::Digest;
use quorate_masking::trial::{self, Meter, Parts};
use quorate_masking::{
    CLIENTS_MAX, Demand, Encoding, LENGTH_MAX, Position, Ring, Round, Stage, Strength, Terms, Variant, choose,
};
use quorate_plot::{Axis, Chart, Series};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use rayon::prelude::*;
use serde::Serialize;

use super::demand::{bits, bits_or_none};
use crate::failure::Failure;
use crate::output::{self, aligned, seconds};
use crate::{files, keys};

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  quorate masks bench --clients 100 --dimensions 100000 --dropouts 0.05 --neighbours 20 --json\n  quorate masks bench --clients 10,100,300 --dimensions 1000,100000 --dropouts 0,0.1,0.3 --plot pictures"
)]
pub(super) struct Arguments {
    /// Numbers of clients
    #[arg(long, value_name = "COUNTS", value_delimiter = ',', default_value = "100", value_parser = clap::value_parser!(u32).range(3..=CLIENTS_MAX as i64))]
    clients: Vec<u32>,
    /// Numbers in a vector
    #[arg(long, value_name = "COUNTS", value_delimiter = ',', default_value = "100000", value_parser = clap::value_parser!(u32).range(1..=i64::from(LENGTH_MAX)))]
    dimensions: Vec<u32>,
    /// Shares of the clients that vanish
    #[arg(long, value_name = "SHARES", value_delimiter = ',', default_value = "0.05", value_parser = share)]
    dropouts: Vec<f64>,
    /// Holders of each client's shares: a number, `all`, or `chosen` for the fewest that reach sigma 40 and eta 20 with the
    /// dropouts and one client in twenty corrupt (all where none do)
    #[arg(long, value_name = "COUNT", value_delimiter = ',', default_value = "chosen", value_parser = neighbours)]
    neighbours: Vec<Neighbours>,
    /// Shares that recover a secret [default: as chosen, or more than half of the neighbours]
    #[arg(long, value_name = "COUNT")]
    threshold: Option<u32>,
    /// Clients guard against a server that lies: they choose their neighbours and sign who has survived
    #[arg(long)]
    active: bool,
    /// Rounds of each, of which the fastest counts
    #[arg(long, value_name = "COUNT", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=1000))]
    rounds: u16,
    /// Draw the costs, as SVG and PNG, into this directory
    #[arg(long, value_name = "DIR")]
    plot: Option<std::path::PathBuf>,
    /// Print as JSON: an object, or a list of them where there are several
    #[arg(long)]
    json: bool,
}

/// How many holders.
#[derive(Clone, Copy, Debug)]
enum Neighbours {
    Some(u32),
    All,
    Chosen,
}

fn share(text: &str) -> Result<f64, String> {
    let share: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    (0.0..1.0).contains(&share).then_some(share).ok_or_else(|| "take a share from 0 to below 1".to_owned())
}

fn neighbours(text: &str) -> Result<Neighbours, String> {
    match text {
        "all" => Ok(Neighbours::All),
        "chosen" => Ok(Neighbours::Chosen),
        count => {
            count.parse().map(Neighbours::Some).map_err(|_| "take a number, `all` or `chosen`".to_owned())
        }
    }
}

/// What was measured. The names of the fields are the keys of the JSON.
#[derive(Clone, Debug, Serialize)]
struct Line {
    clients: u32,
    dimensions: u32,
    dropouts: f64,
    neighbours: u32,
    threshold: u32,
    active: bool,
    /// Whether every number of the sum is that of the clear text.
    exact: bool,
    /// Work of one client, all stages, on average.
    client_seconds: f64,
    /// Work of the server, all stages.
    server_seconds: f64,
    /// Of that, from the first share for unmasking to the sum.
    unmasking_seconds: f64,
    bytes_up_per_client: f64,
    /// Bytes of masks that the server computes to unmask.
    mask_bytes: u64,
    /// Time of the generator alone for these bytes, over that of unmasking.
    prg_fraction: f64,
    /// Bits of the probability that somebody is betrayed, at one client in twenty corrupt; none if that is certain not to be.
    sigma: Option<f64>,
    /// Bits of the probability that a round fails with these dropouts; likewise.
    eta: Option<f64>,
}

impl Line {
    /// Of two rounds the one with the faster server, with the least work of a client and the largest fraction of either.
    fn or_faster(self, other: Line) -> Line {
        let client_seconds = self.client_seconds.min(other.client_seconds);
        let prg_fraction = self.prg_fraction.max(other.prg_fraction);
        let faster = if self.server_seconds <= other.server_seconds { self } else { other };
        Line { client_seconds, prg_fraction, ..faster }
    }
}

/// Adds up who works for how long.
#[derive(Default)]
struct Watch {
    clients: Duration,
    server: Duration,
    unmasking: Duration,
}

impl Meter for Watch {
    fn client<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let began = Instant::now();
        let done = work();
        self.clients += began.elapsed();
        done
    }

    fn server<T>(&mut self, stage: Stage, work: impl FnOnce() -> T) -> T {
        let began = Instant::now();
        let done = work();
        let took = began.elapsed();
        self.server += took;
        if stage == Stage::Unmasking {
            self.unmasking += took;
        }
        done
    }
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let mut cases = Vec::new();
    for &clients in &arguments.clients {
        for &dimensions in &arguments.dimensions {
            for &neighbours in &arguments.neighbours {
                cases.extend(
                    arguments.dropouts.iter().map(|&dropouts| (clients, dimensions, neighbours, dropouts)),
                );
            }
        }
    }
    let bar = output::steps_bar(cases.len() as u64);
    let mut lines = Vec::new();
    for (clients, dimensions, neighbours, dropouts) in cases {
        bar.set_message(format!("{clients} clients, {dimensions} numbers, {dropouts} vanish"));
        lines.push(measure(arguments, clients, dimensions, neighbours, dropouts)?);
        bar.inc(1);
    }
    bar.finish_and_clear();
    if let Some(directory) = &arguments.plot {
        files::make_dir(directory)?;
        files::write_charts(directory, charts(&lines))?;
    }
    match lines.as_slice() {
        [line] if arguments.json => output::json(line),
        lines if arguments.json => output::json(&lines),
        lines => output::line(table(lines)),
    }
}

/// A graph: neighbours, threshold and what they reach.
fn graph(arguments: &Arguments, clients: u32, neighbours: Neighbours, demand: &Demand) -> (u32, u32) {
    let of = |count: u32| (count, count / 2 + 1);
    let all = of(clients - 1);
    let (neighbours, threshold) = match neighbours {
        Neighbours::Some(count) => of(count),
        Neighbours::All => all,
        Neighbours::Chosen => choose(clients, arguments.active, demand)
            .map_or(all, |(neighbours, threshold, _)| (neighbours, threshold)),
    };
    (neighbours, arguments.threshold.unwrap_or(threshold))
}

fn measure(
    arguments: &Arguments,
    clients: u32,
    dimensions: u32,
    neighbours: Neighbours,
    dropouts: f64,
) -> Result<Line, Failure> {
    let invalid = |message: String| Failure::Invalid { message, hint: None };
    let demand = Demand { dropouts, ..Demand::default() };
    let mut rng = ChaCha20Rng::from_seed(*keys::random()?);
    let identities: Vec<Arc<SecretKey>> =
        (0..clients).map(|_| Arc::new(SecretKey::generate(&mut rng))).collect();
    let (neighbours, threshold) = graph(arguments, clients, neighbours, &demand);
    let terms = |number| Terms {
        number,
        server: identities[0].public(),
        clients: identities.iter().map(|identity| identity.public()).collect(),
        variant: if arguments.active { Variant::Active } else { Variant::Passive { seed: Digest([7; 32]) } },
        neighbours,
        threshold,
        survivors_min: threshold + 1,
        encoding: encoding(dimensions),
        model: Digest::default(),
    };
    let reached = Strength::of(&terms(0), &demand).map_err(|error| invalid(error.to_string()))?;
    let vanish = clients - demand.survivors_min(clients);
    let parts = Parts {
        identities: &identities,
        vector: &|client| vector(client, dimensions),
        weight: &|_| 1,
        vanishes: &|client| (client >= clients - vanish).then_some(Stage::Inputs),
    };
    let mut best: Option<Line> = None;
    for number in 0..arguments.rounds {
        let round = Round::new(terms(number.into())).map_err(|fault| invalid(fault.to_string()))?;
        let mut watch = Watch::default();
        let trial = trial::run(&Arc::new(round), &parts, &mut rng, &mut watch);
        let outcome = trial.outcome.map_err(|abort| Failure::Invalid {
            message: abort.to_string(),
            hint: Some("a graph with more neighbours survives it: --neighbours".into()),
        })?;
        let exact = outcome.survivors.count() == clients - vanish
            && outcome.sum == expected(clients - vanish, dimensions);
        let line = Line {
            clients,
            dimensions,
            dropouts,
            neighbours,
            threshold,
            active: arguments.active,
            exact,
            client_seconds: watch.clients.as_secs_f64() / f64::from(clients),
            server_seconds: watch.server.as_secs_f64(),
            unmasking_seconds: watch.unmasking.as_secs_f64(),
            bytes_up_per_client: trial.bytes_up as f64 / f64::from(clients),
            mask_bytes: outcome.mask_bytes,
            prg_fraction: generator(outcome.mask_bytes).as_secs_f64() / watch.unmasking.as_secs_f64(),
            sigma: bits_or_none(reached.sigma),
            eta: bits_or_none(reached.eta),
        };
        if !exact {
            return Err(invalid("the sum is not that of the clear text: this is a fault of Quorate".into()));
        }
        best = Some(match best {
            Some(best) => best.or_faster(line),
            None => line,
        });
    }
    best.ok_or_else(|| invalid("no round was run".into()))
}

/// Numbers of 16 bits: the sum of all clients that a round can have fits 32.
fn encoding(dimensions: u32) -> Encoding {
    Encoding { ring: Ring::Mod32, length: dimensions, fraction_bits: 0, bound: 1 << 15, weight_max: 0 }
}

fn number(client: Position, place: i64) -> i64 {
    (place * 31 + i64::from(client) * 1009) % 65_537 - 32_768
}

fn vector(client: Position, dimensions: u32) -> Vec<i64> {
    (0..i64::from(dimensions)).map(|place| number(client, place)).collect()
}

/// The sum of the first clients' vectors.
fn expected(clients: u32, dimensions: u32) -> Vec<i64> {
    let places: Vec<i64> = (0..i64::from(dimensions)).collect();
    places.par_iter().map(|&place| (0..clients).map(|client| number(client, place)).sum()).collect()
}

/// How long the generator alone takes for so many bytes, on all cores: the faster of two turns.
fn generator(bytes: u64) -> Duration {
    const PIECE: u64 = 1 << 16;
    let turn = || {
        let began = Instant::now();
        (0..bytes.div_ceil(PIECE)).into_par_iter().for_each_init(
            || vec![0; 4096],
            |buffer, piece| {
                let mut nonce = [0; 12];
                nonce[..8].copy_from_slice(&piece.to_le_bytes());
                let mut cipher = ChaCha20::new(&[7; 32].into(), &nonce.into());
                for _ in 0..PIECE / 4096 {
                    cipher.write_keystream(std::hint::black_box(buffer));
                }
            },
        );
        began.elapsed()
    };
    turn().min(turn())
}

fn table(lines: &[Line]) -> String {
    let heading = [
        "clients",
        "numbers",
        "vanish",
        "neighbours",
        "threshold",
        "client",
        "server",
        "unmasking",
        "B up each",
        "of PRG",
        "sigma",
        "eta",
    ];
    let mut rows = vec![heading.map(str::to_owned).to_vec()];
    rows.extend(lines.iter().map(|line| {
        vec![
            line.clients.to_string(),
            line.dimensions.to_string(),
            format!("{:.0}%", 100.0 * line.dropouts),
            line.neighbours.to_string(),
            line.threshold.to_string(),
            seconds(line.client_seconds),
            seconds(line.server_seconds),
            seconds(line.unmasking_seconds),
            format!("{:.0}", line.bytes_up_per_client),
            format!("{:.2}", line.prg_fraction),
            bits(line.sigma.unwrap_or(f64::INFINITY)),
            bits(line.eta.unwrap_or(f64::INFINITY)),
        ]
    }));
    let right: Vec<usize> = (0..12).collect();
    format!("{}\n\n{LEGEND}", aligned(rows, true, &right))
}

const LEGEND: &str = "\
client: work of one, all stages. server: all stages; unmasking: from the first share to the sum.
of PRG: the generator's own time for the server's masks, over unmasking. Every sum was exact.
sigma, eta: bits of the probability of betrayal, one in twenty being corrupt, and of failure.";

/// Costs against the number of clients, a line for each length and share of dropouts.
fn charts(lines: &[Line]) -> Vec<(String, Chart)> {
    let chart = |name: &str, title: &str, cost: fn(&Line) -> f64| {
        let mut series: Vec<Series> = Vec::new();
        for line in lines {
            let name = format!("{} numbers, {:.0}% vanish", line.dimensions, 100.0 * line.dropouts);
            let point = (f64::from(line.clients), cost(line));
            match series.iter_mut().find(|series| series.name == name) {
                Some(series) => series.points.push(point),
                None => series.push(Series { name, points: vec![point] }),
            }
        }
        let (x, y) = (Axis::log("clients"), Axis::log("seconds"));
        (name.to_owned(), Chart { title: title.to_owned(), x, y, series })
    };
    vec![
        chart("masks-client", "Work of one client", |line| line.client_seconds),
        chart("masks-server", "Work of the server", |line| line.server_seconds),
    ]
}
