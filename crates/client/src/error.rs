//! What can go wrong for a client, by who is to blame.

use quorate_circuit::{Diagnostics, StudyError};
use quorate_contribute::ContributeError;
use quorate_hash::Digest;
use quorate_tls::TlsFault;
use quorate_wire::{ReceiptError, Refusal};

use crate::AnswerError;

/// A request that did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The contributor's input.
    #[error(transparent)]
    Contribute(#[from] ContributeError),
    /// The owner's study document.
    #[error(transparent)]
    Study(#[from] StudyError),
    /// The analyst's circuit.
    #[error("the circuit cannot be run on this study\n{0}")]
    Circuit(Diagnostics),
    /// One helper failed or refused.
    #[error(transparent)]
    Helper(#[from] HelperError),
    /// Fewer helpers answer than are needed.
    #[error("{needed} helpers are needed to {what}, but {up} can take part{}", list(down))]
    TooFewHelpers {
        /// What was wanted.
        what: &'static str,
        /// How many it takes.
        needed: usize,
        /// How many are there.
        up: usize,
        /// Why each of the others is not.
        down: Vec<HelperError>,
    },
    /// Helpers contradict each other.
    #[error("helpers disagree on {what}: {}", answers.join(", "))]
    Disagreement {
        /// On what.
        what: &'static str,
        /// What each said.
        answers: Vec<String>,
    },
    /// No helper knows the study.
    #[error("no helper knows the study {study}")]
    UnknownStudy {
        /// The id asked for.
        study: Digest,
    },
    /// The study is not sealed.
    #[error("study {study} is not sealed: nothing can be computed on it yet")]
    NotSealed {
        /// Its id.
        study: Digest,
    },
    /// The study belongs to another federation.
    #[error("study {study} belongs to federation {expected}, not to {found}")]
    OtherFederation {
        /// The study.
        study: Digest,
        /// The federation that it names.
        expected: Digest,
        /// The federation of the file.
        found: Digest,
    },
    /// A manifest that its members did not all sign.
    #[error("the manifest of study {study} is not signed by all its members: do not rely on it")]
    Manifest {
        /// The study.
        study: Digest,
    },
    /// The helpers' result shares do not give an answer.
    #[error(transparent)]
    Answer(#[from] AnswerError),
    /// Every attempt failed.
    #[error("gave up after {attempts} attempts; the last one: {last}")]
    GaveUp {
        /// How many.
        attempts: usize,
        /// Why the last one failed.
        last: Box<ClientError>,
    },
    /// The operating system gave no randomness.
    #[error("the operating system gave no randomness: {reason}")]
    Randomness {
        /// Its words.
        reason: String,
    },
    /// This machine could not set up a client.
    #[error("cannot set up the connections: {reason}")]
    Setup {
        /// The library's words.
        reason: String,
    },
}

/// One helper's failure.
#[derive(Debug, thiserror::Error)]
#[error("helper {helper} ({name}) {fault}")]
pub struct HelperError {
    /// Its number.
    pub helper: u8,
    /// Its name and address.
    pub name: String,
    /// What happened.
    pub fault: Fault,
}

/// What a helper can fail at. The text reads on from "helper 2 (name at host:port) ".
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// No connection, or it broke.
    #[error("cannot be reached: {reason}")]
    Unreachable {
        /// The operating system's words.
        reason: String,
    },
    /// No answer in time.
    #[error("did not answer in time")]
    Timeout,
    /// The other end is not this helper.
    #[error("{0}")]
    Identity(TlsFault),
    /// It answered that it will not.
    #[error("refused: {0}")]
    Refused(Refusal),
    /// It answered something that is no answer.
    #[error("answered {what} that does not read: {reason}")]
    Garbled {
        /// What should have come.
        what: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// Its receipt does not prove what it should.
    #[error("sent a receipt that does not hold: {0}")]
    Receipt(ReceiptError),
    /// Its answer is not signed by it.
    #[error("sent {what} that is not signed with its key")]
    Signature {
        /// What.
        what: &'static str,
    },
    /// It is of another federation.
    #[error("belongs to federation {found}, not to {expected}")]
    OtherFederation {
        /// The federation of the file.
        expected: Digest,
        /// What the helper says.
        found: Digest,
    },
}

impl Fault {
    /// Whether the same request may succeed in a moment.
    pub fn is_passing(&self) -> bool {
        match self {
            Fault::Unreachable { .. } | Fault::Timeout => true,
            Fault::Refused(refusal) => refusal.code == quorate_wire::Code::Busy,
            _ => false,
        }
    }

    /// Whether another attempt, maybe without this helper, may succeed.
    pub fn allows_another_attempt(&self) -> bool {
        match self {
            Fault::Refused(refusal) => refusal.may_retry(),
            _ => true,
        }
    }
}

impl ClientError {
    /// What to do about it, where the message does not say.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            ClientError::Contribute(error) => error.hint()?,
            ClientError::Helper(error) => return error.hint(),
            ClientError::GaveUp { last, .. } => return last.hint(),
            ClientError::TooFewHelpers { .. } => {
                "see which helpers answer with `quorate status`; their operators start them with `quorate helper run`"
            }
            ClientError::Disagreement { .. } => {
                "helpers of one federation agree on everything public: ask their operators to compare versions and logs"
            }
            ClientError::UnknownStudy { .. } => {
                "list the studies with `quorate status`, or create this one with `quorate study create`"
            }
            ClientError::NotSealed { .. } => "its owner seals it with `quorate seal`",
            ClientError::OtherFederation { .. } => "use the federation file that the study was made for",
            ClientError::Manifest { .. } => {
                "ask the helpers' operators; a helper that does not sign does not agree"
            }
            ClientError::Answer(error) => return error.hint().map(str::to_owned),
            _ => return None,
        };
        Some(hint.to_owned())
    }

    /// The helpers that others waited for in vain, or that did not answer: another attempt does without them.
    pub(crate) fn silent(&self) -> Vec<u8> {
        match self {
            ClientError::Helper(error) => error.silent(),
            _ => Vec::new(),
        }
    }

    /// Whether another attempt may succeed.
    pub(crate) fn may_retry(&self) -> bool {
        match self {
            ClientError::Helper(error) => error.fault.allows_another_attempt(),
            ClientError::Disagreement { .. } => true,
            _ => false,
        }
    }
}

impl ClientError {
    /// Whether others are at work and nobody is missing: a helper takes one after the other.
    pub(crate) fn is_no_turn(&self) -> bool {
        self.may_retry() && matches!(self, ClientError::Helper(error) if error.silent().is_empty())
    }
}

impl HelperError {
    /// The helpers that this one waited for in vain, or this one where it did not answer.
    pub(crate) fn silent(&self) -> Vec<u8> {
        match &self.fault {
            Fault::Refused(refusal) if refusal.code == quorate_wire::Code::Unavailable => {
                refusal.helpers.clone()
            }
            Fault::Timeout | Fault::Unreachable { .. } => vec![self.helper],
            _ => Vec::new(),
        }
    }

    /// What to do about it, where the message does not say.
    pub fn hint(&self) -> Option<String> {
        match &self.fault {
            Fault::Refused(refusal) => refusal.hint.clone(),
            Fault::Unreachable { .. } | Fault::Timeout => Some(
                "check that the helper runs (`quorate status`) and that its address in the federation file is right; \
                 the same command can be repeated without harm"
                    .to_owned(),
            ),
            Fault::OtherFederation { .. } => {
                Some("compare your federation file with the helper's (`quorate federation show`)".to_owned())
            }
            Fault::Receipt(_) | Fault::Signature { .. } | Fault::Garbled { .. } => Some(
                "this helper misbehaves or runs another version; tell its operator, and do not rely on its answers"
                    .to_owned(),
            ),
            Fault::Identity(_) => None,
        }
    }
}

fn list(errors: &[HelperError]) -> String {
    errors.iter().map(|error| format!("\n  {error}")).collect()
}
