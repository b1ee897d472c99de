//! Contributors, honest and other, and their uploads.

use std::collections::BTreeMap;
use std::sync::Arc;

use quorate_circuit::{Bits, Domain};
use quorate_contribute::Packer;
use quorate_field::Integer;
use quorate_hash::Digest;
use quorate_sharing::{ContributorSecret, PieceHeader, PieceRef, SchemeKind, commitment, contribution_id};
use quorate_wire::{Blob, Code, Contribution, PieceBytes, Upload, encode};

use crate::broken::{Held, broken, hold};
use crate::chance::Chance;
use crate::client::{Actor, Demand, Heard, Public, Turn};
use crate::plan::Plan;

/// What is wrong with a contribution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// Its pieces lie on no polynomial of the threshold's degree; this helper's does not fit.
    OffDegree(u8),
    /// An element of this helper's piece is not below the modulus.
    NonCanonical(u8),
    /// This helper's piece is not the one that was committed to.
    Commitment(u8),
    /// This helper is told another number of rows.
    Rows(u8),
    /// A value is out of its column's range, or stands where there is said to be none.
    OutOfRange,
    /// A vector is longer than its column allows.
    AboveNorm,
}

/// A contribution, as its contributor knows it.
#[derive(Clone, Debug)]
pub(crate) struct Made {
    /// Its id.
    pub(crate) id: Digest,
    /// Its rows.
    pub(crate) rows: u32,
    /// Its values, row by row.
    pub(crate) cells: Vec<Integer>,
    /// What each helper is sent, helper 1 first.
    pub(crate) parts: Vec<Contribution>,
    /// What is wrong with it.
    pub(crate) flaw: Option<Flaw>,
}

/// One contributor's upload to all helpers.
#[derive(Debug)]
pub(crate) struct Contributor {
    position: usize,
    begins_ms: u64,
    parcels: Vec<Parcel>,
    /// It gives up when so many helpers have answered.
    patience: usize,
    flaw: Option<Flaw>,
}

#[derive(Debug)]
struct Parcel {
    helper: u8,
    demand: Demand,
    ids: Arc<Vec<Digest>>,
    /// Names of requests under way.
    tokens: BTreeMap<u64, ()>,
    next_ms: u64,
    tries: u64,
    end: Option<End>,
}

/// How an upload to one helper ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Receipted,
    Refused,
    TooLate,
    GivenUp,
}

/// Requests to one helper after the faults are over, before a contributor gives up.
const TRIES_MAX: u64 = 60;

impl Contributor {
    /// A contributor and what it contributes.
    pub(crate) fn new(
        position: usize,
        plan: &Plan,
        public: &Public,
        chance: &mut Chance,
    ) -> (Self, Vec<Made>) {
        let is_bad = chance.hit(plan.bad);
        let count = if is_bad { 1 } else { chance.between(1, 3) };
        let secret = chance.bytes();
        #[expect(clippy::expect_used, reason = "a parsed study can be packed for")]
        let packer =
            Packer::new(&public.study, ContributorSecret::from_bytes(secret)).expect("a study's packer");
        let mut made: Vec<Made> = (0..count).map(|index| make(index, plan, &packer, chance)).collect();
        if is_bad && let Some(flaw) = flaw(plan, &made[0], chance) {
            spoil(&mut made[0], flaw, plan.field.bytes(), public.study.id(), chance);
        }
        let ids = Arc::new(made.iter().map(|made| made.id).collect::<Vec<_>>());
        let parcel = |helper: u8| {
            let contributions = made.iter().map(|made| made.parts[usize::from(helper) - 1].clone()).collect();
            let upload = Upload { study: public.study.id(), contributions };
            let demand = Demand::Upload(Arc::new(encode(&upload)), ids.clone());
            let (ids, tokens) = (ids.clone(), BTreeMap::new());
            Parcel { helper, demand, ids, tokens, next_ms: 0, tries: 0, end: None }
        };
        let helpers = usize::from(plan.scheme.helpers());
        let patience = if chance.hit(plan.given_up) { chance.index(helpers) } else { usize::MAX };
        let contributor = Contributor {
            position,
            begins_ms: chance.between(0, plan.calm_ms * 6 / 10),
            parcels: plan.scheme.numbers().map(parcel).collect(),
            patience,
            flaw: made[0].flaw,
        };
        (contributor, made)
    }

