//! Emulated networks: what helpers send each other is held back and slowed down, as a network between organisations does.
//!
//! A relay stands in front of each helper's port for the others. Every connection is carried in both directions
//! independently: a chunk leaves when its direction has sent everything before it at the link's rate, and arrives one
//! delay later. Any number of chunks are on their way at the same time, so that a delay costs rounds and not bytes.
//! What is *not* here: loss, jitter, TCP's slow start (both ends see a loopback), one uplink that all links of a helper
//! share, and the way between clients and helpers.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{Receiver, channel};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

/// A chunk is at most so many bytes.
const CHUNK_BYTES: usize = 16 << 10;
/// Chunks of one direction on their way: 64 MiB, more than any of these networks holds.
const CHUNKS_MAX: usize = 4_096;
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What every link between two helpers is like, in each of its directions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Network {
    /// Half the round trip.
    pub delay: Duration,
    /// Bits per second; `None` for as many as this machine carries.
    pub rate_bits: Option<u64>,
}

impl Network {
    /// One building: 0.5 ms there and back, 1 Gbit/s.
    pub const LAN: Network = Network { delay: Duration::from_micros(250), rate_bits: Some(1_000_000_000) };
    /// One continent: 40 ms there and back, 100 Mbit/s.
    pub const WAN: Network = Network { delay: Duration::from_millis(20), rate_bits: Some(100_000_000) };

    /// How long so many bytes take to leave.
    fn sending(&self, bytes: usize) -> Duration {
        let bits = 8 * bytes as u64;
        // At most 8 * CHUNK_BYTES * 10^9 < 2^47: no overflow.
        self.rate_bits.map_or(Duration::ZERO, |rate| Duration::from_nanos(bits * 1_000_000_000 / rate.max(1)))
    }
}

/// Relays, until dropped.
#[derive(Debug, Default)]
pub(crate) struct Relays {
    tasks: JoinSet<()>,
    clock: Option<Arc<Clock>>,
    bytes: Arc<AtomicU64>,
}

impl Relays {
    /// Bytes carried so far, in both directions of all connections; `None` without a relay.
    pub(crate) fn bytes(&self) -> Option<u64> {
        self.clock.as_ref().map(|_| self.bytes.load(Ordering::Relaxed))
    }

    /// Takes connections at `listener` and carries them to and from `to`. The other end may be away: then a connection
    /// closes at once, as it would without the relay.
    ///
    /// # Errors
    /// This machine gives no thread.
    pub(crate) fn add(&mut self, listener: TcpListener, to: SocketAddr, network: Network) -> io::Result<()> {
        let clock = match &self.clock {
            Some(clock) => Arc::clone(clock),
            None => Arc::clone(self.clock.insert(Arc::new(Clock::start()?))),
        };
        let way = Way { network, clock, bytes: Arc::clone(&self.bytes) };
        self.tasks.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                tokio::select! {
                    accepted = listener.accept() => match accepted {
                        Ok((near, _)) => {
                            connections.spawn(connection(near, to, way.clone()));
                        }
                        // Out of files: what is open may close.
                        Err(error) => {
                            tracing::warn!(%error, "a relay could not accept a connection");
                            tokio::time::sleep(ACCEPT_PAUSE).await;
                        }
                    },
                    Some(_) = connections.join_next() => {}
                }
            }
        });
        Ok(())
    }
}

/// Lets this process open as many files as it may: a connection of two helpers takes two.
pub(crate) fn allow_files() {
    let limit = getrlimit(Resource::Nofile);
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }) {
        tracing::debug!(%error, "the limit of open files stays as it is");
    }
}

/// What a relay puts between two ends.
#[derive(Clone)]
struct Way {
    network: Network,
    clock: Arc<Clock>,
    bytes: Arc<AtomicU64>,
}

async fn connection(near: TcpStream, to: SocketAddr, way: Way) {
    let carried = async {
        let far = TcpStream::connect(to).await?;
        near.set_nodelay(true)?;
        far.set_nodelay(true)?;
        let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
        tokio::try_join!(carry(near_in, far_out, &way), carry(far_in, near_out, &way))
    };
    if let Err(error) = carried.await {
        tracing::debug!(%to, %error, "a relayed connection ended");
    }
}

/// One direction, until its sender ends it.
async fn carry(mut from: impl AsyncRead + Unpin, to: impl AsyncWrite + Unpin, way: &Way) -> io::Result<()> {
    let (chunks, arriving) = channel(CHUNKS_MAX);
    let reading = async move {
        let mut buffer = vec![0; CHUNK_BYTES];
        let mut free_at = Instant::now();
        loop {
            let count = from.read(&mut buffer).await?;
            if count == 0 {
                return Ok(());
            }
            free_at = free_at.max(Instant::now()) + way.network.sending(count);
            way.bytes.fetch_add(count as u64, Ordering::Relaxed);
            if chunks.send((free_at + way.network.delay, buffer[..count].to_vec())).await.is_err() {
                return Ok(());
            }
        }
    };
    tokio::try_join!(reading, deliver(arriving, to, &way.clock)).map(|_| ())
}

