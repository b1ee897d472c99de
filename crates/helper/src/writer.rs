//! Writer: the one thread that owns the store.
//!
//! Group commit after DeWitt et al., "Implementation techniques for main memory database systems", SIGMOD 1984:
//! batches that wait while one commit is synced go into the next commit together, in their order, so that a busy
//! helper syncs once for many uploads and an idle one at once.

use std::sync::mpsc::Receiver;

use quorate_coordinator::Write;
use quorate_store::{Store, StoreError};
use tokio::sync::mpsc::UnboundedSender;
use tracing::debug;

use crate::driver::Notice;

/// Batches that may wait for the store; the driver waits when there are more.
pub(crate) const WRITER_QUEUE: usize = 256;
/// A commit takes no more batches when it has this many bytes.
const COMMIT_BYTES: usize = 16 << 20;

/// The writes of one `Action::Store`.
pub(crate) struct Batch {
    pub(crate) batch: u64,
    pub(crate) writes: Vec<Write>,
}

/// Commits batches in their order until the driver is gone, then closes the store. An error means that nothing after
/// it was said to be stored.
pub(crate) fn write(
    mut store: Store,
    batches: &Receiver<Batch>,
    notices: &UnboundedSender<Notice>,
) -> Result<(), StoreError> {
    let mut stored = Vec::new();
    loop {
        let mut commit = Vec::new();
        let mut bytes = 0;
        while let Some(Batch { batch, writes }) = next(batches, stored.is_empty()) {
            bytes += writes.iter().map(length).sum::<usize>();
            let closes = writes.iter().any(closes_a_layout);
            commit.extend(writes.into_iter().map(to_store));
            stored.push(batch);
            // A layout that was finished or abandoned cannot be named again in the same commit.
            if closes || bytes >= COMMIT_BYTES {
                break;
            }
        }
        if stored.is_empty() {
            return store.close();
        }
        store.commit(&commit)?;
        debug!(batches = stored.len(), writes = commit.len(), bytes, "committed");
        for batch in stored.drain(..) {
            // The driver may have ended; what is stored is stored.
            drop(notices.send(Notice::Stored(batch)));
        }
    }
}

/// The next batch; waits for it only if `patient`. `None`: there is none now, or, if `patient`, ever.
fn next(batches: &Receiver<Batch>, patient: bool) -> Option<Batch> {
    if patient {
        return batches.recv().ok();
    }
    batches.try_recv().ok()
}

fn length(write: &Write) -> usize {
    match write {
        Write::Contribution { bytes, .. } | Write::ColumnsAppend { bytes, .. } => bytes.len(),
        Write::Control { key, value } => key.len() + value.len(),
        Write::ColumnsFinish { .. } | Write::ColumnsAbandon { .. } => 0,
    }
}

fn closes_a_layout(write: &Write) -> bool {
    matches!(write, Write::ColumnsFinish { .. } | Write::ColumnsAbandon { .. })
}

fn to_store(write: Write) -> quorate_store::Write {
    use quorate_store::Write as To;
    match write {
        Write::Contribution { study, id, bytes } => To::Contribution { study, id, bytes },
        Write::Control { key, value } => To::Control { key, value },
        Write::ColumnsAppend { study, generation, column, bytes } => {
            To::ColumnsAppend { study, generation, column, bytes }
        }
        Write::ColumnsFinish { study, generation, columns } => {
            To::ColumnsFinish { study, generation, columns }
        }
        Write::ColumnsAbandon { study, generation } => To::ColumnsAbandon { study, generation },
    }
}
