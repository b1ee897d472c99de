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
use crate::server::{Closed, Keys, Outcome, Unmasking};
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

/// One client's part.
pub struct Part {
    /// Its lasting key.
    pub identity: Arc<SecretKey>,
    /// Its vector.
    pub vector: Vec<i64>,
    /// Its weight; 1 in a round without.
    pub weight: u32,
    /// The stage for which it sends nothing any more.
    pub vanishes: Option<Stage>,
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

/// Runs a round. `parts`: by position.
pub fn run(round: &Arc<Round>, parts: &[Part], rng: &mut impl CryptoRng, meter: &mut impl Meter) -> Trial {
    let mut bench = Bench { parts, rng, meter, bytes_up: 0, faults: Vec::new() };
    let outcome = bench.run(round);
    Trial { outcome, bytes_up: bench.bytes_up, faults: bench.faults }
}

struct Bench<'a, R, M> {
    parts: &'a [Part],
    rng: &'a mut R,
    meter: &'a mut M,
    bytes_up: u64,
    faults: Vec<(Position, Fault)>,
}

impl<R: CryptoRng, M: Meter> Bench<'_, R, M> {
    fn run(&mut self, round: &Arc<Round>) -> Result<Outcome, Abort> {
        let mut server = Keys::new(Arc::clone(round));
        let joining = (0..).zip(self.parts).collect();
        let joined = self.stage(
            Stage::Keys,
            joining,
            |rng, _, part| {
                let (client, keys) = Joined::new(Arc::clone(round), Arc::clone(&part.identity), rng)?;
                Ok((client, FromClient::Keys(keys)))
            },
            |from, message| match message {
                FromClient::Keys(keys) => server.receive(from, keys),
                _ => Ok(false),
            },
        );
        let (mut server, neighbours) = self.meter.server(Stage::Keys, || server.close())?;
        let told = told(joined, neighbours);
        let sharing = self.stage(
            Stage::Shares,
            told,
            |rng, _, (client, neighbours): (Joined, _)| {
                let (client, shares): (Sharing, _) = client.share(over(&neighbours), rng)?;
                Ok((client, FromClient::Shares(shares)))
            },
            |from, message| match message {
                FromClient::Shares(shares) => server.receive(from, shares),
                _ => Ok(false),
            },
        );
        let (mut server, deliveries) = self.meter.server(Stage::Shares, || server.close())?;
        let told = self::told(sharing, deliveries);
        let parts = self.parts;
        let masked = self.stage(
            Stage::Inputs,
            told,
            |_, position, (client, deliveries): (Sharing, _)| {
                let part = &parts[position as usize];
                let deliveries: Vec<_> = over(&deliveries);
                let (client, vector) =
                    client.mask(&deliveries, Input::Integers(&part.vector), part.weight)?;
                Ok((client, FromClient::Input(vector)))
            },
            |from, message| match message {
                FromClient::Input(vector) => server.receive(from, &vector),
                _ => Ok(false),
            },
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
                    Stage::Agreement,
                    masked,
                    |_, _, client: Masked| match client.survive(survivors.clone())? {
                        Survived::Agreement(client, signature) => {
                            Ok((client, FromClient::Agreement(signature)))
                        }
                        Survived::Unmasking(_) => Err(Fault::Stranger),
                    },
                    |from, message| match message {
                        FromClient::Agreement(signature) => server.receive(from, signature),
                        _ => Ok(false),
                    },
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
        self.stage(
            Stage::Unmasking,
            clients,
            |_, _, client| Ok(((), FromClient::Unmasking(give(client)?))),
            |from, message| match message {
                FromClient::Unmasking(given) => server.receive(from, given),
                _ => Ok(false),
            },
        );
        self.meter.server(Stage::Unmasking, || server.close())
    }

    /// Lets all clients of a stage answer, and the server take what they send.
    fn stage<C, N>(
        &mut self,
        stage: Stage,
        clients: Vec<(Position, C)>,
        mut answer: impl FnMut(&mut R, Position, C) -> Result<(N, FromClient), Fault>,
        mut receive: impl FnMut(Position, FromClient) -> Result<bool, Fault>,
    ) -> Vec<(Position, N)> {
        let mut next = Vec::new();
        for (position, client) in clients {
            let vanishes = self.parts[position as usize].vanishes;
            if vanishes.is_some_and(|at| at <= stage) {
                continue;
            }
            let rng = &mut *self.rng;
            match self
                .meter
                .client(|| answer(rng, position, client).map(|(client, message)| (client, encode(&message))))
            {
                Ok((client, bytes)) => {
                    self.bytes_up += bytes.len() as u64;
                    let taken = self.meter.server(stage, || receive(position, over_bytes(&bytes)));
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
