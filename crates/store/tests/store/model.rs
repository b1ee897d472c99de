//! Model: what a store must hold after the batches it was given, and may hold of one that was interrupted.

use std::collections::{BTreeMap, BTreeSet};

use quorate_hash::Digest;
use quorate_store::{Disk, Limits, Reader, Recovery, Store, StoreError, Write};

/// Segments of a few batches, so that traces of a few commits roll.
pub(crate) const SMALL: Limits = Limits {
    segment_bytes: 4096,
    contribution_bytes: 1 << 20,
    control_key_bytes: 64,
    control_value_bytes: 1 << 20,
    columns: 64,
    control_cache_bytes: 1 << 20,
};

pub(crate) type Key = (Digest, Digest);

/// What is known to be durable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Model {
    pub(crate) contributions: BTreeMap<Key, Vec<u8>>,
    pub(crate) control: BTreeMap<Vec<u8>, Vec<u8>>,
    pub(crate) finished: BTreeMap<Key, Vec<Vec<u8>>>,
    pub(crate) building: BTreeMap<Key, Vec<Vec<u8>>>,
}

impl Model {
    pub(crate) fn apply(&mut self, batch: &[Write]) {
        for write in batch.iter().cloned() {
            match write {
                Write::Contribution { study, id, bytes } => {
                    self.contributions.entry((study, id)).or_insert(bytes.to_vec());
                }
                Write::Control { key, value } => drop(self.control.insert(key, value)),
                Write::ControlRemove { key } => drop(self.control.remove(&key)),
                Write::ColumnsAppend { study, generation, column, bytes } => {
                    let columns = self.building.entry((study, generation)).or_default();
                    let least = columns.len().max(column as usize + 1);
                    columns.resize(least, Vec::new());
                    columns[column as usize].extend(bytes);
                }
                Write::ColumnsFinish { study, generation, columns } => {
                    if let Some(mut built) = self.building.remove(&(study, generation)) {
                        built.resize(columns as usize, Vec::new());
                        self.finished.insert((study, generation), built);
                    }
                }
                Write::ColumnsAbandon { study, generation } => {
                    self.building.remove(&(study, generation));
                    self.finished.remove(&(study, generation));
                }
            }
        }
    }

    /// Everything that a reader shows of the studies in use.
    pub(crate) fn observe(reader: &Reader) -> Model {
        let mut seen = Model::default();
        for study in studies() {
            let ids = reader.ids(&study);
            assert_eq!(reader.count(&study), ids.len() as u64);
            assert!(ids.is_sorted() && ids.iter().all(|id| reader.contains(&study, id)));
            for (id, bytes) in ids.iter().zip(reader.contributions(&study, &ids).unwrap()) {
                seen.contributions.insert((study, *id), bytes);
            }
            for generation in reader.generations(&study) {
                let columns = reader.columns(&study, &generation).unwrap().unwrap();
                let read = |column| {
                    let mut bytes = vec![0; columns.len_bytes(column) as usize];
                    columns.read(column, 0, &mut bytes).unwrap();
                    bytes
                };
                seen.finished.insert((study, generation), (0..columns.count()).map(read).collect());
            }
        }
        seen.control = reader.control_prefix(b"").unwrap().into_iter().collect();
        seen
    }

    /// Asserts that `seen` is this model with a prefix, in the order promised, of the interrupted batch.
    pub(crate) fn check(&self, seen: &Model, interrupted: &[Write], context: &dyn std::fmt::Debug) {
        let mut stages = vec![self.clone()];
        for stage in 0..4 {
            let now = |write: &&Write| stage == stage_of(write);
            let writes: Vec<Write> = interrupted.iter().filter(now).cloned().collect();
            // Contributions that do not fit one segment, and columns, come one by one; control records do not.
            let steps = if stage == 2 { vec![&writes[..]] } else { writes.chunks(1).collect() };
            for step in steps {
                let mut next = stages[stages.len() - 1].clone();
                next.apply(step);
                stages.push(next);
            }
        }
        let seen = seen.without_building();
        assert!(
            stages.iter().any(|stage| stage.without_building() == seen),
            "{context:?}: after {interrupted:?} expected one of {stages:?}\nbut found {seen:?}"
        );
    }

    pub(crate) fn without_building(&self) -> Model {
        Model { building: BTreeMap::new(), ..self.clone() }
    }
}

fn stage_of(write: &Write) -> usize {
    match write {
        Write::Contribution { .. } => 0,
        Write::ColumnsAppend { .. } | Write::ColumnsFinish { .. } => 1,
        Write::Control { .. } | Write::ControlRemove { .. } => 2,
        Write::ColumnsAbandon { .. } => 3,
    }
}

pub(crate) fn studies() -> [Digest; 2] {
    [Digest([0x51; 32]), Digest([0x52; 32])]
}

pub(crate) fn open(disk: &(impl Disk + Clone)) -> Result<(Store, Recovery), StoreError> {
    Store::open(disk.clone(), SMALL)
}

