//! The sums without secrecy: a server that sees every value, a process of its own, and its client.
//!
//! It does what a plain upload asks for and no more: HTTPS, a body of eight bytes a value, one write and sync for all
//! bodies that came in the meantime, an answer when they are durable. No replay, no range, no receipt is checked or made.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{Method, StatusCode};
use axum::routing::{get, post};
use clap::Args;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use quorate_client::{Fault, Pinned};
use quorate_contribute::Table;
use quorate_federation::SecretKey;
use quorate_local::{Usage, cpu_of_process};
use quorate_tls::server_config;
use quorate_wire::{decode, encode, limits};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

use super::{Costs, Job, WINDOW, microseconds_each};
use crate::command::helper::stdin_closed;
use crate::failure::Failure;
use crate::keys::random;
use crate::output;
use crate::trial::this_program;

/// The server answers, or something is wrong.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

#[derive(Debug, Args)]
pub(crate) struct ServerArguments {
    /// Where values are kept
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
}

/// Measures, and compares the sums with the clear text.
pub(super) async fn measure(job: &Job) -> Result<Costs, Failure> {
    let dir =
        TempDir::with_prefix("quorate-").map_err(failed("make a directory in", std::env::temp_dir()))?;
    let server = Server::start(dir.path()).await?;
    let (table, contributions) = (job.table()?, f64::from(job.contributors));

    let (before, own_before, started) = (server.cpu(), cpu_of_process(), Instant::now());
    let uploaded = server.upload(&table).await?;
    let (own, upload_seconds) = (cpu_of_process().saturating_sub(own_before), started.elapsed());
    let started = Instant::now();
    let sums = server.sums().await?;
    let run_seconds = started.elapsed().as_secs_f64();
    let servers = server.cpu().saturating_sub(before);
    compare(&table, &sums)?;

    let all = encode(&vec![0_u64; table.cells().len()]);
    Ok(Costs {
        bytes_per_contribution: uploaded as f64 / contributions,
        bytes_per_contribution_in_bulk: all.len() as f64 / contributions,
        contributor_cpu_us: microseconds_each(own, job.contributors),
        servers_cpu_us: microseconds_each(servers, job.contributors),
        bytes_between_servers: 0.0,
        upload_seconds: upload_seconds.as_secs_f64(),
        seal_seconds: 0.0,
        run_seconds,
    })
}

/// Compares sums of columns with the clear text's.
pub(super) fn compare(table: &Table, sums: &[u64]) -> Result<(), Failure> {
    for column in 0..table.columns() {
        let expected: u64 = (0..table.rows()).map(|row| value(table, row, column)).sum();
        let found = sums.get(column).copied().unwrap_or(0);
        if found != expected {
            let (name, found, expected) = (format!("s{column}"), found.to_string(), expected.to_string());
            return Err(Failure::Differs { name, found, expected });
        }
    }
    Ok(())
}

/// A value of the table, which has none below zero or above a million.
pub(super) fn value(table: &Table, row: usize, column: usize) -> u64 {
    table.row(row)[column].to_i128().and_then(|value| u64::try_from(value).ok()).unwrap_or(0)
}

/// The server's process and the way to it. It ends with this.
struct Server {
    process: Child,
    client: Pinned,
}

impl Server {
    async fn start(dir: &Path) -> Result<Self, Failure> {
        let program = this_program()?;
        let mut command = Command::new(&program);
        command.args(["bench", "plain-server", "--dir"]).arg(dir).kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().map_err(failed("start", program.clone()))?;
        let mut says = String::new();
        if let Some(output) = process.stdout.take() {
            BufReader::new(output).read_line(&mut says).await.map_err(failed("read from", program))?;
        }
        let parts = says.trim().split_once(' ').map(|(address, key)| (address, key.parse()));
        let Some((address, Ok(key))) = parts else {
            return Err(broken("it did not say where it listens"));
        };
        let server = Server { process, client: Pinned::new(address, key)? };
        // Connected before anything is measured, as the helpers' clients are.
        server.client.connect(WINDOW, "/sums").await.map_err(broken)?;
        Ok(server)
    }

    /// Processor time it used so far.
    fn cpu(&self) -> Duration {
        self.process.id().and_then(Usage::of).unwrap_or_default().cpu
    }

