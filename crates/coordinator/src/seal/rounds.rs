//! The rounds of a seal: what each stage does with all members' messages, and what it sends next.

use std::collections::BTreeMap;

use quorate_engine::coin::{Coin, coin_shares, open_coin};
use quorate_engine::degree;
use quorate_engine::keys::{KeyAgreement, UnconfirmedKeys};
use quorate_engine::session::{Terms, session};
use quorate_field::{Field, with_field, write_slice};
use quorate_hash::Digest;
use quorate_sharing::Shares;
use quorate_sharing::prss::SessionKeys;
use quorate_wire::{Blob, Code, Manifest, Refusal, SignedManifest};

use super::agreement::{Agreed, Item, agree, bucket_count, bucket_digests, bucket_of, differing, items_root};
use super::inbox::{Messages, blame, key_offers, malformed, opened, read_all, same_session};
use super::lists::{check_lists, lists, pages};
use super::messages::{Confirmation, Fresh, Opened, Opening, Second, Signing};
use super::morsels;
use super::norms::{Norms, Verdicts};
use super::ranges::Ranges;
use super::standing::{Resolution, resolve, standing};
use super::verdict::{check_cohort, check_exclusions, excluded, left_out, manifest};
use super::{Checking, LayingOut, Listing, Rejected, Seal, Sealing, Stage, layout, pieces};
use crate::Write;
use crate::context::Context;
use crate::coordinator::First;
use crate::study::{Entry, State, excluded_write, prepared_write, sealed_write, unprepared_write};

impl Seal {
    /// The first round: what this helper holds.
    pub(super) fn open(&mut self, entry: &Entry, cx: &mut Context<'_>) -> Result<bool, Refusal> {
        let study = &entry.kept.study;
        let items = pieces::items(entry, cx)?;
        let (buckets, sizes) = bucket_digests(&items, bucket_count(study.capacity));
        let mine = Opening {
            signed: self.signed.clone(),
            standing: standing(entry, cx),
            contributions: items.len() as u64,
            buckets,
            sizes,
        };
        self.exchange.broadcast(&First::Seal(mine.clone()), cx);
        self.stage = Stage::Opening { mine, items };
        Ok(true)
    }

    /// Takes one complete round.
    pub(super) fn take_round(
        &mut self,
        messages: &Messages,
        entry: &mut Entry,
        cx: &mut Context<'_>,
    ) -> Result<(), Refusal> {
        self.exchange.forget_old();
        match std::mem::replace(&mut self.stage, Stage::Over) {
            Stage::Opening { mine, items } => self.take_openings(messages, mine, items, entry, cx),
            Stage::Listing(listing) => self.take_lists(messages, listing, entry, cx),
            Stage::Completing(manifest) => {
                let signatures = read_all(messages, "signature", |second| match second {
                    Second::Finish(signature) => Some(Signing { manifest: manifest.id(), signature }),
                    Second::Lists(_) => None,
                })?;
                self.take_signatures(manifest, &signatures, cx)
            }
            Stage::Refreshing { agreed, nonce, keys } => {
                self.take_fresh(messages, agreed, nonce, keys, entry, cx)
            }
            Stage::Confirming { sealing, keys } => {
                self.take_confirmations(messages, sealing, keys, entry, cx)
            }
            Stage::Tossing { sealing, keys, mine } => {
                let shares = opened(messages, &sealing.session, mine, cx.number)?;
                let coin = open_coin(entry.scheme.threshold(), &sealing.session, &shares).map_err(blame)?;
                let checking = Checking { sealing, keys, coin, mine: Vec::new() };
                self.check_step(Box::new(checking), entry, cx)
            }
            Stage::Checking(checking) => self.take_check(messages, checking, entry, cx),
            Stage::Signing(manifest) => {
                let signatures = read_all(messages, "signature", Some)?;
                self.take_signatures(manifest, &signatures, cx)
            }
            stage @ (Stage::Draining
            | Stage::LayingOut(_)
            | Stage::Preparing(_)
            | Stage::Committing(_)
            | Stage::Over) => {
                self.stage = stage;
                Ok(())
            }
        }
    }

