//! The language reference, `docs/circuits.md`: every example in it is held to what the page says.
//!
//! A block fenced as `circuit` compiles; `circuit,wrong` does not check; `circuit,refused` checks and does not compile.

use std::path::PathBuf;

use quorate_circuit::{Circuit, check, compile};

use super::support::{parse, study_of};

fn blocks() -> Vec<(String, String)> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/circuits.md");
    let page = std::fs::read_to_string(path).unwrap();
    let mut blocks = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if let Some(kind) = line.strip_prefix("```circuit") {
            let text: Vec<_> = lines.by_ref().take_while(|line| *line != "```").collect();
            blocks.push((kind.to_owned(), text.join("\n") + "\n"));
        }
    }
    blocks
}

#[test]
fn every_example_does_what_the_page_says() {
    let blocks = blocks();
    assert!(blocks.len() >= 12, "{} examples", blocks.len());
    for (kind, text) in blocks {
        match kind.as_str() {
            "" => {
                let study = study_of(&text, 1000);
                compile(&text, &study).unwrap_or_else(|error| panic!("{}", error.render(&text, false)));
            }
            ",wrong" => {
                let refused =
                    Circuit::parse(&text).map(|circuit| check(&circuit, &study_of(&text, 1000)).map(|_| ()));
                assert!(matches!(refused, Err(_) | Ok(Err(_))), "{text}");
            }
            ",refused" => {
                let study = study_of(&text, 1000);
                check(&parse(&text), &study).unwrap_or_else(|error| panic!("{}", error.render(&text, false)));
                compile(&text, &study).expect_err(&text);
            }
            other => panic!("unknown kind of example: {other}"),
        }
    }
}

#[test]
fn the_page_names_every_limit_and_function() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/circuits.md");
    let page = std::fs::read_to_string(path).unwrap();
    use quorate_circuit::syntax::{DIGITS_MAX, NAME_MAX, NESTING_MAX, SOURCE_MAX, STATEMENT_MAX, TOKENS_MAX};
    for limit in [SOURCE_MAX, TOKENS_MAX, STATEMENT_MAX, NESTING_MAX, NAME_MAX, DIGITS_MAX] {
        assert!(page.contains(&format!("| {limit} |")), "{limit}");
    }
    for function in
        ["count()", "count(condition)", "sum(x)", "mean(x)", "mean(condition)", "variance(x)", "stddev(x)"]
    {
        assert!(page.contains(&format!("`{function}`")), "{function}");
    }
}
