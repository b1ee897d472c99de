//! Plans: how many rows a morsel has, and that everybody plans alike.

use quorate_circuit::{Bits, Plan, Sharing, SharingKind, StudyDraft, compile};

use super::support::{column, draft};

/// The rows of a morsel, for a circuit on `columns` columns.
fn morsel_rows(columns: usize, threshold: u8, bits: Bits, reveal: &str) -> u32 {
    let names = (0..columns).map(|i| format!("x{i}"));
    let inputs: String = names.clone().map(|name| format!("input {name} : 0 .. 1_000\n")).collect();
    let sharing = Sharing { kind: SharingKind::Shamir, helpers: 2 * threshold + 1, threshold };
    let columns = names.map(|name| column(&name, "0 .. 1_000")).collect();
    let draft = StudyDraft { sharing, bits: Some(bits), ..draft(columns, 1_000_000) };
    let study = draft.document().unwrap().1;
    let program = compile(&format!("circuit plan\n{inputs}reveal r = {reveal}"), &study).unwrap();
    Plan::of(&program, &study, 1_000_000).morsel_rows
}

#[test]
fn morsels_are_as_large_as_their_messages_and_memory_allow() {
    let products = |count: usize| {
        let all: Vec<_> = (0..count).map(|i| format!("sum(x{i} * x{i} * x{})", (i + 1) % count)).collect();
        all.join(" + ")
    };
    let sum = |count: usize| (0..count).map(|i| format!("sum(x{i} * x{i})")).collect::<Vec<_>>().join(" + ");
    for (columns, threshold, bits, reveal, expected) in [
        // Nothing but a sum of products: one element a morsel.
        (2, 1, Bits::None, "sum(x0 * x1)".to_owned(), 32_768),
        (2, 1, Bits::Sealed, "count(x0 < 500)".into(), 32_768),
        // Eight products of eight bytes, sent to one other, or to two.
        (8, 1, Bits::None, products(8), 8_192),
        (8, 2, Bits::None, products(8), 4_096),
        // Columns that fill the memory.
        (60, 1, Bits::None, sum(60), 16_384),
        // Bits that are made: of columns without any, and of what is computed.
        (2, 3, Bits::OnDemand, "count(x0 < 500) + count(x1 < 500)".into(), 4_096),
        (2, 3, Bits::Sealed, "count(x0 < 500) + count(x1 < 500)".into(), 8_192),
        (2, 3, Bits::Sealed, "count(x0 + x1 < 500)".into(), 8_192),
    ] {
        assert_eq!(
            morsel_rows(columns, threshold, bits, &reveal),
            expected,
            "{threshold}, {bits:?}: {reveal}"
        );
    }
}
