//! Results: saved, shown and checked again, printed as CSV, drawn.

use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use crate::files::{CIRCUIT, CSV, Files};

/// A directory with a saved result, and its text.
fn saved() -> (Files, String) {
    let circuit = format!(
        "{CIRCUIT}reveal ages = histogram(age, [16, 40, 99])\nreveal model = regression(wage ~ age)\n"
    );
    let files = Files::new(&[("c.circuit", &circuit), ("t.csv", CSV)]);
    files.output(["try", "--circuit", "c.circuit", "--csv", "t.csv", "--save", "r.json"]);
    let text = std::fs::read_to_string(files.path("r.json")).unwrap();
    (files, text)
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn a_saved_result_is_shown_again_in_every_form() {
    let (files, text) = saved();
    let mode = std::fs::metadata(files.path("r.json")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    let output = files.quorate(["show", "r.json"]).output().unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{stderr}");
    assert!(stdout.contains("366.78") && stdout.contains("standard error"), "{stdout}");
    assert!(!stdout.contains('█'), "bars are for terminals");
    assert!(stderr.starts_with("checked: ") && stderr.contains("taken from the result file"), "{stderr}");

    let shown = json(&files.output(["show", "r.json", "--json"]));
    assert_eq!(shown["results"], json(&text)["results"]);
    assert_eq!(shown["results"]["ages"], serde_json::json!({ "16..40": 3, "40..99": 9 }));
    assert_eq!(shown["suppressed"], serde_json::json!([]));
    assert_eq!(shown["contributions"]["accepted"], 12);

    let csv = files.output(["show", "r.json", "--csv"]);
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines[0], "result,group1,measure,value");
    assert!(lines.contains(&"total,,value,366.78") && lines.contains(&"ages,16..40,value,3"), "{csv}");
    assert!(csv.contains("model,,p_values / age,"), "{csv}");

    for (name, begin) in [("p.svg", &b"<svg "[..]), ("p.PNG", b"\x89PNG")] {
        files.output(["show", "r.json", "--plot", name]);
        assert!(std::fs::read(files.path(name)).unwrap().starts_with(begin), "{name}");
    }
}

#[test]
fn keys_can_be_given() {
    let (files, text) = saved();
    let federation = json(&text)["federation"].as_str().unwrap().to_owned();
    std::fs::write(files.path("f.toml"), &federation).unwrap();
    let output = files.quorate(["show", "r.json", "--federation", "f.toml"]).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && stderr.contains("the file that was given"), "{stderr}");

    std::fs::write(files.path("other.toml"), federation.replace("trial", "other")).unwrap();
    let other = files.failure(["show", "r.json", "--federation", "other.toml"], 1);
    assert!(
        other.contains("the one given is") && other.contains("hint: give the federation file"),
        "{other}"
    );
}

#[test]
fn a_file_that_does_not_hold_is_refused() {
    let (files, text) = saved();
    let share = json(&text)["replies"][1]["shares"][0].as_str().unwrap().to_owned();
    let digit = if share.starts_with('0') { '1' } else { '0' };
    let other_share = format!("{digit}{}", &share[1..]);
    for (from, to, said) in [
        ("366.78", "366.79", "the result total in the file is not what the helpers' shares give"),
        ("reveal total = sum(wage)", "reveal total = sum(age)", "gives another program"),
        (share.as_str(), other_share.as_str(), "the result shares of helper 2 are not signed by it"),
        ("\"format\": 1", "\"format\": 7", "format 7"),
    ] {
        assert!(text.contains(from), "{from} is not in\n{text}");
        std::fs::write(files.path("bad.json"), text.replacen(from, to, 1)).unwrap();
        let message = files.failure(["show", "bad.json", "--json"], 1);
        assert!(
            message.contains(said) && message.contains("bad.json") && message.contains("hint: "),
            "{message}"
        );
    }
    std::fs::write(files.path("bad.json"), &text[..text.len() / 2]).unwrap();
    let cut = files.failure(["show", "bad.json"], 1);
    assert!(cut.contains("no whole result file") && cut.contains("hint: get the file again"), "{cut}");
}

#[test]
fn what_cannot_be_written_is_said_before_anything_runs() {
    let files = Files::new(&[("c.circuit", CIRCUIT), ("t.csv", CSV), ("r.json", "mine")]);
    let arguments = ["try", "--circuit", "c.circuit", "--csv", "t.csv"];
    let exists = files.failure(arguments.into_iter().chain(["--save", "r.json"]), 1);
    assert!(exists.contains("r.json exists already"), "{exists}");
    assert_eq!(std::fs::read_to_string(files.path("r.json")).unwrap(), "mine");
    let ending = files.failure(arguments.into_iter().chain(["--plot", "p.jpeg"]), 2);
    assert!(ending.contains(".svg or .png"), "{ending}");
}
