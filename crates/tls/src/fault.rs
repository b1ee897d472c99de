//! Faults: why a handshake failed, in words for the operator or client who has to act.

use std::error::Error as StdError;
use std::io;

use quorate_federation::PublicKey;
use rustls::{AlertDescription, CertificateError, InvalidMessage, PeerIncompatible};

/// Why the two ends did not come to a connection. The text reads on from "helper 2 at host:port ".
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TlsFault {
    /// The server proved, or showed, another key than the one that is pinned.
    #[error(
        "answered with another key than the federation file says; get the current federation file from its \
         organiser, or, if it is current, do not trust this address (expected {expected}, found {found})"
    )]
    OtherKey {
        /// The pinned key.
        expected: PublicKey,
        /// The key of the certificate that was shown.
        found: PublicKey,
    },
    /// The client's key is not one of this federation's helpers.
    #[error("showed key {found}, which is no helper of this federation; compare the federation files")]
    NotAPeer {
        /// The key of the certificate that was shown.
        found: PublicKey,
    },
    /// The certificate does not hold an Ed25519 key.
    #[error("showed a certificate without an Ed25519 key: it is not a Quorate helper; check the address")]
    NoKey,
    /// A helper's port was reached without a certificate.
    #[error("showed no certificate; only helpers of the federation may connect to this port")]
    NoCertificate,
    /// The other end refused our certificate, or missed one.
    #[error(
        "refused this helper's key; its federation file is another one, or the address is not a helper's"
    )]
    Refused,
    /// The other end does not speak TLS.
    #[error("does not speak TLS; check the address and port")]
    NotTls,
    /// The other end speaks an older TLS only.
    #[error(
        "does not speak TLS 1.3, the only version accepted; check the address, and for a proxy in between"
    )]
    OldTls,
    /// The other end speaks TLS 1.3, but not this protocol.
    #[error("speaks another protocol; the API's address and the helpers' peer address may be swapped")]
    OtherProtocol,
    /// The handshake is not signed with the key that was shown.
    #[error("could not prove that the key it showed is its own; do not trust this address")]
    Unproved,
}

impl TlsFault {
    /// Finds the fault in an error of a connection, through whatever libraries wrapped it; `None` if the cause is
    /// not TLS (nobody listens, the network is down).
    pub fn of(error: &(dyn StdError + 'static)) -> Option<TlsFault> {
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(fault) = error.downcast_ref::<TlsFault>() {
                return Some(*fault);
            }
            if let Some(error) = error.downcast_ref::<rustls::Error>() {
                return Self::of_rustls(error);
            }
            // `io::Error::source` leaves out the very error it wraps.
            let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
            next = match wrapped {
                Some(inner) => Some(inner as &(dyn StdError + 'static)),
                None => error.source(),
            };
        }
        None
    }

    fn of_rustls(error: &rustls::Error) -> Option<TlsFault> {
        use rustls::Error;
        Some(match error {
            Error::InvalidCertificate(CertificateError::Other(other)) => {
                *other.0.downcast_ref::<TlsFault>()?
            }
            Error::InvalidCertificate(CertificateError::BadSignature) => TlsFault::Unproved,
            Error::InvalidCertificate(_) | Error::UnsupportedNameType => TlsFault::NoKey,
            Error::NoCertificatesPresented => TlsFault::NoCertificate,
            Error::InvalidMessage(
                InvalidMessage::InvalidContentType | InvalidMessage::UnknownProtocolVersion,
            ) => TlsFault::NotTls,
            Error::PeerIncompatible(
                PeerIncompatible::ServerDoesNotSupportTls12Or13
                | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig
                | PeerIncompatible::SupportedVersionsExtensionRequired
                | PeerIncompatible::Tls12NotOffered
                | PeerIncompatible::Tls12NotOfferedOrEnabled,
            )
            | Error::AlertReceived(AlertDescription::ProtocolVersion) => TlsFault::OldTls,
            Error::NoApplicationProtocol | Error::AlertReceived(AlertDescription::NoApplicationProtocol) => {
                TlsFault::OtherProtocol
            }
            Error::AlertReceived(
                AlertDescription::CertificateRequired
                | AlertDescription::BadCertificate
                | AlertDescription::CertificateUnknown
                | AlertDescription::UnknownCA
                | AlertDescription::AccessDenied,
            ) => TlsFault::Refused,
            _ => return None,
        })
    }
}
