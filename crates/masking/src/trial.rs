//! Trial: a whole round in one process, in which clients vanish where they are told to.
//!
//! What goes between the parties goes through the codec, as it does over a network. It is what tests, `quorate masks explain`
//! and `quorate masks bench` run: the very client and server of a round, without connections.

use std::sync::Arc;

use quorate_federation::SecretKey;
use quorate_wire::{decode, encode, limits::MESSAGE_MAX};
use rand_core::CryptoRng;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::client::{Agreed, Joined, Masked, Sharing, Survived};
use crate::message::FromClient;
use crate::server::{Closed, Collecting, Keys, Outcome, Unmasking};
use crate::{Abort, Fault, Input, Position, Round, Stage};

/// Who works, for whoever measures it.
pub trait Meter {
    /// Does the work of one client.
    fn client<T>(&mut self, work: impl FnOnce() -> T) -> T;
    /// Does work of the server. `stage`: of which stage.
    fn server<T>(&mut self, stage: Stage, work: impl FnOnce() -> T) -> T;
}

/// Measures nothing.
pub struct Unmetered;

impl Meter for Unmetered {
    fn client<T>(&mut self, work: impl FnOnce() -> T) -> T {
        work()
    }

    fn server<T>(&mut self, _stage: Stage, work: impl FnOnce() -> T) -> T {
        work()
    }
}

/// What clients do. Vectors are made when they are needed: all together they may not fit into memory.
pub struct Parts<'a> {
    /// Their lasting keys, by position.
    pub identities: &'a [Arc<SecretKey>],
    /// A client's vector.
    pub vector: &'a dyn Fn(Position) -> Vec<i64>,
    /// A client's weight; 1 in a round without.
    pub weight: &'a dyn Fn(Position) -> u32,
    /// The stage for which a client sends nothing any more.
    pub vanishes: &'a dyn Fn(Position) -> Option<Stage>,
}

/// What a trial came to.
pub struct Trial {
    /// The round's result.
    pub outcome: Result<Outcome, Abort>,
    /// Bytes that clients have sent, all together.
    pub bytes_up: u64,
    /// Clients that ended their part themselves, and why.
    pub faults: Vec<(Position, Fault)>,
}

/// Runs a round.
pub fn run(round: &Arc<Round>, parts: &Parts<'_>, rng: &mut impl CryptoRng, meter: &mut impl Meter) -> Trial {
    let mut bench = Bench { parts, rng, meter, bytes_up: 0, faults: Vec::new() };
    let outcome = bench.run(round);
    Trial { outcome, bytes_up: bench.bytes_up, faults: bench.faults }
}

struct Bench<'a, R, M> {
    parts: &'a Parts<'a>,
    rng: &'a mut R,
    meter: &'a mut M,
    bytes_up: u64,
    faults: Vec<(Position, Fault)>,
}

