//! Gadgets in the clear, and what they cost.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::super::sum::{Shape, sum_mod};
use super::super::{Draft, Program, compare};
use super::clear;

const SHAPES: [Shape; 2] = [Shape::Serial, Shape::Prefix];

/// `secrets` words and a canonical last number, public or not, added mod 2^width - 1.
fn adder(width: u32, secrets: usize, last_is_public: bool, shape: Shape) -> Program {
    let mut draft = Draft::new();
    let numbers: Vec<_> = (0..secrets).map(|_| draft.secret_number(width)).collect();
    let last = if last_is_public { draft.public_number(width) } else { draft.secret_number(width) };
    let total = sum_mod(&mut draft, &numbers, &last, shape);
    draft.finish(&total)
}

/// All words for the numbers and all canonical values for the last one: zero never comes out as p.
#[test]
fn adders_are_right_for_every_value_of_tiny_primes() {
    for (width, secrets) in [(3_u32, 1_usize), (3, 2), (3, 3), (5, 1), (5, 2), (7, 1), (7, 2)] {
        let (words, p) = (1_u64 << width, (1_u64 << width) - 1);
        let rows = (words.pow(secrets as u32) * p) as usize;
        let digit = |row: u64, i: u32| row / p / words.pow(i) % words;
        let numbers: Vec<Vec<u64>> =
            (0..secrets as u32).map(|i| (0..rows as u64).map(|row| digit(row, i)).collect()).collect();
        let last: Vec<u64> = (0..rows as u64).map(|row| row % p).collect();
        let expected: Vec<u64> =
            (0..rows).map(|row| (numbers.iter().map(|n| n[row]).sum::<u64>() + last[row]) % p).collect();
        for shape in SHAPES {
            let mut secret: Vec<(&[u64], u32)> = numbers.iter().map(|n| (n.as_slice(), width)).collect();
            let public = adder(width, secrets, true, shape);
            assert!(clear(&public, &secret, &[(&last, width)], rows) == expected, "{width} bits {shape:?}");
            secret.push((&last, width));
            let program = adder(width, secrets, false, shape);
            assert!(clear(&program, &secret, &[], rows) == expected, "{width} bits {shape:?}");
        }
    }
}

/// What the order is for: a last number that is p itself can give p instead of zero.
#[test]
fn a_last_number_that_is_not_canonical_would_break_zero() {
    let program = adder(3, 2, true, Shape::Serial);
    assert_eq!(clear(&program, &[(&[7], 3), (&[7], 3)], &[(&[7], 3)], 1), [7]);
    assert_eq!(clear(&program, &[(&[7], 3), (&[7], 3)], &[(&[0], 3)], 1), [0]);
}

#[test]
fn adders_cost_what_was_planned() {
    let cost = |secrets, shape| adder(61, secrets, true, shape).ands();
    // Three numbers and a public one, the plain way: two carry-save steps and the adder.
    assert_eq!((cost(3, Shape::Prefix), cost(3, Shape::Serial)), (465, 243));
    let cost = |secrets, shape| adder(61, secrets, false, shape).ands();
    // Two numbers, 61 for each one more.
    assert_eq!((cost(1, Shape::Prefix), cost(1, Shape::Serial)), (343, 121));
    assert_eq!((cost(2, Shape::Prefix), cost(2, Shape::Serial)), (404, 182));
    assert_eq!((cost(3, Shape::Prefix), cost(3, Shape::Serial)), (465, 243));
    assert!(adder(61, 1, false, Shape::Prefix).depth() <= 13);
}

fn less_than_constant(width: u32, c: u64, shape: Shape) -> Program {
    let mut draft = Draft::new();
    let x = draft.secret_number(width);
    let less = compare::less_than_constant(&mut draft, &x, c, shape);
    draft.finish(&[less])
}

#[test]
fn comparisons_cost_what_was_planned() {
    for c in [1, 2, 1000, 0x5555_5555, 0x8000_0000, 0xffff_fffe, 0xffff_ffff] {
        let tree = less_than_constant(32, c, Shape::Prefix);
        assert!(tree.ands() < 64 && tree.depth() <= 5, "{} ANDs in {} rounds", tree.ands(), tree.depth());
        assert!(less_than_constant(32, c, Shape::Serial).ands() <= 31);
    }
    assert_eq!(less_than_constant(32, 0, Shape::Serial).ands(), 0);
    assert_eq!(less_than_constant(32, 1 << 32, Shape::Prefix).ands(), 0);
    let mut draft = Draft::new();
    let (x, y) = (draft.secret_number(32), draft.secret_number(32));
    let less = compare::less_than(&mut draft, &x, &y, Shape::Serial);
    assert_eq!(draft.finish(&[less]).ands(), 32);
}

