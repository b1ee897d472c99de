//! Private results: noise and what it costs, budgets and what the helpers' ledgers say of them.

use quorate_circuit::StudyDraft;
use quorate_client::{analyst, contributor, owner};
use quorate_field::Integer;
use quorate_privacy::Budget;
use serde_json::{Value, json};

use crate::files::{CSV, Files};
use crate::study::{Created, create};

const INPUTS: &str = "circuit wages\ninput wage : 0.00 .. 100.00\ninput age : 16 .. 99\n";

fn circuit(reveals: &str) -> String {
    format!("{INPUTS}{reveals}\n")
}

fn json_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// The circuit beside `ward`, its sample, and what it would give without noise.
fn ward() -> (Files, Value) {
    let circuits = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../circuits");
    let read = |name: &str| std::fs::read_to_string(circuits.join(name)).unwrap();
    let files = Files::new(&[("c.circuit", &read("ward_private.circuit")), ("t.csv", &read("ward.csv"))]);
    (files, json_of(&read("ward_private.expected.json")))
}

#[test]
fn noise_hides_one_of_eleven_and_says_how_much_it_is() {
    let (files, exact) = ward();
    let run = || json_of(&files.output(["try", "--circuit", "c.circuit", "--csv", "t.csv", "--json"]));
    let (first, second) = (run(), run());
    for report in [&first, &second] {
        let Value::Object(results) = &report["results"] else { panic!("{report}") };
        assert_eq!(results.len(), 3);
        // Of the mean of ten the number of beds is noisy too: it may be nothing at all.
        for name in ["mean_drinks", "bed_7"] {
            let of = |key: &str| report["noise"][name][key].as_f64().unwrap();
            let (value, exact) = (results[name].as_f64().unwrap(), exact[name].as_f64().unwrap());
            // Laplace noise is beyond with less than 10^-7.
            assert!((value - exact).abs() < 12.0 * of("stderr"), "{name}: {report}");
            assert!(of("low") < value && value < of("high") && of("stderr") > 1.0, "{name}: {report}");
        }
        // One patient's 52 is nothing beside the noise of the difference.
        assert!(report["noise"]["bed_7"]["stderr"].as_f64().unwrap() > 60.0, "{report}");
        let privacy = json!({ "loss": { "rho": "1.5", "epsilon": "3" }, "budget": null, "left": null });
        for key in ["loss", "budget", "left"] {
            assert_eq!(report["privacy"][key], privacy[key], "{report}");
        }
    }
    assert_ne!(first["results"], second["results"], "fresh noise each time");
}

#[test]
fn results_for_people_have_their_noise_beside_them() {
    let reveals = "reveal people = count()\nreveal total = sum(wage) with epsilon 1\n\
                   reveal ages = histogram(age, [16, 40, 99]) with epsilon 1\nreveal middle = median(age) with epsilon 1";
    let files = Files::new(&[("c.circuit", &circuit(reveals)), ("t.csv", CSV)]);
    let arguments = ["try", "--circuit", "c.circuit", "--csv", "t.csv", "--privacy", "epsilon=4"];
    let text = files.output(arguments.into_iter().chain(["--save", "r.json"]));
    let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
    let line = |name: &str| lines.iter().find(|line| line.first() == Some(&name)).unwrap();
    assert_eq!(line("people"), &["people", "12"], "{text}");
    for name in ["total", "16..40", "40..99"] {
        assert!(line(name).len() == 4 && line(name)[2] == "±", "{text}");
    }
    assert!(line("middle").join(" ").ends_with("rows of its rank"), "{text}");
    let cost = "privacy the run cost epsilon 3; of the study's epsilon 4 there is epsilon 1 left";
    assert_eq!(line("privacy").join(" "), cost, "{text}");
    assert!(line("noise").join(" ").contains("95 percent"), "{text}");

    // The file proves the same again, and asks nobody.
    let shown = json_of(&files.output(["show", "r.json", "--json"]));
    let saved = json_of(&std::fs::read_to_string(files.path("r.json")).unwrap());
    assert_eq!((&shown["results"], &shown["noise"]), (&saved["results"], &saved["noise"]));
    assert_eq!(
        (&shown["privacy"]["spent"], &shown["privacy"]["budget"]),
        (&Value::Null, &json!({ "pure": { "epsilon": "4" } }))
    );
    let text = std::fs::read_to_string(files.path("r.json")).unwrap();
    let (before, after) = text.split_once("\"noise\": {").unwrap();
    let after = after.replacen("\"stderr\": ", "\"stderr\": 1", 1);
    std::fs::write(files.path("bad.json"), format!("{before}\"noise\": {{{after}")).unwrap();
    let bad = files.failure(["show", "bad.json"], 1);
    assert!(bad.contains("the noise of ages in the file is not"), "{bad}");
    let csv = files.output(["show", "r.json", "--csv"]);
    assert!(csv.starts_with("result,group1,measure,value,stderr,low,high\npeople,,value,12,,,\n"), "{csv}");
    files.output(["show", "r.json", "--plot", "p.svg"]);
    let picture = std::fs::read_to_string(files.path("p.svg")).unwrap();
    assert!(picture.contains("whiskers: 95% intervals of the noise alone"));
}

