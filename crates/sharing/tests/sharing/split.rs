//! Splitting a block and putting it together again, through the public interface.

use proptest::prelude::*;
use quorate_field::{F61, F127, F256, Field};
use quorate_hash::Digest;
use quorate_sharing::{
    ContributorSecret, Dealing, HELPERS_MAX, HelperNumber, Piece, PieceHeader, Scheme, Shares, check_piece,
    read_piece, recombine, split, verify_piece,
};

const STUDY: Digest = Digest([3; 32]);

fn secret(byte: u8) -> ContributorSecret {
    ContributorSecret::from_bytes([byte; 32])
}

fn block<F: Field>(cells: usize) -> Vec<F> {
    (0..cells as u64).map(|i| F::from_u64(i * i * 1_000_003 + 17) - F::from_u64(1000)).collect()
}

/// Every helper checks its piece and reads its shares, helper 1 first.
fn receive<F: Field>(scheme: &Scheme, dealing: &Dealing, columns: usize) -> Vec<Shares<F>> {
    let receive = |dealt: &quorate_sharing::DealtPiece| {
        let header = PieceHeader { helper: dealt.helper, rot: dealing.rot, rows: dealing.rows };
        let piece = dealt.piece.as_piece_ref();
        check_piece::<F>(scheme, &header, columns, piece).unwrap();
        let (n, id, commitments) = (scheme.helpers(), &dealing.id, &dealing.commitments);
        verify_piece(&STUDY, n, id, commitments, &header, &dealt.salt, piece).unwrap();
        read_piece(scheme, &header, columns, piece).unwrap()
    };
    let numbers: Vec<HelperNumber> = dealing.pieces.iter().map(|dealt| dealt.helper).collect();
    assert_eq!(numbers, scheme.numbers().collect::<Vec<_>>());
    dealing.pieces.iter().map(receive).collect()
}

/// `shares` of these helpers recombine to `block`.
fn assert_recombines<F: Field>(scheme: &Scheme, shares: &[Shares<F>], helpers: &[usize], block: &[F]) {
    let points: Vec<(u8, &[F])> = helpers.iter().map(|&j| (j as u8 + 1, shares[j].as_slice())).collect();
    let recombined = recombine(scheme, &points).unwrap();
    assert_eq!(recombined.values, block);
    assert_eq!(recombined.redundancy, helpers.len() - scheme.needed());
    assert!(recombined.wrong.is_empty());
}

/// All subsets of `size` of `0..n`, or the first `limit` in lexicographic order.
fn subsets(n: usize, size: usize, limit: usize) -> Vec<Vec<usize>> {
    let mut subset: Vec<usize> = (0..size).collect();
    let mut all = vec![subset.clone()];
    while all.len() < limit {
        let Some(i) = (0..size).rev().find(|&i| subset[i] < n - size + i) else { break };
        subset[i] += 1;
        (i + 1..size).for_each(|k| subset[k] = subset[k - 1] + 1);
        all.push(subset.clone());
    }
    all
}

fn round_trip<F: Field>(n: u8, t: u8) {
    let scheme = Scheme::shamir(n, t).unwrap();
    let block = block::<F>(6);
    for position in 0..4 {
        let dealing = split(&scheme, &STUDY, &secret(1), position, 2, &block);
        let shares = receive::<F>(&scheme, &dealing, 3);
        for helpers in subsets(n.into(), scheme.needed(), 500) {
            assert_recombines(&scheme, &shares, &helpers, &block);
            // The mirror image, so that the last helpers take part where there are too many subsets to try all.
            let mirrored: Vec<usize> = helpers.iter().map(|j| usize::from(n) - 1 - j).collect();
            assert_recombines(&scheme, &shares, &mirrored, &block);
        }
        assert_recombines(&scheme, &shares, &(0..n.into()).collect::<Vec<_>>(), &block);
    }
}

#[test]
fn any_t_plus_one_shares_recombine() {
    for (n, t) in [
        (2, 1),
        (3, 1),
        (3, 2),
        (4, 1),
        (5, 2),
        (6, 5),
        (7, 3),
        (9, 4),
        (10, 3),
        (31, 10),
        (64, 21),
        (64, 63),
    ] {
        round_trip::<F61>(n, t);
    }
    for (n, t) in [(3, 1), (4, 1), (5, 2), (7, 3)] {
        round_trip::<F127>(n, t);
        round_trip::<F256>(n, t);
    }
}

