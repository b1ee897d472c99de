use quorate_circuit::{Bits, Column, Domain, Sharing, SharingKind, StudyDraft};
use quorate_federation::{Card, Member, SecretKey};
use quorate_field::F61;
use quorate_sharing::Scheme;
use quorate_wire::{Exclusions, LeftOut, Manifest};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use super::*;
use crate::answer::tests::share;

const CIRCUIT: &str =
    "circuit wages\ninput salary : 0 .. 1_000\nreveal total = sum(salary)\nreveal mean = mean(salary)\n";
const TOTAL: i64 = 4_321;

fn key(helper: u8) -> SecretKey {
    SecretKey::generate(&mut ChaCha20Rng::from_seed([helper; 32]))
}

fn federation(name: &str) -> Federation {
    let card = |number: u8| {
        let (name, address) = (format!("h{number}"), format!("h{number}:7100"));
        let member =
            Member { name, address, peer_address: format!("h{number}:7200"), key: key(number).public() };
        Card::new(member).unwrap()
    };
    Federation::of_cards(name, 1, (1..=4).map(card).collect()).unwrap()
}

fn study() -> (String, Study) {
    let sharing = Sharing { kind: SharingKind::Shamir, helpers: 4, threshold: 1 };
    let columns = vec![Column::new("salary", Domain::parse("0 .. 1_000").unwrap())];
    let draft = StudyDraft {
        federation: *federation("wages").id(),
        bits: Some(Bits::None),
        ..StudyDraft::new("wages", sharing, columns, 100)
    };
    draft.document().unwrap()
}

/// A run by helpers 1 to 3 of 4 on 8 rows.
fn saved() -> SavedRun {
    let (document, study) = study();
    let checks = study.input_checks();
    let manifest = Manifest {
        federation: study.federation,
        study: study.id(),
        session: Digest([2; 32]),
        members: vec![1, 2, 3, 4],
        root: Digest([3; 32]),
        contributions: 8,
        rows: 8,
        excluded: Exclusions::default(),
        left_out: LeftOut { contributions: 0, reported: Vec::new() },
        degree_checked: checks.degree,
        range_checked: checks.range,
        norm_checked: checks.norm,
    };
    let signatures = manifest.members.iter().map(|member| manifest.sign(&key(*member))).collect();
    let scheme = Scheme::shamir(4, 1).unwrap();
    let session = Digest([5; 32]);
    let reply = |(helper, share): (u8, String)| {
        let shares = vec![share];
        let signature = RunReply::sign(helper, &session, &shares, &[], &key(helper));
        RunReply { helper, session, shares, vectors: vec![], elapsed_ms: 1, bytes_to_helpers: 0, signature }
    };
    let replies: Vec<_> = (1..).zip(share::<F61>(&scheme, 0, TOTAL)).take(3).map(reply).collect();
    let program = quorate_circuit::compile(CIRCUIT, &study).unwrap();
    let answer = answer(&scheme, &program, 8, &replies).unwrap();
    let manifest = SignedManifest { manifest, signatures };
    let run = Run { answer, program, earlier: vec![], manifest, replies, attempts: 1, seconds: 0.1 };
    SavedRun::new(&run, CIRCUIT, &document, &federation("wages"), "2026-01-01T00:00:00Z".into())
}

/// What the check of a saved run says after its text was changed.
fn changed(from: &str, to: &str) -> SavedError {
    let text = saved().to_text();
    assert!(text.contains(from), "{from} is not in\n{text}");
    let changed = SavedRun::parse(&text.replacen(from, to, 1));
    changed.and_then(|saved| saved.check(None)).unwrap_err()
}

#[test]
fn what_was_saved_is_found_again() {
    let saved = saved();
    let read = SavedRun::parse(&saved.to_text()).unwrap();
    assert_eq!(read, saved);
    for trusted in [None, Some(&federation("wages"))] {
        let CheckedRun { run, study: checked } = read.check(trusted).unwrap();
        assert_eq!(checked, study().1);
        let results: Vec<_> = run.answer.results.iter().map(|(n, o)| format!("{n} = {o}")).collect();
        assert_eq!(results, ["total = 4321", "mean = 540.125"]);
        assert_eq!((run.answer.quorum, run.answer.integrity.redundant_shares), (vec![1, 2, 3], 1));
    }
}

#[test]
fn a_file_that_is_cut_off_or_something_else_does_not_read() {
    let text = saved().to_text();
    for length in (0..text.len() - 2).step_by(97) {
        let error = SavedRun::parse(&text[..length]).unwrap_err();
        assert!(matches!(error, SavedError::Unreadable { .. }), "{length}: {error}");
    }
    for other in ["[]", "{}", "7", "{\"format\": \"1\"}", "{\"format\": 1}"] {
        assert!(matches!(SavedRun::parse(other), Err(SavedError::Unreadable { .. })), "{other}");
    }
    assert!(matches!(changed("\"format\": 1", "\"format\": 2"), SavedError::Format { found: 2 }));
}

#[test]
fn numbers_that_were_edited_are_found() {
    let differs = |error: SavedError, expected: &str| match error {
        SavedError::Differs { what } => assert_eq!(what, expected),
        other => panic!("{other}"),
    };
    differs(changed("\"total\": 4321", "\"total\": 4322"), "the result total");
    differs(changed("540.125", "540.25"), "the result mean");
    differs(changed("\"total\": 4321", "\"total\": 4321, \"more\": 1"), "the result more");
    differs(changed("\"4321\"", "\"4320\""), "an output");
    differs(changed("\"redundant_shares\": 1", "\"redundant_shares\": 2"), "the quorum or its redundancy");
    differs(changed("\"rows\": 8", "\"rows\": 9"), "the number of rows");
}

#[test]
fn another_circuit_study_or_federation_is_found() {
    assert!(matches!(changed("sum(salary)", "sum(2 * salary)"), SavedError::Program));
    assert!(matches!(changed("sum(salary)", "sum(bonus)"), SavedError::Circuit(_)));
    let other = changed("capacity = 100", "capacity = 200");
    assert!(matches!(other, SavedError::Program | SavedError::Manifest(_)), "{other}");
    let other = saved().check(Some(&federation("others"))).unwrap_err();
    assert!(matches!(other, SavedError::OtherFederation { against: "the one given", .. }), "{other}");
    let other = changed("h1:7100", "h9:7100");
    assert!(matches!(other, SavedError::OtherFederation { against: "the one in the file", .. }), "{other}");
}

#[test]
fn signatures_and_shares_are_checked() {
    let mut saved_run = saved();
    saved_run.manifest.signatures[2] = saved_run.manifest.signatures[1];
    let error = saved_run.check(None).unwrap_err();
    assert!(matches!(error, SavedError::Manifest(ManifestError::Signature { helper: 3 })), "{error}");

    let mut saved_run = saved();
    saved_run.replies[1].shares = saved_run.replies[0].shares.clone();
    assert!(matches!(saved_run.check(None), Err(SavedError::Signature { helper: 2 })));

    // A helper that lied and signed it: one of three shares is wrong, and nobody can say whose.
    let mut saved_run = saved();
    let reply = &mut saved_run.replies[1];
    reply.shares = vec!["0100000000000000".into()];
    reply.signature = RunReply::sign(2, &reply.session, &reply.shares, &reply.vectors, &key(2));
    assert!(matches!(saved_run.check(None), Err(SavedError::Answer(AnswerError::Inconsistent { .. }))));

    let mut saved_run = saved();
    saved_run.replies.clear();
    assert!(matches!(saved_run.check(None), Err(SavedError::Answer(AnswerError::TooFew { .. }))));
}
