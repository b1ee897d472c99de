//! Sealing a study: one agreed, checked, immutable set (`docs/protocols.md`, section 3).
//!
//! Rounds: what each member holds, in brief; lists where they differ, one message per page, from which all compute
//! the sealing helpers S and the set; nonces and key contributions; the session is the same for all; a coin; the
//! degree check, one message per step; signatures of the manifest. Studies without input checks have neither coin
//! nor check.
//!
//! A study is sealed once. A member that signed a manifest signs no other, unless a member that had to sign it too
//! shows up without having signed: then it can never be completed, because the attempt in which that member would
//! have signed is gone. A manifest is sealed when all its members signed.

mod agreement;
mod inbox;
mod layout;
mod lists;
mod messages;
mod morsels;
mod norms;
mod pieces;
mod ranges;
mod rounds;
mod standing;
mod verdict;

use std::collections::{BTreeMap, VecDeque};

use quorate_engine::keys::{KeyAgreement, UnconfirmedKeys};
use quorate_federation::PublicKey;
use quorate_hash::Digest;
use quorate_sharing::prss::SessionKeys;
use quorate_wire::{Code, Manifest, Refusal, SealRequest, Signed, SignedManifest};

use crate::compute::Outcome;
use crate::context::Context;
use crate::ending::Ending;
use crate::event::Reply;
use crate::exchange::Exchange;
use crate::frame::Frame;
use crate::lane::{self, Lane};
use crate::study::{Entry, refuse_signed, seal_number_write, unprepared_write};
use crate::{Action, Write};
use agreement::{Agreed, Item};
pub(crate) use inbox::{blame, key_offers, read_all, same_session};
pub(crate) use layout::bits_column;
pub(crate) use messages::{Confirmation, Opening};
use norms::Norms;
pub(crate) use pieces::unreadable;
use ranges::Ranges;
pub(crate) use verdict::check_cohort;

/// One attempt to seal one study.
pub(crate) struct Seal {
    study: Digest,
    /// The attempt's name: digest of the signed request.
    attempt: Digest,
    signed: Signed,
    exchange: Exchange,
    /// Where values are checked, once the members are known.
    lanes: Vec<Lane>,
    stage: Stage,
    /// The batch of writes being waited for.
    batch: Option<u64>,
    /// A column layout that must be abandoned if the attempt fails.
    layout: Option<Digest>,
    /// Whether the others go on without this helper: its end is not theirs.
    is_left_out: bool,
    ending: Ending<Box<SignedManifest>>,
}

/// Where the attempt stands. Each stage holds what the next needs.
enum Stage {
    /// Uploads that were accepted before must be durable first.
    Draining,
    /// Round 0 was sent.
    Opening { mine: Opening, items: Vec<Item> },
    /// A page of lists was sent.
    Listing(Box<Listing>),
    /// Round 1 was sent: only signatures of this manifest are missing.
    Completing(Box<Manifest>),
    /// Round 2 was sent.
    Refreshing { agreed: Agreed, nonce: [u8; 32], keys: Option<KeyAgreement> },
    /// Round 3 was sent.
    Confirming { sealing: Sealing, keys: Option<UnconfirmedKeys> },
    /// Round 4 was sent.
    Tossing { sealing: Sealing, keys: SessionKeys, mine: Vec<u8> },
    /// Rounds from 5 are sent.
    Checking(Box<Checking>),
    /// The columns are being written.
    LayingOut(Box<LayingOut>),
    /// The manifest is being made durable, before it is signed.
    Preparing(Box<Manifest>),
    /// Signatures were sent.
    Signing(Box<Manifest>),
    /// The signed manifest is being made durable.
    Committing(Box<SignedManifest>),
    /// Nothing more happens.
    Over,
}

/// The comparison of sets under way.
struct Listing {
    openings: BTreeMap<u8, Opening>,
    /// This helper's items.
    items: Vec<Item>,
    /// Buckets in which members differ, in pages of one message each; the current one first.
    pages: VecDeque<Vec<u32>>,
    /// All differing buckets, ascending.
    differing: Vec<u32>,
    /// What was listed so far, by member.
    lists: BTreeMap<u8, Vec<Item>>,
}

/// What is fixed once the session is.
struct Sealing {
    agreed: Agreed,
    session: Digest,
    /// Whether each item passed the checks so far; empty until a check ran.
    passed: Vec<bool>,
}

/// The layout under way.
struct LayingOut {
    sealing: Sealing,
    /// Contributions that passed the degree check, and that of norms once it is over.
    candidates: Vec<Item>,
    /// Where values are checked: who passes is known later.
    ranges: Option<Ranges>,
    /// Where norms are checked, until they are: nothing is laid out before.
    norms: Option<Norms>,
    /// Contributions that are laid out.
    accepted: Vec<Item>,
    rejected: Rejected,
}

