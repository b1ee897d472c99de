//! Rounds of pairwise masks over the network: the [`Server`], and the [`Client`] that a training loop calls.
//!
//! Both ends of a connection prove the key that the other expects (TLS 1.3, [`quorate_tls`]). The server invites those who
//! are connected to a round, moves messages between them and [`quorate_masking`]'s state machines, and closes a stage when
//! everybody has come, or gone, or the stage's time is over. A client's connection is its part in a round: if it breaks, the
//! client has vanished, and may take part in the next.
//!
//! ```text
//! server  Invitation(document, model)      clients that are connected, once for each round
//! client  Message(round, FromClient)       stage by stage
//! server  Told(FromServer)                 at the end of each stage, to whoever is still there
//! server  Refused(reason) | Ended(..)      the end of the client's part, or of the round
//! ```
//!
//! What is *not* here: what is computed (`masking`), files, printing, and who should be trusted: keys are the caller's.

mod client;
mod error;
mod frame;
mod limits;
mod link;
mod round;
mod server;

pub use client::{Client, Invitation, Part, Requirements, Taken};
pub use error::{ClientError, RoundError, ServerError};
pub use limits::Limits;
pub use round::{Finished, Plan};
pub use server::Server;
