//! Server: who is connected, between rounds and in them.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use quorate_federation::{PublicKey, SecretKey};
use quorate_tls::masks_server_config;
use tokio::net::TcpListener;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::{Instant, timeout_at};

use crate::link::{self, Event};
use crate::{Limits, ServerError};

/// Events that wait for the server; beyond this connections are not read.
const EVENTS: usize = 256;

/// A server of rounds. Dropped, it ends all connections.
pub struct Server {
    key: PublicKey,
    address: SocketAddr,
    events: Receiver<Event>,
    clients: BTreeMap<PublicKey, Outlet>,
}

/// The way to one client.
struct Outlet {
    link: u64,
    frames: Sender<Bytes>,
}

/// What happened among the connected clients.
pub(crate) enum Happened {
    /// A client has sent something. The room that it takes is free when this is dropped.
    Sent(PublicKey, Vec<u8>, Option<tokio::sync::OwnedSemaphorePermit>),
    /// A client is not there any more, or has come again and knows nothing of the round.
    Gone(PublicKey),
    /// A client has come.
    Arrived,
}

impl Server {
    /// Listens for clients with one of these keys.
    ///
    /// # Errors
    /// The address cannot be listened at, or there are fewer than three clients.
    pub async fn bind(
        address: &str,
        key: &SecretKey,
        enrolled: Vec<PublicKey>,
        limits: Limits,
    ) -> Result<Self, ServerError> {
        if enrolled.len() < 3 {
            return Err(ServerError::Enrolled(enrolled.len()));
        }
        let failed = |source| ServerError::Listen { address: address.to_owned(), source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let local = listener.local_addr().map_err(failed)?;
        let (sender, events) = channel(EVENTS);
        let tls = masks_server_config(key, enrolled);
        tokio::spawn(link::accept(listener, tls, limits, sender));
        Ok(Server { key: key.public(), address: local, events, clients: BTreeMap::new() })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its key.
    pub fn key(&self) -> PublicKey {
        self.key
    }

    /// Who is connected.
    pub fn connected(&self) -> impl ExactSizeIterator<Item = PublicKey> + '_ {
        self.clients.keys().copied()
    }

    /// Waits until so many clients are connected, or until it has waited long enough; how many are.
    pub async fn gather(&mut self, count: usize, patience: Duration) -> usize {
        let deadline = Instant::now() + patience;
        // What clients have left over from an earlier round is too late, and goes nowhere.
        while self.clients.len() < count && timeout_at(deadline, self.happened()).await.is_ok() {}
        self.clients.len()
    }

    /// Ends all connections when what was said to clients has been sent, or a moment later.
    pub async fn close(mut self) {
        let clients: Vec<PublicKey> = std::mem::take(&mut self.clients).into_keys().collect();
        // Without their outlets, connections write what waits in them and end, each with a last event.
        let ended = async {
            for _ in clients {
                self.events.recv().await;
            }
        };
        drop(tokio::time::timeout(link::PARTING, ended).await);
    }

    /// The next that happens.
    pub(crate) async fn happened(&mut self) -> Happened {
        loop {
            // The acceptor holds a sender for as long as this receiver is there.
            let Some(event) = self.events.recv().await else { std::future::pending().await };
            match event {
                Event::Arrived { key, link, outlet } => {
                    let before = self.clients.insert(key, Outlet { link, frames: outlet });
                    return if before.is_some() { Happened::Gone(key) } else { Happened::Arrived };
                }
                Event::Sent { key, link, bytes, room } if self.is_current(&key, link) => {
                    return Happened::Sent(key, bytes, room);
                }
                Event::Gone { key, link } if self.is_current(&key, link) => {
                    self.clients.remove(&key);
                    return Happened::Gone(key);
                }
                Event::Sent { .. } | Event::Gone { .. } => {}
            }
        }
    }

    fn is_current(&self, key: &PublicKey, link: u64) -> bool {
        self.clients.get(key).is_some_and(|outlet| outlet.link == link)
    }

    /// Sends a frame; whether the client is there and takes it. One that lets frames pile up is not.
    pub(crate) fn send(&mut self, key: &PublicKey, frame: Bytes) -> bool {
        let is_sent = self.clients.get(key).is_some_and(|outlet| outlet.frames.try_send(frame).is_ok());
        if !is_sent {
            self.clients.remove(key);
        }
        is_sent
    }
}
