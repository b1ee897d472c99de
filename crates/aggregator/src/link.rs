//! Link: one client's connection, as the server has it.

use std::sync::Arc;

use bytes::Bytes;
use quorate_federation::PublicKey;
use quorate_tls::{TlsFault, peer_key};
use rustls::ServerConfig;
use tokio::io::{AsyncWriteExt, ReadHalf, WriteHalf, split};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tracing::{debug, warn};

use crate::{Limits, frame};

/// Frames that wait for a client: the server sends it one at the end of each stage, and a word at the end.
const OUTLET: usize = 8;

/// How long a connection may take to end.
pub(crate) const PARTING: std::time::Duration = std::time::Duration::from_secs(2);

/// What connections tell the server.
pub(crate) enum Event {
    /// A client is there; an earlier connection of the same is not used any more.
    Arrived { key: PublicKey, link: u64, outlet: Sender<Bytes> },
    /// It has sent something.
    Sent { key: PublicKey, link: u64, bytes: Vec<u8>, room: Option<OwnedSemaphorePermit> },
    /// Its connection is over.
    Gone { key: PublicKey, link: u64 },
}

/// Accepts connections until the server is dropped.
pub(crate) async fn accept(
    listener: TcpListener,
    tls: Arc<ServerConfig>,
    limits: Limits,
    events: Sender<Event>,
) {
    let acceptor = TlsAcceptor::from(tls);
    let handshakes = Arc::new(Semaphore::new(limits.handshakes));
    let room = Arc::new(Semaphore::new(limits.vectors));
    for link in 0.. {
        let Ok(place) = Arc::clone(&handshakes).acquire_owned().await else { return };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = events.closed() => return,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Out of files or memory: what is open may close.
                warn!(%error, "could not accept a connection");
                sleep(std::time::Duration::from_millis(50)).await;
                continue;
            }
        };
        let (acceptor, events, room) = (acceptor.clone(), events.clone(), Arc::clone(&room));
        tokio::spawn(async move {
            let greeted = timeout(limits.handshake, greet(acceptor, stream)).await;
            drop(place);
            match greeted {
                Ok(Some((key, stream))) => converse(key, link, stream, limits, &events, &room).await,
                Ok(None) => {}
                Err(_) => debug!("a client did not finish its TLS handshake in time"),
            }
        });
    }
}

/// The TLS handshake, and who is at the other end.
async fn greet(acceptor: TlsAcceptor, stream: TcpStream) -> Option<(PublicKey, TlsStream<TcpStream>)> {
    let handshake = async {
        stream.set_nodelay(true)?;
        acceptor.accept(stream).await
    };
    match handshake.await {
        Ok(stream) => {
            let key = stream.get_ref().1.peer_certificates().and_then(peer_key)?;
            Some((key, stream))
        }
        Err(error) => {
            let reason = TlsFault::of(&error).map_or_else(|| error.to_string(), |fault| fault.to_string());
            debug!("a client {reason}");
            None
        }
    }
}

async fn converse(
    key: PublicKey,
    link: u64,
    stream: TlsStream<TcpStream>,
    limits: Limits,
    events: &Sender<Event>,
    room: &Arc<Semaphore>,
) {
    let (mut inward, mut outward) = split(stream);
    let (outlet, frames) = channel(OUTLET);
    if events.send(Event::Arrived { key, link, outlet }).await.is_err() {
        return;
    }
    let ended = tokio::select! {
        ended = read(key, link, &mut inward, limits, events, room) => ended,
        ended = write(&mut outward, frames, limits) => match ended {
            Ok(()) => part(&mut inward, &mut outward).await,
            Err(error) => Err(error),
        },
    };
    if let Err(error) = ended {
        debug!(%key, %error, "a client's connection broke off");
    }
    // Nobody is left to be told where this fails.
    drop(events.send(Event::Gone { key, link }).await);
}

/// Ends a connection on which everything is said. What the client may still be sending is read and thrown away: closed on it, it
/// would lose what it was told last.
async fn part(
    inward: &mut ReadHalf<TlsStream<TcpStream>>,
    outward: &mut WriteHalf<TlsStream<TcpStream>>,
) -> std::io::Result<()> {
    outward.shutdown().await?;
    let mut nowhere = tokio::io::sink();
    drop(timeout(PARTING, tokio::io::copy(inward, &mut nowhere)).await);
    Ok(())
}

async fn read(
    key: PublicKey,
    link: u64,
    stream: &mut ReadHalf<TlsStream<TcpStream>>,
    limits: Limits,
    events: &Sender<Event>,
    room: &Arc<Semaphore>,
) -> std::io::Result<()> {
    while let Some((bytes, room)) = frame::read(stream, Some(room), limits.transfer).await? {
        if events.send(Event::Sent { key, link, bytes, room }).await.is_err() {
            break;
        }
    }
    Ok(())
}

async fn write(
    stream: &mut WriteHalf<TlsStream<TcpStream>>,
    mut frames: Receiver<Bytes>,
    limits: Limits,
) -> std::io::Result<()> {
    while let Some(bytes) = frames.recv().await {
        frame::write(stream, &bytes, limits.transfer).await?;
    }
    Ok(())
}
