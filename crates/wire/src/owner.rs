//! The owner's requests: keep a study, seal it.

use quorate_hash::Digest;
use serde::{Deserialize, Serialize};

use crate::request::Request;

/// "Keep this study." Signed by the owner it names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StudyRequest {
    /// The study's document, exactly.
    pub document: String,
}

impl Request for StudyRequest {
    const KIND: &'static str = "study";
}

/// "Close this study with these helpers." Signed by the study's owner and sent to each of `members`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealRequest {
    /// The federation's id.
    pub federation: Digest,
    /// The study's id.
    pub study: Digest,
    /// The helpers that take part, ascending.
    pub members: Vec<u8>,
    /// Higher in every request of the owner's for this study (a clock in milliseconds serves): a helper takes no
    /// request lower than one it has seen, so that an old one cannot be used again.
    pub number: u64,
    /// 256 random bits of the owner's: makes every attempt another one.
    pub nonce: Digest,
}

impl Request for SealRequest {
    const KIND: &'static str = "seal";
}
