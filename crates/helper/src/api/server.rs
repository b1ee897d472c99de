//! Server: connections of the API, from the socket to the routes.
//!
//! Our own loop rather than a ready-made one, because each wait needs a deadline of its own: the TLS handshake, the
//! first request (hyper's reader of HTTP/1.1 heads has a timeout only with a timer set, its protocol sniffer and
//! HTTP/2 have none; here ALPN says the protocol and nothing is sniffed), idleness between requests, and the end.

use std::convert::Infallible;
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::response::{IntoResponse, Response};
use dashmap::DashMap;
use futures_util::FutureExt;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use quorate_tls::TlsFault;
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use tracing::{debug, error, warn};

use super::answer::{Refused, fault};
use super::{Api, routes};
use crate::driver;

/// The largest request head.
const HEAD_MAX: u16 = 16 << 10;
/// What HTTP/2 lets a client send ahead of our reading, per stream and per connection.
const WINDOW: u32 = 256 << 10;
const STREAMS_MAX: u32 = 64;
/// After the polite end of a connection, the hard one.
const PARTING: Duration = Duration::from_millis(500);

/// Serves until `stop`, then answers what is under way, for at most `Limits::drain`.
pub(crate) async fn serve(
    api: Arc<Api>,
    listener: TcpListener,
    tls: Arc<ServerConfig>,
    stop: CancellationToken,
) {
    let server = Arc::new(Server {
        router: routes::router(Arc::clone(&api)),
        tls: TlsAcceptor::from(tls),
        total: Arc::new(Semaphore::new(api.limits.connections)),
        by_ip: DashMap::new(),
        stop: stop.clone(),
        api,
    });
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(ended) = connections.join_next() => {
                log_panic(&ended);
                continue;
            }
            () = stop.cancelled() => break,
        };
        match accepted {
            Ok((stream, from)) => match Place::take(&server, from.ip()) {
                Some(place) => drop(connections.spawn(Arc::clone(&server).connection(stream, place))),
                None => debug!(%from, "too many connections; refused"),
            },
            Err(error) => {
                // Out of files or memory: what is open may close.
                warn!(%error, "could not accept a connection");
                sleep(Duration::from_millis(50)).await;
            }
        }
    }
    drop(listener);
    let drained = async { while connections.join_next().await.is_some() {} };
    if timeout(server.api.limits.drain, drained).await.is_err() {
        warn!("some requests were not answered before the end");
    }
}

fn log_panic(ended: &Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        error!("a connection failed by a fault of this program");
    }
}

struct Server {
    api: Arc<Api>,
    router: Router,
    tls: TlsAcceptor,
    total: Arc<Semaphore>,
    by_ip: DashMap<IpAddr, usize>,
    stop: CancellationToken,
}

/// A connection's place among all, and among its address's.
struct Place {
    server: Arc<Server>,
    ip: IpAddr,
    _total: OwnedSemaphorePermit,
}

impl Place {
    fn take(server: &Arc<Server>, ip: IpAddr) -> Option<Place> {
        let total = Arc::clone(&server.total).try_acquire_owned().ok()?;
        let mut count = server.by_ip.entry(ip).or_insert(0);
        if *count >= server.api.limits.connections_per_ip {
            return None;
        }
        *count += 1;
        Some(Place { server: Arc::clone(server), ip, _total: total })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(mut count) = self.server.by_ip.get_mut(&self.ip) {
            *count -= 1;
        }
        self.server.by_ip.remove_if(&self.ip, |_, count| *count == 0);
    }
}

impl Server {
    async fn connection(self: Arc<Self>, stream: TcpStream, place: Place) {
        let handshake = async {
            stream.set_nodelay(true)?;
            self.tls.accept(stream).await
        };
        let stream = tokio::select! {
            stream = timeout(self.api.limits.handshake, handshake) => stream,
            () = self.stop.cancelled() => return,
        };
        match stream {
            Ok(Ok(stream)) => self.converse(stream).await,
            Ok(Err(error)) => {
                let reason =
                    TlsFault::of(&error).map_or_else(|| error.to_string(), |fault| fault.to_string());
                debug!(from = %place.ip, "a client {reason}");
            }
            Err(_) => debug!(from = %place.ip, "a client did not finish its TLS handshake in time"),
        }
        drop(place);
    }

