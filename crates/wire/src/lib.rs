//! Messages between clients and helpers, their limits, and the one codec.
//!
//! The API speaks JSON, so that a person can read it and any language can write it; bulk data (uploads) and
//! messages between helpers are bincode with fixed-width little-endian integers, behind [`encode`] and
//! [`decode`]: nothing else in the workspace knows the codec. Share vectors travel as opaque little-endian
//! blobs ([`Blob`]). Every limit stands in [`limits`]. What is *not* here: what the messages mean.

mod blob;
mod codec;
mod elements;
pub mod limits;
mod manifest;
mod owner;
mod refusal;
mod request;
mod run;
mod status;
mod upload;

pub use blob::Blob;
pub use codec::{CodecError, decode, encode};
pub use elements::Elements;
pub use manifest::{Exclusions, LeftOut, Manifest, ManifestError, SignedManifest};
pub use owner::{SealRequest, StudyRequest};
pub use refusal::{Code, Refusal};
pub use request::{Request, Signed, SignedError};
pub use run::{AskedBefore, RUN_RESULT_LABEL, RunReply, RunRequest, SealedReply};
pub use status::{RecentRuns, Spent, Status, StudyState, StudyStatus};
pub use upload::{
    CommitHead, Contribution, ContributionRef, PieceBytes, PieceBytesRef, Receipt, ReceiptError, Upload,
    UploadRef,
};
