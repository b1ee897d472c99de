//! The helper process: HTTPS API, mutual TLS between helpers, store and coordinator driven.
//!
//! Everything a helper decides is decided in `quorate-coordinator`; this crate moves bytes between it, the network
//! and the disk, and sees to it that every queue, body, connection and wait is bounded ([`Limits`]).
//!
//! | part | runs | moves |
//! |---|---|---|
//! | [`HelperDir`] | at start | settings, key and federation file from the helper's directory |
//! | `api` | a task per connection | requests of contributors, owners and analysts to the driver |
//! | `peers` | two tasks per helper | frames of other helpers to the driver and back |
//! | `driver` | one thread | events into the coordinator, its actions to whoever does them |
//! | `writer` | one thread | the coordinator's writes into the store, one sync for all that wait |
//!
//! Reading order: [`HelperDir`], [`run()`], `driver`, `writer`, `peers`, `api`. What is *not* here: decisions, the
//! meaning of a message, logging set-up (the command line's).

mod api;
mod directory;
mod driver;
mod error;
mod hardening;
mod limits;
mod peers;
mod reads;
mod run;
mod writer;

pub use directory::{HelperDir, Settings};
pub use error::HelperError;
pub use limits::Limits;
pub use run::{run, run_with, stop_signal};
