//! Connections to one server whose key is pinned: HTTP/1.1, kept open between requests.
//!
//! A connection carries one request at a time, and whoever asks drives it: there is no task behind it and nothing to wake. As many
//! are open as there were requests at the same time. An open one may have been closed by the server in the meantime: a
//! request that fails on it is sent once more on a fresh one, which is harmless because every request of the API is.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{CONTENT_TYPE, HOST, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use quorate_federation::PublicKey;
use quorate_tls::{TlsFault, client_config};
use quorate_wire::limits;
use rustls::pki_types::ServerName;
use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::{ClientError, Fault};

/// Name, connection and handshake of a server.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A server that is silent for so long is probed.
const PROBE: Duration = Duration::from_secs(15);

/// Connections opened ahead at the same time: as many as a helper's queue of handshakes bears.
const OPENED_AT_ONCE: usize = 32;

/// The way to one server, which is accepted only with its key.
pub struct Pinned {
    /// Host and port.
    address: String,
    host: HeaderValue,
    /// What TLS calls the server; its certificate is judged by its key alone.
    name: ServerName<'static>,
    tls: TlsConnector,
    /// Open connections that nobody uses, the last used last.
    idle: Mutex<Vec<Open>>,
}

/// What a server answered: the status and all of the body.
pub(crate) type Answer = (StatusCode, Bytes);

