//! Contributions on their way to one helper, and the receipts for them.

use std::fmt;
use std::ops::Range;

use quorate_federation::{PublicKey, Signature};
use quorate_hash::{Digest, Tagged, merkle};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::Blob;

/// Contributions of one study, for one helper. bincode.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Upload {
    /// The study's id.
    pub study: Digest,
    /// At most [`crate::limits::UPLOAD_CONTRIBUTIONS_MAX`].
    pub contributions: Vec<Contribution>,
}

/// One contribution as one helper gets it: its piece, and what proves that it is that helper's piece.
#[derive(Clone, Serialize, Deserialize)]
pub struct Contribution {
    /// The public rotation that says which helpers hold seeds, `0..n`.
    pub rot: u8,
    /// Rows in the block.
    pub rows: u32,
    /// What blinds this helper's commitment.
    pub salt: [u8; 32],
    /// `c_1 ‖ … ‖ c_n`, 32 bytes each.
    #[serde(with = "serde_bytes")]
    pub commitments: Vec<u8>,
    /// The piece.
    pub piece: PieceBytes,
}

/// A piece: a seed whose stream is the share, or the share itself as canonical little-endian elements.
#[derive(Clone, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
pub enum PieceBytes {
    /// 32 bytes.
    Seed([u8; 32]),
    /// The elements of `rows` rows, each of as many cells as the study's columns have.
    Data(Blob),
}

/// An [`Upload`] read where its bytes are.
#[derive(Deserialize)]
pub struct UploadRef<'a> {
    /// The study's id.
    pub study: Digest,
    /// At most [`crate::limits::UPLOAD_CONTRIBUTIONS_MAX`].
    #[serde(borrow)]
    pub contributions: Vec<ContributionRef<'a>>,
}

/// A [`Contribution`] read where its bytes are: what may be long is not copied.
#[derive(Deserialize)]
pub struct ContributionRef<'a> {
    /// The public rotation that says which helpers hold seeds, `0..n`.
    pub rot: u8,
    /// Rows in the block.
    pub rows: u32,
    /// What blinds this helper's commitment.
    pub salt: [u8; 32],
    /// `c_1 ‖ … ‖ c_n`, 32 bytes each.
    pub commitments: &'a [u8],
    /// The piece.
    #[serde(borrow)]
    pub piece: PieceBytesRef<'a>,
}

/// A [`PieceBytes`] read where its bytes are. A seed is short, and wiped when dropped.
#[derive(Deserialize, Zeroize, ZeroizeOnDrop)]
pub enum PieceBytesRef<'a> {
    /// 32 bytes.
    Seed([u8; 32]),
    /// The elements of `rows` rows, each of as many cells as the study's columns have.
    Data(#[zeroize(skip)] &'a [u8]),
}

impl UploadRef<'_> {
    /// Where each contribution is in the bytes that the upload was read from, in order.
    pub fn places(&self) -> impl Iterator<Item = Range<usize>> {
        let mut end = self.study.0.len() + LENGTH;
        self.contributions.iter().map(move |contribution| {
            let start = end;
            end += contribution.encoded_len();
            start..end
        })
    }
}

/// Bytes of the length in front of a byte string or a list, and of the number that tells the variants of an enum apart.
const LENGTH: usize = size_of::<u64>();
const VARIANT: usize = size_of::<u32>();

impl ContributionRef<'_> {
    /// How many bytes it was read from.
    fn encoded_len(&self) -> usize {
        let head = size_of_val(&self.rot) + size_of_val(&self.rows) + self.salt.len();
        let piece = match &self.piece {
            PieceBytesRef::Seed(seed) => seed.len(),
            PieceBytesRef::Data(data) => LENGTH + data.len(),
        };
        head + LENGTH + self.commitments.len() + VARIANT + piece
    }
}

impl fmt::Debug for Contribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Contribution(rot {}, {} rows, {:?})", self.rot, self.rows, self.piece)
    }
}

impl fmt::Debug for PieceBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PieceBytes::Seed(_) => f.write_str("Seed(32 bytes)"),
            PieceBytes::Data(blob) => write!(f, "Data({} bytes)", blob.len()),
        }
    }
}

/// What one group commit made durable: the Merkle root over the uploads in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitHead {
    /// The study.
    pub study: Digest,
    /// The helper's number.
    pub helper: u8,
    /// Uploads in the commit.
    pub uploads: u64,
    /// Root over one leaf per upload; a leaf is the root over the ids of its contributions.
    pub root: Digest,
}

