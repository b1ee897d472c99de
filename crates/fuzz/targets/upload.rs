//! What a helper checks before it keeps a contribution: any bytes are refused with a reason, or fit in full.
#![no_main]

use std::sync::LazyLock;

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use quorate_circuit::Study;
use quorate_coordinator::check_upload;
use quorate_wire::Code;

static STUDIES: LazyLock<Vec<Study>> =
    LazyLock::new(|| quorate_fuzz::studies().into_iter().map(|(_, study)| study).collect());

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, bytes)) = bytes.split_first() else { return };
    let study = &STUDIES[usize::from(choice / 4) % STUDIES.len()];
    let helper = choice % 4 + 1;
    let bytes = &Bytes::copy_from_slice(bytes);
    match check_upload(study, helper, bytes) {
        Ok(upload) => {
            assert_eq!(*upload.study(), study.id());
            // A piece is bound to its helper by its commitment: nobody else can take it for its own.
            assert!(check_upload(study, helper % 4 + 1, bytes).is_err());
        }
        Err(refusal) => assert!(matches!(refusal.code, Code::Malformed | Code::Contribution), "{refusal}"),
    }
});