pub(crate) fn contribution(study: usize, id: u8, length: usize) -> Write {
    let bytes = (0..length).map(|i| (i as u8).wrapping_mul(31) ^ id).collect();
    Write::Contribution { study: studies()[study], id: Digest([id; 32]), bytes }
}

pub(crate) fn control(key: &str, value: &[u8]) -> Write {
    Write::Control { key: key.into(), value: value.to_vec() }
}

pub(crate) fn append(study: usize, generation: u8, column: u32, bytes: &[u8]) -> Write {
    let (study, generation) = (studies()[study], Digest([generation; 32]));
    Write::ColumnsAppend { study, generation, column, bytes: bytes.to_vec() }
}

pub(crate) fn finish(study: usize, generation: u8, columns: u32) -> Write {
    Write::ColumnsFinish { study: studies()[study], generation: Digest([generation; 32]), columns }
}

pub(crate) fn abandon(study: usize, generation: u8) -> Write {
    Write::ColumnsAbandon { study: studies()[study], generation: Digest([generation; 32]) }
}

/// A trace that uses every kind of write and rolls segments.
pub(crate) fn short_trace() -> Vec<Vec<Write>> {
    vec![
        (0..4).map(|id| contribution(0, id, 200)).collect(),
        vec![contribution(0, 4, 1500), contribution(1, 4, 0), control("receipt/4", b"kept")],
        vec![append(0, 1, 0, &[1; 700]), append(0, 1, 1, &[2; 300]), append(0, 2, 0, &[9; 10])],
        vec![append(0, 1, 0, &[3; 700]), contribution(0, 5, 900), contribution(0, 0, 200)],
        vec![append(0, 1, 2, &[4; 40]), finish(0, 1, 4), control("sealed", b"1"), abandon(0, 2)],
        vec![control("receipt/4", b"changed"), Write::ControlRemove { key: b"sealed".to_vec() }],
        vec![append(0, 3, 0, &[5; 64]), finish(0, 3, 1), control("sealed", b"3"), abandon(0, 1)],
        vec![contribution(1, 6, 6000), contribution(0, 7, 100)],
    ]
}

/// Random batches that make sense: the generator knows which generations are open.
pub(crate) struct Generator {
    state: u64,
    closed: BTreeSet<(usize, u8)>,
    next_generation: u8,
}

impl Generator {
    pub(crate) fn new(seed: u64) -> Self {
        Generator { state: seed.wrapping_mul(2).wrapping_add(1), closed: BTreeSet::new(), next_generation: 1 }
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        // L'Ecuyer's 64-bit linear congruence, high bits: enough to vary traces.
        self.state =
            self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.state >> 33) % bound
    }

    pub(crate) fn batch(&mut self, model: &Model) -> Vec<Write> {
        let mut batch = Vec::new();
        let mut after = model.clone();
        for _ in 0..=self.below(5) {
            let write = self.write(&after);
            let generation = match &write {
                Write::ColumnsFinish { study, generation, .. }
                | Write::ColumnsAbandon { study, generation } => Some((*study, *generation)),
                _ => None,
            };
            if let Some((study, generation)) = generation {
                self.closed.insert((usize::from(study == studies()[1]), generation.0[0]));
            }
            after.apply(std::slice::from_ref(&write));
            batch.push(write);
        }
        batch
    }

    fn write(&mut self, model: &Model) -> Write {
        let study = self.below(2) as usize;
        match self.below(10) {
            0..=3 => {
                let (id, length) = (self.below(200) as u8, self.below(1200) as usize);
                contribution(study, id, length / (1 + self.below(8) as usize))
            }
            4 | 5 => {
                let (key, length) = (self.below(12), self.below(3000));
                control(&format!("key/{key}"), &vec![self.below(256) as u8; length as usize])
            }
            6 => Write::ControlRemove { key: format!("key/{}", self.below(12)).into_bytes() },
            7 | 8 => self.build(study, model),
            _ => abandon(study, self.below(u64::from(self.next_generation)) as u8),
        }
    }

    fn build(&mut self, study: usize, model: &Model) -> Write {
        let open = model.building.iter().find(|((of, generation), _)| {
            *of == studies()[study] && !self.closed.contains(&(study, generation.0[0]))
        });
        match open {
            Some(((_, generation), columns)) if self.below(3) == 0 => {
                finish(study, generation.0[0], (columns.len() as u64 + self.below(2)) as u32)
            }
            Some(((_, generation), _)) => self.chunk(study, generation.0[0]),
            None => {
                self.next_generation += 1;
                self.chunk(study, self.next_generation)
            }
        }
    }

    fn chunk(&mut self, study: usize, generation: u8) -> Write {
        let (column, length) = (self.below(3) as u32, self.below(900) as usize);
        append(study, generation, column, &vec![self.below(256) as u8; length])
    }
}
