//! Rules of batches: what is idempotent, what is refused, and what is visible when.

use quorate_hash::Digest;
use quorate_store::{Refusal, SimDisk, StoreError, Write};

use super::model::{Model, SMALL, abandon, append, contribution, control, finish, open, studies};

const GENERATION: Digest = Digest([1; 32]);

#[test]
fn first_bytes_of_a_contribution_stay() {
    let disk = SimDisk::new(1);
    let (mut store, recovery) = open(&disk).unwrap();
    assert!(recovery.created);
    let other =
        Write::Contribution { study: studies()[0], id: Digest([7; 32]), bytes: (&b"other"[..]).into() };
    store.commit(&[contribution(0, 7, 50), other.clone(), contribution(0, 7, 50)]).unwrap();
    let steps = disk.steps();
    store.commit(&[contribution(0, 7, 50), other]).unwrap();
    assert_eq!(disk.steps(), steps, "nothing new, nothing written");
    store.commit(&[contribution(1, 7, 60)]).unwrap();

    let mut expected = Model::default();
    expected.apply(&[contribution(0, 7, 50), contribution(1, 7, 60)]);
    assert_eq!(Model::observe(&store.reader()), expected);
    drop(store);
    let (store, recovery) = open(&disk).unwrap();
    assert_eq!((recovery.created, recovery.contributions, recovery.torn), (false, 2, None));
    assert_eq!(Model::observe(&store.reader()), expected);
}

#[test]
fn contributions_come_in_the_order_asked() {
    let (mut store, _) = open(&SimDisk::new(1)).unwrap();
    store.commit(&[contribution(0, 1, 1), contribution(0, 2, 2), contribution(0, 3, 3)]).unwrap();
    let reader = store.reader();
    let ids = [3, 1, 3].map(|id| Digest([id; 32]));
    let lengths = reader.contributions(&studies()[0], &ids).unwrap().iter().map(Vec::len).collect::<Vec<_>>();
    assert_eq!(lengths, [3, 1, 3]);
    let unknown = Digest([9; 32]);
    assert!(!reader.contains(&studies()[0], &unknown) && !reader.contains(&studies()[1], &ids[0]));
    assert!(matches!(
        reader.contributions(&studies()[0], &[ids[0], unknown]),
        Err(StoreError::Unknown { id, .. }) if id == unknown
    ));
}

#[test]
fn control_records_are_found_by_prefix() {
    let (mut store, _) = open(&SimDisk::new(1)).unwrap();
    store
        .commit(&[control("a/2", b"x"), control("a/1", b"y"), control("b", b""), control("a", b"z")])
        .unwrap();
    let reader = store.reader();
    let found = reader.control_prefix(b"a/").unwrap();
    assert_eq!(found, [(b"a/1".to_vec(), b"y".to_vec()), (b"a/2".to_vec(), b"x".to_vec())]);
    assert_eq!(reader.control_prefix(b"").unwrap().len(), 4);
    assert_eq!(reader.control(b"b").unwrap(), Some(Vec::new()));
    assert_eq!(reader.control(b"c").unwrap(), None);
}

#[test]
fn columns_appear_together_and_are_read_by_range() {
    let (mut store, _) = open(&SimDisk::new(1)).unwrap();
    let reader = store.reader();
    let chunk = |from: u8| (from..from + 100).collect::<Vec<u8>>();
    store
        .commit(&[append(0, 1, 0, &chunk(0)), append(0, 1, 2, &chunk(50)), append(0, 1, 0, &chunk(100))])
        .unwrap();
    assert!(reader.columns(&studies()[0], &GENERATION).unwrap().is_none());
    assert!(reader.generations(&studies()[0]).is_empty());
    store.commit(&[append(0, 1, 0, &[]), finish(0, 1, 4), finish(0, 1, 4)]).unwrap();
    assert_eq!(reader.generations(&studies()[0]), [GENERATION]);

    let columns = reader.columns(&studies()[0], &GENERATION).unwrap().unwrap();
    let lengths: Vec<u64> = (0..=columns.count()).map(|column| columns.len_bytes(column)).collect();
    assert_eq!(lengths, [200, 0, 100, 0, 0]);
    let whole: Vec<u8> = (0..200).collect();
    for start in 0..=200usize {
        for end in start..=200 {
            let mut bytes = vec![0; end - start];
            columns.read(0, start as u64, &mut bytes).unwrap();
            assert_eq!(bytes, whole[start..end]);
        }
    }
    for (column, start, length) in [(0, 0, 201), (0, 200, 1), (1, 0, 1), (4, 0, 0), (0, u64::MAX, 1)] {
        let read = columns.read(column, start, &mut vec![0; length]);
        assert!(matches!(read, Err(StoreError::OutOfRange { .. })), "{column} {start} {length}");
        let found = reader.read_column(&studies()[0], &GENERATION, column, start, &mut vec![0; length]);
        assert!(matches!(found, Ok(false)), "{column} {start} {length}");
    }

    store.commit(&[abandon(0, 1)]).unwrap();
    assert!(reader.columns(&studies()[0], &GENERATION).unwrap().is_none());
    let mut bytes = vec![0; 200];
    columns.read(0, 0, &mut bytes).unwrap();
    assert_eq!(bytes, whole, "open columns stay readable");
    store.commit(&[abandon(0, 1), abandon(1, 9)]).unwrap();
}

