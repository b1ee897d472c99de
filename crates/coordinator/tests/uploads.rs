//! What the upload door refuses, each with its message: nothing that does not fit is ever stored.

#![allow(clippy::cast_possible_truncation, clippy::expect_used, clippy::unwrap_used, missing_docs)]

use bytes::Bytes;
use quorate_circuit::{Bits, Column, Domain, Sharing, SharingKind, Study, StudyDraft};
use quorate_contribute::Packer;
use quorate_coordinator::check_upload;
use quorate_field::{FieldId, Integer};
use quorate_hash::Digest;
use quorate_sharing::{ContributorSecret, PieceKind, Scheme};
use quorate_wire::{Blob, Code, Contribution, PieceBytes, Upload, encode, limits};

const HELPERS: u8 = 4;

fn study(name: &str, rows_max: u32) -> Study {
    let column = |name: &str, domain: &str| Column::new(name, Domain::parse(domain).unwrap());
    let sharing = Sharing { kind: SharingKind::Shamir, helpers: HELPERS, threshold: 1 };
    let columns = vec![column("salary", "0 .. 1_000_000"), column("age", "0 .. 120")];
    let draft = StudyDraft {
        federation: Digest([1; 32]),
        rows_max,
        bits: Some(Bits::None),
        field: Some(FieldId::F61),
        ..StudyDraft::new(name, sharing, columns, 1_000)
    };
    draft.document().unwrap().1
}

/// One contribution per helper, helper 1 first.
fn contributions(study: &Study, rows: u32) -> Vec<Contribution> {
    let packer = Packer::new(study, ContributorSecret::from_bytes([7; 32])).unwrap();
    let cells: Vec<Integer> = (0..2 * rows).map(|i| Integer::from(i + 40)).collect();
    packer.pack(0, rows, &cells).unwrap().contributions
}

fn upload(study: &Study, contributions: Vec<Contribution>) -> Vec<u8> {
    encode(&Upload { study: study.id(), contributions })
}

/// The helper whose piece for this contribution is data, or the one whose piece is a seed.
fn helper_with(kind: PieceKind, contribution: &Contribution) -> u8 {
    let scheme = Scheme::shamir(HELPERS, 1).unwrap();
    (1..=HELPERS).find(|helper| scheme.piece_kind(contribution.rot, *helper) == kind).unwrap()
}

fn refused(study: &Study, helper: u8, bytes: &[u8], code: Code, says: &str) {
    let refusal = check_upload(study, helper, &Bytes::copy_from_slice(bytes)).expect_err(says);
    assert_eq!(refusal.code, code, "{refusal}");
    assert!(refusal.message.contains(says), "{:?} does not say {says:?}", refusal.message);
}

#[test]
fn what_was_split_for_a_helper_is_taken_by_it_and_by_no_other() {
    let study = study("wages", 3);
    for (helper, contribution) in (1..=HELPERS).zip(contributions(&study, 3)) {
        let bytes = Bytes::from(upload(&study, vec![contribution]));
        assert_eq!(check_upload(&study, helper, &bytes).unwrap().study(), &study.id());
        let other = helper % HELPERS + 1;
        assert_eq!(check_upload(&study, other, &bytes).unwrap_err().code, Code::Contribution);
    }
}

#[test]
fn altered_contributions_are_refused_with_what_is_wrong() {
    let study = study("wages", 2);
    let pieces = contributions(&study, 2);
    let data = helper_with(PieceKind::Data, &pieces[0]);
    let good = &pieces[usize::from(data) - 1];
    let with = |change: &dyn Fn(&mut Contribution)| {
        let mut contribution = good.clone();
        change(&mut contribution);
        upload(&study, vec![contribution])
    };
    let bytes = |contribution: &Contribution| match &contribution.piece {
        PieceBytes::Data(data) => data.as_slice().to_vec(),
        PieceBytes::Seed(_) => unreachable!("helper {data} has data"),
    };
    let data_is =
        |contribution: &mut Contribution, bytes| contribution.piece = PieceBytes::Data(Blob::new(bytes));

    type Change<'a> = &'a dyn Fn(&mut Contribution);
    let cases: [(&str, Change<'_>); 10] = [
        ("is not the one its commitment", &|c| c.salt[0] ^= 1),
        ("is not the one its commitment", &|c| c.commitments[32 * (usize::from(data) - 1) + 8] ^= 1),
        ("is not the one its commitment", &|c| {
            let mut b = bytes(c);
            b[0] ^= 1;
            data_is(c, b)
        }),
        ("not below the modulus", &|c| {
            let mut b = bytes(c);
            b[8..16].fill(0xff);
            data_is(c, b)
        }),
        ("bytes of data", &|c| {
            let mut b = bytes(c);
            b.pop();
            data_is(c, b)
        }),
        ("bytes of data", &|c| {
            let mut b = bytes(c);
            b.extend([0; 8]);
            data_is(c, b)
        }),
        ("bytes of data", &|c| c.rows = 1),
        ("no rows", &|c| c.rows = 0),
        ("it has 3 rows, and the study takes at most 2", &|c| c.rows = 3),
        ("must be", &|c| c.piece = PieceBytes::Seed([5; 32])),
    ];
    for (says, change) in cases {
        refused(&study, data, &with(change), Code::Contribution, says);
    }
    refused(&study, data, &with(&|c| c.rot = 200), Code::Contribution, "rotation 200");
    refused(&study, data, &with(&|c| c.commitments.truncate(96)), Code::Contribution, "3 commitments");
    refused(&study, data, &with(&|c| c.commitments.push(0)), Code::Contribution, "not 32 each");
}

#[test]
fn data_in_place_of_a_seed_is_refused() {
    let study = study("wages", 1);
    let pieces = contributions(&study, 1);
    let seed = helper_with(PieceKind::Seed, &pieces[0]);
    let mut contribution = pieces[usize::from(seed) - 1].clone();
    contribution.piece = PieceBytes::Data(Blob::new(vec![0; 16]));
    refused(&study, seed, &upload(&study, vec![contribution]), Code::Contribution, "must be");
}

#[test]
fn uploads_that_do_not_read_are_refused() {
    let study = study("wages", 1);
    let good = upload(&study, vec![contributions(&study, 1)[0].clone()]);
    for length in 0..good.len() {
        assert_eq!(
            check_upload(&study, 1, &Bytes::copy_from_slice(&good[..length])).unwrap_err().code,
            Code::Malformed,
            "{length} bytes"
        );
    }
    refused(&study, 1, &[&good[..], &[0]].concat(), Code::Malformed, "followed by 1 more");
    refused(&study, 1, &vec![0; limits::UPLOAD_MAX + 1], Code::Malformed, "over the limit");
    refused(&study, 1, &[0xff; 500], Code::Malformed, "not readable");
    refused(&study, 1, &upload(&study, Vec::new()), Code::Malformed, "1 to 16384 contributions, not 0");
    let elsewhere = self::study("other", 1);
    refused(&elsewhere, 1, &good, Code::Malformed, "is for study");
}

#[test]
fn one_bad_contribution_refuses_the_upload_and_is_named() {
    let study = study("wages", 1);
    let packer = Packer::new(&study, ContributorSecret::from_bytes([7; 32])).unwrap();
    let pack = |position| packer.pack(position, 1, &[Integer::from(1), Integer::from(2)]).unwrap();
    let mut contributions: Vec<Contribution> = (0..5).map(|p| pack(p).contributions.swap_remove(0)).collect();
    contributions[3].salt[0] ^= 1;
    refused(&study, 1, &upload(&study, contributions), Code::Contribution, "contribution 4 of 5");
}