#[test]
fn additive_shares_add_up() {
    for n in [2, 3, 5, HELPERS_MAX] {
        let scheme = Scheme::additive(n).unwrap();
        let block = block::<F61>(4);
        let dealing = split(&scheme, &STUDY, &secret(2), 0, 1, &block);
        let shares = receive::<F61>(&scheme, &dealing, 4);
        assert_recombines(&scheme, &shares, &(0..n.into()).collect::<Vec<_>>(), &block);
        let data = dealing.pieces.iter().filter(|dealt| matches!(dealt.piece, Piece::Data(_)));
        assert_eq!(
            data.map(|dealt| dealt.helper).collect::<Vec<_>>(),
            [scheme.helper_at(dealing.rot, n - 1)]
        );
    }
}

/// Everything that is sent, as bytes.
fn sent(dealing: &Dealing) -> Vec<Vec<u8>> {
    let piece = |dealt: &quorate_sharing::DealtPiece| {
        [&dealt.salt[..], dealt.piece.as_piece_ref().body(), &[dealing.rot, dealt.helper]].concat()
    };
    dealing.pieces.iter().map(piece).collect()
}

#[test]
fn the_same_call_gives_the_same_bytes_and_any_other_shares_nothing() {
    let scheme = Scheme::shamir(5, 2).unwrap();
    let block = block::<F61>(6);
    let base = split(&scheme, &STUDY, &secret(1), 7, 2, &block);
    let again = split(&scheme, &STUDY, &secret(1), 7, 2, &block);
    assert_eq!((base.id, sent(&base)), (again.id, sent(&again)));

    let mut changed = block.clone();
    changed[5] += F61::ONE;
    let others = [
        split(&scheme, &STUDY, &secret(1), 7, 2, &changed),
        split(&scheme, &STUDY, &secret(1), 8, 2, &block),
        split(&scheme, &STUDY, &secret(2), 7, 2, &block),
        split(&scheme, &STUDY, &secret(1), 7, 3, &block),
        split(&scheme, &Digest([4; 32]), &secret(1), 7, 2, &block),
        split(&Scheme::shamir(5, 1).unwrap(), &STUDY, &secret(1), 7, 2, &block),
    ];
    for other in &others {
        assert_ne!(base.id, other.id);
        for (a, b) in base.pieces.iter().zip(&other.pieces) {
            assert_ne!(a.salt, b.salt);
            assert_ne!(a.piece.as_piece_ref().body(), b.piece.as_piece_ref().body());
        }
    }
}

#[test]
fn every_rotation_occurs() {
    let scheme = Scheme::shamir(5, 2).unwrap();
    let mut counts = [0; 5];
    for position in 0..500 {
        counts[usize::from(split(&scheme, &STUDY, &secret(1), position, 1, &block::<F61>(1)).rot)] += 1;
    }
    // 100 expected, standard deviation 9.
    assert!(counts.iter().all(|count| (50..150).contains(count)), "{counts:?}");
}

#[test]
#[should_panic(expected = "not made of 2 equal rows")]
fn a_ragged_block_is_a_bug() {
    split(&Scheme::shamir(3, 1).unwrap(), &STUDY, &secret(1), 0, 2, &block::<F61>(5));
}

#[test]
fn nothing_secret_prints() {
    let scheme = Scheme::shamir(3, 1).unwrap();
    let dealing = split(&scheme, &STUDY, &secret(1), 0, 1, &[F61::from_u64(123_456)]);
    let shares = receive::<F61>(&scheme, &dealing, 1);
    assert_eq!(format!("{:?}", shares[0]), "Shares<F61>(1)");
    let printed = format!("{dealing:?} {:?}", dealing.pieces);
    assert!(printed.contains("helper 2") && printed.len() < 250, "{printed}");
}

proptest! {
    /// Blocks longer than the splitter's working width, in all fields' encodings.
    #[test]
    fn long_blocks_round_trip(rows in 1_u32..300, columns in 1_usize..5, n in 2_u8..8, position: u64) {
        let scheme = Scheme::shamir(n, n / 2).unwrap();
        let block = block::<F127>(rows as usize * columns);
        let dealing = split(&scheme, &STUDY, &secret(5), position, rows, &block);
        let shares = receive::<F127>(&scheme, &dealing, columns);
        assert_recombines(&scheme, &shares, &(0..scheme.needed()).collect::<Vec<_>>(), &block);
        assert_recombines(&scheme, &shares, &(0..n.into()).collect::<Vec<_>>(), &block);
    }
}
