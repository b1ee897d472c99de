//! `try` and `demo`: whole studies on real processes.

use serde_json::Value;

use crate::files::{CIRCUIT, CSV, Files};

fn try_json(files: &Files, more: &[&str]) -> Value {
    let arguments = ["try", "--circuit", "c.circuit", "--csv", "t.csv", "--json"];
    serde_json::from_str(&files.output(arguments.into_iter().chain(more.iter().copied()))).unwrap()
}

fn assert_right(report: &Value, quorum: &[u8], redundant: u64) {
    let results = serde_json::json!({ "people": 12, "total": 366.78, "mean_age": 41.5 });
    assert_eq!(report["results"], results);
    assert_eq!(report["contributions"], serde_json::json!({ "accepted": 12, "refused": 0 }));
    assert_eq!(report["quorum"], serde_json::json!(quorum));
    let integrity = serde_json::json!({ "redundant_shares": redundant, "wrong_helpers": [] });
    assert_eq!(report["integrity"], integrity);
    assert_eq!(report["fields"], serde_json::json!(["F61"]));
    assert!(report["seconds"]["total"].as_f64().unwrap() > 0.0);
    assert!(report["bytes"]["uploaded"].as_u64().unwrap() > report["bytes"]["plain"].as_u64().unwrap());
}

#[test]
fn three_helpers() {
    let files = Files::new(&[("c.circuit", CIRCUIT), ("t.csv", CSV)]);
    assert_right(&try_json(&files, &["--helpers", "3"]), &[1, 2, 3], 1);
}

#[test]
fn four_helpers_one_stopped() {
    let files = Files::new(&[("c.circuit", CIRCUIT), ("t.csv", CSV)]);
    assert_right(&try_json(&files, &["--stop", "2"]), &[1, 3, 4], 1);
}

#[test]
fn additive_sharing() {
    let files = Files::new(&[("c.circuit", CIRCUIT), ("t.csv", CSV)]);
    let report = try_json(&files, &["--sharing", "additive", "--helpers", "3"]);
    assert_right(&report, &[1, 2, 3], 0);
    assert_eq!(report["inputs"], "contributors: trusted, range: trusted");
}

/// A circuit of `circuits/` with its sample, and its expected results.
fn library(name: &str) -> (Files, Value) {
    let circuits = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../circuits");
    let read = |end: &str| std::fs::read_to_string(circuits.join(format!("{name}.{end}"))).unwrap();
    let files = Files::new(&[("c.circuit", &read("circuit")), ("t.csv", &read("csv"))]);
    (files, serde_json::from_str(&read("expected.json")).unwrap())
}

/// Groups, bins, tables by two categories, correlations.
#[test]
fn the_other_circuits_on_one_federation_each() {
    for (name, rounded, more) in [
        ("pay_gap", &["spread", "adjusted"][..], &["--stop", "3"][..]),
        ("fairness", &[], &["--helpers", "5", "--threshold", "2"]),
        ("customers", &["visits_and_spending"], &["--helpers", "3"]),
        ("hospital", &["stay_model"], &["--helpers", "3"]),
        ("credit", &["balance_and_income", "model", "students_differ"], &["--stop", "1"]),
        ("attributions", &[], &["--helpers", "3"]),
        (
            "regression",
            &["model", "by_area_alone", "in_the_country", "price_and_area", "area_and_rooms", "spread"],
            &["--stop", "2"],
        ),
        ("ab_test", &["revenue_spread", "revenue_test"], &["--helpers", "3"]),
        ("gradients", &[], &["--helpers", "3"]),
        ("ward", &[], &["--stop", "4"]),
    ] {
        let (files, mut expected) = library(name);
        let mut found = try_json(&files, more)["results"].take();
        // Where doubles are computed with, the last digit may differ: crates/circuit compares those.
        for name in rounded {
            assert!(!found[name].take().is_null(), "{name}");
            expected[name].take();
        }
        assert_eq!(found, expected, "{name}");
    }
}

/// Products, comparisons and groups at every threshold, with helpers killed after the seal where there are any to spare.
#[test]
fn the_payroll_circuit_on_every_federation() {
    let (files, expected) = library("payroll");
    for (more, quorum) in [
        (&["--helpers", "3"][..], &[1, 2, 3][..]),
        (&["--helpers", "4"], &[1, 2, 3]),
        (&["--helpers", "4", "--stop", "2"], &[1, 3, 4]),
        (&["--helpers", "5", "--threshold", "2"], &[1, 2, 3, 4, 5]),
        (&["--helpers", "6", "--threshold", "2", "--stop", "5"], &[1, 2, 3, 4, 6]),
        (&["--helpers", "7", "--threshold", "3"], &[1, 2, 3, 4, 5, 6, 7]),
    ] {
        let report = try_json(&files, more);
        assert_eq!(report["results"], expected, "{more:?}");
        assert_eq!(report["quorum"], serde_json::json!(quorum), "{more:?}");
        assert_eq!(report["inputs"], "contributors: degree check, range: range check", "{more:?}");
    }
}