    /// Sends every row alone; the bytes of all bodies.
    async fn upload(&self, table: &Table) -> Result<u64, Failure> {
        let client = &self.client;
        let rows = (0..table.rows()).map(|row| async move {
            let values: Vec<u64> = (0..table.columns()).map(|column| value(table, row, column)).collect();
            let body = encode(&values);
            let bytes = body.len() as u64;
            let content = Some(("application/octet-stream", Bytes::from(body)));
            succeeded(client.ask(Method::POST, "/values", content, ANSWER_TIMEOUT).await)?;
            Ok::<u64, Failure>(bytes)
        });
        let uploads = stream::iter(rows).buffer_unordered(WINDOW);
        uploads.try_fold(0, async |all, bytes| Ok(all + bytes)).await
    }

    async fn sums(&self) -> Result<Vec<u64>, Failure> {
        let answer = self.client.ask(Method::GET, "/sums", None, ANSWER_TIMEOUT).await;
        decode(&succeeded(answer)?, limits::MESSAGE_MAX).map_err(broken)
    }
}

fn succeeded(answer: Result<(StatusCode, Bytes), Fault>) -> Result<Bytes, Failure> {
    match answer {
        Ok((status, bytes)) if status.is_success() => Ok(bytes),
        Ok((status, _)) => Err(broken(format_args!("HTTP status {status}"))),
        Err(fault) => Err(broken(fault)),
    }
}

fn broken(error: impl ToString) -> Failure {
    Failure::Invalid { message: format!("the plain server: {}", error.to_string()), hint: None }
}

fn failed(doing: &'static str, path: PathBuf) -> impl FnOnce(io::Error) -> Failure {
    move |source| Failure::File { doing, path, source }
}

/// Runs the server until standard input closes. Its address and key are what it prints.
pub(crate) async fn serve(arguments: ServerArguments) -> Result<(), Failure> {
    let path = arguments.dir.join("values");
    let file = File::create(&path).map_err(failed("write", path))?;
    let sums = Arc::<Mutex<Vec<u64>>>::default();
    let (values, arriving) = channel();
    let added = Arc::clone(&sums);
    std::thread::spawn(move || write(file, &arriving, &added));

    let key = SecretKey::generate(&mut ChaCha20Rng::from_seed(*random()?));
    let listener = TcpListener::bind("127.0.0.1:0").await.map_err(broken)?;
    output::line(format_args!("{} {}", listener.local_addr().map_err(broken)?, key.public()))?;
    let router = Router::new()
        .route("/values", post(add))
        .route("/sums", get(async move || encode(&*sums.lock().unwrap_or_else(PoisonError::into_inner))))
        .with_state(values);
    let tls = TlsAcceptor::from(server_config(&key, None));
    tokio::select! {
        () = accept(&listener, &tls, &router) => {}
        () = stdin_closed() => {}
    }
    Ok(())
}

async fn accept(listener: &TcpListener, tls: &TlsAcceptor, router: &Router) {
    // A benchmark's own client connects: an error is the end of it.
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(connection(stream, tls.clone(), router.clone()));
    }
}

async fn connection(stream: TcpStream, tls: TlsAcceptor, router: Router) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let stream = TokioIo::new(tls.accept(stream).await?);
    let service = TowerToHyperService::new(router);
    auto::Builder::new(TokioExecutor::new()).serve_connection(stream, service).await.map_err(io::Error::other)
}

/// A body that waits to be durable, and who waits for it.
type Arrived = (Vec<u64>, Bytes, oneshot::Sender<()>);

async fn add(State(values): State<Sender<Arrived>>, body: Bytes) -> StatusCode {
    let Ok(numbers) = decode(&body, limits::MESSAGE_MAX) else { return StatusCode::BAD_REQUEST };
    let (durable, when_durable) = oneshot::channel();
    match values.send((numbers, body, durable)) {
        Ok(()) if when_durable.await.is_ok() => StatusCode::OK,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// Writes and sums whatever has arrived, with one sync for all of it. Ends at the first error: nobody is answered then.
fn write(mut file: File, arriving: &Receiver<Arrived>, sums: &Mutex<Vec<u64>>) {
    while let Ok(first) = arriving.recv() {
        let batch: Vec<Arrived> = std::iter::once(first).chain(arriving.try_iter()).collect();
        let written = batch.iter().try_for_each(|(_, body, _)| file.write_all(body));
        if written.and_then(|()| file.sync_data()).is_err() {
            return;
        }
        let mut sums = sums.lock().unwrap_or_else(PoisonError::into_inner);
        for (numbers, _, durable) in batch {
            if sums.len() < numbers.len() {
                sums.resize(numbers.len(), 0);
            }
            sums.iter_mut().zip(numbers).for_each(|(sum, number)| *sum = sum.wrapping_add(number));
            // Whoever waited may be gone.
            let _gone = durable.send(());
        }
    }
}
