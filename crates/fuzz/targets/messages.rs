//! The codec, on every message that travels in it: nothing panics, and a value has one encoding only.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quorate_federation::Signature;
use quorate_hash::Digest;
use quorate_wire::{
    Blob, Contribution, Manifest, PieceBytes, RunReply, Signed, SignedManifest, Upload, decode, encode,
    limits,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The layout of a frame between helpers: version, scope, the lives of sender and receiver, round, body.
type Frame = (u16, Digest, [u8; 16], [u8; 16], u32, Blob);
/// The layout of the rounds' bodies.
type Opening = (Signed, Digest, u64, Vec<Digest>);
type Lists = Vec<(u32, Vec<(Digest, u32)>)>;
type Opened = (Digest, Blob);
type Signing = (Digest, Signature);

fn check<T: Serialize + DeserializeOwned>(bytes: &[u8]) {
    if let Ok(value) = decode::<T>(bytes, limits::MESSAGE_MAX) {
        assert_eq!(encode(&value), bytes);
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Some((kind, bytes)) = bytes.split_first() else { return };
    match kind % 10 {
        0 => check::<Upload>(bytes),
        1 => check::<Contribution>(bytes),
        2 => check::<Signed>(bytes),
        3 => check::<Frame>(bytes),
        4 => check::<Opening>(bytes),
        5 => check::<Lists>(bytes),
        6 => check::<Opened>(bytes),
        7 => check::<Signing>(bytes),
        8 => check::<SignedManifest>(bytes),
        _ => {
            check::<Manifest>(bytes);
            check::<PieceBytes>(bytes);
            check::<RunReply>(bytes);
        }
    }
});
