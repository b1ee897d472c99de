//! Builder: generations of columns that are not finished, and the change from unfinished to finished.
//!
//! A generation is one file, written under a name that recovery removes and renamed when it is complete and synced:
//! its columns become visible together or not at all.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use quorate_hash::Digest;

use super::layout::{Extent, HEADER_BYTES, footer, header};
use crate::{Disk, DiskFile, Refusal, StoreError, Write};

pub(crate) const DIR: &str = "columns";
const FINISHED: &str = ".columns";
const BUILDING: &str = ".building";

/// A study and an attempt to build its columns.
pub(crate) type Key = (Digest, Digest);

/// Generations that are being built.
#[derive(Default)]
pub(crate) struct Builder {
    building: BTreeMap<Key, Building>,
}

struct Building {
    name: String,
    file: Arc<dyn DiskFile>,
    end: u64,
    /// One more than the highest column that was appended to.
    count: u32,
    columns: Vec<Vec<Extent>>,
}

/// What a batch has done to a generation so far, while it is checked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Absent,
    /// With this many columns.
    Building(u32),
    Finished,
    Abandoned,
}

impl Builder {
    /// Finds finished generations and forgets unfinished ones; how many of those there were.
    pub(crate) fn recover(disk: &dyn Disk) -> Result<(BTreeSet<Key>, u64), StoreError> {
        let mut finished = BTreeSet::new();
        let mut unfinished = 0;
        for name in disk.list(DIR).map_err(StoreError::io(DIR, "list"))? {
            if name.ends_with(BUILDING) {
                let name = format!("{DIR}/{name}");
                disk.remove(&name).map_err(StoreError::io(&name, "remove"))?;
                unfinished += 1;
            } else if let Some(key) = parse_name(&name) {
                finished.insert(key);
            }
        }
        // What is visible now must stay so: the last rename may not have been synced.
        disk.sync_dir(DIR).map_err(StoreError::io(DIR, "sync"))?;
        Ok((finished, unfinished))
    }

    /// Refuses a batch whose column writes make no sense in their order.
    pub(crate) fn check(&self, batch: &[Write], finished: impl Fn(&Key) -> bool) -> Result<(), Refusal> {
        let mut states = BTreeMap::new();
        for write in batch {
            let Some(key) = key(write) else { continue };
            let state = states.entry(key).or_insert_with(|| match self.building.get(&key) {
                Some(building) => State::Building(building.count),
                None if finished(&key) => State::Finished,
                None => State::Absent,
            });
            *state = state.after(write, key.1)?;
        }
        Ok(())
    }

    /// Appends a chunk to a column, beginning the generation if need be.
    pub(crate) fn append(
        &mut self,
        disk: &dyn Disk,
        key: Key,
        column: u32,
        bytes: &[u8],
    ) -> Result<(), StoreError> {
        let building = match self.building.entry(key) {
            std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::btree_map::Entry::Vacant(entry) => entry.insert(Building::begin(disk, &key)?),
        };
        building.count = building.count.max(column + 1);
        building.append(column as usize, bytes)
    }

    /// Makes a generation durable and visible.
    pub(crate) fn finish(&mut self, disk: &dyn Disk, key: Key, columns: u32) -> Result<(), StoreError> {
        let Some(mut building) = self.building.remove(&key) else { return Ok(()) };
        building.columns.resize(columns as usize, Vec::new());
        let Building { name, file, end, columns: extents, .. } = building;
        file.write_at(end, &footer(&extents, columns, end)).map_err(StoreError::io(&name, "append to"))?;
        file.sync().map_err(StoreError::io(&name, "sync"))?;
        disk.rename(&name, &finished_name(&key)).map_err(StoreError::io(&name, "rename"))?;
        disk.sync_dir(DIR).map_err(StoreError::io(DIR, "sync"))
    }

    /// Removes the file of an unfinished generation, if there is one.
    pub(crate) fn abandon(&mut self, disk: &dyn Disk, key: &Key) -> Result<(), StoreError> {
        match self.building.remove(key) {
            Some(Building { name, .. }) => disk.remove(&name).map_err(StoreError::io(&name, "remove")),
            None => Ok(()),
        }
    }
}

/// Removes the file of a finished generation.
pub(crate) fn remove_finished(disk: &dyn Disk, key: &Key) -> Result<(), StoreError> {
    let name = finished_name(key);
    disk.remove(&name).map_err(StoreError::io(&name, "remove"))?;
    disk.sync_dir(DIR).map_err(StoreError::io(DIR, "sync"))
}

pub(crate) fn finished_name((study, generation): &Key) -> String {
    format!("{DIR}/{study}-{generation}{FINISHED}")
}

fn parse_name(name: &str) -> Option<Key> {
    let (study, generation) = name.strip_suffix(FINISHED)?.split_once('-')?;
    Some((study.parse().ok()?, generation.parse().ok()?))
}

/// The generation that a write is about.
fn key(write: &Write) -> Option<Key> {
    match write {
        Write::ColumnsAppend { study, generation, .. }
        | Write::ColumnsFinish { study, generation, .. }
        | Write::ColumnsAbandon { study, generation } => Some((*study, *generation)),
        Write::Contribution { .. } | Write::Control { .. } | Write::ControlRemove { .. } => None,
    }
}

impl State {
    fn after(self, write: &Write, generation: Digest) -> Result<State, Refusal> {
        match (self, write) {
            (State::Absent, Write::ColumnsAppend { column, .. }) => Ok(State::Building(column + 1)),
            (State::Building(known), Write::ColumnsAppend { column, .. }) => {
                Ok(State::Building(known.max(column + 1)))
            }
            (_, Write::ColumnsAppend { .. }) => Err(Refusal::Closed(generation)),
            (State::Building(known), Write::ColumnsFinish { columns, .. }) if known > *columns => {
                Err(Refusal::Column { column: known - 1, columns: *columns })
            }
            (State::Building(_) | State::Finished, Write::ColumnsFinish { .. }) => Ok(State::Finished),
            (_, Write::ColumnsFinish { .. }) => Err(Refusal::NotBuilding(generation)),
            (_, Write::ColumnsAbandon { .. }) => Ok(State::Abandoned),
            (state, _) => Ok(state),
        }
    }
}

impl Building {
    fn begin(disk: &dyn Disk, key: &Key) -> Result<Building, StoreError> {
        let (study, generation) = key;
        let name = format!("{DIR}/{study}-{generation}{BUILDING}");
        let file = disk.create(&name).map_err(StoreError::io(&name, "create"))?;
        file.write_at(0, &header(study, generation)).map_err(StoreError::io(&name, "append to"))?;
        Ok(Building { name, file, end: HEADER_BYTES as u64, count: 0, columns: Vec::new() })
    }

    fn append(&mut self, column: usize, bytes: &[u8]) -> Result<(), StoreError> {
        self.file.write_at(self.end, bytes).map_err(StoreError::io(&self.name, "append to"))?;
        if self.columns.len() <= column {
            self.columns.resize(column + 1, Vec::new());
        }
        let extents = &mut self.columns[column];
        match extents.last_mut() {
            Some(last) if last.offset + last.bytes == self.end => {
                last.bytes += bytes.len() as u64;
                last.checksum = crc32c::crc32c_append(last.checksum, bytes);
            }
            _ if bytes.is_empty() => {}
            _ => extents.push(Extent {
                offset: self.end,
                bytes: bytes.len() as u64,
                checksum: crc32c::crc32c(bytes),
            }),
        }
        self.end += bytes.len() as u64;
        Ok(())
    }
}
