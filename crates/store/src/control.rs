//! Control records: a `redb` database whose file lives on the store's own [`Disk`].
//!
//! Two-phase commit is on: the default single-phase one trusts a non-cryptographic checksum to tell a whole commit
//! from a torn one, and these bytes are influenced by whoever talks to the helper (redb, `docs/design.md`,
//! "Security of 1PC+C"). All checksums are verified when the database is opened.
//!
//! Beside the records it remembers how far the log is known to be durable ([`LogEnd`]), so that a log that ends
//! before that is recognised as damaged rather than torn.

use std::fmt;
use std::io;
use std::sync::Arc;

use redb::{Database, ReadableDatabase, StorageBackend, TableDefinition, TableError};

use crate::log::LogEnd;
use crate::reader::ControlRecord;
use crate::{Disk, DiskFile, StoreError};

const FILE: &str = "control.redb";
const FILE_NEW: &str = "control.redb.new";
const RECORDS: TableDefinition<'static, &[u8], &[u8]> = TableDefinition::new("records");
const STORE: TableDefinition<'static, &[u8], &[u8]> = TableDefinition::new("store");
const LOG_END: &[u8] = b"log end";

/// The open database.
pub(crate) struct Control {
    database: Database,
}

/// One change of a control record: its key, and its value unless it is removed.
pub(crate) type Change<'a> = (&'a [u8], Option<&'a [u8]>);

impl Control {
    /// Whether the database was ever made.
    pub(crate) fn exists(disk: &dyn Disk) -> Result<bool, StoreError> {
        let names = disk.list("").map_err(StoreError::io("", "list"))?;
        Ok(names.iter().any(|name| name == FILE))
    }

    /// Makes the database under another name first: half a database is never found under its own.
    pub(crate) fn create(disk: &dyn Disk, cache_bytes: usize) -> Result<(), StoreError> {
        let names = disk.list("").map_err(StoreError::io("", "list"))?;
        if names.iter().any(|name| name == FILE_NEW) {
            disk.remove(FILE_NEW).map_err(StoreError::io(FILE_NEW, "remove"))?;
        }
        let file = disk.create(FILE_NEW).map_err(StoreError::io(FILE_NEW, "create"))?;
        let control = Control::over(Arc::clone(&file), cache_bytes)?;
        control.commit(&[], LogEnd::default())?;
        drop(control); // writes once more
        file.sync().map_err(StoreError::io(FILE_NEW, "sync"))?;
        disk.rename(FILE_NEW, FILE).map_err(StoreError::io(FILE_NEW, "rename"))?;
        disk.sync_dir("").map_err(StoreError::io("", "sync"))
    }

    /// Opens the database, repairs it after a crash and verifies it.
    pub(crate) fn open(disk: &dyn Disk, cache_bytes: usize) -> Result<Control, StoreError> {
        let file = disk.open(FILE).map_err(StoreError::io(FILE, "open"))?;
        if file.is_empty().map_err(StoreError::io(FILE, "measure"))? {
            return Err(StoreError::corrupt(FILE, 0, "expected a database, found nothing"));
        }
        Control::over(file, cache_bytes)
    }

    fn over(file: Arc<dyn DiskFile>, cache_bytes: usize) -> Result<Control, StoreError> {
        let mut builder = Database::builder();
        builder.set_cache_size(cache_bytes).set_check_integrity_on_open(true);
        let database = builder.create_with_backend(Backend { file }).map_err(StoreError::control("open"))?;
        Ok(Control { database })
    }

    /// Applies all changes at once, durably.
    pub(crate) fn commit(&self, changes: &[Change<'_>], end: LogEnd) -> Result<(), StoreError> {
        let mut transaction = self.database.begin_write().map_err(StoreError::control("change"))?;
        transaction.set_two_phase_commit(true);
        {
            let mut records = transaction.open_table(RECORDS).map_err(StoreError::control("change"))?;
            for (key, value) in changes {
                match value {
                    Some(value) => records.insert(*key, *value),
                    None => records.remove(*key),
                }
                .map_err(StoreError::control("change"))?;
            }
            let mut store = transaction.open_table(STORE).map_err(StoreError::control("change"))?;
            store.insert(LOG_END, end.encode().as_slice()).map_err(StoreError::control("change"))?;
        }
        transaction.commit().map_err(StoreError::control("commit"))
    }

    /// How far the log was known to be durable at the last commit.
    pub(crate) fn log_end(&self) -> Result<LogEnd, StoreError> {
        let damaged = || StoreError::corrupt(FILE, 0, "expected to find how far the log goes");
        let transaction = self.database.begin_read().map_err(StoreError::control("read"))?;
        let store = match transaction.open_table(STORE) {
            Err(TableError::TableDoesNotExist(_)) => return Err(damaged()),
            table => table.map_err(StoreError::control("read"))?,
        };
        let end = store.get(LOG_END).map_err(StoreError::control("read"))?;
        end.and_then(|end| LogEnd::decode(end.value())).ok_or_else(damaged)
    }

    /// One record.
    pub(crate) fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let transaction = self.database.begin_read().map_err(StoreError::control("read"))?;
        let records = transaction.open_table(RECORDS).map_err(StoreError::control("read"))?;
        let value = records.get(key).map_err(StoreError::control("read"))?;
        Ok(value.map(|value| value.value().to_vec()))
    }

    /// The records whose keys start with `prefix`, in the order of their keys, as of one moment.
    pub(crate) fn with_prefix(&self, prefix: &[u8]) -> Result<Vec<ControlRecord>, StoreError> {
        let transaction = self.database.begin_read().map_err(StoreError::control("read"))?;
        let records = transaction.open_table(RECORDS).map_err(StoreError::control("read"))?;
        let mut found = Vec::new();
        for entry in records.range(prefix..).map_err(StoreError::control("read"))? {
            let (key, value) = entry.map_err(StoreError::control("read"))?;
            if !key.value().starts_with(prefix) {
                break;
            }
            found.push((key.value().to_vec(), value.value().to_vec()));
        }
        Ok(found)
    }
}

/// The database's file. It needs no lock of its own: the store as a whole is locked.
struct Backend {
    file: Arc<dyn DiskFile>,
}

impl StorageBackend for Backend {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read_at(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.file.sync()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.file.write_at(offset, data)
    }
}

impl fmt::Debug for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(FILE)
    }
}
