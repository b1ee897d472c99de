//! Answers: refusals as HTTP responses.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use quorate_coordinator::Reply;
use quorate_wire::{Code, Refusal};
use tracing::error;

/// A refusal on its way out.
#[derive(Debug)]
pub(super) struct Refused {
    status: StatusCode,
    refusal: Box<Refusal>,
}

impl Refused {
    /// A refusal under another status than its code's.
    pub(super) fn with_status(status: StatusCode, refusal: Refusal) -> Self {
        Refused { status, refusal: Box::new(refusal) }
    }

    /// The request is not one.
    pub(super) fn malformed(message: impl Into<String>) -> Self {
        Refusal::new(Code::Malformed, message).into()
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        let status = match refusal.code {
            Code::Malformed => StatusCode::BAD_REQUEST,
            Code::Unknown => StatusCode::NOT_FOUND,
            Code::Forbidden => StatusCode::FORBIDDEN,
            Code::Policy | Code::Disagreement => StatusCode::CONFLICT,
            Code::Contribution | Code::Circuit => StatusCode::UNPROCESSABLE_ENTITY,
            Code::Unavailable | Code::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Code::NotBuilt => StatusCode::NOT_IMPLEMENTED,
        };
        Refused::with_status(status, refusal)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let retry = matches!(self.status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS);
        let mut response = (self.status, Json(self.refusal)).into_response();
        if retry {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

/// A fault of this program met while answering: logged where it happened, said without detail.
pub(super) fn fault() -> Refused {
    let refusal = Refusal::new(Code::Busy, "this helper failed by a fault of its own; its log says where");
    Refused::with_status(StatusCode::INTERNAL_SERVER_ERROR, refusal)
}

/// The coordinator answered another request than was asked.
pub(super) fn misplaced(reply: &Reply) -> Refusal {
    let kind = match reply {
        Reply::Created(_) => "created",
        Reply::Receipt(_) => "receipt",
        Reply::Sealed(_) => "sealed",
        Reply::Ran(_) => "ran",
        Reply::Study(_) => "study",
        Reply::Asked(_) => "asked",
        Reply::Budget(_) => "budget",
        Reply::Status(_) => "status",
    };
    error!(kind, "the coordinator answered another request than was asked: a fault of this program");
    Refusal::new(Code::Busy, "this helper failed by a fault of its own; its log says where")
}