    /// After the openings: resolve what was signed before, else find out where members differ.
    fn take_openings(
        &mut self,
        messages: &Messages,
        mine: Opening,
        items: Vec<Item>,
        entry: &mut Entry,
        cx: &mut Context<'_>,
    ) -> Result<(), Refusal> {
        let mut openings = read_all(messages, "opening", |first| match first {
            First::Seal(opening) => Some(opening),
            First::Run(_) => None,
        })?;
        for (member, opening) in &openings {
            if opening.buckets.len() != mine.buckets.len() || opening.sizes.len() != mine.sizes.len() {
                return Err(malformed(*member, "opening", "another number of buckets"));
            }
        }
        openings.insert(cx.number, mine);
        match resolve(&openings, entry, cx)? {
            Resolution::Adopt(manifest) => self.adopt(manifest, entry, cx),
            Resolution::Complete(manifest) => self.complete(manifest, entry, cx),
            Resolution::Fresh => {
                self.give_up_signed(entry, cx);
                let digests =
                    openings.iter().map(|(member, opening)| (*member, &opening.buckets[..])).collect();
                let differing = differing(&digests);
                let Some(pages) = pages(&differing, &openings) else {
                    let message = "the helpers' sets differ in a bucket of ids with more contributions than one message holds";
                    return Err(Refusal::new(Code::Policy, message)
                        .hint("let contributors finish their uploads, then seal again"));
                };
                let lists = openings.keys().map(|member| (*member, Vec::new())).collect();
                self.send_page(Box::new(Listing { openings, items, pages, differing, lists }), entry, cx);
                Ok(())
            }
        }
    }

    /// Sends this helper's lists of the current page.
    fn send_page(&mut self, listing: Box<Listing>, entry: &Entry, cx: &mut Context<'_>) {
        let page = listing.pages.front().map(Vec::as_slice).unwrap_or_default();
        let lists = lists(&listing.items, page, bucket_count(entry.kept.study.capacity));
        self.exchange.broadcast(&Second::Lists(lists), cx);
        self.stage = Stage::Listing(listing);
    }

    /// A manifest that is sealed elsewhere becomes sealed here.
    fn adopt(
        &mut self,
        signed: Box<SignedManifest>,
        entry: &mut Entry,
        cx: &mut Context<'_>,
    ) -> Result<(), Refusal> {
        let is_here = match &entry.state {
            State::Sealed(_) => {
                self.finish(signed, entry, cx);
                return Ok(());
            }
            State::Prepared(manifest) => manifest.id() == signed.manifest.id(),
            State::Open => false,
        };
        if signed.manifest.members.contains(&cx.number) && !is_here {
            let message = format!("helper {} signed the study's manifest and has lost it", cx.number);
            return Err(Refusal::new(Code::Disagreement, message)
                .hint("its data directory was restored from an older backup: restore the newest one")
                .about(vec![cx.number]));
        }
        self.commit(signed, cx);
        Ok(())
    }

    /// Everybody who must sign did: exchange the signatures again.
    fn complete(
        &mut self,
        manifest: Box<Manifest>,
        entry: &Entry,
        cx: &mut Context<'_>,
    ) -> Result<(), Refusal> {
        if !manifest.members.contains(&cx.number) {
            self.is_left_out = true;
            return Err(left_out(&manifest.members, cx.number));
        }
        debug_assert!(super::standing::is_signed(&manifest.session, entry), "only signers complete");
        self.exchange.narrow(&manifest.members);
        self.exchange.broadcast(&Second::Finish(manifest.sign(&cx.config.key)), cx);
        self.stage = Stage::Completing(manifest);
        Ok(())
    }

    /// A manifest that can never be completed is forgotten.
    fn give_up_signed(&mut self, entry: &mut Entry, cx: &mut Context<'_>) {
        if let State::Prepared(manifest) = &entry.state {
            let generation = manifest.session;
            let study = self.study;
            cx.store(vec![unprepared_write(&study), Write::ColumnsAbandon { study, generation }]);
            entry.state = State::Open;
        }
    }

