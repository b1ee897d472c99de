//! The Boolean domain: bit-sliced replicated sharings, programs of ANDs in layers, and what is built from them.
//!
//! Sections 4 and 6 of `docs/protocols.md`. In reading order:
//!
//! - [`lanes`]: rows as lanes of words.
//! - [`Draft`]: a program while it is written, single bits and gates; [`sum`], [`compare`], [`count`] write into it.
//! - [`Program`]: layers of ANDs over registers, compiled once for each kind and width, run on any number of words.
//! - [`Domain`]: what a program needs of a sharing. [`Clear`] is the oracle, [`CnfOneRound`] and [`CnfKing`] are
//!   replicated sharing over the keys and the [`Layout`] of `2t + 1` [`Workers`].
//! - [`Execution`]: the state machine that runs a program on one morsel, round by round.
//! - [`convert`]: from Shamir shares to bits; [`ToArithmetic`]: back.
//! - [`Shrink`]: from a sharing over all helpers to one over the workers; [`Spread`]: back. [`open`]: verdicts.
//!
//! Everything is a pure function or a state machine without input and output; results are
//! [`crate::verified::Unverified`]. No branch and no memory index depends on a share.

mod clear;
mod cnf;
pub mod compare;
pub mod convert;
pub mod count;
mod domain;
mod draft;
mod execution;
mod king;
pub mod lanes;
mod layout;
mod lower;
mod one_round;
pub mod open;
mod program;
mod shrink;
mod spread;
pub mod sum;
#[cfg(test)]
pub(crate) mod tests;
mod to_arithmetic;
mod worker_keys;
mod workers;

pub use clear::{Clear, evaluate};
pub use domain::{Domain, Registers, Scratch};
pub use draft::{Bit, Draft};
pub use execution::{Execution, Outputs};
pub use king::{CnfKing, KingStreams};
pub use layout::Layout;
pub use one_round::{CnfOneRound, OneRoundStreams};
pub use program::{AndGate, Layer, Program, Register};
pub use shrink::Shrink;
pub use spread::{PendingSpread, Spread};
pub use to_arithmetic::ToArithmetic;
pub use workers::Workers;