    async fn converse(self: Arc<Self>, stream: TlsStream<TcpStream>) {
        let limits = &self.api.limits;
        let h2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        let activity = Arc::new(Activity::new());
        let server = Arc::clone(&self);
        let watched = Arc::clone(&activity);
        let service = service_fn(move |request| {
            let (server, busy) = (Arc::clone(&server), Busy::begin(&watched));
            async move {
                let response = server.answer(request).await;
                drop(busy);
                Ok::<_, Infallible>(response)
            }
        });
        let builder = builder(h2, limits.head);
        let connection = builder.serve_connection(TokioIo::new(stream), service);
        tokio::pin!(connection);
        let look = limits.idle.min(limits.head) / 4;
        let idle = async {
            while !activity.is_idle(limits.head, limits.idle) {
                sleep(look).await;
            }
        };
        let ended = tokio::select! {
            ended = connection.as_mut() => Some(ended),
            () = idle => None,
            () = self.stop.cancelled() => None,
        };
        let ended = match ended {
            Some(ended) => ended,
            None => {
                connection.as_mut().graceful_shutdown();
                tokio::select! {
                    ended = connection.as_mut() => ended,
                    () = activity.parting() => Ok(()),
                }
            }
        };
        if let Err(error) = ended {
            debug!(%error, "a connection broke off");
        }
    }

    async fn answer(&self, request: Request<Incoming>) -> Response {
        // Whoever watches this helper must hear of it even when it is full.
        let is_health = request.uri().path().starts_with("/v1/health/");
        let _permit = match Arc::clone(&self.api.requests).try_acquire_owned() {
            Ok(permit) => Some(permit),
            Err(_) if is_health => None,
            Err(_) => {
                let refusal = driver::busy("this helper has as many requests under way as it takes");
                return Refused::from(refusal).into_response();
            }
        };
        let routed = self.router.clone().oneshot(request.map(Body::new));
        match AssertUnwindSafe(routed).catch_unwind().await {
            Ok(Ok(response)) => response,
            Err(_) => {
                error!("a request failed by a fault of this program");
                fault().into_response()
            }
        }
    }
}

fn builder(h2: bool, head: Duration) -> auto::Builder<TokioExecutor> {
    let builder = auto::Builder::new(TokioExecutor::new());
    let mut builder = if h2 { builder.http2_only() } else { builder.http1_only() };
    let mut http1 = builder.http1();
    http1.timer(TokioTimer::new()).header_read_timeout(head).max_buf_size(usize::from(HEAD_MAX) * 4);
    let mut http2 = builder.http2();
    http2
        .timer(TokioTimer::new())
        .keep_alive_interval(Duration::from_secs(20))
        .keep_alive_timeout(Duration::from_secs(10))
        .max_concurrent_streams(STREAMS_MAX)
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(WINDOW)
        .max_header_list_size(u32::from(HEAD_MAX));
    builder
}

/// Whether a connection has requests under way, and since when it has none.
struct Activity(Mutex<(u32, Instant, bool)>);

/// One request under way.
struct Busy(Arc<Activity>);

impl Activity {
    fn new() -> Self {
        Activity(Mutex::new((0, Instant::now(), false)))
    }

    /// Ends a while after the last request: those under way are answered, for as long as the server's drain lets
    /// them.
    async fn parting(&self) {
        while self.with(|(busy, _, _)| *busy > 0) {
            sleep(PARTING / 10).await;
        }
        sleep(PARTING).await;
    }

    /// Idle for too long: for `first` before the first request, for `later` after one.
    fn is_idle(&self, first: Duration, later: Duration) -> bool {
        self.with(|(busy, since, served)| *busy == 0 && since.elapsed() > if *served { later } else { first })
    }

    fn with<T>(&self, work: impl FnOnce(&mut (u32, Instant, bool)) -> T) -> T {
        // No holder can panic; a poisoned count is still a count.
        work(&mut self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}

impl Busy {
    fn begin(activity: &Arc<Activity>) -> Self {
        activity.with(|(busy, _, served)| {
            *busy += 1;
            *served = true;
        });
        Busy(Arc::clone(activity))
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.with(|(busy, since, _)| {
            *busy -= 1;
            *since = Instant::now();
        });
    }
}
