//! A small round of pairwise masks, in which one message may be another than it should.

use std::collections::BTreeMap;
use std::sync::Arc;

use quorate_hash::Digest;
use quorate_masking::client::{Joined, Survived};
use quorate_masking::message::{FromClient, FromServer, Given};
use quorate_masking::server::{Agreements, Closed, Keys, Outcome, Unmasking};
use quorate_masking::{Abort, Encoding, Input, Members, Position, Ring, Round, Terms, Variant};
use quorate_wire::{decode, encode, limits};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{digest, key, rng};

/// Who says something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The client, to the server.
    Client,
    /// The server, to the client.
    Server,
}

/// A message at its place in a round.
#[derive(Clone, Debug)]
pub struct Said {
    /// Keys, shares, vectors, agreement, unmasking: from 0. The server answers at the end of each but the last.
    pub stage: u8,
    /// Who says it.
    pub by: Kind,
    /// The client that says it, or that it is said to.
    pub party: Position,
    /// As it travels.
    pub message: Vec<u8>,
}

/// A round that was played.
pub struct Played {
    /// Every message, as it should have been.
    pub said: Vec<Said>,
    /// What it came to.
    pub outcome: Result<Outcome, Abort>,
}

struct Game<'a> {
    round: Arc<Round>,
    lie: Option<&'a Said>,
    said: Vec<Said>,
}

/// Four clients that are all neighbours, or five that choose three; three are enough, and two shares recover a secret.
pub fn round(is_active: bool) -> Arc<Round> {
    let terms = Terms {
        number: 1,
        server: key(10).public(),
        clients: (0..if is_active { 5 } else { 4 }).map(|client| key(client).public()).collect(),
        variant: if is_active { Variant::Active } else { Variant::Passive { seed: digest(4) } },
        neighbours: 3,
        threshold: 2,
        survivors_min: 3,
        encoding: Encoding { ring: Ring::Mod32, length: 2, fraction_bits: 0, bound: 100, weight_max: 0 },
        model: Digest([1; 32]),
    };
    Arc::new(Round::new(terms).expect("a good round"))
}

fn numbers(client: Position) -> [i64; 2] {
    [10 + i64::from(client), -i64::from(client)]
}

/// The sum of these clients' vectors.
pub fn sum(survivors: &Members) -> Vec<i64> {
    (0..2).map(|place| survivors.iter().map(|client| numbers(client)[place]).sum()).collect()
}

/// Plays a round, in which a message at the place of `lie` is that instead.
pub fn play(round: &Arc<Round>, lie: Option<&Said>) -> Played {
    let mut game = Game { round: Arc::clone(round), lie, said: Vec::new() };
    let outcome = game.play();
    Played { said: game.said, outcome }
}

