//! Pieces and their commitments: what passes the check reads as exactly the shares it should, in the field.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quorate_field::{F61, F127, F256, Field, write_slice};
use quorate_fuzz::digest;
use quorate_hash::Digest;
use quorate_sharing::{
    PieceHeader, PieceRef, Scheme, check_piece, commitment, contribution_id, read_piece, verify_piece,
};

fn check<F: Field>(scheme: &Scheme, header: &PieceHeader, columns: usize, piece: PieceRef<'_>) {
    let checked = check_piece::<F>(scheme, header, columns, piece);
    let read = read_piece::<F>(scheme, header, columns, piece);
    assert_eq!(checked.is_ok(), read.is_ok());
    if let Ok(shares) = read {
        assert_eq!(shares.len(), header.rows as usize * columns);
        if let PieceRef::Data(data) = piece {
            assert!(write_slice(shares.as_slice()) == data, "one encoding per element");
        }
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Some((&[choice, helper, rot, rows, columns], bytes)) = bytes.split_first_chunk() else { return };
    let scheme = match choice % 4 {
        0 => Scheme::shamir(4, 1),
        1 => Scheme::shamir(7, 2),
        2 => Scheme::shamir(64, 21),
        _ => Scheme::additive(3),
    };
    let scheme = scheme.expect("good schemes");
    let header = PieceHeader { helper, rot, rows: rows.into() };
    let Ok(piece) = PieceRef::parse(helper, bytes) else { return };
    assert!(*piece.encode() == bytes, "one encoding per piece");
    let columns = usize::from(columns % 8) + 1;
    check::<F61>(&scheme, &header, columns, piece);
    check::<F127>(&scheme, &header, columns, piece);
    check::<F256>(&scheme, &header, columns, piece);

    let (study, salt) = (digest(1), [2; 32]);
    let mut commitments = vec![Digest([3; 32]); scheme.helpers().into()];
    if let Some(own) = usize::from(helper).checked_sub(1).and_then(|place| commitments.get_mut(place)) {
        *own = commitment(&study, &header, &salt, piece);
    }
    let id = contribution_id(&study, &commitments);
    let fits = verify_piece(&study, scheme.helpers(), &id, &commitments, &header, &salt, piece);
    assert_eq!(fits.is_ok(), scheme.has_helper(helper));
});