    /// Whether there is nothing more to do.
    pub(crate) fn is_done(&self) -> bool {
        self.parcels.iter().all(|parcel| parcel.end.is_some())
    }

    /// Time passes.
    pub(crate) fn turn(&mut self, turn: &mut Turn<'_>) {
        if turn.now_ms < self.begins_ms {
            return;
        }
        let receipted = self.parcels.iter().filter(|parcel| parcel.end == Some(End::Receipted)).count();
        for parcel in self.parcels.iter_mut().filter(|parcel| parcel.end.is_none()) {
            if receipted >= self.patience || (turn.is_calm && parcel.tries > TRIES_MAX) {
                parcel.end = Some(End::GivenUp);
            } else if turn.now_ms >= parcel.next_ms {
                parcel.tries += u64::from(turn.is_calm);
                parcel.next_ms = turn.now_ms + turn.chance.between(400, 1_500);
                let token = turn.ask(Actor::Contributor(self.position), parcel.helper, parcel.demand.clone());
                parcel.tokens.insert(token, ());
            }
        }
    }

    /// Takes an answer.
    pub(crate) fn hear(&mut self, token: u64, heard: &Heard, is_liar: bool, turn: &mut Turn<'_>) -> Held {
        let Some(parcel) = self.parcels.iter_mut().find(|parcel| parcel.tokens.contains_key(&token)) else {
            return Ok(());
        };
        match heard {
            Ok(quorate_coordinator::Reply::Receipt(receipt)) => {
                let key = turn.public.federation.member(parcel.helper).map(|member| member.key);
                let id = turn.public.study.id();
                let is_good =
                    key.is_some_and(|key| receipt.verify(&id, parcel.helper, &key, &parcel.ids).is_ok());
                hold(is_good || is_liar, "a receipt proves what it should", || {
                    format!("helper {}: {receipt:?}", parcel.helper)
                })?;
                parcel.end = Some(End::Receipted);
            }
            Ok(other) => return broken("a reply is of its request's kind", format!("upload: {other:?}")),
            Err(refusal) => match refusal.code {
                Code::Contribution => {
                    let expected = matches!(self.flaw, Some(Flaw::NonCanonical(helper) | Flaw::Commitment(helper)) if helper == parcel.helper);
                    hold(expected, "only contributions that do not fit are refused", || {
                        format!("helper {}: {refusal}", parcel.helper)
                    })?;
                    parcel.end = Some(End::Refused);
                }
                // Not yet, or not any more.
                Code::Policy if turn.is_owner_done => parcel.end = Some(End::TooLate),
                Code::Policy | Code::Busy | Code::Unknown => {}
                _ => return broken("uploads are refused for a reason", format!("{refusal:?}")),
            },
        }
        Ok(())
    }
}

fn make(index: u64, plan: &Plan, packer: &Packer, chance: &mut Chance) -> Made {
    let rows = u32::try_from(chance.between(1, plan.rows_max.into())).unwrap_or(1);
    let mut cells: Vec<Integer> = Vec::new();
    for column in (0..rows).flat_map(|_| plan.columns.iter().filter(|column| !column.is_presence())) {
        let is_blank = column.is_optional() && chance.hit(300);
        let value = || if is_blank { column.domain.interval().min } else { value(&column.domain, chance) };
        let first = cells.len();
        cells.extend(std::iter::repeat_with(value).take(column.width()));
        column.norm().map(|norm| norm.shorten(&mut cells[first..]));
        cells.extend(column.is_optional().then(|| Integer::from(u64::from(!is_blank))));
    }
    let mut flaw = None;
    if plan.bits != Bits::None && plan.liars.is_empty() && chance.hit(plan.bad) {
        let place = chance.index(cells.len());
        let column = &plan.columns[place % plan.columns.len()];
        let interval = column.domain.interval();
        let beyond = [interval.min.checked_sub(&Integer::ONE), interval.max.checked_add(&Integer::ONE)];
        if column.is_optional() && chance.hit(500) {
            (cells[place], cells[place + 1]) = (interval.max, Integer::ZERO);
            flaw = Some(Flaw::OutOfRange);
        } else if let Some(value) = chance.pick(&beyond) {
            cells[place] = value;
            flaw = Some(Flaw::OutOfRange);
        }
    }
    if plan.checks_norms() && plan.liars.is_empty() && chance.hit(plan.bad) {
        // The last element alone is beyond the norm: by one, by far, or so that its square wraps.
        let beyond = [901_i64, -1_000, 1 << 31, (1 << 60) - 1];
        if let Some(last) = cells.last_mut() {
            *last = Integer::from(chance.pick(&beyond));
            flaw = Some(Flaw::AboveNorm);
        }
    }
    #[expect(
        clippy::expect_used,
        reason = "the values are in their domains or beside them: the field holds them"
    )]
    let packed = packer.pack(index, rows, &cells).expect("values of the domain pack");
    Made { id: packed.id, rows, cells, parts: packed.contributions, flaw }
}

