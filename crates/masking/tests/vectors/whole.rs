//! Whole small rounds, every message of which is published, and what a client says to a server that lies to it.

use std::sync::Arc;

use quorate_hash::Digest;
use quorate_masking::client::{Agreed, Joined, Masked, Sharing, Survived};
use quorate_masking::keys::fresh;
use quorate_masking::message::{FromClient, FromServer, SignedKeys};
use quorate_masking::server::{Closed, Keys, Unmasking};
use quorate_masking::{Encoding, Fault, Input, Members, Position, Ring, Round, Terms, Variant};
use quorate_wire::{decode, encode, limits::MESSAGE_MAX};
use serde_json::{Value, json};

use crate::{check, hex, identity, identity_secret, passive, rng, terms};

/// Who sends no masked vector.
const VANISHES: Position = 1;
/// Whom the server lies to.
const VICTIM: Position = 0;

/// A round as it is played: all messages, in the order they are sent.
struct Play {
    round: Arc<Round>,
    messages: Vec<Value>,
}

/// What the victim is told in place of a message.
type Lie<'a> = &'a dyn Fn(&Round, FromServer) -> Vec<u8>;

/// What a client that is told lies says.
type Refusal = (Vec<u8>, &'static str);

fn numbers(client: Position) -> Vec<i64> {
    (0..3).map(|place| (i64::from(client) * 100 + 1) * (1 - 2 * (place % 2)) + place).collect()
}

fn weight(round: &Round, client: Position) -> u32 {
    if round.terms().encoding.weight_max == 0 { 1 } else { 10 + client }
}

fn positions(round: &Round) -> impl Iterator<Item = Position> + use<> {
    0..round.clients()
}

/// What a client draws, in the order it does.
fn drawn(round: &Round, client: Position) -> Value {
    let mut rng = rng(0x80 + client as u8);
    let mut draw = || hex(&*fresh(&mut rng));
    let (mask, seal) = (draw(), draw());
    let choice = match round.terms().variant {
        Variant::Active => draw(),
        Variant::Passive { .. } => hex(&[0; 32]),
    };
    json!({
        "identity": hex(&identity_secret(client)), "mask": mask, "seal": seal, "choice": choice,
        "self": draw(), "self_polynomials": draw(), "mask_polynomials": draw(),
        "numbers": numbers(client), "weight": weight(round, client),
    })
}

impl Play {
    fn sent(&mut self, from: Position, message: &FromClient) {
        self.messages.push(json!({ "from": from, "message": hex(&encode(message)) }));
    }

    /// What a client hears of what the server says: the victim, where there is a lie, hears that.
    fn told(&mut self, to: Position, message: FromServer, lie: Option<Lie<'_>>) -> Vec<u8> {
        match lie {
            Some(lie) if to == VICTIM => lie(&self.round, message),
            _ => {
                let message = encode(&message);
                self.messages.push(json!({ "to": to, "message": hex(&message) }));
                message
            }
        }
    }
}

fn verdict(fault: &Fault) -> &'static str {
    match fault {
        Fault::Stranger => "stranger",
        Fault::Signature(_) => "signature",
        Fault::Key(_) => "key",
        Fault::Lonely { .. } => "lonely",
        Fault::Server { .. } => "server",
        fault => panic!("not of a client: {fault}"),
    }
}

/// Reads a message as its client does, and lets it act.
fn hear<T>(message: Vec<u8>, act: impl FnOnce(FromServer) -> Result<T, Fault>) -> Result<T, Refusal> {
    let Ok(read) = decode::<FromServer>(&message, MESSAGE_MAX) else { return Err((message, "encoding")) };
    act(read).map_err(|fault| (message, verdict(&fault)))
}

