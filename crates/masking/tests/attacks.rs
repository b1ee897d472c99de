//! Servers and clients that do not follow the protocol: attacks A16 to A18 of the threat model, and their kin.

#![allow(clippy::unwrap_used, clippy::cast_possible_truncation, reason = "a test")]

mod common;

use std::collections::BTreeMap;
use std::sync::Arc;

use common::{LENGTH, identity, passive, rng, round, terms, vector};
use quorate_hash::Digest;
use quorate_masking::client::{Agreed, Joined, Masked, Sharing, Survived};
use quorate_masking::keys::RoundKey;
use quorate_masking::message::{Agreement, Delivery, Given, SealedShares, SignedKeys};
use quorate_masking::secret::{Share, recover, weights};
use quorate_masking::server::{Closed, Inputs, Keys, SharesStage, Unmasking};
use quorate_masking::{Abort, Encoding, Fault, Input, Members, Position, Ring, Round, Stage, Variant, Words};

const CLIENTS: Position = 12;

fn complete(variant: Variant) -> Arc<Round> {
    round(CLIENTS, variant, CLIENTS - 1, 8)
}

fn join(round: &Arc<Round>) -> (Vec<Joined>, Vec<SignedKeys>) {
    let join = |client| Joined::new(Arc::clone(round), identity(client), &mut rng(client.into())).unwrap();
    (0..round.clients()).map(join).unzip()
}

fn others(keys: &[SignedKeys], own: Position) -> Vec<SignedKeys> {
    keys.iter().filter(|keys| keys.position != own).cloned().collect()
}

fn share(clients: Vec<Joined>, keys: &[SignedKeys]) -> (Vec<Sharing>, Vec<SealedShares>) {
    let share = |(own, client): (Position, Joined)| {
        client.share(others(keys, own), &mut rng(50 + u64::from(own))).unwrap()
    };
    (0..).zip(clients).map(share).unzip()
}

/// What everybody who has shared sends to one client.
fn deliveries(shares: &[SealedShares], to: Position) -> Vec<Delivery> {
    let from = (0..).zip(shares).filter(|(from, _)| *from != to);
    from.map(|(neighbour, shares)| {
        let envelope = shares.envelopes.iter().find(|envelope| envelope.holder == to);
        Delivery { neighbour, sealed: envelope.map(|envelope| envelope.sealed.clone()) }
    })
    .collect()
}

fn mask(clients: Vec<Sharing>, shares: &[SealedShares]) -> (Vec<Masked>, Vec<Vec<u8>>) {
    let mask = |(own, client): (Position, Sharing)| {
        client.mask(&deliveries(shares, own), Input::Integers(&vector(own)), 1).unwrap()
    };
    (0..).zip(clients).map(mask).unzip()
}

fn masked(round: &Arc<Round>) -> (Vec<Masked>, Vec<SignedKeys>) {
    let (clients, keys) = join(round);
    let (clients, shares) = share(clients, &keys);
    (mask(clients, &shares).0, keys)
}

fn set(members: impl IntoIterator<Item = Position>) -> Members {
    let mut set = Members::none(CLIENTS);
    for member in members {
        set.insert(member);
    }
    set
}

fn agree(client: Masked, survivors: &Members) -> Result<(Agreed, Agreement, Position), Fault> {
    match client.survive(survivors.clone())? {
        Survived::Agreement(agreed, signature) => Ok((agreed, Agreement { position: 0, signature }, 0)),
        Survived::Unmasking(_) => panic!("an active round has signatures"),
    }
}

/// A16: two versions of the model. The two groups' keys are signed for two rounds, and each refuses the other's.
#[test]
fn clients_who_were_shown_different_models_do_not_take_each_others_keys() {
    for variant in [passive(), Variant::Active] {
        let ours = complete(variant);
        let mut other = terms(CLIENTS, variant, CLIENTS - 1, 8);
        other.model = Digest([2; 32]);
        let theirs = Arc::new(Round::new(other).unwrap());
        let (mut clients, mut keys) = join(&ours);
        keys[7] = Joined::new(theirs, identity(7), &mut rng(7)).unwrap().1;
        let fault = clients.swap_remove(0).share(others(&keys, 0), &mut rng(1)).err().unwrap();
        assert_eq!(fault, Fault::Signature(7));
        let mut server = Keys::new(ours);
        assert_eq!(server.receive(7, keys[7].clone()), Err(Fault::Signature(7)));
    }
}

