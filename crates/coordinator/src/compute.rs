//! Computations: the protocols' work between two rounds, which the caller does on whatever thread it likes.
//!
//! The coordinator gives away a task together with what came for it ([`Action::Compute`](crate::Action::Compute)) and
//! gets back what it sends next ([`Event::Computed`](crate::Event::Computed)): uploads and other attempts do not wait
//! behind a morsel of rows, and morsels do not wait behind each other.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use quorate_engine::EngineError;
use quorate_engine::round::{Inbox, Outbox, Progress, Task};
use quorate_hash::Digest;
use quorate_wire::Blob;

use crate::frame::Body;

/// A task that is in its attempt's hands, or in a computation's.
pub(crate) type Shared<T> = Arc<Mutex<T>>;

/// A piece of work that needs nothing but a processor.
pub struct Computation {
    place: Place,
    task: Shared<dyn Task + Send>,
    /// What the members sent; nothing at the start.
    received: Option<BTreeMap<u8, Body>>,
}

/// What a computation came to.
pub struct Computed {
    pub(crate) place: Place,
    pub(crate) outcome: Outcome,
}

/// The bytes for each member, nothing once the task has ended, or whose message was bad.
pub(crate) type Outcome = Result<Option<BTreeMap<u8, Blob>>, EngineError>;

/// Which lane of which attempt.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) attempt: Digest,
    pub(crate) lane: u16,
}

impl Computation {
    pub(crate) fn new(
        place: Place,
        task: Shared<dyn Task + Send>,
        received: Option<BTreeMap<u8, Body>>,
    ) -> Self {
        Computation { place, task, received }
    }

    /// Does the work, in a few milliseconds. What it gives depends on nothing else.
    pub fn run(self) -> Computed {
        let Computation { place, task, received } = self;
        let outcome = go_on(&mut *task.lock().unwrap_or_else(PoisonError::into_inner), received.as_ref());
        Computed { place, outcome }
    }
}

fn go_on(task: &mut (dyn Task + Send), received: Option<&BTreeMap<u8, Body>>) -> Outcome {
    if let Some(received) = received {
        let mut inbox = Inbox::new(received);
        task.receive(&mut inbox)?;
        inbox.finish()?;
    }
    let mut outbox = Outbox::new();
    match task.advance(&mut outbox) {
        Progress::Sent => {
            Ok(Some(outbox.into_blobs().into_iter().map(|(to, bytes)| (to, Blob::new(bytes))).collect()))
        }
        Progress::Ended => Ok(None),
    }
}

// What these carry is shares.

impl fmt::Debug for Computation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Computation(attempt {}, lane {})", self.place.attempt.short(), self.place.lane)
    }
}

impl fmt::Debug for Computed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Computed(attempt {}, lane {})", self.place.attempt.short(), self.place.lane)
    }
}
