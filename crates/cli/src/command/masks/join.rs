//! `quorate masks join`: a part in rounds.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use quorate_aggregator::{Client, ClientError, Limits, Requirements};
use quorate_masking::Input;
use serde_json::json;

use super::demand::DemandArguments;
use super::enrolled;
use crate::failure::Failure;
use crate::{files, keys, output};

#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  quorate masks join --server fl.example:7200 --server-key server.pub --key client1.key --enrolled enrolled --vector gradient.npy\n\n\
    A file with several vectors gives one for each round. A round that relies on the server (--passive there) is refused here\n\
    unless --passive says that you do too; so is one whose graph is weaker than --sigma and --eta."
)]
pub(super) struct Arguments {
    /// The server
    #[arg(long, value_name = "HOST:PORT")]
    server: String,
    /// The server's public key, or the file that has it
    #[arg(long, value_name = "KEY")]
    server_key: String,
    /// This client's key file
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The file of clients' public keys, from whoever enrolled them; not from the server
    #[arg(long, value_name = "FILE", required_unless_present = "passive")]
    enrolled: Option<PathBuf>,
    /// The vector: a NumPy file of float32 or float64
    #[arg(long, value_name = "FILE.npy")]
    vector: PathBuf,
    /// The vector's weight, in rounds with weights
    #[arg(long, value_name = "WEIGHT", default_value_t = 1)]
    weight: u32,
    /// Rely on the server to follow the protocol
    #[arg(long)]
    passive: bool,
    #[command(flatten)]
    demand: DemandArguments,
    /// Print one JSON object for each round
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let file = files::vectors(&arguments.vector)?;
    let identity = Arc::new(keys::read(&arguments.key)?);
    let enrolled = arguments.enrolled.as_deref().map(enrolled).transpose()?;
    let requirements = Requirements {
        demand: arguments.demand.demand(),
        takes_passive: arguments.passive,
        enrolled: enrolled.map(|keys| keys.into_iter().collect()),
    };
    let server = keys::public(&arguments.server_key)?;
    let mut client =
        Client::connect(&arguments.server, server, identity, requirements, Limits::default()).await?;
    for row in 0..file.rows() {
        let vector = vector(&file, row, &arguments.vector)?;
        let Some(round) = client.next_round().await? else {
            return Err(ClientError::Closed.into());
        };
        let (number, clients) = (round.terms().number, round.terms().clients.len());
        let taken = round.contribute(Input::Reals(&vector), arguments.weight).await?;
        if arguments.json {
            output::json(&json!({
                "round": number, "clients": clients, "survivors": taken.survivors, "counted": taken.is_counted,
            }))?;
        } else {
            let counted =
                if taken.is_counted { "with this one's" } else { "without this one's, which came too late" };
            output::line(format_args!(
                "round {number}: the sum of {} of {clients} vectors, {counted}",
                taken.survivors
            ))?;
        }
    }
    Ok(())
}

fn vector(file: &quorate_contribute::VectorFile, row: u64, path: &Path) -> Result<Vec<f32>, Failure> {
    let vector = file.read(row).map_err(|error| files::npy(path, &error))?;
    #[expect(clippy::cast_possible_truncation, reason = "rounds are of single precision and coarser")]
    let vector = vector.into_iter().map(|number| number as f32).collect();
    Ok(vector)
}
