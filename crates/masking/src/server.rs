//! The server of one round, stage by stage: [`Keys`], [`SharesStage`], [`Inputs`], [`Agreements`], [`Unmasking`].
//!
//! Each stage takes its clients' messages, in any order, until its driver closes it: when all have come, or at a deadline.
//! Closing gives what to send to whom, and the next stage, or ends the round with an [`Abort`]. Whoever has not come by then
//! has vanished, and comes too late ever after: its later messages are refused. A masked vector is added when it comes, so that
//! the server keeps one vector whatever the number of clients.
//!
//! A message of a client that has sent one for the stage before is not taken again, and does no harm: clients whose connection
//! broke may repeat themselves.

mod inputs;
mod keys;
mod shares;
mod unmasking;

pub use inputs::{Agreements, Closed, Inputs};
pub use keys::Keys;
pub use shares::SharesStage;
pub use unmasking::{Outcome, Unmasking};

use std::sync::Arc;

use quorate_hash::Digest;

use crate::message::FromClient;
use crate::{Abort, Fault, Members, Position, Round, Stage};

/// A stage that takes messages: what a driver needs to know of any of them.
pub trait Collecting {
    /// Which it is.
    const STAGE: Stage;

    /// Takes what a client has sent; whether it is its first message of this stage.
    fn take(&mut self, from: Position, message: FromClient) -> Result<bool, Fault>;

    /// Whether a message of this client would be its first.
    fn is_waiting_for(&self, position: Position) -> bool;

    /// Whether the stage can be closed without those that it still waits for.
    fn is_enough(&self) -> bool {
        false
    }
}

macro_rules! collecting {
    ($stage:ident, $which:ident, $message:ident, |$one:ident, $from:ident, $content:ident| $take:expr $(, $enough:expr)?) => {
        impl Collecting for $stage {
            const STAGE: Stage = Stage::$which;

            fn take(&mut self, from: Position, message: FromClient) -> Result<bool, Fault> {
                match message {
                    FromClient::$message($content) => {
                        let ($one, $from) = (self, from);
                        $take
                    }
                    _ => Err(Fault::Shape {
                        position: from,
                        stage: Stage::$which,
                        reason: "they are a message of another stage",
                    }),
                }
            }

            fn is_waiting_for(&self, position: Position) -> bool {
                self.attendance.is_waiting_for(position)
            }

            $(fn is_enough(&self) -> bool {
                $enough(self)
            })?
        }
    };
}

collecting!(Keys, Keys, Keys, |stage, from, keys| stage.receive(from, keys));
collecting!(SharesStage, Shares, Shares, |stage, from, shares| stage.receive(from, shares));
collecting!(Inputs, Inputs, Input, |stage, from, vector| stage.receive(from, &vector));
collecting!(Agreements, Agreement, Agreement, |stage, from, signature| stage.receive(from, signature));
collecting!(
    Unmasking,
    Unmasking,
    Unmasking,
    |stage, from, given| stage.receive(from, given),
    Unmasking::is_enough
);

/// Whom a stage waits for, and who has come.
struct Attendance {
    round: Arc<Round>,
    stage: Stage,
    expected: Members,
    come: Members,
}

impl Attendance {
    fn new(round: Arc<Round>, stage: Stage, expected: Members) -> Self {
        let come = Members::none(round.clients());
        Attendance { round, stage, expected, come }
    }

    /// Whether a message of this client is its first; refused if it is not waited for.
    fn is_first(&self, position: Position) -> Result<bool, Fault> {
        if self.expected.contains(position) {
            Ok(!self.come.contains(position))
        } else {
            Err(Fault::Late { position, stage: self.stage })
        }
    }

    fn is_waiting_for(&self, position: Position) -> bool {
        self.expected.contains(position) && !self.come.contains(position)
    }

    /// Who has come, if they are enough.
    fn close(self, needed: u32) -> Result<Members, Abort> {
        let found = self.come.count();
        if found < needed { Err(Abort::TooFew { stage: self.stage, found, needed }) } else { Ok(self.come) }
    }
}

/// What is known of each client from its keys on, by position.
struct Clients(Vec<Option<Known>>);

struct Known {
    mask: Digest,
    /// Who keeps its shares, of those that had sent keys; ascending.
    holders: Vec<Position>,
    /// Whose shares it keeps, likewise.
    kept: Vec<Position>,
}

impl Clients {
    fn get(&self, position: Position) -> Option<&Known> {
        self.0.get(position as usize)?.as_ref()
    }

    /// Who keeps a client's shares.
    fn holders(&self, position: Position) -> &[Position] {
        self.get(position).map_or(&[], |known| &known.holders)
    }

    /// Whose shares a client keeps.
    fn kept(&self, position: Position) -> &[Position] {
        self.get(position).map_or(&[], |known| &known.kept)
    }

    /// Everybody a client masks with, ascending.
    fn neighbours(&self, position: Position) -> Vec<Position> {
        let mut neighbours = [self.holders(position), self.kept(position)].concat();
        neighbours.sort_unstable();
        neighbours.dedup();
        neighbours
    }
}
