//! Rounds of messages among the members of one attempt, over a transport that may lose, repeat and reorder.
//!
//! Every member sends every other one exactly one message per round and goes on when it has all of a round. What
//! was sent is kept until the attempt is forgotten: a member that misses something repeats its own message, and
//! whoever sees a repetition sends again what it has sent since. A message that differs from what the same member
//! sent before in the same round, or comes from another life of that member, ends the attempt: randomness is never
//! used for two different things. Every message names the life of its receiver that it is for: what was on its way
//! to an earlier life is not taken for a word in an attempt of this one.

use std::collections::BTreeMap;

use quorate_hash::{Digest, Tagged};
use quorate_wire::{Blob, Code, Refusal};
use serde::Serialize;

use crate::context::Context;
use crate::frame::{ABORT, Body, Frame, HELLO};
use crate::{Action, Timing};

/// Nobody can be further ahead: a member is in round r + 1 only once it has this helper's message of round r.
const ROUNDS_AHEAD: u32 = 1;

/// Nobody can be further behind: a member of which this helper has the message of round r has all of round r - 1.
const ROUNDS_KEPT: u32 = 2;

/// An attempt never takes longer than this, whatever its members do.
const ATTEMPT_MAX_MS: u64 = 3_600_000;

/// One attempt's messages.
#[derive(Debug)]
pub(crate) struct Exchange {
    scope: Digest,
    lane: u16,
    /// The other members, ascending.
    peers: Vec<u8>,
    /// The round being waited for.
    round: u32,
    sent: BTreeMap<(u32, u8), Blob>,
    received: BTreeMap<(u32, u8), Body>,
    /// Every message received in a round that a member may still repeat; of lane 0 its digest, to tell a repetition from
    /// a contradiction.
    seen: BTreeMap<(u32, u8), Option<Digest>>,
    lives: BTreeMap<u8, Life>,
    started_ms: u64,
    repeated_ms: u64,
    ticked_ms: u64,
    bytes_sent: u64,
}

/// What is known of a peer.
#[derive(Debug)]
struct Life {
    boot: Option<[u8; 16]>,
    heard_ms: u64,
    answered_ms: Option<u64>,
}

impl Exchange {
    /// The attempt's exchange `lane` among `members` (which contains this helper), waiting for round 0.
    pub(crate) fn new(scope: Digest, lane: u16, members: &[u8], cx: &Context<'_>) -> Self {
        let peers: Vec<u8> = members.iter().copied().filter(|member| *member != cx.number).collect();
        let life = || Life { boot: None, heard_ms: cx.now_ms, answered_ms: None };
        Exchange {
            scope,
            lane,
            lives: peers.iter().map(|peer| (*peer, life())).collect(),
            peers,
            round: 0,
            sent: BTreeMap::new(),
            received: BTreeMap::new(),
            seen: BTreeMap::new(),
            started_ms: cx.now_ms,
            repeated_ms: cx.now_ms,
            ticked_ms: cx.now_ms,
            bytes_sent: 0,
        }
    }

    /// The other members.
    pub(crate) fn peers(&self) -> &[u8] {
        &self.peers
    }

    /// Payload bytes sent to other members so far.
    pub(crate) fn bytes_sent(&self) -> u64 {
        self.bytes_sent
    }

    /// Rounds that are complete.
    pub(crate) fn rounds(&self) -> u64 {
        self.round.into()
    }

    /// When the attempt began.
    pub(crate) fn started_ms(&self) -> u64 {
        self.started_ms
    }

    /// Time passes while nothing is waited for.
    pub(crate) fn pass(&mut self, cx: &Context<'_>) {
        self.ticked_ms = cx.now_ms;
    }

    /// A member was heard elsewhere: it is there.
    pub(crate) fn hear(&mut self, from: u8, cx: &Context<'_>) {
        if let Some(life) = self.lives.get_mut(&from) {
            life.heard_ms = cx.now_ms;
        }
    }

    /// Goes on with fewer members; those left out are not waited for any more.
    pub(crate) fn narrow(&mut self, members: &[u8]) {
        self.peers.retain(|peer| members.contains(peer));
    }

    /// Sends the message of the current round to one member.
    pub(crate) fn send(&mut self, to: u8, message: &impl Serialize, cx: &mut Context<'_>) {
        self.send_blob(to, Blob::new(quorate_wire::encode(message)), cx);
    }

    /// Sends a message of the current round that is encoded already.
    pub(crate) fn send_blob(&mut self, to: u8, body: Blob, cx: &mut Context<'_>) {
        self.transmit(self.round, to, body.as_slice(), cx);
        self.sent.insert((self.round, to), body);
    }

    /// Sends the same message of the current round to every other member.
    pub(crate) fn broadcast(&mut self, message: &impl Serialize, cx: &mut Context<'_>) {
        for to in self.peers.clone() {
            self.send(to, message, cx);
        }
    }

    /// Forgets what nobody asks for any more once the attempt is over: messages received and not used.
    pub(crate) fn end(&mut self) {
        self.received.clear();
    }

    /// Tells every member that the attempt is over.
    pub(crate) fn abort(&mut self, refusal: &Refusal, cx: &mut Context<'_>) {
        let body = Frame::abort_body(refusal);
        for to in self.peers.clone() {
            self.transmit(ABORT, to, &body, cx);
        }
    }

    /// The messages of the current round by member, once all are there; the exchange then waits for the next round.
    pub(crate) fn complete(&mut self) -> Option<BTreeMap<u8, Body>> {
        let round = self.round;
        if !self.peers.iter().all(|peer| self.received.contains_key(&(round, *peer))) {
            return None;
        }
        self.round += 1;
        let take = |peer: &u8| self.received.remove(&(round, *peer)).map(|body| (*peer, body));
        Some(self.peers.iter().filter_map(take).collect())
    }

