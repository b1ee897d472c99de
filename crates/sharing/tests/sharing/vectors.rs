//! The published test vectors: what `docs/test-vectors/*.json` says is what this crate computes.
//!
//! Each file is built here from inputs fixed in the code and compared with what is published; with
//! `QUORATE_BLESS=1` in the environment it is written instead. A difference means a changed format: that takes a
//! decision record, not a blessing. `scripts/check-vectors.py` recomputes the same files without this crate.

use quorate_field::tiny::{F7, F31};
use quorate_field::{F61, F127, F256, Field};
use quorate_hash::Digest;
use quorate_sharing::prss::{Draw, HelperSet, Purpose, SetKeys, combine_set_key, set_key_fingerprint};
use quorate_sharing::{
    CommitmentError, ContributorSecret, PieceError, PieceHeader, PieceRef, RecombineError, Scheme,
    SchemeKind, Seed, Stream, check_piece, contribution_id, recombine, split, verify_piece,
};
use serde_json::{Value, json};

use crate::published::{bytes, check, hex};

const STUDY: Digest = Digest([0x5d; 32]);
const FEDERATION: Digest = Digest([0xfe; 32]);
const SESSION: Digest = Digest([0x5e; 32]);

fn element<F: Field>(element: F) -> String {
    let mut bytes = vec![0; F::BYTES];
    element.write(&mut bytes);
    hex(&bytes)
}

fn elements<F: Field>(slice: &[F]) -> Vec<String> {
    slice.iter().map(|x| element(*x)).collect()
}

fn scheme_json(scheme: &Scheme) -> Value {
    serde_json::to_value(scheme).unwrap()
}

/// Small, negative and large elements.
fn block<F: Field>(cells: usize) -> Vec<F> {
    let large = |i: u64| F::from_u64(i + 2).inverse().unwrap();
    (0..cells as u64)
        .map(|i| match i % 3 {
            0 => F::from_u64(1000 * i + 7),
            1 => -F::from_u64(i),
            _ => large(i),
        })
        .collect()
}

fn stream_vector<F: Field>(seed: [u8; 32], first: u64, count: usize) -> Value {
    let mut out = vec![F::ZERO; count];
    Stream::new(&Seed::from_bytes(seed)).fill(first, &mut out);
    json!({ "field": F::NAME, "seed": hex(&seed), "first": first, "elements": elements(&out) })
}

#[test]
fn streams() {
    let vectors = vec![
        stream_vector::<F61>([0; 32], 0, 4),
        stream_vector::<F61>(bytes(0), 0, 9),
        stream_vector::<F61>(bytes(0), 1_000_003, 3),
        stream_vector::<F127>(bytes(1), 0, 5),
        stream_vector::<F127>(bytes(1), 65_537, 3),
        stream_vector::<F256>(bytes(2), 0, 3),
        stream_vector::<F256>(bytes(2), 12_345, 2),
        // Over tiny fields the later keystreams are needed all the time.
        stream_vector::<F7>(bytes(3), 0, 200),
        stream_vector::<F31>(bytes(4), 100, 200),
    ];
    check("stream.json", vectors);
}

fn split_vector<F: Field>(name: &str, scheme: Scheme, position: u64, rows: u32, block: &[F]) -> Value {
    let secret = bytes(0x20);
    let dealing = split(&scheme, &STUDY, &ContributorSecret::from_bytes(secret), position, rows, block);
    let piece = |dealt: &quorate_sharing::DealtPiece| {
        let encoded = dealt.piece.as_piece_ref().encode();
        json!({ "helper": dealt.helper, "salt": hex(&dealt.salt), "piece": hex(&encoded) })
    };
    json!({
        "name": name, "scheme": scheme_json(&scheme), "field": F::NAME, "study": STUDY, "secret": hex(&secret),
        "position": position, "rows": rows, "columns": block.len() / rows as usize, "block": elements(block),
        "rot": dealing.rot, "pieces": dealing.pieces.iter().map(piece).collect::<Vec<_>>(),
        "commitments": dealing.commitments, "id": dealing.id,
    })
}

