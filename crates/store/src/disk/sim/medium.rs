//! Medium of a simulated disk: what the page cache shows, what is durable, and what lies between.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use super::content::{Content, FileChange, SplitMix64};
use super::{Fate, Fault};

/// The state behind every clone of a [`SimDisk`](super::SimDisk).
#[derive(Clone, Debug)]
pub(super) struct Medium {
    random: SplitMix64,
    /// The running process; handles of earlier ones are dead.
    process: u64,
    locked_by: Option<u64>,
    stopped: bool,
    fault: Option<Fault>,
    steps: u64,
    syncs: u64,
    inodes: Vec<Content>,
    shown: Names,
    durable: Names,
    unsynced: Vec<DirChange>,
}

/// Directories and, by full name, files.
#[derive(Clone, Debug, Default)]
struct Names {
    dirs: Vec<String>,
    files: BTreeMap<String, usize>,
}

#[derive(Clone, Debug)]
enum DirChange {
    CreateDir(String),
    Create { name: String, inode: usize },
    Rename { from: String, to: String, inode: usize },
    Remove { name: String, inode: usize },
}

impl Medium {
    pub(super) fn new(seed: u64) -> Self {
        Medium {
            random: SplitMix64(seed),
            process: 0,
            locked_by: None,
            stopped: false,
            fault: None,
            steps: 0,
            syncs: 0,
            inodes: Vec::new(),
            shown: Names::default(),
            durable: Names::default(),
            unsynced: Vec::new(),
        }
    }

    pub(super) fn image(&self) -> Self {
        Medium { locked_by: None, stopped: false, fault: None, process: self.process + 1, ..self.clone() }
    }

    // --- failures -------------------------------------------------------------------------------------------------

    pub(super) fn kill(&mut self) {
        self.process += 1;
        self.locked_by = None;
        self.stopped = false;
        self.fault = None;
    }

    pub(super) fn crash(&mut self, fate: Fate) {
        self.kill();
        for change in std::mem::take(&mut self.unsynced) {
            if self.random.survives(fate) {
                self.durable.apply(&change);
            }
        }
        let Names { dirs, files } = &mut self.durable;
        files.retain(|name, _| dirs.iter().any(|dir| dir == directory(name)) || directory(name).is_empty());
        self.shown = self.durable.clone();
        let named: BTreeSet<usize> = self.durable.files.values().copied().collect();
        for (number, inode) in self.inodes.iter_mut().enumerate() {
            inode.crash(fate, &mut self.random);
            if !named.contains(&number) {
                *inode = Content::default(); // no name, no handle: nobody can ever read it
            }
        }
    }

    pub(super) fn fail(&mut self, fault: Option<Fault>) {
        self.fault = fault;
    }

    pub(super) fn steps(&self) -> u64 {
        self.steps
    }

    pub(super) fn syncs(&self) -> u64 {
        self.syncs
    }

    pub(super) fn corrupt(&mut self, name: &str, offset: u64, mask: u8) -> bool {
        let Some(&inode) = self.shown.files.get(name) else { return false };
        let Some(inode) = self.inodes.get_mut(inode) else { return false };
        let Ok(offset) = usize::try_from(offset) else { return false };
        inode.corrupt(offset, mask)
    }

    /// Refuses operations on handles of a dead process.
    pub(super) fn live(&mut self, process: u64) -> io::Result<&mut Self> {
        if process == self.process { Ok(self) } else { Err(stopped()) }
    }

    fn running(&self) -> io::Result<()> {
        if self.stopped { Err(stopped()) } else { Ok(()) }
    }

    /// Counts a change or sync; fails if the machine stops here.
    fn step(&mut self) -> io::Result<()> {
        self.running()?;
        if let Some(Fault::StopAtStep(left)) = &mut self.fault {
            *left = left.saturating_sub(1);
            if *left == 0 {
                self.stopped = true;
                return Err(stopped());
            }
        }
        self.steps += 1;
        Ok(())
    }

    /// Counts a sync; the error it must fail with, if this is the one.
    fn step_sync(&mut self) -> io::Result<Option<io::Error>> {
        self.step()?;
        self.syncs += 1;
        if let Some(Fault::Sync(left, kind)) = &mut self.fault {
            *left = left.saturating_sub(1);
            if *left == 0 {
                let error = io::Error::new(*kind, "simulated failure of a sync");
                self.fault = None;
                return Ok(Some(error));
            }
        }
        Ok(None)
    }

    fn step_write(&mut self) -> io::Result<Option<io::Error>> {
        self.step()?;
        if let Some(Fault::Write(left, kind)) = &mut self.fault {
            *left = left.saturating_sub(1);
            if *left == 0 {
                let error = io::Error::new(*kind, "simulated failure of a write");
                self.fault = None;
                return Ok(Some(error));
            }
        }
        Ok(None)
    }

    // --- lock and directories -------------------------------------------------------------------------------------

    pub(super) fn lock(&mut self) -> io::Result<Option<u64>> {
        self.running()?;
        if self.locked_by.is_some() {
            return Ok(None);
        }
        self.locked_by = Some(self.process);
        Ok(self.locked_by)
    }

    pub(super) fn unlock(&mut self, process: u64) {
        if self.locked_by == Some(process) {
            self.locked_by = None;
        }
    }

    pub(super) fn create_dir(&mut self, dir: &str) -> io::Result<()> {
        if self.shown.dirs.iter().any(|known| known == dir) {
            return self.running();
        }
        self.step()?;
        self.change_names(DirChange::CreateDir(dir.to_owned()));
        Ok(())
    }

