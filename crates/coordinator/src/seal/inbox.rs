//! Reading what the other members sent in one round, and saying who sent what does not read.

use std::collections::BTreeMap;

use quorate_engine::EngineError;
use quorate_hash::Digest;
use quorate_wire::{Blob, Code, Refusal, limits};
use serde::de::DeserializeOwned;

use super::messages::{Confirmation, Opened};
use crate::frame::Body;

/// One message from each other member.
pub(crate) type Messages = BTreeMap<u8, Body>;

/// Reads every member's message; `take` says whether it is the kind this round wants.
pub(crate) fn read_all<M: DeserializeOwned, T>(
    messages: &Messages,
    what: &'static str,
    take: impl Fn(M) -> Option<T>,
) -> Result<BTreeMap<u8, T>, Refusal> {
    let read = |(member, body): (&u8, &Body)| {
        let message = quorate_wire::decode(body.as_slice(), limits::MESSAGE_MAX)
            .map_err(|error| malformed(*member, what, &error.to_string()))?;
        let message = take(message).ok_or_else(|| malformed(*member, what, "another kind of message"))?;
        Ok((*member, message))
    };
    messages.iter().map(read).collect()
}

/// Everybody's opened shares, this helper's included, all in this session.
pub(super) fn opened(
    messages: &Messages,
    session: &Digest,
    mine: Vec<u8>,
    me: u8,
) -> Result<BTreeMap<u8, Vec<u8>>, Refusal> {
    let all = read_all(messages, "opening of shares", Some::<Opened>)?;
    if let Some((with, _)) = all.iter().find(|(_, opened)| opened.session != *session) {
        return Err(blame(EngineError::Session { with: *with }));
    }
    let mut shares: BTreeMap<u8, Vec<u8>> =
        all.into_iter().map(|(member, opened)| (member, opened.shares.as_slice().to_vec())).collect();
    shares.insert(me, mine);
    Ok(shares)
}

/// A protocol's error as a refusal that names whom it blames.
pub(crate) fn blame(error: EngineError) -> Refusal {
    let helpers = match &error {
        EngineError::Malformed { from, .. } => vec![*from],
        EngineError::Key { first, second, .. } => vec![*first, *second],
        EngineError::Session { .. } | EngineError::Inconsistent { .. } => Vec::new(),
    };
    Refusal::new(Code::Disagreement, error.to_string()).about(helpers)
}

/// Every member's contributions to keys, as it offered them.
pub(crate) fn key_offers<'a>(
    offers: impl Iterator<Item = (u8, &'a Blob)>,
) -> Result<BTreeMap<u8, Vec<[u8; 32]>>, Refusal> {
    let read = |(member, offer): (u8, &Blob)| match offer.as_slice().as_chunks() {
        (offer, []) => Ok((member, offer.to_vec())),
        _ => Err(malformed(member, "key contribution", "not 32 bytes each")),
    };
    offers.map(read).collect()
}

/// Every member's fingerprints of keys, all of this session.
pub(crate) fn same_session(
    messages: &Messages,
    session: &Digest,
) -> Result<BTreeMap<u8, Vec<Digest>>, Refusal> {
    let confirmations = read_all(messages, "confirmation", Some::<Confirmation>)?;
    if let Some((with, _)) = confirmations.iter().find(|(_, other)| other.session != *session) {
        return Err(blame(EngineError::Session { with: *with }));
    }
    Ok(confirmations.into_iter().map(|(member, other)| (member, other.fingerprints)).collect())
}

/// A member's message that cannot be taken.
pub(super) fn malformed(member: u8, what: &str, reason: &str) -> Refusal {
    let message = format!("helper {member} sent a {what} that does not read: {reason}");
    Refusal::new(Code::Disagreement, message).about(vec![member])
}
