//! Disclosure rules on helpers that stay: what one run told counts in the next, also after a restart.

use serde_json::{Value, json};

use crate::files::Files;
use crate::up::Up;

const INPUTS: &str = "circuit company
input pay  : 0 .. 100_000
input code : 0 .. 3
input dept : north | south | east | board
";

/// 9 in the north, 8 in the south, 7 in the east and a board of 3.
fn csv() -> String {
    let departments = [("north", 9), ("south", 8), ("east", 7), ("board", 3)];
    let people = (0..).zip(departments).flat_map(|(code, (name, size))| vec![(code, name); size]);
    let line =
        |(place, (code, name)): (usize, (usize, &str))| format!("{},{code},{name}\n", 30_000 + 1_117 * place);
    format!("pay,code,dept\n{}", people.enumerate().map(line).collect::<String>())
}

#[test]
fn a_small_group_stays_unknown_over_runs_and_restarts() {
    let ask = |reveals: &str| format!("{INPUTS}{reveals}\n");
    let files = Files::new(&[
        ("c.circuit", &ask("reveal pay = mean(pay) by dept\nreveal all = mean(pay)")),
        ("upper.circuit", &ask("reveal upper = sum(pay) where code >= 2")),
        ("east.circuit", &ask("reveal east = sum(pay) where code == 2")),
        ("sum.circuit", &ask("reveal sum = sum(code) by dept")),
        ("extreme.circuit", &ask("reveal bits = count(pay > 90_000)")),
        ("t.csv", &csv()),
    ]);
    let up = Up::start(&files, 4);
    let with = |arguments: &[&'static str]| -> Vec<&'static str> {
        arguments.iter().copied().chain(["--federation", "trial/federation.toml"]).collect()
    };
    let json = |arguments: &[&'static str]| -> Value {
        let arguments = with(arguments).into_iter().chain(["--json"]);
        serde_json::from_str(&files.output(arguments)).unwrap()
    };
    let create =
        ["study", "create", "--owner", "trial/owner.key", "--circuit", "c.circuit", "--capacity", "100"];
    let rules = [
        "--min-group",
        "5",
        "--runs-max",
        "4",
        "--allow",
        "code=where,count",
        "--analyst",
        "trial/analyst.pub",
    ];
    let study = json(&[&create[..], &rules].concat());
    assert_eq!(study["rules"].as_array().unwrap().len(), 4, "{study}");
    json(&["contribute", "--study", "study.toml", "--csv", "t.csv"]);
    json(&["seal", "--study", "study.toml", "--owner", "trial/owner.key"]);
    let run = |circuit: &'static str| {
        ["run", "--study", "study.toml", "--analyst", "trial/analyst.key", "--circuit", circuit]
    };

    let refused = files.failure(with(&run("sum.circuit")), 1);
    assert!(refused.contains("policy.functions.code"), "{refused}");

    let results = json(&run("c.circuit"))["results"].take();
    assert!(results["pay"]["north"].is_f64() || results["pay"]["north"].is_u64(), "{results}");
    assert_eq!(
        [&results["pay"]["board"], &results["pay"]["east"]],
        [&Value::Null, &Value::Null],
        "{results}"
    );
    assert!(!results["all"].is_null());
    // The ten in east and board together are no small group, and known already: the table left them together.
    let upper: u64 = (17..27).map(|place| 30_000 + 1_117 * place).sum();
    assert_eq!(json(&run("upper.circuit"))["results"], json!({ "upper": upper }));
    up.stop();

    let up = Up::start(&files, 4);
    assert_eq!(json(&run("east.circuit"))["results"], json!({ "east": null }));
    assert_eq!(
        json(&run("upper.circuit"))["results"],
        json!({ "upper": upper }),
        "what was shown stays shown"
    );
    let refused = files.failure(with(&run("extreme.circuit")), 1);
    assert!(refused.contains("at most 4") && refused.contains("policy.runs_max"), "{refused}");
    up.stop();
}