/// A16, without the signatures: the hash of the model is in the masks themselves, which then do not cancel.
#[test]
fn masks_of_different_models_do_not_cancel() {
    let (a, b) = (RoundKey::generate(&mut rng(1)), RoundKey::generate(&mut rng(2)));
    let id = |model| {
        let mut terms = terms(CLIENTS, Variant::Active, 4, 3);
        terms.model = Digest([model; 32]);
        *Round::new(terms).unwrap().id()
    };
    let sum = |one: Digest, other: Digest| {
        let encoding = terms(CLIENTS, Variant::Active, 4, 3).encoding;
        let mut sum = Words::zeros(&encoding);
        quorate_masking::plain::mask(&mut sum, 0, vec![(1, a.pair_seed(&one, 0, 1, &b.public()).unwrap())]);
        quorate_masking::plain::mask(&mut sum, 1, vec![(0, b.pair_seed(&other, 1, 0, &a.public()).unwrap())]);
        encoding.decode(&sum).0
    };
    assert_eq!(sum(id(1), id(1)), vec![0; LENGTH as usize]);
    let garbage = sum(id(1), id(2));
    let small = garbage.iter().filter(|number| number.unsigned_abs() < 1 << 24).count();
    assert!(small < 20, "{small} of {LENGTH} numbers are not uniform");
}

/// A17: the server tells half of the clients that one has survived and the other half that it has vanished, to have both
/// of its secrets. With enough signatures asked for, at most one half gives anything.
#[test]
fn a_server_that_tells_two_stories_gets_shares_for_one_at_most() {
    let round = complete(Variant::Active);
    let (clients, _) = masked(&round);
    let stories = [set(0..CLIENTS), set((0..CLIENTS).filter(|client| *client != 11))];
    for split in 1..11 {
        let (clients, _) = masked(&round);
        let mut agreed: Vec<(usize, Position, Agreed)> = Vec::new();
        let mut signatures: Vec<(usize, Agreement)> = Vec::new();
        for (position, client) in (0..).zip(clients).take(11) {
            let story = usize::from(position >= split);
            let (client, agreement, _) = agree(client, &stories[story]).unwrap();
            agreed.push((story, position, client));
            signatures.push((story, Agreement { position, ..agreement }));
        }
        let mut told = [0; 2];
        for (story, position, client) in agreed {
            let of_story = signatures
                .iter()
                .filter(|(other, agreement)| *other == story && agreement.position != position);
            let agreements: Vec<Agreement> = of_story.map(|(_, agreement)| agreement.clone()).collect();
            told[story] += usize::from(client.unmask(&agreements).is_ok());
        }
        assert!(told[0] == 0 || told[1] == 0, "{split}: {told:?}");
    }
    drop(clients);
}

/// The same with the other half's signatures passed on: they are of other survivors.
#[test]
fn a_signature_of_other_survivors_is_refused() {
    let round = complete(Variant::Active);
    let (mut clients, _) = masked(&round);
    let (all, but_one) = (set(0..CLIENTS), set(0..CLIENTS - 1));
    let (client, ..) = agree(clients.remove(0), &all).unwrap();
    let agreements: Vec<Agreement> = (1..10)
        .map(|position| Agreement {
            position,
            signature: Agreement::sign(&round, &but_one, &identity(position)),
        })
        .collect();
    assert_eq!(client.unmask(&agreements).err().unwrap(), Fault::Signature(1));
}

