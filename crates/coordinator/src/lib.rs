//! A helper as a pure state machine: `step(event, rng, clock) -> actions`.
//!
//! Uploads, group commits, seals, runs and the rules a study sets are decided here; sockets, files, time and
//! randomness are the caller's. Writes are [`Action`]s whose end is an [`Event`]; reads of what is durable are
//! answered at once through [`Records`]. The same events, randomness and clock give the same actions, bit by
//! bit: the simulator replays whole federations on that. There is no iteration over a randomly ordered map.
//!
//! Reading order: `event`, `coordinator` (dispatch), `upload`, `study`, `exchange` (rounds), `seal`, `run`.

mod asked;
mod compute;
mod config;
mod context;
mod coordinator;
mod ending;
mod event;
mod exchange;
mod frame;
mod lane;
mod ledger;
mod recent;
mod records;
mod run;
mod seal;
mod spent;
mod study;
mod upload;

pub use compute::{Computation, Computed};
pub use config::{Config, Timing};
pub use coordinator::{Coordinator, StartError};
pub use event::{Action, Event, KeptStudy, Reply, Request, Ticket, Write};
pub use records::{Columns, ControlRecord, Records, RecordsError};
pub use upload::{CheckedUpload, check_upload};