#[test]
fn splits() {
    let shamir = |n, t| Scheme::shamir(n, t).unwrap();
    let additive = |n| Scheme::additive(n).unwrap();
    let vectors = vec![
        split_vector("one row", shamir(3, 1), 0, 1, &block::<F61>(3)),
        split_vector("another position", shamir(3, 1), 1, 1, &block::<F61>(3)),
        split_vector("two rows", shamir(5, 2), 2, 2, &block::<F61>(6)),
        split_vector("the same cells as three rows", shamir(5, 2), 2, 3, &block::<F61>(6)),
        split_vector("F127", shamir(5, 2), 3, 2, &block::<F127>(4)),
        split_vector("F256", shamir(4, 1), u64::MAX, 1, &block::<F256>(3)),
        split_vector("additive", additive(3), 0, 2, &block::<F61>(6)),
        split_vector("additive, F127", additive(3), 5, 1, &block::<F127>(2)),
        split_vector("additive, F256", additive(4), 5, 1, &block::<F256>(2)),
        split_vector("longer than any buffer", shamir(3, 1), 9, 300, &block::<F61>(300)),
        split_vector("many helpers", shamir(31, 10), 0, 1, &block::<F61>(1)),
    ];
    check("split.json", vectors);
}

/// One helper's part of an upload, as it goes wrong.
#[derive(Clone)]
struct Received {
    scheme: Scheme,
    rot: u8,
    rows: u32,
    helper: u8,
    salt: [u8; 32],
    piece: Vec<u8>,
    commitments: Vec<Digest>,
    id: Digest,
}

const COLUMNS: usize = 3;

impl Received {
    /// What this helper of a (3,1) study would rightly receive.
    fn good(helper: u8) -> Self {
        let scheme = Scheme::shamir(3, 1).unwrap();
        let secret = ContributorSecret::from_bytes(bytes(0x40));
        let dealing = split(&scheme, &STUDY, &secret, 0, 1, &block::<F61>(COLUMNS));
        let dealt = &dealing.pieces[usize::from(helper) - 1];
        Received {
            scheme,
            rot: dealing.rot,
            rows: 1,
            helper,
            salt: dealt.salt,
            piece: dealt.piece.as_piece_ref().encode().to_vec(),
            commitments: dealing.commitments,
            id: dealing.id,
        }
    }

    fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// The contributor commits to what it sends: only the check of the piece itself can refuse it.
    fn recommitted(mut self) -> Self {
        let header = PieceHeader { helper: self.helper, rot: self.rot, rows: self.rows };
        if let Ok(piece) = PieceRef::parse(self.helper, &self.piece) {
            self.commitments[usize::from(self.helper) - 1] =
                quorate_sharing::commitment(&STUDY, &header, &self.salt, piece);
            self.id = contribution_id(&STUDY, &self.commitments);
        }
        self
    }

    fn verdict(&self) -> &'static str {
        let header = PieceHeader { helper: self.helper, rot: self.rot, rows: self.rows };
        let checked = PieceRef::parse(self.helper, &self.piece)
            .and_then(|piece| check_piece::<F61>(&self.scheme, &header, COLUMNS, piece).map(|()| piece));
        let piece = match checked {
            Ok(piece) => piece,
            Err(PieceError::Helper { .. }) => return "helper",
            Err(PieceError::Rotation { .. }) => return "rotation",
            Err(PieceError::NoRows { .. }) => return "no rows",
            Err(PieceError::Encoding { .. }) => return "encoding",
            Err(PieceError::Kind { .. }) => return "kind",
            Err(PieceError::Length { .. }) => return "length",
            Err(PieceError::NonCanonical { .. }) => return "non-canonical",
        };
        let n = self.scheme.helpers();
        match verify_piece(&STUDY, n, &self.id, &self.commitments, &header, &self.salt, piece) {
            Ok(()) => "good",
            Err(CommitmentError::Count { .. }) => "commitment count",
            Err(CommitmentError::Id { .. }) => "id",
            Err(CommitmentError::Piece { .. }) => "commitment",
        }
    }

    fn vector(&self, name: &str, verdict: &str) -> Value {
        assert_eq!(self.verdict(), verdict, "{name}");
        json!({
            "name": name, "scheme": scheme_json(&self.scheme), "field": F61::NAME, "study": STUDY,
            "columns": COLUMNS, "rot": self.rot, "rows": self.rows, "helper": self.helper,
            "salt": hex(&self.salt), "piece": hex(&self.piece), "commitments": self.commitments, "id": self.id,
            "verdict": verdict,
        })
    }
}

