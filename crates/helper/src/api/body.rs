//! Bodies: read within a size, a deadline and the memory budget of all clients.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, StatusCode, header};
use futures_util::StreamExt;
use quorate_hash::Digest;
use quorate_wire::{Code, Refusal, Signed};
use serde::Deserialize;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::Api;
use super::answer::Refused;
use crate::driver;

/// A body and the memory it is charged for. It may hold shares: wiped when dropped.
pub(super) struct Received {
    pub(super) bytes: Zeroizing<Vec<u8>>,
    pub(super) memory: Option<OwnedSemaphorePermit>,
}

/// Reads a body of at most `limit` bytes.
pub(super) async fn receive(
    api: &Api,
    headers: &HeaderMap,
    body: Body,
    limit: usize,
) -> Result<Received, Refused> {
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: usize| length > limit) {
        return Err(too_large(limit));
    }
    let deadline = api.limits.body;
    let received = timeout(deadline, collect(api, body, limit, announced.unwrap_or(0))).await;
    received.unwrap_or_else(|_| {
        let message = format!("the body did not arrive within {} s", deadline.as_secs());
        Err(Refused::with_status(StatusCode::REQUEST_TIMEOUT, Refusal::new(Code::Malformed, message)))
    })
}

async fn collect(api: &Api, body: Body, limit: usize, announced: usize) -> Result<Received, Refused> {
    let mut chunks = body.into_data_stream();
    // An announced length is only address space until its bytes come.
    let mut bytes = Zeroizing::new(Vec::with_capacity(announced));
    let mut memory: Option<OwnedSemaphorePermit> = None;
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| Refused::malformed("the body broke off before its end"))?;
        if chunk.is_empty() {
            continue;
        }
        if chunk.len() > limit - bytes.len() {
            return Err(too_large(limit));
        }
        let cost = u32::try_from(chunk.len()).map_err(|_| too_large(limit))?;
        // Never waits: two bodies that wait for each other's memory would wait for ever.
        let permit = Arc::clone(&api.memory)
            .try_acquire_many_owned(cost)
            .map_err(|_| driver::busy("this helper has as many uploads under way as it takes"))?;
        match &mut memory {
            Some(memory) => memory.merge(permit),
            None => memory = Some(permit),
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(Received { bytes, memory })
}

fn too_large(limit: usize) -> Refused {
    let message = format!("the body is larger than the {limit} bytes that this address takes");
    Refused::with_status(StatusCode::PAYLOAD_TOO_LARGE, Refusal::new(Code::Malformed, message))
}

/// Reads a signed request of at most `limit` bytes. Whose signature it is and whether it fits is the coordinator's to check.
pub(super) async fn receive_signed(
    api: &Api,
    headers: &HeaderMap,
    body: Body,
    limit: usize,
) -> Result<(Signed, Option<OwnedSemaphorePermit>), Refused> {
    let Received { bytes, memory } = receive(api, headers, body, limit).await?;
    let signed = serde_json::from_slice(&bytes).map_err(|error| {
        Refused::malformed(format!("the body is not a signed request: {}", shown(&error)))
    })?;
    Ok((signed, memory))
}

/// Refuses a signed request whose body names another study than its address.
pub(super) fn check_names(signed: &Signed, study: &Digest) -> Result<(), Refused> {
    #[derive(Deserialize)]
    struct Named {
        study: Digest,
    }
    let named: Named = serde_json::from_str(&signed.body).map_err(|error| {
        Refused::malformed(format!("the signed body does not name a study: {}", shown(&error)))
    })?;
    if named.study == *study {
        return Ok(());
    }
    let (named, study) = (named.study.short(), study.short());
    Err(Refused::malformed(format!("the signed body names study {named}, the address study {study}")))
}

/// A parser's words, cut: they may repeat what was sent.
fn shown(error: &serde_json::Error) -> String {
    error.to_string().chars().take(300).collect()
}