    /// After a page of lists: the next, or S and the set.
    fn take_lists(
        &mut self,
        messages: &Messages,
        mut listing: Box<Listing>,
        entry: &Entry,
        cx: &mut Context<'_>,
    ) -> Result<(), Refusal> {
        let study = &entry.kept.study;
        let buckets = bucket_count(study.capacity);
        let received = read_all(messages, "list", |second| match second {
            Second::Lists(lists) => Some(lists),
            Second::Finish(_) => None,
        })?;
        let page = listing.pages.pop_front().unwrap_or_default();
        for (member, lists) in received {
            let items = check_lists(member, lists, &page, buckets, &listing.openings[&member])?;
            listing.lists.entry(member).or_default().extend(items);
        }
        if !listing.pages.is_empty() {
            self.send_page(listing, entry, cx);
            return Ok(());
        }
        let Listing { items, differing, lists: mut all, .. } = *listing;
        let is_common = |item: &Item| differing.binary_search(&bucket_of(&item.id, buckets)).is_err();
        let (common, own): (Vec<Item>, Vec<Item>) = items.into_iter().partition(is_common);
        all.insert(cx.number, own);
        let agreed = agree(common, &all, entry.scheme.seal_quorum(), &study.policy.excluded_max)?;
        if !agreed.members.contains(&cx.number) {
            self.is_left_out = true;
            return Err(left_out(&agreed.members, cx.number));
        }
        check_cohort(agreed.items.len() as u64, study.policy.min_cohort)?;
        self.exchange.narrow(&agreed.members);
        if study.input_checks().compare_values() {
            self.lanes = morsels::lanes(self.attempt, &entry.scheme, &agreed.members, cx);
        }
        let nonce = cx.random();
        let keys =
            KeyAgreement::new(&entry.scheme, cx.number, &agreed.members, cx.config.federation.id(), cx.rng);
        for to in self.exchange.peers().to_vec() {
            let offer = keys.as_ref().map(|keys| keys.offer(to)).unwrap_or_default();
            self.exchange.send(to, &Fresh { nonce, keys: Blob::new(offer.concat()) }, cx);
        }
        self.stage = Stage::Refreshing { agreed, nonce, keys };
        Ok(())
    }

    /// After the nonces: the session.
    fn take_fresh(
        &mut self,
        messages: &Messages,
        agreed: Agreed,
        nonce: [u8; 32],
        keys: Option<KeyAgreement>,
        entry: &Entry,
        cx: &mut Context<'_>,
    ) -> Result<(), Refusal> {
        let fresh = read_all(messages, "nonce", Some::<Fresh>)?;
        let nonces: Vec<[u8; 32]> = agreed
            .members
            .iter()
            .map(|member| fresh.get(member).map_or(nonce, |fresh| fresh.nonce))
            .collect();
        let session = session(
            &Terms {
                kind: "seal",
                federation: cx.config.federation.id(),
                scheme: &entry.scheme,
                members: &agreed.members,
                study: &self.study,
                set: &items_root(agreed.items.iter()),
                program: &Digest::default(),
                attempt: &self.attempt,
            },
            &nonces,
        );
        let offers = key_offers(fresh.iter().map(|(member, fresh)| (*member, &fresh.keys)))?;
        let keys = keys.map(|keys| keys.combine(&offers)).transpose().map_err(blame)?;
        for to in self.exchange.peers().to_vec() {
            let fingerprints = keys.as_ref().map(|keys| keys.fingerprints(to, &session)).unwrap_or_default();
            self.exchange.send(to, &Confirmation { session, fingerprints }, cx);
        }
        self.stage = Stage::Confirming { sealing: Sealing { agreed, session, passed: Vec::new() }, keys };
        Ok(())
    }

    /// After the confirmations: toss a coin where contributions are checked.
    fn take_confirmations(
        &mut self,
        messages: &Messages,
        sealing: Sealing,
        keys: Option<UnconfirmedKeys>,
        entry: &Entry,
        cx: &mut Context<'_>,
    ) -> Result<(), Refusal> {
        let fingerprints = same_session(messages, &sealing.session)?;
        let Some(keys) = keys else { return self.begin_layout(sealing, None, entry, cx) };
        let keys = keys.confirm(&sealing.session, &fingerprints).map_err(blame)?;
        let mine = coin_shares(&keys, 0);
        self.exchange.broadcast(&Opened { session: sealing.session, shares: Blob::new(mine.clone()) }, cx);
        self.stage = Stage::Tossing { sealing, keys, mine };
        Ok(())
    }

