//! The state machine itself: one event in, actions out.

use quorate_federation::FederationError;
use rand_core::CryptoRng;

use crate::{Action, Config, Event, Records, RecordsError};

/// A helper that cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// This helper's key is not in the federation file.
    #[error(transparent)]
    Federation(#[from] FederationError),
    /// The store cannot be read.
    #[error(transparent)]
    Records(#[from] RecordsError),
    /// A record that this helper wrote itself does not read: written by another version, or damaged.
    #[error(
        "the stored {what} does not read: {reason}; restore this helper's data directory from a backup of this version"
    )]
    Record {
        /// Which record.
        what: String,
        /// Why.
        reason: String,
    },
}

/// One helper.
#[derive(Debug)]
pub struct Coordinator {
    config: Config,
    number: u8,
}

impl Coordinator {
    /// A helper with what is durable from earlier lives. Attempts of earlier lives are gone; nothing resumes them.
    pub fn new(config: Config, records: &dyn Records) -> Result<Self, StartError> {
        let number = config.federation.number_of(&config.key.public())?;
        let _ = records;
        Ok(Coordinator { config, number })
    }

    /// This helper's number in the federation.
    pub fn number(&self) -> u8 {
        self.number
    }

    /// Takes one event. `now_ms` is a monotonic clock in milliseconds; `rng` is the operating system's randomness
    /// in a helper and seeded in the simulator.
    pub fn step(
        &mut self,
        event: Event,
        rng: &mut dyn CryptoRng,
        now_ms: u64,
        records: &dyn Records,
    ) -> Vec<Action> {
        let _ = (event, rng, now_ms, records, &self.config);
        Vec::new()
    }
}
