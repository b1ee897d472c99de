//! Disk: the few file operations that the store is built from, and what each promises after a crash.
//!
//! Names are relative to the root of the store and at most one directory deep (`contributions/00000001.log`).
//! Two implementations: [`OsDisk`] on real files, and [`SimDisk`] in memory, which loses and tears exactly what these
//! promises allow it to. After Pillai et al., "All file systems are not created equal", OSDI 2014: nothing is
//! durable, and nothing is ordered, unless a sync says so.

use std::io;
use std::sync::Arc;

mod os;
mod sim;

pub use os::OsDisk;
pub use sim::{Fate, Fault, SimDisk};

/// A directory of files. All methods may be called from several threads.
pub trait Disk: Send + Sync + 'static {
    /// Takes the store for this process until the guard is dropped; `None` if somebody else has it.
    fn lock(&self) -> io::Result<Option<Box<dyn Send + Sync>>>;

    /// Makes a directory, unless it exists. Durable after [`sync_dir`](Self::sync_dir) of the root (`""`).
    fn create_dir(&self, dir: &str) -> io::Result<()>;

    /// The names of the files in a directory (`""` is the root), sorted, without the directory's own name.
    fn list(&self, dir: &str) -> io::Result<Vec<String>>;

    /// Makes an empty file, which must not exist. Durable after [`sync_dir`](Self::sync_dir).
    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>>;

    /// Opens a file for reading and writing.
    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>>;

    /// Renames a file within its directory, replacing the target. After a crash before
    /// [`sync_dir`](Self::sync_dir), the target is the old file or the new one.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Unlinks a file. Open handles of it stay readable.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Makes what was created, renamed and removed in a directory durable.
    fn sync_dir(&self, dir: &str) -> io::Result<()>;
}

/// An open file. Positioned reads and writes only, so that handles have no state to race on.
///
/// Unsynced writes may be lost, in any order, or torn; a failed [`sync`](Self::sync) leaves them lost for good
/// although they can still be read (Rebello et al., "Can applications recover from fsync failures?", ATC 2020).
/// Bytes outside a written range are never changed by it.
pub trait DiskFile: Send + Sync + 'static {
    /// Fills `out` from `offset`; an error if the file ends before that.
    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()>;

    /// Writes all of `bytes` at `offset`, growing the file if needed.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Makes the file's bytes and length durable.
    fn sync(&self) -> io::Result<()>;

    /// Length in bytes.
    fn len(&self) -> io::Result<u64>;

    /// Whether the file has no bytes.
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Cuts the file, or extends it with zeros.
    fn set_len(&self, bytes: u64) -> io::Result<()>;
}