/// A helper's promise that an upload is durable: the signed root of its group commit and the path to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The commit.
    pub head: CommitHead,
    /// Over [`CommitHead::digest`].
    pub signature: Signature,
    /// The upload's place in the commit.
    pub index: u64,
    /// From the upload's leaf to the root.
    pub path: Vec<Digest>,
    /// How many of the upload's contributions were there already. Uploading again is harmless.
    pub repeated: u64,
}

/// A receipt that does not prove what it should. To blame: the helper that sent it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// It is for another study or helper.
    #[error("the receipt is for another study or helper")]
    Elsewhere,
    /// The path does not lead from the upload to the root.
    #[error("the receipt's path does not lead from the upload to the signed root")]
    Path,
    /// The signature is wrong.
    #[error("the receipt's signature is not the helper's")]
    Signature,
}

const LABEL: &str = "quorate/1/receipt";

impl CommitHead {
    /// What is signed.
    pub fn digest(&self) -> Digest {
        let hash = Tagged::new(LABEL).digest(&self.study).u64(self.helper.into());
        hash.u64(self.uploads).digest(&self.root).finish()
    }

    /// Signs the head as helper's receipt.
    pub fn sign(&self, key: &quorate_federation::SecretKey) -> Signature {
        key.sign(LABEL, &self.digest())
    }
}

impl Receipt {
    /// Whether this receipt promises that `helper`, whose key is `key`, has the contributions `ids` of `study`,
    /// which were one upload, in this order.
    pub fn verify(
        &self,
        study: &Digest,
        helper: u8,
        key: &PublicKey,
        ids: &[Digest],
    ) -> Result<(), ReceiptError> {
        self.verify_path(study, helper, ids)?;
        self.verify_signature(key)
    }

    /// Whether the upload of `ids` is in the commit that the receipt names, and that commit is `helper`'s and of `study`.
    pub fn verify_path(&self, study: &Digest, helper: u8, ids: &[Digest]) -> Result<(), ReceiptError> {
        if self.head.study != *study || self.head.helper != helper {
            return Err(ReceiptError::Elsewhere);
        }
        let leaf = merkle::root(ids);
        let root = merkle::root_from_path(&leaf, self.index, self.head.uploads, &self.path);
        if root == Some(self.head.root) { Ok(()) } else { Err(ReceiptError::Path) }
    }

    /// Whether `key` signed the commit that the receipt names: the same question for all uploads in it.
    pub fn verify_signature(&self, key: &PublicKey) -> Result<(), ReceiptError> {
        key.verify(LABEL, &self.head.digest(), &self.signature).map_err(|_| ReceiptError::Signature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{decode, encode};

    #[test]
    fn a_borrowed_upload_is_the_upload_and_knows_where_its_contributions_are() {
        let contribution = |rot: u8, piece| Contribution {
            rot,
            rows: 7,
            salt: [rot; 32],
            commitments: vec![rot; 96],
            piece,
        };
        let pieces = [PieceBytes::Seed([5; 32]), PieceBytes::Data(Blob::new(vec![6; 11]))];
        let contributions = (1..).zip(pieces).map(|(rot, piece)| contribution(rot, piece)).collect();
        let upload = Upload { study: Digest([9; 32]), contributions };
        let bytes = encode(&upload);

        let read: UploadRef<'_> = decode(&bytes, bytes.len()).unwrap();
        assert_eq!((read.study, read.contributions.len()), (upload.study, 2));
        assert_eq!(read.places().last().unwrap().end, bytes.len());
        for ((place, found), contribution) in
            read.places().zip(&read.contributions).zip(&upload.contributions)
        {
            assert_eq!(bytes[place], encode(contribution));
            assert_eq!((found.rot, found.rows, found.salt), (contribution.rot, 7, contribution.salt));
            assert_eq!(found.commitments, contribution.commitments);
            match (&found.piece, &contribution.piece) {
                (PieceBytesRef::Seed(found), PieceBytes::Seed(seed)) => assert_eq!(found, seed),
                (PieceBytesRef::Data(found), PieceBytes::Data(data)) => assert_eq!(*found, data.as_slice()),
                _ => panic!("a piece of another kind"),
            }
        }
    }
}