    pub(super) fn list(&self, dir: &str) -> io::Result<Vec<String>> {
        self.running()?;
        self.known_dir(dir)?;
        let in_dir = self.shown.files.keys().filter(|name| directory(name) == dir);
        Ok(in_dir.map(|name| name.rsplit('/').next().unwrap_or(name).to_owned()).collect())
    }

    pub(super) fn create(&mut self, name: &str) -> io::Result<(usize, u64)> {
        self.step()?;
        self.known_dir(directory(name))?;
        if self.shown.files.contains_key(name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let inode = self.inodes.len();
        self.inodes.push(Content::default());
        self.change_names(DirChange::Create { name: name.to_owned(), inode });
        Ok((inode, self.process))
    }

    pub(super) fn open(&mut self, name: &str) -> io::Result<(usize, u64)> {
        self.running()?;
        Ok((self.inode(name)?, self.process))
    }

    pub(super) fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        self.step()?;
        assert_eq!(directory(from), directory(to), "files stay in their directory");
        let inode = self.inode(from)?;
        self.change_names(DirChange::Rename { from: from.to_owned(), to: to.to_owned(), inode });
        Ok(())
    }

    pub(super) fn remove(&mut self, name: &str) -> io::Result<()> {
        self.step()?;
        let inode = self.inode(name)?;
        self.change_names(DirChange::Remove { name: name.to_owned(), inode });
        Ok(())
    }

    pub(super) fn sync_dir(&mut self, dir: &str) -> io::Result<()> {
        let failure = self.step_sync()?;
        self.known_dir(dir)?;
        if let Some(error) = failure {
            return Err(error); // names live in a journal: what it holds is written later, or never
        }
        let (now, later) =
            std::mem::take(&mut self.unsynced).into_iter().partition(|change| change.directory() == dir);
        self.unsynced = later;
        let now: Vec<DirChange> = now;
        now.iter().for_each(|change| self.durable.apply(change));
        Ok(())
    }

    fn change_names(&mut self, change: DirChange) {
        self.shown.apply(&change);
        self.unsynced.push(change);
    }

    fn inode(&self, name: &str) -> io::Result<usize> {
        self.shown.files.get(name).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn known_dir(&self, dir: &str) -> io::Result<()> {
        if dir.is_empty() || self.shown.dirs.iter().any(|known| known == dir) {
            Ok(())
        } else {
            Err(io::ErrorKind::NotFound.into())
        }
    }

    // --- files ----------------------------------------------------------------------------------------------------

    pub(super) fn read_at(&self, inode: usize, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.running()?;
        let content = &self.inodes[inode].shown();
        let start = to_usize(offset)?;
        let end = start.checked_add(out.len()).filter(|end| *end <= content.len());
        out.copy_from_slice(&content[start..end.ok_or(io::ErrorKind::UnexpectedEof)?]);
        Ok(())
    }

    pub(super) fn write_at(&mut self, inode: usize, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let failure = self.step_write()?;
        let written = if failure.is_some() { self.random.below(bytes.len() + 1) } else { bytes.len() };
        let change = FileChange::Write { offset: to_usize(offset)?, bytes: bytes[..written].to_vec() };
        self.inodes[inode].change(change);
        failure.map_or(Ok(()), Err)
    }

    pub(super) fn set_len(&mut self, inode: usize, bytes: u64) -> io::Result<()> {
        self.step()?;
        self.inodes[inode].change(FileChange::SetLen(to_usize(bytes)?));
        Ok(())
    }

    pub(super) fn len(&self, inode: usize) -> io::Result<u64> {
        self.running()?;
        Ok(self.inodes[inode].shown().len() as u64)
    }

    pub(super) fn sync(&mut self, inode: usize) -> io::Result<()> {
        let failure = self.step_sync()?;
        let fate = if failure.is_some() { Fate::Tear } else { Fate::Keep };
        self.inodes[inode].settle(fate, &mut self.random);
        failure.map_or(Ok(()), Err)
    }
}

impl Names {
    fn apply(&mut self, change: &DirChange) {
        match change {
            DirChange::CreateDir(dir) => {
                if !self.dirs.contains(dir) {
                    self.dirs.push(dir.clone());
                }
            }
            DirChange::Create { name, inode } => {
                self.files.insert(name.clone(), *inode);
            }
            DirChange::Rename { from, to, inode } => {
                if self.files.get(from) == Some(inode) {
                    self.files.remove(from);
                }
                self.files.insert(to.clone(), *inode);
            }
            DirChange::Remove { name, inode } => {
                if self.files.get(name) == Some(inode) {
                    self.files.remove(name);
                }
            }
        }
    }
}

impl DirChange {
    fn directory(&self) -> &str {
        match self {
            DirChange::CreateDir(_) => "",
            DirChange::Create { name, .. } | DirChange::Remove { name, .. } => directory(name),
            DirChange::Rename { to, .. } => directory(to),
        }
    }
}

fn directory(name: &str) -> &str {
    name.rsplit_once('/').map_or("", |(dir, _)| dir)
}

fn to_usize(bytes: u64) -> io::Result<usize> {
    usize::try_from(bytes).map_err(|_| io::ErrorKind::FileTooLarge.into())
}

fn stopped() -> io::Error {
    io::Error::other("the simulated machine has stopped")
}
