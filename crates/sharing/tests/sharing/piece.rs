//! Pieces at a helper's door: what is refused, and what the refusal says.

use proptest::prelude::*;
use quorate_field::{F61, F127, F256, Field, write_slice};
use quorate_sharing::{
    PieceError, PieceHeader, PieceKind, PieceRef, Scheme, Seed, check_piece, expand, read_piece,
};

const SEED: [u8; 32] = [5; 32];
/// With rotation 1, helper 2 gets the seed of a (4,1) scheme and the others data.
const HEADER: PieceHeader = PieceHeader { helper: 3, rot: 1, rows: 2 };
const COLUMNS: usize = 3;

fn scheme() -> Scheme {
    Scheme::shamir(4, 1).unwrap()
}

fn data() -> Vec<u8> {
    write_slice(&(1..=6).map(F61::from_u64).collect::<Vec<_>>())
}

/// `check_piece` and `read_piece` agree; what they say.
fn check(header: PieceHeader, piece: PieceRef<'_>) -> Result<(), PieceError> {
    let checked = check_piece::<F61>(&scheme(), &header, COLUMNS, piece);
    assert_eq!(checked, read_piece::<F61>(&scheme(), &header, COLUMNS, piece).map(|_| ()));
    checked
}

#[test]
fn good_pieces_are_read() {
    let shares = read_piece::<F61>(&scheme(), &HEADER, COLUMNS, PieceRef::Data(&data())).unwrap();
    assert_eq!(shares.as_slice(), (1..=6).map(F61::from_u64).collect::<Vec<_>>());
    let header = PieceHeader { helper: 2, ..HEADER };
    let shares = read_piece::<F61>(&scheme(), &header, COLUMNS, PieceRef::Seed(&SEED)).unwrap();
    assert_eq!(shares.as_slice(), expand::<F61>(&Seed::from_bytes(SEED), 6).as_slice());
}

#[test]
fn headers_out_of_range() {
    let data = data();
    let check = |header| check(header, PieceRef::Data(&data)).unwrap_err();
    for helper in [0, 5, 255] {
        assert_eq!(check(PieceHeader { helper, ..HEADER }), PieceError::Helper { helper, helpers: 4 });
    }
    for rot in [4, 255] {
        assert_eq!(check(PieceHeader { rot, ..HEADER }), PieceError::Rotation { helper: 3, rot, helpers: 4 });
    }
    assert_eq!(check(PieceHeader { rows: 0, ..HEADER }), PieceError::NoRows { helper: 3 });
    let expected = u64::from(u32::MAX) * 24;
    let oversized = PieceError::Length { helper: 3, expected, found: 48 };
    assert_eq!(check(PieceHeader { rows: u32::MAX, ..HEADER }), oversized);
}

#[test]
fn the_wrong_kind() {
    let error = check(HEADER, PieceRef::Seed(&SEED)).unwrap_err();
    assert_eq!(error, PieceError::Kind { helper: 3, rot: 1, found: PieceKind::Seed });
    assert_eq!(error.to_string(), "piece for helper 3 is a seed, but with rotation 1 it must be data");
    let error = check(PieceHeader { helper: 2, ..HEADER }, PieceRef::Data(&data())).unwrap_err();
    assert_eq!(error, PieceError::Kind { helper: 2, rot: 1, found: PieceKind::Data });
}

#[test]
fn truncated_and_oversized() {
    let mut bytes = data();
    bytes.extend([0; 9]);
    for len in (0..bytes.len()).filter(|len| *len != 48) {
        let error = PieceError::Length { helper: 3, expected: 48, found: len as u64 };
        assert_eq!(check(HEADER, PieceRef::Data(&bytes[..len])), Err(error));
    }
}

#[test]
fn an_element_not_below_the_modulus_is_named() {
    for index in 0..6 {
        let mut bytes = data();
        bytes[8 * index..][..8].copy_from_slice(&((1_u64 << 61) - 1).to_le_bytes());
        let error = check(HEADER, PieceRef::Data(&bytes)).unwrap_err();
        assert_eq!(error, PieceError::NonCanonical { helper: 3, row: index / 3, column: index % 3 });
    }
    let all_ones = [0xff; 32];
    let header = PieceHeader { rows: 1, ..HEADER };
    let error = Err(PieceError::NonCanonical { helper: 3, row: 0, column: 0 });
    assert_eq!(check_piece::<F127>(&scheme(), &header, 1, PieceRef::Data(&all_ones[..16])), error);
    assert_eq!(check_piece::<F256>(&scheme(), &header, 1, PieceRef::Data(&all_ones)), error);
}

#[test]
fn encodings_round_trip_and_others_are_refused() {
    let data = data();
    for piece in [PieceRef::Seed(&SEED), PieceRef::Data(&data), PieceRef::Data(&[])] {
        let encoded = piece.encode();
        let parsed = PieceRef::parse(3, &encoded).unwrap();
        assert_eq!((parsed.kind(), parsed.body()), (piece.kind(), piece.body()));
        let owned = parsed.to_owned();
        assert_eq!(owned.as_piece_ref().body(), piece.body());
    }
    for bad in [&[][..], &[0], &[0; 32], &[0; 34], &[2; 33], &[255]] {
        let error = PieceRef::parse(3, bad).map(|_| ()).unwrap_err();
        assert_eq!(error, PieceError::Encoding { helper: 3, bytes: bad.len() });
    }
}

proptest! {
    /// Whatever comes in, the answer is a value or a typed error, and accepted data has one encoding.
    #[test]
    fn anything_at_all_is_answered(
        helper: u8, rot: u8, rows in prop_oneof![Just(0), 1_u32..4, any::<u32>()], columns in 1_usize..4,
        bytes in proptest::collection::vec(any::<u8>(), 0..120),
    ) {
        if let Ok(piece) = PieceRef::parse(helper, &bytes) {
            let header = PieceHeader { helper, rot, rows: if piece.kind() == PieceKind::Seed { rows % 1000 } else { rows } };
            if let Ok(shares) = read_piece::<F61>(&scheme(), &header, columns, piece) {
                prop_assert_eq!(shares.len(), header.rows as usize * columns);
                if piece.kind() == PieceKind::Data {
                    prop_assert_eq!(write_slice(shares.as_slice()), piece.body());
                }
            }
        }
    }
}
