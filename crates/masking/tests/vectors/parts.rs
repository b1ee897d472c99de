//! What a round is made of: seeds, envelopes, signed keys, shares, words and masks.

use quorate_field::{F61, Field};
use quorate_hash::Digest;
use quorate_masking::keys::{RoundKey, fresh, self_seed};
use quorate_masking::mask::Sign;
use quorate_masking::message::{SignedKeys, commitment};
use quorate_masking::secret::{Share, recover, share, weights};
use quorate_masking::{Encoding, Fault, Input, Position, Ring, Round, Words};
use quorate_sharing::Seed;
use serde_json::{Value, json};

use crate::{bytes, check, hex, identity, passive, rng, terms};

fn round() -> Round {
    Round::new(terms(10, passive(), 4, 3)).unwrap()
}

/// The seed that two clients have in common, and an envelope from the first to the second.
fn pair(name: &str, own: Position, other: Position, theirs: Digest) -> Value {
    let (round, secret) = (*round().id(), bytes(0x31));
    let (seed, envelopes) = (
        RoundKey::from_secret(&secret).pair_seed(&round, own, other, &theirs),
        RoundKey::from_secret(&secret).envelopes(&round, own, other, &theirs),
    );
    let (Ok(seed), Ok(envelopes)) = (seed, envelopes) else {
        return json!({
            "name": format!("bad_{name}"), "kind": "pair", "round": round, "secret": hex(&secret), "own": own,
            "other": other, "public": theirs, "verdict": "key",
        });
    };
    let content: Vec<u8> = (0..80).collect();
    json!({
        "name": name, "kind": "pair", "round": round, "secret": hex(&secret), "own": own, "other": other,
        "public": theirs, "verdict": "good", "seed": hex(seed.expose()), "content": hex(&content),
        "sealed": hex(&envelopes.close(&content)),
    })
}

fn opened(name: &str, own: Position, other: Position, sealed: &[u8]) -> Value {
    let (round, secret) = (*round().id(), bytes(0x31));
    let theirs = RoundKey::from_secret(&bytes(0x51)).public();
    let envelopes = RoundKey::from_secret(&secret).envelopes(&round, own, other, &theirs).unwrap();
    let (name, verdict, content) = match envelopes.open(sealed) {
        Some(content) => (name.to_owned(), "good", json!(hex(&content))),
        None => (format!("bad_{name}"), "closed", Value::Null),
    };
    json!({
        "name": name, "kind": "envelope", "round": round, "secret": hex(&secret), "own": own, "other": other,
        "public": theirs, "sealed": hex(sealed), "verdict": verdict, "content": content,
    })
}

/// Keys that a client has signed for one round, as they are shown in another or the same.
fn keys(name: &str, signed: &Round, shown: &Round, alter: fn(&mut SignedKeys)) -> Value {
    let public = |start| RoundKey::from_secret(&bytes(start)).public();
    let mut keys = SignedKeys::sign(signed, 2, public(0x31), public(0x41), Digest(bytes(0x61)), &identity(2));
    alter(&mut keys);
    let (name, verdict) = match keys.verify(shown) {
        Ok(()) => (name.to_owned(), "good"),
        Err(Fault::Stranger) => (format!("bad_{name}"), "stranger"),
        Err(_) => (format!("bad_{name}"), "signature"),
    };
    json!({
        "name": name, "kind": "keys", "document": hex(shown.document()),
        "message": hex(&quorate_wire::encode(&keys)), "verdict": verdict,
    })
}

