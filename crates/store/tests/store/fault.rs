//! Syncs and writes that fail: nothing more is acknowledged, and nothing acknowledged is lost.

use std::io::ErrorKind;

use quorate_store::{Fate, Fault, SimDisk, StoreError, Write};

use super::model::{Model, open, short_trace};

/// Fails one operation somewhere in the trace; the trace's outcome must be safe. Whether the failure struck a commit.
fn survive(fault: Fault, trace: &[Vec<Write>], seed: u64) -> bool {
    let disk = SimDisk::new(seed);
    disk.fail(fault);
    let mut model = Model::default();
    let mut interrupted = Vec::new();
    match open(&disk) {
        Err(error) => assert!(matches!(error, StoreError::Io { .. } | StoreError::Control { .. }), "{error}"),
        Ok((mut store, _)) => {
            for batch in trace {
                if let Err(error) = store.commit(batch) {
                    assert!(
                        !matches!(error, StoreError::Poisoned | StoreError::Refused(_)),
                        "{fault:?}: {error}"
                    );
                    interrupted.clone_from(batch);
                    break;
                }
                model.apply(batch);
            }
            if !interrupted.is_empty() {
                refuses_everything_but_reads(store, &model);
            }
        }
    }

    // The process restarts, the machine does not: what it now shows must survive a later power cut.
    disk.kill();
    let (store, _) = open(&disk).unwrap_or_else(|error| panic!("{fault:?}: could not reopen: {error}"));
    let seen = Model::observe(&store.reader());
    model.check(&seen, &interrupted, &fault);
    disk.crash(Fate::Lose);
    drop(store);
    let (store, _) = open(&disk).unwrap_or_else(|error| panic!("{fault:?}: could not reopen: {error}"));
    assert_eq!(Model::observe(&store.reader()), seen, "{fault:?}: shown after the restart, then lost");
    !interrupted.is_empty()
}

fn refuses_everything_but_reads(mut store: quorate_store::Store, model: &Model) {
    let write = Write::Control { key: b"later".to_vec(), value: Vec::new() };
    assert!(matches!(store.commit(&[write]), Err(StoreError::Poisoned)));
    assert!(matches!(store.commit(&[]), Err(StoreError::Poisoned)));
    let reader = store.reader();
    for ((study, id), bytes) in &model.contributions {
        assert_eq!(&reader.contributions(study, &[*id]).unwrap()[0], bytes);
    }
    assert!(matches!(store.close(), Err(StoreError::Poisoned)));
}

#[test]
fn every_failed_sync_poisons_the_store() {
    let trace = short_trace();
    let whole = SimDisk::new(0);
    assert!(!survive(Fault::Sync(u64::MAX, ErrorKind::Other), &trace, 0));
    let (mut store, _) = open(&whole).unwrap();
    trace.iter().for_each(|batch| store.commit(batch).unwrap());

    let mut struck = 0;
    for sync in 1..=whole.syncs() {
        for seed in 0..4 {
            // EIO has no kind of its own: it is what the standard library calls uncategorised.
            for kind in [ErrorKind::Other, ErrorKind::StorageFull] {
                struck += u32::from(survive(Fault::Sync(sync, kind), &trace, seed));
            }
        }
    }
    assert!(struck > 100, "only {struck} failures struck a commit");
}

#[test]
fn every_failed_write_poisons_the_store() {
    let trace = short_trace();
    let struck =
        (1..200).filter(|write| survive(Fault::Write(*write, ErrorKind::StorageFull), &trace, *write));
    assert!(struck.count() > 40);
}