    /// Opens the next contributions' check values, or ends the check.
    fn check_step(
        &mut self,
        mut checking: Box<Checking>,
        entry: &Entry,
        cx: &mut Context<'_>,
    ) -> Result<(), Refusal> {
        let from = checking.sealing.passed.len();
        let items = &checking.sealing.agreed.items[from..];
        let items = &items[..pieces::step_length(entry, items)];
        if items.is_empty() {
            let Checking { sealing, keys, coin, .. } = *checking;
            return self.begin_layout(sealing, Some((keys, coin)), entry, cx);
        }
        let session = checking.sealing.session;
        let study = &entry.kept.study;
        // Nearly always all of them pass, and their shares are here: they need not be read again to be laid out.
        let lays_out = !study.input_checks().compare_values();
        let (mine, columns) = with_field!(study.field, F => {
            let blocks = pieces::blocks::<F>(entry, items, cx)?;
            let columns = lays_out.then(|| layout::columns(study, items, &blocks));
            (check_values(&checking, from as u64, &blocks), columns)
        });
        if let Some(columns) = columns {
            self.layout = Some(session);
            self.batch = Some(cx.store(layout::append_columns(entry, &session, columns, items)));
        }
        checking.mine = mine;
        let shares = Blob::new(checking.mine.clone());
        self.exchange.broadcast(&Opened { session, shares }, cx);
        self.stage = Stage::Checking(checking);
        Ok(())
    }

    /// After a round of the check: verdicts.
    fn take_check(
        &mut self,
        messages: &Messages,
        mut checking: Box<Checking>,
        entry: &Entry,
        cx: &mut Context<'_>,
    ) -> Result<(), Refusal> {
        let mine = std::mem::take(&mut checking.mine);
        let shares = opened(messages, &checking.sealing.session, mine, cx.number)?;
        let left = &checking.sealing.agreed.items[checking.sealing.passed.len()..];
        let count = pieces::step_length(entry, left);
        let threshold = entry.scheme.threshold();
        let verdicts =
            with_field!(entry.kept.study.field, F => degree::verdicts::<F>(threshold, count, &shares));
        checking.sealing.passed.extend(verdicts.map_err(blame)?);
        self.check_step(checking, entry, cx)
    }

    fn begin_layout(
        &mut self,
        sealing: Sealing,
        secrets: Option<(SessionKeys, Coin)>,
        entry: &Entry,
        cx: &mut Context<'_>,
    ) -> Result<(), Refusal> {
        let passed = |place: &usize| sealing.passed.get(*place).copied().unwrap_or(true);
        let items = &sealing.agreed.items;
        let candidates: Vec<Item> = (0..items.len()).filter(passed).map(|place| items[place]).collect();
        check_exclusions(&sealing, &candidates, entry)?;
        let (checks, members) = (entry.kept.study.input_checks(), &sealing.agreed.members);
        let rows: u64 = candidates.iter().map(|item| u64::from(item.rows)).sum();
        // No study has both: of vectors no bits are made, and the draws of the two would be the same.
        let (ranges, norms) = match secrets {
            Some((keys, _)) if checks.range => (Ranges::new(entry, members, rows, keys, cx), None),
            Some((keys, coin)) if checks.norm => (None, Norms::new(entry, members, rows, keys, &coin, cx)),
            _ => (None, None),
        };
        let (study, generation) = (self.study, sealing.session);
        let was_begun = self.layout.replace(generation).is_some();
        let is_laid_out = was_begun && candidates.len() == items.len();
        if was_begun && !is_laid_out {
            self.batch = Some(cx.store(vec![Write::ColumnsAbandon { study, generation }]));
        }
        let accepted = if is_laid_out { candidates.clone() } else { Vec::new() };
        let rejected = Rejected::default();
        let laying = LayingOut { sealing, candidates, ranges, norms, accepted, rejected };
        self.stage = Stage::LayingOut(Box::new(laying));
        Ok(())
    }