#[test]
fn keys_and_seeds() {
    let public = |start| RoundKey::from_secret(&bytes(start)).public();
    let mut all_ones = [0xff; 32];
    all_ones[31] = 0x7f;
    let order_eight = [
        0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda,
        0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00,
    ];
    let mut one = [0; 32];
    one[0] = 1;
    let between = |own, other| {
        let theirs = RoundKey::from_secret(&bytes(0x51));
        theirs.envelopes(round().id(), other, own, &public(0x31)).unwrap().close(b"between two clients")
    };
    let altered = |place: usize| {
        let mut sealed = between(3, 1);
        let place = place % sealed.len();
        sealed[place] ^= 1;
        sealed
    };
    let own = bytes(0x71);
    let this = round();
    let other = |alter: fn(&mut quorate_masking::Terms)| {
        let mut terms = this.terms().clone();
        alter(&mut terms);
        Round::new(terms).unwrap()
    };
    let vectors = vec![
        pair("lower to higher", 1, 3, public(0x51)),
        pair("higher to lower", 3, 1, public(0x51)),
        pair("a key that is not canonical", 3, 1, Digest(all_ones)),
        pair("a key of order 1", 3, 1, Digest([0; 32])),
        pair("a key of order 4", 3, 1, Digest(one)),
        pair("a key of order 8", 3, 1, Digest(order_eight)),
        opened("envelope", 3, 1, &between(3, 1)),
        opened("envelope of the other direction", 3, 1, &{
            let mine = RoundKey::from_secret(&bytes(0x31));
            mine.envelopes(this.id(), 3, 1, &public(0x51)).unwrap().close(b"between two clients")
        }),
        opened("envelope for another position", 4, 1, &between(3, 1)),
        opened("envelope with another first byte", 3, 1, &altered(0)),
        opened("envelope with another last byte", 3, 1, &altered(34)),
        opened("envelope cut off", 3, 1, &between(3, 1)[..34]),
        opened("envelope shorter than a tag", 3, 1, &[0; 15]),
        json!({
            "name": "self-mask", "kind": "self", "round": this.id(), "own": 5, "secret": hex(&own),
            "seed": hex(self_seed(&own, this.id(), 5).expose()), "commitment": commitment(&this, 5, &own),
        }),
        keys("keys", &this, &this, |_| {}),
        keys("keys of another number's round", &other(|terms| terms.number = 8), &this, |_| {}),
        keys("keys for another model", &other(|terms| terms.model = Digest([1; 32])), &this, |_| {}),
        keys("keys with another mask key", &this, &this, |keys| keys.mask = keys.seal),
        keys("keys with another choice", &this, &this, |keys| keys.choice = Digest([0; 32])),
        keys("keys in another place", &this, &this, |keys| keys.position = 3),
        keys("keys of nobody", &this, &this, |keys| keys.position = 10),
    ];
    check("masks-key.json", vectors);
}

fn recovered(name: &str, used: &[(Position, [u8; 40])]) -> Value {
    let holders: Vec<Position> = used.iter().map(|(holder, _)| *holder).collect();
    let shares: Vec<Share> = used.iter().map(|(_, share)| Share::new(*share)).collect();
    let secret = recover(&weights(&holders), &shares.iter().collect::<Vec<_>>());
    let shares: Vec<Value> =
        used.iter().map(|(holder, share)| json!({ "holder": holder, "share": hex(share) })).collect();
    match secret {
        Some(secret) => json!({ "name": name, "kind": "recover", "shares": shares, "secret": hex(&*secret) }),
        None => json!({ "name": format!("bad_{name}"), "kind": "recover", "shares": shares, "secret": null }),
    }
}

#[test]
fn shares() {
    let deal = |secret: [u8; 32], threshold: u32, holders: &[Position]| {
        let (mut dealer, mut drawn) = (rng(0x77), rng(0x77));
        let shares = share(&secret, threshold, holders, &mut dealer);
        let vector = json!({
            "name": format!("{threshold} of {}", holders.len()), "kind": "share", "secret": hex(&secret),
            "threshold": threshold, "seed": hex(&*fresh(&mut drawn)),
            "shares": holders.iter().zip(&shares)
                .map(|(holder, share)| json!({ "holder": holder, "share": hex(&**share) })).collect::<Vec<_>>(),
        });
        let shares: Vec<(Position, [u8; 40])> =
            holders.iter().zip(&shares).map(|(&holder, share)| (holder, **share)).collect();
        (vector, shares)
    };
    let (two, shares_of_two) = deal(bytes(0xe0), 2, &[0, 1, 4]);
    let (largest, _) = deal([0xff; 32], 4, &[1, 2, 3, 5, 8, 16_383]);
    let changed = |byte: usize| {
        let mut shares = [shares_of_two[0], shares_of_two[1]];
        shares[0].1[byte] ^= 1;
        shares
    };
    let raw = |place: usize, number: F61| {
        let mut share = [0; 40];
        number.write(&mut share[8 * place..8 * place + 8]);
        [(0, share), (1, share)]
    };
    let mut beyond = [0; 40];
    beyond[..8].copy_from_slice(&((1_u64 << 61) - 1).to_le_bytes());
    let vectors = vec![
        two,
        largest,
        recovered("two shares", &shares_of_two[..2]),
        recovered("two others in another order", &[shares_of_two[2], shares_of_two[0]]),
        // Another secret than the one that was shared: it is held against the commitment or the public key.
        recovered("a changed share that goes unnoticed here", &changed(0)),
        recovered("a changed share", &changed(7)),
        recovered("a number below 2^56", &raw(0, F61::new((1 << 56) - 1))),
        recovered("a number of 2^56", &raw(0, F61::new(1 << 56))),
        recovered("the last number below 2^32", &raw(4, F61::new((1 << 32) - 1))),
        recovered("a last number of 2^32", &raw(4, F61::new(1 << 32))),
        recovered("a number that is p", &[(0, beyond), (1, [0; 40])]),
    ];
    check("masks-share.json", vectors);
}

