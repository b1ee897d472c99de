use proptest::prelude::*;
use quorate_circuit::{Bits, Column, Domain, Sharing, SharingKind, Study, StudyDraft, compile};
use quorate_federation::SecretKey;
use quorate_field::{F61, F127};
use quorate_hash::Digest;
use quorate_sharing::{ContributorSecret, PieceHeader, SchemeKind, read_piece, split};
use quorate_wire::Elements;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use super::*;

const CIRCUIT: &str = "circuit wages\n\
    input salary : 0.00 .. 1000.00\n\
    reveal people = count()\n\
    reveal total = sum(salary)\n\
    reveal mean_salary = mean(salary)\n\
    reveal twice = sum(salary) + sum(salary)\n";
const ROWS: u64 = 4;

struct Case {
    scheme: Scheme,
    program: Program,
    replies: Vec<RunReply>,
}

fn study(scheme: &Scheme) -> Study {
    study_of(scheme, vec![Column::new("salary", Domain::parse("0.00 .. 1000.00").unwrap())])
}

fn study_of(scheme: &Scheme, columns: Vec<Column>) -> Study {
    let kind = match scheme.kind() {
        SchemeKind::Shamir => SharingKind::Shamir,
        SchemeKind::Additive => SharingKind::Additive,
    };
    let sharing = Sharing { kind, helpers: scheme.helpers(), threshold: scheme.threshold() };
    let draft = StudyDraft { bits: Some(Bits::None), ..StudyDraft::new("wages", sharing, columns, 100) };
    draft.document().unwrap().1
}

/// What honest helpers would send: a fresh sharing of the true value of every output.
fn case(scheme: Scheme) -> Case {
    let program = compile(CIRCUIT, &study(&scheme)).unwrap();
    // 1.00 + 2.50 + 3.50 + 993.00 in cents, and every output is a known multiple of the sum.
    let mut shares = vec![Vec::new(); scheme.helpers().into()];
    for (position, output) in program.outputs.iter().enumerate() {
        let value = if output.meaning.contains('+') { 200_000 } else { 100_000 };
        let of_output = with_field!(output.field, F => share::<F>(&scheme, position as u64, value));
        shares.iter_mut().zip(of_output).for_each(|(shares, share)| shares.push(share));
    }
    let replies = (1..).zip(shares).map(|(helper, shares)| reply(helper, shares)).collect();
    Case { scheme, program, replies }
}

/// Hexadecimal of every helper's share of `value`.
pub(crate) fn share<F: Field>(scheme: &Scheme, position: u64, value: i64) -> Vec<String> {
    let secret = ContributorSecret::from_bytes([9; 32]);
    let element = F::from_integer(&Integer::from(value)).unwrap();
    let dealing = split(scheme, &Digest([4; 32]), &secret, position, 1, &[element]);
    let share = |dealt: &quorate_sharing::DealtPiece| {
        let header = PieceHeader { helper: dealt.helper, rot: dealing.rot, rows: 1 };
        let shares = read_piece::<F>(scheme, &header, 1, dealt.piece.as_piece_ref()).unwrap();
        hex(shares.as_slice()[0])
    };
    dealing.pieces.iter().map(share).collect()
}

