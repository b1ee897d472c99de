//! Round: one run of the protocol with those who are connected.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use quorate_federation::PublicKey;
use quorate_hash::{Digest, Tagged};
use quorate_masking::message::FromServer;
use quorate_masking::server::{Closed, Collecting, Keys, Outcome, Unmasking};
use quorate_masking::{
    CLIENTS_MAX, Demand, Encoding, Position, Round, Stage, Strength, Terms, Variant, choose,
};
use quorate_wire::limits::MESSAGE_MAX;
use quorate_wire::{decode, encode};
use tokio::time::{Instant, timeout_at};
use tracing::{debug, info};

use crate::RoundError;
use crate::frame::{ClientFrame, ServerFrame};
use crate::server::{Happened, Server};

/// What a round should be.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Its number in the training.
    pub number: u64,
    /// Whether clients guard against a server that lies.
    pub is_active: bool,
    /// Neighbours and threshold, if they are not to be chosen.
    pub graph: Option<(u32, u32)>,
    /// What the graph must bear.
    pub demand: Demand,
    /// What vectors are.
    pub encoding: Encoding,
    /// What clients compute their vectors from.
    pub model: Vec<u8>,
    /// The least number of clients to begin with.
    pub clients_min: usize,
    /// Time for the first stage, in which clients may be computing their vectors.
    pub patience: Duration,
    /// Time for each of the others.
    pub stage: Duration,
}

/// What a round came to.
#[derive(Debug)]
pub struct Finished {
    /// The round.
    pub round: Arc<Round>,
    /// What its graph bears.
    pub strength: Strength,
    /// The sum and whose vectors are in it.
    pub outcome: Outcome,
    /// How long each stage took.
    pub stages: Vec<(Stage, Duration)>,
    /// Bytes that clients sent.
    pub bytes_in: u64,
}

impl Plan {
    /// The round of these clients.
    fn round(&self, server: &Server) -> Result<(Arc<Round>, Strength), RoundError> {
        let clients: Vec<PublicKey> = server.connected().take(CLIENTS_MAX).collect();
        let needed = self.clients_min.max(3);
        if clients.len() < needed {
            return Err(RoundError::TooFew { found: clients.len(), needed });
        }
        let count = u32::try_from(clients.len()).unwrap_or(u32::MAX);
        let (neighbours, threshold) = match self.graph {
            Some(graph) => graph,
            None => choose(count, self.is_active, &self.demand)
                .map(|(neighbours, threshold, _)| (neighbours, threshold))?,
        };
        let variant = if self.is_active { Variant::Active } else { Variant::Passive { seed: random()? } };
        let round = Round::new(Terms {
            number: self.number,
            server: server.key(),
            clients,
            variant,
            neighbours,
            threshold,
            survivors_min: self.demand.survivors_min(count).max(threshold + 1),
            encoding: self.encoding,
            model: model_hash(&self.model),
        })?;
        let strength = self.demand.judge(&round)?;
        Ok((Arc::new(round), strength))
    }
}

/// How a model's bytes enter a round's terms.
pub(crate) fn model_hash(model: &[u8]) -> Digest {
    Tagged::new("quorate/1/masks/model").bytes(model).finish()
}

fn random() -> Result<Digest, RoundError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| RoundError::Machine(error.to_string()))?;
    Ok(Digest(bytes))
}

impl Server {
    /// Runs a round with all clients that are connected.
    ///
    /// # Errors
    /// Too few are connected, their graph is weaker than the plan demands, or too many vanished. Clients are told.
    pub async fn round(&mut self, plan: &Plan) -> Result<Finished, RoundError> {
        let (round, strength) = plan.round(self)?;
        let invitation =
            ServerFrame::Invitation { document: round.document().to_vec(), model: plan.model.clone() };
        let invitation = Bytes::from(encode(&invitation));
        if invitation.len() > MESSAGE_MAX {
            return Err(RoundError::Model(plan.model.len()));
        }
        info!(round = %round.id().short(), number = plan.number, clients = round.clients(), "a round begins");
        let mut driver = Driver::new(self, Arc::clone(&round), plan);
        driver.tell_all(&invitation);
        match driver.run().await {
            Ok(outcome) => {
                let (stages, bytes_in) = driver.end(&outcome);
                info!(survivors = outcome.survivors.count(), "the round has its sum");
                Ok(Finished { round, strength, outcome, stages, bytes_in })
            }
            Err(error) => {
                info!(%error, "the round ends without a sum");
                driver.tell_all(&Bytes::from(encode(&ServerFrame::Aborted(error.to_string()))));
                Err(error)
            }
        }
    }
}

/// A round under way.
struct Driver<'a> {
    server: &'a mut Server,
    round: Arc<Round>,
    positions: BTreeMap<PublicKey, Position>,
    /// By position: whether the client is still in the round.
    is_in: Vec<bool>,
    patience: Duration,
    stage: Duration,
    stages: Vec<(Stage, Duration)>,
    began: Instant,
    bytes_in: u64,
}

impl<'a> Driver<'a> {
    fn new(server: &'a mut Server, round: Arc<Round>, plan: &Plan) -> Self {
        let positions: BTreeMap<PublicKey, Position> =
            round.terms().clients.iter().copied().zip(0..).collect();
        let is_in = vec![true; positions.len()];
        let (patience, stage) = (plan.patience, plan.stage);
        Driver {
            server,
            round,
            positions,
            is_in,
            patience,
            stage,
            stages: Vec::new(),
            began: Instant::now(),
            bytes_in: 0,
        }
    }

