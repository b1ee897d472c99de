//! Documents of rounds, the graphs that they give, and sets of their clients.

use quorate_hash::Digest;
use quorate_masking::graph::{Graph, Ring, chosen};
use quorate_masking::{Encoding, Members, Ring as Words, Round, RoundFault, Terms, Variant};
use quorate_wire::{decode, encode};
use serde_json::{Value, json};

use crate::{bytes, check, hex, passive, terms};

/// What somebody who is shown a document says.
fn verdict(document: &[u8]) -> (&'static str, Option<Round>) {
    match Round::read(document.to_vec()) {
        Ok(round) => ("good", Some(round)),
        Err(RoundFault::Document(_)) => ("document", None),
        Err(RoundFault::Clients(_)) => ("clients", None),
        Err(RoundFault::Twice(_)) => ("twice", None),
        Err(RoundFault::Neighbours { .. }) => ("neighbours", None),
        Err(RoundFault::Threshold { .. }) => ("threshold", None),
        Err(RoundFault::Survivors { .. }) => ("survivors", None),
        Err(RoundFault::Encoding(_)) => ("encoding", None),
    }
}

fn read(name: &str, document: &[u8]) -> Value {
    match verdict(document) {
        (verdict, Some(round)) => json!({
            "name": name, "document": hex(document), "verdict": verdict, "terms": round.terms(), "id": round.id(),
        }),
        (verdict, None) => {
            json!({ "name": format!("bad_{name}"), "document": hex(document), "verdict": verdict })
        }
    }
}

#[test]
fn documents() {
    let wide =
        Encoding { ring: Words::Mod64, length: 1000, fraction_bits: 16, bound: 1 << 20, weight_max: 500 };
    let good = || terms(10, passive(), 4, 3);
    let altered = |alter: fn(&mut Terms)| {
        let mut terms = good();
        alter(&mut terms);
        encode(&terms)
    };
    let document = encode(&good());
    let vectors = vec![
        read("passive", &document),
        read("everybody is everybody's neighbour", &encode(&terms(4, passive(), 3, 2))),
        read("active", &encode(&Terms { encoding: wide, ..terms(5, Variant::Active, 3, 2) })),
        read("nothing", &[]),
        read("cut off", &document[..document.len() - 1]),
        read("one byte more", &[&document[..], &[0]].concat()),
        // Of the variant: passive is 0, active 1.
        read("variant 2", &{
            let mut document = encode(&terms(3, Variant::Active, 2, 2));
            document[8 + 32 + 8 + 3 * 32] = 2;
            document
        }),
        read("two clients", &altered(|terms| terms.clients.truncate(2))),
        read("a client twice", &altered(|terms| terms.clients[7] = terms.clients[2])),
        read("an odd number of neighbours on a ring", &altered(|terms| terms.neighbours = 5)),
        read("one neighbour", &altered(|terms| (terms.neighbours, terms.variant) = (1, Variant::Active))),
        read("more neighbours than others", &altered(|terms| terms.neighbours = 10)),
        read("a threshold of half", &altered(|terms| terms.threshold = 2)),
        read("a threshold above the neighbours", &altered(|terms| terms.threshold = 5)),
        read("as few survivors as the threshold", &altered(|terms| terms.survivors_min = 3)),
        read("more survivors than clients", &altered(|terms| terms.survivors_min = 11)),
        read("no numbers", &altered(|terms| terms.encoding.length = 0)),
        read("a bound of 0", &altered(|terms| terms.encoding.bound = 0)),
        read("53 fraction bits", &altered(|terms| terms.encoding.fraction_bits = 53)),
        // 10 * 214748364 < 2^31 <= 10 * 214748365
        read("the largest sum that fits", &altered(|terms| terms.encoding.bound = 214_748_364)),
        read("a sum that overflows", &altered(|terms| terms.encoding.bound = 214_748_365)),
        read(
            "a weighted sum that overflows",
            &altered(|terms| (terms.encoding.bound, terms.encoding.weight_max) = (21_474_837, 10)),
        ),
    ];
    check("masks-round.json", vectors);
}

#[test]
fn graphs() {
    let ring = |start: u8, clients: u32, neighbours: u32| {
        let seed = Digest(bytes(start));
        let ring = Ring::new(&seed, clients);
        let within: Vec<_> = (0..clients).map(|position| ring.within(position, neighbours)).collect();
        let mut terms = terms(clients, Variant::Passive { seed }, neighbours, neighbours / 2 + 1);
        terms.survivors_min = clients;
        let graph = Graph::new(&Round::new(terms).unwrap());
        assert!((0..clients).all(|own| graph.holders(own, &seed) == within[own as usize]));
        json!({ "kind": "ring", "seed": seed, "clients": clients, "neighbours": neighbours, "holders": within })
    };
    let choice = |start: u8, position, neighbours, clients| {
        let seed = Digest(bytes(start));
        json!({
            "kind": "choice", "seed": seed, "position": position, "clients": clients, "neighbours": neighbours,
            "holders": chosen(&seed, position, neighbours, clients),
        })
    };
    let vectors = vec![
        ring(0xa0, 10, 4),
        ring(0xa1, 10, 4),
        ring(0xa0, 11, 8),
        choice(0, 0, 3, 5),
        choice(0, 1, 3, 5),
        choice(1, 4, 40, 50),
        choice(2, 9_999, 30, 10_000),
    ];
    check("masks-graph.json", vectors);
}

/// A set as it comes from the network.
fn set(name: &str, clients: u32, set: &[u8]) -> Value {
    let members: Members = decode(&encode(&set.to_vec()), 1000).unwrap();
    if members.is_of(clients) {
        json!({
            "name": name, "clients": clients, "set": hex(set), "verdict": "good",
            "positions": members.iter().collect::<Vec<_>>(), "count": members.count(),
        })
    } else {
        json!({ "name": format!("bad_{name}"), "clients": clients, "set": hex(set), "verdict": "set" })
    }
}

#[test]
fn sets() {
    let vectors = vec![
        set("nobody", 19, &[0, 0, 0]),
        set("first and last", 19, &[1, 0, 4]),
        set("whole bytes", 16, &[0xff, 0x81]),
        set("a bit beyond the last client", 19, &[1, 0, 8]),
        set("the highest bit", 17, &[0xff, 0xff, 0x80]),
        set("a byte too few", 19, &[1, 0]),
        set("a byte too many", 16, &[0xff, 0x81, 0]),
        set("nothing at all", 3, &[]),
    ];
    check("masks-set.json", vectors);
}
