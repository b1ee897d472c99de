//! Peers: mutual TLS between helpers, one connection per pair, frames of at most `MESSAGE_MAX` bytes.
//!
//! The helper with the higher number dials the one with the lower. With one direction there is one connection per
//! pair and no tie to break when both dial at once, and each side knows whether to wait or to try. Who is at the
//! other end is the pinned TLS key alone; a second connection of the same helper replaces the first, because only
//! that helper can open it, and it does so when it believes the first dead.
//!
//! The first frame of both ends is a [`Hello`] with the federation's id, so that two helpers with the same keys but
//! different federation files refuse each other with a log line that says so. Then frames are opaque, but for those of
//! nine bytes: heartbeats, which the other end echoes, so that both know how far away they are. Frames may be lost (no
//! connection, no room): the coordinator sends again. A frame that waits for the
//! coordinator holds memory of its sender's own budget, so that a flood stops at the flooder's socket.

mod link;
mod links;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use quorate_federation::{Federation, SecretKey};
use quorate_hash::Digest;
use quorate_tls::{TlsFault, client_config, peer_key, server_config};
use quorate_wire::CodecError;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ServerConfig};
use serde::{Deserialize, Serialize};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::sync::mpsc::Sender;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::{TlsAcceptor, TlsConnector, TlsStream};
use tracing::{debug, info, warn};

use crate::Limits;
use crate::driver::Heard;
pub(crate) use links::Links;

/// The first pause between two attempts to reach a helper; it doubles up to `Limits::peer_retry`.
const RETRY_FIRST: Duration = Duration::from_millis(50);
/// Connections whose TLS handshake is under way.
const HANDSHAKES_MAX: usize = 128;
/// Version 2 echoes heartbeats.
const PROTOCOL: u32 = 2;

/// The first frame of both ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Hello {
    protocol: u32,
    federation: Digest,
    version: String,
}

/// Why a connection to another helper did not come about or ended. The text reads on from "helper 2 at host:port ".
#[derive(Debug, thiserror::Error)]
enum PeerError {
    #[error(transparent)]
    Tls(#[from] TlsFault),
    #[error("could not be reached or broke off: {0}")]
    Io(io::Error),
    #[error("did not answer within {0:?}")]
    Slow(Duration),
    #[error("closed the connection")]
    Closed,
    #[error(
        "dialled this helper, but the one with the lower number is dialled; its federation file is another one"
    )]
    WrongDirection,
    #[error("does not greet as a Quorate helper: {0}")]
    Greeting(#[from] CodecError),
    #[error("speaks version {theirs} of the helpers' protocol, this one {PROTOCOL}; update the older one")]
    OtherProtocol { theirs: u32 },
    #[error(
        "has another federation file (id {}, here {}); compare federation.toml at both and join with the current one",
        .theirs.short(), .ours.short()
    )]
    OtherFederation { theirs: Digest, ours: Digest },
}

impl From<io::Error> for PeerError {
    fn from(error: io::Error) -> Self {
        match TlsFault::of(&error) {
            Some(fault) => PeerError::Tls(fault),
            None => PeerError::Io(error),
        }
    }
}

/// This helper's connections to all others.
pub(crate) struct Mesh {
    federation: Federation,
    number: u8,
    server: Arc<ServerConfig>,
    /// One per helper with a lower number, in their order.
    clients: Vec<Arc<ClientConfig>>,
    links: Arc<Links>,
    heard: Sender<Heard>,
    limits: Limits,
}

impl Mesh {
    pub(crate) fn new(
        federation: &Federation,
        number: u8,
        key: &SecretKey,
        links: Arc<Links>,
        heard: Sender<Heard>,
        limits: Limits,
    ) -> Arc<Self> {
        let members = || federation.members();
        let others = members().filter(|(other, _)| *other != number).map(|(_, member)| member.key).collect();
        let lower = members().filter(|(other, _)| *other < number);
        Arc::new(Mesh {
            federation: federation.clone(),
            number,
            server: server_config(key, Some(others)),
            clients: lower.map(|(_, member)| client_config(member.key, Some(key))).collect(),
            links,
            heard,
            limits,
        })
    }

