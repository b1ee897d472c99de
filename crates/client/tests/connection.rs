//! Connections to a server that keeps them open, closes them, answers slowly or says too much.

#![allow(clippy::expect_used, clippy::unwrap_used, missing_docs)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use hyper::{Method, StatusCode};
use quorate_client::{Fault, Pinned};
use quorate_federation::{PublicKey, SecretKey};
use quorate_tls::{TlsFault, server_config};
use quorate_wire::limits::ANSWER_MAX;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

const SOON: Duration = Duration::from_secs(30);

fn key(seed: u8) -> SecretKey {
    SecretKey::generate(&mut ChaCha20Rng::from_seed([seed; 32]))
}

/// A server that answers `requests` requests on each connection and then closes it.
struct Server {
    address: String,
    connections: Arc<AtomicUsize>,
}

impl Server {
    async fn start(requests: usize, answer: impl Fn(usize) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let connections = Arc::new(AtomicUsize::new(0));
        let (count, answer) = (Arc::clone(&connections), Arc::new(answer));
        let tls = TlsAcceptor::from(server_config(&key(1), None));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (tls, count, answer) = (tls.clone(), Arc::clone(&count), Arc::clone(&answer));
                tokio::spawn(async move {
                    let Ok(mut stream) = tls.accept(stream).await else { return };
                    let number = count.fetch_add(1, Ordering::SeqCst);
                    for _ in 0..requests {
                        read_request(&mut stream).await;
                        stream.write_all(&answer(number)).await.unwrap();
                    }
                });
            }
        });
        Server { address, connections }
    }

    fn pinned(&self, key: PublicKey) -> Pinned {
        Pinned::new(&self.address, key).unwrap()
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// Reads a request whose body is the four bytes "body".
async fn read_request(stream: &mut TlsStream<TcpStream>) {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\nbody") {
        request.push(stream.read_u8().await.unwrap());
    }
    assert!(request.starts_with(b"POST /there HTTP/1.1\r\n"));
}

fn answered(text: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{text}", text.len()).into_bytes()
}

async fn ask(server: &Pinned, limit: Duration) -> Result<(StatusCode, Bytes), Fault> {
    server.ask(Method::POST, "/there", Some(("text/plain", Bytes::from_static(b"body"))), limit).await
}

#[tokio::test]
async fn a_connection_serves_request_after_request_and_two_at_a_time_take_two() {
    let server = Server::start(usize::MAX, |number| answered(&number.to_string())).await;
    let pinned = server.pinned(key(1).public());
    for _ in 0..3 {
        assert_eq!(ask(&pinned, SOON).await.unwrap(), (StatusCode::OK, Bytes::from_static(b"0")));
    }
    let (first, second) = tokio::join!(ask(&pinned, SOON), ask(&pinned, SOON));
    let mut bodies = [first.unwrap().1, second.unwrap().1];
    bodies.sort();
    assert_eq!(bodies, ["0", "1"]);
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn a_connection_that_the_server_closed_is_replaced() {
    let server = Server::start(1, |number| answered(&number.to_string())).await;
    let pinned = server.pinned(key(1).public());
    for number in 0..3 {
        assert_eq!(ask(&pinned, SOON).await.unwrap().1, number.to_string());
    }
    assert_eq!(server.connections(), 3);
}

#[tokio::test]
async fn another_key_silence_and_half_an_answer_are_told_apart() {
    let good = Server::start(1, |_| answered("good")).await;
    let fault = ask(&good.pinned(key(2).public()), SOON).await.unwrap_err();
    assert!(matches!(fault, Fault::Identity(TlsFault::OtherKey { .. })), "{fault}");

    let silent = Server::start(1, |_| b"HTTP/1.1 200 OK\r\n".to_vec()).await;
    let fault = ask(&silent.pinned(key(1).public()), SOON).await.unwrap_err();
    assert!(matches!(fault, Fault::Unreachable { .. }), "{fault}");

    let slow = Server::start(usize::MAX, |_| Vec::new()).await;
    let fault = ask(&slow.pinned(key(1).public()), Duration::from_millis(200)).await.unwrap_err();
    assert!(matches!(fault, Fault::Timeout), "{fault}");
}

#[tokio::test]
async fn nobody_there_and_an_answer_without_end_are_faults_of_the_server() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    let fault = ask(&Pinned::new(&address, key(1).public()).unwrap(), SOON).await.unwrap_err();
    assert!(matches!(&fault, Fault::Unreachable { reason } if reason.contains("refused")), "{fault}");

    let endless = Server::start(1, |_| answered(&"x".repeat(ANSWER_MAX + 1))).await;
    let fault = ask(&endless.pinned(key(1).public()), SOON).await.unwrap_err();
    assert!(matches!(fault, Fault::Garbled { .. }), "{fault}");

    for address in ["nowhere", "two words:1"] {
        assert!(Pinned::new(address, key(1).public()).is_err(), "{address}");
    }
}
