//! Pairwise masks: one server learns the sum of its clients' vectors and nothing else about them.
//!
//! Section 9 of `docs/protocols.md`. K. Bonawitz et al., "Practical secure aggregation for privacy-preserving machine
//! learning", CCS 2017, on the sparse graphs of J. Bell et al., "Secure single-server aggregation with
//! (poly)logarithmic overhead", CCS 2020. In reading order:
//!
//! - [`plain`]: masks in pairs that cancel, and why that alone is not enough.
//! - [`Round`], [`Terms`]: what all parties of a round mean the same by; its id is the hash of its document.
//! - [`Encoding`]: vectors as words that are added modulo 2^32 or 2^64.
//! - [`graph`]: who masks with whom, and who keeps whose shares.
//! - [`Strength`], [`choose`]: how likely a round is to fail or to betray somebody, and the smallest graph that does neither.
//! - [`secret`], [`keys`], [`mask`]: shares of seeds, keys of a round, masks from keys.
//! - [`client`], [`server`]: the two ends as state machines, stage by stage; [`message`]: what goes between them.
//! - [`trial`]: a whole round in one process, in which clients vanish where they are told to.
//!
//! Here is no input or output, no clock and no randomness but what the caller's generator gives. A stage is a type,
//! and to end it consumes it: a client that has given one kind of share for its neighbours has nothing left to give
//! the other kind from.

#![cfg_attr(test, allow(clippy::cast_possible_truncation))]

pub mod client;
mod encoding;
mod fault;
pub mod graph;
pub mod keys;
pub mod mask;
mod members;
pub mod message;
pub mod plain;
mod round;
pub mod secret;
pub mod server;
mod strength;
pub mod trial;

pub use encoding::{Encoding, EncodingFault, Input, InputFault, Ring, Words};
pub use fault::{Abort, Fault, Stage};
pub use members::Members;
pub use round::{CLIENTS_MAX, LENGTH_MAX, Position, Round, RoundFault, Terms, Variant};
pub use strength::{Demand, Infeasible, Strength, choose};