/// Plays a round, in which the victim is told a lie in the place of the server's message number `stage`, from 0.
fn play(terms: Terms, lie: Option<(usize, Lie<'_>)>) -> Result<Value, Refusal> {
    let round = Arc::new(Round::new(terms).unwrap());
    let mut play = Play { round: Arc::clone(&round), messages: Vec::new() };
    let lie = |stage| lie.filter(|lie| lie.0 == stage).map(|lie| lie.1);
    let mut rngs: Vec<_> = positions(&round).map(|client| rng(0x80 + client as u8)).collect();

    let mut server = Keys::new(Arc::clone(&round));
    let mut joined: Vec<Option<Joined>> = Vec::new();
    for own in positions(&round) {
        let (client, keys) = Joined::new(Arc::clone(&round), identity(own), &mut rngs[own as usize]).unwrap();
        play.sent(own, &FromClient::Keys(keys.clone()));
        assert_eq!(server.receive(own, keys), Ok(true));
        joined.push(Some(client));
    }

    let (mut server, told) = server.close().unwrap();
    let mut sharing: Vec<Option<Sharing>> = Vec::new();
    for (to, keys) in told {
        let message = play.told(to, FromServer::Neighbours(keys), lie(0));
        let client = joined[to as usize].take().unwrap();
        let (client, shares) = hear(message, |message| match message {
            FromServer::Neighbours(keys) => client.share(keys, &mut rngs[to as usize]),
            _ => panic!("another stage"),
        })?;
        play.sent(to, &FromClient::Shares(shares.clone()));
        assert_eq!(server.receive(to, shares), Ok(true));
        sharing.push(Some(client));
    }

    let (mut server, told) = server.close().unwrap();
    let mut masked: Vec<Option<Masked>> = Vec::new();
    for (to, deliveries) in told {
        let message = play.told(to, FromServer::Deliveries(deliveries), lie(1));
        let client = sharing[to as usize].take().unwrap();
        let (client, vector) = hear(message, |message| match message {
            FromServer::Deliveries(deliveries) => {
                client.mask(&deliveries, Input::Integers(&numbers(to)), weight(&round, to))
            }
            _ => panic!("another stage"),
        })?;
        masked.push(Some(client));
        if to != VANISHES {
            play.sent(to, &FromClient::Input(vector.clone()));
            assert_eq!(server.receive(to, &vector), Ok(true));
        }
    }

    let (closed, survivors) = server.close().unwrap();
    let mut answers = Vec::new();
    for to in survivors.iter() {
        let message = play.told(to, FromServer::Survivors(survivors.clone()), lie(2));
        let client = masked[to as usize].take().unwrap();
        let answer = hear(message, |message| match message {
            FromServer::Survivors(survivors) => client.survive(survivors),
            _ => panic!("another stage"),
        })?;
        answers.push((to, answer));
    }
    finish(play, closed, &survivors, answers, lie(3))
}

/// The stages after the masked vectors.
fn finish(
    mut play: Play,
    closed: Closed,
    survivors: &Members,
    answers: Vec<(Position, Survived)>,
    lie: Option<Lie<'_>>,
) -> Result<Value, Refusal> {
    let mut given = Vec::new();
    let mut agreed: Vec<(Position, Agreed)> = Vec::new();
    let mut signatures = Vec::new();
    for (from, answer) in answers {
        match answer {
            Survived::Unmasking(shares) => given.push((from, shares)),
            Survived::Agreement(client, signature) => {
                play.sent(from, &FromClient::Agreement(signature));
                agreed.push((from, client));
                signatures.push((from, signature));
            }
        }
    }
    let mut server: Unmasking = match closed {
        Closed::Unmasking(server) => server,
        Closed::Agreements(mut server) => {
            for (from, signature) in signatures {
                assert_eq!(server.receive(from, signature), Ok(true));
            }
            let (server, told) = server.close().unwrap();
            for ((to, agreements), (from, client)) in told.into_iter().zip(agreed) {
                assert_eq!(to, from);
                let message = play.told(to, FromServer::Agreements(agreements), lie);
                let shares = hear(message, |message| match message {
                    FromServer::Agreements(agreements) => client.unmask(&agreements),
                    _ => panic!("another stage"),
                })?;
                given.push((from, shares));
            }
            server
        }
    };
    for (from, shares) in given {
        play.sent(from, &FromClient::Unmasking(shares.clone()));
        assert_eq!(server.receive(from, shares), Ok(true));
    }
    let outcome = server.close().unwrap();
    let expected: Vec<i64> = (0..3).map(|place| sum_of(&play.round, survivors, place)).collect();
    assert_eq!(outcome.sum, expected);
    assert_eq!(outcome.survivors, *survivors);
    Ok(json!({
        "document": hex(play.round.document()),
        "clients": positions(&play.round).map(|client| drawn(&play.round, client)).collect::<Vec<_>>(),
        "messages": play.messages, "survivors": survivors.iter().collect::<Vec<_>>(),
        "sum": outcome.sum, "weight": outcome.weight,
    }))
}

fn sum_of(round: &Round, survivors: &Members, place: usize) -> i64 {
    survivors.iter().map(|client| numbers(client)[place] * i64::from(weight(round, client))).sum()
}

/// Everybody is everybody's neighbour, one vanishes.
fn complete() -> Terms {
    terms(4, passive(), 3, 2)
}

/// Clients choose three holders of four others; words are wide, and weighted.
fn active() -> Terms {
    let encoding = Encoding { ring: Ring::Mod64, length: 3, fraction_bits: 4, bound: 10_000, weight_max: 20 };
    Terms { encoding, ..terms(5, Variant::Active, 3, 2) }
}

/// Four of eight on a ring.
fn ring() -> Terms {
    terms(8, passive(), 4, 3)
}

#[test]
fn whole_rounds() {
    let mut vectors = Vec::new();
    for (name, terms) in [("complete", complete()), ("active", active()), ("ring", ring())] {
        let mut vector = play(terms, None).unwrap();
        vector["name"] = json!(name);
        vectors.push(vector);
    }
    check("masks-whole.json", vectors);
}

fn neighbours(alter: impl Fn(&Round, &mut Vec<SignedKeys>)) -> impl Fn(&Round, FromServer) -> Vec<u8> {
    move |round, message| match message {
        FromServer::Neighbours(mut keys) => {
            alter(round, &mut keys);
            encode(&FromServer::Neighbours(keys))
        }
        _ => panic!("another stage"),
    }
}

fn deliveries(
    alter: impl Fn(&mut Vec<quorate_masking::message::Delivery>),
) -> impl Fn(&Round, FromServer) -> Vec<u8> {
    move |_, message| match message {
        FromServer::Deliveries(mut deliveries) => {
            alter(&mut deliveries);
            encode(&FromServer::Deliveries(deliveries))
        }
        _ => panic!("another stage"),
    }
}

/// Says that these bytes are the survivors.
fn survive(set: &'static [u8]) -> impl Fn(&Round, FromServer) -> Vec<u8> {
    // The variant's number, then a byte string.
    |_, _| encode(&(2_u32, set.to_vec()))
}

fn agreements(
    alter: impl Fn(&Round, &mut Vec<quorate_masking::message::Agreement>),
) -> impl Fn(&Round, FromServer) -> Vec<u8> {
    move |round, message| match message {
        FromServer::Agreements(mut agreements) => {
            alter(round, &mut agreements);
            encode(&FromServer::Agreements(agreements))
        }
        _ => panic!("another stage"),
    }
}

/// Keys that a neighbour signs although one of them is of small order.
fn small(round: &Round, keys: &mut SignedKeys) {
    let (mask, choice) = (keys.mask, keys.choice);
    *keys = SignedKeys::sign(round, keys.position, mask, Digest([0; 32]), choice, &identity(keys.position));
}

#[test]
fn lies() {
    let mut vectors = Vec::new();
    let mut lie = |round: &str, name: &str, stage: usize, lie: Lie<'_>| {
        let terms = match round {
            "complete" => complete(),
            "active" => active(),
            _ => ring(),
        };
        let (message, verdict) = play(terms, Some((stage, lie))).err().unwrap();
        vectors.push(json!({
            "name": format!("bad_{name}"), "round": round, "to": VICTIM, "stage": stage,
            "message": hex(&message), "verdict": verdict,
        }));
    };
    let cut = |_: &Round, message: FromServer| {
        let mut message = encode(&message);
        message.pop();
        message
    };
    let longer = |_: &Round, message: FromServer| [encode(&message), vec![0]].concat();
    lie("complete", "keys cut off", 0, &cut);
    lie("complete", "keys and a byte", 0, &longer);
    lie("complete", "keys twice", 0, &neighbours(|_, keys| keys[1] = keys[0].clone()));
    lie("complete", "keys in another order", 0, &neighbours(|_, keys| keys.swap(0, 1)));
    lie("complete", "keys of itself", 0, &neighbours(|_, keys| keys[0].position = VICTIM));
    lie("complete", "keys of nobody", 0, &neighbours(|_, keys| keys[2].position = 4));
    lie("complete", "keys altered", 0, &neighbours(|_, keys| keys[1].mask = keys[1].seal));
    lie("complete", "keys of small order", 0, &neighbours(|round, keys| small(round, &mut keys[1])));
    lie("complete", "too few keys", 0, &neighbours(|_, keys| keys.truncate(1)));
    lie(
        "ring",
        "keys of a stranger on the ring",
        0,
        &neighbours(|round, keys| {
            let strange =
                positions(round).find(|own| *own != VICTIM && keys.iter().all(|keys| keys.position != *own));
            let own = strange.unwrap();
            let mut rng = rng(0x80 + own as u8);
            let (_, strange) = Joined::new(Arc::new(round.clone()), identity(own), &mut rng).unwrap();
            keys.push(strange);
            keys.sort_by_key(|keys| keys.position);
        }),
    );
    lie("complete", "deliveries twice", 1, &deliveries(|told| told[1].neighbour = told[0].neighbour));
    lie("complete", "delivery of nobody", 1, &deliveries(|told| told[2].neighbour = 4));
    lie("complete", "delivery without an envelope", 1, &deliveries(|told| told[1].sealed = None));
    lie("complete", "too few deliveries", 1, &deliveries(|told| told.truncate(1)));
    // Survivors are 0, 2 and 3 of four, of whom three are needed.
    lie("complete", "survivors with an unused bit", 2, &survive(&[0b1_1101]));
    lie("complete", "survivors of another round's size", 2, &survive(&[0b1101, 0]));
    lie("complete", "survivors without it", 2, &survive(&[0b1110]));
    lie("complete", "too few survivors", 2, &survive(&[0b0101]));
    lie("active", "signatures twice", 3, &agreements(|_, signed| signed.push(signed[0].clone())));
    lie("active", "too few signatures", 3, &agreements(|_, signed| signed.truncate(1)));
    lie("active", "signature of itself", 3, &agreements(|_, signed| signed[0].position = VICTIM));
    lie(
        "active",
        "signature of one that vanished",
        3,
        &agreements(|_, signed| signed[0].position = VANISHES),
    );
    lie(
        "active",
        "signatures in each other's place",
        3,
        &agreements(|_, signed| {
            (signed[0].signature, signed[1].signature) = (signed[1].signature, signed[0].signature);
        }),
    );
    lie(
        "active",
        "signature of other survivors",
        3,
        &agreements(|round, signed| {
            let mut everybody = Members::none(round.clients());
            positions(round).for_each(|own| assert!(everybody.insert(own)));
            let position = signed[0].position;
            signed[0].signature =
                quorate_masking::message::Agreement::sign(round, &everybody, &identity(position));
        }),
    );
    check("masks-lie.json", vectors);
}
