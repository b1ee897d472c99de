//! Disk in memory that loses and tears what was not synced, and fails when it is told to.
//!
//! Deterministic from its seed. What a power cut may do, and no more:
//! - an unsynced write is kept, lost or torn, each on its own, so later ones may survive earlier ones;
//! - a torn write leaves a prefix, or some of its 512-byte sectors; sectors that it covers whole, or that lie beyond
//!   the durable end of the file, may hold garbage instead; a sector it covers in part keeps its other bytes, and
//!   every byte of that part is the old or the new one ("powersafe overwrite", which `redb` relies on);
//! - an unsynced create, rename or remove is kept or lost, each on its own.
//!
//! A failed sync behaves as Linux does: what was dirty is now clean, so it can still be read, but no later sync will
//! write it. Not modelled: latent sector errors and misdirected writes (tests flip bytes with [`SimDisk::corrupt`]).

use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

mod content;
mod medium;

use super::{Disk, DiskFile};
use medium::Medium;

/// What a power cut does to what was not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// All of it is lost.
    Lose,
    /// All of it happens to have been written.
    Keep,
    /// Each operation is kept, lost or torn, as the seed decides.
    Tear,
}

/// A failure to come. Steps count from 1, from the moment the fault is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The machine stops just before the given change or sync of anything: that one and all later operations fail,
    /// until [`SimDisk::crash`] or [`SimDisk::kill`].
    StopAtStep(u64),
    /// The given sync (of a file or directory) fails, once.
    Sync(u64, io::ErrorKind),
    /// The given write fails, once, after an arbitrary part of it.
    Write(u64, io::ErrorKind),
}

/// A simulated disk. Clones are the same disk.
#[derive(Clone, Debug)]
pub struct SimDisk {
    medium: Arc<Mutex<Medium>>,
}

/// A handle of a file on a [`SimDisk`]; dead once the process that opened it is.
struct SimFile {
    disk: SimDisk,
    inode: usize,
    process: u64,
}

/// Holds the lock of the disk for one process.
struct SimLock {
    disk: SimDisk,
    process: u64,
}

impl SimDisk {
    /// An empty disk.
    pub fn new(seed: u64) -> Self {
        SimDisk { medium: Arc::new(Mutex::new(Medium::new(seed))) }
    }

    /// Cuts the power and restores it. Handles opened before are dead.
    pub fn crash(&self, fate: Fate) {
        self.medium().crash(fate);
    }

    /// Kills the process (`kill -9`): handles opened before are dead, but nothing written is lost.
    pub fn kill(&self) {
        self.medium().kill();
    }

    /// Arranges a failure, instead of the one arranged before.
    pub fn fail(&self, fault: Fault) {
        self.medium().fail(Some(fault));
    }

    /// Forgets the failure arranged, if it has not struck yet. Does not restart a stopped machine.
    pub fn heal(&self) {
        self.medium().fail(None);
    }

    /// How many changes and syncs there have been so far.
    pub fn steps(&self) -> u64 {
        self.medium().steps()
    }

    /// How many syncs there have been so far.
    pub fn syncs(&self) -> u64 {
        self.medium().syncs()
    }

    /// Flips bits of one durable byte, as a failing medium would; false if there is no such byte.
    pub fn corrupt(&self, name: &str, offset: u64, mask: u8) -> bool {
        self.medium().corrupt(name, offset, mask)
    }

    /// An independent copy, as a disk image would be: same content, same seed, no fault.
    pub fn image(&self) -> SimDisk {
        SimDisk { medium: Arc::new(Mutex::new(self.medium().image())) }
    }

    fn medium(&self) -> MutexGuard<'_, Medium> {
        // A panic elsewhere leaves a disk that is as good as after a crash.
        self.medium.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn file(&self, (inode, process): (usize, u64)) -> Arc<dyn DiskFile> {
        Arc::new(SimFile { disk: self.clone(), inode, process })
    }
}

impl Disk for SimDisk {
    fn lock(&self) -> io::Result<Option<Box<dyn Send + Sync>>> {
        let taken = self.medium().lock()?;
        Ok(taken.map(|process| Box::new(SimLock { disk: self.clone(), process }) as Box<dyn Send + Sync>))
    }

    fn create_dir(&self, dir: &str) -> io::Result<()> {
        self.medium().create_dir(dir)
    }

    fn list(&self, dir: &str) -> io::Result<Vec<String>> {
        self.medium().list(dir)
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let handle = self.medium().create(name)?;
        Ok(self.file(handle))
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let handle = self.medium().open(name)?;
        Ok(self.file(handle))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.medium().rename(from, to)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.medium().remove(name)
    }

    fn sync_dir(&self, dir: &str) -> io::Result<()> {
        self.medium().sync_dir(dir)
    }
}

impl DiskFile for SimFile {
    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.disk.medium().live(self.process)?.read_at(self.inode, offset, out)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.disk.medium().live(self.process)?.write_at(self.inode, offset, bytes)
    }

    fn sync(&self) -> io::Result<()> {
        self.disk.medium().live(self.process)?.sync(self.inode)
    }

    fn len(&self) -> io::Result<u64> {
        self.disk.medium().live(self.process)?.len(self.inode)
    }

    fn set_len(&self, bytes: u64) -> io::Result<()> {
        self.disk.medium().live(self.process)?.set_len(self.inode, bytes)
    }
}

impl Drop for SimLock {
    fn drop(&mut self) {
        self.disk.medium().unlock(self.process);
    }
}
