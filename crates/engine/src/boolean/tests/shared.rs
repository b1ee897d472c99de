//! Programs on shared bits, with all workers in one process, against the same programs in the clear.

use proptest::prelude::*;
use quorate_field::tiny::{F7, F31};
use quorate_field::{F61, F127, Field};
use quorate_hash::Digest;
use quorate_sharing::{ContributorSecret, Piece, Scheme, Shares, expand, split};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

use super::super::convert::Conversion;
use super::super::sum::Shape;
use super::super::{
    CnfKing, CnfOneRound, Domain, Draft, Execution, Layout, Outputs, Program, ToArithmetic, Workers, compare,
    evaluate, lanes, open,
};
use super::{conversion_program, sliced};
use crate::round::{Progress, Task};
use crate::testing::{Network, scheme};
use crate::verified::Segment;

/// Every number of helpers, threshold and set of workers that is tried.
const FEDERATIONS: [(u8, u8, &[u8]); 5] = [
    (3, 1, &[1, 2, 3]),
    (4, 1, &[1, 3, 4]),
    (5, 2, &[1, 2, 3, 4, 5]),
    (6, 2, &[1, 2, 4, 5, 6]),
    (7, 3, &[1, 2, 3, 4, 5, 6, 7]),
];

pub(super) fn network(n: u8, t: u8, workers: &[u8]) -> (Network, Vec<Workers>) {
    let network = Network::of(scheme(n, t), workers, 0);
    let workers = network.members().iter().map(|member| Workers::new(member).unwrap()).collect();
    (network, workers)
}

/// A replicated sharing of one bit's words: each worker's share, from random sub-shares.
pub(crate) fn share_bit(workers: &[Workers], bit: &[u64], rng: &mut ChaCha20Rng) -> Vec<Vec<u64>> {
    let sets: Vec<_> = all_sets(workers);
    let mut subs: Vec<Vec<u64>> = sets.iter().map(|_| bit.iter().map(|_| rng.next_u64()).collect()).collect();
    let (last, others) = subs.split_last_mut().unwrap();
    last.copy_from_slice(bit);
    others.iter().for_each(|sub| last.iter_mut().zip(sub).for_each(|(last, sub)| *last ^= sub));
    let held = |layout: &Layout| {
        let of = |set| subs[sets.iter().position(|other| *other == set).unwrap()].clone();
        layout.held_sets().flat_map(of).collect()
    };
    workers.iter().map(|worker| held(worker.layout())).collect()
}

fn all_sets(workers: &[Workers]) -> Vec<quorate_sharing::prss::HelperSet> {
    let mut sets: Vec<_> = workers.iter().flat_map(|worker| worker.layout().held_sets()).collect();
    sets.sort_unstable();
    sets.dedup();
    sets
}

/// The bit of a sharing; all holders of a sub-share must hold the same.
pub(super) fn open_bit(workers: &[Workers], shares: &[&[u64]]) -> Vec<u64> {
    let words = shares[0].len() / workers[0].layout().width();
    let mut bit = vec![0; words];
    for set in all_sets(workers) {
        let held = workers.iter().zip(shares).filter_map(|(worker, share)| {
            let sub = worker.layout().held_sets().position(|other| other == set)?;
            Some(&share[sub * words..][..words])
        });
        let held: Vec<&[u64]> = held.collect();
        assert!(held.windows(2).all(|pair| pair[0] == pair[1]), "holders of {set} agree");
        bit.iter_mut().zip(held[0]).for_each(|(bit, sub)| *bit ^= sub);
    }
    bit
}

fn outputs<D: Domain>(executions: Vec<Execution<&Program, D>>) -> Vec<Outputs> {
    let finish =
        |execution: Execution<&Program, D>| execution.finish().trust_helpers_of_passive_study().release();
    executions.into_iter().map(finish).collect()
}

fn opened(workers: &[Workers], outputs: &[Outputs]) -> Vec<Vec<u64>> {
    let open = |i| open_bit(workers, &outputs.iter().map(|output| output.bit(i)).collect::<Vec<_>>());
    (0..outputs[0].len()).map(open).collect()
}

