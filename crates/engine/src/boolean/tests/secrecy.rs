//! What workers see: for an AND exhaustively or by rank, for conversion and comparison statistically.
//!
//! Randomness is what a [`Script`] says, so that every value can be tried. A leak that is planted, a draw that does
//! not name its dealer or masks that are left out, must be caught by the same test.

use std::collections::BTreeMap;
use std::sync::Arc;

use quorate_field::Field;
use quorate_field::tiny::F7;
use quorate_sharing::lagrange_at_zero;
use quorate_sharing::prss::{Draw, HelperSet, KeyName, Purpose, Script, SessionKeys};

use super::super::convert::Conversion;
use super::super::sum::Shape;
use super::super::worker_keys;
use super::super::{
    CnfKing, CnfOneRound, Domain, Draft, Execution, Layout, Program, Spread, ToArithmetic, Workers, compare,
};
use super::conversion_program;
use crate::round::{Inbox, Outbox, Progress, Task};
use crate::testing::{Network, scheme};
use crate::verified::Segment;

type Blobs = BTreeMap<u8, Vec<u8>>;

/// The values of the draws that a test sets; all others are zero.
#[derive(Default)]
struct Tape {
    values: BTreeMap<(KeyName, Draw, u64), u64>,
    /// Planted: dealers are not told apart.
    forgets_dealer: bool,
}

impl Tape {
    fn key(&self, key: KeyName, draw: &Draw, row: u64) -> (KeyName, Draw, u64) {
        let purpose = match draw.purpose {
            Purpose::And { .. } if self.forgets_dealer => Purpose::And { dealer: 0 },
            other => other,
        };
        (key, Draw { purpose, ..*draw }, row)
    }
}

impl Script for Tape {
    fn value(&self, key: KeyName, draw: &Draw, row: u64) -> u64 {
        self.values.get(&self.key(key, draw, row)).copied().unwrap_or(0)
    }
}

/// Workers 1 to 2t+1 whose keys draw what the script says.
fn scripted(t: u8, script: &Arc<dyn Script>) -> Vec<Workers> {
    let numbers: Vec<u8> = (1..=2 * t + 1).collect();
    let worker = |&me: &u8| {
        let layout = Layout::new(t, &numbers, me).unwrap();
        let keys = SessionKeys::scripted(worker_keys::scheme(&layout), me, script.clone());
        Workers::with_keys(layout, keys)
    };
    numbers.iter().map(worker).collect()
}

/// One AND of two shared bits: each worker's shares of x and y.
fn and_program() -> Program {
    let mut draft = Draft::new();
    let (x, y) = (draft.secret(), draft.secret());
    let both = draft.and(x, y);
    draft.finish(&[both])
}

/// Which kind of AND.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    OneRound,
    King,
}

/// What every worker receives, round by round, and its share of the result. `x` and `y` are sub-shares by set.
fn and(kind: Kind, t: u8, script: &Arc<dyn Script>, x: &[u64], y: &[u64]) -> Vec<(Vec<Blobs>, Vec<u64>)> {
    let (workers, program) = (scripted(t, script), and_program());
    match kind {
        Kind::OneRound => {
            let streams: Vec<_> = workers.iter().map(|worker| worker.one_round(0)).collect();
            let domains = streams.iter().map(|s| CnfOneRound::new(s, &program, 0));
            drive(&workers, domains.collect(), &program, x, y)
        }
        Kind::King => {
            let streams: Vec<_> = workers.iter().map(|worker| worker.king(0)).collect();
            let domains = workers.iter().zip(&streams).map(|(w, s)| CnfKing::new(w.layout(), s, &program, 0));
            drive(&workers, domains.collect(), &program, x, y)
        }
    }
}

fn drive<D: Domain>(
    workers: &[Workers],
    domains: Vec<D>,
    program: &Program,
    x: &[u64],
    y: &[u64],
) -> Vec<(Vec<Blobs>, Vec<u64>)> {
    let mut executions: Vec<Execution<&Program, D>> =
        domains.into_iter().map(|domain| Execution::new(program, domain, 64)).collect();
    for (execution, worker) in executions.iter_mut().zip(workers) {
        for (i, subs) in [x, y].into_iter().enumerate() {
            let held = worker.layout().held();
            execution.input(i).iter_mut().zip(held).for_each(|(out, set)| *out = subs[*set]);
        }
    }
    let mut views = vec![Vec::new(); workers.len()];
    while let Some(received) = exchange(workers, &mut executions) {
        for ((execution, received), view) in executions.iter_mut().zip(received).zip(&mut views) {
            execution.receive(&mut Inbox::new(&received)).unwrap();
            view.push(received);
        }
    }
    let results = executions.iter().map(|execution| execution.output(0).to_vec());
    views.into_iter().zip(results).collect()
}

