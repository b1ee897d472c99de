//! What tests of published test vectors share, in this crate and in others that publish some.

use std::path::Path;

use serde_json::Value;

/// Compares one file with what it should be, or writes it.
pub(crate) fn check(name: &str, vectors: Vec<Value>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/test-vectors").join(name);
    let vectors = Value::Array(vectors);
    if std::env::var_os("QUORATE_BLESS").is_some_and(|value| value == "1") {
        let text = serde_json::to_string_pretty(&vectors).unwrap() + "\n";
        std::fs::write(&path, text).unwrap();
        return;
    }
    let text = std::fs::read_to_string(&path).unwrap();
    let published: Value = serde_json::from_str(&text).unwrap();
    assert!(published == vectors, "{name} is not what this crate computes: has the format changed?");
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// 32 bytes `start, start + 1, …`
pub(crate) fn bytes(start: u8) -> [u8; 32] {
    std::array::from_fn(|i| start.wrapping_add(i as u8))
}