#[test]
fn signatures_count_once_of_holders_that_survived_and_must_be_enough() {
    let round = complete(Variant::Active);
    let survivors = set(0..10);
    let unmask = |positions: &[Position]| {
        let (mut clients, _) = masked(&round);
        let (client, ..) = agree(clients.remove(0), &survivors).unwrap();
        let agreements: Vec<Agreement> = positions
            .iter()
            .map(|&position| Agreement {
                position,
                signature: Agreement::sign(&round, &survivors, &identity(position)),
            })
            .collect();
        client.unmask(&agreements)
    };
    assert!(unmask(&[1, 2, 3, 4, 5, 6, 7, 8]).is_ok());
    assert!(matches!(unmask(&[1, 2, 3, 4, 5, 6, 7]), Err(Fault::Lonely { found: 7, needed: 8, .. })));
    assert!(matches!(unmask(&[1, 2, 3, 4, 5, 6, 7, 7]), Err(Fault::Server { .. })));
    assert!(matches!(unmask(&[1, 2, 3, 4, 5, 6, 7, 11]), Err(Fault::Server { .. })), "11 has vanished");
    assert!(matches!(unmask(&[0, 1, 2, 3, 4, 5, 6, 7]), Err(Fault::Server { .. })), "itself");
}

/// A client gives one share of each neighbour, of the kind that the survivors say: of all pairs of stories that a server
/// could tell it, it hears one, since hearing consumes it. What it gives for those who vanished opens no self-mask.
#[test]
fn of_each_neighbour_one_kind_of_share_is_given() {
    let round = complete(passive());
    let (clients, keys) = masked(&round);
    let survivors = set((0..CLIENTS).filter(|client| *client != 4 && *client != 9));
    let mut given: BTreeMap<Position, Vec<(Position, Share)>> = BTreeMap::new();
    for (position, client) in (0..).zip(clients).filter(|(position, _)| survivors.contains(*position)) {
        let Survived::Unmasking(shares) = client.survive(survivors.clone()).unwrap() else {
            panic!("a passive round")
        };
        let of: Vec<Position> = shares.iter().map(|given| given.of).collect();
        assert_eq!(of, (0..CLIENTS).filter(|other| *other != position).collect::<Vec<_>>());
        shares
            .into_iter()
            .for_each(|share| given.entry(share.of).or_default().push((position, Share::new(share.share))));
    }
    for (position, shares) in given {
        let holders: Vec<Position> = shares.iter().take(8).map(|(holder, _)| *holder).collect();
        let used: Vec<&Share> = shares.iter().take(8).map(|(_, share)| share).collect();
        let secret = recover(&weights(&holders), &used).unwrap();
        let is_mask_key = RoundKey::from_secret(&secret).public() == keys[position as usize].mask;
        assert_eq!(is_mask_key, !survivors.contains(position), "client {position}");
    }
}

#[test]
fn survivors_that_cannot_be_are_refused() {
    for variant in [passive(), Variant::Active] {
        let round = complete(variant);
        let refused = |survivors: Members| {
            let (mut clients, _) = masked(&round);
            clients.remove(0).survive(survivors).err()
        };
        assert!(refused(set(0..CLIENTS)).is_none());
        assert!(matches!(refused(set(1..CLIENTS)), Some(Fault::Server { .. })), "without itself");
        assert!(matches!(refused(set(0..8)), Some(Fault::Server { .. })), "fewer than the round's least");
        let mut beyond = Members::none(16);
        for client in 0..16 {
            beyond.insert(client);
        }
        assert!(matches!(refused(beyond), Some(Fault::Server { .. })), "clients that are none");
        assert!(matches!(refused(Members::none(8)), Some(Fault::Server { .. })), "another length");
    }
}

#[test]
fn nobody_survives_who_has_shared_nothing() {
    for variant in [passive(), Variant::Active] {
        let round = complete(variant);
        let (clients, keys) = join(&round);
        let (mut clients, shares) = share(clients, &keys);
        let heard = deliveries(&shares[..11], 0);
        let (client, _) = clients.remove(0).mask(&heard, Input::Integers(&vector(0)), 1).unwrap();
        assert!(matches!(client.survive(set(0..CLIENTS)), Err(Fault::Server { stage: Stage::Inputs, .. })));
    }
}

