//! Circuit text: syntax, check against a study, lowering, explanation. Anything may be refused, with a diagnostic
//! that renders; what compiles is a valid program.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use quorate_circuit::{Circuit, Study, compile, explain};

static STUDIES: LazyLock<Vec<Study>> =
    LazyLock::new(|| quorate_fuzz::studies().into_iter().map(|(_, study)| study).collect());

fuzz_target!(|text: &str| {
    match Circuit::parse(text) {
        Err(diagnostics) => assert!(!diagnostics.render(text, false).is_empty()),
        Ok(circuit) => {
            let printed = circuit.to_string();
            let again = Circuit::parse(&printed).expect("what is printed parses");
            assert_eq!(again.to_string(), printed);
        }
    }
    for study in STUDIES.iter() {
        match compile(text, study) {
            Err(diagnostics) => assert!(!diagnostics.render(text, false).is_empty()),
            Ok(program) => {
                program.validate().expect("a lowered program is valid");
                explain(text, study).expect("what compiles can be explained");
            }
        }
    }
});