/// Every value of small widths against every constant.
#[test]
fn comparisons_with_constants_are_right_for_every_value() {
    for width in [1, 2, 3, 5] {
        let values: Vec<u64> = (0..1 << width).collect();
        for c in 0..=1 << width {
            let expect = |relation: &dyn Fn(u64) -> bool| -> Vec<u64> {
                values.iter().map(|x| relation(*x).into()).collect()
            };
            let check = |program: &Program, expected: Vec<u64>| {
                assert_eq!(clear(program, &[(&values, width)], &[], values.len()), expected, "{c}");
            };
            for shape in SHAPES {
                check(&less_than_constant(width, c, shape), expect(&|x| x < c));
                let mut draft = Draft::new();
                let x = draft.secret_number(width);
                let above = compare::above(&mut draft, &x, c, shape);
                check(&draft.finish(&[above]), expect(&|x| x > c));
            }
            let mut draft = Draft::new();
            let x = draft.secret_number(width);
            let equal = compare::equal_constant(&mut draft, &x, c);
            check(&draft.finish(&[equal]), expect(&|x| x == c));
            let mut draft = Draft::new();
            let x = draft.secret_number(width);
            let member = compare::member(&mut draft, &x, &BTreeSet::from([0, c, c / 2]));
            check(&draft.finish(&[member]), expect(&|x| x == 0 || x == c || x == c / 2));
            let mut draft = Draft::new();
            let x = draft.secret_number(width);
            let total = compare::add_constant(&mut draft, &x, c, width + 2);
            check(&draft.finish(&total), values.iter().map(|x| x + c).collect());
        }
    }
}

#[test]
fn constants_and_public_bits_can_be_results() {
    let mut draft = Draft::new();
    let (x, y) = (draft.secret(), draft.public());
    let (both, not_y) = (draft.and(x, y), draft.not(y));
    let program = draft.finish(&[Draft::ONE, Draft::ZERO, y, not_y, both, x, x]);
    assert_eq!(program.ands(), 0);
    let results = super::super::evaluate(&program, &[&[0b0101]], &[&[0b0011]], 4);
    assert_eq!(results.concat(), [0b1111, 0, 0b0011, 0b1100, 0b0001, 0b0101, 0b0101]);
}

/// Values at which comparisons go wrong if they do: ends, neighbours, ties.
fn value(width: u32) -> impl Strategy<Value = u64> {
    let max = u64::MAX >> (64 - width);
    prop_oneof![0..=max, Just(0), Just(1.min(max)), Just(max), Just(max / 2), Just(max / 2 + 1)]
}

fn rows() -> impl Strategy<Value = usize> {
    prop_oneof![Just(1_usize), Just(63), Just(64), Just(65), Just(200)]
}

proptest! {
    #[test]
    fn shared_operands_compare(
        (width, pairs) in (1..=61_u32, rows()).prop_flat_map(|(width, rows)| {
            (Just(width), prop::collection::vec((value(width), value(width), any::<bool>()), rows))
        }),
    ) {
        let x: Vec<u64> = pairs.iter().map(|(x, _, _)| *x).collect();
        let y: Vec<u64> = pairs.iter().map(|(x, y, tie)| if *tie { *x } else { *y }).collect();
        let less: Vec<u64> = x.iter().zip(&y).map(|(x, y)| u64::from(x < y) + 2 * u64::from(x == y)).collect();
        for shape in SHAPES {
            let mut draft = Draft::new();
            let (a, b) = (draft.secret_number(width), draft.secret_number(width));
            let (is_less, is_equal) =
                (compare::less_than(&mut draft, &a, &b, shape), compare::equal(&mut draft, &a, &b));
            let program = draft.finish(&[is_less, is_equal]);
            prop_assert_eq!(clear(&program, &[(&x, width), (&y, width)], &[], x.len()), less.clone());
        }
    }

    #[test]
    fn wide_adders_add_mod_p(
        numbers in prop::collection::vec((value(61), value(61), value(61)), 1..200),
    ) {
        const P: u64 = (1 << 61) - 1;
        let column = |pick: fn(&(u64, u64, u64)) -> u64| numbers.iter().map(pick).collect::<Vec<u64>>();
        let (a, b, d) = (column(|n| n.0), column(|n| n.1), column(|n| n.2 % P));
        let expected: Vec<u64> = (0..a.len())
            .map(|i| ((u128::from(a[i]) + u128::from(b[i]) + u128::from(d[i])) % u128::from(P)) as u64)
            .collect();
        for shape in SHAPES {
            let program = adder(61, 2, true, shape);
            let sum = clear(&program, &[(&a, 61), (&b, 61)], &[(&d, 61)], a.len());
            prop_assert_eq!(sum, expected.clone());
        }
    }
}
