//! The sums by pairwise masks: one server, whose clients are all online, and no helpers.

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use quorate_aggregator::{Client, ClientError, Limits, Requirements};
use quorate_federation::{PublicKey, SecretKey};
use quorate_local::{Usage, cpu_of_process};
use quorate_masking::Input;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, ChildStderr, Command};

use super::plain::{compare, value};
use super::{Costs, Job, microseconds_each};
use crate::failure::Failure;
use crate::keys::random;
use crate::trial::this_program;

/// Fewer make no round.
pub(super) const CONTRIBUTORS_MIN: u32 = 3;

/// Measures, and compares the sums with the clear text. In a passive round the server is relied on to follow the protocol.
pub(super) async fn measure(job: &Job, is_passive: bool) -> Result<Costs, Failure> {
    let table = job.table()?;
    let vector = |row| (0..table.columns()).map(|column| value(&table, row, column).cast_signed()).collect();
    let vectors: Vec<Vec<i64>> = (0..table.rows()).map(vector).collect();
    let mut rng = ChaCha20Rng::from_seed(*random()?);
    let identities: Vec<Arc<SecretKey>> =
        vectors.iter().map(|_| Arc::new(SecretKey::generate(&mut rng))).collect();
    let server_key = SecretKey::generate(&mut rng);
    let dir = TempDir::with_prefix("quorate-").map_err(broken)?;
    let mut server = Server::start(dir.path(), &server_key, &identities, table.columns(), is_passive).await?;
    let mut clients = Vec::new();
    for identity in identities {
        let requirements = Requirements { takes_passive: is_passive, ..Requirements::default() };
        clients.push(
            Client::connect(&server.address, server_key.public(), identity, requirements, Limits::default())
                .await?,
        );
    }

    let (before, own_before, started) = (server.cpu(), cpu_of_process(), Instant::now());
    let parts = clients.iter_mut().zip(&vectors).map(async |(client, vector)| {
        let round = client.next_round().await?.ok_or(ClientError::Closed)?;
        round.contribute(Input::Integers(vector), 1).await
    });
    try_join_all(parts).await?;
    let (own, servers) = (cpu_of_process().saturating_sub(own_before), server.cpu().saturating_sub(before));
    let took = started.elapsed().as_secs_f64();
    let report = server.report().await?;
    compare(&table, &sums(&report, table.rows())?)?;
    let bytes = report["bytes_in"].as_f64().unwrap_or(0.0) / f64::from(job.contributors);
    Ok(Costs {
        bytes_per_contribution: bytes,
        bytes_per_contribution_in_bulk: bytes,
        contributor_cpu_us: microseconds_each(own, job.contributors),
        servers_cpu_us: microseconds_each(servers, job.contributors),
        bytes_between_servers: 0.0,
        upload_seconds: took,
        seal_seconds: 0.0,
        run_seconds: 0.0,
    })
}

/// The sums of so many vectors, from their mean: a double, whose rounding is far below one.
fn sums(report: &serde_json::Value, vectors: usize) -> Result<Vec<u64>, Failure> {
    let mean = report["mean"].as_array().ok_or_else(|| broken("it gives no mean"))?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "sums of numbers of 20 bits")]
    let sum = |mean: f64| (mean * vectors as f64).round() as u64;
    mean.iter().map(|mean| mean.as_f64().map(sum).ok_or_else(|| broken("its mean is no number"))).collect()
}

/// The server's process. It ends with this.
struct Server {
    process: Child,
    /// Read no further than where it says its address; kept, so that it may say more.
    _says: BufReader<ChildStderr>,
    address: String,
}

impl Server {
    async fn start(
        dir: &Path,
        key: &SecretKey,
        clients: &[Arc<SecretKey>],
        columns: usize,
        is_passive: bool,
    ) -> Result<Self, Failure> {
        let (key_path, enrolled) = (dir.join("server.key"), dir.join("enrolled"));
        crate::keys::write_secret(&key_path, key.to_text().as_bytes())?;
        let keys: Vec<PublicKey> = clients.iter().map(|client| client.public()).collect();
        let lines: String = keys.iter().map(|key| format!("{key}\n")).collect();
        std::fs::write(&enrolled, lines).map_err(broken)?;
        let mut command = Command::new(this_program()?);
        command.args([
            "masks",
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--json",
            "--fraction-bits",
            "0",
            "--bound",
            "999999",
        ]);
        command.arg("--key").arg(&key_path).arg("--enrolled").arg(&enrolled);
        command.args(["--dimensions", &columns.to_string()]).args(is_passive.then_some("--passive"));
        command.kill_on_drop(true).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().map_err(broken)?;
        let stderr = process.stderr.take().ok_or_else(|| broken("it cannot be heard"))?;
        let (mut says, mut line) = (BufReader::new(stderr), String::new());
        says.read_line(&mut line).await.map_err(broken)?;
        let address = line.strip_prefix("listening at ").and_then(|said| said.split(',').next());
        let address = address.ok_or_else(|| broken(line.trim()))?.to_owned();
        Ok(Server { process, _says: says, address })
    }

    /// Processor time it used so far.
    fn cpu(&self) -> Duration {
        self.process.id().and_then(Usage::of).unwrap_or_default().cpu
    }

    /// What it says of the round.
    async fn report(&mut self) -> Result<serde_json::Value, Failure> {
        let mut text = String::new();
        let mut output = self.process.stdout.take().ok_or_else(|| broken("it has said everything"))?;
        output.read_to_string(&mut text).await.map_err(broken)?;
        serde_json::from_str(&text).map_err(broken)
    }
}

fn broken(error: impl ToString) -> Failure {
    Failure::Invalid { message: format!("the server of masks: {}", error.to_string()), hint: None }
}