fn hex<F: Field>(element: F) -> String {
    let mut bytes = vec![0; F::BYTES];
    element.write(&mut bytes);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn reply(helper: u8, shares: Vec<String>) -> RunReply {
    reply_with(helper, shares, vec![])
}

fn reply_with(helper: u8, shares: Vec<String>, vectors: Vec<Elements>) -> RunReply {
    let key = SecretKey::generate(&mut ChaCha20Rng::from_seed([helper; 32]));
    let session = Digest([5; 32]);
    let signature = RunReply::sign(helper, &session, &shares, &vectors, &key);
    RunReply { helper, session, shares, vectors, elapsed_ms: 1, bytes_to_helpers: 0, signature }
}

impl Case {
    fn answer_of(&self, helpers: &[u8]) -> Result<Answer, AnswerError> {
        let replies: Vec<_> =
            self.replies.iter().filter(|reply| helpers.contains(&reply.helper)).cloned().collect();
        answer(&self.scheme, &self.program, ROWS, &replies)
    }

    fn all(&self) -> Vec<u8> {
        self.replies.iter().map(|reply| reply.helper).collect()
    }

    /// Helper `helper` adds one to its share of output `position`.
    fn lie(&mut self, helper: u8, position: usize) {
        let field = self.program.outputs[position].field;
        let share = &mut self.replies[usize::from(helper) - 1].shares[position];
        let digits: Vec<u8> =
            (0..field.bytes()).map(|i| u8::from_str_radix(&share[2 * i..2 * i + 2], 16).unwrap()).collect();
        *share = with_field!(field, F => hex(F::read(&digits).unwrap() + F::ONE));
    }
}

fn shamir(helpers: u8, threshold: u8) -> Case {
    case(Scheme::shamir(helpers, threshold).unwrap())
}

fn assert_true(answer: &Answer) {
    let text: Vec<String> =
        answer.results.iter().map(|(name, outcome)| format!("{name} = {outcome}")).collect();
    assert_eq!(text, ["people = 4", "total = 1000", "mean_salary = 250", "twice = 2000"]);
    assert!(answer.implausible.is_empty());
}

#[test]
fn any_t_plus_one_helpers_give_the_result_unverified() {
    for (helpers, threshold) in [(3, 1), (4, 1), (5, 2)] {
        let case = shamir(helpers, threshold);
        let last: Vec<u8> = (helpers - threshold..=helpers).collect();
        let answer = case.answer_of(&last).unwrap();
        assert_true(&answer);
        assert_eq!((answer.quorum, answer.integrity.redundant_shares), (last, 0));
        let too_few = case.answer_of(&case.all()[..threshold.into()]);
        let needed = usize::from(threshold) + 1;
        assert_eq!(too_few, Err(AnswerError::TooFew { needed, found: threshold.into() }));
    }
    assert_eq!(shamir(3, 1).answer_of(&[]), Err(AnswerError::TooFew { needed: 2, found: 0 }));
}

#[test]
fn noise_is_of_as_many_parts_as_helpers_answered() {
    let text = "circuit wages\ninput salary : 0.00 .. 1000.00\nreveal people = count()\nreveal total = sum(salary) with rho 1\n";
    for (scheme, helpers, parts) in [
        (Scheme::shamir(4, 1), &[1, 2, 3, 4][..], 4.0 / 3.0),
        (Scheme::shamir(4, 1), &[1, 2, 3], 3.0 / 2.0),
        (Scheme::shamir(5, 2), &[1, 2, 3, 4, 5], 5.0 / 3.0),
        (Scheme::additive(3), &[1, 2, 3], 3.0),
    ] {
        let scheme = scheme.unwrap();
        let program = compile(text, &study(&scheme)).unwrap();
        let shares = share::<F61>(&scheme, 0, 100_000);
        let replies = (1..).zip(shares).map(|(helper, share)| reply(helper, vec![share])).collect();
        let noise = Case { scheme, program, replies }.answer_of(helpers).unwrap().noise;
        assert_eq!(noise[0], ("people".to_owned(), None));
        let Some(Uncertainty::Number(margin)) = &noise[1].1 else { panic!("{noise:?}") };
        // One salary moves it by 1000: at rho 1 a variance of 1000^2 / 2, in parts.
        let expected = (parts * 500_000.0_f64).sqrt();
        assert!((margin.stderr / expected - 1.0).abs() < 1e-6, "{margin:?}, not {expected}");
        assert!(margin.low < 1_000.0 && 1_000.0 < margin.high, "{margin:?}");
    }
}

#[test]
fn without_redundancy_a_lie_passes_and_the_count_says_so() {
    let mut case = shamir(3, 1);
    case.lie(2, 0);
    let answer = case.answer_of(&[1, 2]).unwrap();
    assert_eq!(answer.integrity, Integrity { redundant_shares: 0, wrong_helpers: vec![] });
    assert_ne!(answer.results[1].1.to_string(), "1000");
    assert!(answer.implausible.is_empty(), "one more or less is still a possible sum");
    // Helper 3's weight beside helper 1 is -1/2: the lie moves the result to the middle of the field.
    case.lie(3, 0);
    assert_eq!(case.answer_of(&[1, 3]).unwrap().implausible, [case.program.outputs[0].meaning.clone()]);
}

#[test]
fn a_lie_is_detected_from_t_plus_2_answers_and_nobody_is_named() {
    for (helpers, threshold, asked) in [(3, 1, 3), (4, 1, 3), (5, 2, 4), (5, 2, 5), (7, 3, 5), (9, 3, 9)] {
        for liar in 1..=asked {
            let mut case = shamir(helpers, threshold);
            case.lie(liar, 0);
            let quorum: Vec<u8> = (1..=asked).collect();
            let Err(AnswerError::Inconsistent { points, threshold: t, output }) = case.answer_of(&quorum)
            else {
                panic!("({helpers},{threshold}), {asked} answers, liar {liar}")
            };
            assert_eq!((points, t), (asked.into(), threshold.into()));
            assert_eq!(output, case.program.outputs[0].meaning);
        }
    }
}

#[test]
fn a_lie_is_corrected_and_named_with_3t_plus_1_answers() {
    for (helpers, threshold) in [(4, 1), (7, 2), (10, 3)] {
        for liar in 1..=helpers {
            let mut case = shamir(helpers, threshold);
            case.lie(liar, 0);
            let answer = case.answer_of(&case.all()).unwrap();
            assert_true(&answer);
            let redundant_shares = usize::from(helpers - threshold) - 1;
            assert_eq!(answer.integrity, Integrity { redundant_shares, wrong_helpers: vec![liar] });
        }
    }
}

#[test]
fn two_liars_are_one_too_many_at_4_1_and_corrected_at_7_2() {
    let mut case = shamir(4, 1);
    case.lie(1, 0);
    case.lie(3, 0);
    assert!(matches!(case.answer_of(&[1, 2, 3, 4]), Err(AnswerError::Inconsistent { .. })));
    let mut case = shamir(7, 2);
    case.lie(1, 0);
    case.lie(6, case.program.outputs.len() - 1);
    let answer = case.answer_of(&case.all()).unwrap();
    assert_true(&answer);
    assert_eq!(answer.integrity.wrong_helpers, [1, 6]);
}

#[test]
fn additive_shares_are_all_needed_and_never_redundant() {
    let case = case(Scheme::additive(3).unwrap());
    let answer = case.answer_of(&[1, 2, 3]).unwrap();
    assert_true(&answer);
    assert_eq!(answer.integrity.redundant_shares, 0);
    assert_eq!(case.answer_of(&[1, 3]), Err(AnswerError::TooFew { needed: 3, found: 2 }));
}

#[test]
fn shares_of_different_sessions_or_shapes_are_refused() {
    let mut case = shamir(3, 1);
    case.replies[2].session = Digest([6; 32]);
    assert_eq!(case.answer_of(&[1, 2, 3]), Err(AnswerError::Sessions { first: 1, second: 3 }));

    let malformed = |change: fn(&mut Vec<String>)| {
        let mut case = shamir(3, 1);
        change(&mut case.replies[1].shares);
        let Err(AnswerError::Malformed { helper: 2, reason }) = case.answer_of(&[1, 2, 3]) else { panic!() };
        reason
    };
    assert!(malformed(|shares| drop(shares.pop())).contains("outputs"));
    assert_eq!(malformed(|shares| shares[0] = "00".into()), "share 1 has 2 digits, not 16");
    assert!(malformed(|shares| shares[0] = "zz".repeat(8)).contains("hexadecimal"));
    assert!(malformed(|shares| shares[0] = "é".repeat(8)).contains("hexadecimal"));
    assert_eq!(malformed(|shares| shares[0] = hex_of_modulus()), "share 1 is not below the field's modulus");

    let mut case = shamir(3, 1);
    case.replies[1] = case.replies[0].clone();
    let twice = answer(&case.scheme, &case.program, ROWS, &case.replies);
    assert!(matches!(twice, Err(AnswerError::Quorum { reason: RecombineError::Duplicate { helper: 1 } })));
}

fn hex_of_modulus() -> String {
    let modulus = (1_u64 << 61) - 1;
    modulus.to_le_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Helpers' shares of the sum of a salary, 7, and of a vector, -250, 3 and 100.
fn vectors(scheme: Scheme) -> Case {
    let column = |name: &str, domain| Column::parse(name, domain).unwrap();
    let columns = vec![column("g", "vector[3] of -1.00 .. 1.00"), column("salary", "0 .. 9")];
    let text = "circuit c\ninput g : vector[3] of -1.00 .. 1.00\ninput salary : 0 .. 9\n\
                reveal total = sum(salary)\nreveal m = mean(g)\nreveal s = sum(g)\n";
    let program = compile(text, &study_of(&scheme, columns)).unwrap();
    let salary = share::<F61>(&scheme, 0, 7);
    let elements: Vec<Vec<Vec<u8>>> = (1..)
        .zip([-250, 3, 100])
        .map(|(position, value)| {
            share::<F61>(&scheme, position, value).iter().map(|text| bytes_of(text)).collect()
        })
        .collect();
    let reply = |(helper, salary): (usize, String)| {
        let vector = elements.iter().flat_map(|element| element[helper - 1].clone()).collect();
        reply_with(helper.try_into().unwrap(), vec![salary], vec![Elements::new(vector)])
    };
    let replies = (1..).zip(salary).map(reply).collect();
    Case { scheme, program, replies }
}

fn bytes_of(hex: &str) -> Vec<u8> {
    (0..hex.len() / 2).map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap()).collect()
}

impl Case {
    /// Helper `helper` adds one to its share of an element of the vector.
    fn lie_in_vector(&mut self, helper: u8, element: usize) {
        let vector = &mut self.replies[usize::from(helper) - 1].vectors[0];
        let mut shares = read_slice::<F61>(vector.as_slice()).unwrap();
        shares[element] += F61::ONE;
        *vector = Elements::new(quorate_field::write_slice(&shares));
    }
}

#[test]
fn vectors_are_recombined_element_by_element() {
    for scheme in [Scheme::shamir(3, 1), Scheme::shamir(5, 2), Scheme::additive(3)] {
        let case = vectors(scheme.unwrap());
        let answer = case.answer_of(&case.all()).unwrap();
        let results: Vec<_> = answer.results.iter().map(|(_, outcome)| outcome.to_string()).collect();
        assert_eq!(results, ["7", "[-0.625, 0.0075, 0.25]", "[-2.5, 0.03, 1]"]);
        assert_eq!(answer.outputs, [7, -250, 3, 100].map(|x| Integer::from(i64::from(x))));
        assert!(answer.implausible.is_empty());
    }
}

#[test]
fn a_lie_in_a_vector_is_found_as_any_other() {
    for element in 0..3 {
        let mut case = vectors(Scheme::shamir(3, 1).unwrap());
        case.lie_in_vector(2, element);
        let Err(AnswerError::Inconsistent { output, .. }) = case.answer_of(&[1, 2, 3]) else { panic!() };
        assert_eq!(output, format!("element {element} of sum(g), in units of 0.01"));
        let mut case = vectors(Scheme::shamir(4, 1).unwrap());
        case.lie_in_vector(3, element);
        let answer = case.answer_of(&case.all()).unwrap();
        assert_eq!(answer.integrity.wrong_helpers, [3]);
        assert_eq!(answer.results[2].1.to_string(), "[-2.5, 0.03, 1]");
    }
    // One wrong in an output and another one in the vector are two, which four helpers do not correct.
    let mut case = vectors(Scheme::shamir(4, 1).unwrap());
    case.lie(1, 0);
    case.lie_in_vector(2, 0);
    assert!(matches!(case.answer_of(&[1, 2, 3, 4]), Err(AnswerError::Inconsistent { .. })));
}

#[test]
fn elements_beyond_declared_values_are_named_once() {
    let mut case = vectors(Scheme::additive(3).unwrap());
    let vector = [-250_i64, 101, 401].map(|x| F61::from_integer(&Integer::from(x)).unwrap());
    for (helper, reply) in case.replies.iter_mut().enumerate() {
        let shares = if helper == 0 { vector } else { [F61::ZERO; 3] };
        reply.vectors = vec![Elements::new(quorate_field::write_slice(&shares))];
    }
    assert!(case.answer_of(&[1, 2, 3]).unwrap().implausible.is_empty());
    // A hundred contributions of 1.00 each are the most there can be.
    let beyond = [F61::from_u64(10_001), F61::from_u64(10_000), F61::from_u64(99_999)];
    case.replies[0].vectors = vec![Elements::new(quorate_field::write_slice(&beyond))];
    assert_eq!(case.answer_of(&[1, 2, 3]).unwrap().implausible, ["element 0 of sum(g), in units of 0.01"]);
}

#[test]
fn vectors_of_another_shape_are_refused() {
    let malformed = |change: fn(&mut Vec<Elements>)| {
        let mut case = vectors(Scheme::shamir(3, 1).unwrap());
        change(&mut case.replies[1].vectors);
        let Err(AnswerError::Malformed { helper: 2, reason }) = case.answer_of(&[1, 2, 3]) else { panic!() };
        reason
    };
    let none = "1 shares and 0 vectors, but the program has 1 outputs and 1 vectors";
    assert_eq!(malformed(|vectors| drop(vectors.pop())), none);
    let short = "vector 1 has 16 bytes of shares, not 24";
    assert_eq!(malformed(|vectors| vectors[0] = Elements::new(vec![0; 16])), short);
    assert!(
        malformed(|vectors| vectors[0] = Elements::new(vec![255; 24]))
            .contains("element 0 is not a canonical")
    );
}

#[test]
fn no_error_shows_a_share() {
    let mut case = shamir(3, 1);
    case.lie(1, 0);
    let error = case.answer_of(&[1, 2, 3]).unwrap_err();
    let text = format!("{error} {error:?}");
    for reply in &case.replies {
        assert!(reply.shares.iter().all(|share| !text.contains(share.as_str())));
    }
}

#[test]
fn both_other_fields_read_their_shares() {
    assert_eq!(hex(F61::ONE).len(), 16);
    assert_eq!(hex(F127::ONE).len(), 32);
}

proptest! {
    #[test]
    fn at_4_1_every_wrong_share_of_one_helper_is_corrected(liar in 1_u8..5, shares in any::<u64>()) {
        let mut case = shamir(4, 1);
        let wrong = hex(F61::from_u64(shares));
        let was = std::mem::replace(&mut case.replies[usize::from(liar) - 1].shares[0], wrong.clone());
        let answer = case.answer_of(&[1, 2, 3, 4]).unwrap();
        assert_true(&answer);
        let expected = if was == wrong { vec![] } else { vec![liar] };
        prop_assert_eq!(answer.integrity.wrong_helpers, expected);
    }
}