/// One round's messages, by receiver's place and sender.
fn exchange<D: Domain>(workers: &[Workers], executions: &mut [Execution<&Program, D>]) -> Option<Vec<Blobs>> {
    let mut received = vec![Blobs::new(); workers.len()];
    for (worker, execution) in workers.iter().zip(executions) {
        let mut outbox = Outbox::new();
        if execution.advance(&mut outbox) == Progress::Ended {
            return None;
        }
        for (to, blob) in outbox.into_blobs() {
            received[usize::from(to) - 1].insert(worker.layout().me(), blob);
        }
    }
    Some(received)
}

/// All draws of an AND: the key, the draw, at row 0.
fn draws(kind: Kind, t: u8, tape: &Tape) -> Vec<(KeyName, Draw, u64)> {
    let zeros = vec![0; usize::from(t) * 40];
    asked(tape, |script| drop(and(kind, t, script, &zeros, &zeros)))
}

/// All draws of a protocol, as the tape tells them apart.
fn asked(tape: &Tape, run: impl Fn(&Arc<dyn Script>)) -> Vec<(KeyName, Draw, u64)> {
    /// Remembers what was asked.
    struct Listener(std::sync::Mutex<std::collections::BTreeSet<(KeyName, Draw, u64)>>);
    impl Script for Listener {
        fn value(&self, key: KeyName, draw: &Draw, row: u64) -> u64 {
            self.0.lock().unwrap().insert((key, *draw, row));
            0
        }
    }
    let listener = Arc::new(Listener(Default::default()));
    let script: Arc<dyn Script> = listener.clone();
    run(&script);
    let asked = listener.0.lock().unwrap();
    let keys: std::collections::BTreeSet<_> =
        asked.iter().map(|(key, draw, row)| tape.key(*key, draw, *row)).collect();
    keys.into_iter().collect()
}

fn knows(coalition: &[u8], key: &KeyName) -> bool {
    match key {
        KeyName::Set(set) => coalition.iter().any(|worker| !set.contains(*worker)),
        KeyName::Pair(a, b) => coalition.contains(a) || coalition.contains(b),
    }
}

/// At (3,1), one-bit values: whether each worker's joint view (its sub-shares, what it can draw, what it receives)
/// has one distribution for all secrets. `masks`: whether the draws are random at all.
fn and_hides(kind: Kind, masks: bool) -> bool {
    let draws = draws(kind, 1, &Tape::default());
    let used = if masks { draws.len() } else { 0 };
    (1..=3_u8).all(|worker| {
        let view_of = |secret: u64| {
            let mut views: BTreeMap<Vec<u64>, u32> = BTreeMap::new();
            for code in 0..1_u64 << (4 + used) {
                let bit = |i: usize| code >> i & 1;
                let x = [bit(0), bit(1), (secret & 1) ^ bit(0) ^ bit(1)];
                let y = [bit(2), bit(3), (secret >> 1) ^ bit(2) ^ bit(3)];
                let values = draws.iter().take(used).enumerate().map(|(i, key)| (*key, bit(4 + i)));
                let values: BTreeMap<_, _> = values.collect();
                let known = values.iter().filter(|((key, ..), _)| knows(&[worker], key));
                let mut view: Vec<u64> = known.map(|(_, value)| *value).collect();
                let held = (0..3).filter(|set| *set != usize::from(worker) - 1);
                view.extend(held.flat_map(|set| [x[set], y[set]]));
                let script: Arc<dyn Script> = Arc::new(Tape { values, forgets_dealer: false });
                let (received, _) = and(kind, 1, &script, &x, &y).swap_remove(usize::from(worker) - 1);
                view.extend(
                    received.iter().flat_map(|blobs| blobs.values()).map(|blob| u64::from(blob[0] & 1)),
                );
                *views.entry(view).or_default() += 1;
            }
            views
        };
        let first = view_of(0);
        (1..4).all(|secret| view_of(secret) == first)
    })
}

#[test]
fn the_view_of_an_and_at_3_1_is_the_same_for_all_secrets() {
    assert!(and_hides(Kind::OneRound, true));
    assert!(and_hides(Kind::King, true));
}

#[test]
fn an_and_without_masks_is_caught() {
    assert!(!and_hides(Kind::OneRound, false));
    assert!(!and_hides(Kind::King, false));
}

