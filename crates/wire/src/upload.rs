//! Contributions on their way to one helper, and the receipts for them.

use std::fmt;

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
        if self.head.study != *study || self.head.helper != helper {
            return Err(ReceiptError::Elsewhere);
        }
        let leaf = merkle::root(ids);
        let root = merkle::root_from_path(&leaf, self.index, self.head.uploads, &self.path);
        if root != Some(self.head.root) {
            return Err(ReceiptError::Path);
        }
        key.verify(LABEL, &self.head.digest(), &self.signature).map_err(|_| ReceiptError::Signature)
    }
}