#[test]
fn an_opening_gives_every_worker_the_bits() {
    for (n, t, members) in FEDERATIONS {
        let (mut network, workers) = network(n, t, members);
        let mut draft = Draft::new();
        let bits = draft.secret_number(3);
        let program = draft.finish(&bits);
        let mut rng = ChaCha20Rng::from_seed([6; 32]);
        let values = [vec![1, 2], vec![3, 4], vec![5, 6]];
        let shares = values.each_ref().map(|bit| share_bit(&workers, bit, &mut rng));
        let streams: Vec<_> = workers.iter().map(|worker| worker.one_round(0)).collect();
        let mut verified = Vec::new();
        for (place, streams) in streams.iter().enumerate() {
            let domain = CnfOneRound::new(streams, &program, 0);
            let mut execution = Execution::new(&program, domain, 100);
            for (i, shares) in shares.iter().enumerate() {
                execution.input(i).copy_from_slice(&shares[place]);
            }
            assert_eq!(execution.advance(&mut Default::default()), Progress::Ended);
            verified.push(Some(execution.finish().trust_helpers_of_passive_study().split(1).1));
        }
        let opened = network.round(
            |place, _, outbox| {
                (place, open::open(workers[place].layout(), verified[place].take().unwrap(), outbox))
            },
            |_, (place, pending), inbox| pending.finish(workers[place].layout(), inbox),
        );
        assert!(opened.iter().all(|bits| *bits == values[1..]), "({n},{t})");
    }
}

/// Runs a program on shared inputs with either kind of AND; results, opened.
fn run(
    (n, t, members): (u8, u8, &[u8]),
    program: &Program,
    inputs: &[Vec<u64>],
    publics: &[Vec<u64>],
    rows: usize,
    king: bool,
) -> Vec<Vec<u64>> {
    let (mut network, workers) = network(n, t, members);
    let mut rng = ChaCha20Rng::from_seed([5; 32]);
    let shares: Vec<Vec<Vec<u64>>> = inputs.iter().map(|bit| share_bit(&workers, bit, &mut rng)).collect();
    fn fill<D: Domain>(
        executions: &mut [Execution<&Program, D>],
        shares: &[Vec<Vec<u64>>],
        publics: &[Vec<u64>],
    ) {
        for (place, execution) in executions.iter_mut().enumerate() {
            shares.iter().enumerate().for_each(|(i, s)| execution.input(i).copy_from_slice(&s[place]));
            publics.iter().enumerate().for_each(|(i, p)| execution.public_input(i).copy_from_slice(p));
        }
    }
    if king {
        let streams: Vec<_> = workers.iter().map(|worker| worker.king(7)).collect();
        let domain = |(worker, streams)| CnfKing::new(Workers::layout(worker), streams, program, 3);
        let domains = workers.iter().zip(&streams).map(domain);
        let mut executions: Vec<_> = domains.map(|domain| Execution::new(program, domain, rows)).collect();
        fill(&mut executions, &shares, publics);
        assert_eq!(network.drive(&mut executions), 2 * program.depth());
        opened(&workers, &outputs(executions))
    } else {
        let streams: Vec<_> = workers.iter().map(|worker| worker.one_round(7)).collect();
        let domains = streams.iter().map(|streams| CnfOneRound::new(streams, program, 3));
        let mut executions: Vec<_> = domains.map(|domain| Execution::new(program, domain, rows)).collect();
        fill(&mut executions, &shares, publics);
        assert_eq!(network.drive(&mut executions), program.depth());
        let sent = usize::from(t) * 8 * lanes::words(rows) * program.ands() * workers.len();
        assert_eq!(network.bytes_sent(), sent, "t words for a word of ANDs and worker");
        opened(&workers, &outputs(executions))
    }
}

/// A program of gates that the bytes choose, over some secret and public inputs.
fn random_program(choices: &[u8]) -> Program {
    let mut draft = Draft::new();
    let mut bits = draft.secret_number(4);
    bits.extend(draft.public_number(2));
    bits.extend([Draft::ZERO, Draft::ONE]);
    for choice in choices.chunks_exact(3) {
        let (a, b) = (bits[usize::from(choice[1]) % bits.len()], bits[usize::from(choice[2]) % bits.len()]);
        bits.push(match choice[0] % 5 {
            0 | 1 => draft.and(a, b),
            2 | 3 => draft.xor(a, b),
            _ => draft.not(a),
        });
    }
    let outputs: Vec<_> = bits.iter().rev().take(6).copied().collect();
    draft.finish(&outputs)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn shared_programs_compute_what_clear_ones_do(
        choices in prop::collection::vec(any::<u8>(), 3..120),
        rows in prop_oneof![Just(1_usize), Just(63), Just(64), Just(65), Just(200)],
        seed: u8,
        federation in 0..FEDERATIONS.len(),
        king: bool,
    ) {
        let program = random_program(&choices);
        let mut rng = ChaCha20Rng::from_seed([seed; 32]);
        let mut bit = || {
            let mut bit: Vec<u64> = (0..lanes::words(rows)).map(|_| rng.next_u64()).collect();
            lanes::clear_padding(&mut bit, rows);
            bit
        };
        let inputs: Vec<Vec<u64>> = (0..4).map(|_| bit()).collect();
        let publics: Vec<Vec<u64>> = (0..2).map(|_| bit()).collect();
        let secrets: Vec<&[u64]> = inputs.iter().map(Vec::as_slice).collect();
        let known: Vec<&[u64]> = publics.iter().map(Vec::as_slice).collect();
        let expected = evaluate(&program, &secrets, &known, rows);
        let shared = run(FEDERATIONS[federation], &program, &inputs, &publics, rows, king);
        prop_assert_eq!(shared, expected);
    }
}

