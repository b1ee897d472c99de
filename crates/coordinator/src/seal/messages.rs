//! What sealing helpers tell each other, round by round.

use quorate_federation::Signature;
use quorate_hash::Digest;
use quorate_wire::{Blob, Manifest, Signed, SignedManifest};
use serde::{Deserialize, Serialize};

use super::agreement::Item;

/// First: what this helper holds, in brief. Carries the request, so that one member that heard it is enough.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Opening {
    pub(crate) signed: Signed,
    pub(crate) standing: Standing,
    /// Contributions held.
    pub(crate) contributions: u64,
    /// One digest per bucket of ids.
    pub(crate) buckets: Vec<Digest>,
    /// How many items each bucket has: where they differ, everybody cuts the lists into the same pages.
    pub(crate) sizes: Vec<u32>,
}

/// How far the study is at the sender.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Standing {
    /// It never signed a manifest that could still be completed.
    Open,
    /// It signed this one.
    Prepared(Box<Manifest>, Signature),
    /// It has all signatures.
    Sealed(Box<SignedManifest>),
}

/// After the openings.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Second {
    /// The items of one page of buckets in which members differ, ascending.
    Lists(Vec<(u32, Vec<Item>)>),
    /// Everybody who must sign the manifest did: here is the signature again.
    Finish(Signature),
}

/// Then: fresh randomness; different for every receiver and secret.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Fresh {
    pub(crate) nonce: [u8; 32],
    /// 32 bytes for every set key that both hold.
    pub(crate) keys: Blob,
}

/// Then: the same session, the same keys.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Confirmation {
    pub(crate) session: Digest,
    pub(crate) fingerprints: Vec<Digest>,
}

/// The coin and the degree check: shares that are opened.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Opened {
    pub(crate) session: Digest,
    pub(crate) shares: Blob,
}

/// The last round.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Signing {
    pub(crate) manifest: Digest,
    pub(crate) signature: Signature,
}
