//! Study documents, by bytes that differ from a good one and by any others.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quorate_circuit::Study;

fuzz_target!(|text: &str| {
    if let Ok(study) = Study::parse(text) {
        assert_eq!(study.id(), Study::id_of(text));
        assert!(!study.columns.is_empty() && study.rows_total_max() > 0);
        let _ = study.input_checks();
        quorate_contribute::scheme_of(&study).expect("a study's sharing is a scheme");
    }
});
