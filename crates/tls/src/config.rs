//! Configurations of both ends of every kind of connection.

use std::sync::Arc;

use quorate_federation::{PublicKey, SecretKey};
use rustls::client::Resumption;
use rustls::crypto::aws_lc_rs::{default_provider, kx_group};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms};
use rustls::server::NoServerSessionStorage;
use rustls::version::TLS13;
use rustls::{ClientConfig, ServerConfig};

use crate::certificate::identity;
use crate::pin::Pinned;

/// The ALPN name of the connection between helpers. An API client at the helpers' port, or a helper at the API's,
/// is refused in the handshake.
pub const PEER_PROTOCOL: &[u8] = b"quorate-peer/1";
/// What our own clients speak at the API, whose server takes HTTP/2 from others too.
const HTTP_1: &[u8] = b"http/1.1";

/// The ALPN name of rounds of pairwise masks.
pub const MASKS_PROTOCOL: &[u8] = b"quorate-masks/1";

/// A server that shows the certificate of `key`. Without `peers`: the API, whose clients show none. With `peers`:
/// helper to helper, and only clients that prove one of these keys get through the handshake.
///
/// # Panics
/// Never: every key makes a configuration.
pub fn server_config(key: &SecretKey, peers: Option<Vec<PublicKey>>) -> Arc<ServerConfig> {
    let alpn = if peers.is_some() { [PEER_PROTOCOL].as_slice() } else { &[b"h2", HTTP_1] };
    server(key, peers, alpn.iter().map(|name| name.to_vec()).collect())
}

/// The server of rounds of pairwise masks, to which only clients get through that prove one of these keys.
///
/// # Panics
/// Never: every key makes a configuration.
pub fn masks_server_config(key: &SecretKey, clients: Vec<PublicKey>) -> Arc<ServerConfig> {
    server(key, Some(clients), vec![MASKS_PROTOCOL.to_vec()])
}

#[expect(clippy::expect_used, reason = "the provider has TLS 1.3 and takes every Ed25519 key")]
fn server(key: &SecretKey, peers: Option<Vec<PublicKey>>, alpn: Vec<Vec<u8>>) -> Arc<ServerConfig> {
    let (provider, algorithms) = provider();
    let builder = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])
        .expect("the provider has TLS 1.3");
    let builder = match peers {
        None => builder.with_no_client_auth(),
        Some(keys) => builder.with_client_cert_verifier(Arc::new(Pinned::new(keys, algorithms))),
    };
    let (certificates, private) = identity(key);
    let mut config = builder.with_single_cert(certificates, private).expect("a key and its certificate");
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Arc::new(config)
}

/// A client that accepts exactly the server with the key `pin`. Without `identity`: for the API. With `identity`:
/// helper to helper.
///
/// # Panics
/// Never: every key makes a configuration.
pub fn client_config(pin: PublicKey, identity: Option<&SecretKey>) -> Arc<ClientConfig> {
    let alpn = if identity.is_some() { PEER_PROTOCOL } else { HTTP_1 };
    client(pin, identity, vec![alpn.to_vec()])
}

/// A client of rounds of pairwise masks, which shows its own key to exactly the server with the key `pin`.
///
/// # Panics
/// Never: every key makes a configuration.
pub fn masks_client_config(pin: PublicKey, identity: &SecretKey) -> Arc<ClientConfig> {
    client(pin, Some(identity), vec![MASKS_PROTOCOL.to_vec()])
}

#[expect(clippy::expect_used, reason = "the provider has TLS 1.3 and takes every Ed25519 key")]
fn client(pin: PublicKey, identity: Option<&SecretKey>, alpn: Vec<Vec<u8>>) -> Arc<ClientConfig> {
    let (provider, algorithms) = provider();
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])
        .expect("the provider has TLS 1.3")
        .dangerous() // rustls' name for "not a public authority": `Pinned` is stricter, not laxer.
        .with_custom_certificate_verifier(Arc::new(Pinned::new(vec![pin], algorithms)));
    let mut config = match identity {
        None => builder.with_no_client_auth(),
        Some(key) => {
            let (certificates, private) = self::identity(key);
            builder.with_client_auth_cert(certificates, private).expect("a key and its certificate")
        }
    };
    config.alpn_protocols = alpn;
    config.resumption = Resumption::disabled();
    Arc::new(config)
}

/// The provider, explicitly: a process-wide default depends on what else is linked in.
fn provider() -> (Arc<CryptoProvider>, WebPkiSupportedAlgorithms) {
    let mut provider = default_provider();
    provider.kx_groups = vec![kx_group::X25519MLKEM768, kx_group::X25519];
    let algorithms = provider.signature_verification_algorithms;
    (Arc::new(provider), algorithms)
}
