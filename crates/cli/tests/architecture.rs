//! The house rules that a machine can hold: the crate table of `docs/ARCHITECTURE.md`, and the tree itself.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Longest source file, in lines.
const LINES_MAX: usize = 500;

/// What may stand at the top level. `target` and `.git` are not the project's.
const TOP_LEVEL: [&str; 18] = [
    ".cargo",
    ".ci",
    ".gitignore",
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "benches",
    "circuits",
    "clippy.toml",
    "crates",
    "deny.toml",
    "docs",
    "rust-toolchain.toml",
    "rustfmt.toml",
];

/// Crates without I/O.
const PURE: [&str; 12] = [
    "hash",
    "field",
    "privacy",
    "federation",
    "sharing",
    "circuit",
    "engine",
    "wire",
    "coordinator",
    "contribute",
    "masking",
    "plot",
];

type Table = BTreeMap<String, BTreeSet<String>>;

#[test]
fn the_crate_table_is_what_cargo_says() {
    let (written, actual) = (written_table(), actual_table());
    let mut faults = Vec::new();
    for (name, imports) in &actual {
        match written.get(name) {
            None => faults.push(format!("crate `{name}` has no row")),
            Some(listed) if listed.contains("any") => {}
            Some(listed) => {
                let missing: Vec<_> = imports.difference(listed).collect();
                let extra: Vec<_> = listed.difference(imports).collect();
                if !missing.is_empty() {
                    faults.push(format!("`{name}` imports {missing:?}, which its row does not list"));
                }
                if !extra.is_empty() {
                    faults.push(format!("the row of `{name}` lists {extra:?}, which it does not import"));
                }
            }
        }
    }
    faults.extend(
        written.keys().filter(|name| !actual.contains_key(*name)).map(|n| format!("`{n}` is no crate")),
    );
    assert!(faults.is_empty(), "docs/ARCHITECTURE.md, section Crates:\n{}", faults.join("\n"));
}

/// Arrows go one way: every crate can be reached only by crates that it does not reach. Cargo would say so too, but
/// not that nobody imports the simulator, or the client a helper.
#[test]
fn what_must_never_be_imported_is_not() {
    let table = actual_table();
    for (name, imports) in &table {
        for development_only in ["sim", "benches"] {
            assert!(!imports.contains(development_only), "`{name}` imports `{development_only}`");
        }
    }
    for pure in PURE {
        let reached = reach(&table, pure);
        for impure in ["tls", "store", "helper", "client", "local", "cli"] {
            assert!(!reached.contains(impure), "`{pure}` reaches `{impure}`");
        }
    }
    assert!(!reach(&table, "client").contains("helper"));
    assert!(!reach(&table, "engine").contains("wire"));
    assert!(!reach(&table, "circuit").contains("sharing"));
}

/// The crates without I/O have no library for it either.
#[test]
fn pure_crates_have_no_runtime_clock_or_operating_system() {
    let libraries = ["tokio", "getrandom", "rustls", "reqwest", "axum", "redb", "tracing"];
    for (name, used) in dependencies(|_| true) {
        if PURE.contains(&name.as_str()) {
            let found: Vec<_> = libraries.iter().filter(|library| used.contains(**library)).collect();
            assert!(found.is_empty(), "`{name}` depends on {found:?}");
        }
    }
}

#[test]
fn source_files_are_short() {
    let long: Vec<String> = sources()
        .into_iter()
        .map(|(path, text)| (path, text.lines().count()))
        .filter(|(_, lines)| *lines >= LINES_MAX)
        .map(|(path, lines)| format!("{path}: {lines} lines"))
        .collect();
    assert!(long.is_empty(), "split these, {LINES_MAX} lines are too many:\n{}", long.join("\n"));
}

#[test]
fn only_one_crate_knows_the_codec() {
    // Cargo.toml and clippy.toml at the top name it to pin it and to forbid it.
    let manifests = files().into_iter().filter(|path| path.ends_with("Cargo.toml") && path.contains('/'));
    let manifests = manifests.map(|path| (path.clone(), read(&path)));
    let found =
        offences(sources().into_iter().chain(manifests), &["crates/wire/"], |line| has_word(line, "bincode"));
    assert_none(&found, "only `wire` names bincode: use `quorate_wire::{encode, decode}`");
}

#[test]
fn only_one_crate_is_unsafe() {
    let found = offences(sources(), &["crates/field/"], |line| has_word(line, "unsafe"));
    assert_none(&found, "`unsafe` is for the SIMD backends of `field` only");
}

#[test]
fn only_the_command_line_prints() {
    let printing = ["println!", "print!", "eprintln!", "eprint!"];
    let shipped = sources().into_iter().filter(|(path, _)| path.contains("/src/"));
    let found = offences(shipped, &["crates/cli/", "crates/sim/", "crates/fuzz/"], |line| {
        printing.iter().any(|word| has_word(line, word))
    });
    assert_none(&found, "print in `cli`, log elsewhere");
}

#[test]
fn nothing_is_left_to_do() {
    let unfinished = ["todo!", "unimplemented!", "dbg!"];
    let found = offences(sources(), &[], |line| unfinished.iter().any(|word| has_word(line, word)));
    assert_none(&found, "finish it or refuse with \"not built yet\"");
}

