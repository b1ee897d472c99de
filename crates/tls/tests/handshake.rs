//! Both ends of a connection in one process: who gets through, and what the other one is told.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::io;
use std::sync::Arc;

use quorate_federation::{PublicKey, SecretKey};
use quorate_tls::{PEER_PROTOCOL, TlsFault, client_config, peer_key, server_config};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, NamedGroup, ProtocolVersion, ServerConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio_rustls::client::TlsStream as ClientStream;
use tokio_rustls::server::TlsStream as ServerStream;
use tokio_rustls::{TlsAcceptor, TlsConnector};

fn key(seed: u8) -> SecretKey {
    SecretKey::generate(&mut ChaCha20Rng::from_seed([seed; 32]))
}

fn public(seed: u8) -> PublicKey {
    key(seed).public()
}

type Ends = (io::Result<ClientStream<DuplexStream>>, io::Result<ServerStream<DuplexStream>>);

async fn handshake(client: Arc<ClientConfig>, server: Arc<ServerConfig>) -> Ends {
    let (near, far) = duplex(64 << 10);
    let name = ServerName::try_from("helper.example").unwrap();
    let connect = async {
        // In TLS 1.3 the client hears of a refusal with the first bytes after its own handshake.
        let mut stream = TlsConnector::from(client).connect(name, near).await?;
        stream.read_exact(&mut [0; 2]).await.map(|_| stream)
    };
    let accept = async {
        let mut stream = TlsAcceptor::from(server).accept(far).await?;
        stream.write_all(b"ok").await.map(|()| stream)
    };
    tokio::join!(connect, accept)
}

fn fault<T>(result: io::Result<T>) -> Option<TlsFault> {
    TlsFault::of(&result.err().expect("the handshake should fail"))
}

#[tokio::test]
async fn a_client_reaches_the_api_of_the_pinned_helper_with_post_quantum_key_exchange() {
    let (client, server) = handshake(client_config(public(1), None), server_config(&key(1), None)).await;
    let (client, server) = (client.unwrap(), server.unwrap());
    let ends: [&rustls::CommonState; 2] = [client.get_ref().1, server.get_ref().1];
    for state in ends {
        assert_eq!(state.protocol_version(), Some(ProtocolVersion::TLSv1_3));
        assert_eq!(state.negotiated_key_exchange_group().unwrap().name(), NamedGroup::X25519MLKEM768);
        assert_eq!(state.alpn_protocol(), Some(&b"http/1.1"[..]));
    }
    assert_eq!(peer_key(client.get_ref().1.peer_certificates().unwrap()), Some(public(1)));
    assert_eq!(server.get_ref().1.peer_certificates(), None);
}

#[tokio::test]
async fn helpers_prove_their_keys_to_each_other() {
    let server = server_config(&key(1), Some(vec![public(2), public(3)]));
    for seed in [2, 3] {
        let client = client_config(public(1), Some(&key(seed)));
        let (client, server) = handshake(client, server.clone()).await;
        assert_eq!(client.unwrap().get_ref().1.alpn_protocol(), Some(PEER_PROTOCOL));
        assert_eq!(peer_key(server.unwrap().get_ref().1.peer_certificates().unwrap()), Some(public(seed)));
    }
}

#[tokio::test]
async fn a_server_with_another_key_is_named_as_such() {
    for identity in [None, Some(key(3))] {
        let peers = identity.as_ref().map(|key| vec![key.public()]);
        let client = client_config(public(1), identity.as_ref());
        let (client, server) = handshake(client, server_config(&key(2), peers)).await;
        let expected = TlsFault::OtherKey { expected: public(1), found: public(2) };
        assert!(expected.to_string().contains("another key than the federation file says"));
        assert_eq!(fault(client), Some(expected));
        assert!(server.is_err());
    }
}

#[tokio::test]
async fn a_stranger_at_the_helpers_port_is_refused_at_both_ends() {
    let server = server_config(&key(1), Some(vec![public(2), public(3)]));
    let (client, server) = handshake(client_config(public(1), Some(&key(4))), server).await;
    assert_eq!(fault(server), Some(TlsFault::NotAPeer { found: public(4) }));
    assert_eq!(fault(client), Some(TlsFault::Refused));
}

