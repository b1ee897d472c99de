//! Faults: what is refused, whose fault it is, and how a round ends without a sum.

use crate::{InputFault, Position};

/// The stages of a round, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub enum Stage {
    /// Clients send their keys of the round.
    Keys,
    /// They share their secrets among their neighbours.
    Shares,
    /// They send their masked vectors.
    Inputs,
    /// They sign who has survived (active rounds only).
    Agreement,
    /// They give shares, of one kind for each neighbour.
    Unmasking,
}

/// A message that is refused: by a client, whose part in the round ends with it, or by the server, for which its sender
/// then counts as vanished.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The key is none of the round's.
    #[error("this key is none of the round's clients")]
    Stranger,
    /// Too late, or of somebody who was not in the stage before.
    #[error("too late for the {}: client {position} is not waited for", stage.noun())]
    Late {
        /// Who.
        position: Position,
        /// What it came for.
        stage: Stage,
    },
    /// A signature that does not hold for this round, its model, and this client.
    #[error("the signature of client {0} is not for this round and its model")]
    Signature(Position),
    /// A key of small order, or one that makes no secret.
    #[error("a key of client {0} is not one")]
    Key(Position),
    /// A message about clients whom it cannot be about, or in another order, or of another length.
    #[error("the {} of client {position} are not what the round asks for: {reason}", stage.noun())]
    Shape {
        /// Whose message, or about whom.
        position: Position,
        /// Of which stage.
        stage: Stage,
        /// What is wrong.
        reason: &'static str,
    },
    /// The server's message about others.
    #[error("the server's {} are not what the round asks for: {reason}", stage.noun())]
    Server {
        /// Of which stage.
        stage: Stage,
        /// What is wrong.
        reason: &'static str,
    },
    /// So few neighbours that this client would be exposed, or could not be recovered.
    #[error("{found} of this client's neighbours are there for the {}, and {needed} are needed", stage.noun())]
    Lonely {
        /// When.
        stage: Stage,
        /// How many.
        found: u32,
        /// How many it takes.
        needed: u32,
    },
    /// The client's own vector.
    #[error(transparent)]
    Input(#[from] InputFault),
}

/// A round that ends without a sum; nothing was learned of any vector.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Abort {
    /// Too few clients came as far as this.
    #[error("{found} clients are left for the {}, and the round needs {needed}", stage.noun())]
    TooFew {
        /// As far as what.
        stage: Stage,
        /// How many.
        found: u32,
        /// How many it takes.
        needed: u32,
    },
    /// Too few shares of one secret, or shares that give another than was promised.
    #[error("the {kind} of client {position} cannot be recovered: {found} right shares of {needed}")]
    Unrecoverable {
        /// Whose.
        position: Position,
        /// "self-mask" or "mask key".
        kind: &'static str,
        /// Shares that fit together.
        found: u32,
        /// Shares that it takes.
        needed: u32,
    },
}

impl Stage {
    /// What a stage's messages are called.
    pub fn noun(self) -> &'static str {
        match self {
            Stage::Keys => "keys",
            Stage::Shares => "shares",
            Stage::Inputs => "masked vectors",
            Stage::Agreement => "signatures of survivors",
            Stage::Unmasking => "shares for unmasking",
        }
    }
}
