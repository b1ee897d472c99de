use quorate_field::{F61, F127, tiny::F31, write_slice};
use quorate_hash::Digest;

use super::*;
use crate::coin::open_coin;

fn coin(run: u64) -> Coin {
    let shares = (1..=2).map(|helper| (helper, write_slice(&[F127::from_u64(run); 2]))).collect();
    open_coin(1, &Digest([1; 32]), &shares).unwrap()
}

/// Entry `j` of column `i`, read off the projections of a vector with a single one.
fn matrix(projections: &Projections) -> Vec<Vec<i64>> {
    let unit = |place: usize| -> Vec<F61> {
        (0..projections.length).map(|i| F61::from_u64(u64::from(i == place))).collect()
    };
    let entry = |element: &F61| match *element {
        e if e == F61::ZERO => 0,
        e if e == F61::ONE => 1,
        e if e == -F61::ONE => -1,
        _ => panic!("an entry is -1, 0 or 1"),
    };
    let column = |i| projections.project(&unit(i)).as_slice().iter().map(entry).collect();
    (0..projections.length).map(column).collect()
}

#[test]
fn entries_are_what_is_said_and_projections_are_linear() {
    let projections = Projections::new(&coin(1), 0, 700);
    let matrix = matrix(&projections);
    let entries: Vec<i64> = matrix.concat();
    let count = |value| entries.iter().filter(|entry| **entry == value).count();
    // 44,800 entries: four standard deviations are below 430.
    assert!(count(0).abs_diff(22_400) < 430 && count(1).abs_diff(11_200) < 370, "{} {}", count(0), count(1));
    // Neighbouring rows, of one byte, agree as often as independent ones: 1/16 + 1/4 + 1/16.
    let agree = matrix.iter().flat_map(|column| column.windows(2)).filter(|pair| pair[0] == pair[1]).count();
    assert!(agree.abs_diff(16_537) < 450, "{agree}");

    let x: Vec<i64> = (0..700).map(|i| (i * i * 7919) % 20_001 - 10_000).collect();
    let elements: Vec<F61> = x.iter().map(|x| F61::from_integer(&(*x).into()).unwrap()).collect();
    for (j, projection) in projections.project(&elements).as_slice().iter().enumerate() {
        let expected: i64 = x.iter().zip(&matrix).map(|(x, column)| x * column[j]).sum();
        assert_eq!(*projection, F61::from_integer(&expected.into()).unwrap(), "projection {j}");
    }
}

#[test]
fn columns_of_a_row_have_entries_of_their_own() {
    let of = |run, first, length| Projections::new(&coin(run), first, length).patterns;
    assert_eq!([of(2, 0, 20), of(2, 20, 10)].concat(), of(2, 0, 30), "no byte of the coin is used twice");
    assert_ne!(of(2, 0, 10), of(2, 20, 10));
    assert_ne!(of(2, 0, 30), of(3, 0, 30), "another coin, other entries");
}

/// The lemma, in a field so small that everything wraps: whatever a vector with an element beyond twice the bound is, at
/// most half of the projections are within it.
#[test]
fn an_element_beyond_twice_the_bound_passes_half_of_the_projections_at_most() {
    const BOUND: u8 = 3;
    let is_within = |y: &F31| y.to_u8() <= BOUND || y.to_u8() >= 31 - BOUND;
    let passing = |x: &[u64]| {
        let x: Vec<F31> = x.iter().map(|x| F31::from_u64(*x)).collect();
        let of = |run| Projections::new(&coin(run), 0, x.len()).project(&x);
        (0..200).map(|run| of(run).as_slice().iter().filter(|y| is_within(y)).count()).sum::<usize>()
    };
    // 12,800 projections: five standard deviations are below 285.
    for x in
        [&[7][..], &[15], &[16], &[0, 0, 24], &[7, 7], &[15, 1, 1], &[10, 20, 30], &[13; 8], &[15, 16, 15]]
    {
        assert!(passing(x) < 6_400 + 285, "{x:?}: {} of 12800", passing(x));
    }
    // The bound of the lemma is reached, and not for shorter vectors.
    assert!(passing(&[7]) > 6_400 - 285);
    assert!(passing(&[2, 1]) == 12_800);
}
