//! Norms at a seal: exactly the rows within their bounds pass, whatever wraps.

use quorate_circuit::{Column, Norm};
use quorate_field::{F61, F127, Field, Integer, NamedField, write_slice};
use quorate_hash::Digest;
use quorate_sharing::HelperNumber;

use super::super::{NormPlan, Projected, Session};
use crate::boolean::sum::Shape;
use crate::coin::{Coin, open_coin};
use crate::product::tests::share;
use crate::projection::Projections;
use crate::testing::{Network, keys, scheme};

fn norm(domain: &str) -> Norm {
    Column::parse("g", domain).unwrap().norm().unwrap()
}

fn coin(run: u64) -> Coin {
    let value = F127::from_integer(&run.into()).unwrap();
    let shares = (1..=2).map(|helper| (helper, write_slice(&[value; 2]))).collect();
    open_coin(1, &Digest([1; 32]), &shares).unwrap()
}

/// Rows of vectors, one for each bound, and which rows do not pass.
fn bad<F: NamedField>(n: u8, t: u8, norms: &[Norm], rows: &[Vec<Vec<i128>>], shape: Shape) -> Vec<bool> {
    let scheme = scheme(n, t);
    let workers: Vec<HelperNumber> = (1..=2 * t + 1).collect();
    let mut first = 0;
    let projections: Vec<Projections> = rows[0]
        .iter()
        .map(|vector| {
            first += vector.len();
            Projections::new(&coin(5), first - vector.len(), vector.len())
        })
        .collect();
    let element = |x: &i128| F::from_integer(&Integer::from(*x)).unwrap();
    let shares: Vec<Vec<_>> = rows
        .iter()
        .map(|row| {
            let shared =
                |x: &Vec<i128>| share(&scheme, &workers, &x.iter().map(element).collect::<Vec<F>>(), 7);
            row.iter().map(shared).collect()
        })
        .collect();
    let mut tasks = Vec::new();
    for (place, &me) in workers.iter().enumerate() {
        let mut session = Session::new(scheme, me, &workers, keys(&scheme, me, &Digest([3; 32]))).unwrap();
        let plan = NormPlan::<F>::new(norms, shape, &mut session);
        let mut morsel = Projected::new(norms.len());
        for row in &shares {
            morsel.push(projections.iter().zip(row.iter().map(|shares| shares[place].as_slice())));
        }
        assert_eq!(morsel.rows(), rows.len());
        tasks.push(plan.start(&session, morsel, 5));
    }
    Network::new(n, t).drive(&mut tasks);
    let verdicts: Vec<Vec<u64>> = tasks.into_iter().map(|task| task.finish().verdicts().to_vec()).collect();
    assert!(verdicts.windows(2).all(|pair| pair[0] == pair[1]), "all workers know the same");
    (0..rows.len()).map(|row| verdicts[0][row / 64] >> (row % 64) & 1 == 1).collect()
}

/// A vector of a bound of 500 whose squares add up to `square`: four of them do for every number (Lagrange).
fn of_square(square: i128, length: usize) -> Vec<i128> {
    let root = |x: i128| (0..).take_while(|r| r * r <= x).last().unwrap();
    let (mut rest, mut x) = (square, vec![0; length]);
    for (place, sign) in (0..length).zip([1, -1].into_iter().cycle()) {
        let r = root(rest);
        x[place] = sign * r;
        rest -= r * r;
    }
    assert_eq!(rest, 0, "long enough");
    x
}

