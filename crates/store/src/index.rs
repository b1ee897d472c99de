//! Index: where each contribution is, in memory.
//!
//! Sorted maps: ids are listed in order, nothing depends on a randomised hash, and ids chosen by an adversary cannot
//! collide. Less than 100 bytes per contribution.

use std::collections::BTreeMap;
use std::sync::Arc;

use quorate_hash::Digest;

use crate::DiskFile;

/// Where a contribution's record is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Location {
    /// Its segment, from 1.
    pub(crate) segment: u32,
    /// Where its record starts.
    pub(crate) offset: u32,
    /// Length of its content.
    pub(crate) bytes: u32,
}

/// All contributions, by study and id.
#[derive(Default)]
pub(crate) struct Index {
    studies: BTreeMap<Digest, BTreeMap<Digest, Location>>,
    segments: Vec<Segment>,
}

/// A segment of the log, open for reading.
#[derive(Clone)]
pub(crate) struct Segment {
    pub(crate) name: Arc<str>,
    pub(crate) file: Arc<dyn DiskFile>,
}

impl Index {
    /// The next segment.
    pub(crate) fn add_segment(&mut self, segment: Segment) {
        self.segments.push(segment);
    }

    /// A segment that was recovered, numbered from 1.
    pub(crate) fn segment(&self, number: u32) -> Option<&Segment> {
        self.segments.get(usize::try_from(number).ok()?.checked_sub(1)?)
    }

    /// Remembers where a contribution is, unless it is known already; whether it was new.
    pub(crate) fn insert(&mut self, study: Digest, id: Digest, location: Location) -> bool {
        match self.studies.entry(study).or_default().entry(id) {
            std::collections::btree_map::Entry::Vacant(entry) => {
                entry.insert(location);
                true
            }
            std::collections::btree_map::Entry::Occupied(_) => false,
        }
    }

    /// Where a contribution is.
    pub(crate) fn get(&self, study: &Digest, id: &Digest) -> Option<Location> {
        self.studies.get(study)?.get(id).copied()
    }

    /// How many contributions a study has.
    pub(crate) fn count(&self, study: &Digest) -> u64 {
        self.studies.get(study).map_or(0, |ids| ids.len() as u64)
    }

    /// The ids of a study's contributions, sorted.
    pub(crate) fn ids(&self, study: &Digest) -> Vec<Digest> {
        self.studies.get(study).map_or_else(Vec::new, |ids| ids.keys().copied().collect())
    }
}