/// Whether, for every coalition of `t`, all it receives from others is masked by independent draws that it lacks: then
/// its view is uniform whatever the sub-shares are. Messages are linear in the draws.
fn and_is_masked(kind: Kind, t: u8, forgets_dealer: bool) -> bool {
    let empty = Tape { forgets_dealer, ..Tape::default() };
    let draws = draws(kind, t, &empty);
    let zeros = vec![0; usize::from(t) * 40];
    // The bits that each worker receives, one draw set at a time.
    let mut columns = Vec::new();
    for key in &draws {
        let tape = Tape { values: BTreeMap::from([(*key, 1)]), forgets_dealer };
        let script: Arc<dyn Script> = Arc::new(tape);
        columns.push(and(kind, t, &script, &zeros, &zeros));
    }
    let workers: Vec<u8> = (1..=2 * t + 1).collect();
    let coalitions = (0..1_u32 << workers.len()).filter(|mask| mask.count_ones() == u32::from(t));
    coalitions.into_iter().all(|mask| {
        let coalition: Vec<u8> = workers.iter().copied().filter(|w| mask >> (w - 1) & 1 == 1).collect();
        // One row for each message from outside, whoever of the coalition receives it; bits are unknown draws.
        let mut rows: BTreeMap<(usize, u8), u128> = BTreeMap::new();
        let unknown = draws.iter().zip(&columns).filter(|((key, ..), _)| !knows(&coalition, key));
        for (bit, (_, column)) in unknown.enumerate() {
            for (rounds, _) in coalition.iter().map(|member| &column[usize::from(*member) - 1]) {
                for (round, blobs) in rounds.iter().enumerate() {
                    for (sender, blob) in blobs.iter().filter(|(sender, _)| !coalition.contains(sender)) {
                        let row = rows.entry((round, *sender)).or_default();
                        *row |= u128::from(blob[0] & 1) << bit;
                    }
                }
            }
        }
        let rows: Vec<u128> = rows.into_values().collect();
        rank(rows.clone()) == rows.len()
    })
}

fn rank(mut rows: Vec<u128>) -> usize {
    let mut rank = 0;
    while let Some(row) = rows.pop() {
        if row != 0 {
            rank += 1;
            let lowest = row & row.wrapping_neg();
            rows.iter_mut().filter(|other| **other & lowest != 0).for_each(|other| *other ^= row);
        }
    }
    rank
}

#[test]
fn messages_of_ands_are_masked_from_every_coalition() {
    for t in 1..=3 {
        assert!(and_is_masked(Kind::OneRound, t, false), "t = {t}");
        assert!(and_is_masked(Kind::King, t, false), "t = {t}");
    }
}

#[test]
fn a_draw_that_does_not_name_its_dealer_is_caught() {
    assert!(!and_is_masked(Kind::OneRound, 2, true));
    assert!(!and_is_masked(Kind::OneRound, 3, true));
}

/// Draws that are random and remembered by nobody: a hash of everything.
struct Hashed {
    seed: u64,
    /// Planted: draws for these purposes are left out.
    forgets: fn(&Purpose) -> bool,
}

fn nothing(_: &Purpose) -> bool {
    false
}

fn masks_of_values(purpose: &Purpose) -> bool {
    *purpose == Purpose::Random
}

fn dealt_shares(purpose: &Purpose) -> bool {
    matches!(purpose, Purpose::Reshare { .. })
}

impl Script for Hashed {
    fn value(&self, key: KeyName, draw: &Draw, row: u64) -> u64 {
        if (self.forgets)(&draw.purpose) {
            return 0;
        }
        let key = match key {
            KeyName::Set(set) => set.mask(),
            KeyName::Pair(a, b) => 1 << 63 | u64::from(a) << 8 | u64::from(b),
        };
        let digest =
            quorate_hash::Tagged::new("test").u64(self.seed).u64(key).bytes(&draw.encode()).u64(row).finish();
        u64::from_le_bytes(digest.0[..8].try_into().unwrap())
    }
}

