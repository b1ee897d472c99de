//! Routes: the addresses of the API.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequestParts, Path, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use quorate_coordinator::{CheckedUpload, KeptStudy, Reply, Request, check_upload};
use quorate_hash::Digest;
use quorate_wire::{AskedBefore, Code, Receipt, Refusal, SealedReply, SignedManifest, Spent, Status, limits};
use serde_json::{Value, json};
use tokio::sync::OwnedSemaphorePermit;
use tracing::error;

use super::Api;
use super::answer::{Refused, fault, misplaced};
use super::body::{Received, check_names, receive, receive_signed};
use crate::driver;

/// A loop that has not turned for this long is not alive.
const ALIVE: Duration = Duration::from_secs(10);

/// Uploads of at most so many bytes are checked in some ten microseconds.
const SMALL: usize = 4 << 10;

type Shared = State<Arc<Api>>;
type Answer<T> = Result<T, Refused>;

pub(super) fn router(api: Arc<Api>) -> Router {
    Router::new()
        .route("/v1/federation", get(federation))
        .route("/v1/health/live", get(live))
        .route("/v1/health/ready", get(ready))
        .route("/v1/status", get(status))
        .route("/v1/studies", post(create))
        .route("/v1/studies/{study}", get(study))
        .route("/v1/studies/{study}/asked", get(asked))
        .route("/v1/studies/{study}/budget", get(budget))
        .route("/v1/studies/{study}/contributions", post(upload))
        .route("/v1/studies/{study}/seal", post(seal))
        .route("/v1/studies/{study}/runs", post(run))
        .fallback(unknown_address)
        .method_not_allowed_fallback(unknown_method)
        .with_state(api)
}

/// The study that the address names.
struct Study(Digest);

impl<S: Send + Sync> FromRequestParts<S> for Study {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refused> {
        let id = Path::<String>::from_request_parts(parts, state).await.ok();
        id.and_then(|Path(id)| id.parse().ok()).map(Study).ok_or_else(|| {
            Refused::malformed("the address does not name a study: expected 64 lower-case hexadecimal digits")
        })
    }
}

async fn federation(State(api): Shared) -> Response {
    toml_text(api.federation.text().to_owned())
}

async fn live(State(api): Shared) -> Answer<Json<Value>> {
    let silence = api.door.silence();
    if silence < ALIVE {
        return Ok(Json(json!({ "live": true })));
    }
    let message = format!("this helper's coordinator has been silent for {} s", silence.as_secs());
    Err(Refusal::new(Code::Unavailable, message).into())
}

/// Ready: enough other helpers are connected that this one can take part in a run.
async fn ready(State(api): Shared) -> Answer<Json<Value>> {
    let connected = api.links.connected();
    let needed = usize::from(api.federation.threshold());
    if connected.len() >= needed {
        return Ok(Json(json!({ "ready": true, "connected": connected })));
    }
    let others = api.federation.members().map(|(number, _)| number).filter(|number| *number != api.number);
    let missing = others.filter(|number| !connected.contains(number)).collect();
    let message = format!("connected to {} other helpers of the {needed} that a run needs", connected.len());
    Err(Refusal::new(Code::Unavailable, message).about(missing).into())
}

async fn status(State(api): Shared) -> Answer<Json<Status>> {
    match api.door.ask(Request::Status, None).await? {
        Reply::Status(status) => Ok(Json(Status {
            connected: api.links.connected(),
            round_trips_us: api.links.round_trips_us(),
            ..status
        })),
        other => Err(misplaced(&other).into()),
    }
}

async fn create(State(api): Shared, headers: HeaderMap, body: Body) -> Answer<Json<Value>> {
    let (signed, memory) = receive_signed(&api, &headers, body, limits::STUDY_REQUEST_MAX).await?;
    match api.door.ask(Request::CreateStudy(signed), memory).await? {
        Reply::Created(study) => Ok(Json(json!({ "study": study }))),
        other => Err(misplaced(&other).into()),
    }
}

