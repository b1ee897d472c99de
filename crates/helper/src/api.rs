//! API: HTTPS for contributors, owners and analysts.
//!
//! `server` takes connections, `routes` are the addresses, `body` reads what is sent, `answer` turns refusals into
//! responses. Every response but a study's or federation's text is JSON; every refusal is a `Refusal` with a status.
//! Nothing is decided here: bodies become requests of the coordinator, which answers.
//!
//! Memory for bodies is one budget for all clients ([`Limits::body_bytes`]): a body is charged as its bytes arrive and
//! paid back when the coordinator has answered, so that neither promises nor slow clients take it from others.

mod answer;
mod body;
mod routes;
mod server;

use std::sync::Arc;

use dashmap::DashMap;
use quorate_coordinator::{KeptStudy, Reply, Request};
use quorate_federation::Federation;
use quorate_hash::Digest;
use quorate_wire::Refusal;
use tokio::sync::Semaphore;

use crate::Limits;
use crate::driver::Door;
use crate::peers::Links;
pub(crate) use server::serve;

/// What all connections share.
pub(crate) struct Api {
    federation: Federation,
    number: u8,
    door: Door,
    links: Arc<Links>,
    limits: Limits,
    /// Studies that uploads came for: they never change.
    studies: DashMap<Digest, Arc<KeptStudy>>,
    /// One permit per byte of a body that is not answered yet.
    memory: Arc<Semaphore>,
    /// One permit per request under way.
    requests: Arc<Semaphore>,
    /// One permit per core: large uploads are checked on all of them but no more.
    checkers: Arc<Semaphore>,
}

impl Api {
    pub(crate) fn new(
        federation: Federation,
        number: u8,
        door: Door,
        links: Arc<Links>,
        limits: Limits,
    ) -> Arc<Self> {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Arc::new(Api {
            federation,
            number,
            door,
            links,
            limits,
            studies: DashMap::new(),
            memory: Arc::new(Semaphore::new(limits.body_bytes)),
            requests: Arc::new(Semaphore::new(limits.requests)),
            checkers: Arc::new(Semaphore::new(cores)),
        })
    }

    /// A study, from the coordinator the first time.
    async fn study(&self, id: Digest) -> Result<Arc<KeptStudy>, Refusal> {
        if let Some(study) = self.studies.get(&id) {
            return Ok(Arc::clone(&study));
        }
        match self.door.ask(Request::Study(id), None).await? {
            Reply::Study(study) => {
                self.studies.insert(id, Arc::clone(&study));
                Ok(study)
            }
            other => Err(answer::misplaced(&other)),
        }
    }
}
