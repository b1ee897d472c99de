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
        Write::Contribution { bytes, .. } => bytes.len(),
        Write::ColumnsAppend { bytes, .. } => bytes.len(),
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

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;
    use std::sync::mpsc::sync_channel;

    use quorate_hash::Digest;
    use quorate_store::{Fault, Limits, SimDisk};
    use tokio::sync::mpsc::unbounded_channel;

    use super::*;

    const STUDY: Digest = Digest([1; 32]);

    fn batch(number: u8) -> Batch {
        let write =
            Write::Contribution { study: STUDY, id: Digest([number; 32]), bytes: vec![number; 10].into() };
        Batch { batch: number.into(), writes: vec![write] }
    }

    fn run(disk: &SimDisk, batches: Vec<Batch>) -> (Vec<u64>, Result<(), StoreError>) {
        run_with(disk, None, batches)
    }

    /// Writes all of `batches`, which wait already; what was said to be stored, and the end.
    fn run_with(
        disk: &SimDisk,
        fault: Option<Fault>,
        batches: Vec<Batch>,
    ) -> (Vec<u64>, Result<(), StoreError>) {
        let (store, _) = Store::open(disk.clone(), Limits::default()).unwrap();
        fault.into_iter().for_each(|fault| disk.fail(fault));
        let (sender, receiver) = sync_channel(WRITER_QUEUE);
        batches.into_iter().for_each(|batch| sender.send(batch).unwrap());
        drop(sender);
        let (notices, mut noticed) = unbounded_channel();
        let ended = write(store, &receiver, &notices);
        let mut stored = Vec::new();
        while let Ok(Notice::Stored(batch)) = noticed.try_recv() {
            stored.push(batch);
        }
        (stored, ended)
    }

    #[test]
    fn batches_that_wait_are_synced_together_and_said_in_order() {
        let (one, many) = (SimDisk::new(1), SimDisk::new(1));
        assert_eq!(run(&one, vec![batch(1)]).0, [1]);
        let (stored, ended) = run(&many, (1..=100).map(batch).collect());
        assert_eq!(stored, (1..=100).collect::<Vec<u64>>());
        assert!(ended.is_ok());
        assert_eq!(many.syncs(), one.syncs(), "a hundred batches cost what one costs");
        let (store, _) = Store::open(many, Limits::default()).unwrap();
        assert_eq!(store.reader().count(&STUDY), 100);
    }

    #[test]
    fn nothing_is_said_to_be_stored_after_a_failure() {
        for fault in [Fault::Write(1, ErrorKind::StorageFull), Fault::Sync(1, ErrorKind::Other)] {
            let disk = SimDisk::new(1);
            assert!(run(&disk, vec![batch(1)]).1.is_ok());
            let (stored, ended) = run_with(&disk, Some(fault), vec![batch(2), batch(3)]);
            assert_eq!(stored, [0_u64; 0], "{fault:?}");
            assert!(matches!(ended, Err(StoreError::Io { .. })), "{fault:?}: {ended:?}");
            assert_eq!(run(&disk, vec![batch(4)]).0, [4], "the next life goes on");
        }
    }

    #[test]
    fn a_layout_is_abandoned_and_begun_again_without_a_clash() {
        let generation = Digest([9; 32]);
        let append = || Write::ColumnsAppend { study: STUDY, generation, column: 0, bytes: vec![1; 8] };
        let abandon = || Write::ColumnsAbandon { study: STUDY, generation };
        let finish = || Write::ColumnsFinish { study: STUDY, generation, columns: 1 };
        let batches = [append(), abandon(), append(), finish()].into_iter().zip(1..);
        let disk = SimDisk::new(1);
        let batches = batches.map(|(write, batch)| Batch { batch, writes: vec![write] }).collect();
        let (stored, ended) = run(&disk, batches);
        assert!(ended.is_ok(), "{ended:?}");
        assert_eq!(stored, [1, 2, 3, 4]);
        let (store, _) = Store::open(disk, Limits::default()).unwrap();
        let columns = store.reader().columns(&STUDY, &generation).unwrap().unwrap();
        let mut bytes = [0; 8];
        columns.read(0, 0, &mut bytes).unwrap();
        assert_eq!(bytes, [1; 8]);
    }
}