    /// Writes the next part of the columns; after the last, the manifest to be signed. Whether it got further.
    pub(super) fn lay_out(&mut self, entry: &mut Entry, cx: &mut Context<'_>) -> Result<bool, Refusal> {
        let Stage::LayingOut(laying) = &mut self.stage else { return Ok(false) };
        if let Some(norms) = &mut laying.norms {
            let verdicts = norms.advance(&mut self.lanes, &laying.candidates, entry, cx)?;
            let Some(Verdicts { within, too_long }) = verdicts else { return Ok(false) };
            check_exclusions(&laying.sealing, &within, entry)?;
            laying.rejected.above_norm = too_long.into_iter().map(|item| item.id).collect();
            (laying.candidates, laying.norms) = (within, None);
        }
        let session = laying.sealing.session;
        let computes = laying.ranges.is_some();
        let (mut writes, is_over) = match &mut laying.ranges {
            None => {
                let left = &laying.candidates[laying.accepted.len()..];
                let next = left[..pieces::step_length(entry, left)].to_vec();
                let writes =
                    if next.is_empty() { Vec::new() } else { layout::append(entry, &session, &next, cx)? };
                laying.accepted.extend(next);
                (writes, laying.accepted.len() == laying.candidates.len())
            }
            Some(ranges) => {
                let step = ranges.advance(&mut self.lanes, &laying.candidates, &session, entry, cx)?;
                laying.accepted.extend(step.accepted);
                laying.rejected.out_of_range.extend(step.out_of_range);
                (step.writes, step.is_over)
            }
        };
        if !is_over && writes.is_empty() {
            return Ok(false);
        }
        if is_over {
            check_exclusions(&laying.sealing, &laying.accepted, entry)?;
            let excluded = excluded(&laying.sealing, &laying.rejected);
            let manifest = manifest(&laying.sealing, &laying.accepted, &excluded, &laying.rejected, entry);
            let manifest = Box::new(manifest);
            let (study, generation) = (self.study, session);
            writes.push(Write::ColumnsFinish { study, generation, columns: layout::width(entry) });
            writes.push(excluded_write(&study, &excluded));
            writes.push(prepared_write(&study, &manifest));
            self.stage = Stage::Preparing(manifest);
        }
        let goes_on = computes && !is_over;
        let batch = cx.store(writes);
        // The members compute on while what is checked is written.
        self.batch = (!goes_on).then_some(batch);
        Ok(true)
    }

    /// The columns and the manifest are durable: sign.
    pub(super) fn sign(
        &mut self,
        manifest: Box<Manifest>,
        entry: &mut Entry,
        cx: &mut Context<'_>,
    ) -> Result<(), Refusal> {
        entry.state = State::Prepared(manifest.clone());
        let signature = manifest.sign(&cx.config.key);
        self.exchange.broadcast(&Signing { manifest: manifest.id(), signature }, cx);
        self.stage = Stage::Signing(manifest);
        Ok(())
    }

    /// After the last round: all signatures.
    fn take_signatures(
        &mut self,
        manifest: Box<Manifest>,
        signings: &BTreeMap<u8, Signing>,
        cx: &mut Context<'_>,
    ) -> Result<(), Refusal> {
        let id = manifest.id();
        let mut signatures = Vec::with_capacity(manifest.members.len());
        for member in &manifest.members {
            let Some(signing) = signings.get(member) else {
                signatures.push(manifest.sign(&cx.config.key));
                continue;
            };
            let key = cx.config.federation.member(*member).map(|helper| helper.key);
            let is_good = key.is_some_and(|key| manifest.is_signed_by(&key, &signing.signature));
            if signing.manifest != id {
                // A liar may have told two honest helpers different things: nobody is to blame for certain.
                let message = format!("helper {member} came to another manifest than helper {}", cx.number);
                return Err(Refusal::new(Code::Disagreement, message));
            }
            if !is_good {
                let message = format!("helper {member} sent a signature that is not its own");
                return Err(Refusal::new(Code::Disagreement, message).about(vec![*member]));
            }
            signatures.push(signing.signature);
        }
        self.commit(Box::new(SignedManifest { manifest: *manifest, signatures }), cx);
        Ok(())
    }

    fn commit(&mut self, signed: Box<SignedManifest>, cx: &mut Context<'_>) {
        self.batch = Some(cx.store(vec![sealed_write(&self.study, &signed)]));
        self.stage = Stage::Committing(signed);
    }
}

/// This helper's check values for contributions with these shares, from number `from` on, encoded.
fn check_values<F: Field>(checking: &Checking, from: u64, blocks: &[Shares<F>]) -> Vec<u8> {
    let cells = blocks.iter().map(Shares::len).max().unwrap_or(0);
    let mut rho = vec![F::ZERO; cells];
    checking.coin.coefficients(0, &mut rho);
    let masks = degree::masks::<F>(&checking.keys, from..from + blocks.len() as u64);
    let value = |(block, mask): (&Shares<F>, &F)| degree::combine(&rho, block.as_slice(), *mask);
    write_slice(&blocks.iter().zip(masks.as_slice()).map(value).collect::<Vec<F>>())
}
