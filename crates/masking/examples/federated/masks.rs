//! By pairwise masks: one server sums what its clients send, and sees none of it.
//!
//! A client is a task with its own key and TLS connection. Vectors are mean gradients, weighted by rows; the server's
//! invitation carries the model, and its hash is bound into every mask. A client that leaves comes back for the next round.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use quorate_aggregator::{Client, Limits, Plan, Requirements, Server};
use quorate_federation::{PublicKey, SecretKey};
use quorate_masking::{Encoding, Input, Ring};
use tokio::task::JoinSet;

use crate::model::Model;
use crate::training::{Leaving, Setting, Summed};
use crate::{Failure, fresh_rng};

/// Numbers are rounded to multiples of `2^-FRACTION_BITS`.
const FRACTION_BITS: u8 = 20;
/// Longer than anything takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server and its clients.
pub(crate) struct Masks {
    server: Server,
    /// Who has which key.
    clients: BTreeMap<PublicKey, usize>,
    tasks: JoinSet<Result<(), Failure>>,
    encoding: Encoding,
    setting: Arc<Setting>,
}

/// What a client knows before the first round.
struct Enrolled {
    client: usize,
    identity: Arc<SecretKey>,
    server: PublicKey,
    address: String,
    requirements: Requirements,
    setting: Arc<Setting>,
}

impl Masks {
    /// Starts the server and all clients.
    pub(crate) async fn start(setting: &Arc<Setting>) -> Result<Self, Failure> {
        let mut rng = fresh_rng()?;
        let key = SecretKey::generate(&mut rng);
        let identities: Vec<Arc<SecretKey>> =
            setting.batches.iter().map(|_| Arc::new(SecretKey::generate(&mut rng))).collect();
        let keys: Vec<PublicKey> = identities.iter().map(|identity| identity.public()).collect();
        let server = Server::bind("127.0.0.1:0", &key, keys.clone(), Limits::default()).await?;
        let enrolled: BTreeSet<PublicKey> = keys.iter().copied().collect();
        let mut tasks = JoinSet::new();
        for (client, identity) in identities.into_iter().enumerate() {
            let requirements = Requirements {
                demand: setting.demand(),
                takes_passive: false,
                enrolled: Some(enrolled.clone()),
            };
            let (server, address) = (key.public(), server.address().to_string());
            let setting = Arc::clone(setting);
            tasks.spawn(take_part(Enrolled { client, identity, server, address, requirements, setting }));
        }
        let encoding = encoding(setting)?;
        let clients = keys.into_iter().zip(0..).collect();
        Ok(Masks { server, clients, tasks, encoding, setting: Arc::clone(setting) })
    }

    /// A round: the mean gradient at a model of those who stay.
    pub(crate) async fn sum(&mut self, number: u64, model: &Model) -> Result<Summed, Failure> {
        let clients = self.clients.len();
        let connected = self.server.gather(clients, PATIENCE).await;
        if connected < clients {
            while let Some(ended) = self.tasks.try_join_next() {
                ended??;
            }
            return Err(format!("{connected} of {clients} clients are connected").into());
        }
        let plan = Plan {
            number,
            is_active: true,
            graph: None,
            demand: self.setting.demand(),
            encoding: self.encoding,
            model: model.to_bytes(),
            clients_min: clients,
            patience: PATIENCE,
            stage: PATIENCE,
        };
        let finished = self.server.round(&plan).await?;
        let (outcome, terms) = (finished.outcome, finished.round.terms());
        let rows = outcome.weight.unwrap_or(0);
        let survivors = outcome.survivors.iter().map(|position| terms.clients[position as usize]);
        let survivors: BTreeSet<usize> = survivors.map(|key| self.clients[&key]).collect();
        Ok(Summed {
            survivors: survivors.into_iter().collect(),
            mean: self.encoding.mean(&outcome.sum, rows),
            rows,
            // Half a unit, and half that of single precision, in which vectors are given.
            rounding: 2_f64.powi(-1 - i32::from(FRACTION_BITS)) + self.setting.bound * 2_f64.powi(-24),
        })
    }

    /// Ends the server, and all clients when they have ended too.
    pub(crate) async fn end(mut self) -> Result<(), Failure> {
        self.server.close().await;
        while let Some(ended) = self.tasks.join_next().await {
            ended??;
        }
        Ok(())
    }
}

fn encoding(setting: &Setting) -> Result<Encoding, Failure> {
    // Up, so that a number at the bound is only rounded.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the conversion saturates, and the encoding is checked"
    )]
    let bound = (setting.bound * 2_f64.powi(FRACTION_BITS.into())).ceil() as i64;
    let encoding = Encoding {
        ring: Ring::Mod64,
        length: u32::try_from(setting.coefficients())?,
        fraction_bits: FRACTION_BITS,
        bound,
        weight_max: u32::try_from(setting.rows_max())?,
    };
    encoding.check(u32::try_from(setting.batches.len())?)?;
    Ok(encoding)
}

/// A client's life: every round, from a connection to a sum.
async fn take_part(enrolled: Enrolled) -> Result<(), Failure> {
    let Enrolled { client, identity, server, address, requirements, setting } = enrolled;
    let batch = &setting.batches[client];
    let mut connected = None;
    for _ in 0..setting.rounds {
        let mut connection = match connected.take() {
            Some(connection) => connection,
            None => {
                let (identity, requirements) = (Arc::clone(&identity), requirements.clone());
                Client::connect(&address, server, identity, requirements, Limits::default()).await?
            }
        };
        let round = connection.next_round().await?.ok_or("the server has ended the connection")?;
        match setting.leaving(round.terms().number).get(&client) {
            Some(Leaving::AtOnce) => {}
            Some(Leaving::SharesOut) => drop(round.share().await?),
            None => {
                let gradient = Model::from_bytes(round.model()).gradient(batch, setting.bound).mean;
                #[expect(clippy::cast_possible_truncation, reason = "single precision is enough")]
                let gradient: Vec<f32> = gradient.into_iter().map(|slope| slope as f32).collect();
                round.contribute(Input::Reals(&gradient), u32::try_from(batch.len())?).await?;
                connected = Some(connection);
            }
        }
    }
    Ok(())
}
