//! Fresh randomness of requests, from the operating system.

use quorate_federation::EnvelopeOpener;
use quorate_hash::Digest;

use crate::ClientError;

/// 256 bits: makes an attempt unlike any other.
///
/// # Errors
/// This machine has no randomness to give.
pub fn fresh_nonce() -> Result<Digest, ClientError> {
    random().map(Digest)
}

/// What opens the answers to one request.
///
/// # Errors
/// This machine has no randomness to give.
pub fn fresh_opener() -> Result<EnvelopeOpener, ClientError> {
    random().map(EnvelopeOpener::from_seed)
}

fn random() -> Result<[u8; 32], ClientError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| ClientError::Randomness { reason: error.to_string() })?;
    Ok(bytes)
}