#[test]
fn senseless_batches_are_refused_whole_and_harmlessly() {
    let disk = SimDisk::new(1);
    let (mut store, _) = open(&disk).unwrap();
    store.commit(&[append(0, 1, 0, b"x"), finish(0, 1, 1), append(0, 2, 5, b"y")]).unwrap();
    let long = |what, bytes, limit| Refusal::TooLong { what, bytes, limit };
    let cases = [
        (vec![append(0, 1, 0, b"z")], Refusal::Closed(GENERATION)),
        (vec![finish(1, 1, 1)], Refusal::NotBuilding(GENERATION)),
        (vec![abandon(0, 1), append(0, 1, 0, b"z")], Refusal::Closed(GENERATION)),
        (vec![abandon(0, 1), finish(0, 1, 1)], Refusal::NotBuilding(GENERATION)),
        (vec![finish(0, 2, 5)], Refusal::Column { column: 5, columns: 5 }),
        (vec![append(0, 2, 64, b"")], Refusal::Column { column: 64, columns: 64 }),
        (vec![finish(0, 2, 65)], Refusal::Column { column: 64, columns: 64 }),
        (
            vec![contribution(0, 1, (1 << 20) + 1)],
            long("contribution", (1 << 20) + 1, SMALL.contribution_bytes),
        ),
        (vec![control(&"k".repeat(65), b"")], long("control key", 65, 64)),
        (vec![control("k", &vec![0; (1 << 20) + 1])], long("control value", (1 << 20) + 1, 1 << 20)),
    ];
    let before = Model::observe(&store.reader());
    let steps = disk.steps();
    for (bad, refusal) in cases {
        let batch = [vec![contribution(0, 3, 10), control("good", b"")], bad].concat();
        match store.commit(&batch) {
            Err(StoreError::Refused(found)) => assert_eq!(found, refusal),
            other => panic!("{refusal}: {other:?}"),
        }
    }
    assert_eq!(disk.steps(), steps);
    assert_eq!(Model::observe(&store.reader()), before);
    store.commit(&[finish(0, 2, 6)]).unwrap();
}

#[test]
fn store_is_locked_until_its_last_reader_is_gone() {
    let disk = SimDisk::new(1);
    let (store, _) = open(&disk).unwrap();
    assert!(matches!(open(&disk), Err(StoreError::Busy)));
    let reader = store.reader();
    drop(store);
    assert!(matches!(open(&disk), Err(StoreError::Busy)));
    drop(reader);
    open(&disk).unwrap();
}

#[test]
fn debug_shows_no_bytes() {
    let shown = format!("{:?} {:?}", contribution(0, 1, 3), control("key", b"secret"));
    assert!(
        shown.contains("3 bytes") && shown.contains("key, 6 bytes") && !shown.contains("secret"),
        "{shown}"
    );
}

#[test]
fn syncs_are_as_few_as_documented() {
    let disk = SimDisk::new(1);
    let (mut store, _) = open(&disk).unwrap();
    let mut syncs = |batch: &[Write]| {
        let before = disk.syncs();
        store.commit(batch).unwrap();
        disk.syncs() - before
    };
    assert_eq!(syncs(&[contribution(0, 1, 9), contribution(0, 2, 9)]), 1);
    assert_eq!(syncs(&[control("a", b"1"), control("b", b"2")]), 2);
    assert_eq!(syncs(&[append(0, 1, 0, b"x")]), 0);
    assert_eq!(syncs(&[finish(0, 1, 1)]), 2);
}
