use proptest::prelude::*;
use quorate_circuit::{Bits, Column, Rounding, Sharing, StudyDraft};
use quorate_field::{F61, F127};
use quorate_sharing::{PieceHeader, PieceRef, Shares, read_piece, recombine, verify_piece};
use quorate_wire::decode;

use super::*;
use crate::BadRowsPolicy;

fn study(sharing: Sharing, rows_max: u32, capacity: u64, field: FieldId) -> Study {
    let column = |name: &str, domain| Column::parse(name, domain).unwrap();
    let columns = vec![column("salary", "-1_000 .. 1_000_000"), column("gender", "female | male")];
    study_of(sharing, rows_max, capacity, field, columns)
}

fn study_of(sharing: Sharing, rows_max: u32, capacity: u64, field: FieldId, columns: Vec<Column>) -> Study {
    let draft = StudyDraft {
        rows_max,
        bits: Some(Bits::None),
        field: Some(field),
        ..StudyDraft::new("wages", sharing, columns, capacity)
    };
    draft.document().unwrap().1
}

fn shamir(helpers: u8, threshold: u8) -> Sharing {
    Sharing { kind: SharingKind::Shamir, helpers, threshold }
}

fn packer(study: &Study, secret: u8) -> Packer {
    Packer::new(study, ContributorSecret::from_bytes([secret; 32])).unwrap()
}

fn table(study: &Study, rows: usize) -> Table {
    let text: String = (0..rows).map(|row| format!("{},male\n", row as i64 - 500)).collect();
    let text = format!("salary,gender\n{text}");
    Table::read(&study.columns, text.as_bytes(), Rounding::Exact, BadRowsPolicy::Refuse).unwrap()
}

/// What the helpers would do with a batch: check every piece, and, which they never do, recombine.
fn recombine_batch<F: Field>(study: &Study, batch: &Batch, rows: u32) -> Vec<Vec<i128>> {
    let scheme = scheme_of(study).unwrap();
    let columns = study.cells_per_row();
    let uploads: Vec<Upload> =
        batch.uploads.iter().map(|upload| decode(upload, limits::UPLOAD_MAX).unwrap()).collect();
    let blocks = batch.ids.iter().enumerate().map(|(index, id)| {
        let shares: Vec<Shares<F>> = (1..)
            .zip(&uploads)
            .map(|(helper, upload)| {
                let contribution = &upload.contributions[index];
                let header = PieceHeader { helper, rot: contribution.rot, rows: contribution.rows };
                let piece = match &contribution.piece {
                    PieceBytes::Seed(seed) => PieceRef::Seed(seed),
                    PieceBytes::Data(data) => PieceRef::Data(data.as_slice()),
                };
                let digests: Vec<Digest> =
                    contribution.commitments.chunks(32).map(|c| Digest(c.try_into().unwrap())).collect();
                let helpers = scheme.helpers();
                verify_piece(&study.id(), helpers, id, &digests, &header, &contribution.salt, piece).unwrap();
                assert_eq!(contribution.rows, rows);
                read_piece::<F>(&scheme, &header, columns, piece).unwrap()
            })
            .collect();
        let points: Vec<(u8, &[F])> = (1..).zip(shares.iter().map(Shares::as_slice)).collect();
        let recombined = recombine(&scheme, &points).unwrap();
        assert!(recombined.wrong.is_empty());
        recombined.values.into_iter().map(|value| value.to_integer().to_i128().unwrap()).collect()
    });
    blocks.collect()
}

#[test]
fn every_row_comes_back_from_the_pieces_and_the_uploads_stay_in_their_size() {
    let study = study(shamir(4, 1), 1, 100_000, FieldId::F61);
    let (packer, table) = (packer(&study, 7), table(&study, 6_000));
    let batches = packer.batches(&table, Grouping::EachRow).unwrap();
    assert_eq!(batches.contributions(), 6_000);
    let mut row = -500;
    for batch in batches {
        let batch = batch.unwrap();
        assert_eq!(batch.rows, batch.ids.len() as u64);
        for upload in &batch.uploads {
            assert!(upload.len() <= limits::UPLOAD_TARGET + ENVELOPE_BYTES, "{} bytes", upload.len());
            let per_contribution = (upload.len() - ENVELOPE_BYTES) / batch.ids.len();
            assert!(per_contribution <= packer.contribution_bytes(1), "the estimate is an upper bound");
        }
        for values in recombine_batch::<F61>(&study, &batch, 1) {
            assert_eq!(values, [row, 1]);
            row += 1;
        }
    }
    assert_eq!(row, 5_500);
}