/// A value of the domain; its ends are more likely than others.
fn value(domain: &Domain, chance: &mut Chance) -> Integer {
    let interval = domain.interval();
    let inside = chance.between(0, 1_000_000);
    let parts = chance.pick(&[0, 1_000_000, inside, inside]);
    let width = interval.max.checked_sub(&interval.min).and_then(|width| width.to_i128()).unwrap_or(0);
    let parts = i128::from(parts);
    let offset = width / 1_000_000 * parts + width % 1_000_000 * parts / 1_000_000;
    interval.min.checked_add(&Integer::from(offset)).unwrap_or(interval.min)
}

/// A flaw that this contribution can have.
fn flaw(plan: &Plan, made: &Made, chance: &mut Chance) -> Option<Flaw> {
    let holders = |is_data: bool| -> Vec<u8> {
        let is_it = |helper: &u8| {
            matches!(made.parts[usize::from(*helper) - 1].piece, PieceBytes::Data(_)) == is_data
        };
        plan.scheme.numbers().filter(is_it).collect()
    };
    let data = holders(true);
    let seeds = holders(false);
    if made.flaw.is_some() {
        return None;
    }
    match chance.between(0, 3) {
        0 if plan.scheme.has_prss() && plan.scheme.kind() == SchemeKind::Shamir => {
            Some(Flaw::OffDegree(chance.pick(&data)))
        }
        1 => Some(Flaw::NonCanonical(chance.pick(&data))),
        2 if plan.rows_max > 1 => Some(Flaw::Rows(chance.pick(&seeds))),
        _ => Some(Flaw::Commitment(chance.between(1, plan.scheme.helpers().into()).try_into().unwrap_or(1))),
    }
}

/// Gives a contribution its flaw; all but a wrong commitment are committed to.
fn spoil(made: &mut Made, flaw: Flaw, element: usize, study: Digest, chance: &mut Chance) {
    made.flaw = Some(flaw);
    match flaw {
        Flaw::OffDegree(helper) | Flaw::NonCanonical(helper) => {
            let part = &mut made.parts[usize::from(helper) - 1];
            if let PieceBytes::Data(data) = &part.piece {
                let mut bytes = data.as_slice().to_vec();
                let at = chance.index(bytes.len() / element) * element;
                if matches!(flaw, Flaw::OffDegree(_)) {
                    bytes[at] ^= 1;
                } else {
                    bytes[at..at + element].fill(0xff);
                }
                part.piece = PieceBytes::Data(Blob::new(bytes));
            }
        }
        Flaw::Rows(helper) => {
            let part = &mut made.parts[usize::from(helper) - 1];
            part.rows = if part.rows == 1 { 2 } else { part.rows - 1 };
        }
        Flaw::OutOfRange | Flaw::AboveNorm => return,
        Flaw::Commitment(helper) => {
            made.parts[usize::from(helper) - 1].salt[3] ^= 1;
            return;
        }
    }
    commit(made, study);
}

/// Commits to the parts as they are.
fn commit(made: &mut Made, study: Digest) {
    let of = |(helper, part): (u8, &Contribution)| {
        let piece = match &part.piece {
            PieceBytes::Seed(seed) => PieceRef::Seed(seed),
            PieceBytes::Data(data) => PieceRef::Data(data.as_slice()),
        };
        let header = PieceHeader { helper, rot: part.rot, rows: part.rows };
        commitment(&study, &header, &part.salt, piece)
    };
    let commitments: Vec<Digest> = (1..).zip(&made.parts).map(of).collect();
    made.id = contribution_id(&study, &commitments);
    let bytes: Vec<u8> = commitments.iter().flat_map(|commitment| commitment.0).collect();
    for part in &mut made.parts {
        part.commitments.clone_from(&bytes);
    }
}
