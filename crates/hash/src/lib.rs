//! Domain-separated hashes, digests and Merkle trees.
//!
//! Everything that two parties must agree on (a study, a contribution, a session, a manifest) is named by a
//! SHA-256 digest of a *labelled* byte string, so that bytes hashed for one purpose can never be taken for
//! another. The encoding is spelled out at [`Tagged`]; with it and [`merkle`] another language can recompute
//! every id. What is *not* here: keys, randomness, anything secret-dependent.

#![cfg_attr(test, allow(clippy::cast_possible_truncation))]

mod digest;
pub mod merkle;
mod tagged;

pub use digest::{Digest, ParseDigestError};
pub use tagged::Tagged;