/// What a body is: its type and its bytes.
pub(crate) type Content = (&'static str, Bytes);

type Wire = http1::Connection<TokioIo<TlsStream<TcpStream>>, Full<Bytes>>;

/// An open connection.
struct Open {
    requests: SendRequest<Full<Bytes>>,
    /// `None`: it has ended.
    wire: Option<Pin<Box<Wire>>>,
}

impl Pinned {
    /// The server at `address`, host and port, with the key `key`. Nothing is sent yet.
    ///
    /// # Errors
    /// The address is not one.
    pub fn new(address: &str, key: PublicKey) -> Result<Self, ClientError> {
        let not_one =
            |reason: String| ClientError::Setup { reason: format!("{address} is no address: {reason}") };
        let (name, _) = address.rsplit_once(':').ok_or_else(|| not_one("it has no port".to_owned()))?;
        let name = name.trim_start_matches('[').trim_end_matches(']').to_owned();
        Ok(Pinned {
            address: address.to_owned(),
            host: HeaderValue::from_str(address).map_err(|error| not_one(error.to_string()))?,
            name: ServerName::try_from(name).map_err(|error| not_one(error.to_string()))?,
            tls: TlsConnector::from(client_config(key, None)),
            idle: Mutex::default(),
        })
    }

    /// Asks the server for `path` and waits for its answer no longer than `limit`.
    ///
    /// # Errors
    /// It cannot be reached, is another one, or does not answer in time or in full.
    pub async fn ask(
        &self,
        method: Method,
        path: &str,
        content: Option<Content>,
        limit: Duration,
    ) -> Result<Answer, Fault> {
        let exchange = self.exchange(method, path, content);
        timeout(limit, exchange).await.unwrap_or(Err(Fault::Timeout))
    }

    /// Opens so many connections ahead of requests, and asks for `path` on each.
    ///
    /// # Errors
    /// As of [`Pinned::ask`].
    pub async fn connect(&self, connections: usize, path: &str) -> Result<(), Fault> {
        let open = async || {
            let mut open = timeout(CONNECT_TIMEOUT, self.open()).await.unwrap_or(Err(Fault::Timeout))?;
            // A server closes a connection on which nothing was asked sooner than one that was used.
            let request = self.request(Method::GET, path, None)?;
            open.exchange(request).await.map_err(|error| fault(&error))??;
            self.idle().push(open);
            Ok(())
        };
        let opened = stream::iter(0..connections).map(|_| open()).buffer_unordered(OPENED_AT_ONCE);
        opened.try_collect().await
    }

    async fn exchange(&self, method: Method, path: &str, content: Option<Content>) -> Result<Answer, Fault> {
        let request = || self.request(method.clone(), path, content.clone());
        let idle = self.idle().pop();
        if let Some(mut open) = idle
            && let Ok(answer) = open.exchange(request()?).await
        {
            self.idle().push(open);
            return answer;
        }
        let mut open = timeout(CONNECT_TIMEOUT, self.open()).await.unwrap_or(Err(Fault::Timeout))?;
        let answer = open.exchange(request()?).await.map_err(|error| fault(&error))?;
        self.idle().push(open);
        answer
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        content: Option<Content>,
    ) -> Result<Request<Full<Bytes>>, Fault> {
        let mut request = Request::builder().method(method).uri(path).header(HOST, &self.host);
        let mut body = Bytes::new();
        if let Some((kind, bytes)) = content {
            request = request.header(CONTENT_TYPE, HeaderValue::from_static(kind));
            body = bytes;
        }
        request.body(Full::new(body)).map_err(|error| Fault::Unreachable { reason: error.to_string() })
    }

    async fn open(&self) -> Result<Open, Fault> {
        let stream = TcpStream::connect(&self.address).await.map_err(|error| fault(&error))?;
        watch(&stream).map_err(|error| fault(&error))?;
        let stream = self.tls.connect(self.name.clone(), stream).await.map_err(|error| fault(&error))?;
        let (requests, wire) = http1::handshake(TokioIo::new(stream)).await.map_err(|error| fault(&error))?;
        Ok(Open { requests, wire: Some(Box::pin(wire)) })
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Open>> {
        // No holder can panic; connections are whole at any time.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sends at once, and notices within a minute that the server is gone without a word, however long its answer may take.
fn watch(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let socket = SockRef::from(stream);
    let probes = TcpKeepalive::new().with_time(PROBE).with_interval(PROBE).with_retries(3);
    socket.set_tcp_keepalive(&probes)?;
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(2 * PROBE))?;
    Ok(())
}

impl Open {
    /// Sends one request. An error is the connection's; an answer that is too long is the server's fault.
    async fn exchange(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> Result<Result<Answer, Fault>, hyper::Error> {
        let Open { requests, wire } = self;
        let exchange = async {
            requests.ready().await?;
            collect(requests.send_request(request).await?).await
        };
        drive(wire, exchange).await
    }
}

/// Polls the connection for as long as `exchange` lasts.
async fn drive<T>(wire: &mut Option<Pin<Box<Wire>>>, exchange: impl Future<Output = T>) -> T {
    let mut exchange = std::pin::pin!(exchange);
    // The request is given to the connection by the first poll of the exchange, and sent by a second of the connection.
    let mut polls = 2;
    poll_fn(|cx| {
        for _ in 0..std::mem::replace(&mut polls, 1) {
            if wire.as_mut().is_some_and(|wire| wire.as_mut().poll(cx).is_ready()) {
                *wire = None;
            }
            if let Poll::Ready(done) = exchange.as_mut().poll(cx) {
                return Poll::Ready(done);
            }
        }
        Poll::Pending
    })
    .await
}

async fn collect(response: Response<Incoming>) -> Result<Result<Answer, Fault>, hyper::Error> {
    let (head, mut body) = response.into_parts();
    // Most answers are one chunk, which is not copied.
    let (mut first, mut all) = (Bytes::new(), BytesMut::new());
    while let Some(frame) = body.frame().await {
        let Ok(chunk) = frame?.into_data() else { continue };
        if first.len().max(all.len()) + chunk.len() > limits::ANSWER_MAX {
            let reason = format!("longer than {} bytes", limits::ANSWER_MAX);
            return Ok(Err(Fault::Garbled { what: "something", reason }));
        }
        if first.is_empty() {
            first = chunk;
            continue;
        }
        if all.is_empty() {
            all.extend_from_slice(&first);
        }
        all.extend_from_slice(&chunk);
    }
    Ok(Ok((head.status, if all.is_empty() { first } else { all.freeze() })))
}

fn fault(error: &(dyn std::error::Error + 'static)) -> Fault {
    match TlsFault::of(error) {
        Some(fault) => Fault::Identity(fault),
        None => Fault::Unreachable { reason: innermost(error) },
    }
}

/// The innermost cause: what the operating system said, without the layers around it.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

impl std::fmt::Debug for Pinned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pinned({})", self.address)
    }
}