#[tokio::test]
async fn no_certificate_at_the_helpers_port_is_refused_at_both_ends() {
    let mut client = (*client_config(public(1), None)).clone();
    client.alpn_protocols = vec![PEER_PROTOCOL.to_vec()];
    let server = server_config(&key(1), Some(vec![public(2)]));
    let (client, server) = handshake(Arc::new(client), server).await;
    assert_eq!(fault(server), Some(TlsFault::NoCertificate));
    assert_eq!(fault(client), Some(TlsFault::Refused));
}

#[tokio::test]
async fn another_helpers_certificate_without_its_key_proves_nothing() {
    // The client shows helper 2's certificate, which everybody has seen, but signs with its own key 3.
    let (_, taken) =
        handshake(client_config(public(1), Some(&key(2))), server_config(&key(1), Some(vec![public(2)])))
            .await;
    let stolen = taken.unwrap().get_ref().1.peer_certificates().unwrap().to_vec();
    let signer = rustls::crypto::aws_lc_rs::sign::any_eddsa_type(&key(3).to_pkcs8().to_vec().into()).unwrap();
    let mut client = (*client_config(public(1), Some(&key(3)))).clone();
    let shown = rustls::sign::CertifiedKey::new(stolen, signer);
    client.client_auth_cert_resolver = Arc::new(rustls::sign::SingleCertAndKey::from(shown));
    let server = server_config(&key(1), Some(vec![public(2)]));
    let (_, server) = handshake(Arc::new(client), server).await;
    assert_eq!(fault(server), Some(TlsFault::Unproved));
}

#[tokio::test]
async fn the_two_ports_cannot_be_confused() {
    let peer_port = server_config(&key(1), Some(vec![public(2)]));
    let (client, server) = handshake(client_config(public(1), None), peer_port).await;
    assert_eq!(fault(client), Some(TlsFault::OtherProtocol));
    assert_eq!(fault(server), Some(TlsFault::OtherProtocol));
    let api = server_config(&key(1), None);
    let (client, _) = handshake(client_config(public(1), Some(&key(2))), api).await;
    assert_eq!(fault(client), Some(TlsFault::OtherProtocol));
}

#[tokio::test]
async fn plaintext_is_told_apart_at_both_ends() {
    let (mut near, far) = duplex(4 << 10);
    near.write_all(b"GET /v1/status HTTP/1.1\r\nhost: helper.example\r\n\r\n").await.unwrap();
    let accept = TlsAcceptor::from(server_config(&key(1), None)).accept(far);
    assert_eq!(fault(accept.await), Some(TlsFault::NotTls));

    let (near, mut far) = duplex(4 << 10);
    far.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let connect = TlsConnector::from(client_config(public(1), None)).connect(name, near);
    assert_eq!(fault(connect.await), Some(TlsFault::NotTls));
}

/// The start of a TLS 1.2 ClientHello: no `supported_versions`, one ECDHE suite.
fn tls12_client_hello() -> Vec<u8> {
    let mut body = vec![3, 3];
    body.extend([7; 32]); // random
    body.extend([0, 0, 2, 0xc0, 0x2b, 1, 0]); // no session, one suite, no compression
    let extensions: &[&[u8]] = &[
        &[0, 10, 0, 4, 0, 2, 0, 29], // groups: X25519
        &[0, 13, 0, 4, 0, 2, 8, 7],  // signatures: Ed25519
    ];
    let extensions = extensions.concat();
    body.extend([0, u8::try_from(extensions.len()).unwrap()]);
    body.extend(extensions);
    let length = u8::try_from(body.len()).unwrap();
    let mut record = vec![22, 3, 1, 0, length + 4, 1, 0, 0, length];
    record.extend(body);
    record
}

#[tokio::test]
async fn tls_1_2_is_refused() {
    let (mut near, far) = duplex(4 << 10);
    near.write_all(&tls12_client_hello()).await.unwrap();
    let accept = TlsAcceptor::from(server_config(&key(1), None)).accept(far);
    assert_eq!(fault(accept.await), Some(TlsFault::OldTls));
    let mut alert = [0; 7];
    near.read_exact(&mut alert).await.unwrap();
    assert_eq!(alert, [21, 3, 3, 0, 2, 2, 70], "a fatal protocol_version alert");
}

#[tokio::test]
async fn no_connection_can_be_resumed() {
    let (client, server) = (client_config(public(1), None), server_config(&key(1), None));
    for _ in 0..2 {
        let (ours, theirs) = handshake(client.clone(), server.clone()).await;
        let kind = ours.unwrap().get_ref().1.handshake_kind();
        assert_eq!(kind, Some(rustls::HandshakeKind::Full));
        theirs.unwrap();
    }
}