/// Contributions that passed the degree check and no later one.
#[derive(Default)]
struct Rejected {
    out_of_range: Vec<Digest>,
    above_norm: Vec<Digest>,
}

/// The degree check under way.
struct Checking {
    sealing: Sealing,
    keys: SessionKeys,
    coin: quorate_engine::coin::Coin,
    /// This helper's message of the current step.
    mine: Vec<u8>,
}

impl Seal {
    /// Checks a request and begins. Whoever heard of it first: the owner asked here, or a member opened.
    pub(crate) fn begin(signed: Signed, entry: &mut Entry, cx: &mut Context<'_>) -> Result<Self, Refusal> {
        let request: SealRequest = signed.open().map_err(refuse_signed)?;
        check_request(&request, &signed, entry, cx)?;
        entry.seal_number = request.number;
        let batch = Some(cx.store(vec![seal_number_write(&request.study, request.number)]));
        let attempt = signed.digest::<SealRequest>();
        let exchange = Exchange::new(attempt, 0, &request.members, cx);
        Ok(Seal {
            study: request.study,
            attempt,
            signed,
            exchange,
            lanes: Vec::new(),
            stage: Stage::Draining,
            batch,
            layout: None,
            is_left_out: false,
            ending: Ending::new(Reply::Sealed),
        })
    }

    /// The study it seals.
    pub(crate) fn study(&self) -> &Digest {
        &self.study
    }

    /// How it ends.
    pub(crate) fn ending(&mut self) -> &mut Ending<Box<SignedManifest>> {
        &mut self.ending
    }

    /// Whether it still goes on.
    pub(crate) fn is_working(&self) -> bool {
        self.ending.is_open()
    }

    /// Whether all signatures are here and only the disk is waited for: nothing may end it any more.
    pub(crate) fn is_committing(&self) -> bool {
        matches!(self.stage, Stage::Committing(_))
    }

    /// Takes a member's message.
    pub(crate) fn receive(
        &mut self,
        from: u8,
        frame: Frame,
        entry: &mut Entry,
        is_drained: bool,
        cx: &mut Context<'_>,
    ) {
        if let Some(refusal) = self.ending.refusal()
            && !self.is_left_out
        {
            // Whoever still waits did not hear that it is over.
            cx.actions.push(Action::Send { to: from, frame: Frame::abort(self.attempt, refusal, cx.boot) });
            return;
        }
        match lane::receive(&mut self.exchange, &mut self.lanes, from, frame, cx) {
            Ok(()) => self.advance(entry, is_drained, cx),
            Err(refusal) if self.is_working() => self.fail(refusal, entry, cx),
            Err(refusal) => {
                cx.actions
                    .push(Action::Send { to: from, frame: Frame::abort(self.attempt, &refusal, cx.boot) });
            }
        }
    }

    /// Takes what was computed for a lane.
    pub(crate) fn computed(
        &mut self,
        number: u16,
        outcome: Outcome,
        entry: &mut Entry,
        is_drained: bool,
        cx: &mut Context<'_>,
    ) {
        lane::take_computed(&mut self.lanes, number, outcome);
        self.advance(entry, is_drained, cx);
    }

    /// Goes on as far as possible. `is_drained`: no upload of the study is on its way to the disk.
    pub(crate) fn advance(&mut self, entry: &mut Entry, is_drained: bool, cx: &mut Context<'_>) {
        while self.is_working() && self.batch.is_none() {
            let moved = match &self.stage {
                Stage::Draining if is_drained => self.open(entry, cx),
                Stage::Draining | Stage::Over => Ok(false),
                Stage::LayingOut(_) => self.lay_out(entry, cx),
                _ => match self.exchange.complete() {
                    None => Ok(false),
                    Some(messages) => self.take_round(&messages, entry, cx).map(|()| true),
                },
            };
            match moved {
                Ok(true) => {}
                Ok(false) => break,
                Err(refusal) => return self.fail(refusal, entry, cx),
            }
        }
    }

    /// Whether it wants [`crate::Event::Continue`].
    pub(crate) fn is_computing(&self) -> bool {
        matches!(self.stage, Stage::LayingOut(_))
    }

