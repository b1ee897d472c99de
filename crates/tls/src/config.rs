//! Configurations of both ends of both kinds of connection.

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

/// A server that shows the certificate of `key`. Without `peers`: the API, whose clients show none. With `peers`:
/// helper to helper, and only clients that prove one of these keys get through the handshake.
///
/// # Panics
/// Never: every key makes a configuration.
#[expect(clippy::expect_used, reason = "the provider has TLS 1.3 and takes every Ed25519 key")]
pub fn server_config(key: &SecretKey, peers: Option<Vec<PublicKey>>) -> Arc<ServerConfig> {
    let (provider, algorithms) = provider();
    let builder = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])
        .expect("the provider has TLS 1.3");
    let alpn = if peers.is_some() { [PEER_PROTOCOL].as_slice() } else { &[b"h2", HTTP_1] };
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
#[expect(clippy::expect_used, reason = "the provider has TLS 1.3 and takes every Ed25519 key")]
pub fn client_config(pin: PublicKey, identity: Option<&SecretKey>) -> Arc<ClientConfig> {
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
    let alpn = if identity.is_some() { PEER_PROTOCOL } else { HTTP_1 };
    config.alpn_protocols = vec![alpn.to_vec()];
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
