//! Requests signed by an owner's or analyst's key.

use quorate_federation::{PublicKey, SecretKey, Signature};
use quorate_hash::{Digest, Tagged};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// A request and who signed it. The signature covers the exact `body` bytes and the kind of request, so that a
/// seal request can never be taken for a run request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signed {
    /// JSON text of the request.
    pub body: String,
    /// Who signed.
    pub key: PublicKey,
    /// Over [`Signed::digest`], under the label `quorate/1/request`.
    pub signature: Signature,
}

/// A signed request that cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignedError {
    /// The signature does not fit.
    #[error("the request's signature does not fit its body and key {key}")]
    Signature {
        /// The key that is said to have signed.
        key: PublicKey,
    },
    /// The body is not JSON of this kind of request.
    #[error("the request's body does not read as {kind}: {reason}")]
    Body {
        /// The kind of request.
        kind: &'static str,
        /// The parser's words.
        reason: String,
    },
}

/// A request that can be signed: it says its kind.
pub trait Request: Serialize + DeserializeOwned {
    /// The kind of request, part of what is signed.
    const KIND: &'static str;
}

const LABEL: &str = "quorate/1/request";

impl Signed {
    /// Signs `request` with `key`.
    ///
    /// # Panics
    /// Only if the request refuses to be JSON, which none of the workspace's does.
    #[expect(clippy::expect_used, reason = "requests are plain data with text keys")]
    pub fn new<R: Request>(request: &R, key: &SecretKey) -> Self {
        let body = serde_json::to_string(request).expect("requests are plain data");
        let signature = key.sign(LABEL, &digest(R::KIND, &body));
        Signed { body, key: key.public(), signature }
    }

    /// Checks the signature and reads the body. Whether this key may ask is the caller's to decide.
    pub fn open<R: Request>(&self) -> Result<R, SignedError> {
        let digest = self.digest::<R>();
        self.key
            .verify(LABEL, &digest, &self.signature)
            .map_err(|_| SignedError::Signature { key: self.key })?;
        serde_json::from_str(&self.body)
            .map_err(|error| SignedError::Body { kind: R::KIND, reason: error.to_string() })
    }

    /// What names this request: the hash of its kind and body.
    pub fn digest<R: Request>(&self) -> Digest {
        digest(R::KIND, &self.body)
    }
}

fn digest(kind: &str, body: &str) -> Digest {
    Tagged::new(LABEL).bytes(kind.as_bytes()).bytes(body.as_bytes()).finish()
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng;

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Ping(u32);
    impl Request for Ping {
        const KIND: &'static str = "ping";
    }
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Pong(u32);
    impl Request for Pong {
        const KIND: &'static str = "pong";
    }

    #[test]
    fn a_request_opens_as_what_it_was_signed_as_and_unchanged() {
        let key = SecretKey::generate(&mut ChaCha20Rng::from_seed([1; 32]));
        let signed = Signed::new(&Ping(3), &key);
        assert_eq!(signed.open::<Ping>(), Ok(Ping(3)));
        assert_eq!(signed.open::<Pong>(), Err(SignedError::Signature { key: key.public() }));
        let altered = Signed { body: "4".into(), ..signed };
        assert_eq!(altered.open::<Ping>(), Err(SignedError::Signature { key: key.public() }));
    }
}