/// How often what worker 1 opens has each value, and how many ones and zeros it receives in each round, over a
/// conversion of `value` and a comparison with 3, with random Shamir shares. All 64 rows are the same value.
fn histogram(value: u64, forgets: fn(&Purpose) -> bool) -> Vec<u32> {
    let program = conversion_program::<F7>(1, Shape::Serial, |draft, x| {
        vec![compare::less_than_constant(draft, x, 3, Shape::Serial)]
    });
    let mut counts = vec![0; 7 + 2 * 64];
    for seed in 0..400 {
        let hashed = Hashed { seed, forgets };
        let script: Arc<dyn Script> = Arc::new(hashed);
        let workers = scripted(1, &script);
        let slope = |row: u64| {
            F7::from_u64(Hashed { seed, forgets: nothing }.value(KeyName::Pair(9, 9), &DRAW, row) >> 7)
        };
        let shares = |x: u64| -> Vec<F7> {
            (0..64).map(|row| F7::from_u64(value) + slope(row) * F7::from_u64(x)).collect()
        };
        let conversions: Vec<Conversion<F7>> =
            workers.iter().map(|worker| Conversion::new(worker, 0)).collect();
        let mut received = vec![Blobs::new(); 3];
        let streams: Vec<_> = workers.iter().map(|worker| worker.one_round(0)).collect();
        let begin = |streams| Execution::new(&program, CnfOneRound::new(streams, &program, 0), 64);
        let mut executions: Vec<_> = streams.iter().map(begin).collect();
        let mut pending = Vec::new();
        for ((number, conversion), execution) in (1..).zip(&conversions).zip(&mut executions) {
            let mut outbox = Outbox::new();
            let numbers = execution.inputs(0, conversion.inputs());
            pending.push(conversion.start(&shares(number.into()), F7::ZERO, 0, numbers, &mut outbox));
            outbox.into_blobs().into_iter().for_each(|(to, blob)| {
                received[usize::from(to) - 1].insert(number, blob);
            });
        }
        // What worker 1 opens, from its own share and that of worker 3.
        let weights: Vec<F7> = lagrange_at_zero(&[1, 3]);
        for (own, other) in received[1][&1].iter().zip(&received[0][&3]).take(64) {
            let share = |byte: &u8| F7::from_u64((*byte).into());
            counts[usize::from((weights[0] * share(own) + weights[1] * share(other)).to_u8())] += 1;
        }
        for (i, (pending, execution)) in pending.into_iter().zip(&mut executions).enumerate() {
            let numbers = execution.inputs(0, conversions[i].inputs());
            pending.finish(&conversions[i], numbers, &mut Inbox::new(&received[i])).unwrap();
        }
        let mut round = 0;
        while let Some(received) = exchange(&workers, &mut executions) {
            for blob in received[0].values() {
                let word = u64::from_le_bytes(blob[..8].try_into().unwrap());
                counts[7 + 2 * round] += word.count_ones();
                counts[8 + 2 * round] += word.count_zeros();
            }
            for (execution, received) in executions.iter_mut().zip(&received) {
                execution.receive(&mut Inbox::new(received)).unwrap();
            }
            round += 1;
        }
        assert_eq!(round, program.depth());
    }
    counts
}

const DRAW: Draw = Draw { purpose: Purpose::Coin, instruction: 0, sub: 0 };

/// Whether what worker 1 receives looks the same for two values: every count within five standard deviations.
fn looks_the_same(a: &[u32], b: &[u32]) -> bool {
    a.iter().zip(b).all(|(&a, &b)| {
        let (a, b) = (f64::from(a), f64::from(b));
        (a - b).abs() <= 5.0 * (a + b).sqrt().max(1.0)
    })
}

#[test]
fn conversion_and_comparison_look_the_same_for_all_values() {
    let first = histogram(0, nothing);
    for value in 1..7 {
        assert!(looks_the_same(&first, &histogram(value, nothing)), "{value}");
    }
}

#[test]
fn a_conversion_without_its_mask_is_caught() {
    let first = histogram(0, masks_of_values);
    assert!((1..7).any(|value| !looks_the_same(&first, &histogram(value, masks_of_values))));
}

/// How often worker 1 receives each value from each other one in each round, while a bit becomes a number. It knows
/// two of the three sub-shares, which are zero, so the third one is the bit. Worker 2 deals, and sends to worker 1.
fn to_arithmetic_histogram(bit: u64, forgets: fn(&Purpose) -> bool) -> Vec<u32> {
    let numbers = [1, 2, 3];
    let mut counts = vec![0; 2 * 2 * 7];
    for seed in 0..200 {
        let script: Arc<dyn Script> = Arc::new(Hashed { seed, forgets });
        let mut network = Network::scripted(scheme(3, 1), &numbers, &script);
        let layouts = numbers.map(|me| Layout::new(1, &numbers, me).unwrap());
        let unknown = HelperSet::of(&[1]);
        let mut tasks = layouts.each_ref().map(|layout| {
            let word = |set| if set == unknown { bit.wrapping_neg() } else { 0 };
            let share: Vec<u64> = layout.held_sets().map(word).collect();
            ToArithmetic::<F7>::new(layout, Segment::new(4, 0, 64), &share)
        });
        for _ in 0..2 {
            let sent = network.send(|place, member, outbox| {
                tasks[place].advance(member, outbox);
                place
            });
            let received =
                network.receive(sent, |member, place: usize, inbox| tasks[place].receive(member, inbox));
            received.into_iter().for_each(|received| received.unwrap());
        }
        for (round, received) in network.view(1).iter().enumerate() {
            for (sender, blob) in received.values().enumerate() {
                blob.iter().for_each(|byte| counts[(2 * round + sender) * 7 + usize::from(*byte)] += 1);
            }
        }
    }
    counts
}