#[test]
fn a_block_is_one_contribution() {
    let study =
        study(Sharing { kind: SharingKind::Additive, helpers: 3, threshold: 2 }, 100, 10, FieldId::F127);
    let (packer, table) = (packer(&study, 7), table(&study, 100));
    let batches: Vec<_> = packer.batches(&table, Grouping::OneBlock).unwrap().collect();
    let [Ok(batch)] = batches.as_slice() else { panic!("{batches:?}") };
    let [values] = &recombine_batch::<F127>(&study, batch, 100)[..] else { panic!() };
    let expected: Vec<i128> = (-500..-400).flat_map(|salary| [salary, 1]).collect();
    assert_eq!((batch.rows, values), (100, &expected));
}

#[test]
fn blocks_by_a_column_are_contributions_of_their_own_sizes() {
    let study = study(shamir(3, 1), 3, 10, FieldId::F61);
    let text = "who,salary,gender\nb,1,male\na,2,male\nb,3,female\nb,4,male\nc,5,male\n";
    let read = |text: &str| {
        let policy = BadRowsPolicy::Refuse;
        Table::read_by(&study.columns, Some("who"), text.as_bytes(), Rounding::Exact, policy).unwrap()
    };
    let (packer, table) = (packer(&study, 7), read(text));
    let batches = packer.batches(&table, Grouping::ByColumn).unwrap();
    assert_eq!(batches.contributions(), 3);
    let batches: Vec<_> = batches.map(Result::unwrap).collect();
    let [batch] = batches.as_slice() else { panic!("{batches:?}") };
    assert_eq!(batch.rows, 5);
    let upload: Upload = decode(&batch.uploads[0], limits::UPLOAD_MAX).unwrap();
    let rows: Vec<u32> = upload.contributions.iter().map(|contribution| contribution.rows).collect();
    assert_eq!(rows, [3, 1, 1]);
    let cells =
        |values: &[i64]| -> Vec<Integer> { values.iter().map(|value| Integer::from(*value)).collect() };
    let first = packer.pack(0, 3, &cells(&[1, 1, 3, 0, 4, 1])).unwrap();
    let second = packer.pack(1, 1, &cells(&[2, 1])).unwrap();
    assert_eq!(batch.ids[..2], [first.id, second.id], "at the place of its first row in the file");
    let four = read(&format!("{text}b,6,male\n"));
    let error = packer.batches(&four, Grouping::ByColumn).unwrap_err();
    assert!(matches!(error, ContributeError::TooManyRows { rows: 4, rows_max: 3 }), "{error}");
}

#[test]
fn the_same_secret_file_and_study_give_the_same_bytes_and_nothing_else_does() {
    let study = study(shamir(3, 1), 1, 100, FieldId::F61);
    let table = table(&study, 50);
    let bytes = |secret, table: &Table| {
        let packer = packer(&study, secret);
        let batch = packer.batches(table, Grouping::EachRow).unwrap().next().unwrap().unwrap();
        (batch.ids, batch.uploads)
    };
    assert_eq!(bytes(1, &table), bytes(1, &table));
    let others = bytes(2, &table).0;
    assert!(bytes(1, &table).0.iter().all(|id| !others.contains(id)));
}

#[test]
fn a_corrected_row_changes_no_other_contribution() {
    let study = study(shamir(3, 1), 1, 100, FieldId::F61);
    let packer = packer(&study, 1);
    let ids = |text: &str| {
        let table =
            Table::read(&study.columns, text.as_bytes(), Rounding::Exact, BadRowsPolicy::Skip).unwrap();
        packer.batches(&table, Grouping::EachRow).unwrap().next().unwrap().unwrap().ids
    };
    let before = ids("salary,gender\n1,male\n2,nobody\n3,male\n");
    let after = ids("salary,gender\n1,male\n2,female\n3,male\n");
    assert_eq!([before[0], before[1]], [after[0], after[2]]);
}

#[test]
fn what_the_study_does_not_take_is_refused_before_anything_is_split() {
    let small = study(shamir(3, 1), 10, 20, FieldId::F61);
    let packer = packer(&small, 1);
    let message = |rows, grouping| packer.batches(&table(&small, rows), grouping).unwrap_err().to_string();
    assert_eq!(
        message(11, Grouping::OneBlock),
        "11 rows in one block, but the study allows 10 per contribution"
    );
    assert_eq!(message(21, Grouping::EachRow), "21 contributions, but the study's capacity is 20");
    let wide = study(shamir(3, 1), 700_000, 1, FieldId::F61);
    let packer = self::packer(&wide, 1);
    assert!(matches!(
        packer.batches(&table(&wide, 700_000), Grouping::OneBlock),
        Err(ContributeError::BlockTooLarge { rows: 700_000, .. })
    ));
    let beyond = [FieldId::F61.modulus(), Integer::ZERO];
    assert_eq!(
        packer.pack(0, 1, &beyond).unwrap_err().to_string(),
        "row 1: the value of column \"salary\" does not fit the study's field"
    );
}