    /// Keeps the connections; ends only by being dropped, which closes all of them.
    pub(crate) async fn run(self: Arc<Self>, listener: TcpListener) {
        let mut tasks = JoinSet::new();
        for (other, client) in (1..).zip(self.clients.clone()) {
            tasks.spawn(Arc::clone(&self).dial(other, client));
        }
        let handshakes = Arc::new(Semaphore::new(HANDSHAKES_MAX));
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                Some(_) = tasks.join_next() => continue,
            };
            match (accepted, Arc::clone(&handshakes).try_acquire_owned()) {
                (Ok((stream, from)), Ok(permit)) => {
                    let mesh = Arc::clone(&self);
                    tasks.spawn(async move {
                        let stream = mesh.accept(stream, from).await;
                        drop(permit);
                        if let Some((other, stream)) = stream {
                            mesh.report(other, &from.to_string(), &mesh.converse(other, stream).await);
                        }
                    });
                }
                (Ok((_, from)), Err(_)) => debug!(%from, "too many handshakes of helpers at once; refused"),
                (Err(error), _) => {
                    // Out of files or memory: what is open may close.
                    warn!(%error, "could not accept a connection of another helper");
                    sleep(RETRY_FIRST).await;
                }
            }
        }
    }

    async fn accept(&self, stream: TcpStream, from: SocketAddr) -> Option<(u8, TlsStream<TcpStream>)> {
        let handshake = async {
            stream.set_nodelay(true)?;
            let stream = TlsAcceptor::from(Arc::clone(&self.server)).accept(stream).await?;
            Ok::<_, PeerError>(TlsStream::from(stream))
        };
        let limit = self.limits.handshake;
        let stream = match timeout(limit, handshake).await.unwrap_or(Err(PeerError::Slow(limit))) {
            Ok(stream) => stream,
            Err(error) => {
                warn!("a connection from {from} {error}");
                return None;
            }
        };
        // The handshake has proved a key of this federation.
        let key = stream.get_ref().1.peer_certificates().and_then(peer_key)?;
        let other = self.federation.number_of(&key).ok()?;
        if other <= self.number {
            self.report(other, &from.to_string(), &Err(PeerError::WrongDirection));
            return None;
        }
        Some((other, stream))
    }

    /// Keeps trying to reach one helper.
    async fn dial(self: Arc<Self>, other: u8, client: Arc<ClientConfig>) {
        let Some(member) = self.federation.member(other) else { return };
        let address = member.peer_address.as_str();
        let (mut pause, mut last) = (RETRY_FIRST, String::new());
        loop {
            let outcome = match self.connect(address, &client).await {
                Ok(stream) => self.converse(other, stream).await,
                Err(error) => Err(error),
            };
            match &outcome {
                Ok(()) => pause = RETRY_FIRST,
                // The same trouble again is said once.
                Err(error) if error.to_string() == last => debug!("helper {other} at {address} {error}"),
                Err(_) => self.report(other, address, &outcome),
            }
            last = outcome.err().map_or_else(String::new, |error| error.to_string());
            sleep(jitter(pause)).await;
            pause = (pause * 2).min(self.limits.peer_retry);
        }
    }

    async fn connect(
        &self,
        address: &str,
        client: &Arc<ClientConfig>,
    ) -> Result<TlsStream<TcpStream>, PeerError> {
        let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
        let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned())
            .map_err(|error| PeerError::Io(io::Error::other(error)))?;
        let handshake = async {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            let stream = TlsConnector::from(Arc::clone(client)).connect(name, stream).await?;
            Ok(TlsStream::from(stream))
        };
        let limit = self.limits.handshake;
        timeout(limit, handshake).await.unwrap_or(Err(PeerError::Slow(limit)))
    }

    /// One connection from greeting to end. `Ok`: there was a conversation, whatever ended it.
    async fn converse(&self, other: u8, stream: TlsStream<TcpStream>) -> Result<(), PeerError> {
        let hello = Hello {
            protocol: PROTOCOL,
            federation: *self.federation.id(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let limit = self.limits.handshake;
        let greeted = timeout(limit, link::greet(stream, &hello)).await;
        let conversation = greeted.unwrap_or(Err(PeerError::Slow(limit)))?;
        let outlet = self.links.connect(other, self.limits.peer_outbound_bytes);
        info!("connected to helper {other}");
        let ended = conversation.run(other, outlet, &self.heard, &self.limits).await;
        info!(
            "helper {other} {}",
            ended.map_or_else(|error| error.to_string(), |()| "connected again".into())
        );
        Ok(())
    }

    fn report(&self, other: u8, address: &str, outcome: &Result<(), PeerError>) {
        if let Err(error) = outcome {
            warn!("helper {other} at {address} {error}");
        }
    }
}

/// Between half of `pause` and all of it, so that helpers that started together do not knock together.
fn jitter(pause: Duration) -> Duration {
    let random = getrandom::u32().unwrap_or(u32::MAX);
    pause.mul_f64(0.5 + 0.5 * f64::from(random) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests;
