//! Uploads: what is checked before anything is kept, and group commits.
//!
//! While one commit is being made durable, uploads collect; when it is, all of them go into the next one. Every
//! upload is acknowledged only after its commit, with a path to the commit's signed Merkle root: one signature per
//! commit, not per contribution.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use bytes::Bytes;
use quorate_circuit::Study;
use quorate_field::{Field, with_field};
use quorate_hash::{Digest, merkle};
use quorate_sharing::{PieceHeader, PieceRef, Scheme, check_piece, contribution_id, verify_piece};
use quorate_wire::{Code, CommitHead, ContributionRef, PieceBytesRef, Receipt, Refusal, UploadRef, limits};

use crate::context::Context;
use crate::event::Reply;
use crate::study::scheme_of;
use crate::{Ticket, Write};

/// An upload whose every contribution fits its commitment, the study and this helper. Only [`check_upload`] makes
/// one, so what the coordinator stores has been checked.
pub struct CheckedUpload {
    study: Digest,
    contributions: Vec<(Digest, Bytes)>,
}

impl std::fmt::Debug for CheckedUpload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CheckedUpload({} contributions of study {})", self.contributions.len(), self.study.short())
    }
}

/// Checks the bytes of an upload for `helper`: decodes, compares every piece with its commitment, and every element
/// with the field. Pure, and independent of everything stored, so that callers may run it in parallel. What is kept are parts of
/// `bytes`, not copies.
pub fn check_upload(study: &Study, helper: u8, bytes: &Bytes) -> Result<CheckedUpload, Refusal> {
    let upload: UploadRef<'_> = quorate_wire::decode(bytes, limits::UPLOAD_MAX)
        .map_err(|error| Refusal::new(Code::Malformed, format!("the upload is not readable: {error}")))?;
    if upload.study != study.id() {
        let message = format!("the upload is for study {}, not {}", upload.study.short(), study.id().short());
        return Err(Refusal::new(Code::Malformed, message));
    }
    let count = upload.contributions.len();
    if count == 0 || count > limits::UPLOAD_CONTRIBUTIONS_MAX {
        let message =
            format!("an upload has 1 to {} contributions, not {count}", limits::UPLOAD_CONTRIBUTIONS_MAX);
        return Err(Refusal::new(Code::Malformed, message));
    }
    let scheme = scheme_of(study);
    let check = |(index, (contribution, place)): (usize, (&ContributionRef<'_>, Range<usize>))| {
        let id = with_field!(study.field, F => check::<F>(study, &scheme, helper, contribution));
        let id = id.map_err(|reason| {
            Refusal::new(Code::Contribution, format!("contribution {} of {count}: {reason}", index + 1))
                .hint("split it again with this study and federation; nothing of this upload was kept")
        })?;
        Ok((id, bytes.slice(place)))
    };
    let contributions = upload.contributions.iter().zip(upload.places()).enumerate();
    let contributions = contributions.map(check).collect::<Result<_, Refusal>>()?;
    Ok(CheckedUpload { study: upload.study, contributions })
}

/// The id of a contribution that fits; otherwise what does not.
fn check<F: Field>(
    study: &Study,
    scheme: &Scheme,
    helper: u8,
    contribution: &ContributionRef<'_>,
) -> Result<Digest, String> {
    if contribution.rows > study.rows_max {
        return Err(format!(
            "it has {} rows, and the study takes at most {}",
            contribution.rows, study.rows_max
        ));
    }
    let header = header_of(helper, contribution);
    let piece = piece_of(contribution);
    check_piece::<F>(scheme, &header, study.cells_per_row(), piece).map_err(|error| error.to_string())?;
    let (commitments, rest) = contribution.commitments.as_chunks::<32>();
    if !rest.is_empty() {
        return Err(format!("its commitments are {} bytes, not 32 each", contribution.commitments.len()));
    }
    let commitments: Vec<Digest> = commitments.iter().map(|bytes| Digest(*bytes)).collect();
    let id = contribution_id(&study.id(), &commitments);
    verify_piece(&study.id(), scheme.helpers(), &id, &commitments, &header, &contribution.salt, piece)
        .map_err(|error| error.to_string())?;
    Ok(id)
}

/// The public part of a stored contribution.
pub(crate) fn header_of(helper: u8, contribution: &ContributionRef<'_>) -> PieceHeader {
    PieceHeader { helper, rot: contribution.rot, rows: contribution.rows }
}

/// The piece of a stored contribution.
pub(crate) fn piece_of<'a>(contribution: &'a ContributionRef<'_>) -> PieceRef<'a> {
    match &contribution.piece {
        PieceBytesRef::Seed(seed) => PieceRef::Seed(seed),
        PieceBytesRef::Data(data) => PieceRef::Data(data),
    }
}

/// Uploads on their way to the disk.
#[derive(Debug, Default)]
pub(crate) struct Uploads {
    waiting: Vec<Pending>,
    /// The commit being made durable, by its batch.
    committing: Option<(u64, Vec<Acknowledgement>)>,
    /// Contributions of each study in `waiting` and `committing` that are not durable yet.
    pending: BTreeMap<Digest, BTreeSet<Digest>>,
    /// Durable contributions of each study that had an upload in this life, without those of `committing`: the store
    /// may already count the latter.
    durable: BTreeMap<Digest, u64>,
}

/// An upload that waits for the next commit.
struct Pending {
    acknowledgement: Acknowledgement,
    /// Its fresh contributions.
    contributions: Vec<(Digest, Bytes)>,
}

impl std::fmt::Debug for Pending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pending({:?}, {} contributions)", self.acknowledgement, self.contributions.len())
    }
}

