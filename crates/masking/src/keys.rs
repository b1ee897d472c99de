//! Keys of one client for one round: one pair for masks, another for sealing shares.
//!
//! Two independent pairs, because the server learns the mask key of a client that drops out: were it the key that its
//! shares are sealed with too, the server could open all of them. Both public keys are signed by the client's
//! lasting key, together with the round's id, which has the hash of the model in it.
//!
//! ```text
//! mask of i and j      HKDF-SHA256(ikm = DH(mask_i, mask_j), salt = none,
//!                                  info = "quorate/1/masks/pair" ‖ round ‖ min(i,j) ‖ max(i,j), length 32)
//! envelope i to j      ChaCha20-Poly1305, nonce 0, under HKDF-SHA256(ikm = DH(seal_i, seal_j), salt = none,
//!                                  info = "quorate/1/masks/seal" ‖ round ‖ i ‖ j, length 32)
//! self-mask of i       HKDF-SHA256(ikm = b_i, salt = none, info = "quorate/1/masks/self" ‖ round ‖ i, length 32)
//! ```
//!
//! Positions are four little-endian bytes; DH is X25519 (RFC 7748). A key of small order makes no secret and is refused.
//! An envelope's key is used once: it is for one round, one direction and one message.

use chacha20poly1305::aead::{Aead as _, KeyInit as _};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};
use hkdf::Hkdf;
use quorate_hash::Digest;
use quorate_sharing::Seed;
use rand_core::CryptoRng;
use sha2::Sha256;
use x25519_dalek::{PublicKey, SharedSecret, StaticSecret};
use zeroize::Zeroizing;

use crate::{Fault, Position};

/// Bytes that an envelope is longer than what is in it.
pub const ENVELOPE_BYTES: usize = 16;

/// One X25519 pair of one round. The secret half is wiped when dropped.
pub struct RoundKey(StaticSecret);

impl RoundKey {
    /// A fresh key from a cryptographic generator.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        RoundKey::from_secret(&fresh(rng))
    }

    /// The key with these secret bytes, as shares recover them.
    pub fn from_secret(secret: &[u8; 32]) -> Self {
        RoundKey(StaticSecret::from(*secret))
    }

    /// The secret bytes, to be shared.
    pub fn secret(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.to_bytes())
    }

    /// The public half.
    pub fn public(&self) -> Digest {
        Digest(PublicKey::from(&self.0).to_bytes())
    }

    /// Whether a public key makes a secret with others: one of small order makes none with any.
    pub fn is_sound(public: &Digest) -> bool {
        // A multiple of eight, as every X25519 secret is, takes a point of small order to zero.
        StaticSecret::from([1; 32]).diffie_hellman(&PublicKey::from(public.0)).was_contributory()
    }

    /// What this key and another's public one have in common.
    fn agree(&self, other: Position, public: &Digest) -> Result<SharedSecret, Fault> {
        let shared = self.0.diffie_hellman(&PublicKey::from(public.0));
        if shared.was_contributory() { Ok(shared) } else { Err(Fault::Key(other)) }
    }

    /// The seed of the mask that `own` and `other` have in common.
    pub fn pair_seed(
        &self,
        round: &Digest,
        own: Position,
        other: Position,
        public: &Digest,
    ) -> Result<Seed, Fault> {
        let shared = self.agree(other, public)?;
        Ok(derive(shared.as_bytes(), b"quorate/1/masks/pair", round, &[own.min(other), own.max(other)]))
    }

    /// The envelopes between `own` and `other`.
    pub fn envelopes(
        &self,
        round: &Digest,
        own: Position,
        other: Position,
        public: &Digest,
    ) -> Result<Envelopes, Fault> {
        let shared = self.agree(other, public)?;
        let key = |from, to| derive(shared.as_bytes(), b"quorate/1/masks/seal", round, &[from, to]);
        Ok(Envelopes { outward: key(own, other), inward: key(other, own) })
    }
}

/// Both directions of envelopes between two clients.
pub struct Envelopes {
    outward: Seed,
    inward: Seed,
}

