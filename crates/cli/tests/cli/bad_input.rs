//! Bad input, each with its message. Nothing here reaches a helper: whatever can be found before is found before.

use std::io::{Read, Write};
use std::net::TcpListener;

use crate::files::{CIRCUIT, CSV, Files};

fn try_with(circuit: &str, csv: &str, more: &[&str]) -> String {
    let files = Files::new(&[("c.circuit", circuit), ("t.csv", csv)]);
    let arguments = ["try", "--circuit", "c.circuit", "--csv", "t.csv"];
    files.failure(arguments.into_iter().chain(more.iter().copied()), 1)
}

#[test]
fn tables() {
    let cases = [
        ("", "error: t.csv: the table is empty"),
        ("age,wage\n", "error: t.csv: the table has column names but no usable row"),
        (
            "age,wages\n30,1\n",
            "the table has no column \"wage\" (did you mean \"wages\"?); it has: age, wages",
        ),
        (
            "age,wage\n30,1\n31,much\n",
            "error: t.csv: row 2 (line 3), column \"wage\": \"much\" is not a number",
        ),
        (
            "age,wage\n30,100.01\n",
            "error: t.csv: row 1 (line 2), column \"wage\": 100.01 is out of range: expected 0.00 .. 100.00",
        ),
        ("age,wage\n15,1\n", "row 1 (line 2), column \"age\": 15 is out of range: expected 16 .. 99"),
        ("age,wage\n30\n", "error: t.csv: row 1 (line 2), 1 cells, but the first line names 2 columns"),
        ("age,wage,age\n30,1,30\n", "the table has two columns \"age\" (columns 1 and 3)"),
        ("age,wage\n30,1\nx,2\ny,3\n", "error: t.csv: 2 rows cannot be contributed:\n  row 2 (line 3)"),
    ];
    for (csv, expected) in cases {
        let message = try_with(CIRCUIT, csv, &[]);
        assert!(message.contains(expected), "{csv:?}\n{message}");
    }
    let message = try_with(CIRCUIT, "age,wage\n30,100.01\n", &[]);
    assert!(
        message.contains("hint: nothing was sent; correct these rows, or leave them out with --skip-bad"),
        "{message}"
    );
}

#[test]
fn more_decimals_than_declared_are_an_error_when_asked() {
    let message = try_with(CIRCUIT, "age,wage\n30,1.005\n", &["--exact"]);
    assert!(message.contains("column \"wage\": 1.005 has more than 2 decimals"), "{message}");
}

#[test]
fn circuits_with_the_place_underlined() {
    let with = |reveal: &str| CIRCUIT.replace("reveal total = sum(wage)", reveal);
    let parentheses = format!("reveal total = {}1{}", "(".repeat(100_000), ")".repeat(100_000));
    let overflow = |factor: &str| with(&format!("reveal total = {factor} * sum(wage)"));
    let beyond = "1".to_owned() + &"0".repeat(74);
    let cases = [
        (with("reveal total = sum(wage"), ["did not expect the end", "c.circuit:5:24"]),
        (with("reveal total = sum(wages)"), ["unknown column wages", "did you mean wage?"]),
        (with("reveal total = wage"), ["a row's value cannot be revealed", "reveal an aggregate of it"]),
        (with("reveal total = spread(wage)"), ["unknown function spread", "there are bins"]),
        (with(&parentheses), ["the expression is nested too deeply", "c.circuit:5:"]),
        (overflow(&beyond), ["this can overflow", "over 12 rows"]),
    ];
    for (circuit, expected) in cases {
        let message = try_with(&circuit, CSV, &[]);
        let shown: String = circuit.chars().take(300).collect();
        assert!(expected.iter().all(|expected| message.contains(expected)), "{shown}\n{message}");
        assert!(message.contains("error: c.circuit cannot be used: 1 mistake\nhint: "), "{message}");
        assert!(message.len() < 8_000, "a message is for reading: {} bytes", message.len());
    }
}

#[test]
fn circuits_that_the_sharing_cannot_compute() {
    let circuit = CIRCUIT.replace("reveal total = sum(wage)", "reveal total = sum(wage) > 5");
    for more in [&["--sharing", "additive", "--helpers", "3"][..], &["--helpers", "4", "--threshold", "2"]] {
        let message = try_with(&circuit, CSV, more);
        assert!(message.contains("this study's helpers cannot multiply"), "{more:?}\n{message}");
        assert!(message.contains("c.circuit:5:16"), "{more:?}\n{message}");
    }
}

#[test]
fn circuits_that_take_more_memory_than_a_run_may() {
    let reveal = |first: u32| {
        let conditions: Vec<String> =
            (first..first + 60).map(|f| format!("wage + {f} * age > {}", 50 * f)).collect();
        format!("reveal total{first} = count({})\n", conditions.join(" and "))
    };
    let circuit = CIRCUIT.replace("reveal total = sum(wage)", &(reveal(1) + &reveal(61)));
    let message = try_with(&circuit, CSV, &["--helpers", "9", "--threshold", "4"]);
    assert!(message.contains("makes the bits of 120 numbers of each row at once"), "{message}");
    assert!(message.contains("ask in several runs"), "{message}");
}

