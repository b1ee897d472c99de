//! What the fuzz targets have in common: fixed studies and keys, and a small federation in memory.
//!
//! Each target is one file in `targets/`; small inputs to begin with are in `seeds/<target>/`, written by the binary
//! `seeds`. `scripts/fuzz SECONDS [TARGET]` builds them with coverage and runs them, on the stable toolchain.

use quorate_circuit::{Bits, Column, Disclosure, Proportion, Sharing, SharingKind, Study, StudyDraft};
use quorate_federation::{Card, Federation, Member, SecretKey};
use quorate_field::FieldId;
use quorate_hash::Digest;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;

pub mod masks;
pub mod world;

/// A generator that gives the same every time.
pub fn rng(seed: u8) -> ChaCha20Rng {
    ChaCha20Rng::from_seed([seed; 32])
}

/// The key of helper `number`; 100 is the owner's.
pub fn key(number: u8) -> SecretKey {
    SecretKey::generate(&mut rng(number))
}

/// Four helpers, threshold 1.
pub fn federation() -> Federation {
    let card = |number: u8| {
        Card::new(Member {
            name: format!("helper {number}"),
            address: format!("localhost:710{number}"),
            peer_address: format!("localhost:720{number}"),
            key: key(number).public(),
        })
    };
    let cards = (1..=4).map(card).collect::<Result<_, _>>().expect("good cards");
    Federation::of_cards("fuzz", 1, cards).expect("a good federation")
}

/// Three studies that differ in field, sharing and rows, with their documents.
pub fn studies() -> [(String, Study); 3] {
    let shamir = Sharing { kind: SharingKind::Shamir, helpers: 4, threshold: 1 };
    let additive = Sharing { kind: SharingKind::Additive, helpers: 4, threshold: 3 };
    [draft(shamir, FieldId::F61, 1), draft(shamir, FieldId::F127, 4), draft(additive, FieldId::F256, 2)]
        .map(|draft| draft.document().expect("a good draft"))
}

fn draft(sharing: Sharing, field: FieldId, rows_max: u32) -> StudyDraft {
    let column = |name: &str, domain| Column::parse(name, domain).expect("a good declaration");
    StudyDraft {
        name: "fuzz".into(),
        federation: *federation().id(),
        sharing,
        columns: vec![
            column("salary", "-1_000.00 .. 1_000_000.00"),
            column("gender", "optional female | male"),
        ],
        rows_max,
        capacity: 1_000,
        bits: Some(Bits::None),
        field: Some(field),
        owner: *key(100).public().as_bytes(),
        min_cohort: 1,
        excluded_max: Proportion::parse("0.5").expect("a proportion"),
        analysts: vec![*key(100).public().as_bytes()],
        disclosure: Disclosure::default(),
        privacy: None,
    }
}

/// Any digest, for what is not looked at.
pub fn digest(byte: u8) -> Digest {
    Digest([byte; 32])
}