/// Shamir shares of the values at the workers, in order.
fn shamir<F: Field>(scheme: &Scheme, workers: &[u8], values: &[F]) -> Vec<Shares<F>> {
    let secret = ContributorSecret::from_bytes([3; 32]);
    let dealing = split(scheme, &Digest([2; 32]), &secret, 0, values.len() as u32, values);
    let share = |worker: &u8| match &dealing.pieces[usize::from(*worker) - 1].piece {
        Piece::Seed(seed) => expand(seed, values.len()),
        Piece::Data(data) => Shares::from_vec(quorate_field::read_slice(data).unwrap()),
    };
    workers.iter().map(share).collect()
}

/// Converts values minus `min` and runs `program` on them; results, opened.
fn convert<F: Field>(
    n: u8,
    t: u8,
    members: &[u8],
    values: &[F],
    min: F,
    program: &Program,
    instruction: u32,
) -> Vec<Vec<u64>> {
    let (mut network, workers) = network(n, t, members);
    let shares = shamir(&scheme(n, t), members, values);
    let conversions: Vec<Conversion<F>> =
        workers.iter().map(|worker| Conversion::new(worker, instruction)).collect();
    let streams: Vec<_> = workers.iter().map(|worker| worker.one_round(instruction)).collect();
    let begin = |streams| Execution::new(program, CnfOneRound::new(streams, program, 5), values.len());
    let mut executions: Vec<_> = streams.iter().map(begin).collect();
    let pending = network.send(|place, _, outbox| {
        let (conversion, shares) = (&conversions[place], shares[place].as_slice());
        let numbers = executions[place].inputs(0, conversion.inputs());
        (place, conversion.start(shares, min, 5, numbers, outbox))
    });
    network.receive(pending, |_, (place, pending), inbox| {
        let conversion = &conversions[place];
        pending.finish(conversion, executions[place].inputs(0, conversion.inputs()), inbox)
    });
    network.drive(&mut executions);
    opened(&workers, &outputs(executions))
}

fn check_conversion<F: Field>(values: &[u64], min: u64, shape: Shape, instruction: u32) {
    let elements: Vec<F> = values.iter().map(|value| F::from_u64(*value)).collect();
    let expected: Vec<u64> = elements
        .iter()
        .map(|value| {
            let mut bytes = [0; 32];
            (*value - F::from_u64(min)).write(&mut bytes[..F::BYTES]);
            u64::from_le_bytes(bytes[..8].try_into().unwrap())
        })
        .collect();
    for (n, t, members) in FEDERATIONS {
        if F::BITS < 5 && n == 7 {
            // Helper 7 has no place in a field of 7 elements.
            continue;
        }
        let program = conversion_program::<F>(t.into(), shape, |_, bits| bits.clone());
        let bits = convert(n, t, members, &elements, F::from_u64(min), &program, instruction);
        assert_eq!(bits[..bits.len().min(64)], sliced(&expected, F::BITS.min(64)), "({n},{t})");
        assert!(bits[bits.len().min(64)..].iter().flatten().all(|word| *word == 0), "small values");
    }
}

#[test]
fn conversion_gives_the_bits_of_every_element_of_tiny_fields() {
    for instruction in 0..3 {
        for shape in [Shape::Serial, Shape::Prefix] {
            let values: Vec<u64> = (0..200).map(|i| i % 7).collect();
            check_conversion::<F7>(&values, 0, shape, instruction);
            check_conversion::<F7>(&values, 3, shape, instruction);
            check_conversion::<F31>(&(0..65).map(|i| i % 31).collect::<Vec<_>>(), 30, shape, instruction);
        }
    }
}

#[test]
fn conversion_gives_the_bits_of_real_elements() {
    let p = (1 << 61) - 1;
    let edges = [0, 1, 2, p - 1, p - 2, 1 << 60, (1 << 60) - 1, 12_345, p / 3];
    for rows in [1, 63, 64, 65, 200] {
        let values: Vec<u64> = edges.iter().copied().cycle().take(rows).collect();
        check_conversion::<F61>(&values, 0, Shape::Serial, 0);
    }
    check_conversion::<F61>(&edges, 12_345, Shape::Prefix, 1);
    check_conversion::<F127>(&[5, 6, 1 << 60, u64::MAX - 9], 5, Shape::Serial, 2);
}