impl Game<'_> {
    /// What is heard of what is said; `None` where it cannot be read.
    fn passes<T: Serialize + DeserializeOwned>(
        &mut self,
        stage: u8,
        by: Kind,
        party: Position,
        message: &T,
    ) -> Option<T> {
        let message = encode(message);
        let lie = self.lie.filter(|lie| (lie.stage, lie.by, lie.party) == (stage, by, party));
        let heard = decode(lie.map_or(&message, |lie| &lie.message), limits::MESSAGE_MAX);
        self.said.push(Said { stage, by, party, message });
        heard.ok()
    }

    /// Plays up to the masked vectors. Whoever is refused, or refuses, is out.
    fn play(&mut self) -> Result<Outcome, Abort> {
        let mut rng = rng(20);
        let mut server = Keys::new(Arc::clone(&self.round));
        let mut joined = BTreeMap::new();
        for own in 0..self.round.clients() {
            let identity = Arc::new(key(u8::try_from(own).expect("a few clients")));
            let (client, keys) =
                Joined::new(Arc::clone(&self.round), identity, &mut rng).expect("of the round");
            if let Some(FromClient::Keys(keys)) = self.passes(0, Kind::Client, own, &FromClient::Keys(keys)) {
                drop(server.receive(own, keys));
            }
            joined.insert(own, client);
        }

        let (mut server, told) = server.close()?;
        let mut sharing = BTreeMap::new();
        for (to, keys) in told {
            let heard = self.passes(0, Kind::Server, to, &FromServer::Neighbours(keys));
            let (Some(client), Some(FromServer::Neighbours(keys))) = (joined.remove(&to), heard) else {
                continue;
            };
            let Ok((client, shares)) = client.share(keys, &mut rng) else { continue };
            let heard = self.passes(1, Kind::Client, to, &FromClient::Shares(shares));
            if let Some(FromClient::Shares(shares)) = heard {
                drop(server.receive(to, shares));
            }
            sharing.insert(to, client);
        }

        let (mut server, told) = server.close()?;
        let mut masked = BTreeMap::new();
        for (to, deliveries) in told {
            let heard = self.passes(1, Kind::Server, to, &FromServer::Deliveries(deliveries));
            let (Some(client), Some(FromServer::Deliveries(deliveries))) = (sharing.remove(&to), heard)
            else {
                continue;
            };
            let Ok((client, vector)) = client.mask(&deliveries, Input::Integers(&numbers(to)), 1) else {
                continue;
            };
            if let Some(FromClient::Input(vector)) =
                self.passes(2, Kind::Client, to, &FromClient::Input(vector))
            {
                drop(server.receive(to, &vector));
            }
            masked.insert(to, client);
        }

        let (closed, survivors) = server.close()?;
        let mut answers = BTreeMap::new();
        for to in survivors.iter() {
            let heard = self.passes(2, Kind::Server, to, &FromServer::Survivors(survivors.clone()));
            let (Some(client), Some(FromServer::Survivors(survivors))) = (masked.remove(&to), heard) else {
                continue;
            };
            if let Ok(answer) = client.survive(survivors) {
                answers.insert(to, answer);
            }
        }
        match closed {
            Closed::Unmasking(server) => self.unmask(server, shares_of(answers)),
            Closed::Agreements(server) => self.agree(server, answers),
        }
    }

    fn agree(
        &mut self,
        mut server: Agreements,
        answers: BTreeMap<Position, Survived>,
    ) -> Result<Outcome, Abort> {
        let mut agreed = BTreeMap::new();
        for (own, answer) in answers {
            let Survived::Agreement(client, signature) = answer else { continue };
            let heard = self.passes(3, Kind::Client, own, &FromClient::Agreement(signature));
            if let Some(FromClient::Agreement(signature)) = heard {
                drop(server.receive(own, signature));
            }
            agreed.insert(own, client);
        }
        let (server, told) = server.close()?;
        let mut given = Vec::new();
        for (to, agreements) in told {
            let heard = self.passes(3, Kind::Server, to, &FromServer::Agreements(agreements));
            let (Some(client), Some(FromServer::Agreements(agreements))) = (agreed.remove(&to), heard) else {
                continue;
            };
            if let Ok(shares) = client.unmask(&agreements) {
                given.push((to, shares));
            }
        }
        self.unmask(server, given)
    }

    fn unmask(
        &mut self,
        mut server: Unmasking,
        given: Vec<(Position, Vec<Given>)>,
    ) -> Result<Outcome, Abort> {
        for (own, shares) in given {
            let heard = self.passes(4, Kind::Client, own, &FromClient::Unmasking(shares));
            if let Some(FromClient::Unmasking(shares)) = heard {
                drop(server.receive(own, shares));
            }
        }
        server.close()
    }
}

fn shares_of(answers: BTreeMap<Position, Survived>) -> Vec<(Position, Vec<Given>)> {
    let shares = answers.into_iter().filter_map(|(own, answer)| match answer {
        Survived::Unmasking(shares) => Some((own, shares)),
        Survived::Agreement(..) => None,
    });
    shares.collect()
}
