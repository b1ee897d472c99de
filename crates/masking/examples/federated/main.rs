//! Federated logistic regression: every client keeps its rows, and every round one in ten is lost.
//!
//! Clients send gradients, weighted by their rows (federated averaging: McMahan et al., "Communication-efficient learning of deep
//! networks from decentralized data", AISTATS 2017), and what is learned of them is their sum. It is trained twice:
//!
//! - `masks`: pairwise masks, one server, clients that stay for a round;
//! - `helpers`: shares among three helper processes, clients that upload and leave.
//!
//! Both are held against central training on the same rows in every round: a coefficient that differs by more than rounding
//! explains ([`training`]) fails the example.
//!
//! ```text
//! cargo run --release -p quorate-masking --example federated
//! cargo run --release -p quorate-masking --example federated -- --by masks --csv FILE --label COLUMN
//! ```

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "an example shows what it does")]

mod data;
mod helpers;
mod masks;
mod model;
mod training;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use clap::{Parser, ValueEnum};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use crate::helpers::Helpers;
use crate::masks::Masks;
use crate::model::Model;
use crate::training::{Setting, Summed, Training};

/// What ends the example early, in words.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Train a logistic regression on rows that never leave their clients
#[derive(Debug, Parser)]
struct Arguments {
    /// How gradients are summed
    #[arg(long, value_enum, default_value = "both")]
    by: By,
    /// Rows of one's own, instead of made-up ones
    #[arg(long, value_name = "FILE", requires = "label")]
    csv: Option<PathBuf>,
    /// The column that is predicted: 0 or 1, no or yes
    #[arg(long, value_name = "COLUMN")]
    label: Option<String>,
    /// The columns that it is predicted from [default: all others]
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    features: Vec<String>,
    /// How many clients
    #[arg(long, value_name = "COUNT", default_value_t = 50, value_parser = clap::value_parser!(u16).range(3..=1000))]
    clients: u16,
    /// How many rounds
    #[arg(long, value_name = "COUNT", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    rounds: u64,
    /// The share of the clients that leave in every round
    #[arg(long, value_name = "SHARE", default_value_t = 0.1)]
    dropouts: f64,
    /// The length of a step, over that of the mean gradient
    #[arg(long, value_name = "LENGTH", default_value_t = 0.5)]
    step: f64,
    /// Numbers of a client's mean gradient are clipped to -BOUND .. BOUND
    #[arg(long, value_name = "BOUND", default_value_t = 4.0)]
    bound: f64,
    /// What rows, clients' batches and dropouts are drawn from
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
}

/// How gradients are summed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum By {
    /// Pairwise masks and one server
    Masks,
    /// Shares among three helpers
    Helpers,
    /// One after the other
    Both,
}

/// One of the two, started.
enum Summing {
    Masks(Masks),
    Helpers(Box<Helpers>),
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), Failure> {
    let setting = Arc::new(setting(&arguments)?);
    let rows: usize = setting.batches.iter().map(Vec::len).sum();
    println!("{rows} rows of {} clients, {} coefficients", setting.batches.len(), setting.coefficients());
    if arguments.by != By::Helpers {
        println!("\nBy pairwise masks: one server, clients that stay for a round");
        let masks = Summing::Masks(Masks::start(&setting).await?);
        train(&setting, masks).await?;
    }
    if arguments.by != By::Masks {
        println!("\nBy helpers: three, of which none learns anything alone; clients that upload and leave");
        let helpers = Summing::Helpers(Box::new(Helpers::start(&setting).await?));
        train(&setting, helpers).await?;
    }
    Ok(())
}

fn setting(arguments: &Arguments) -> Result<Setting, Failure> {
    let Arguments { clients, rounds, dropouts, step, bound, seed, .. } = *arguments;
    let clients = usize::from(clients);
    let mut rows = match (&arguments.csv, &arguments.label) {
        (Some(path), Some(label)) => data::read(path, label, &arguments.features)?,
        _ => data::generated(clients, seed),
    };
    if !(0.0..1.0).contains(&dropouts) {
        return Err(format!("dropouts of {dropouts}: choose a share from 0 to below 1").into());
    }
    if !(step > 0.0 && bound > 0.0 && bound <= 1e6) {
        return Err(format!("a step of {step} and a bound of {bound}: choose positive ones").into());
    }
    data::standardise(&mut rows)?;
    let batches = data::deal(rows, clients, seed)?;
    Ok(Setting { batches, bound, step, dropouts, rounds, seed })
}