#[test]
fn conversion_costs_one_number_more_than_the_threshold() {
    let ands = |t, shape| conversion_program::<F61>(t, shape, |_, bits| bits.clone()).ands();
    assert_eq!([1, 2, 3].map(|t| ands(t, Shape::Serial)), [121, 182, 243]);
    assert_eq!([1, 2, 3].map(|t| ands(t, Shape::Prefix)), [343, 404, 465]);
}

/// A column of 0 ..= max, cut to its width, with the verdict of its range check.
#[test]
fn a_range_check_finds_what_is_outside() {
    let (min, max) = (100_u64, 1_000_u64);
    let p = (1_u64 << 61) - 1;
    let values = [100, 101, 1_099, 1_100, 1_101, 99, 0, p - 1, 1 << 60, 100 + 1_023, 100 + 1_024];
    let expected: Vec<bool> = values.iter().map(|x| !(min..=min + max).contains(x)).collect();
    let program = conversion_program::<F61>(1, Shape::Serial, |draft, x| {
        let above = compare::above(draft, x, max, Shape::Prefix);
        x[..10].iter().copied().chain([above]).collect()
    });
    let elements = values.map(F61::from_u64);
    let bits = convert(4, 1, &[1, 2, 4], &elements, F61::from_u64(min), &program, 9);
    for (row, is_out) in expected.into_iter().enumerate() {
        assert_eq!(bits[10][0] >> row & 1 == 1, is_out, "row {row}");
        let cut = (0..10).map(|bit| (bits[bit][0] >> row & 1) << bit).sum::<u64>();
        assert!(is_out || cut == values[row] - min);
    }
}

#[test]
fn a_message_of_the_wrong_length_is_its_senders_fault() {
    let mut draft = Draft::new();
    let (x, y) = (draft.secret(), draft.secret());
    let both = draft.and(x, y);
    let program = draft.finish(&[both]);
    let (network, workers) = network(3, 1, &[1, 2, 3]);
    let mut network = network.altered(|from, _, blob| {
        if from == 2 {
            blob.pop();
        }
    });
    let streams: Vec<_> = workers.iter().map(|worker| worker.one_round(0)).collect();
    let domains = streams.iter().map(|streams| CnfOneRound::new(streams, &program, 0));
    let mut executions: Vec<_> = domains.map(|domain| Execution::new(&program, domain, 1)).collect();
    network.send(|place, _, outbox| executions[place].advance(outbox));
    let received = network.receive(vec![0, 1, 2], |_, place: usize, inbox| executions[place].receive(inbox));
    assert!(received[0].is_ok() && received[1].is_ok());
    assert!(matches!(received[2], Err(crate::EngineError::Malformed { from: 2, .. })));
}

/// Bits to shares: with the last bit's rows they recombine to the bits, at all workers on one polynomial of degree t.
#[test]
fn shared_bits_become_shares() {
    for (n, t, members) in FEDERATIONS {
        for rows in [1, 65] {
            let (mut network, workers) = network(n, t, members);
            let bit: Vec<u64> = (0..lanes::words(rows) as u64).map(|i| 0xf0f0_1234_5678_9abd >> i).collect();
            let shares = share_bit(&workers, &bit, &mut ChaCha20Rng::from_seed([8; 32]));
            let segment = Segment::new(4, 64, rows);
            let mut machines: Vec<ToArithmetic<F61>> = workers
                .iter()
                .zip(&shares)
                .map(|(worker, share)| ToArithmetic::new(worker.layout(), segment.clone(), share))
                .collect();
            let mut rounds = 0;
            loop {
                let progress =
                    network.send(|place, member, outbox| (place, machines[place].advance(member, outbox)));
                let ended = progress[0].1 == Progress::Ended;
                let received = network.receive(progress, |member, (place, _), inbox| {
                    if ended { Ok(()) } else { machines[place].receive(member, inbox) }
                });
                received.into_iter().for_each(|result| result.unwrap());
                if ended {
                    break;
                }
                rounds += 1;
            }
            assert_eq!(rounds, 1 + usize::from(t));
            let shares: Vec<Shares<F61>> = machines
                .into_iter()
                .map(|machine| machine.finish().trust_helpers_of_passive_study().release())
                .collect();
            let points: Vec<(u8, &[F61])> =
                members.iter().copied().zip(shares.iter().map(Shares::as_slice)).collect();
            let values = quorate_sharing::recombine(&scheme(n, t), &points).unwrap().values;
            for (row, value) in values.iter().enumerate() {
                assert_eq!(value.to_u64(), bit[row / 64] >> (row % 64) & 1, "({n},{t}) row {row}");
            }
        }
    }
}