#[test]
fn exactly_the_rows_within_the_bound_pass() {
    let bound = norm("vector[12] of -1000 .. 1000 norm 500");
    let squares = [250_000, 249_999, 0, 250_001, 250_002, 1_000_000, 100 * 250_000, 12_000_000];
    let mut rows: Vec<Vec<Vec<i128>>> = squares.iter().map(|square| vec![of_square(*square, 12)]).collect();
    // (2^31)^2 = 2^62 = 2 modulo p; and large elements whose projections are small one at a time.
    for wrapped in [
        vec![1_i128 << 31],
        vec![1 << 32, 1 << 31],
        vec![(1 << 60) - 1; 12],
        vec![(1 << 60) - 1, -(1 << 60) + 1],
    ] {
        rows.push(vec![[wrapped, vec![0; 12]].concat()[..12].to_vec()]);
    }
    let expected: Vec<bool> = (0..rows.len()).map(|row| row >= 3).collect();
    for (n, t, shape) in [(3, 1, Shape::Prefix), (4, 1, Shape::Serial), (5, 2, Shape::Prefix)] {
        assert_eq!(bad::<F61>(n, t, &[bound], &rows, shape), expected, "({n}, {t})");
    }
    // More rows than a word has.
    let many: Vec<_> = (0..130).map(|row| rows[row * 5 % rows.len()].clone()).collect();
    let expected: Vec<bool> = (0..130).map(|row| row * 5 % rows.len() >= 3).collect();
    assert_eq!(bad::<F61>(3, 1, &[bound], &many, Shape::Serial), expected);
}

/// The sum of squares alone would let the vector pass: it is the projections that find what wraps.
#[test]
fn a_sum_of_squares_that_wraps_is_within_the_bound() {
    let element = F61::from_integer(&(1_i128 << 31).into()).unwrap();
    assert_eq!(element * element, F61::from_integer(&2_i64.into()).unwrap());
}

#[test]
fn every_column_of_a_row_has_its_bound() {
    let norms = [norm("vector[3] of -9 .. 9 norm 5"), norm("vector[5] of -99 .. 99 norm 50")];
    let rows = [
        ([3, -4, 0], [50, 0, 0, 0, 0], false),
        ([3, -4, 1], [50, 0, 0, 0, 0], true),
        ([0, 0, 0], [-50, 1, 0, 0, 0], true),
        ([5, 0, 0], [0, 30, 0, -40, 0], false),
        ([0, 0, 50], [0, 0, 0, 0, 5], true),
    ];
    let vectors: Vec<Vec<Vec<i128>>> = rows.iter().map(|(g, h, _)| vec![g.to_vec(), h.to_vec()]).collect();
    let expected: Vec<bool> = rows.iter().map(|(_, _, is_bad)| *is_bad).collect();
    assert_eq!(bad::<F61>(4, 1, &norms, &vectors, Shape::Prefix), expected);
    // The same bounds in the larger field, and one that it alone holds.
    assert_eq!(bad::<F127>(4, 1, &norms, &vectors, Shape::Serial), expected);
    let large = norm("vector[4] of -2_000_000_000 .. 2_000_000_000 norm 1_073_741_824");
    let rows: Vec<Vec<Vec<i128>>> =
        [1 << 30, (1 << 30) + 1, 1 << 63].map(|x| vec![vec![0, -x, 0, 0]]).to_vec();
    assert_eq!(bad::<F127>(3, 1, &[large], &rows, Shape::Prefix), [false, true, true]);
}

/// A thousand vectors as long as may be, of the two kinds whose projections are widest and most even, all pass.
#[test]
fn vectors_just_within_the_bound_always_pass() {
    let bound = norm("vector[400] of -500 .. 500 norm 500");
    let rows: Vec<Vec<Vec<i128>>> = (0..1_000)
        .map(|row: i128| match row % 2 {
            0 => vec![(0..400).map(|i| if (i * row / 2) % 3 == 0 { 25 } else { -25 }).collect()],
            _ => vec![(0..400).map(|i| if i == row % 400 { 500 } else { 0 }).collect()],
        })
        .collect();
    assert!(rows.iter().all(|row| row[0].iter().map(|x| x * x).sum::<i128>() == 250_000));
    assert_eq!(bad::<F61>(3, 1, &[bound], &rows, Shape::Serial), vec![false; 1_000]);
}