/// A column says whose each row is; one column has blanks, and one is a condition.
#[test]
fn rows_of_one_contributor_are_one_contribution() {
    let circuit = "circuit visits\ninput cost : optional 5 .. 100\ninput urgent : yes | no\ninput on : 2024-01-01 .. 2024-12-31\n\
                   reveal visits = count()\nreveal mean_cost = mean(cost)\nreveal not_said = missing(cost)\n\
                   reveal urgent_cost = sum(cost) where urgent\nreveal late = count(on >= 2024-03-01 and cost > 15)\n";
    let csv = "who,cost,urgent,on\nann,10,yes,2024-02-29\nbob,,no,2024-03-01\nann,NA,1,2024-04-01\n\
               bob,20,YES,2024-05-01\ncay,30,0,2024-06-01\n";
    let files = Files::new(&[("c.circuit", circuit), ("t.csv", csv)]);
    let report = try_json(&files, &["--by", "who"]);
    let expected = serde_json::json!({
        "visits": 5, "mean_cost": 20, "not_said": 2, "urgent_cost": 30, "late": 2
    });
    assert_eq!(report["results"], expected);
    assert_eq!(report["contributions"], serde_json::json!({ "accepted": 3, "refused": 0 }));
}

/// Fewer helpers than a computation takes: it says so instead of waiting.
#[test]
fn too_few_helpers_to_compute_with() {
    let circuit = CIRCUIT.replace("reveal total = sum(wage)", "reveal total = variance(wage)");
    let files = Files::new(&[("c.circuit", &circuit), ("t.csv", CSV)]);
    let arguments = ["try", "--circuit", "c.circuit", "--csv", "t.csv", "--helpers", "3", "--stop", "1"];
    let message = files.failure(arguments, 1);
    assert!(message.contains("3 helpers"), "{message}");
}

#[test]
fn for_people_and_with_rounding_said_once() {
    let csv = CSV.replace("10.5", "10.4950001").replace(",20\n", ",20.005\n");
    let files = Files::new(&[("c.circuit", CIRCUIT), ("t.csv", &csv)]);
    let output = files.quorate(["try", "--circuit", "c.circuit", "--csv", "t.csv"]).output().unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{stderr}");
    assert!(stdout.contains("366.78") && stdout.contains("2 redundant shares: all fit"), "{stdout}");
    assert!(!stdout.contains('\u{1b}'), "no colours in a pipe");
    assert_eq!(stderr.matches("note: column \"wage\": 3 values had more decimals").count(), 1, "{stderr}");
    assert!(stderr.contains("the largest change is 0.005 "), "{stderr}");
    assert!(stderr.lines().count() == 1, "{stderr}");
}

/// What `explain` says of bytes is what runs send, and helpers that have computed say how fast they are.
#[test]
fn estimates_of_bytes_are_what_runs_send() {
    let files = Files::new(&[]);
    for sharing in [&[][..], &["--helpers", "4"], &["--helpers", "5", "--threshold", "2"]] {
        let arguments = ["bench", "explain", "--rows", "300", "--runs", "1", "--json"];
        let report = files.output(arguments.into_iter().chain(sharing.iter().copied()));
        let lines: Vec<Value> = serde_json::from_str(&report).unwrap();
        assert_eq!(lines.len(), 6);
        for line in lines {
            let of = |key: &str| line[key].as_f64().unwrap();
            let ratio = of("estimated_bytes") / of("bytes_per_helper");
            assert!((0.97..1.03).contains(&ratio), "{sharing:?}: {line}");
            assert!(of("seconds") > 0.0 && of("estimated") > 0.0 && of("estimated_measured") > 0.0);
        }
    }
}

#[test]
fn the_demo_checks_itself() {
    let files = Files::new(&[]);
    let story = files.output(["demo"]);
    for expected in [
        "helper 4 holds",
        "equal",
        "Helper 3 is killed (SIGKILL)",
        "The same results from helpers 1, 2 and 4",
        "What secrecy cost",
    ] {
        assert!(story.contains(expected), "{expected}\n{story}");
    }
    let left = std::fs::read_dir(files.dir()).unwrap().count();
    assert_eq!(left, 0, "nothing is left behind");
}
