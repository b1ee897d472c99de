//! Bad and slow clients at the API's and the helpers' door.

use std::time::{Duration, Instant};

use quorate_federation::PublicKey;
use quorate_helper::Limits;
use quorate_tls::{TlsFault, client_config};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::support::{Answer, Helpers, SOON, key, short};

/// How long the other end leaves the connection open.
async fn closed_after(stream: &mut (impl AsyncRead + Unpin)) -> Duration {
    let began = Instant::now();
    let mut rest = Vec::new();
    let _ = timeout(SOON, stream.read_to_end(&mut rest)).await.expect("the connection should be closed");
    began.elapsed()
}

async fn handshake(address: &str, pin: PublicKey, identity: Option<u8>) -> std::io::Result<()> {
    let identity = identity.map(key);
    let stream = TcpStream::connect(address).await?;
    let connector = TlsConnector::from(client_config(pin, identity.as_ref()));
    let mut stream = connector.connect(ServerName::try_from("127.0.0.1").unwrap(), stream).await?;
    stream.read_u8().await.map(|_| ())
}

#[tokio::test(flavor = "multi_thread")]
async fn plaintext_strangers_and_swapped_ports_are_turned_away_and_harm_nobody() {
    let helpers = Helpers::new(2, 1);
    let one = helpers.start(1, short()).await;
    let two = helpers.start(2, short()).await;
    helpers.wait_connected(1, &[2]).await;
    let member = helpers.member(1);
    for address in [&member.address, &member.peer_address] {
        for nonsense in [&b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"[..], &[0; 300], &[22, 3, 1, 255, 255, 1]] {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(nonsense).await.unwrap();
            assert!(closed_after(&mut stream).await < Duration::from_secs(2));
        }
    }
    let fault = |result: std::io::Result<()>| TlsFault::of(&result.unwrap_err());
    let wrong = handshake(&member.address, helpers.member(2).key, None).await;
    let expected = TlsFault::OtherKey { expected: helpers.member(2).key, found: member.key };
    assert_eq!(fault(wrong), Some(expected));
    let stranger = handshake(&member.peer_address, member.key, Some(7)).await;
    assert_eq!(fault(stranger), Some(TlsFault::Refused));
    let swapped = handshake(&member.peer_address, member.key, None).await;
    assert_eq!(fault(swapped), Some(TlsFault::OtherProtocol));
    helpers.wait_connected(1, &[2]).await;
    two.stop().await.unwrap();
    one.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_clients_are_dropped_at_every_step() {
    let helpers = Helpers::new(2, 1);
    let one = helpers.start(1, short()).await;
    let member = helpers.member(1);
    let deadline = Duration::from_secs(3);

    for address in [&member.address, &member.peer_address] {
        let mut no_handshake = TcpStream::connect(address).await.unwrap();
        assert!(closed_after(&mut no_handshake).await < deadline);
    }
    for protocol in [&b"http/1.1"[..], b"h2"] {
        let mut no_request = helpers.connect_with(1, protocol).await;
        assert!(closed_after(&mut no_request).await < deadline);
    }
    let mut half_a_head = helpers.connect(1).await;
    half_a_head.write_all(b"GET /v1/status HTTP/1.1\r\nhost: ").await.unwrap();
    assert!(closed_after(&mut half_a_head).await < deadline);

    let mut half_a_body = helpers.connect(1).await;
    half_a_body
        .write_all(b"POST /v1/studies HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{")
        .await
        .unwrap();
    let answer = Answer::read(&mut half_a_body).await;
    assert_eq!(answer.status, "408");
    assert!(answer.refusal().message.contains("did not arrive"), "{answer:?}");

    let mut idle = helpers.connect(1).await;
    idle.write_all(b"GET /v1/health/live HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    assert!(closed_after(&mut idle).await < deadline);
    one.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_address_gets_only_so_many_connections() {
    let helpers = Helpers::new(2, 1);
    let limits = Limits { connections_per_ip: 3, ..Limits::default() };
    let one = helpers.start(1, limits).await;
    // The probe of `start` may still be closing.
    let began = Instant::now();
    let mut open = Vec::new();
    while open.len() < 3 {
        assert!(began.elapsed() < SOON);
        open.extend(helpers.try_connect(1, b"http/1.1").await.ok());
    }
    let mut refused = TcpStream::connect(&helpers.member(1).address).await.unwrap();
    assert!(closed_after(&mut refused).await < Duration::from_secs(1));
    drop(open);
    while helpers.try_connect(1, b"http/1.1").await.is_err() {
        assert!(began.elapsed() < SOON);
    }
    one.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn http_2_works_over_one_connection() {
    let helpers = Helpers::new(2, 1);
    let one = helpers.start(1, Limits::default()).await;
    let io = hyper_util::rt::TokioIo::new(helpers.connect_with(1, b"h2").await);
    let executor = hyper_util::rt::TokioExecutor::new();
    let (mut client, connection) = hyper::client::conn::http2::handshake(executor, io).await.unwrap();
    tokio::spawn(connection);
    for _ in 0..20 {
        let request = axum::http::Request::get("https://helper/v1/federation");
        let response = client.send_request(request.body(axum::body::Body::empty()).unwrap()).await.unwrap();
        let body = axum::body::to_bytes(axum::body::Body::new(response.into_body()), 1 << 20).await.unwrap();
        assert_eq!(body, helpers.federation.text().as_bytes());
    }
    one.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_is_quick_with_connections_open_and_uploads_half_sent() {
    let helpers = Helpers::new(2, 1);
    let one = helpers.start(1, Limits { drain: Duration::from_millis(500), ..Limits::default() }).await;
    let _idle = helpers.connect(1).await;
    let _idle_h2 = helpers.connect_with(1, b"h2").await;
    let _no_handshake = TcpStream::connect(&helpers.member(1).address).await.unwrap();
    let mut half = helpers.connect(1).await;
    half.write_all(b"POST /v1/studies HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{").await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let began = Instant::now();
    one.stop().await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    assert!(TcpStream::connect(&helpers.member(1).address).await.is_err());
}
