//! Studies made from circuits, and circuits that must be refused.

use quorate_circuit::{
    Bits, Circuit, Column, Diagnostics, Proportion, Sharing, SharingKind, Study, StudyDraft, check, compile,
};
use quorate_field::Integer;

pub fn draft(columns: Vec<Column>, capacity: u64) -> StudyDraft {
    let sharing = Sharing { kind: SharingKind::Shamir, helpers: 4, threshold: 1 };
    StudyDraft {
        bits: Some(Bits::None),
        excluded_max: Proportion::parse("0.1").unwrap(),
        ..StudyDraft::new("test", sharing, columns, capacity)
    }
}

pub fn column(name: &str, domain: &str) -> Column {
    Column::parse(name, domain).unwrap()
}

/// The study that most tests ask: two numbers of different scales, two categories.
pub fn study() -> Study {
    let columns = vec![
        column("salary", "0 .. 1_000_000"),
        column("hourly", "-5.00 .. 200.00"),
        column("gender", "female | male | other"),
        column("yrs.service", "0 .. 60"),
        column("region", "north | south"),
    ];
    draft(columns, 1000).document().unwrap().1
}

/// A circuit on [`study`] with all its columns as inputs.
pub fn circuit(reveals: &str) -> String {
    let inputs: String = study()
        .columns
        .iter()
        .map(|column| format!("input \"{}\" : {}\n", column.name, column.declaration()))
        .collect();
    format!("circuit test\n{inputs}{reveals}\n")
}

/// A study with the circuit's inputs as columns.
pub fn study_of(text: &str, capacity: u64) -> Study {
    let circuit = parse(text);
    let mut columns = circuit.inputs();
    if columns.is_empty() {
        columns.push(column("unused", "0 .. 1"));
    }
    draft(columns, capacity).document_for(&circuit).unwrap().1
}

pub fn parse(text: &str) -> Circuit {
    Circuit::parse(text).unwrap_or_else(|error| panic!("{}", error.render(text, false)))
}

/// What is wrong with a circuit on [`study`].
pub fn refused(text: &str) -> Diagnostics {
    compile(text, &study()).expect_err(text)
}

/// Asserts that `text` has one mistake, at `place`, and that message, label and help say `words`.
#[track_caller]
pub fn assert_refused(text: &str, place: &str, words: &[&str]) {
    assert_refused_on(text, &study(), place, words);
}

/// The same on another study.
#[track_caller]
pub fn assert_refused_on(text: &str, study: &Study, place: &str, words: &[&str]) {
    let diagnostics = compile(text, study).expect_err(text);
    let [diagnostic] = diagnostics.0.as_slice() else { panic!("one mistake expected: {diagnostics}") };
    assert_eq!(&text[diagnostic.span.start..diagnostic.span.end], place, "{diagnostics}");
    let said = format!(
        "{} / {} / {}",
        diagnostic.message,
        diagnostic.label,
        diagnostic.help.as_deref().unwrap_or("")
    );
    for word in words {
        assert!(said.contains(word), "{word:?} expected in {said:?}");
    }
}

pub fn checks(text: &str) {
    check(&parse(text), &study()).unwrap_or_else(|error| panic!("{}", error.render(text, false)));
}

pub fn integers(values: &[i64]) -> Vec<Integer> {
    values.iter().map(|value| Integer::from(*value)).collect()
}