#[test]
fn received_pieces() {
    let rot = Received::good(1).rot;
    let scheme = Scheme::shamir(3, 1).unwrap();
    let (seeded, other) =
        (Received::good(scheme.helper_at(rot, 0)), Received::good(scheme.helper_at(rot, 1)));
    let vectors = vec![
        seeded.vector("good_seed", "good"),
        other.vector("good_data", "good"),
        other.clone().with(|r| r.piece[1] ^= 1).vector("bad_altered_piece", "commitment"),
        seeded.clone().with(|r| r.piece[32] ^= 0x80).vector("bad_altered_seed", "commitment"),
        other.clone().with(|r| r.salt[0] ^= 1).vector("bad_altered_salt", "commitment"),
        other.clone().with(|r| r.id.0[31] ^= 1).vector("bad_altered_id", "id"),
        other.clone().with(|r| r.commitments[0].0[0] ^= 1).vector("bad_altered_commitment", "id"),
        other.clone().with(|r| r.commitments.swap(0, 1)).vector("bad_swapped_commitments", "id"),
        other.clone().with(|r| _ = r.commitments.pop()).vector("bad_missing_commitment", "commitment count"),
        other
            .clone()
            .with(|r| r.piece[17..25].copy_from_slice(&((1_u64 << 61) - 1).to_le_bytes()))
            .recommitted()
            .vector("bad_element_is_the_modulus", "non-canonical"),
        other
            .clone()
            .with(|r| r.piece[1..9].fill(0xff))
            .recommitted()
            .vector("bad_element_above_the_modulus", "non-canonical"),
        other
            .clone()
            .with(|r| r.piece = seeded.piece.clone())
            .recommitted()
            .vector("bad_seed_where_data_belongs", "kind"),
        seeded
            .clone()
            .with(|r| r.piece = other.piece.clone())
            .recommitted()
            .vector("bad_data_where_a_seed_belongs", "kind"),
        other.clone().with(|r| r.rot = (rot + 1) % 3).recommitted().vector("bad_rotation_of_a_seed", "kind"),
        other.clone().with(|r| r.rot = 3).recommitted().vector("bad_rotation", "rotation"),
        other.clone().with(|r| _ = r.piece.pop()).recommitted().vector("bad_truncated", "length"),
        other.clone().with(|r| r.piece.push(0)).recommitted().vector("bad_oversized", "length"),
        other.clone().with(|r| r.rows = 2).recommitted().vector("bad_rows", "length"),
        other.clone().with(|r| r.rows = 0).recommitted().vector("bad_no_rows", "no rows"),
        seeded.clone().with(|r| r.rows = 2).vector("bad_rows_of_a_seed", "commitment"),
        other.clone().with(|r| r.helper = 4).vector("bad_helper", "helper"),
        other.clone().with(|r| r.piece[0] = 2).vector("bad_kind_of_piece", "encoding"),
        other.clone().with(|r| r.piece.clear()).vector("bad_empty", "encoding"),
        seeded.clone().with(|r| _ = r.piece.pop()).vector("bad_short_seed", "encoding"),
        seeded.clone().with(|r| r.piece.push(0)).vector("bad_long_seed", "encoding"),
    ];
    check("piece.json", vectors);
}

/// The shares of `coefficients` (one polynomial per position) of helpers 1 to `n`, with some made wrong.
fn word<F: Field>(coefficients: &[&[u64]], n: u8, wrong: &[(u8, usize)]) -> Vec<(u8, Vec<F>)> {
    let at = |polynomial: &&[u64], x: F| {
        polynomial.iter().rev().fold(F::ZERO, |value, c| value * x + F::from_u64(*c).inverse().unwrap())
    };
    let mut word: Vec<(u8, Vec<F>)> = (1..=n)
        .map(|j| (j, coefficients.iter().map(|polynomial| at(polynomial, F::from_u64(j.into()))).collect()))
        .collect();
    for &(helper, position) in wrong {
        word[usize::from(helper) - 1].1[position] += F::from_u64(40 + u64::from(helper));
    }
    word
}