fn encoded(name: &str, encoding: Encoding, input: Input<'_>, weight: u32) -> Value {
    let numbers = match input {
        Input::Reals(reals) => json!({ "reals": reals }),
        Input::Integers(integers) => json!({ "integers": integers }),
    };
    let (name, words) = match encoding.encode(input, weight) {
        Ok(words) => (name.to_owned(), json!(hex(&words.to_bytes()))),
        Err(_) => (format!("bad_{name}"), Value::Null),
    };
    json!({
        "name": name, "kind": "encode", "encoding": encoding, "input": numbers, "weight": weight, "words": words,
    })
}

#[test]
fn words() {
    let encoding =
        |ring, length, weight_max| Encoding { ring, length, fraction_bits: 8, bound: 1000, weight_max };
    let reals = [0.0, 1.0, -1.5, 0.001_953_125, 0.005_859_375, 3.75, 4.0, -1e6];
    let mask = |ring, seed: u8, signs: &[Sign], length: u32| {
        let encoding = Encoding { fraction_bits: 0, ..encoding(ring, length, 0) };
        let mut words: Words = encoding.encode(Input::Integers(&vec![-1; length as usize]), 1).unwrap();
        let seeds: Vec<[u8; 32]> = (0..signs.len()).map(|i| bytes(seed + i as u8)).collect();
        let masks: Vec<(Seed, Sign)> =
            seeds.iter().zip(signs).map(|(seed, &sign)| (Seed::from_bytes(*seed), sign)).collect();
        let before = words.to_bytes();
        words.mask(&masks);
        let masks: Vec<Value> = seeds.iter().zip(signs)
            .map(|(seed, &sign)| json!({ "seed": hex(seed), "sign": if sign == Sign::Plus { "+" } else { "-" } }))
            .collect();
        json!({
            "name": format!("{} masks of {length} words", signs.len()), "kind": "mask", "ring": ring,
            "words": hex(&before), "masks": masks, "masked": hex(&words.to_bytes()),
        })
    };
    let (mod32, mod64) = (Ring::Mod32, Ring::Mod64);
    let vectors = vec![
        encoded("integers", encoding(mod32, 3, 0), Input::Integers(&[1000, -1000, 0]), 1),
        encoded("integers of 64 bits", encoding(mod64, 3, 0), Input::Integers(&[1000, -1000, 0]), 1),
        encoded("reals, ties to even, clipped", encoding(mod32, 8, 0), Input::Reals(&reals), 1),
        encoded("weighted reals", encoding(mod64, 8, 50), Input::Reals(&reals), 50),
        encoded("integer beyond the bound", encoding(mod32, 1, 0), Input::Integers(&[1001]), 1),
        encoded("another length", encoding(mod32, 2, 0), Input::Integers(&[1]), 1),
        encoded("a weight where there is none", encoding(mod32, 1, 0), Input::Integers(&[1]), 2),
        encoded("a weight of 0", encoding(mod32, 1, 5), Input::Integers(&[1]), 0),
        encoded("a weight beyond the largest", encoding(mod32, 1, 5), Input::Integers(&[1]), 6),
        mask(mod32, 0x21, &[Sign::Plus], 20),
        mask(mod64, 0x21, &[Sign::Minus], 20),
        mask(mod32, 0x22, &[Sign::Plus, Sign::Minus, Sign::Plus], 3),
    ];
    check("masks-word.json", vectors);
}