async fn study(State(api): Shared, Study(id): Study) -> Answer<Response> {
    Ok(toml_text(api.study(id).await?.document.clone()))
}

async fn asked(State(api): Shared, Study(id): Study) -> Answer<Json<AskedBefore>> {
    match api.door.ask(Request::Asked(id), None).await? {
        Reply::Asked(asked) => Ok(Json(asked)),
        other => Err(misplaced(&other).into()),
    }
}

async fn budget(State(api): Shared, Study(id): Study) -> Answer<Json<Spent>> {
    match api.door.ask(Request::Budget(id), None).await? {
        Reply::Budget(spent) => Ok(Json(spent)),
        other => Err(misplaced(&other).into()),
    }
}

async fn upload(
    State(api): Shared,
    Study(id): Study,
    headers: HeaderMap,
    body: Body,
) -> Answer<Json<Receipt>> {
    let study = api.study(id).await?;
    let Received { bytes, memory } = receive(&api, &headers, body, limits::UPLOAD_MAX).await?;
    let (checked, memory) = check(&api, study, Bytes::from_owner(bytes), memory).await?;
    match api.door.ask(Request::Upload(checked), memory).await? {
        Reply::Receipt(receipt) => Ok(Json(receipt)),
        other => Err(misplaced(&other).into()),
    }
}

/// Checks an upload: a small one here, which takes less time than to hand it over; a large one off the event loops, where
/// its memory stays charged if the client leaves meanwhile.
async fn check(
    api: &Api,
    study: Arc<KeptStudy>,
    bytes: Bytes,
    memory: Option<OwnedSemaphorePermit>,
) -> Answer<(CheckedUpload, Option<OwnedSemaphorePermit>)> {
    let number = api.number;
    if bytes.len() <= SMALL {
        return Ok((check_upload(&study.study, number, &bytes)?, memory));
    }
    let core = Arc::clone(&api.checkers).acquire_owned().await.map_err(|_| driver::stopping())?;
    let check = tokio::task::spawn_blocking(move || {
        let checked = check_upload(&study.study, number, &bytes);
        drop(core);
        (checked, memory)
    });
    let (checked, memory) = check.await.map_err(|error| {
        error!(%error, "checking an upload failed: a fault of this program");
        fault()
    })?;
    Ok((checked?, memory))
}

async fn seal(
    State(api): Shared,
    Study(id): Study,
    headers: HeaderMap,
    body: Body,
) -> Answer<Json<SignedManifest>> {
    let (signed, memory) = receive_signed(&api, &headers, body, limits::REQUEST_MAX).await?;
    check_names(&signed, &id)?;
    match api.door.ask(Request::Seal(signed), memory).await? {
        Reply::Sealed(manifest) => Ok(Json(*manifest)),
        other => Err(misplaced(&other).into()),
    }
}

async fn run(
    State(api): Shared,
    Study(id): Study,
    headers: HeaderMap,
    body: Body,
) -> Answer<Json<SealedReply>> {
    let (signed, memory) = receive_signed(&api, &headers, body, limits::REQUEST_MAX).await?;
    check_names(&signed, &id)?;
    match api.door.ask(Request::Run(signed), memory).await? {
        Reply::Ran(reply) => Ok(Json(reply)),
        other => Err(misplaced(&other).into()),
    }
}

async fn unknown_address(uri: Uri) -> Refused {
    let path: String = uri.path().chars().take(200).collect();
    Refusal::new(Code::Unknown, format!("there is nothing at {path}"))
        .hint("the API's addresses begin with /v1/: federation, health/live, health/ready, status, studies")
        .into()
}

async fn unknown_method(method: Method, uri: Uri) -> Refused {
    let path: String = uri.path().chars().take(200).collect();
    let refusal = Refusal::new(Code::Malformed, format!("{path} does not take {method}"));
    Refused::with_status(StatusCode::METHOD_NOT_ALLOWED, refusal)
}

fn toml_text(text: String) -> Response {
    ([(header::CONTENT_TYPE, "application/toml")], text).into_response()
}