/// A17: who is late, or back again, is refused, and counted once at most.
#[test]
fn late_and_repeated_messages_are_refused_or_change_nothing() {
    let round = complete(passive());
    let (clients, keys) = join(&round);
    let mut server = Keys::new(Arc::clone(&round));
    for keys in &keys[..11] {
        assert_eq!(server.receive(keys.position, keys.clone()), Ok(true));
        assert_eq!(server.receive(keys.position, keys.clone()), Ok(false));
    }
    let (mut server, _): (SharesStage, _) = server.close().unwrap();
    let (clients, shares) = share(clients.into_iter().take(11).collect(), &keys[..11]);
    assert_eq!(
        server.receive(11, shares[0].clone()),
        Err(Fault::Late { position: 11, stage: Stage::Shares })
    );
    for (from, shares) in (0..).zip(&shares) {
        assert_eq!(server.receive(from, shares.clone()), Ok(true));
        assert_eq!(server.receive(from, shares.clone()), Ok(false));
    }
    let (mut server, _): (Inputs, _) = server.close().unwrap();
    let (clients, vectors) = mask(clients, &shares);
    for (from, vector) in (0..).zip(&vectors).take(10) {
        assert_eq!(server.receive(from, vector), Ok(true));
        assert_eq!(server.receive(from, vector), Ok(false), "twice is once");
    }
    let (Closed::Unmasking(mut server), survivors) = server.close().unwrap() else {
        panic!("a passive round")
    };
    assert!(!survivors.contains(10) && !server.is_enough());
    for (from, client) in (0..).zip(clients) {
        match client.survive(survivors.clone()) {
            Ok(Survived::Unmasking(given)) => assert_eq!(server.receive(from, given), Ok(true)),
            Ok(Survived::Agreement(..)) => panic!("a passive round"),
            Err(fault) => assert!(from == 10 && matches!(fault, Fault::Server { .. })),
        }
    }
    assert!(server.is_enough());
    assert_eq!(server.receive(10, Vec::new()), Err(Fault::Late { position: 10, stage: Stage::Unmasking }));
    assert_eq!(server.close().unwrap().sum, common::expected(0..10));
}

/// A18: the same vector in two rounds of the same clients; the masked vectors have nothing in common.
#[test]
fn masks_are_fresh_in_every_round() {
    let masked = |number, seed: u64| {
        let mut terms = terms(CLIENTS, passive(), CLIENTS - 1, 8);
        terms.number = number;
        let round = Arc::new(Round::new(terms).unwrap());
        let join = |client| {
            Joined::new(Arc::clone(&round), identity(client), &mut rng(seed + u64::from(client))).unwrap()
        };
        let (clients, keys): (Vec<_>, Vec<_>) = (0..CLIENTS).map(join).unzip();
        let (clients, shares) = share(clients, &keys);
        mask(clients, &shares).1
    };
    // Fresh keys in one round, and even with the same generator (a restored machine) another round has other masks.
    for (one, other) in [(masked(1, 0), masked(1, 100)), (masked(1, 0), masked(2, 0))] {
        for (one, other) in one.iter().zip(&other) {
            let equal = one.chunks(4).zip(other.chunks(4)).filter(|(one, other)| one == other).count();
            assert_eq!(equal, 0, "of {LENGTH} words");
        }
    }
}

#[test]
fn keys_of_others_of_strangers_and_altered_ones_are_refused() {
    for variant in [passive(), Variant::Active] {
        let round = complete(variant);
        let refused = |alter: fn(&mut Vec<SignedKeys>)| {
            let (mut clients, keys) = join(&round);
            let mut keys = others(&keys, 0);
            alter(&mut keys);
            clients.remove(0).share(keys, &mut rng(1)).err()
        };
        assert_eq!(refused(|_| {}), None);
        assert_eq!(refused(|keys| keys[3].mask = keys[4].mask), Some(Fault::Signature(4)));
        assert_eq!(refused(|keys| keys[3].seal = keys[4].seal), Some(Fault::Signature(4)));
        assert_eq!(refused(|keys| keys[3].choice = Digest([5; 32])), Some(Fault::Signature(4)));
        assert_eq!(refused(|keys| keys[10].position = 12), Some(Fault::Stranger));
        assert!(matches!(refused(|keys| keys.swap(0, 1)), Some(Fault::Server { .. })));
        assert!(matches!(refused(|keys| keys[1] = keys[0].clone()), Some(Fault::Server { .. })));
        assert!(matches!(refused(|keys| keys.truncate(7)), Some(Fault::Lonely { found: 7, needed: 8, .. })));
    }
}

