//! Certificates: self-signed envelopes of one Ed25519 key.

use quorate_federation::{PublicKey, SecretKey};
use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, KeyPair, PKCS_ED25519};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::ParsedCertificate;

/// How an Ed25519 `SubjectPublicKeyInfo` begins (RFC 8410, section 4); the 32 bytes of the key follow.
const SPKI_PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// The key of the certificate that the other end showed, or `None` if it showed none, more than one, or one that
/// does not hold an Ed25519 key. In a connection whose handshake succeeded this key is proved.
pub fn peer_key(certificates: &[CertificateDer<'_>]) -> Option<PublicKey> {
    let [certificate] = certificates else { return None };
    let spki = ParsedCertificate::try_from(certificate).ok()?.subject_public_key_info();
    let key = spki.as_ref().strip_prefix(&SPKI_PREFIX)?;
    Some(PublicKey::from_bytes(key.try_into().ok()?))
}

/// The certificate and private key that `key` shows, for both ends of a connection.
///
/// # Panics
/// Never: every [`SecretKey`] makes a certificate.
#[expect(clippy::expect_used, reason = "a 48-byte PKCS #8 Ed25519 key always makes a certificate")]
pub(crate) fn identity(key: &SecretKey) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
    let private = PrivatePkcs8KeyDer::from(key.to_pkcs8().to_vec());
    let pair = KeyPair::from_pkcs8_der_and_sign_algo(&private, &PKCS_ED25519).expect("a valid key");
    let mut params = CertificateParams::new(["quorate.invalid".to_owned()]).expect("a valid name");
    params.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    let certificate = params.self_signed(&pair).expect("signing does not fail");
    (vec![certificate.der().clone()], PrivateKeyDer::Pkcs8(private))
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
    fn a_certificate_holds_exactly_its_key() {
        for seed in 0..20 {
            let (certificates, _) = identity(&key(seed));
            assert_eq!(peer_key(&certificates), Some(key(seed).public()));
        }
    }

    #[test]
    fn no_certificate_two_certificates_and_garbage_hold_none() {
        let (one, _) = identity(&key(1));
        assert_eq!(peer_key(&[]), None);
        assert_eq!(peer_key(&[one[0].clone(), one[0].clone()]), None);
        let bytes = one[0].as_ref();
        for length in 0..bytes.len() {
            assert_eq!(peer_key(&[CertificateDer::from(&bytes[..length])]), None);
        }
    }

    #[test]
    fn a_key_of_another_algorithm_is_none() {
        let pair = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
        let params = CertificateParams::new(["quorate.invalid".to_owned()]).unwrap();
        let certificate = params.self_signed(&pair).unwrap();
        assert_eq!(peer_key(&[certificate.der().clone()]), None);
    }
}