/// Trains for all rounds, with a line for each.
async fn train(setting: &Setting, mut summing: Summing) -> Result<Training, Failure> {
    let mut training = Training::new(setting);
    println!("round  in the sum  rows     loss  accuracy  from central  at most  seconds");
    for number in 1..=setting.rounds {
        let began = Instant::now();
        let summed = summing.sum(number, &training.federated).await?;
        let seconds = began.elapsed().as_secs_f64();
        training.step(setting, &summed)?;
        let (loss, accuracy) = training.federated.measure(&setting.batches);
        let (in_sum, rows) = (summed.survivors.len(), summed.rows);
        let (difference, limit) = (training.difference(), training.limit);
        println!(
            "{number:5}  {in_sum:10}  {rows:4}  {loss:7.5}  {accuracy:8.4}  {difference:12.1e}  {limit:7.1e}  {seconds:7.2}"
        );
    }
    summing.end().await?;
    verdict(&training)?;
    Ok(training)
}

/// Whether the models are as near as they must be, in words.
fn verdict(training: &Training) -> Result<(), Failure> {
    let (difference, limit) = (training.difference(), training.limit);
    if !training.matches() {
        let message = format!(
            "a coefficient is {difference:.1e} from central training, and rounding explains {limit:.1e}"
        );
        return Err(message.into());
    }
    println!(
        "No coefficient is more than {difference:.1e} from central training; rounding allows {limit:.1e}."
    );
    Ok(())
}

impl Summing {
    async fn sum(&mut self, number: u64, model: &Model) -> Result<Summed, Failure> {
        match self {
            Summing::Masks(masks) => masks.sum(number, model).await,
            Summing::Helpers(helpers) => helpers.sum(number, model).await,
        }
    }

    async fn end(self) -> Result<(), Failure> {
        match self {
            Summing::Masks(masks) => masks.end().await,
            Summing::Helpers(helpers) => helpers.end().await,
        }
    }
}

/// A generator for keys and secrets.
fn fresh_rng() -> Result<ChaCha20Rng, Failure> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed)?;
    Ok(ChaCha20Rng::from_seed(seed))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small() -> Setting {
        let arguments = ["federated", "--clients", "10", "--rounds", "2"];
        setting(&Arguments::parse_from(arguments)).unwrap()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn training_by_masks_is_central_training() {
        let setting = Arc::new(small());
        let (before, _) = Training::new(&setting).federated.measure(&setting.batches);
        let masks = Summing::Masks(Masks::start(&setting).await.unwrap());
        let training = train(&setting, masks).await.unwrap();
        let (after, accuracy) = training.federated.measure(&setting.batches);
        assert!(after < before && accuracy > 0.6, "{before} {after} {accuracy}");
        assert!(training.difference() > 0.0, "the sum of gradients was not rounded");
    }

    #[test]
    fn a_sum_that_rounding_does_not_explain_is_noticed() {
        let setting = small();
        let mut training = Training::new(&setting);
        let gradients: Vec<Vec<f64>> = setting
            .batches
            .iter()
            .map(|batch| training.federated.gradient(batch, setting.bound).mean)
            .collect();
        let mean = |change: f64| {
            (0..setting.coefficients())
                .map(|place| gradients.iter().map(|gradient| gradient[place]).sum::<f64>() / 10.0 + change)
                .collect()
        };
        let summed =
            |mean, rows| Summed { survivors: (0..10).collect(), mean, rows, rounding: 2_f64.powi(-21) };
        training.step(&setting, &summed(mean(2_f64.powi(-22)), 2000)).unwrap();
        verdict(&training).unwrap();
        assert!(training.step(&setting, &summed(mean(0.0), 1999)).is_err());
        let mut training = Training::new(&setting);
        training.step(&setting, &summed(mean(2_f64.powi(-18)), 2000)).unwrap();
        verdict(&training).unwrap_err();
    }

    #[test]
    fn one_in_ten_leaves_and_not_always_the_same() {
        let setting = small();
        let rounds: Vec<_> = (1..=8).map(|round| setting.leaving(round)).collect();
        assert!(rounds.iter().all(|leaving| leaving.len() == 1));
        let clients: std::collections::BTreeSet<_> =
            rounds.iter().flat_map(|leaving| leaving.keys()).collect();
        assert!(clients.len() > 3, "{clients:?}");
        assert!(rounds.iter().any(|leaving| leaving.values().any(|at| *at == training::Leaving::AtOnce)));
        assert!(rounds.iter().any(|leaving| leaving.values().any(|at| *at == training::Leaving::SharesOut)));
    }
}
