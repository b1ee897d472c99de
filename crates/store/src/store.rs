//! Store: one writer that commits batches, and the recovery that precedes it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, RwLock};

use crate::columns::builder::{self, Builder, Key};
use crate::control::{Change, Control};
use crate::index::Index;
use crate::log::{self, Entry, Log};
use crate::{Columns, Disk, Limits, Reader, StoreError, Write, sync};

/// The writing side of a store. There is one per directory, and one commit at a time.
pub struct Store {
    shared: Arc<Shared>,
    log: Log,
    builder: Builder,
    limits: Limits,
    /// Set while a commit is under way: one that fails, or panics, leaves it set.
    poisoned: bool,
}

/// What readers see.
pub(crate) struct Shared {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) control: Control,
    pub(crate) index: RwLock<Index>,
    /// Finished generations; with their columns once these are verified.
    pub(crate) finished: RwLock<BTreeMap<Key, Option<Columns>>>,
    /// Declared last: the database writes once more when it is closed.
    _lock: Box<dyn Send + Sync>,
}

/// What opening a store found and did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// There was no store: an empty one was made.
    pub created: bool,
    /// Log segments read.
    pub segments: u32,
    /// Contributions found.
    pub contributions: u64,
    /// The end of the log that was cut off: a batch that was being written when the machine stopped.
    pub torn: Option<Torn>,
    /// Finished generations of columns found.
    pub generations: u64,
    /// Unfinished generations that were forgotten.
    pub unfinished: u64,
}

/// A torn end of the log, cut off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Torn {
    /// The last segment.
    pub file: String,
    /// Where the torn batch started.
    pub offset: u64,
    /// How many bytes were cut.
    pub bytes: u64,
}

impl Store {
    /// Takes the store under `disk`, making it if there is none, and recovers what was committed.
    ///
    /// Everything visible afterwards is durable. Fails with [`StoreError::Busy`] while another process has the store,
    /// and with [`StoreError::Corrupt`] or [`StoreError::Control`] if anything that was durable has changed or gone.
    pub fn open(disk: impl Disk, limits: Limits) -> Result<(Store, Recovery), StoreError> {
        let disk: Arc<dyn Disk> = Arc::new(disk);
        let limits = limits.bounded();
        let lock = disk.lock().map_err(StoreError::io("lock", "lock"))?.ok_or(StoreError::Busy)?;
        for dir in [log::DIR, builder::DIR] {
            disk.create_dir(dir).map_err(StoreError::io(dir, "create"))?;
        }
        disk.sync_dir("").map_err(StoreError::io("", "sync"))?;

        let created = !Control::exists(disk.as_ref())?;
        if created {
            if Log::exists(disk.as_ref())? {
                return Err(StoreError::corrupt(
                    "control.redb",
                    0,
                    "it is missing, but contributions are there",
                ));
            }
            Control::create(disk.as_ref(), limits.control_cache_bytes)?;
        }
        let control = Control::open(disk.as_ref(), limits.control_cache_bytes)?;
        let known = control.log_end()?;
        let index = RwLock::default();
        let (log, found) = Log::recover(&disk, limits.segment_bytes, known, &index)?;
        let (finished, unfinished) = Builder::recover(disk.as_ref())?;
        if log.end() != known {
            control.commit(&[], log.end())?;
        }

        let recovery = Recovery {
            created,
            segments: found.segments,
            contributions: found.contributions,
            torn: found.torn,
            generations: finished.len() as u64,
            unfinished,
        };
        let finished = RwLock::new(finished.into_iter().map(|key| (key, None)).collect());
        let shared = Arc::new(Shared { disk, control, index, finished, _lock: lock });
        Ok((Store { shared, log, builder: Builder::default(), limits, poisoned: false }, recovery))
    }

    /// Makes a batch durable: all of it when this returns `Ok`.
    ///
    /// The order within a batch is: contributions, then columns (in the order given), then all control records at
    /// once, then abandoned generations are removed. So a control record never points at something that is not
    /// durable, and after a crash during a commit what is there of it is a prefix of that order; contributions of one
    /// batch appear together (unless they do not fit one segment). Contributions cost one sync, control records two,
    /// a finished generation two.
    ///
    /// A [`StoreError::Refused`] batch changes nothing. After any other error the store is poisoned: what reached the
    /// disk is unknown, a sync that failed must not be retried, and every later commit is refused.
    pub fn commit(&mut self, batch: &[Write]) -> Result<(), StoreError> {
        if self.poisoned {
            return Err(StoreError::Poisoned);
        }
        self.check(batch)?;
        self.poisoned = true;
        self.write_contributions(batch)?;
        self.write_columns(batch)?;
        self.write_control(batch)?;
        self.remove_abandoned(batch)?;
        self.poisoned = false;
        Ok(())
    }

    /// A reader of everything committed.
    pub fn reader(&self) -> Reader {
        Reader::new(Arc::clone(&self.shared))
    }

    /// Ends writing, and lets the control records vouch for all of the log, so that the next start need not copy its
    /// last segment and recognises any damage to it. Optional: a store may be dropped, or killed, at any time.
    pub fn close(self) -> Result<(), StoreError> {
        if self.poisoned {
            Err(StoreError::Poisoned)
        } else {
            self.shared.control.commit(&[], self.log.end())
        }
    }

    fn check(&self, batch: &[Write]) -> Result<(), StoreError> {
        batch.iter().try_for_each(|write| write.check(&self.limits))?;
        let finished = sync::read(&self.shared.finished);
        Ok(self.builder.check(batch, |key| finished.contains_key(key))?)
    }

    fn write_contributions(&mut self, batch: &[Write]) -> Result<(), StoreError> {
        let mut entries: Vec<Entry<'_>> = Vec::new();
        {
            let index = sync::read(&self.shared.index);
            let mut seen = BTreeSet::new();
            for write in batch {
                if let Write::Contribution { study, id, bytes } = write
                    && index.get(study, id).is_none()
                    && seen.insert((study, id))
                {
                    entries.push((*study, *id, bytes));
                }
            }
        }
        self.log.append(&entries, &self.shared.index)
    }

    fn write_columns(&mut self, batch: &[Write]) -> Result<(), StoreError> {
        let disk = self.shared.disk.as_ref();
        for write in batch {
            match write {
                Write::ColumnsAppend { study, generation, column, bytes } => {
                    self.builder.append(disk, (*study, *generation), *column, bytes)?;
                }
                Write::ColumnsFinish { study, generation, columns } => {
                    let key = (*study, *generation);
                    self.builder.finish(disk, key, *columns)?;
                    sync::write(&self.shared.finished).entry(key).or_default();
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn write_control(&mut self, batch: &[Write]) -> Result<(), StoreError> {
        let changes: Vec<Change<'_>> = batch
            .iter()
            .filter_map(|write| match write {
                Write::Control { key, value } => Some((key.as_slice(), Some(value.as_slice()))),
                Write::ControlRemove { key } => Some((key.as_slice(), None)),
                _ => None,
            })
            .collect();
        if changes.is_empty() { Ok(()) } else { self.shared.control.commit(&changes, self.log.end()) }
    }

    fn remove_abandoned(&mut self, batch: &[Write]) -> Result<(), StoreError> {
        let disk = self.shared.disk.as_ref();
        for write in batch {
            if let Write::ColumnsAbandon { study, generation } = write {
                let key = (*study, *generation);
                self.builder.abandon(disk, &key)?;
                if sync::write(&self.shared.finished).remove(&key).is_some() {
                    builder::remove_finished(disk, &key)?;
                }
            }
        }
        Ok(())
    }
}
