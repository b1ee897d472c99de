//! Run: a helper from start to end.

use std::future::Future;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::Duration;

use quorate_coordinator::{Config, Coordinator, Timing};
use quorate_federation::{Federation, SecretKey};
use quorate_store::{OsDisk, Store, StoreError};
use quorate_tls::server_config;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use rustls::ServerConfig;
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::mpsc::{UnboundedSender, channel, unbounded_channel};
use tokio::sync::oneshot;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};
use zeroize::Zeroizing;

use crate::api::{self, Api};
use crate::driver::{Door, Driver, Notice};
use crate::hardening::harden;
use crate::peers::{Links, Mesh};
use crate::reads::Reads;
use crate::writer::{Batch, WRITER_QUEUE, write};
use crate::{HelperDir, HelperError, Limits};

/// Frames that wait for the coordinator, whatever their size; their senders' budgets bound the bytes.
const FRAME_QUEUE: usize = 256;

/// Runs the helper of directory `dir` until `shutdown` completes, then stops within ten seconds. `Ok`: it stopped
/// cleanly. After any error nothing was acknowledged that is not durable, and the process should end with failure.
pub async fn run(dir: &Path, shutdown: impl Future<Output = ()> + Send) -> Result<(), HelperError> {
    run_with(dir, Limits::default(), shutdown).await
}

/// [`run()`] with other limits than the usual.
pub async fn run_with(
    dir: &Path,
    limits: Limits,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), HelperError> {
    harden();
    let helper = HelperDir::open(dir)?;
    if helper.federation.is_none() {
        return Err(HelperError::NotJoined { dir: dir.to_owned() });
    }
    let api = listen(helper.settings.listen_address(), "the API", "listen").await?;
    let peers = listen(helper.settings.peer_listen_address(), "the other helpers", "peer_listen").await?;
    let store = open_store(&helper).await?;
    let running = Running::start(helper, store, limits)?;
    running.serve(api, peers, shutdown).await
}

/// Completes when the process is asked to stop: SIGTERM or SIGINT (Ctrl-C).
pub async fn stop_signal() -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

async fn listen(
    address: String,
    purpose: &'static str,
    setting: &'static str,
) -> Result<TcpListener, HelperError> {
    match TcpListener::bind(&address).await {
        Ok(listener) => {
            info!(%address, "listening for {purpose}");
            Ok(listener)
        }
        Err(source) => Err(HelperError::Listen { address, purpose, setting, source }),
    }
}

async fn open_store(helper: &HelperDir) -> Result<Store, HelperError> {
    let data = helper.data()?;
    let path = data.clone();
    let opened = tokio::task::spawn_blocking(move || {
        let disk = OsDisk::new(&data).map_err(|source| HelperError::File {
            doing: "open the directory",
            path: data,
            source,
        })?;
        Ok::<_, HelperError>(Store::open(disk, quorate_store::Limits::default())?)
    });
    let (store, recovery) = opened.await.map_err(|_| HelperError::Fault { part: "store" })??;
    if let Some(torn) = &recovery.torn {
        // Never acknowledged: the sync that would have allowed it had not ended.
        warn!(file = %torn.file, bytes = torn.bytes, "cut off an unfinished write");
    }
    info!(path = %path.display(), contributions = recovery.contributions, "store open");
    Ok(store)
}

/// The threads and tables of a running helper.
struct Running {
    api: Arc<Api>,
    tls: Arc<ServerConfig>,
    mesh: Arc<Mesh>,
    links: Arc<Links>,
    notices: UnboundedSender<Notice>,
    driver: oneshot::Receiver<()>,
    writer: oneshot::Receiver<Result<(), StoreError>>,
    limits: Limits,
}

impl Running {
    fn start(helper: HelperDir, store: Store, limits: Limits) -> Result<Self, HelperError> {
        let dir = helper.path().to_owned();
        let HelperDir { settings, key, federation, .. } = helper;
        let Some(federation) = federation else { return Err(HelperError::NotJoined { dir }) };
        let number = federation
            .number_of(&key.public())
            .map_err(|source| HelperError::Federation { what: "federation.toml".to_owned(), source })?;
        let links = Arc::new(Links::default());
        let (requests, requests_in) = channel(limits.request_queue);
        let (heard, frames_in) = channel(FRAME_QUEUE);
        let (notices, notices_in) = unbounded_channel();
        let door = Door::new(requests);
        let tls = server_config(&key, None);
        let mesh = Mesh::new(&federation, number, &key, Arc::clone(&links), heard, limits);
        announce(&federation, number, &key);
        let records = Reads(store.reader());
        let (owners, timing) = (settings.study_owners, Timing::default());
        let config = Config { federation: federation.clone(), key, owners, timing };
        let coordinator = Coordinator::new(config, &records)?;
        let (batches, writer) = start_writer(store, notices.clone())?;
        let driver = start_driver(Driver {
            coordinator,
            records,
            rng: randomness()?,
            door: door.clone(),
            requests: requests_in,
            frames: frames_in,
            notices: notices_in,
            notify: notices.clone(),
            batches,
            links: Arc::clone(&links),
        })?;
        let api = Api::new(federation, number, door, Arc::clone(&links), limits);
        Ok(Running { api, tls, mesh, links, notices, driver, writer, limits })
    }