impl<R: CryptoRng, M: Meter> Bench<'_, R, M> {
    fn run(&mut self, round: &Arc<Round>) -> Result<Outcome, Abort> {
        let mut server = Keys::new(Arc::clone(round));
        let joining = (0..).zip(self.parts.identities).collect();
        let joined = self.stage(
            joining,
            |rng, _, identity| {
                let (client, keys) = Joined::new(Arc::clone(round), Arc::clone(identity), rng)?;
                Ok((client, FromClient::Keys(keys)))
            },
            &mut server,
        );
        let (mut server, neighbours) = self.meter.server(Stage::Keys, || server.close())?;
        let told = told(joined, neighbours);
        let sharing = self.stage(
            told,
            |rng, _, (client, neighbours): (Joined, _)| {
                let (client, shares) = client.share(over(&neighbours), rng)?;
                Ok((client, FromClient::Shares(shares)))
            },
            &mut server,
        );
        let (mut server, deliveries) = self.meter.server(Stage::Shares, || server.close())?;
        let told = self::told(sharing, deliveries);
        let parts = self.parts;
        let masked = self.stage(
            told,
            |_, position, (client, deliveries): (Sharing, _)| {
                let (vector, weight) = ((parts.vector)(position), (parts.weight)(position));
                let deliveries: Vec<_> = over(&deliveries);
                let (client, vector) = client.mask(&deliveries, Input::Integers(&vector), weight)?;
                Ok((client, FromClient::Input(vector)))
            },
            &mut server,
        );
        let (closed, survivors) = self.meter.server(Stage::Inputs, || server.close())?;
        match closed {
            Closed::Unmasking(server) => {
                self.unmask(server, masked, |client: Masked| match client.survive(survivors.clone())? {
                    Survived::Unmasking(given) => Ok(given),
                    Survived::Agreement(..) => Ok(Vec::new()),
                })
            }
            Closed::Agreements(mut server) => {
                let agreed = self.stage(
                    masked,
                    |_, _, client: Masked| match client.survive(survivors.clone())? {
                        Survived::Agreement(client, signature) => {
                            Ok((client, FromClient::Agreement(signature)))
                        }
                        Survived::Unmasking(_) => Err(Fault::Stranger),
                    },
                    &mut server,
                );
                let (server, agreements) = self.meter.server(Stage::Agreement, || server.close())?;
                let told = self::told(agreed, agreements);
                self.unmask(server, told, |(client, agreements): (Agreed, _)| {
                    client.unmask(&over::<Vec<_>>(&agreements))
                })
            }
        }
    }

    fn unmask<C>(
        &mut self,
        mut server: Unmasking,
        clients: Vec<(Position, C)>,
        give: impl Fn(C) -> Result<Vec<crate::message::Given>, Fault>,
    ) -> Result<Outcome, Abort> {
        self.stage(clients, |_, _, client| Ok(((), FromClient::Unmasking(give(client)?))), &mut server);
        self.meter.server(Stage::Unmasking, || server.close())
    }

    /// Lets all clients of a stage answer, and the server take what they send.
    fn stage<S: Collecting, C, N>(
        &mut self,
        clients: Vec<(Position, C)>,
        mut answer: impl FnMut(&mut R, Position, C) -> Result<(N, FromClient), Fault>,
        server: &mut S,
    ) -> Vec<(Position, N)> {
        let mut next = Vec::new();
        for (position, client) in clients {
            let vanishes = (self.parts.vanishes)(position);
            if vanishes.is_some_and(|at| at <= S::STAGE) {
                continue;
            }
            let rng = &mut *self.rng;
            match self
                .meter
                .client(|| answer(rng, position, client).map(|(client, message)| (client, encode(&message))))
            {
                Ok((client, bytes)) => {
                    self.bytes_up += bytes.len() as u64;
                    let taken = self.meter.server(S::STAGE, || server.take(position, over_bytes(&bytes)));
                    next.push((position, client));
                    self.faults.extend(taken.err().map(|fault| (position, fault)));
                }
                Err(fault) => self.faults.push((position, fault)),
            }
        }
        next
    }
}

/// Gives every client that is still there what the server says to it.
fn told<C, T>(clients: Vec<(Position, C)>, told: Vec<(Position, T)>) -> Vec<(Position, (C, T))> {
    let mut told = told.into_iter().peekable();
    let given = clients.into_iter().filter_map(|(position, client)| {
        while told.next_if(|(other, _)| *other < position).is_some() {}
        let (_, message) = told.next_if(|(other, _)| *other == position)?;
        Some((position, (client, message)))
    });
    given.collect()
}

/// A message, as it arrives at the other end.
fn over<T: Serialize + DeserializeOwned>(message: &T) -> T {
    over_bytes(&encode(message))
}

#[expect(
    clippy::expect_used,
    reason = "bytes that the codec has just written, of a round whose limits were checked"
)]
fn over_bytes<T: DeserializeOwned>(bytes: &[u8]) -> T {
    decode(bytes, MESSAGE_MAX).expect("a message reads back")
}
