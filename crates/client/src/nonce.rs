//! Nonces of requests.

use quorate_hash::Digest;

use crate::ClientError;

/// 256 bits from the operating system: makes an attempt unlike any other.
///
/// # Errors
/// This machine has no randomness to give.
pub fn fresh_nonce() -> Result<Digest, ClientError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| ClientError::Randomness { reason: error.to_string() })?;
    Ok(Digest(bytes))
}