    async fn serve(
        mut self,
        api: TcpListener,
        peers: TcpListener,
        shutdown: impl Future<Output = ()> + Send,
    ) -> Result<(), HelperError> {
        let stop = CancellationToken::new();
        let mut peers = Aborted(tokio::spawn(Arc::clone(&self.mesh).run(peers)));
        let serve = api::serve(Arc::clone(&self.api), api, Arc::clone(&self.tls), stop.clone());
        let mut api = Aborted(tokio::spawn(serve));
        tokio::select! {
            () = shutdown => {}
            // Neither thread ends before it is told to, unless something is wrong.
            ended = &mut self.writer => return Err(writer_failure(ended)),
            _ = &mut self.driver => {
                let ended = timeout(Duration::from_secs(1), &mut self.writer).await;
                return Err(ended.map_or(HelperError::Fault { part: "coordinator" }, |ended| match ended {
                    Ok(Ok(())) => HelperError::Fault { part: "coordinator" },
                    ended => writer_failure(ended),
                }));
            }
        }
        info!("stopping");
        stop.cancel();
        drop(self.notices.send(Notice::Stop));
        // It limits itself to `drain`; what it waits for is answered by the coordinator's refusals.
        drop((&mut api.0).await);
        drop(self.notices.send(Notice::End));
        let ended = timeout(self.limits.flush, async {
            let ended = (&mut self.writer).await;
            // The next life may start at once: nothing of this one holds a port or the store.
            drop((&mut self.driver).await);
            peers.0.abort();
            drop((&mut peers.0).await);
            ended
        });
        match ended.await {
            Ok(Ok(Ok(()))) => {
                info!(frames_dropped = self.links.dropped(), "stopped");
                Ok(())
            }
            Ok(ended) => Err(writer_failure(ended)),
            Err(_) => Err(HelperError::SlowStop { seconds: self.limits.flush.as_secs() }),
        }
    }
}

fn announce(federation: &Federation, number: u8, key: &SecretKey) {
    info!(
        helper = number,
        key = %key.public(),
        federation = federation.name(),
        id = %federation.id(),
        helpers = federation.size(),
        threshold = federation.threshold(),
        version = env!("CARGO_PKG_VERSION"),
        "starting"
    );
}

fn randomness() -> Result<ChaCha20Rng, HelperError> {
    let mut seed = Zeroizing::new([0; 32]);
    getrandom::fill(seed.as_mut()).map_err(HelperError::Randomness)?;
    Ok(ChaCha20Rng::from_seed(*seed))
}

fn start_driver(driver: Driver<Reads>) -> Result<oneshot::Receiver<()>, HelperError> {
    let (ended, when_ended) = oneshot::channel();
    let runtime = Handle::current();
    let thread = std::thread::Builder::new().name("coordinator".to_owned());
    let body = move || {
        driver.run(&runtime);
        let _ = ended.send(());
    };
    thread.spawn(body).map_err(HelperError::Thread)?;
    Ok(when_ended)
}

type WriterEnd = oneshot::Receiver<Result<(), StoreError>>;

fn start_writer(
    store: Store,
    notices: UnboundedSender<Notice>,
) -> Result<(SyncSender<Batch>, WriterEnd), HelperError> {
    let (batches, batches_in) = sync_channel(WRITER_QUEUE);
    let (ended, when_ended) = oneshot::channel();
    let thread = std::thread::Builder::new().name("store".to_owned());
    let body = move || {
        let result = write(store, &batches_in, &notices);
        // First the reason, then the closed queue that it causes.
        drop(ended.send(result));
        drop(batches_in);
    };
    thread.spawn(body).map_err(HelperError::Thread)?;
    Ok((batches, when_ended))
}

/// Why the writer ended before its time, or badly.
fn writer_failure(ended: Result<Result<(), StoreError>, oneshot::error::RecvError>) -> HelperError {
    let failure = match ended {
        Ok(Err(failure)) => HelperError::Store(failure),
        // It ends well only when the driver is gone; it leaves no word only when it panicked.
        Ok(Ok(())) => HelperError::Fault { part: "coordinator" },
        Err(_) => HelperError::Fault { part: "store" },
    };
    error!(%failure, "stopping at once; nothing more is acknowledged");
    failure
}

/// A task that ends with its owner.
struct Aborted(tokio::task::JoinHandle<()>);

impl Drop for Aborted {
    fn drop(&mut self) {
        self.0.abort();
    }
}