impl Envelopes {
    /// Closes the one envelope that is sent.
    pub fn close(&self, content: &[u8]) -> Vec<u8> {
        let cipher = ChaCha20Poly1305::new(self.outward.expose().into());
        #[expect(clippy::expect_used, reason = "only contents of more than 256 GiB are refused")]
        cipher.encrypt(&Nonce::default(), content).expect("a share is short")
    }

    /// Opens the one that is received, if it was made for this round by the other and is unaltered.
    pub fn open(&self, envelope: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let cipher = ChaCha20Poly1305::new(self.inward.expose().into());
        cipher.decrypt(&Nonce::default(), envelope).ok().map(Zeroizing::new)
    }
}

/// The seed of a client's self-mask, from the secret that its neighbours can recover.
pub fn self_seed(secret: &[u8; 32], round: &Digest, own: Position) -> Seed {
    derive(secret, b"quorate/1/masks/self", round, &[own])
}

/// 32 uniformly random bytes.
pub fn fresh(rng: &mut impl CryptoRng) -> Zeroizing<[u8; 32]> {
    let mut secret = Zeroizing::new([0; 32]);
    rng.fill_bytes(&mut *secret);
    secret
}

fn derive(secret: &[u8], label: &[u8], round: &Digest, positions: &[Position]) -> Seed {
    let mut key = Zeroizing::new([0; 32]);
    let positions: Vec<u8> = positions.iter().flat_map(|position| position.to_le_bytes()).collect();
    #[expect(clippy::expect_used, reason = "HKDF-SHA256 gives up to 8160 bytes, and 32 are asked for")]
    Hkdf::<Sha256>::new(None, secret)
        .expand_multi_info(&[label, &round.0, &positions], &mut *key)
        .expect("32 bytes of output");
    Seed::from_bytes(*key)
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng;

    use super::*;

    const ROUND: Digest = Digest([3; 32]);

    fn keys() -> (RoundKey, RoundKey) {
        let mut rng = ChaCha20Rng::from_seed([1; 32]);
        (RoundKey::generate(&mut rng), RoundKey::generate(&mut rng))
    }

    #[test]
    fn both_ends_of_a_pair_have_one_seed_and_only_in_one_round() {
        let (a, b) = keys();
        let seed =
            |round: &Digest, own, other| *a.pair_seed(round, own, other, &b.public()).unwrap().expose();
        assert_eq!(seed(&ROUND, 4, 9), *b.pair_seed(&ROUND, 9, 4, &a.public()).unwrap().expose());
        assert_ne!(seed(&ROUND, 4, 9), seed(&Digest([4; 32]), 4, 9));
        assert_ne!(seed(&ROUND, 4, 9), seed(&ROUND, 4, 8));
    }

    #[test]
    fn an_envelope_opens_at_the_other_end_in_its_direction_and_round_alone() {
        let (a, b) = keys();
        let ours = a.envelopes(&ROUND, 1, 2, &b.public()).unwrap();
        let theirs = b.envelopes(&ROUND, 2, 1, &a.public()).unwrap();
        let envelope = ours.close(b"share");
        assert_eq!(envelope.len(), 5 + ENVELOPE_BYTES);
        assert_eq!(**theirs.open(&envelope).unwrap(), *b"share");
        assert!(ours.open(&envelope).is_none());
        let another_round = b.envelopes(&Digest([4; 32]), 2, 1, &a.public()).unwrap();
        assert!(another_round.open(&envelope).is_none());
        for place in 0..envelope.len() {
            let mut altered = envelope.clone();
            altered[place] ^= 1;
            assert!(theirs.open(&altered).is_none(), "byte {place}");
        }
    }

    #[test]
    fn keys_of_small_order_are_refused() {
        let (a, _) = keys();
        assert_eq!(a.pair_seed(&ROUND, 0, 7, &Digest([0; 32])).unwrap_err(), Fault::Key(7));
        assert!(a.envelopes(&ROUND, 0, 7, &Digest([0; 32])).is_err());
    }

    #[test]
    fn a_recovered_secret_makes_the_same_key() {
        let (a, _) = keys();
        assert_eq!(RoundKey::from_secret(&a.secret()).public(), a.public());
    }
}