#[test]
fn debug_shows_no_secret() {
    let study = study(shamir(3, 1), 1, 100, FieldId::F61);
    let packer = packer(&study, 0xab);
    let batch = packer.batches(&table(&study, 2), Grouping::EachRow).unwrap().next().unwrap().unwrap();
    let text =
        format!("{packer:?} {batch:?} {:?}", packer.pack(0, 1, &[Integer::ONE, Integer::ONE]).unwrap());
    assert!(!text.contains("171, 171"), "{text}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_block_over_any_scheme_comes_back(
        helpers in 2_u8..9,
        choice in any::<prop::sample::Index>(),
        cells in prop::collection::vec((-1000_i64..1_000_000, 0_i64..2), 1..20),
    ) {
        let threshold = choice.index(usize::from(helpers) - 1) as u8 + 1;
        let study = study(shamir(helpers, threshold), 20, 10, FieldId::F61);
        let values: Vec<i128> = cells.iter().flat_map(|(a, b)| [i128::from(*a), i128::from(*b)]).collect();
        let integers: Vec<Integer> = values.iter().map(|value| Integer::from(*value)).collect();
        let rows = cells.len() as u32;
        let packed = packer(&study, 9).pack(3, rows, &integers).unwrap();
        let upload = |contribution: &Contribution| {
            encode(&Upload { study: study.id(), contributions: vec![contribution.clone()] })
        };
        let uploads = packed.contributions.iter().map(upload).collect();
        let batch = Batch { ids: vec![packed.id], rows: rows.into(), uploads };
        prop_assert_eq!(recombine_batch::<F61>(&study, &batch, rows), vec![values]);
    }
}

/// A contribution that is larger than an upload aims at is an upload of its own; several small ones share one.
#[test]
fn vectors_are_packed_by_their_size() {
    for (length, batches) in [(100, 1), (40_000, 3), (100_000, 3)] {
        let columns = vec![Column::parse("g", &format!("vector[{length}] of 0 .. 9")).unwrap()];
        let study = study_of(shamir(3, 1), 1, 10, FieldId::F61, columns);
        let numbers: Vec<u64> = (0..3 * length).map(|number| number % 10).collect();
        let text = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': (3, {length}), }}\n");
        let size = u16::try_from(text.len()).unwrap().to_le_bytes();
        let mut bytes = [b"\x93NUMPY\x01\x00", &size[..], text.as_bytes()].concat();
        bytes.extend(numbers.iter().flat_map(|number| (*number as f64).to_le_bytes()));
        let file = crate::VectorFile::npy(std::io::Cursor::new(bytes)).unwrap();
        let table =
            Table::of_vectors(&study.columns, vec![("g".to_owned(), file)], crate::Clipping::Refuse).unwrap();
        let packer = packer(&study, 1);
        let packed: Vec<Batch> =
            packer.batches(&table, Grouping::EachRow).unwrap().map(Result::unwrap).collect();
        assert_eq!(packed.len(), batches, "{length}");
        let blocks = packed.iter().flat_map(|batch| recombine_batch::<F61>(&study, batch, 1));
        let found: Vec<i128> = blocks.flatten().collect();
        assert!(found.iter().zip(&numbers).all(|(found, number)| *found == i128::from(*number)));
        assert_eq!(found.len(), numbers.len());
    }
}

/// The longest row that a study may have fits an upload, and what a helper answers fits an answer.
#[test]
fn the_longest_row_fits_the_wire() {
    use quorate_circuit::ROW_BYTES_MAX;
    let columns = vec![Column::parse("g", "vector[1_000_000] of 0 .. 9").unwrap()];
    let study = study_of(shamir(3, 1), 1, 10, FieldId::F61, columns);
    let packer = packer(&study, 1);
    assert!(packer.contribution_bytes(1) + ENVELOPE_BYTES <= limits::UPLOAD_MAX);
    let beside = OVERHEAD_BYTES + 32 * usize::from(u8::MAX) + ENVELOPE_BYTES;
    const { assert!(limits::UPLOAD_MAX <= limits::MESSAGE_MAX && 2 * limits::MESSAGE_MAX <= limits::ANSWER_MAX) };
    assert!(ROW_BYTES_MAX + beside <= limits::UPLOAD_MAX);
}
