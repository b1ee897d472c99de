//! Contributions that no client would send, among 100,000 good ones: exactly the good ones are counted.

use quorate_circuit::{Proportion, StudyDraft};
use quorate_client::{analyst, contributor, owner};
use quorate_contribute::{Batch, Packed, Packer};
use quorate_field::Integer;
use quorate_hash::Digest;
use quorate_sharing::{PieceHeader, PieceRef, commitment, contribution_id};
use quorate_wire::{Blob, Contribution, PieceBytes, Upload, encode};

use crate::study::{Created, create};

const PEOPLE: u64 = 100_000;
const PER_BATCH: usize = 2_000;
/// Rows of the contributions that have many.
const BLOCK_ROWS: u32 = 30_000;
const CIRCUIT: &str = "circuit honest\n\
    input wage : 10 .. 1_000_000\n\
    input sector : public | private | none\n\
    reveal people = count()\n\
    reveal total = sum(wage)\n\
    reveal public = count(sector == public)\n\
    reveal high = count(wage > 500_000)\n";

/// What is wrong with contribution `number`; most are good.
fn cells(number: u64) -> (Vec<Integer>, bool) {
    let wage = i64::try_from(10 + number * 7_919 % 999_991).unwrap();
    let sector = i64::try_from(number % 3).unwrap();
    let (wage, sector, is_good) = match number % 1_000 {
        // Out of range, just and by far, on either side.
        17 => (9, sector, false),
        18 => (1_000_001, sector, false),
        19 => (-1, sector, false),
        20 => (1 << 59, sector, false),
        // The ends of the range.
        21 => (10, sector, true),
        22 => (1_000_000, sector, true),
        // No category has this index.
        23 => (wage, 3, false),
        24 => (wage, -1, false),
        _ => (wage, sector, number % 1_000 != 25),
    };
    (vec![wage.into(), sector.into()], is_good)
}

/// Changes one helper's piece and commits to it: the pieces lie on no polynomial of the threshold's degree.
fn put_off_degree(packed: &mut Packed, study: &Digest) {
    let data = packed.contributions.iter_mut().find_map(|part| match &mut part.piece {
        PieceBytes::Data(data) => Some(data),
        PieceBytes::Seed(_) => None,
    });
    let data = data.unwrap();
    let mut bytes = data.as_slice().to_vec();
    bytes[0] ^= 1;
    *data = Blob::new(bytes);
    let commitments: Vec<Digest> = (1..)
        .zip(&packed.contributions)
        .map(|(helper, part)| {
            let piece = match &part.piece {
                PieceBytes::Seed(seed) => PieceRef::Seed(seed),
                PieceBytes::Data(data) => PieceRef::Data(data.as_slice()),
            };
            let header = PieceHeader { helper, rot: part.rot, rows: part.rows };
            commitment(study, &header, &part.salt, piece)
        })
        .collect();
    packed.id = contribution_id(study, &commitments);
    let bytes: Vec<u8> = commitments.iter().flat_map(|commitment| commitment.0).collect();
    packed.contributions.iter_mut().for_each(|part| part.commitments.clone_from(&bytes));
}

fn batch(packer: &Packer, study: &Digest, numbers: std::ops::Range<u64>) -> Batch {
    let mut ids = Vec::new();
    let mut by_helper: Vec<Vec<Contribution>> = vec![Vec::new(); packer.helpers().into()];
    for number in numbers.clone() {
        let mut packed = packer.pack(number, 1, &cells(number).0).unwrap();
        if number % 1_000 == 25 {
            put_off_degree(&mut packed, study);
        }
        ids.push(packed.id);
        by_helper.iter_mut().zip(packed.contributions).for_each(|(all, one)| all.push(one));
    }
    to_batch(study, ids, numbers.end - numbers.start, by_helper)
}

fn to_batch(study: &Digest, ids: Vec<Digest>, rows: u64, by_helper: Vec<Vec<Contribution>>) -> Batch {
    let upload = |contributions| encode(&Upload { study: *study, contributions });
    Batch { ids, rows, uploads: by_helper.into_iter().map(upload).collect() }
}

