//! A study from its creation to its result, on helpers that stay: the commands that `up` prints.

use serde_json::Value;

use crate::files::{CIRCUIT, CSV, Files};
use crate::up::Up;

#[test]
fn from_up_to_the_result_and_after_a_restart() {
    let files = Files::new(&[("c.circuit", CIRCUIT), ("t.csv", CSV)]);
    let up = Up::start(&files, 3);
    let json = |arguments: &[&str]| -> Value {
        let arguments = arguments.iter().copied().chain(["--federation", "trial/federation.toml", "--json"]);
        serde_json::from_str(&files.output(arguments)).unwrap()
    };
    let study = json(&[
        "study",
        "create",
        "--owner",
        "trial/owner.key",
        "--circuit",
        "c.circuit",
        "--capacity",
        "100",
        "--analyst",
        "trial/analyst.pub",
    ]);
    let id = study["study"].as_str().unwrap();
    assert_eq!(study["inputs"], "contributors: degree check, range: range check");

    let contribute = ["contribute", "--study", id, "--csv", "t.csv"];
    assert_eq!(json(&contribute)["contributions"]["repeated"], 0);
    assert_eq!(
        json(&contribute)["contributions"],
        serde_json::json!({ "accepted": 12, "refused": 0, "repeated": 12 })
    );

    let run = ["run", "--study", id, "--analyst", "trial/analyst.key", "--circuit", "c.circuit"];
    let early = files.failure(run.into_iter().chain(["--federation", "trial/federation.toml"]), 1);
    assert!(early.contains("is not sealed") && early.contains("quorate seal"), "{early}");

    let seal = ["seal", "--study", "study.toml", "--owner", "trial/owner.key"];
    assert_eq!(json(&seal)["manifest"]["contributions"], 12);
    assert_eq!(json(&run)["results"]["total"], 366.78);
    let saving: Vec<&str> = run.into_iter().chain(["--save", "result.json"]).collect();
    assert_eq!(json(&saving)["results"], json(&["show", "result.json"])["results"]);

    let stranger = ["run", "--study", id, "--analyst", "trial/owner.key", "--circuit", "c.circuit"];
    let stranger = files.failure(stranger.into_iter().chain(["--federation", "trial/federation.toml"]), 1);
    assert!(stranger.contains("refused:"), "{stranger}");
    let late = files.failure(contribute.into_iter().chain(["--federation", "trial/federation.toml"]), 1);
    assert!(late.contains("seal"), "{late}");
    up.stop();

    let up = Up::start(&files, 3);
    assert_eq!(json(&run)["results"]["mean_age"], 41.5, "what was sealed stays");
    let status = json(&["status"]);
    assert_eq!(status["helpers"][2]["status"]["studies"][0]["state"]["is"], "sealed");
    up.stop();
}