/// Writes each chunk when it is due.
async fn deliver(
    mut arriving: Receiver<(Instant, Vec<u8>)>,
    mut to: impl AsyncWrite + Unpin,
    clock: &Clock,
) -> io::Result<()> {
    while let Some((due, chunk)) = arriving.recv().await {
        clock.wait_until(due).await;
        to.write_all(&chunk).await?;
    }
    to.shutdown().await
}

/// A clock that wakes tasks: tokio's own counts whole milliseconds, which is longer than a local network takes.
#[derive(Debug)]
struct Clock(Arc<Alarms>);

/// What a clock's thread waits for.
#[derive(Debug, Default)]
struct Alarms {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    /// By when they are due, and a number that tells those of one moment apart.
    alarms: BTreeMap<(Instant, u64), oneshot::Sender<()>>,
    next: u64,
    is_over: bool,
}

impl Clock {
    fn start() -> io::Result<Self> {
        let alarms = Arc::<Alarms>::default();
        let rung = Arc::clone(&alarms);
        thread::Builder::new().name("network".into()).spawn(move || rung.ring())?;
        Ok(Clock(alarms))
    }

    async fn wait_until(&self, due: Instant) {
        if due > Instant::now() {
            // An error means that the clock is over, and the relays with it.
            drop(self.alarm(due).await);
        }
    }

    fn alarm(&self, due: Instant) -> oneshot::Receiver<()> {
        let (alarm, rings) = oneshot::channel();
        let mut waiting = self.0.lock();
        waiting.next += 1;
        let key = (due, waiting.next);
        waiting.alarms.insert(key, alarm);
        if waiting.alarms.keys().next() == Some(&key) {
            self.0.changed.notify_one();
        }
        rings
    }
}

impl Drop for Clock {
    fn drop(&mut self) {
        self.0.lock().is_over = true;
        self.0.changed.notify_one();
    }
}

impl Alarms {
    /// Rings every alarm when it is due, until the clock is over.
    fn ring(&self) {
        let mut waiting = self.lock();
        while !waiting.is_over {
            let now = Instant::now();
            while let Some(first) = waiting.alarms.first_entry().filter(|first| first.key().0 <= now) {
                // Whoever waited may be gone.
                let _gone = first.remove().send(());
            }
            let next = waiting.alarms.keys().next().map(|(due, _)| due.saturating_duration_since(now));
            let pause = next.unwrap_or(Duration::from_secs(1));
            let woken = self.changed.wait_timeout(waiting, pause);
            waiting = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // No holder can panic; alarms stay alarms.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A relay before an end that sends everything back.
    async fn echo(network: Network) -> (Relays, TcpStream) {
        let far = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let near = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (to, at) = (far.local_addr().unwrap(), near.local_addr().unwrap());
        let mut relays = Relays::default();
        relays.add(near, to, network).unwrap();
        tokio::spawn(async move {
            let (stream, _) = far.accept().await.unwrap();
            let (mut from, mut back) = stream.into_split();
            tokio::io::copy(&mut from, &mut back).await.unwrap();
        });
        (relays, TcpStream::connect(at).await.unwrap())
    }

    #[tokio::test]
    async fn a_byte_takes_both_delays() {
        let delay = Duration::from_millis(30);
        let (_relays, mut stream) = echo(Network { delay, rate_bits: None }).await;
        for byte in [1, 2] {
            let started = Instant::now();
            stream.write_all(&[byte]).await.unwrap();
            assert_eq!(stream.read_u8().await.unwrap(), byte);
            assert!(started.elapsed() >= 2 * delay, "{:?}", started.elapsed());
        }
    }

    #[tokio::test]
    async fn bytes_arrive_whole_in_order_and_not_faster_than_the_link() {
        let bytes: Vec<u8> = (0..500_000_u32).map(|index| (index.wrapping_mul(index) >> 7) as u8).collect();
        // Half a megabyte at 40 Mbit/s: 100 ms.
        let network = Network { delay: Duration::from_millis(1), rate_bits: Some(40_000_000) };
        let (relays, stream) = echo(network).await;
        let (mut back, mut out) = stream.into_split();
        let (sent, started) = (bytes.clone(), Instant::now());
        tokio::spawn(async move {
            out.write_all(&sent).await.unwrap();
            out.shutdown().await.unwrap();
        });
        let mut found = Vec::new();
        back.read_to_end(&mut found).await.unwrap();
        assert!(found == bytes, "{} of {} bytes, or others", found.len(), bytes.len());
        assert!(started.elapsed() >= Duration::from_millis(102), "{:?}", started.elapsed());
        assert_eq!(relays.bytes(), Some(1_000_000), "there and back");
    }

    #[tokio::test]
    async fn an_end_that_is_away_closes_the_connection() {
        let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let near = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = near.local_addr().unwrap();
        let mut relays = Relays::default();
        relays.add(near, gone, Network::LAN).unwrap();
        let mut stream = TcpStream::connect(at).await.unwrap();
        assert!(matches!(stream.read(&mut [0]).await, Ok(0) | Err(_)));
    }
}
