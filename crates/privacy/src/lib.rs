//! Differential privacy: the noise that helpers draw in parts, and the accounts of what was spent.
//!
//! A result is given as it is plus noise that no helper knows. Each of `parts` helpers draws a part of it
//! ([`Distribution::draw`]), such that any `honest` of the parts are as much noise as the central mechanism would add. What a
//! result costs is a [`Loss`], what a study may cost a [`Budget`]; both are counted in whole [`Amount`]s, rounded against whoever
//! asks, so that every helper comes to the same sum.
//!
//! Invariants: no float is on the way from a budget to a noisy number, or from a cost to a refusal; samplers are exact, whatever the
//! parameters. What is *not* here: shares, circuits, a ledger's durability.

#![deny(clippy::float_arithmetic)]

mod amount;
mod budget;
mod conversion;
mod distribution;
mod logarithm;
mod sampler;

pub use amount::{Amount, ParseAmountError};
pub use budget::{Budget, BudgetError, Loss};
pub use conversion::{epsilon_of, rho_of};
pub use distribution::Distribution;
pub use sampler::Sampler;
