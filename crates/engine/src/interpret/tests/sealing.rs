//! Seals: which rows pass, and that the kept bits are those of the values, for every quorum.

use std::sync::Arc;

use quorate_field::{F61, F127, Integer, NamedField};
use quorate_hash::Digest;
use quorate_sharing::prss::HelperSet;
use quorate_sharing::{HelperNumber, Scheme};
use std::collections::BTreeMap;

use super::super::{BLOCK_ROWS, ColumnBits, Packer, SealPlan, SealSpread, SealedBits, Session, width_of};
use crate::boolean::lanes;
use crate::boolean::sum::Shape;
use crate::product::tests::share;
use crate::round::{Inbox, Outbox, Progress, Task};
use crate::testing::{keys, scheme};

const RANGES: [(i64, i64); 4] = [(0, 9), (-20, 100), (0, 1_000_000), (0, 1)];
/// The column that may be blank, and the one that says whether it is.
const OPTIONAL: (usize, u32) = (1, 3);

fn columns() -> Vec<ColumnBits> {
    let bits = |(column, &(min, max)): (usize, &(i64, i64))| ColumnBits {
        min: min.into(),
        max: max.into(),
        are_sealed: true,
        presence: (column == OPTIONAL.0).then_some(OPTIONAL.1),
    };
    RANGES.iter().enumerate().map(bits).collect()
}

/// Drives one task of each helper to its end.
fn drive(mut tasks: Vec<(HelperNumber, &mut dyn Task)>) {
    loop {
        let mut in_flight: BTreeMap<HelperNumber, BTreeMap<HelperNumber, Vec<u8>>> = BTreeMap::new();
        let mut sent = 0;
        for (me, task) in &mut tasks {
            let mut outbox = Outbox::new();
            sent += usize::from(task.advance(&mut outbox) == Progress::Sent);
            for (to, blob) in outbox.into_blobs() {
                in_flight.entry(to).or_default().insert(*me, blob);
            }
        }
        if sent == 0 {
            return;
        }
        assert_eq!(sent, tasks.len(), "all are in the same round");
        for (me, task) in &mut tasks {
            let received = in_flight.remove(me).unwrap_or_default();
            let mut inbox = Inbox::new(&received);
            task.receive(&mut inbox).unwrap();
            inbox.finish().unwrap();
        }
    }
}

/// Seals a table: what each member keeps.
fn seal<F: NamedField>(
    scheme: Scheme,
    members: &[HelperNumber],
    table: &[Vec<Integer>],
    shape: Shape,
) -> Vec<SealedBits> {
    let workers = &members[..2 * usize::from(scheme.threshold()) + 1];
    let rows = table[0].len();
    let key = |me: HelperNumber| keys(&scheme, me, &Digest([3; 32]));
    let mut checked = BTreeMap::new();
    let mut tasks = Vec::new();
    for (place, &me) in workers.iter().enumerate() {
        let mut session = Session::new(scheme, me, workers, key(me)).unwrap();
        let plan = SealPlan::<F>::new(&columns(), shape, &mut session);
        let shares = table.iter().map(|column| {
            let values: Vec<F> = column.iter().map(|value| F::from_integer(value).unwrap()).collect();
            share(&scheme, workers, &values, 7).swap_remove(place)
        });
        tasks.push((me, plan.start(&session, shares.collect(), 5)));
    }
    drive(tasks.iter_mut().map(|(me, task)| (*me, task as &mut dyn Task)).collect());
    for (me, task) in tasks {
        checked.insert(me, task.finish());
    }
    let mut tasks = Vec::new();
    for &me in members {
        let spread = SealSpread::new(&scheme, me, members, workers, width_of(&columns()), &key(me)).unwrap();
        tasks.push((me, Arc::new(spread).start(checked.remove(&me), rows, 5)));
    }
    drive(tasks.iter_mut().map(|(me, task)| (*me, task as &mut dyn Task)).collect());
    tasks.into_iter().map(|(_, task)| task.finish()).collect()
}

/// The bits of a sharing over all helpers: every holder of a sub-share must hold the same.
fn opened(scheme: &Scheme, members: &[HelperNumber], sealed: &[SealedBits], words: usize) -> Vec<u64> {
    let bits = width_of(&columns());
    let mut open = vec![0; bits * words];
    for set in HelperSet::all(scheme) {
        let mut known: Option<Vec<u64>> = None;
        for (member, sealed) in members.iter().zip(sealed) {
            let held: Vec<HelperSet> =
                HelperSet::all(scheme).into_iter().filter(|set| !set.contains(*member)).collect();
            let Some(sub) = held.iter().position(|other| *other == set) else { continue };
            let share: Vec<u64> = (0..bits)
                .flat_map(|bit| sealed.shares[(bit * held.len() + sub) * words..][..words].to_vec())
                .collect();
            assert_eq!(known.get_or_insert_with(|| share.clone()), &share, "holders of {set} agree");
        }
        open.iter_mut().zip(known.unwrap_or_default()).for_each(|(open, sub)| *open ^= sub);
    }
    open
}

