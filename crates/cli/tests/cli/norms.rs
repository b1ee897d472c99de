//! Vectors longer than their column allows, from clients that do not clip: the sum is exactly that of the others.

use quorate_circuit::{Circuit, Outcome, Proportion, Quantity, StudyDraft};
use quorate_client::{analyst, contributor, owner};
use quorate_field::Integer;
use serde_json::Value;

use crate::files::{Files, npy};
use crate::study::{Created, create};
use crate::vectors::numbers;

const LENGTH: usize = 1_000;
const CIRCUIT: &str = "circuit learning\n\
    input g : vector[1_000] of -1.0000 .. 1.0000 norm 2.0\n\
    input age : 0 .. 99\n\
    input h : vector[2] of -5 .. 5 norm 6\n\
    reveal people = count()\n\
    reveal total = sum(g)\n\
    reveal other = sum(h)\n";

/// A contributor's row: 1,000 elements, an age, and two elements.
fn row(g: Vec<Integer>, h: [i64; 2]) -> Vec<Integer> {
    assert_eq!(g.len(), LENGTH);
    [g, vec![30_i64.into()], h.map(Integer::from).to_vec()].concat()
}

/// As long as is allowed, and no longer.
fn honest(person: u64) -> Vec<Integer> {
    let element = |index: usize| {
        let mixed =
            (person * LENGTH as u64 + index as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23);
        Integer::from(i64::try_from(mixed % 20_001).unwrap() - 10_000)
    };
    let mut g: Vec<Integer> = (0..LENGTH).map(element).collect();
    let norm = Circuit::parse(CIRCUIT).unwrap().inputs()[0].norm().unwrap();
    assert!(norm.shorten(&mut g) && norm.holds(&g));
    row(g, [3, -5])
}

/// Rows that no client would send, each in a contribution of its own with an honest one.
fn dishonest() -> Vec<Vec<Integer>> {
    let single = |element: i64| {
        let mut g = vec![Integer::ZERO; LENGTH];
        g[617] = element.into();
        g
    };
    let boosted = (0..LENGTH).map(|index| Integer::from(if index % 2 == 0 { 6_325_i64 } else { -6_325 }));
    vec![
        // Ten times as long, with every element in its range.
        row(boosted.collect(), [0, 0]),
        row(single(20_001), [0, 0]),
        // The square is 2 modulo 2^61 - 1.
        row(single(1 << 31), [0, 0]),
        row(vec![((1_i64 << 60) - 1).into(); LENGTH], [0, 0]),
        row(single(0), [5, 4]),
        row(single(0), [1 << 31, 1]),
    ]
}

#[tokio::test]
async fn a_boosted_gradient_is_left_out_without_being_seen() {
    let rules = |draft| StudyDraft { rows_max: 2, excluded_max: Proportion::parse("0.5").unwrap(), ..draft };
    let Created { local, study, owner, analyst, packer, .. } = &create("learning", CIRCUIT, 100, rules).await;
    let good: Vec<Vec<Integer>> = (0..20).map(honest).collect();
    let bad = dishonest();
    let blocks = good.iter().cloned().map(|row| (1, row));
    let bad_blocks = bad.iter().enumerate().map(|(index, bad)| match index % 2 {
        0 => (1, bad.clone()),
        _ => (2, [good[0].clone(), bad.clone()].concat()),
    });
    for (position, (rows, cells)) in (0..).zip(blocks.chain(bad_blocks)) {
        let batch = packer.pack_alone(position, rows, &cells).unwrap();
        contributor::upload_batch(local.helpers(), &study.id(), batch).await.unwrap();
    }
    let manifest = owner::seal(local.helpers(), owner, study, &[]).await.unwrap().manifest;
    assert_eq!((manifest.contributions, manifest.rows), (20, 20));
    assert_eq!((manifest.excluded.above_norm, manifest.excluded.total()), (6, 6));
    assert!(manifest.norm_checked && !manifest.range_checked && manifest.members == [1, 2, 3, 4]);

    let run = analyst::run(local.helpers(), analyst, study, CIRCUIT).await.unwrap();
    let sum =
        |place: usize| good.iter().fold(Integer::ZERO, |sum, row| sum.checked_add(&row[place]).unwrap());
    let expected = |places: std::ops::Range<usize>, unit: u64| -> Vec<Quantity> {
        places.map(|place| Quantity::new(sum(place), unit.into()).unwrap()).collect()
    };
    let found: Vec<&Outcome> = run.answer.results.iter().map(|(_, outcome)| outcome).collect();
    assert_eq!(found[0].to_string(), "20");
    assert_eq!(elements(found[1]), expected(0..LENGTH, 10_000));
    assert_eq!(elements(found[2]), expected(LENGTH + 1..LENGTH + 3, 1));
}

/// From a contributor's files to a result: what is too long is refused by its row, or made as long as it may be.
#[test]
fn long_vectors_are_refused_or_made_shorter() {
    let circuit = "circuit learning\ninput g : vector[3] of -1.00 .. 1.00 norm 1.5\nreveal total = sum(g)\n";
    let table = "g.0,g.1,g.2\n1,-1,0.5\n0.5,0,0\n";
    let files = Files::new(&[("c.circuit", circuit), ("t.csv", table)]);
    std::fs::write(files.path("g.npy"), npy(2, 3, |row, _| [0.5, 1.0][row])).unwrap();
    let of_table = ["try", "--circuit", "c.circuit", "--csv", "t.csv", "--helpers", "3", "--json"];
    let report: Value = serde_json::from_str(&files.output(of_table)).unwrap();
    assert_eq!(numbers(&report, "total"), [1.5, -1.0, 0.5]);
    assert!(report["inputs"].as_str().unwrap().ends_with("norm: norm check"), "{}", report["inputs"]);

    let of_file = ["try", "--circuit", "c.circuit", "--vector", "g=g.npy", "--helpers", "3", "--json"];
    let refused = files.failure(of_file, 1);
    assert!(refused.contains("row 2: the vector is above its norm: expected vector[3]"), "{refused}");
    let output = files.quorate(of_file.into_iter().chain(["--clip"])).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && stderr.contains("1 of 2 vectors were above their norm"), "{stderr}");
    assert!(!stderr.contains("clipped"), "no element was out of its range: {stderr}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    // 1.00 * 1.50 / 1.74 is 0.86.
    assert_eq!(numbers(&report, "total"), [1.36; 3]);
}

fn elements(outcome: &Outcome) -> Vec<Quantity> {
    match outcome {
        Outcome::Vector(vector) => (0..vector.len()).map(|index| vector.get(index).unwrap()).collect(),
        other => panic!("a vector, not {other}"),
    }
}