/// A client whose key makes no secret with anybody is out alone: its neighbours would be out for it.
#[test]
fn keys_of_small_order_do_not_reach_the_neighbours() {
    let round = complete(passive());
    let (_, keys) = join(&round);
    let small = Digest([0; 32]);
    for (mask, seal) in [(small, keys[4].seal), (keys[4].mask, small)] {
        let signed = SignedKeys::sign(&round, 4, mask, seal, Digest::default(), &identity(4));
        let mut server = Keys::new(Arc::clone(&round));
        assert_eq!(server.receive(4, signed), Err(Fault::Key(4)));
        assert_eq!(server.receive(4, keys[4].clone()), Ok(true));
    }
}

/// A server that adds neighbours to a client, to see it masked with those that it knows, is refused.
#[test]
fn a_client_of_a_sparse_graph_takes_no_neighbours_but_its_own() {
    for variant in [passive(), Variant::Active] {
        let round = round(CLIENTS, variant, 4, 3);
        let (mut clients, keys) = join(&round);
        let fault = clients.remove(0).share(others(&keys, 0), &mut rng(1)).err().unwrap();
        assert!(matches!(fault, Fault::Server { stage: Stage::Keys, .. }), "{fault}");
    }
}

#[test]
fn deliveries_that_are_not_the_neighbours_are_refused_and_spoiled_envelopes_are_a_share_less() {
    let round = complete(passive());
    let masked_with = |alter: &dyn Fn(&mut Vec<Delivery>)| {
        let (clients, keys) = join(&round);
        let (mut clients, shares) = share(clients, &keys);
        let mut heard = deliveries(&shares, 0);
        alter(&mut heard);
        clients.remove(0).mask(&heard, Input::Integers(&vector(0)), 1).map(|(client, _)| client)
    };
    assert!(matches!(masked_with(&|heard| heard.truncate(7)).err().unwrap(), Fault::Lonely { found: 7, .. }));
    assert!(matches!(masked_with(&|heard| heard[2].neighbour = 1).err().unwrap(), Fault::Server { .. }));
    assert!(matches!(masked_with(&|heard| heard[2].sealed = None).err().unwrap(), Fault::Server { .. }));
    let spoiled = masked_with(&|heard| heard[2].sealed.as_mut().unwrap()[5] ^= 1).unwrap();
    let Survived::Unmasking(given) = spoiled.survive(set(0..CLIENTS)).unwrap() else {
        panic!("a passive round")
    };
    assert_eq!(given.iter().map(|given| given.of).collect::<Vec<_>>(), [1, 2, 4, 5, 6, 7, 8, 9, 10, 11]);
    // An envelope for somebody else, moved, opens for nobody.
    let moved = masked_with(&|heard| heard[2].sealed = heard[3].sealed.clone()).unwrap();
    let Survived::Unmasking(given) = moved.survive(set(0..CLIENTS)).unwrap() else {
        panic!("a passive round")
    };
    assert_eq!(given.len(), 10);
}

