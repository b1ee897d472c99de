//! Rounds of pairwise masks: documents and messages have one encoding, and one message of anything, to anybody at any stage,
//! panics nobody. No client can make a sum wrong but by its vector.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quorate_fuzz::masks::{self, Kind, Said};
use quorate_masking::Round;
use quorate_masking::message::{FromClient, FromServer};
use quorate_wire::{decode, encode, limits};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The stage of masked vectors.
const INPUTS: u8 = 2;

fn check<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> bool {
    let value = decode::<T>(bytes, limits::MESSAGE_MAX);
    value.as_ref().is_ok_and(|value| {
        assert_eq!(encode(value), bytes);
        true
    })
}

fuzz_target!(|bytes: &[u8]| {
    let Some((&kind, bytes)) = bytes.split_first() else { return };
    if kind == 0 {
        if let Ok(round) = Round::read(bytes.to_vec()) {
            let again = Round::new(round.terms().clone()).expect("it was read");
            assert_eq!(again, round);
        }
        return;
    }
    let Some((&[stage, by, party], message)) = bytes.split_first_chunk() else { return };
    let by = if by % 2 == 0 { Kind::Client } else { Kind::Server };
    let is_message = match by {
        Kind::Client => check::<FromClient>(message),
        Kind::Server => check::<FromServer>(message),
    };
    // To play a round takes milliseconds.
    if !is_message {
        return;
    }
    let round = masks::round(kind % 2 == 0);
    let lie =
        Said { stage: stage % 5, by, party: u32::from(party) % round.clients(), message: message.to_vec() };
    let played = masks::play(&round, Some(&lie));
    if let Ok(outcome) = played.outcome
        && by == Kind::Client
        && lie.stage != INPUTS
    {
        assert_eq!(outcome.sum, masks::sum(&outcome.survivors));
    }
});