fn recombine_vector<F: Field>(name: &str, scheme: Scheme, word: &[(u8, Vec<F>)]) -> Value {
    let points: Vec<(u8, &[F])> = word.iter().map(|(helper, shares)| (*helper, &shares[..])).collect();
    let shares = |(helper, shares): &(u8, Vec<F>)| json!({ "helper": helper, "shares": elements(shares) });
    let answer = match recombine(&scheme, &points) {
        Ok(recombined) => json!({
            "values": elements(&recombined.values), "redundancy": recombined.redundancy,
            "wrong": recombined.wrong,
        }),
        Err(RecombineError::TooFew { .. }) => json!({ "error": "too few" }),
        Err(RecombineError::Unknown { .. }) => json!({ "error": "unknown helper" }),
        Err(RecombineError::Duplicate { .. }) => json!({ "error": "duplicate helper" }),
        Err(RecombineError::Length { .. }) => json!({ "error": "length" }),
        Err(RecombineError::Inconsistent { .. }) => json!({ "error": "inconsistent" }),
    };
    assert_eq!(name.starts_with("bad_"), answer.get("error").is_some(), "{name}: {answer}");
    json!({
        "name": name, "scheme": scheme_json(&scheme), "field": F::NAME,
        "points": word.iter().map(shares).collect::<Vec<_>>(), "answer": answer,
    })
}

#[test]
fn recombinations() {
    let scheme = |n, t| Scheme::shamir(n, t).unwrap();
    let line: &[&[u64]] = &[&[3, 5], &[9, 2]];
    let cubic: &[&[u64]] = &[&[3, 5, 7, 11], &[2, 4, 6, 8]];
    let quadratic: &[&[u64]] = &[&[3, 5, 7]];
    let w = |n, wrong: &[(u8, usize)]| word::<F61>(line, n, wrong);
    let additive = Scheme::new(SchemeKind::Additive, 3, 2).unwrap();
    let repeated = [w(4, &[]), w(1, &[])].concat();
    let mut ragged = w(4, &[]);
    ragged[2].1.pop();
    let mut renamed = w(4, &[]);
    renamed[3].0 = 5;
    let vectors = vec![
        recombine_vector("t+1 shares", scheme(4, 1), &w(4, &[])[2..]),
        recombine_vector("t+1 shares, one wrong: not noticed", scheme(4, 1), &w(4, &[(4, 0)])[2..]),
        recombine_vector("all agree", scheme(4, 1), &w(4, &[])),
        recombine_vector("one wrong of 3t+1", scheme(4, 1), &w(4, &[(2, 0)])),
        recombine_vector("one wrong in both positions", scheme(4, 1), &w(4, &[(1, 0), (1, 1)])),
        recombine_vector(
            "two liars in two positions",
            scheme(7, 2),
            &word::<F127>(line, 7, &[(2, 0), (7, 1)]),
        ),
        recombine_vector(
            "three liars of ten",
            scheme(10, 3),
            &word::<F61>(cubic, 10, &[(1, 0), (5, 0), (10, 1)]),
        ),
        recombine_vector("more than t liars", scheme(9, 1), &word::<F61>(line, 9, &[(1, 0), (5, 0), (9, 1)])),
        recombine_vector("F256", scheme(7, 2), &word::<F256>(quadratic, 7, &[(3, 0)])),
        recombine_vector("additive", additive, &word::<F61>(line, 3, &[])),
        recombine_vector(
            "bad_one_wrong_of_t_plus_2",
            scheme(5, 2),
            &word::<F61>(quadratic, 5, &[(3, 0)])[1..],
        ),
        recombine_vector("bad_one_wrong_of_3t", scheme(7, 2), &word::<F61>(quadratic, 6, &[(3, 0)])),
        recombine_vector("bad_off_degree", scheme(3, 1), &word::<F61>(quadratic, 3, &[])),
        recombine_vector("bad_too_many_wrong", scheme(5, 1), &w(5, &[(1, 0), (2, 0)])),
        recombine_vector("bad_too_many_liars_over_positions", scheme(4, 1), &w(4, &[(1, 0), (2, 1)])),
        recombine_vector("bad_too_few", scheme(5, 2), &word::<F61>(quadratic, 2, &[])),
        recombine_vector("bad_none", scheme(3, 1), &word::<F61>(line, 0, &[])),
        recombine_vector("bad_duplicate_helper", scheme(4, 1), &repeated),
        recombine_vector("bad_unknown_helper", scheme(4, 1), &renamed),
        recombine_vector("bad_length", scheme(4, 1), &ragged),
        recombine_vector("bad_additive_with_one_away", additive, &word::<F61>(line, 2, &[])),
    ];
    check("recombine.json", vectors);
}

