//! Envelopes: bytes that one key pair alone can read, whoever carries or keeps them.
//!
//! HPKE in base mode (RFC 9180: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305). An analyst makes a fresh
//! key pair for each request; helpers put their answers into envelopes for it, so that a helper which copies the
//! request learns no other helper's answer.

use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{
    Deserializable, Kem, OpModeR, OpModeS, Serializable, single_shot_open, single_shot_seal_with_rng,
};
use quorate_hash::Digest;
use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// Where an envelope is addressed to. Text form: 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EnvelopeKey(Digest);

/// What opens envelopes; made for one request, wiped when dropped.
pub struct EnvelopeOpener(Zeroizing<[u8; 32]>);

/// An envelope that cannot be closed or opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// The address is not a key.
    #[error("not a key that an answer can be sealed for")]
    Key,
    /// Made for another key or another purpose, or altered.
    #[error("the sealed answer does not open: it is for another request, or was altered")]
    Open,
}

/// Bytes of the encapsulated key in front of the ciphertext.
const KEY_BYTES: usize = 32;

impl EnvelopeOpener {
    /// A fresh opener from a cryptographic generator.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        let mut seed = Zeroizing::new([0; 32]);
        rng.fill_bytes(&mut *seed);
        EnvelopeOpener(seed)
    }

    /// The opener made of 32 fresh random bytes.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        EnvelopeOpener(Zeroizing::new(seed))
    }

    /// The address of envelopes that this opens.
    pub fn key(&self) -> EnvelopeKey {
        let (_, public) = X25519HkdfSha256::derive_keypair(&*self.0);
        EnvelopeKey(Digest(public.to_bytes().into()))
    }

    /// Reads an envelope that was closed for the same `purpose`.
    pub fn open(&self, purpose: &Digest, envelope: &[u8]) -> Result<Zeroizing<Vec<u8>>, EnvelopeError> {
        let (encapsulated, sealed) = envelope.split_at_checked(KEY_BYTES).ok_or(EnvelopeError::Open)?;
        let (private, _) = X25519HkdfSha256::derive_keypair(&*self.0);
        let encapsulated = Deserializable::from_bytes(encapsulated).map_err(|_| EnvelopeError::Open)?;
        single_shot_open::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
            &OpModeR::Base,
            &private,
            &encapsulated,
            purpose.as_bytes(),
            sealed,
            &[],
        )
        .map(Zeroizing::new)
        .map_err(|_| EnvelopeError::Open)
    }
}

impl EnvelopeKey {
    /// Puts `content` into an envelope for `purpose`, which both sides name: 48 bytes longer than the content.
    pub fn close(
        &self,
        purpose: &Digest,
        content: &[u8],
        rng: &mut impl CryptoRng,
    ) -> Result<Vec<u8>, EnvelopeError> {
        let public = Deserializable::from_bytes(self.0.as_bytes()).map_err(|_| EnvelopeError::Key)?;
        let (encapsulated, sealed) = single_shot_seal_with_rng::<
            ChaCha20Poly1305,
            HkdfSha256,
            X25519HkdfSha256,
        >(&OpModeS::Base, &public, purpose.as_bytes(), content, &[], rng)
        .map_err(|_| EnvelopeError::Key)?;
        Ok([&encapsulated.to_bytes()[..], &sealed].concat())
    }
}

impl std::fmt::Debug for EnvelopeOpener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "EnvelopeOpener(of {:?})", self.key())
    }
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng;

    use super::*;

    #[test]
    fn an_envelope_opens_for_its_key_and_purpose_alone_and_unaltered() {
        let mut rng = ChaCha20Rng::from_seed([1; 32]);
        let (mine, other) = (EnvelopeOpener::generate(&mut rng), EnvelopeOpener::generate(&mut rng));
        let purpose = Digest([3; 32]);
        let envelope = mine.key().close(&purpose, b"shares", &mut rng).unwrap();
        assert_eq!(envelope.len(), 6 + 48);
        assert_eq!(**mine.open(&purpose, &envelope).as_ref().unwrap(), *b"shares");
        assert_eq!(other.open(&purpose, &envelope), Err(EnvelopeError::Open));
        assert_eq!(mine.open(&Digest([4; 32]), &envelope), Err(EnvelopeError::Open));
        for place in 0..envelope.len() {
            let mut altered = envelope.clone();
            altered[place] ^= 1;
            assert_eq!(mine.open(&purpose, &altered), Err(EnvelopeError::Open), "byte {place}");
        }
        assert_eq!(mine.open(&purpose, &envelope[..20]), Err(EnvelopeError::Open));
    }
}