#[test]
fn helpers_that_cannot_be_or_cannot_be_stopped() {
    let cases: &[(&[&str], &str)] = &[
        (&["--helpers", "1"], "expected 2 to 64 helpers"),
        (
            &["--helpers", "3", "--threshold", "3"],
            "a threshold of at least 1 and below the number of helpers",
        ),
        (&["--helpers", "3", "--threshold", "0"], "a threshold of at least 1"),
        (&["--stop", "5"], "--stop 5: the helpers are numbered 1 to 4"),
        (&["--stop", "2,2"], "--stop names helper 2 twice"),
        (&["--stop", "1,2,3"], "--stop leaves 1 of 4 helpers, but 2 are needed to answer"),
        (
            &["--sharing", "additive", "--helpers", "3", "--stop", "1"],
            "--stop cannot be used with --sharing additive",
        ),
        (&["--sharing", "additive", "--helpers", "3", "--threshold", "1"], "a threshold of helpers - 1"),
    ];
    for (arguments, expected) in cases {
        let message = try_with(CIRCUIT, CSV, arguments);
        assert!(message.starts_with("error: ") && message.contains(expected), "{arguments:?}\n{message}");
        assert!(message.contains("\nhint: "), "{message}");
    }
}

#[test]
fn files_that_are_not_there_or_not_what_they_should_be() {
    let files = Files::new(&[
        ("c.circuit", CIRCUIT),
        ("t.csv", CSV),
        ("federation.toml", "threshold = 1\n"),
        ("open.key", "ab\n"),
    ]);
    let message = files.failure(["try", "--circuit", "nowhere.circuit", "--csv", "t.csv"], 1);
    assert_eq!(
        message,
        "error: could not read nowhere.circuit: No such file or directory (os error 2)\nhint: check the path\n"
    );
    let message = files.failure(["status"], 1);
    assert!(message.contains("error: federation.toml: not a valid federation file or card"), "{message}");
    let message = files.failure(["seal", "--study", "s.toml", "--owner", "open.key"], 1);
    assert!(message.contains("error: open.key can be read by other users"), "{message}");
    assert!(message.contains("hint: run `chmod 600 open.key`"), "{message}");
    let message = files.failure(["helper", "run", "--dir", "."], 1);
    assert!(message.contains("is no helper's directory"), "{message}");
    let message = files.failure(["keys", "new", "open.key"], 1);
    assert!(message.contains("could not write open.key: File exists"), "{message}");
}

#[test]
fn usage_errors_have_their_own_code() {
    let files = Files::new(&[]);
    assert!(files.failure(["try"], 2).contains("--circuit"));
    assert!(files.failure(["frobnicate"], 2).contains("frobnicate"));
    assert!(files.failure(["try", "--helpers", "300", "--circuit", "c", "--csv", "t"], 2).contains("300"));
}

#[test]
fn every_help_has_an_example() {
    let files = Files::new(&[]);
    let commands = [
        "demo",
        "try",
        "explain",
        "up",
        "helper init",
        "helper run",
        "federation new",
        "federation join",
        "federation show",
        "keys new",
        "study create",
        "study show",
        "contribute",
        "seal",
        "run",
        "status",
    ];
    for command in commands {
        let help = files.output(command.split(' ').chain(["--help"]));
        assert!(help.contains(&format!("quorate {command}")) && help.contains("Example"), "{help}");
    }
}

#[test]
fn a_study_of_another_federation_is_refused_before_anything_is_sent() {
    let files = Files::new(&[("c.circuit", CIRCUIT), ("t.csv", CSV)]);
    for name in ["a", "b"] {
        files.output(["federation", "new", "--local", "3", "--dir", name]);
    }
    // A study that names federation a, whose helpers do not run: made by hand from what `study create` would write.
    let id = serde_json::from_str::<serde_json::Value>(&files.output([
        "federation",
        "show",
        "--json",
        "a/federation.toml",
    ]))
    .unwrap();
    let key = std::fs::read_to_string(files.path("a/owner.pub")).unwrap();
    let document = format!(
        "format = 1\nname = \"wages\"\nfederation = {}\nfield = \"f61\"\nrows_max = 1\ncapacity = 100\nbits = \"none\"\n\
         security = \"passive\"\nowner = \"{key}\"\n[sharing]\nkind = \"shamir\"\nhelpers = 3\nthreshold = 1\n[policy]\n\
         min_cohort = 1\nexcluded_max = \"0\"\nanalysts = [\"{key}\"]\n[[columns]]\nname = \"wage\"\ndomain = \"0.00 .. 100.00\"\n",
        id["id"],
        key = key.trim()
    );
    std::fs::write(files.path("study.toml"), document).unwrap();
    let arguments =
        ["contribute", "--federation", "b/federation.toml", "--study", "study.toml", "--csv", "t.csv"];
    let message = files.failure(arguments, 1);
    assert!(message.contains("belongs to federation"), "{message}");
    assert!(message.contains("hint: use the federation file that the study was made for"), "{message}");

    let message = files.failure(
        [
            "run",
            "--federation",
            "a/federation.toml",
            "--study",
            "study.toml",
            "--analyst",
            "a/analyst.key",
            "--circuit",
            "c.circuit",
        ],
        1,
    );
    assert!(message.contains("the study has no column age"), "{message}");
    let message = files.failure(
        ["seal", "--federation", "a/federation.toml", "--study", "study.toml", "--owner", "a/owner.key"],
        1,
    );
    assert!(
        message.contains("error: 3 helpers are needed to seal the study, but 0 can take part\n  helper 1"),
        "{message}"
    );
}

/// A server that speaks no TLS where a helper should be.
#[test]
fn plain_text_where_a_helper_should_be_is_called_that() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let _ = stream.read(&mut [0; 64]);
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n");
        }
    });
    let files = Files::new(&[]);
    files.output(["federation", "new", "--local", "2", "--dir", "a"]);
    let text = std::fs::read_to_string(files.path("a/federation.toml")).unwrap();
    let first = text.lines().find(|line| line.starts_with("address")).unwrap();
    std::fs::write(files.path("f.toml"), text.replacen(first, &format!("address = \"{address}\""), 1))
        .unwrap();
    let output = files.quorate(["status", "--federation", "f.toml"]).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("does not speak TLS; check the address and port"), "{stderr}");
}