    /// Takes the news that a batch is durable.
    pub(crate) fn stored(&mut self, batch: u64, entry: &mut Entry, is_drained: bool, cx: &mut Context<'_>) {
        if self.batch != Some(batch) || !self.is_working() {
            return;
        }
        self.batch = None;
        let next = match std::mem::replace(&mut self.stage, Stage::Over) {
            Stage::Preparing(manifest) => self.sign(manifest, entry, cx),
            Stage::Committing(manifest) => {
                self.finish(manifest, entry, cx);
                Ok(())
            }
            other => {
                self.stage = other;
                Ok(())
            }
        };
        match next {
            Ok(()) => self.advance(entry, is_drained, cx),
            Err(refusal) => self.fail(refusal, entry, cx),
        }
    }

    /// Time passes.
    pub(crate) fn tick(&mut self, entry: &mut Entry, cx: &mut Context<'_>) {
        if !self.is_working() || self.batch.is_some() {
            return;
        }
        let ticked = match self.stage {
            Stage::Draining | Stage::Over => Ok(()),
            Stage::LayingOut(_) => self.lanes.iter_mut().try_for_each(|lane| lane.tick(cx)),
            _ => self.exchange.tick(cx),
        };
        if let Err(refusal) = ticked {
            self.fail(refusal, entry, cx);
        }
    }

    /// A member says that the attempt is over. A signature that was given stays given; the next attempt resolves it.
    pub(crate) fn aborted(&mut self, from: u8, refusal: Refusal, entry: &mut Entry, cx: &mut Context<'_>) {
        let is_member = self.exchange.peers().contains(&from);
        if !is_member || !self.is_working() || self.is_committing() {
            return;
        }
        self.end_with(Err(refusal), entry, cx);
    }

    /// Ends the attempt here and tells the members.
    pub(crate) fn fail(&mut self, refusal: Refusal, entry: &mut Entry, cx: &mut Context<'_>) {
        if self.is_working() && !self.is_left_out {
            self.exchange.abort(&refusal, cx);
        }
        self.end_with(Err(refusal), entry, cx);
    }

    fn finish(&mut self, manifest: Box<SignedManifest>, entry: &mut Entry, cx: &mut Context<'_>) {
        entry.state = crate::study::State::Sealed(manifest.clone());
        self.layout = None;
        self.end_with(Ok(manifest), entry, cx);
    }

    fn end_with(&mut self, end: Result<Box<SignedManifest>, Refusal>, entry: &Entry, cx: &mut Context<'_>) {
        if !self.is_working() {
            return;
        }
        self.stage = Stage::Over;
        self.exchange.end();
        self.lanes.clear();
        self.ending.set(end, cx);
        // A layout that was signed must stay: the manifest may yet be completed.
        if let Some(generation) = self.layout.take()
            && !standing::is_signed(&generation, entry)
        {
            // The record of a manifest on its way to the disk, not signed yet, must not outlive its columns.
            let study = self.study;
            cx.store(vec![unprepared_write(&study), Write::ColumnsAbandon { study, generation }]);
        }
    }
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Seal(study {}, attempt {})", self.study.short(), self.attempt.short())
    }
}

fn check_request(
    request: &SealRequest,
    signed: &Signed,
    entry: &Entry,
    cx: &Context<'_>,
) -> Result<(), Refusal> {
    let study = &entry.kept.study;
    if request.federation != *cx.config.federation.id() {
        let message = format!("the request is for federation {}", request.federation);
        return Err(Refusal::new(Code::Malformed, message).hint("use this federation's file"));
    }
    if signed.key != PublicKey::from_bytes(study.owner) {
        let message =
            format!("only the study's owner may seal it, and key {} is not the owner's", signed.key);
        return Err(Refusal::new(Code::Forbidden, message));
    }
    if request.number <= entry.seal_number {
        let message =
            format!("the request to seal is number {}, and {} was seen", request.number, entry.seal_number);
        return Err(Refusal::new(Code::Policy, message).hint("ask again: every request has a higher number"));
    }
    check_members(&request.members, entry, cx)?;
    let needed = entry.scheme.seal_quorum();
    if request.members.len() < needed {
        let message =
            format!("a seal of this study takes at least {needed} helpers, not {}", request.members.len());
        return Err(Refusal::new(Code::Unavailable, message).hint("wait until more helpers are up"));
    }
    Ok(())
}

/// Whether these are helpers of the study, ascending, this one among them.
pub(crate) fn check_members(members: &[u8], entry: &Entry, cx: &Context<'_>) -> Result<(), Refusal> {
    let ascending = members.is_sorted_by(|a, b| a < b);
    if !ascending
        || !members.iter().all(|member| entry.scheme.has_helper(*member))
        || !members.contains(&cx.number)
    {
        let message = format!(
            "the helpers {members:?} are not ascending numbers of this study with helper {}",
            cx.number
        );
        return Err(Refusal::new(Code::Malformed, message));
    }
    Ok(())
}
