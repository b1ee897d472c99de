//! JSON of the API: requests, receipts, manifests, results, refusals and programs.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use quorate_circuit::Program;
use quorate_federation::{EnvelopeOpener, Federation};
use quorate_fuzz::digest;
use quorate_wire::{
    Receipt, Refusal, RunRequest, SealRequest, SealedReply, Signed, SignedManifest, Status, StudyRequest,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

static FEDERATION: LazyLock<Federation> = LazyLock::new(quorate_fuzz::federation);

/// Reads JSON; what reads also reads back from what it is written as.
fn read<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    let value: T = serde_json::from_slice(bytes).ok()?;
    let text = serde_json::to_vec(&value).expect("plain data");
    let again: T = serde_json::from_slice(&text).expect("what is written reads");
    assert_eq!(serde_json::to_vec(&again).expect("plain data"), text);
    Some(value)
}

fuzz_target!(|bytes: &[u8]| {
    let key = FEDERATION.member(1).expect("four helpers").key;
    if let Some(signed) = read::<Signed>(bytes) {
        let _ = signed.open::<StudyRequest>();
        let _ = signed.open::<SealRequest>();
        let _ = signed.open::<RunRequest>();
    }
    if let Some(receipt) = read::<Receipt>(bytes) {
        let _ = receipt.verify(&receipt.head.study, receipt.head.helper, &key, &[digest(1)]);
    }
    if let Some(manifest) = read::<SignedManifest>(bytes) {
        let _ = manifest.check(&FEDERATION, &manifest.manifest.study, 3);
    }
    if let Some(reply) = read::<SealedReply>(bytes) {
        let _ = reply.open(&EnvelopeOpener::from_seed([1; 32]), &digest(1));
    }
    if let Some(program) = read::<Program>(bytes)
        && program.validate().is_ok()
    {
        let _ = (program.hash(), program.columns_read(), program.output_bytes());
    }
    read::<Status>(bytes);
    read::<Refusal>(bytes);
});
