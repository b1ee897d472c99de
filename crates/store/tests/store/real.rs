//! Real files: the same rules, and the cost that group commits are planned with.

use std::os::unix::fs::PermissionsExt;

use quorate_hash::Digest;
use quorate_store::{Limits, OsDisk, Store, StoreError, Write};

use super::model::{Model, SMALL, short_trace, studies};

#[test]
fn short_trace_round_trips() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("store");
    let disk = OsDisk::new(&root).unwrap();
    let mut model = Model::default();
    for batch in short_trace() {
        let (mut store, recovery) = Store::open(disk.clone(), SMALL).unwrap();
        assert_eq!(recovery.torn, None);
        assert!(matches!(Store::open(disk.clone(), SMALL), Err(StoreError::Busy)));
        // Unfinished columns are forgotten at every start: append them again.
        let lost: Vec<Write> =
            short_trace().concat().into_iter().take_while(|write| *write != batch[0]).collect();
        let lost: Vec<Write> =
            lost.into_iter().filter(|write| is_append_to_unfinished(write, &model)).collect();
        store.commit(&lost).unwrap();
        store.commit(&batch).unwrap();
        model.apply(&batch);
        assert_eq!(Model::observe(&store.reader()), model.without_building());
    }
    for dir in ["", "contributions", "columns"] {
        for entry in std::fs::read_dir(root.join(dir)).unwrap() {
            let mode = entry.unwrap().metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0, "shares are for this user only");
        }
    }
}

fn is_append_to_unfinished(write: &Write, model: &Model) -> bool {
    match write {
        Write::ColumnsAppend { study, generation, .. } => model.building.contains_key(&(*study, *generation)),
        _ => false,
    }
}

#[test]
fn sixty_thousand_contributions_are_found_again() {
    const BATCH: u32 = 500;
    const COUNT: u32 = 60_000;
    let dir = tempfile::tempdir().unwrap();
    let disk = OsDisk::new(dir.path()).unwrap();
    let (mut store, _) = Store::open(disk.clone(), Limits::default()).unwrap();
    let started = std::time::Instant::now();
    for batch in 0..COUNT / BATCH {
        let numbers = batch * BATCH..(batch + 1) * BATCH;
        store.commit(&numbers.map(|number| numbered(number, 220)).collect::<Vec<_>>()).unwrap();
    }
    let written = started.elapsed();
    store.close().unwrap();

    let started = std::time::Instant::now();
    let (store, recovery) = Store::open(disk, Limits::default()).unwrap();
    let opened = started.elapsed();
    assert_eq!((recovery.contributions, recovery.torn), (u64::from(COUNT), None));
    let reader = store.reader();
    let ids = reader.ids(&studies()[0]);
    let started = std::time::Instant::now();
    let read = reader.contributions(&studies()[0], &ids).unwrap();
    println!("written {written:?}, opened {opened:?}, read {:?}", started.elapsed());
    assert_eq!((ids.len(), read.len()), (COUNT as usize, COUNT as usize));
    for (id, bytes) in ids.iter().zip(read) {
        assert_eq!(bytes, id.0.repeat(7)[..220]);
    }
}

fn numbered(number: u32, length: usize) -> Write {
    let id = Digest(std::array::from_fn(|i| (number.wrapping_mul(2_654_435_761) >> (i % 4 * 8)) as u8));
    Write::Contribution { study: studies()[0], id, bytes: id.0.repeat(7)[..length].to_vec().into() }
}
