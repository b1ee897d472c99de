//! What happens to a helper and what it wants done.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use quorate_circuit::Study;
use quorate_hash::Digest;
use quorate_wire::{AskedBefore, Receipt, Refusal, SealedReply, Signed, SignedManifest, Spent, Status};

use crate::{CheckedUpload, Computation, Computed};

/// Names a request until its reply; chosen by the caller, never used twice.
pub type Ticket = u64;

/// Something happened.
pub enum Event {
    /// A client asks. Every ticket gets exactly one [`Action::Reply`], sooner or later.
    Request {
        /// Names the request.
        ticket: Ticket,
        /// What is asked.
        request: Request,
    },
    /// A frame arrived from another helper, whose number the transport has proved.
    Peer {
        /// The sender.
        from: u8,
        /// Exactly the bytes of the sender's [`Action::Send`].
        frame: Vec<u8>,
    },
    /// The writes of an [`Action::Store`] are durable. A store that fails must stop the process instead.
    Stored {
        /// The batch's number.
        batch: u64,
    },
    /// A computation of an [`Action::Compute`] is done.
    Computed(Computed),
    /// Some time passed; wanted every 50 to 100 milliseconds.
    Tick,
    /// Asked for by [`Action::Continue`].
    Continue,
    /// The process is asked to stop: requests are refused from now on, attempts abort.
    Stop,
}

/// What a client may ask.
#[derive(Debug)]
pub enum Request {
    /// Create a study; a `StudyRequest` signed by its owner.
    CreateStudy(Signed),
    /// Store contributions.
    Upload(CheckedUpload),
    /// Seal a study; a `SealRequest` signed by its owner.
    Seal(Signed),
    /// Run a circuit; a `RunRequest` signed by one of its analysts.
    Run(Signed),
    /// Read a study.
    Study(Digest),
    /// Read what was asked of a study that has a smallest group.
    Asked(Digest),
    /// Read what a study's results cost so far.
    Budget(Digest),
    /// Read the helper's state.
    Status,
}

/// A study as a helper keeps it.
#[derive(Debug)]
pub struct KeptStudy {
    /// The study, parsed and checked.
    pub study: Study,
    /// Its document, exactly as its owner signed it.
    pub document: String,
}

/// The answer to a [`Request`].
#[derive(Clone, Debug)]
pub enum Reply {
    /// The study is durable; its id.
    Created(Digest),
    /// The upload is durable.
    Receipt(Receipt),
    /// The study is sealed.
    Sealed(Box<SignedManifest>),
    /// The run's result shares.
    Ran(SealedReply),
    /// The study and its exact document.
    Study(Arc<KeptStudy>),
    /// What was asked of the study before.
    Asked(AskedBefore),
    /// What the study's results cost so far.
    Budget(Spent),
    /// The helper's state. `connected` is left empty: the transport knows.
    Status(Status),
}

/// Something is wanted.
pub enum Action {
    /// Answer a request.
    Reply {
        /// The request's ticket.
        ticket: Ticket,
        /// The answer.
        reply: Result<Reply, Refusal>,
    },
    /// Send a frame to another helper; it may be lost when there is no connection.
    Send {
        /// The receiver.
        to: u8,
        /// The bytes.
        frame: Vec<u8>,
    },
    /// Make these writes durable, in this order, and say so with [`Event::Stored`]. Batches are stored in the order
    /// they are given.
    Store {
        /// The batch's number.
        batch: u64,
        /// The writes.
        writes: Vec<Write>,
    },
    /// Run this, on another thread or at once, and give what it comes to back with [`Event::Computed`]. There are never more
    /// under way than attempts have lanes.
    Compute(Computation),
    /// Give [`Event::Continue`] after other waiting events had their turn: a long computation goes on in pieces.
    Continue,
}

/// One write. All writes of a batch become durable together, or the process stops.
pub enum Write {
    /// Keep a contribution; writing the same id again changes nothing.
    Contribution {
        /// The study.
        study: Digest,
        /// The contribution.
        id: Digest,
        /// Its bytes.
        bytes: Bytes,
    },
    /// Set a control record.
    Control {
        /// Its key.
        key: Vec<u8>,
        /// Its value.
        value: Vec<u8>,
    },
    /// Append to a column that is being laid out; nobody sees it before [`Write::ColumnsFinish`].
    ColumnsAppend {
        /// The study.
        study: Digest,
        /// The layout's name: the seal's session.
        generation: Digest,
        /// The column's index.
        column: u32,
        /// Little-endian elements.
        bytes: Vec<u8>,
    },
    /// The columns are complete and immutable from now on.
    ColumnsFinish {
        /// The study.
        study: Digest,
        /// The layout's name.
        generation: Digest,
        /// How many columns.
        columns: u32,
    },
    /// Forget an unfinished or finished layout.
    ColumnsAbandon {
        /// The study.
        study: Digest,
        /// The layout's name.
        generation: Digest,
    },
}

// What these carry is shares: they say how much, not what.

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::Request { ticket, request } => write!(f, "Request({ticket}, {request:?})"),
            Event::Peer { from, frame } => write!(f, "Peer({from}, {} bytes)", frame.len()),
            Event::Stored { batch } => write!(f, "Stored({batch})"),
            Event::Computed(computed) => write!(f, "{computed:?}"),
            Event::Tick => f.write_str("Tick"),
            Event::Continue => f.write_str("Continue"),
            Event::Stop => f.write_str("Stop"),
        }
    }
}

impl fmt::Debug for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Action::Reply { ticket, reply } => write!(f, "Reply({ticket}, {reply:?})"),
            Action::Send { to, frame } => write!(f, "Send({to}, {} bytes)", frame.len()),
            Action::Store { batch, writes } => write!(f, "Store({batch}, {writes:?})"),
            Action::Compute(computation) => write!(f, "{computation:?}"),
            Action::Continue => f.write_str("Continue"),
        }
    }
}

impl fmt::Debug for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Write::Contribution { id, bytes, .. } => {
                write!(f, "Contribution({}, {} bytes)", id.short(), bytes.len())
            }
            Write::Control { key, value } => {
                write!(f, "Control({} bytes of key, {} bytes)", key.len(), value.len())
            }
            Write::ColumnsAppend { column, bytes, .. } => {
                write!(f, "ColumnsAppend({column}, {} bytes)", bytes.len())
            }
            Write::ColumnsFinish { generation, columns, .. } => {
                write!(f, "ColumnsFinish({}, {columns} columns)", generation.short())
            }
            Write::ColumnsAbandon { generation, .. } => write!(f, "ColumnsAbandon({})", generation.short()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_counted_and_not_shown() {
        let bytes = || vec![171, 205, 171];
        let write = Write::ColumnsAppend {
            study: Digest([1; 32]),
            generation: Digest([2; 32]),
            column: 4,
            bytes: bytes(),
        };
        let shown = [
            format!("{:?}", Event::Peer { from: 2, frame: bytes() }),
            format!("{:?}", Action::Send { to: 3, frame: bytes() }),
            format!("{:?}", Action::Store { batch: 1, writes: vec![write] }),
        ];
        for shown in shown {
            assert!(shown.contains("3 bytes") && !shown.contains("171") && !shown.contains("205"), "{shown}");
        }
    }
}
