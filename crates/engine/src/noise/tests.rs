//! Noise among every quorum of every federation, with what each member drew known; and what a coalition sees of a part.

use std::collections::{BTreeMap, HashMap};

use quorate_field::quantity::Quantity;
use quorate_field::tiny::F7;
use quorate_field::{F61, F256, FieldId, Integer};
use quorate_privacy::Distribution;
use quorate_sharing::recombine;

use super::*;

fn entry(field: FieldId, count: u32, size: u64) -> Noise {
    let distribution = Distribution::Gaussian { variance: Quantity::from(Integer::from(size)) };
    let (sensitivity, bound) = (Integer::ONE, distribution.bound(7, 1).unwrap());
    Noise { field, count, distribution, sensitivity, bound, meaning: String::new(), rank: None }
}

/// One in each field, one longer than a block, and one of each distribution.
fn entries(base: FieldId) -> Vec<Noise> {
    let distribution = Distribution::Laplace { scale: Quantity::from(Integer::from(30_u64)) };
    let laplace = Noise { distribution, ..entry(base, 3, 9) };
    vec![entry(base, 1, 100), entry(FieldId::F127, 1, 1 << 40), entry(base, 2_500, 50), laplace]
}

fn schemes() -> Vec<Scheme> {
    let shamir = [(3, 1), (4, 1), (5, 2), (7, 3), (2, 1)].map(|(n, t)| Scheme::shamir(n, t).unwrap());
    shamir.into_iter().chain([2, 3, 4].map(|n| Scheme::additive(n).unwrap())).collect()
}

/// All quorums that can draw noise.
fn quorums(scheme: &Scheme) -> Vec<Vec<HelperNumber>> {
    let members = |mask: u32| scheme.numbers().filter(|number| mask >> (number - 1) & 1 == 1).collect();
    let all: Vec<Vec<HelperNumber>> = (0..1_u32 << scheme.helpers()).map(members).collect();
    let least = match scheme.kind() {
        SchemeKind::Shamir => scheme.needed(),
        SchemeKind::Additive => scheme.helpers().into(),
    };
    all.into_iter().filter(|quorum| quorum.len() >= least).collect()
}

fn seed(me: HelperNumber) -> Seed {
    Seed::from_bytes([me; 32])
}

type Sent = BTreeMap<HelperNumber, BTreeMap<HelperNumber, Vec<u8>>>;

/// The first half of the round at all members: their tasks, and what each is sent.
fn send<F: NamedField>(
    entries: &[Noise],
    scheme: &Scheme,
    quorum: &[HelperNumber],
) -> (Vec<NoiseTask<F>>, Sent) {
    let mut sent: Sent = quorum.iter().map(|member| (*member, BTreeMap::new())).collect();
    let mut begin = |me: &HelperNumber| {
        let mut task = NoiseTask::<F>::new(entries, *scheme, *me, quorum, seed(*me));
        let mut outbox = Outbox::new();
        assert_eq!(task.advance(&mut outbox), Progress::Sent);
        for (to, blob) in outbox.into_blobs() {
            sent.get_mut(&to).unwrap().insert(*me, blob);
        }
        task
    };
    let tasks = quorum.iter().map(&mut begin).collect();
    (tasks, sent)
}

/// All members' shares of all entries.
fn shares<F: NamedField>(entries: &[Noise], scheme: &Scheme, quorum: &[HelperNumber]) -> Vec<NoiseShares<F>> {
    let (tasks, sent) = send::<F>(entries, scheme, quorum);
    let receive = |(mut task, me): (NoiseTask<F>, &HelperNumber)| {
        let mut inbox = Inbox::new(&sent[me]);
        task.receive(&mut inbox).unwrap();
        inbox.finish().unwrap();
        assert_eq!(task.advance(&mut Outbox::new()), Progress::Ended);
        task.finish().trust_helpers_of_passive_study().release()
    };
    tasks.into_iter().zip(quorum).map(receive).collect()
}

/// What a member draws: it is drawn in the same way, and only once.
fn drawn(entries: &[Noise], scheme: &Scheme, quorum: &[HelperNumber], me: HelperNumber) -> Vec<Vec<Integer>> {
    let honest = honest(scheme, quorum.len());
    let of_entry = |(place, entry): (usize, &Noise)| {
        let derived = Tagged::new("quorate/1/noise-part").bytes(seed(me).expose()).u64(place as u64).u64(0);
        let mut rng = ChaCha20Rng::from_seed(derived.finish().0);
        (0..entry.count).map(|_| entry.distribution.draw(honest, &mut rng)).collect()
    };
    entries.iter().enumerate().map(of_entry).collect()
}

