//! Contributor, owner and analyst over the network.
//!
//! [`Helpers`] are the pinned HTTPS connections to a federation. On them work [`owner`] (create a study, seal it),
//! [`contributor`] (upload a table and check every receipt), [`analyst`] (run a circuit) and [`budget`] (what results cost). What an analyst concludes
//! from the helpers' shares is [`answer()`]: pure, so that it can be tested and simulated without a network; a
//! [`SavedRun`] is an answer that can be checked again. Every failure says who is to blame and what to do ([`ClientError`]). What is *not* here: files, printing, helpers.

#![cfg_attr(test, allow(clippy::cast_possible_truncation))]

pub mod analyst;
pub mod answer;
pub mod budget;
mod connection;
pub mod contributor;
mod error;
mod forecast;
mod helpers;
mod nonce;
pub mod owner;
mod patience;
pub mod saved;

pub use answer::{Answer, AnswerError, Integrity, answer};
pub use budget::budgets;
pub use connection::Pinned;
pub use error::{ClientError, Fault, HelperError};
pub use forecast::{forecast, speed};
pub use helpers::{Helpers, Reports};
pub use nonce::{fresh_nonce, fresh_opener};
pub use patience::Patience;
pub use saved::{SavedError, SavedRun};