fn check<F: NamedField>(n: u8, t: u8, members: &[HelperNumber], rows: usize, shape: Shape) {
    let scheme = scheme(n, t);
    // Both ends of each range, the values beside them, and far away ones, each in a row of its own; blanks that hold the
    // least value, and one that holds another; a presence of 2.
    let value = |column: usize, row: usize| -> Integer {
        let (min, max) = RANGES[column];
        match row % 11 {
            0 => min,
            1 if column == 3 => 1,
            7 if column == 3 => 0,
            8 if column == 3 => 2,
            9 if column == 3 => 0,
            9 if column == 1 => min,
            10 if column == 3 => 0,
            10 if column == 1 => min + 1 + i64::try_from(row).unwrap() % (max - min),
            _ if column == 3 => 1,
            1 => max,
            2 if column == 0 => min - 1,
            3 if column == 1 => max + 1,
            4 if column == 2 => i64::MIN >> 4,
            5 if column == 2 => (1 << 60) - 1,
            6 if column == 0 => 16,
            _ => min + (i64::try_from(row).unwrap() * 7) % (max - min + 1),
        }
        .into()
    };
    let table: Vec<Vec<Integer>> =
        (0..RANGES.len()).map(|column| (0..rows).map(|row| value(column, row)).collect()).collect();
    let is_good = |row: usize| {
        table
            .iter()
            .zip(RANGES)
            .all(|(column, (min, max))| (Integer::from(min)..=Integer::from(max)).contains(&column[row]))
            && (table[OPTIONAL.1 as usize][row] == Integer::ONE
                || table[OPTIONAL.0][row] == Integer::from(RANGES[OPTIONAL.0].0))
    };
    let sealed = seal::<F>(scheme, members, &table, shape);
    let words = lanes::words(rows);
    for member in &sealed {
        for row in 0..rows {
            assert_eq!(member.bad[row / 64] >> (row % 64) & 1 == 0, is_good(row), "row {row} of {rows}");
        }
    }
    let bits = opened(&scheme, members, &sealed, words);
    let mut first = 0;
    for (column, range) in table.iter().zip(columns()) {
        for row in (0..rows).filter(|row| is_good(*row)) {
            let offset = (0..range.width() as usize)
                .map(|bit| (bits[(first + bit) * words + row / 64] >> (row % 64) & 1) << bit)
                .sum::<u64>();
            assert_eq!(range.min.checked_add(&Integer::from(offset)).unwrap(), column[row], "row {row}");
        }
        first += range.width() as usize;
    }
}

#[test]
fn exactly_the_rows_in_range_pass() {
    for (n, t, members) in [
        (3, 1, &[1, 2, 3][..]),
        (4, 1, &[1, 2, 3, 4]),
        (4, 1, &[1, 3, 4]),
        (5, 2, &[1, 2, 3, 4, 5]),
        (6, 2, &[1, 2, 3, 4, 5, 6]),
        (7, 3, &[1, 2, 3, 4, 5, 6, 7]),
    ] {
        for rows in [1, 63, 64, 65, 130] {
            check::<F61>(n, t, members, rows, if rows % 2 == 0 { Shape::Serial } else { Shape::Prefix });
        }
    }
    check::<F127>(4, 1, &[1, 2, 3, 4], 65, Shape::Serial);
}

#[test]
fn packed_rows_are_the_kept_ones_in_order() {
    let planes = 3;
    let mut packer = Packer::new(planes);
    let mut expected: Vec<Vec<bool>> = vec![Vec::new(); planes];
    let mut blocks: Vec<Vec<u8>> = Vec::new();
    let random = |seed: u64| {
        seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29).wrapping_mul(0xbf58_476d_1ce4_e5b9)
    };
    for morsel in 0..40_u64 {
        let rows = [700, 64, 1, 4097, 63][morsel as usize % 5];
        let words = lanes::words(rows);
        let mut keep: Vec<u64> = (0..words as u64)
            .map(|word| if morsel % 3 == 0 { u64::MAX } else { random(morsel << 20 | word) })
            .collect();
        lanes::clear_padding(&mut keep, rows);
        let data: Vec<u64> = (0..(planes * words) as u64).map(|word| random(word << 9 | morsel)).collect();
        for (plane, expected) in expected.iter_mut().enumerate() {
            let kept = (0..rows).filter(|row| keep[row / 64] >> (row % 64) & 1 == 1);
            expected.extend(kept.map(|row| data[plane * words + row / 64] >> (row % 64) & 1 == 1));
        }
        packer.push(&data, &keep);
        blocks.extend(std::iter::from_fn(|| packer.take(false)));
    }
    blocks.extend(packer.take(true));
    assert!(packer.take(true).is_none());
    let mut rest = expected[0].len();
    for (index, block) in blocks.iter().enumerate() {
        let rows = rest.min(BLOCK_ROWS);
        rest -= rows;
        let words = lanes::words(rows);
        assert_eq!(block.len(), planes * words * 8, "block {index}");
        for (plane, expected) in expected.iter().enumerate() {
            for row in 0..rows {
                let byte = block[plane * words * 8 + row / 8];
                assert_eq!(byte >> (row % 8) & 1 == 1, expected[index * BLOCK_ROWS + row]);
            }
        }
    }
    assert_eq!(rest, 0);
}