#[test]
fn budgets_refuse_what_is_exact_or_too_much() {
    let files = Files::new(&[
        ("exact.circuit", &circuit("reveal total = sum(wage)")),
        ("much.circuit", &circuit("reveal total = sum(wage) with epsilon 2")),
        ("t.csv", CSV),
    ]);
    let with = |circuit: &'static str, budget: &'static str| {
        ["try", "--circuit", circuit, "--csv", "t.csv", "--privacy", budget]
    };
    let exact = files.failure(with("exact.circuit", "epsilon=1"), 1);
    assert!(exact.contains("with epsilon"), "{exact}");
    let much = files.failure(with("much.circuit", "epsilon=1"), 1);
    assert!(
        much.contains("all results together cost epsilon 2") && much.contains("nothing was started"),
        "{much}"
    );
    let small = files.failure(with("much.circuit", "epsilon=1e-3"), 1);
    assert!(small.contains("is no amount") && small.contains("hint: write it as in epsilon=1"), "{small}");
}

/// Twelve people contribute to a study with a budget, which is sealed.
async fn sealed(epsilon: &str) -> Created {
    let privacy = Some(Budget::of(None, Some(epsilon.parse().unwrap()), None).unwrap());
    let created =
        create("wages", &circuit("reveal people = count()"), 100, |draft| StudyDraft { privacy, ..draft })
            .await;
    let helpers = created.local.helpers();
    for person in 0..12_u64 {
        let row = [100 * person, 30 + person].map(Integer::from);
        let batch = created.packer.pack_alone(person, 1, &row).unwrap();
        contributor::upload_batch(helpers, &created.study.id(), batch).await.unwrap();
    }
    owner::seal(helpers, &created.owner, &created.study, &[]).await.unwrap();
    created
}

/// A helper that was away does not know what a run cost. It says so, it is told, and no quorum with it gives more than there is.
#[tokio::test]
async fn ledgers_are_shown_and_a_helper_that_was_away_learns() {
    let mut created = sealed("2").await;
    let text = created.local.helpers().federation().text().to_owned();
    let small = circuit("reveal total = sum(wage) with epsilon 1");
    let files = Files::new(&[("f.toml", &text), ("small.circuit", &small)]);
    let id = created.study.id().to_string();
    let budget = || json_of(&files.output(["budget", &id, "--federation", "f.toml", "--json"]));
    let left = || budget()["left"].as_str().unwrap().to_owned();
    assert_eq!((left().as_str(), &budget()["runs"], &budget()["agree"]), ("2", &json!(0), &json!(true)));

    created.local.kill(4).unwrap();
    let run = analyst::run(created.local.helpers(), &created.analyst, &created.study, &small).await.unwrap();
    assert_eq!(run.answer.quorum, [1, 2, 3]);
    let output = files.quorate(["budget", &id, "--federation", "f.toml"]).output().unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && stderr.contains("helper 4"), "{stderr}");
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let lines: Vec<String> = stdout.lines().map(words).collect();
    for expected in
        ["budget epsilon 2", "spent epsilon 1 by 1 run", "left epsilon 1", "3 1 epsilon 1", "4 - - down"]
    {
        assert!(lines.iter().any(|line| line == expected), "{expected}\n{stdout}");
    }

    created.local.start_again(4).await.unwrap();
    created.local.wait_until_connected().await.unwrap();
    let behind = budget();
    assert_eq!((&behind["left"], &behind["agree"]), (&json!("1"), &json!(false)), "{behind}");
    assert_eq!((&behind["helpers"][3]["runs"], &behind["helpers"][3]["behind"]), (&json!(0), &json!(true)));
    let text = files.output(["budget", &id, "--federation", "f.toml"]);
    assert!(
        text.contains("helper 4 was away") && text.contains("it learns of it with the next run"),
        "{text}"
    );
    let explained =
        files.output(["explain", "--circuit", "small.circuit", "--study", &id, "--federation", "f.toml"]);
    assert!(explained.contains("epsilon 1 is spent, 0 would be left"), "{explained}");

    // Helper 4 knows of nothing spent, and with two of the others refuses what the three would refuse.
    created.local.kill(1).unwrap();
    let Created { local, study, analyst: key, .. } = &created;
    let much = circuit("reveal total = sum(wage) with epsilon 1.5");
    let refused = analyst::run(local.helpers(), key, study, &much).await.unwrap_err().to_string();
    assert!(
        refused.contains("costs epsilon 1.5") && refused.contains("there is epsilon 1 left"),
        "{refused}"
    );
    let run = analyst::run(local.helpers(), key, study, &small).await.unwrap();
    assert_eq!(run.answer.quorum, [2, 3, 4]);
    let after = budget();
    assert_eq!(
        (&after["left"], &after["runs"], &after["agree"]),
        (&json!("0"), &json!(2), &json!(true)),
        "{after}"
    );
    let refused = analyst::run(local.helpers(), key, study, &small).await.unwrap_err().to_string();
    assert!(refused.contains("there is epsilon 0 left"), "{refused}");
}
