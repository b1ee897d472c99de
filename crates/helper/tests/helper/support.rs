//! Helpers on loopback, and a client that can misbehave.

use std::io;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use quorate_circuit::{Bits, Column, Domain, Proportion, Sharing, SharingKind, StudyDraft};
use quorate_federation::{Card, Federation, Member, SecretKey};
use quorate_helper::{HelperDir, HelperError, Limits, run_with};
use quorate_tls::client_config;
use quorate_wire::{Refusal, Signed, StudyRequest};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use rustls::pki_types::ServerName;
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Nothing in these tests takes longer, unless it hangs.
pub(crate) const SOON: Duration = Duration::from_secs(8);

pub(crate) fn key(seed: u8) -> SecretKey {
    SecretKey::generate(&mut ChaCha20Rng::from_seed([seed; 32]))
}

/// The owner of all studies.
pub(crate) fn owner() -> SecretKey {
    key(200)
}

/// Short waits, so that the tests of deadlines are short.
pub(crate) fn short() -> Limits {
    let ms = Duration::from_millis;
    Limits { handshake: ms(400), head: ms(400), body: ms(400), idle: ms(600), ..Limits::default() }
}

/// Directories of helpers that know each other.
pub(crate) struct Helpers {
    root: TempDir,
    pub(crate) federation: Federation,
}

/// A helper in this process.
pub(crate) struct Running {
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), HelperError>>,
}

impl Helpers {
    pub(crate) fn new(count: usize, threshold: u8) -> Self {
        let root = tempfile::tempdir().unwrap();
        // All at once, so that no port is given twice.
        let sockets: Vec<_> = (0..2 * count).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
        let addresses: Vec<_> = sockets.iter().map(|s| s.local_addr().unwrap().to_string()).collect();
        let card = |(index, pair): (usize, &[String])| {
            let dir = root.path().join((index + 1).to_string());
            let name = format!("helper {}", index + 1);
            HelperDir::init(&dir, &name, &pair[0], &pair[1], &[owner().public()]).unwrap()
        };
        let cards: Vec<Card> = addresses.chunks(2).enumerate().map(card).collect();
        let federation = Federation::of_cards("tests", threshold, cards).unwrap();
        for number in 1..=count {
            HelperDir::join(&root.path().join(number.to_string()), federation.text()).unwrap();
        }
        Helpers { root, federation }
    }

    pub(crate) fn dir(&self, number: u8) -> PathBuf {
        self.root.path().join(number.to_string())
    }

    pub(crate) fn member(&self, number: u8) -> &Member {
        self.federation.member(number).unwrap()
    }

    /// Starts a helper and waits until its API answers.
    pub(crate) async fn start(&self, number: u8, limits: Limits) -> Running {
        let (stop, stopped) = oneshot::channel::<()>();
        let dir = self.dir(number);
        let task = tokio::spawn(async move {
            run_with(&dir, limits, async {
                let _ = stopped.await;
            })
            .await
        });
        let began = Instant::now();
        while TcpStream::connect(&self.member(number).address).await.is_err() {
            assert!(!task.is_finished(), "helper {number} did not start: {:?}", task.await);
            assert!(began.elapsed() < SOON);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Running { stop, task }
    }

    /// A TLS connection to a helper's API that speaks HTTP/1.1.
    pub(crate) async fn connect(&self, number: u8) -> TlsStream<TcpStream> {
        self.connect_with(number, b"http/1.1").await
    }

    pub(crate) async fn connect_with(&self, number: u8, protocol: &[u8]) -> TlsStream<TcpStream> {
        self.try_connect(number, protocol).await.unwrap()
    }

    pub(crate) async fn try_connect(&self, number: u8, protocol: &[u8]) -> io::Result<TlsStream<TcpStream>> {
        let member = self.member(number);
        let mut config = (*client_config(member.key, None)).clone();
        config.alpn_protocols = vec![protocol.to_vec()];
        let stream = TcpStream::connect(&member.address).await?;
        let name = ServerName::try_from("127.0.0.1").unwrap();
        TlsConnector::from(Arc::new(config)).connect(name, stream).await
    }

    /// Sends exactly `request` and reads to the end.
    pub(crate) async fn send(&self, number: u8, request: &[u8]) -> Answer {
        let mut stream = self.connect(number).await;
        stream.write_all(request).await.unwrap();
        Answer::read(&mut stream).await
    }

    pub(crate) async fn get(&self, number: u8, path: &str) -> Answer {
        let request = format!("GET {path} HTTP/1.1\r\nhost: helper\r\nconnection: close\r\n\r\n");
        self.send(number, request.as_bytes()).await
    }

    pub(crate) async fn post(&self, number: u8, path: &str, body: &[u8]) -> Answer {
        let length = body.len();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: helper\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n"
        );
        self.send(number, &[head.as_bytes(), body].concat()).await
    }

    /// A study's document and the signed request to keep it.
    pub(crate) fn study(&self, name: &str, owner: &SecretKey) -> (String, Vec<u8>) {
        let sharing = Sharing {
            kind: SharingKind::Shamir,
            helpers: self.federation.size(),
            threshold: self.federation.threshold(),
        };
        let columns = vec![Column::new("age", Domain::parse("0 .. 120").unwrap())];
        let draft = StudyDraft {
            federation: *self.federation.id(),
            rows_max: 4,
            bits: Some(Bits::None),
            owner: *owner.public().as_bytes(),
            min_cohort: 2,
            excluded_max: Proportion::parse("0.1").unwrap(),
            analysts: vec![*owner.public().as_bytes()],
            ..StudyDraft::new(name, sharing, columns, 100)
        };
        let (document, _) = draft.document().unwrap();
        let signed = Signed::new(&StudyRequest { document: document.clone() }, owner);
        (document, serde_json::to_vec(&signed).unwrap())
    }

    /// Waits until a helper says that it is connected to exactly `others`.
    pub(crate) async fn wait_connected(&self, number: u8, others: &[u8]) {
        let began = Instant::now();
        loop {
            let answer = self.get(number, "/v1/status").await;
            let connected = answer.json()["connected"].clone();
            if connected == serde_json::json!(others) {
                return;
            }
            assert!(began.elapsed() < SOON, "helper {number} is connected to {connected}, not {others:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Running {
    pub(crate) async fn stop(self) -> Result<(), HelperError> {
        drop(self.stop);
        timeout(SOON, self.task).await.expect("the helper should stop").unwrap()
    }
}

/// What came back: empty status if the connection was closed without an answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: String,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) async fn read(stream: &mut TlsStream<TcpStream>) -> Answer {
        let mut bytes = Vec::new();
        // How the connection ends is no part of the answer.
        let _ =
            timeout(SOON, stream.read_to_end(&mut bytes)).await.expect("the helper should answer or close");
        let text = String::from_utf8(bytes).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).unwrap_or_default();
        Answer { status: status.to_owned(), head: head.to_lowercase(), body: body.to_owned() }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(crate) fn refusal(&self) -> Refusal {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// Writes a federation file over a helper's, as an operator could who does not use `join`.
pub(crate) fn replace_federation(dir: &Path, text: &str) {
    std::fs::write(dir.join("federation.toml"), text).unwrap();
}