    /// Takes a member's message; an error ends the attempt.
    pub(crate) fn receive(&mut self, from: u8, frame: Frame, cx: &mut Context<'_>) -> Result<(), Refusal> {
        let Some(life) = self.lives.get_mut(&from).filter(|_| self.peers.contains(&from)) else {
            return Ok(());
        };
        life.heard_ms = cx.now_ms;
        if *life.boot.get_or_insert(frame.header.boot) != frame.header.boot {
            let message = format!("helper {from} restarted during the attempt");
            return Err(Refusal::new(Code::Unavailable, message).hint("try again").about(vec![from]));
        }
        if frame.header.round == HELLO {
            self.repeat_for(from, self.round.saturating_sub(1), cx);
            return Ok(());
        }
        if frame.header.round > self.round + ROUNDS_AHEAD || frame.header.round + ROUNDS_KEPT < self.round {
            return Ok(());
        }
        let place = (frame.header.round, from);
        // In a lane the first message of a round is what counts, and hashing all of them would cost as much as the
        // protocol: what this helper says is fixed by what it took, and by the sender's life.
        let digest =
            (self.lane == 0).then(|| Tagged::new("quorate/1/frame").bytes(frame.body.as_slice()).finish());
        match self.seen.get(&place) {
            None => {
                self.seen.insert(place, digest);
                self.received.insert(place, frame.body);
            }
            Some(known) if *known == digest => self.repeat_for(from, frame.header.round, cx),
            Some(_) => {
                let message =
                    format!("helper {from} sent two different messages in round {}", frame.header.round);
                return Err(Refusal::new(Code::Disagreement, message).about(vec![from]));
            }
        }
        Ok(())
    }

    /// Repeats what is missing an answer; an error ends the attempt because a member is silent for too long.
    pub(crate) fn tick(&mut self, cx: &mut Context<'_>) -> Result<(), Refusal> {
        let Timing { resend_ms, stall_ms, .. } = cx.config.timing;
        let deaf_ms = cx.now_ms.saturating_sub(self.ticked_ms);
        self.ticked_ms = cx.now_ms;
        if deaf_ms > resend_ms {
            // This helper was busy: what it did not listen to is not the members' silence.
            self.lives.values_mut().for_each(|life| life.heard_ms += deaf_ms);
        }
        let missing = self.missing();
        let silent: Vec<u8> = missing
            .iter()
            .copied()
            .filter(|peer| cx.now_ms >= self.lives[peer].heard_ms + stall_ms)
            .collect();
        if !silent.is_empty() || cx.now_ms >= self.started_ms + ATTEMPT_MAX_MS {
            let who = if silent.is_empty() { missing } else { silent };
            let names: Vec<String> = who.iter().map(u8::to_string).collect();
            let message = format!("no answer from helper {} in round {}", names.join(", "), self.round);
            return Err(Refusal::new(Code::Unavailable, message)
                .hint("try again without the helpers that are away, if enough others are up")
                .about(who));
        }
        if !missing.is_empty() && cx.now_ms >= self.repeated_ms + resend_ms {
            self.repeated_ms = cx.now_ms;
            // Whoever is heard, here or in another lane, is at work: what it lacks, it will say.
            let is_quiet = |peer: &u8| cx.now_ms >= self.lives[peer].heard_ms + resend_ms;
            for peer in missing.into_iter().filter(is_quiet).collect::<Vec<u8>>() {
                self.repeat_since(peer, self.round.saturating_sub(1), cx);
            }
        }
        Ok(())
    }

    /// Answers a repetition: the member that repeats lacks something this helper sent since.
    pub(crate) fn repeat_for(&mut self, to: u8, round: u32, cx: &mut Context<'_>) {
        let pause_ms = cx.config.timing.resend_ms / 2;
        let Some(life) = self.lives.get_mut(&to) else { return };
        if life.answered_ms.is_some_and(|answered_ms| cx.now_ms < answered_ms + pause_ms) {
            return;
        }
        life.answered_ms = Some(cx.now_ms);
        self.repeat_since(to, round, cx);
    }

    fn repeat_since(&mut self, to: u8, round: u32, cx: &mut Context<'_>) {
        let sent = std::mem::take(&mut self.sent);
        for ((round, receiver), body) in sent.range((round, 0)..) {
            if *receiver == to {
                self.transmit(*round, to, body.as_slice(), cx);
            }
        }
        self.sent = sent;
    }

    /// Forgets what members cannot miss any more: whoever is in this round has everything before the last one.
    pub(crate) fn forget_old(&mut self) {
        let keep_from = self.round.saturating_sub(ROUNDS_KEPT);
        self.sent = self.sent.split_off(&(keep_from, 0));
        self.seen = self.seen.split_off(&(keep_from, 0));
    }

    fn missing(&self) -> Vec<u8> {
        let lacks = |peer: &&u8| !self.received.contains_key(&(self.round, **peer));
        self.peers.iter().filter(lacks).copied().collect()
    }

    fn transmit(&mut self, round: u32, to: u8, body: &[u8], cx: &mut Context<'_>) {
        self.bytes_sent += body.len() as u64;
        let life = cx.lives.get(&to).copied().unwrap_or_default();
        let frame = Frame::write(self.scope, (self.lane, round), body, cx.boot, life);
        cx.actions.push(Action::Send { to, frame });
    }
}
