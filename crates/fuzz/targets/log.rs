//! Recovery of a store whose log is anything: a good log with bytes overwritten, or bytes from nowhere. It opens or it
//! is refused by name; what opens can be read in full.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use quorate_fuzz::digest;
use quorate_store::{Disk, Fate, Limits, SimDisk, Store, StoreError, Write};

const SEGMENT: &str = "contributions/00000001.log";

/// A store with three commits, and an empty one.
static DISKS: LazyLock<[SimDisk; 2]> = LazyLock::new(|| {
    let full = SimDisk::new(1);
    let (mut store, _) = Store::open(full.clone(), limits()).expect("an empty disk");
    for commit in 1..=3 {
        let write =
            |id| Write::Contribution { study: digest(commit), id: digest(id), bytes: vec![id; 40].into() };
        store.commit(&[write(1), write(2)]).expect("a good disk");
    }
    drop(store);
    let empty = SimDisk::new(2);
    drop(Store::open(empty.clone(), limits()).expect("an empty disk"));
    for disk in [&full, &empty] {
        disk.crash(Fate::Keep);
    }
    [full, empty]
});

fn limits() -> Limits {
    Limits { segment_bytes: 64 << 10, contribution_bytes: 16 << 10, ..Limits::default() }
}

fuzz_target!(|bytes: &[u8]| {
    let Some((&[mode, low, high], bytes)) = bytes.split_first_chunk() else { return };
    let disk = DISKS[usize::from(mode & 1)].image();
    let file = disk.open(SEGMENT).or_else(|_| disk.create(SEGMENT)).expect("a directory");
    let length = file.len().expect("a file");
    let offset = match mode & 1 {
        0 => u64::from(u16::from_le_bytes([low, high])) % (length + 1),
        _ => 0,
    };
    file.write_at(offset, bytes).expect("a good disk");
    if mode & 2 != 0 {
        file.set_len(offset + bytes.len() as u64).expect("a good disk");
    }
    disk.crash(Fate::Keep);
    match Store::open(disk, limits()) {
        Ok((store, recovery)) => {
            let reader = store.reader();
            let mut found = 0;
            for study in (1..=3).map(digest) {
                let ids = reader.ids(&study);
                found += ids.len() as u64;
                reader.contributions(&study, &ids).expect("what was recovered can be read");
            }
            assert!(found <= recovery.contributions);
        }
        Err(error) => assert!(matches!(error, StoreError::Corrupt { .. }), "{error}"),
    }
});