/// A contribution of so many rows that it is checked in several morsels; if it is bad, by its last value alone.
fn block(packer: &Packer, study: &Digest, number: u64, is_good: bool) -> Batch {
    let mut cells: Vec<Integer> = (0..i64::from(BLOCK_ROWS))
        .flat_map(|row| [Integer::from(10 + row), Integer::from(row % 3)])
        .collect();
    if !is_good {
        cells[2 * BLOCK_ROWS as usize - 1] = 3_i64.into();
    }
    let packed = packer.pack(number, BLOCK_ROWS, &cells).unwrap();
    let by_helper = packed.contributions.into_iter().map(|one| vec![one]).collect();
    to_batch(study, vec![packed.id], BLOCK_ROWS.into(), by_helper)
}

#[tokio::test]
async fn exactly_the_good_ones_are_counted() {
    let rules = |draft| StudyDraft {
        rows_max: BLOCK_ROWS,
        min_cohort: 10,
        excluded_max: Proportion::parse("0.01").unwrap(),
        ..draft
    };
    let Created { local, study, owner, analyst, packer, .. } =
        &create("honest", CIRCUIT, PEOPLE + 2, rules).await;
    for first in (0..PEOPLE).step_by(PER_BATCH) {
        let batch = batch(packer, &study.id(), first..first + PER_BATCH as u64);
        contributor::upload_batch(local.helpers(), &study.id(), batch).await.unwrap();
    }
    for (number, is_good) in [(PEOPLE, true), (PEOPLE + 1, false)] {
        let batch = block(packer, &study.id(), number, is_good);
        contributor::upload_batch(local.helpers(), &study.id(), batch).await.unwrap();
    }
    let manifest = owner::seal(local.helpers(), owner, study, &[]).await.unwrap().manifest;
    let run = analyst::run(local.helpers(), analyst, study, CIRCUIT).await.unwrap();

    let good: Vec<Vec<Integer>> =
        (0..PEOPLE).map(cells).filter(|(_, is_good)| *is_good).map(|(cells, _)| cells).collect();
    assert_eq!(manifest.contributions, good.len() as u64 + 1);
    assert_eq!((manifest.excluded.off_degree, manifest.excluded.out_of_range), (100, 601));
    let zero = Integer::from(0_i64);
    let rows = i64::from(BLOCK_ROWS);
    let of_block = Integer::from(10 * rows + rows * (rows - 1) / 2);
    let total = good.iter().fold(of_block, |sum, cells| sum.checked_add(&cells[0]).unwrap());
    let public = good.iter().filter(|cells| cells[1] == zero).count() + BLOCK_ROWS as usize / 3;
    let high = good.iter().filter(|cells| cells[0] > Integer::from(500_000_i64)).count();
    let found: Vec<String> = run.answer.results.iter().map(|(_, outcome)| outcome.to_string()).collect();
    // Many numbers of truths at once: morsels smaller than the blocks that bits are kept in.
    let limits = (1..=12).map(|i| i * 75_000);
    let (inputs, _) = CIRCUIT.split_once("reveal").unwrap();
    let many = limits.clone().fold(inputs.to_owned(), |text, limit| {
        text + &format!("reveal r{limit} = sum(if wage > {limit} then wage else 1)\n")
    });
    let capped = analyst::run(local.helpers(), analyst, study, &many).await.unwrap();
    for ((_, found), limit) in capped.answer.results.iter().zip(limits) {
        let limit = Integer::from(i64::from(limit));
        let of = |wage: Integer| if wage > limit { wage } else { Integer::ONE };
        let wages = good.iter().map(|cells| cells[0]).chain((0..rows).map(|row| Integer::from(10 + row)));
        let expected = wages.map(of).fold(zero, |sum, wage| sum.checked_add(&wage).unwrap());
        assert_eq!(found.to_string(), expected.to_string(), "above {limit}");
    }
    let people = good.len() + BLOCK_ROWS as usize;
    assert_eq!(found, [people.to_string(), total.to_string(), public.to_string(), high.to_string()]);
}