#[test]
fn no_file_names_a_machine() {
    let homes = ["/work/", "/home/", "/root/", "/Users/"];
    let names = |line: &str| {
        homes.iter().any(|home| {
            line.match_indices(home).any(|(at, _)| {
                // `crates/home/x` names no machine, ` /home/x` does.
                !line[..at].ends_with(|c: char| c.is_alphanumeric() || "-_.*~}".contains(c))
            })
        })
    };
    let text = files().into_iter().filter(|path| !path.contains("/seeds/") && path != THIS_FILE);
    let found: Vec<String> = text
        .flat_map(|path| {
            let text = fs::read(root().join(&path)).unwrap();
            let text = String::from_utf8_lossy(&text).into_owned();
            let lines = text.lines().enumerate().filter(|(_, line)| names(line));
            lines.map(|(number, line)| format!("{path}:{}: {}", number + 1, line.trim())).collect::<Vec<_>>()
        })
        .collect();
    assert_none(&found, "no path of anybody's machine belongs in the tree");
}

#[test]
fn the_top_level_has_what_belongs_there() {
    let found: BTreeSet<String> =
        files().into_iter().map(|path| path.split('/').next().unwrap().to_owned()).collect();
    let expected: BTreeSet<String> =
        TOP_LEVEL.iter().map(|name| (*name).to_owned()).chain(["scripts".into()]).collect();
    assert_eq!(found, expected);
}

const THIS_FILE: &str = "crates/cli/tests/architecture.rs";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// Every file of the project, relative to its root, sorted: what git knows or would add.
fn files() -> Vec<String> {
    let arguments = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let listed = Command::new("git").current_dir(root()).args(arguments).output().unwrap();
    assert!(listed.status.success(), "these tests need a git checkout: {listed:?}");
    let names = String::from_utf8(listed.stdout).unwrap();
    let mut names: Vec<String> = names.split_terminator('\0').map(str::to_owned).collect();
    // Deleted, but not yet committed so.
    names.retain(|name| root().join(name).is_file());
    names.sort();
    names
}

/// Every Rust file but this one, which names what it looks for.
fn sources() -> Vec<(String, String)> {
    let rust = files().into_iter().filter(|path| path.ends_with(".rs") && path != THIS_FILE);
    rust.map(|path| (path.clone(), read(&path))).collect()
}

/// Lines of code, without comments and the tests at the end of a file, that are `wrong` outside of `exempt`.
fn offences(
    texts: impl IntoIterator<Item = (String, String)>,
    exempt: &[&str],
    wrong: impl Fn(&str) -> bool,
) -> Vec<String> {
    let texts = texts.into_iter().filter(|(path, _)| !exempt.iter().any(|prefix| path.starts_with(prefix)));
    texts
        .flat_map(|(path, text)| {
            let code = text.lines().take_while(|line| *line != "#[cfg(test)]").enumerate();
            code.filter(|(_, line)| !line.trim_start().starts_with("//") && wrong(line))
                .map(|(number, line)| format!("{path}:{}: {}", number + 1, line.trim()))
                .collect::<Vec<_>>()
        })
        .collect()
}

fn has_word(line: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word)
        .any(|(at, _)| !line[..at].ends_with(is_part) && !line[at + word.len()..].starts_with(is_part))
}

fn assert_none(found: &[String], rule: &str) {
    assert!(found.is_empty(), "{rule}:\n{}", found.join("\n"));
}

/// The table in `docs/ARCHITECTURE.md`: crate to what it may import.
fn written_table() -> Table {
    let document = read("docs/ARCHITECTURE.md");
    let rows = document.lines().filter(|line| line.starts_with("| `") && line.split('|').count() == 6);
    let row = |line: &str| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let imports = cells[3].split(',').map(str::trim).filter(|name| *name != "-").map(str::to_owned);
        (cells[1].trim_matches('`').to_owned(), imports.collect())
    };
    rows.map(row).collect()
}

/// What cargo says: crate to the workspace's crates that it depends on outside of tests.
fn actual_table() -> Table {
    let ours = |name: &str| name.starts_with("quorate-");
    dependencies(ours)
        .into_iter()
        .map(|(name, used)| (name, used.iter().map(|name| name.replace("quorate-", "")).collect()))
        .collect()
}

fn dependencies(wanted: impl Fn(&str) -> bool) -> Table {
    let arguments = ["metadata", "--format-version", "1", "--no-deps", "--offline"];
    let output = Command::new(env!("CARGO")).current_dir(root()).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let of_package = |package: &Value| {
        let all = package["dependencies"].as_array().unwrap().iter();
        // `kind` is null for what is linked, "dev" or "build" otherwise.
        let normal = all.filter(|dependency| dependency["kind"].is_null());
        let names = normal.map(|dependency| text(&dependency["name"])).filter(|name| wanted(name)).collect();
        (text(&package["name"]).replace("quorate-", ""), names)
    };
    metadata["packages"].as_array().unwrap().iter().map(of_package).collect()
}

/// Everything that `from` imports, directly or not.
fn reach<'a>(table: &'a Table, from: &str) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<&str> = table[from].iter().map(String::as_str).collect();
    while let Some(name) = open.pop() {
        if reached.insert(name) {
            open.extend(table[name].iter().map(String::as_str));
        }
    }
    reached
}