    async fn run(&mut self) -> Result<Outcome, RoundError> {
        let mut keys = Keys::new(Arc::clone(&self.round));
        self.collect(&mut keys).await;
        let (mut shares, told) = keys.close()?;
        self.tell(told, FromServer::Neighbours);
        self.collect(&mut shares).await;
        let (mut inputs, told) = shares.close()?;
        self.tell(told, FromServer::Deliveries);
        self.collect(&mut inputs).await;
        let (closed, survivors) = inputs.close()?;
        let told = survivors.iter().map(|position| (position, survivors.clone())).collect();
        self.tell(told, FromServer::Survivors);
        let mut unmasking: Unmasking = match closed {
            Closed::Unmasking(unmasking) => unmasking,
            Closed::Agreements(mut agreements) => {
                self.collect(&mut agreements).await;
                let (unmasking, told) = agreements.close()?;
                self.tell(told, FromServer::Agreements);
                unmasking
            }
        };
        self.collect(&mut unmasking).await;
        // Off the event loop: it expands as many masks as there are clients, and more.
        let outcome = tokio::task::spawn_blocking(move || unmasking.close()).await;
        let outcome =
            outcome.map_err(|_| RoundError::Machine("unmasking failed by a fault of this program".into()))?;
        self.lap(Stage::Unmasking);
        Ok(outcome?)
    }

    /// Takes messages of one stage until everybody has come or gone, it is enough, or the time is over.
    async fn collect<S: Collecting>(&mut self, stage: &mut S) {
        let time = if S::STAGE == Stage::Keys { self.patience } else { self.stage };
        let deadline = Instant::now() + time;
        let mut waiting = (0..self.round.clients()).filter(|&position| self.waits(stage, position)).count();
        while waiting > 0 && !stage.is_enough() {
            let Ok(happened) = timeout_at(deadline, self.server.happened()).await else {
                debug!(stage = S::STAGE.noun(), waiting, "the time is over");
                break;
            };
            let Some(position) = self.position(&happened) else { continue };
            let was_waited_for = self.waits(stage, position);
            match happened {
                Happened::Sent(key, bytes, room) => {
                    self.take(stage, &key, position, &bytes);
                    drop(room);
                }
                Happened::Gone(_) => self.is_in[position as usize] = false,
                Happened::Arrived => {}
            }
            waiting -= usize::from(was_waited_for && !self.waits(stage, position));
        }
        if S::STAGE != Stage::Unmasking {
            self.lap(S::STAGE);
        }
    }

    fn waits(&self, stage: &impl Collecting, position: Position) -> bool {
        self.is_in[position as usize] && stage.is_waiting_for(position)
    }

    fn position(&self, happened: &Happened) -> Option<Position> {
        match happened {
            Happened::Sent(key, ..) | Happened::Gone(key) => self.positions.get(key).copied(),
            Happened::Arrived => None,
        }
    }

    fn take(&mut self, stage: &mut impl Collecting, key: &PublicKey, position: Position, bytes: &[u8]) {
        self.bytes_in += bytes.len() as u64;
        let taken = match decode::<ClientFrame>(bytes, MESSAGE_MAX) {
            // Sent before the client read of this round: too late for that one, and nothing to this.
            Ok(frame) if frame.round != *self.round.id() => return,
            Ok(_) if !self.is_in[position as usize] => return,
            Ok(frame) => stage.take(position, frame.message).map_err(|fault| fault.to_string()),
            Err(error) => Err(error.to_string()),
        };
        if let Err(reason) = taken {
            debug!(position, reason, "a client's message is refused");
            self.is_in[position as usize] = false;
            self.server.send(key, Bytes::from(encode(&ServerFrame::Refused(reason))));
        }
    }

    /// Tells clients that are still there what a stage has come to.
    fn tell<T>(&mut self, told: Vec<(Position, T)>, message: impl Fn(T) -> FromServer) {
        for (position, content) in told {
            if self.is_in[position as usize] {
                let key = self.round.terms().clients[position as usize];
                let frame = Bytes::from(encode(&ServerFrame::Told(message(content))));
                self.is_in[position as usize] = self.server.send(&key, frame);
            }
        }
    }

    /// Sends every client of the round the same.
    fn tell_all(&mut self, frame: &Bytes) {
        for (position, key) in self.round.terms().clients.iter().enumerate() {
            self.is_in[position] &= self.server.send(key, frame.clone());
        }
    }

    /// Tells clients that the round has its sum.
    fn end(&mut self, outcome: &Outcome) -> (Vec<(Stage, Duration)>, u64) {
        let survivors = outcome.survivors.count();
        for (key, &position) in &self.positions {
            let is_counted = outcome.survivors.contains(position);
            self.server.send(key, Bytes::from(encode(&ServerFrame::Ended { survivors, is_counted })));
        }
        (std::mem::take(&mut self.stages), self.bytes_in)
    }

    fn lap(&mut self, stage: Stage) {
        let now = Instant::now();
        self.stages.push((stage, now - self.began));
        self.began = now;
    }
}
