//! Errors, by who has to act.

use std::io;

use quorate_masking::{Abort, Fault, Infeasible, InputFault, RoundFault};
use quorate_tls::TlsFault;

/// What keeps a server from serving.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The address is taken, or not this machine's.
    #[error("cannot listen at {address}: {source}")]
    Listen {
        /// As asked.
        address: String,
        /// Why.
        source: io::Error,
    },
    /// Fewer than a round has.
    #[error("{0} enrolled clients: a round takes at least 3")]
    Enrolled(usize),
}

/// What keeps a round from a sum. Whatever it is, nothing was learned of any vector.
#[derive(Debug, thiserror::Error)]
pub enum RoundError {
    /// Too few clients are connected.
    #[error("{found} clients are connected, and {needed} are needed")]
    TooFew {
        /// Connected.
        found: usize,
        /// Needed.
        needed: usize,
    },
    /// The graph is too weak for what is asked.
    #[error(transparent)]
    Weak(#[from] Infeasible),
    /// The round cannot be.
    #[error(transparent)]
    Round(#[from] RoundFault),
    /// The model does not fit a message.
    #[error("a model of {0} bytes does not fit an invitation of at most 10 MiB")]
    Model(usize),
    /// Too many clients vanished.
    #[error(transparent)]
    Abort(#[from] Abort),
    /// The machine has no randomness, or a thread failed.
    #[error("this machine failed: {0}")]
    Machine(String),
}

/// What ends a client's part, or its connection.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The address cannot be reached.
    #[error("cannot connect to {address}: {source}")]
    Connect {
        /// As asked.
        address: String,
        /// Why.
        source: io::Error,
    },
    /// Who answers there is not the server, or does not take this client. The text reads on from the address.
    #[error("{address} {fault}")]
    Tls {
        /// As asked.
        address: String,
        /// Why.
        fault: TlsFault,
    },
    /// The connection broke.
    #[error("the connection to the server broke: {0}")]
    Connection(#[from] io::Error),
    /// The server ended the connection in the middle of a round.
    #[error("the server ended the connection")]
    Closed,
    /// Something that no server of this version sends.
    #[error("the server sent what this client does not understand; are both of the same version?")]
    NotUnderstood,
    /// The server's round is not one.
    #[error(transparent)]
    Round(#[from] RoundFault),
    /// The round is too weak for what this client asks.
    #[error("this client does not take part: {0}")]
    Weak(#[from] Infeasible),
    /// The round does not name this server.
    #[error("the round is another server's")]
    OtherServer,
    /// The server is trusted with more than this client trusts it with.
    #[error(
        "the round relies on a server that follows the protocol, and this client takes part in active rounds only"
    )]
    Passive,
    /// A client of the round is not enrolled, as far as this one knows.
    #[error("client {0} of the round is not enrolled: it may be the server itself")]
    NotEnrolled(quorate_federation::PublicKey),
    /// The model is not the one that the round is bound to.
    #[error("the model that the server sent is not the one that the round is bound to")]
    OtherModel,
    /// The client's own vector.
    #[error(transparent)]
    Input(#[from] InputFault),
    /// What the server sent does not follow the protocol, or too few neighbours are left.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// The server put the client out of the round.
    #[error("the server refused this client: {0}")]
    Refused(String),
    /// The round ended without a sum.
    #[error("the round ended without a sum: {0}")]
    Aborted(String),
    /// This machine has no randomness to give.
    #[error("this machine has no randomness to give: {0}")]
    Randomness(getrandom::Error),
}

impl ServerError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            ServerError::Listen { .. } => "choose another address, or stop what listens there",
            ServerError::Enrolled(_) => "list the public keys of all clients, one in each line",
        }
    }
}

impl ClientError {
    /// What to do about it, where that is not said already.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            ClientError::Connect { .. } => Some("check the address, and that the server runs"),
            ClientError::Tls { .. } => {
                Some("check the server's key with whoever runs it, and that it has enrolled this client")
            }
            ClientError::Connection(_) | ClientError::Closed => Some(
                "connect again: the next round may take this client in; so does a server only if it has enrolled its key",
            ),
            ClientError::Passive => Some("rely on the server with --passive, or ask it for active rounds"),
            ClientError::Weak(_) => Some(
                "ask the server for a stronger graph, or ask less of it: --sigma, --eta, --dropouts, --corrupt",
            ),
            ClientError::NotEnrolled(_) => Some(
                "get the current list of enrolled clients from whoever enrolls them, not from the server",
            ),
            ClientError::Aborted(_) => Some("nothing was learned of the vector; take part in the next round"),
            _ => None,
        }
    }

    /// Whether the connection is still good for the next round.
    pub fn is_of_one_round(&self) -> bool {
        matches!(
            self,
            ClientError::Weak(_)
                | ClientError::Passive
                | ClientError::NotEnrolled(_)
                | ClientError::OtherModel
                | ClientError::Input(_)
                | ClientError::Fault(_)
                | ClientError::Refused(_)
                | ClientError::Aborted(_)
        )
    }
}
