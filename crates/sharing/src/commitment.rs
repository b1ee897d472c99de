//! Commitments to pieces, and the contribution's id, which is a commitment to all of them.
//!
//! `c_j = H("quorate/1/piece"; study, j, rot, rows, salt_j, piece_j)` and
//! `id = H("quorate/1/contribution"; study, [c_1, …, c_n])`, with `H` the labelled hash of `quorate-hash`. Equal ids
//! mean equal contents at every helper, so that repeating an upload is harmless by construction and nobody can
//! upload other pieces under an id already seen. The salt (32 bytes from the contributor's secret) hides a piece of
//! low entropy; `rot` and `rows` are inside, so that two helpers can never read one contribution in two ways.

use quorate_hash::{Digest, Tagged};

use crate::piece::{PieceHeader, PieceRef};

/// A contribution that does not fit its id: the contributor's doing (or of whoever uploads in its name).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommitmentError {
    /// Not one commitment per helper.
    #[error(
        "{found} commitments, but the study has {expected} helpers: the upload was made for another federation"
    )]
    Count {
        /// The number of helpers.
        expected: usize,
        /// The number of commitments in the upload.
        found: usize,
    },
    /// The id is not the hash of the commitments.
    #[error("the id {} is not that of the commitments sent with it, which is {}", claimed.short(), actual.short())]
    Id {
        /// The id that the upload claims.
        claimed: Digest,
        /// The id that its commitments have.
        actual: Digest,
    },
    /// The piece is not the one that was committed to.
    #[error("the piece for helper {helper} is not the one its commitment in {} names", id.short())]
    Piece {
        /// The helper whose piece it claims to be.
        helper: u8,
        /// The contribution.
        id: Digest,
    },
}

/// `c_j`, the commitment to one helper's piece.
///
/// Parts of the hash: study (32 bytes), helper, rot, rows (each a number), salt (32 bytes), and the encoded piece
/// (one byte of kind, then its bytes).
pub fn commitment(study: &Digest, header: &PieceHeader, salt: &[u8; 32], piece: PieceRef<'_>) -> Digest {
    Tagged::new("quorate/1/piece")
        .digest(study)
        .u64(header.helper.into())
        .u64(header.rot.into())
        .u64(header.rows.into())
        .bytes(salt)
        .joined(&[piece.kind().code()], piece.body())
        .finish()
}

/// The id of the contribution with these commitments, `c_1` first.
pub fn contribution_id(study: &Digest, commitments: &[Digest]) -> Digest {
    Tagged::new("quorate/1/contribution").digest(study).list(commitments.iter()).finish()
}

/// Checks one helper's part of an upload against its id: as many commitments as there are helpers, the id is
/// theirs, and the piece with its header and salt is the one that commitment `header.helper` names.
///
/// `header` must have passed [`crate::check_piece`] (its helper is one of `1..=helpers`), else
/// [`CommitmentError::Piece`].
pub fn verify_piece(
    study: &Digest,
    helpers: u8,
    id: &Digest,
    commitments: &[Digest],
    header: &PieceHeader,
    salt: &[u8; 32],
    piece: PieceRef<'_>,
) -> Result<(), CommitmentError> {
    if commitments.len() != usize::from(helpers) {
        return Err(CommitmentError::Count { expected: helpers.into(), found: commitments.len() });
    }
    let actual = contribution_id(study, commitments);
    if actual != *id {
        return Err(CommitmentError::Id { claimed: *id, actual });
    }
    let named = usize::from(header.helper).checked_sub(1).and_then(|index| commitments.get(index));
    if named != Some(&commitment(study, header, salt, piece)) {
        return Err(CommitmentError::Piece { helper: header.helper, id: *id });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const STUDY: Digest = Digest([1; 32]);
    const HEADER: PieceHeader = PieceHeader { helper: 2, rot: 1, rows: 3 };

    fn of(study: &Digest, header: PieceHeader, salt: u8, piece: PieceRef<'_>) -> Digest {
        commitment(study, &header, &[salt; 32], piece)
    }

    #[test]
    fn every_part_is_bound() {
        let seed = [9; 32];
        let base = of(&STUDY, HEADER, 5, PieceRef::Seed(&seed));
        let others = [
            of(&Digest([2; 32]), HEADER, 5, PieceRef::Seed(&seed)),
            of(&STUDY, PieceHeader { helper: 3, ..HEADER }, 5, PieceRef::Seed(&seed)),
            of(&STUDY, PieceHeader { rot: 2, ..HEADER }, 5, PieceRef::Seed(&seed)),
            of(&STUDY, PieceHeader { rows: 4, ..HEADER }, 5, PieceRef::Seed(&seed)),
            of(&STUDY, HEADER, 6, PieceRef::Seed(&seed)),
            of(&STUDY, HEADER, 5, PieceRef::Data(&seed)),
            of(&STUDY, HEADER, 5, PieceRef::Data(&seed[1..])),
        ];
        for other in others {
            assert_ne!(base, other);
        }
    }

    #[test]
    fn an_altered_upload_is_refused_and_says_what_does_not_fit() {
        let seed = [9; 32];
        let piece = PieceRef::Seed(&seed);
        let commitments = [Digest([7; 32]), of(&STUDY, HEADER, 5, piece), Digest([8; 32])];
        let id = contribution_id(&STUDY, &commitments);
        let check = |id, commitments: &[Digest], header: PieceHeader, salt: u8| {
            verify_piece(&STUDY, 3, &id, commitments, &header, &[salt; 32], piece)
        };
        assert_eq!(check(id, &commitments, HEADER, 5), Ok(()));
        assert_eq!(
            check(id, &commitments[..2], HEADER, 5),
            Err(CommitmentError::Count { expected: 3, found: 2 })
        );
        let claimed = Digest([0; 32]);
        assert_eq!(check(claimed, &commitments, HEADER, 5), Err(CommitmentError::Id { claimed, actual: id }));
        assert_eq!(check(id, &commitments, HEADER, 6), Err(CommitmentError::Piece { helper: 2, id }));
        for helper in [0, 1, 4, 255] {
            let header = PieceHeader { helper, ..HEADER };
            assert_eq!(check(id, &commitments, header, 5), Err(CommitmentError::Piece { helper, id }));
        }
    }
}
