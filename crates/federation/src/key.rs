//! Ed25519 keys and signatures of helpers, owners and analysts.

use std::fmt;
use std::str::FromStr;

use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use quorate_hash::{Digest, Tagged};
use rand_core::CryptoRng;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

/// A party's name: its Ed25519 public key. Text form: 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PublicKey(Digest);

/// An Ed25519 signature under a label. Text form: 128 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature([u8; 64]);

/// A party's secret key: never shown, wiped when dropped. It is made where it is used and never travels.
pub struct SecretKey(SigningKey);

/// A key or signature that is not one, or does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not 64 hexadecimal digits, or not a point of the curve.
    #[error("not a public key: expected 64 hexadecimal digits that `quorate` printed as a key")]
    NotAPublicKey,
    /// Not 64 hexadecimal digits.
    #[error("not a secret key file: expected one line of 64 hexadecimal digits")]
    NotASecretKey,
    /// Not 128 hexadecimal digits.
    #[error("not a signature: expected 128 hexadecimal digits")]
    NotASignature,
    /// The signature was made by another key, under another label or over other bytes.
    #[error("the signature does not fit the message and the key")]
    Mismatch,
}

impl SecretKey {
    /// A fresh key from a cryptographic generator.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        let mut seed = Zeroizing::new([0; 32]);
        rng.fill_bytes(&mut *seed);
        SecretKey(SigningKey::from_bytes(&seed))
    }

    /// Reads the text that [`SecretKey::to_text`] writes.
    pub fn from_text(text: &str) -> Result<Self, KeyError> {
        let seed = Zeroizing::new(hex::<32>(text.trim_end()).ok_or(KeyError::NotASecretKey)?);
        Ok(SecretKey(SigningKey::from_bytes(&seed)))
    }

    /// The secret as one line of hexadecimal digits, for a file that only its owner may read.
    pub fn to_text(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(65));
        for byte in Zeroizing::new(self.0.to_bytes()).iter() {
            for nibble in [byte >> 4, byte & 15] {
                // Digits without a table look-up: no memory index depends on the secret.
                text.push(char::from(b'0' + nibble + (nibble + 6) / 16 * 39));
            }
        }
        text.push('\n');
        text
    }

    /// The secret in PKCS #8 (RFC 8410), as TLS libraries take it.
    pub fn to_pkcs8(&self) -> Zeroizing<Vec<u8>> {
        const PREFIX: [u8; 16] = [48, 46, 2, 1, 0, 48, 5, 6, 3, 43, 101, 112, 4, 34, 4, 32];
        let mut document = Zeroizing::new(Vec::with_capacity(48));
        document.extend_from_slice(&PREFIX);
        document.extend_from_slice(Zeroizing::new(self.0.to_bytes()).as_slice());
        document
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        PublicKey(Digest(self.0.verifying_key().to_bytes()))
    }

    /// Signs `digest` for the purpose `label`.
    pub fn sign(&self, label: &str, digest: &Digest) -> Signature {
        Signature(self.0.sign(&message(label, digest).0).to_bytes())
    }
}

impl PublicKey {
    /// The key with these 32 bytes; whether they are a point of the curve shows when a signature is checked.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        PublicKey(Digest(bytes))
    }

    /// The 32 bytes of RFC 8032.
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// Checks a signature of `digest` for the purpose `label`, strictly (no small-order keys, no malleability).
    pub fn verify(&self, label: &str, digest: &Digest, signature: &Signature) -> Result<(), KeyError> {
        let key = VerifyingKey::from_bytes(self.as_bytes()).map_err(|_| KeyError::NotAPublicKey)?;
        let signature = ed25519_dalek::Signature::from_bytes(&signature.0);
        key.verify_strict(&message(label, digest).0, &signature).map_err(|_| KeyError::Mismatch)
    }
}

/// What is signed: the digest under the label, so that a signature for one purpose says nothing about another.
fn message(label: &str, digest: &Digest) -> Digest {
    Tagged::new("quorate/1/signature").bytes(label.as_bytes()).digest(digest).finish()
}

fn hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.as_bytes();
    if digits.len() != 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let nibble = |digit: u8| char::from(digit).to_digit(16);
        *byte = u8::try_from(nibble(pair[0])? * 16 + nibble(pair[1])?).ok()?;
    }
    Some(bytes)
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey(of {})", self.public())
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.0.short())
    }
}

impl FromStr for PublicKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let bytes = text.parse().map_err(|_| KeyError::NotAPublicKey)?;
        let key = PublicKey(bytes);
        VerifyingKey::from_bytes(key.as_bytes()).map_err(|_| KeyError::NotAPublicKey)?;
        Ok(key)
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (halves, _) = self.0.as_chunks::<32>();
        halves.iter().try_for_each(|half| Digest(*half).fmt(f))
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature({}…)", &self.to_string()[..12])
    }
}

impl Serialize for Signature {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            serializer.serialize_bytes(&self.0)
        }
    }
}

impl<'de> Deserialize<'de> for Signature {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = if deserializer.is_human_readable() {
            hex(&String::deserialize(deserializer)?)
        } else {
            Vec::<u8>::deserialize(deserializer)?.try_into().ok()
        };
        bytes.map(Signature).ok_or_else(|| serde::de::Error::custom(KeyError::NotASignature))
    }
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng;

    use super::*;

    fn key(seed: u8) -> SecretKey {
        SecretKey::generate(&mut ChaCha20Rng::from_seed([seed; 32]))
    }

    #[test]
    fn a_signature_holds_for_one_key_label_and_digest_only() {
        let (alice, bob, digest) = (key(1), key(2), Digest([7; 32]));
        let signature = alice.sign("quorate/1/x", &digest);
        assert_eq!(alice.public().verify("quorate/1/x", &digest, &signature), Ok(()));
        assert_eq!(bob.public().verify("quorate/1/x", &digest, &signature), Err(KeyError::Mismatch));
        assert_eq!(alice.public().verify("quorate/1/y", &digest, &signature), Err(KeyError::Mismatch));
        assert_eq!(
            alice.public().verify("quorate/1/x", &Digest([8; 32]), &signature),
            Err(KeyError::Mismatch)
        );
    }

    #[test]
    fn a_small_order_key_signs_nothing() {
        let mut identity = [0; 32];
        identity[0] = 1;
        let forged = Signature([0; 64]);
        assert!(PublicKey::from_bytes(identity).verify("l", &Digest([0; 32]), &forged).is_err());
    }

    #[test]
    fn the_text_of_a_secret_key_reads_back_and_debug_hides_it() {
        for seed in 0..20 {
            let secret = key(seed);
            let text = secret.to_text();
            assert_eq!(SecretKey::from_text(&text).map(|key| key.public()), Ok(secret.public()));
            assert!(!format!("{secret:?}").contains(&text[..16]));
        }
        assert!(matches!(SecretKey::from_text("xyz"), Err(KeyError::NotASecretKey)));
    }

    #[test]
    fn pkcs8_is_what_ed25519_libraries_read() {
        use ed25519_dalek::pkcs8::DecodePrivateKey;
        let secret = key(3);
        let read = SigningKey::from_pkcs8_der(&secret.to_pkcs8()).unwrap();
        assert_eq!(read.verifying_key().as_bytes(), secret.public().as_bytes());
    }
}