/// A lying client spoils its shares: with a share to spare the secrets are recovered without it, without one the round says so.
#[test]
fn wrong_shares_are_noticed_and_left_out() {
    for (liars, recovers) in [(vec![], true), (vec![2], true), (vec![0, 1, 2, 3], false)] {
        let round = complete(passive());
        let (clients, keys) = join(&round);
        let mut server = Keys::new(Arc::clone(&round));
        keys.iter().for_each(|keys| assert_eq!(server.receive(keys.position, keys.clone()), Ok(true)));
        let (clients, shares) = share(clients, &keys);
        let mut server = server.close().unwrap().0;
        (0..)
            .zip(&shares)
            .for_each(|(from, shares)| assert_eq!(server.receive(from, shares.clone()), Ok(true)));
        let (clients, vectors) = mask(clients, &shares);
        let mut server = server.close().unwrap().0;
        (0..)
            .zip(&vectors)
            .take(11)
            .for_each(|(from, vector)| assert_eq!(server.receive(from, vector), Ok(true)));
        let (Closed::Unmasking(mut server), survivors) = server.close().unwrap() else {
            panic!("a passive round")
        };
        for (from, client) in (0..).zip(clients).take(11) {
            let Survived::Unmasking(mut given) = client.survive(survivors.clone()).unwrap() else { panic!() };
            if liars.contains(&from) {
                given.iter_mut().for_each(|given| given.share[0] ^= 1);
            }
            assert_eq!(server.receive(from, given), Ok(true));
        }
        match server.close() {
            Ok(outcome) => assert!(recovers && outcome.sum == common::expected(0..11)),
            Err(abort) => assert!(!recovers && matches!(abort, Abort::Unrecoverable { .. }), "{abort}"),
        }
    }
}

#[test]
fn the_server_refuses_what_is_not_of_its_round() {
    let round = complete(passive());
    let (clients, keys) = join(&round);
    let mut server = Keys::new(Arc::clone(&round));
    assert!(matches!(server.receive(1, keys[0].clone()), Err(Fault::Shape { .. })));
    keys.iter().for_each(|keys| assert_eq!(server.receive(keys.position, keys.clone()), Ok(true)));
    let (mut server, _) = server.close().unwrap();
    let (clients, mut shares) = share(clients, &keys);
    let refused = |server: &mut SharesStage, from, shares: &SealedShares, alter: fn(&mut SealedShares)| {
        let mut altered = shares.clone();
        alter(&mut altered);
        server.receive(from, altered).unwrap_err()
    };
    let alterations: [fn(&mut SealedShares); 3] = [
        |shares| drop(shares.envelopes.pop()),
        |shares| shares.envelopes.swap(0, 1),
        |shares| shares.envelopes[3].sealed.push(0),
    ];
    for alter in alterations {
        assert!(matches!(refused(&mut server, 0, &shares[0], alter), Fault::Shape { position: 0, .. }));
    }
    (0..).zip(&shares).for_each(|(from, shares)| assert_eq!(server.receive(from, shares.clone()), Ok(true)));
    let (mut server, _) = server.close().unwrap();
    let (clients, vectors) = mask(clients, &shares);
    assert!(matches!(server.receive(0, &vectors[0][4..]), Err(Fault::Shape { .. })));
    (0..).zip(&vectors).for_each(|(from, vector)| assert_eq!(server.receive(from, vector), Ok(true)));
    let (Closed::Unmasking(mut server), survivors) = server.close().unwrap() else {
        panic!("a passive round")
    };
    let strange = |of| vec![Given { of, share: [0; 40] }];
    assert!(matches!(Unmasking::receive(&mut server, 0, strange(0)), Err(Fault::Shape { .. })), "its own");
    assert!(matches!(server.receive(0, strange(12)), Err(Fault::Shape { .. })), "nobody's");
    drop((clients, survivors, shares.pop()));
}

#[test]
fn a_client_of_another_round_and_a_vector_of_another_length_go_nowhere() {
    let round = complete(passive());
    let stranger = Joined::new(Arc::clone(&round), identity(99), &mut rng(1)).err().unwrap();
    assert_eq!(stranger, Fault::Stranger);
    let (clients, keys) = join(&round);
    let (mut clients, shares) = share(clients, &keys);
    let short = clients.remove(0).mask(&deliveries(&shares, 0), Input::Integers(&[1, 2]), 1).err().unwrap();
    assert!(matches!(short, Fault::Input(_)));
    let encoding = Encoding { ring: Ring::Mod32, length: 1, fraction_bits: 0, bound: 1, weight_max: 0 };
    assert!(encoding.check(3).is_ok());
}