/// What is left of an upload once its bytes are with the store.
#[derive(Debug)]
struct Acknowledgement {
    ticket: Ticket,
    study: Digest,
    leaf: Digest,
    repeated: u64,
    fresh: Vec<Digest>,
}

/// Contributions that wait for one commit; beyond it uploads are refused until the disk has caught up.
const PENDING_MAX: usize = 4 * limits::UPLOAD_CONTRIBUTIONS_MAX;

impl Uploads {
    /// Takes an upload of a study that is open and holds at most `capacity` contributions.
    pub(crate) fn take(
        &mut self,
        ticket: Ticket,
        upload: CheckedUpload,
        capacity: u64,
        cx: &mut Context<'_>,
    ) {
        if self.pending.values().map(BTreeSet::len).sum::<usize>() > PENDING_MAX {
            let refusal = Refusal::new(Code::Busy, "the helper's disk does not keep up with uploads");
            return cx.reply(ticket, Err(refusal.hint("send the same upload again in a second")));
        }
        let CheckedUpload { study, contributions } = upload;
        let durable = *self.durable.entry(study).or_insert_with(|| cx.records.count(&study));
        let count = contributions.len() as u64;
        let leaf = merkle::root(&contributions.iter().map(|(id, _)| *id).collect::<Vec<_>>());
        let pending = self.pending.entry(study).or_default();
        let mut seen = BTreeSet::new();
        let is_fresh = |(id, _): &(Digest, Bytes)| {
            !cx.records.contains(&study, id) && !pending.contains(id) && seen.insert(*id)
        };
        let contributions: Vec<(Digest, Bytes)> = contributions.into_iter().filter(is_fresh).collect();
        let fresh: Vec<Digest> = contributions.iter().map(|(id, _)| *id).collect();
        let held = durable + pending.len() as u64;
        if held + fresh.len() as u64 > capacity {
            let message = format!("the study is full: it holds {held} of at most {capacity} contributions");
            return cx.reply(ticket, Err(Refusal::new(Code::Policy, message)));
        }
        pending.extend(&fresh);
        let repeated = count - fresh.len() as u64;
        let acknowledgement = Acknowledgement { ticket, study, leaf, repeated, fresh };
        self.waiting.push(Pending { acknowledgement, contributions });
        self.commit(cx);
    }

    /// Whether uploads of `study` are not durable yet.
    pub(crate) fn has_pending(&self, study: &Digest) -> bool {
        let committing = self.committing.iter().flat_map(|(_, entries)| entries);
        self.waiting.iter().any(|pending| pending.acknowledgement.study == *study)
            || committing.into_iter().any(|entry| entry.study == *study)
    }

    /// Takes the news that a batch is durable; acknowledges the uploads in it and begins the next commit.
    pub(crate) fn stored(&mut self, batch: u64, cx: &mut Context<'_>) {
        if self.committing.as_ref().is_none_or(|(committing, _)| *committing != batch) {
            return;
        }
        let Some((_, entries)) = self.committing.take() else { return };
        let mut by_study: BTreeMap<Digest, Vec<Acknowledgement>> = BTreeMap::new();
        for entry in entries {
            self.forget(&entry);
            *self.durable.entry(entry.study).or_default() += entry.fresh.len() as u64;
            by_study.entry(entry.study).or_default().push(entry);
        }
        for (study, entries) in by_study {
            acknowledge(study, &entries, cx);
        }
        self.commit(cx);
    }

    /// Refuses whatever waits: the helper stops.
    pub(crate) fn refuse_waiting(&mut self, refusal: &Refusal, cx: &mut Context<'_>) {
        for Pending { acknowledgement, .. } in std::mem::take(&mut self.waiting) {
            self.forget(&acknowledgement);
            cx.reply(acknowledgement.ticket, Err(refusal.clone()));
        }
    }

    /// The upload's contributions are pending no more.
    fn forget(&mut self, of: &Acknowledgement) {
        if let Some(pending) = self.pending.get_mut(&of.study) {
            for id in &of.fresh {
                pending.remove(id);
            }
            if pending.is_empty() {
                self.pending.remove(&of.study);
            }
        }
    }

    fn commit(&mut self, cx: &mut Context<'_>) {
        if self.committing.is_some() || self.waiting.is_empty() {
            return;
        }
        let (mut writes, mut entries) = (Vec::new(), Vec::new());
        for Pending { acknowledgement, contributions } in std::mem::take(&mut self.waiting) {
            let study = acknowledgement.study;
            writes.extend(contributions.into_iter().map(|(id, bytes)| Write::Contribution {
                study,
                id,
                bytes,
            }));
            entries.push(acknowledgement);
        }
        self.committing = Some((cx.store(writes), entries));
    }
}

impl CheckedUpload {
    /// The study it is for.
    pub fn study(&self) -> &Digest {
        &self.study
    }
}

fn acknowledge(study: Digest, entries: &[Acknowledgement], cx: &mut Context<'_>) {
    let leaves: Vec<Digest> = entries.iter().map(|entry| entry.leaf).collect();
    let (paths, root) = merkle::paths(&leaves);
    let head = CommitHead { study, helper: cx.number, uploads: leaves.len() as u64, root };
    let signature = head.sign(&cx.config.key);
    for ((index, entry), path) in (0..).zip(entries).zip(paths) {
        let receipt = Receipt { head: head.clone(), signature, index, path, repeated: entry.repeated };
        cx.reply(entry.ticket, Ok(Reply::Receipt(receipt)));
    }
}
