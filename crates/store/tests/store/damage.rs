//! Flipped bytes and missing files: detected and named, never accepted.

use quorate_store::{Disk, Fate, SimDisk, StoreError, Write};

use super::model::{Model, append, contribution, control, finish, open, short_trace, studies};

/// A disk with a closed store on it, and what the store held.
fn disk_with(trace: &[Vec<Write>], close: bool) -> (SimDisk, Model) {
    let disk = SimDisk::new(7);
    let (mut store, _) = open(&disk).unwrap();
    trace.iter().for_each(|batch| store.commit(batch).unwrap());
    let model = Model::observe(&store.reader());
    if close {
        store.close().unwrap();
    }
    disk.crash(Fate::Keep);
    (disk, model)
}

fn length(disk: &SimDisk, name: &str) -> u64 {
    disk.open(name).unwrap().len().unwrap()
}

#[test]
fn every_flipped_byte_of_a_vouched_log_is_named() {
    let (disk, _) = disk_with(&short_trace(), true);
    let segments = disk.list("contributions").unwrap();
    assert!(segments.len() >= 3, "{segments:?}");
    for name in segments.iter().map(|name| format!("contributions/{name}")) {
        for at in 0..length(&disk, &name) {
            let bad = disk.image();
            assert!(bad.corrupt(&name, at, 1 << (at % 8)));
            match open(&bad).map(|_| ()) {
                Err(StoreError::Corrupt { file, offset, .. }) => {
                    // A damaged link shows at the segment that hangs on it.
                    assert!(file >= name && (file > name || offset <= at), "{name}:{at}: {file}:{offset}");
                }
                other => panic!("{name}:{at}: {other:?}"),
            }
        }
    }
}

#[test]
fn every_flipped_byte_of_an_unvouched_log_is_named_or_cut_with_its_batch() {
    let trace: Vec<Vec<Write>> = (0..4).map(|id| vec![contribution(0, id, 300)]).collect();
    let (disk, model) = disk_with(&trace, false);
    let name = "contributions/00000001.log";
    let last_batch = length(&disk, name) - 512;
    for at in 0..length(&disk, name) {
        let bad = disk.image();
        assert!(bad.corrupt(name, at, 0x80));
        match open(&bad) {
            Err(StoreError::Corrupt { file, .. }) => assert!(file == name && at < last_batch, "{at}"),
            Ok((store, recovery)) => {
                assert!(at >= last_batch, "{at} was accepted");
                assert_eq!(recovery.torn.unwrap().offset, last_batch);
                let mut expected = model.clone();
                expected.contributions.pop_last();
                assert_eq!(Model::observe(&store.reader()), expected);
            }
            Err(error) => panic!("{at}: {error}"),
        }
    }
}

#[test]
fn a_start_vouches_for_the_log_it_found() {
    let (disk, _) = disk_with(&[vec![contribution(0, 1, 300)]], false);
    drop(open(&disk).unwrap());
    disk.crash(Fate::Lose);
    assert!(disk.corrupt("contributions/00000001.log", 600, 1));
    assert!(matches!(open(&disk), Err(StoreError::Corrupt { offset: 512, .. })));
}

#[test]
fn every_flipped_byte_of_columns_is_named() {
    let trace = [vec![append(0, 1, 0, &[1; 300]), append(0, 1, 1, &[2; 70]), append(0, 1, 0, &[3; 9])]];
    let (disk, _) = disk_with(&[trace.concat(), vec![finish(0, 1, 3)]].map(Vec::from), true);
    let (study, generation) = (studies()[0], quorate_hash::Digest([1; 32]));
    let name = format!("columns/{study}-{generation}.columns");
    for at in 0..length(&disk, &name) {
        let bad = disk.image();
        assert!(bad.corrupt(&name, at, 0x01));
        let (store, _) = open(&bad).unwrap();
        match store.reader().columns(&study, &generation) {
            Err(StoreError::Corrupt { file, offset, .. }) => {
                assert!(file == name && offset <= at, "{at}: {offset}")
            }
            other => panic!("{at}: {other:?}"),
        }
    }
}

#[test]
fn flipped_bytes_of_control_records_are_detected_or_beside_them() {
    let trace = vec![(0..20u8).map(|i| control(&format!("key/{i}"), &[i; 300])).collect()];
    let (disk, model) = disk_with(&trace, true);
    let name = "control.redb";
    // Every 97th byte: beyond the header most of the file is unused pages.
    let places = (0..512).chain((512..length(&disk, name)).step_by(97));
    let mut detected = 0;
    for at in places {
        let bad = disk.image();
        assert!(bad.corrupt(name, at, 0x20));
        match open(&bad) {
            Ok((store, _)) => assert_eq!(Model::observe(&store.reader()), model, "byte {at} was accepted"),
            Err(StoreError::Control { .. } | StoreError::Corrupt { .. }) => detected += 1,
            Err(error) => panic!("{at}: {error}"),
        }
    }
    assert!(detected > 30, "{detected}");
}

#[test]
fn missing_and_exchanged_files_are_named() {
    let (disk, _) = disk_with(&short_trace(), true);
    let segments = disk.list("contributions").unwrap();
    let names =
        segments.iter().map(|name| format!("contributions/{name}")).chain(["control.redb".to_owned()]);
    for name in names {
        let bad = disk.image();
        bad.remove(&name).unwrap();
        match open(&bad).map(|_| ()) {
            Err(StoreError::Corrupt { file, .. }) => assert_eq!(file, name),
            other => panic!("{name}: {other:?}"),
        }
    }
    let bad = disk.image();
    bad.rename("contributions/00000001.log", "contributions/00000002.log").unwrap();
    assert!(matches!(open(&bad), Err(StoreError::Corrupt { .. })));
}