#[test]
fn a_bit_that_becomes_a_number_looks_the_same_for_both_values() {
    assert!(looks_the_same(&to_arithmetic_histogram(0, nothing), &to_arithmetic_histogram(1, nothing)));
}

#[test]
fn a_bit_that_is_dealt_without_randomness_is_caught() {
    let without = |bit| to_arithmetic_histogram(bit, dealt_shares);
    assert!(!looks_the_same(&without(0), &without(1)));
}

/// Whether, for every coalition of `t` members, all it receives while bits are spread is masked by independent draws that
/// it lacks. Messages are linear in the draws.
fn spread_is_masked(n: u8, t: u8, members: &[u8], workers: &[u8], forgets_dealer: bool) -> bool {
    let scheme = scheme(n, t);
    let empty = Tape { forgets_dealer, ..Tape::default() };
    // What each member sends, the same to all its receivers.
    let messages = |script: &Arc<dyn Script>| -> BTreeMap<u8, (Vec<u8>, u64)> {
        let mut sent = BTreeMap::new();
        for &me in members {
            let worker = if workers.contains(&me) { me } else { workers[0] };
            let layout = Layout::new(t, workers, worker).unwrap();
            let keys = SessionKeys::scripted(scheme, me, script.clone());
            let zeros = vec![0; layout.width()];
            let share = workers.contains(&me).then_some(&zeros[..]).map(|share| [share]);
            let spread = Spread::new(&scheme, members, &layout, me, &keys, 1);
            let mut outbox = Outbox::new();
            spread.start(share.as_ref().map(|share| &share[..]), 1, 1, 0, &mut outbox);
            let blobs = outbox.into_blobs();
            if let Some(blob) = blobs.values().next() {
                assert!(blobs.values().all(|other| other == blob), "all are sent the same");
                let word = u64::from_le_bytes(blob[..8].try_into().unwrap());
                sent.insert(me, (blobs.keys().copied().collect(), word));
            }
        }
        sent
    };
    let draws = asked(&empty, |script| drop(messages(script)));
    let columns: Vec<_> = draws
        .iter()
        .map(|key| {
            let script: Arc<dyn Script> =
                Arc::new(Tape { values: BTreeMap::from([(*key, 1)]), forgets_dealer });
            messages(&script)
        })
        .collect();
    let coalitions = (0..1_u32 << members.len()).filter(|mask| mask.count_ones() == u32::from(t));
    coalitions.into_iter().all(|mask| {
        let place = |member: &u8| members.iter().position(|other| other == member).unwrap();
        let coalition: Vec<u8> = members.iter().copied().filter(|m| mask >> place(m) & 1 == 1).collect();
        let mut rows: BTreeMap<u8, u128> = BTreeMap::new();
        let unknown = draws.iter().zip(&columns).filter(|((key, ..), _)| !knows(&coalition, key));
        for (bit, (_, column)) in unknown.enumerate() {
            for (sender, (receivers, word)) in column {
                let is_seen = receivers.iter().any(|receiver| coalition.contains(receiver));
                if is_seen && !coalition.contains(sender) {
                    *rows.entry(*sender).or_default() |= u128::from(word & 1) << bit;
                }
            }
        }
        let rows: Vec<u128> = rows.into_values().collect();
        rank(rows.clone()) == rows.len()
    })
}

#[test]
fn what_is_spread_is_masked_from_every_coalition() {
    assert!(spread_is_masked(4, 1, &[1, 2, 3, 4], &[1, 2, 3], false));
    assert!(spread_is_masked(4, 1, &[1, 3, 4], &[1, 3, 4], false));
    assert!(spread_is_masked(6, 2, &[1, 2, 3, 4, 5, 6], &[1, 2, 3, 4, 5], false));
    assert!(spread_is_masked(8, 3, &[1, 2, 3, 4, 5, 6, 7, 8], &[1, 2, 3, 4, 5, 6, 7], false));
}

#[test]
fn spreading_that_does_not_name_its_dealer_is_caught() {
    assert!(!spread_is_masked(4, 1, &[1, 2, 3, 4], &[1, 2, 3], true));
    assert!(!spread_is_masked(6, 2, &[1, 2, 3, 4, 5, 6], &[1, 2, 3, 4, 5], true));
}