fn check_sums<F: NamedField>(scheme: &Scheme, quorum: &[HelperNumber]) {
    fn opened<G: NamedField>(scheme: &Scheme, quorum: &[HelperNumber], held: &[&Shares<G>]) -> Vec<Integer> {
        let points: Vec<(HelperNumber, &[G])> =
            quorum.iter().zip(held).map(|(member, shares)| (*member, shares.as_slice())).collect();
        recombine(scheme, &points).unwrap().values.iter().map(|value| value.to_integer()).collect()
    }
    let entries = entries(F::ID);
    let held = shares::<F>(&entries, scheme, quorum);
    let parts: Vec<Vec<Vec<Integer>>> =
        quorum.iter().map(|me| drawn(&entries, scheme, quorum, *me)).collect();
    for (place, entry) in (0..).zip(&entries) {
        let sum = |number: usize| {
            let parts = parts.iter().map(|parts| parts[place as usize][number]);
            parts.fold(Integer::ZERO, |sum, part| sum.checked_add(&part).unwrap())
        };
        let expected: Vec<Integer> = (0..entry.count as usize).map(sum).collect();
        let found = match held[0].entry(place) {
            EntryShares::Base(_) => {
                opened::<F>(scheme, quorum, &held.iter().map(|held| held.base(place)).collect::<Vec<_>>())
            }
            EntryShares::Wide(_) => {
                let wide = |held: &'_ NoiseShares<F>| match held.entry(place) {
                    EntryShares::Wide(shares) => shares.duplicate(),
                    EntryShares::Base(_) => panic!("one field"),
                };
                let shares: Vec<Shares<F127>> = held.iter().map(wide).collect();
                opened::<F127>(scheme, quorum, &shares.iter().collect::<Vec<_>>())
            }
        };
        assert_eq!(found, expected, "{scheme}, {quorum:?}, entry {place}");
        let is_zero = expected.iter().all(|sum| *sum == Integer::ZERO);
        assert!(entry.count < 100 || !is_zero, "something is drawn");
    }
}

#[test]
fn all_quorums_add_up_what_their_members_drew() {
    for scheme in schemes() {
        let quorums = quorums(&scheme);
        for (index, quorum) in quorums.iter().enumerate() {
            match index % 3 {
                0 => check_sums::<F61>(&scheme, quorum),
                1 => check_sums::<F127>(&scheme, quorum),
                _ => check_sums::<F256>(&scheme, quorum),
            }
        }
        assert!(quorums.contains(&scheme.numbers().collect()), "all of them are one");
    }
}

#[test]
fn larger_quorums_have_more_honest_members() {
    let scheme = Scheme::shamir(7, 3).unwrap();
    assert_eq!([4, 5, 7].map(|quorum| honest(&scheme, quorum)), [1, 2, 4]);
    assert_eq!(honest(&Scheme::additive(3).unwrap(), 3), 1);
}

#[test]
fn the_sender_of_a_bad_message_is_named() {
    let scheme = Scheme::shamir(4, 1).unwrap();
    let (quorum, entries) = ([1, 2, 4], entries(FieldId::F61));
    let spoil = |spoil: fn(&mut Vec<u8>)| {
        let (tasks, mut sent) = send::<F61>(&entries, &scheme, &quorum);
        let received = sent.get_mut(&1).unwrap();
        spoil(received.get_mut(&4).unwrap());
        let mut inbox = Inbox::new(received);
        let read = tasks.into_iter().next().unwrap().receive(&mut inbox);
        read.and_then(|()| inbox.finish())
    };
    assert_eq!(spoil(|_| ()), Ok(()));
    for bad in [
        spoil(|blob| blob.truncate(blob.len() - 1)),
        spoil(|blob| blob.push(0)),
        spoil(|blob| blob[..8].fill(0xff)),
        spoil(Vec::clear),
    ] {
        assert!(matches!(bad, Err(EngineError::Malformed { from: 4, .. })), "{bad:?}");
    }
}

/// How often a coalition sees what, over all random elements, when a dealer shares `value` by `weights` of it and them.
fn views(
    dealer: &Dealer,
    coalition: &[HelperNumber],
    value: u64,
    spoil: fn(u64) -> u64,
) -> HashMap<Vec<u8>, u32> {
    let threshold = u32::from(dealer.scheme.threshold());
    let mut views = HashMap::new();
    for all in 0..7_u64.pow(threshold) {
        let (mut outbox, mut own) = (Outbox::new(), Shares::zeros(1));
        let random = |row: usize, _: u64, out: &mut [F7]| {
            out.fill(F7::from_u64(spoil(all / 7_u64.pow(u32::try_from(row).unwrap()) % 7)));
        };
        dealer.deal(&Shares::from_vec(vec![F7::from_u64(value)]), random, &mut own, &mut outbox);
        let sent = outbox.into_blobs();
        let view = coalition.iter().flat_map(|member| sent[member].clone()).collect();
        *views.entry(view).or_default() += 1;
    }
    views
}

/// Over p = 7, whatever a member drew, every `t` others see each view as often.
fn hides(scheme: &Scheme, spoil: fn(u64) -> u64) -> bool {
    let quorum: Vec<HelperNumber> = scheme.numbers().collect();
    let dealer = Dealer::new(*scheme, 2, &quorum);
    let others: Vec<HelperNumber> = dealer.others().collect();
    let of_mask = |mask: u32| others.iter().enumerate().filter(move |(place, _)| mask >> place & 1 == 1);
    let coalitions = (0..1_u32 << others.len())
        .filter(|mask| mask.count_ones() == u32::from(scheme.threshold()))
        .map(|mask| of_mask(mask).map(|(_, member)| *member).collect::<Vec<_>>());
    coalitions.into_iter().all(|coalition| {
        let first = views(&dealer, &coalition, 0, spoil);
        (1..7).all(|value| views(&dealer, &coalition, value, spoil) == first)
    })
}

#[test]
fn a_coalition_learns_nothing_of_a_part() {
    for scheme in schemes().into_iter().filter(|scheme| scheme.helpers() < 7) {
        assert!(hides(&scheme, |element| element), "{scheme}");
        // The same check catches elements that are not uniform. Of summands the others' are nothing else: they hide it, and
        // nothing hides what the dealer keeps.
        let is_caught = scheme.kind() == SchemeKind::Shamir;
        assert_eq!(hides(&scheme, |_| 0), !is_caught, "{scheme}");
        assert_eq!(hides(&scheme, |element| element.min(5)), !is_caught, "{scheme}");
    }
}