fn key_of(scheme: &Scheme, set: HelperSet) -> (Vec<(u8, [u8; 32])>, Seed) {
    let holders = scheme.numbers().filter(|&helper| !set.contains(helper));
    let contributions: Vec<(u8, [u8; 32])> =
        holders.map(|helper| (helper, bytes(helper.wrapping_mul(31) ^ set.mask() as u8))).collect();
    let seeds: Vec<Seed> = contributions.iter().map(|(_, bytes)| Seed::from_bytes(*bytes)).collect();
    let pairs: Vec<(u8, &Seed)> = contributions.iter().map(|(helper, _)| *helper).zip(&seeds).collect();
    let key = combine_set_key(&FEDERATION, set, &pairs);
    (contributions, key)
}

fn draw_vector<F: Field>(scheme: &Scheme, draw: Draw, first: u64, count: u64) -> Value {
    let shares = scheme.numbers().map(|helper| {
        let sets = SetKeys::sets(scheme, helper).unwrap();
        let keys = sets.into_iter().map(|set| (set, key_of(scheme, set).1)).collect();
        let session = SetKeys::new(*scheme, helper, keys).unwrap().bind(&SESSION);
        elements(session.random_shares::<F>(&draw, first..first + count).as_slice())
    });
    let (purpose, dealer, recipient) = match draw.purpose {
        Purpose::Coin => ("coin", 0, 0),
        Purpose::DegreeMask => ("degree mask", 0, 0),
        Purpose::Random => ("random", 0, 0),
        Purpose::Reshare { dealer, recipient } => ("reshare", dealer, recipient),
        Purpose::And { dealer } => ("and", dealer, 0),
        Purpose::Zero { power } => ("zero", power, 0),
        Purpose::KingMask => ("king mask", 0, 0),
        Purpose::PairZero { adds, subtracts } => ("pair zero", adds, subtracts),
        Purpose::AndMask => ("and mask", 0, 0),
    };
    json!({
        "field": F::NAME, "purpose": purpose, "dealer": dealer, "recipient": recipient,
        "instruction": draw.instruction, "sub": draw.sub, "encoded": hex(&draw.encode()),
        "first_row": first, "shares": shares.collect::<Vec<_>>(),
    })
}

fn prss_vector(scheme: Scheme) -> Value {
    let key = |set: HelperSet| {
        let (contributions, key) = key_of(&scheme, set);
        let contributions =
            contributions.iter().map(|(j, bytes)| json!({ "helper": j, "bytes": hex(bytes) }));
        json!({
            "set": set.iter().collect::<Vec<_>>(), "mask": set.mask(),
            "contributions": contributions.collect::<Vec<_>>(), "key": hex(key.expose()),
            "fingerprint": set_key_fingerprint(&FEDERATION, set, &key),
        })
    };
    let draw = |purpose, instruction, sub| Draw { purpose, instruction, sub };
    json!({
        "scheme": scheme_json(&scheme), "federation": FEDERATION, "session": SESSION,
        "keys": HelperSet::all(&scheme).into_iter().map(key).collect::<Vec<_>>(),
        "draws": [
            draw_vector::<F61>(&scheme, draw(Purpose::Random, 0, 0), 0, 3),
            draw_vector::<F61>(&scheme, draw(Purpose::Random, 0, 0), 1000, 2),
            draw_vector::<F61>(&scheme, draw(Purpose::Random, 7, 0x0102_0304), 0, 1),
            draw_vector::<F61>(&scheme, draw(Purpose::Coin, 0, 0), 0, 1),
            draw_vector::<F127>(&scheme, draw(Purpose::DegreeMask, 1, 0), 0, 2),
            draw_vector::<F256>(&scheme, draw(Purpose::Reshare { dealer: 2, recipient: 3 }, 1, 0), 0, 1),
            draw_vector::<F61>(&scheme, draw(Purpose::And { dealer: 2 }, 1, 0), 5, 1),
        ],
    })
}

#[test]
fn pseudo_random_shares() {
    let scheme = |n, t| Scheme::shamir(n, t).unwrap();
    check("prss.json", vec![prss_vector(scheme(3, 1)), prss_vector(scheme(5, 2))]);
}
