//! Vectors from NumPy files: whole studies on real processes, and files that are none.

use serde_json::{Value, json};

use crate::files::{Files, npy};
use crate::up::Up;

const ROWS: usize = 20;
const LENGTH: usize = 1_000;

const CIRCUIT: &str = "circuit learning\n\
    input g : vector[1_000] of -1.0000 .. 1.0000\n\
    reveal people = count()\n\
    reveal total = sum(g)\n\
    reveal average = mean(g)\n";

/// Element `index` of contributor `row`'s vector, in units of 0.0001: all over the range, ends included.
fn unit(row: usize, index: usize) -> i64 {
    let mixed = (row * LENGTH + index) as u64;
    let mixed = mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23).wrapping_mul(0x2545_f491_4f6c_dd1d);
    i64::try_from(mixed % 20_001).unwrap() - 10_000
}

fn files() -> Files {
    let files = Files::new(&[("c.circuit", CIRCUIT)]);
    let gradients = npy(ROWS, LENGTH, |row, index| unit(row, index) as f64 / 10_000.0);
    std::fs::write(files.path("g.npy"), gradients).unwrap();
    files
}

/// What the clear text gives, over a divisor.
fn expected(divisor: i64) -> Vec<f64> {
    let sum = |index| (0..ROWS).map(|row| unit(row, index)).sum::<i64>();
    (0..LENGTH).map(|index| sum(index) as f64 / (10_000 * divisor) as f64).collect()
}

pub(crate) fn numbers(report: &Value, name: &str) -> Vec<f64> {
    report["results"][name].as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

#[test]
fn the_sum_of_gradients_is_that_of_the_clear_text() {
    let files = files();
    for (more, quorum) in [
        (&["--helpers", "3", "--stop", "2", "--save", "r.json"][..], &[1, 3][..]),
        (&["--helpers", "4"], &[1, 2, 3, 4]),
        (&["--helpers", "3", "--sharing", "additive"], &[1, 2, 3]),
    ] {
        let arguments = ["try", "--circuit", "c.circuit", "--vector", "g=g.npy", "--json"];
        let report: Value =
            serde_json::from_str(&files.output(arguments.into_iter().chain(more.iter().copied()))).unwrap();
        assert_eq!(numbers(&report, "total"), expected(1), "{more:?}");
        assert_eq!(numbers(&report, "average"), expected(20), "{more:?}");
        assert_eq!(report["results"]["people"], 20);
        assert_eq!(report["quorum"], json!(quorum));
        assert!(report["inputs"].as_str().unwrap().contains("range: trusted"), "{}", report["inputs"]);
        assert_eq!(report["bytes"]["results"], 8 * LENGTH * quorum.len());
    }
    let shown: Value = serde_json::from_str(&files.output(["show", "r.json", "--json"])).unwrap();
    assert_eq!(numbers(&shown, "total"), expected(1));
    let csv = files.output(["show", "r.json", "--csv"]);
    assert_eq!(csv.lines().count(), 1 + 1 + 2 * LENGTH);
    assert!(csv.contains(&format!("\ntotal,999,{}", expected(1)[999])), "{csv}");
    let text = files.output(["show", "r.json", "--plot", "r.svg"]);
    assert!(text.contains("and 992 more of 1000 numbers"), "{text}");
    assert!(std::fs::read_to_string(files.path("r.svg")).unwrap().contains("1000 numbers"));

    let saved = std::fs::read_to_string(files.path("r.json")).unwrap();
    let vector = saved.find("\"vectors\"").unwrap();
    let place = vector + saved[vector..].find("00").unwrap();
    let mut changed = saved;
    changed.replace_range(place..place + 1, "1");
    std::fs::write(files.path("changed.json"), changed).unwrap();
    let message = files.failure(["show", "changed.json"], 1);
    assert!(message.contains("are not signed by it"), "{message}");
}

/// A vector beside ordinary columns, one of them blank; a sum whose elements are a column of the table each.
#[test]
fn vectors_beside_a_table() {
    let circuit = "circuit both\ninput age : optional 0 .. 99\ninput g : vector[2] of 0.0 .. 9.0\n\
                   input h : vector[3] of -5 .. 5\nreveal g_total = sum(g)\nreveal h_mean = mean(h)\n\
                   reveal mean_age = mean(age)\nreveal unknown = missing(age)\n";
    let csv = "h.2,who,h.0,age,h.1\n1,a,2,40,3\n-1,b,5,,-5\n0,a,1,50,1\n";
    let files = Files::new(&[("c.circuit", circuit), ("t.csv", csv)]);
    std::fs::write(files.path("g.npy"), npy(3, 2, |row, index| (row + index) as f64 + 0.26)).unwrap();
    let arguments =
        ["try", "--circuit", "c.circuit", "--csv", "t.csv", "--by", "who", "--vector", "g=g.npy", "--json"];
    let report: Value = serde_json::from_str(&files.output(arguments)).unwrap();
    let third = |top: f64| top / 3.0;
    assert_eq!(numbers(&report, "g_total"), [3.9, 6.9]);
    assert_eq!(numbers(&report, "h_mean"), [third(8.0), third(-1.0), 0.0]);
    assert_eq!(report["results"]["mean_age"], 45);
    assert_eq!(report["results"]["unknown"], 1);
    assert_eq!(report["contributions"]["accepted"], 2);
}

/// Longer than what a step of a seal or of a run's scan takes up, and than what an upload aims at.
#[test]
fn a_vector_longer_than_every_step() {
    const LONG: usize = 600_000;
    let circuit = CIRCUIT.replace("1_000", "600_000").replace("reveal average = mean(g)\n", "");
    let files = Files::new(&[("c.circuit", &circuit)]);
    let number = |row: usize, index: usize| unit(row, index) as f64 / 10_000.0;
    std::fs::write(files.path("g.npy"), npy(2, LONG, number)).unwrap();
    let arguments = ["try", "--circuit", "c.circuit", "--vector", "g=g.npy", "--helpers", "3", "--json"];
    let report: Value = serde_json::from_str(&files.output(arguments)).unwrap();
    let clear = (0..LONG).map(|index| (unit(0, index) + unit(1, index)) as f64 / 10_000.0);
    assert!(numbers(&report, "total").into_iter().eq(clear));
    assert_eq!(report["integrity"]["redundant_shares"], 1);
}

/// A study for the circuit, a contributor who comes twice, one whose numbers are clipped, and the result.
#[test]
fn a_study_of_vectors_from_its_creation_to_its_result() {
    let files = files();
    let up = Up::start(&files, 3);
    let federation = ["--federation", "trial/federation.toml"];
    let json = |arguments: &[&str]| -> Value {
        let arguments = arguments.iter().copied().chain(federation).chain(["--json"]);
        serde_json::from_str(&files.output(arguments)).unwrap()
    };
    let create =
        ["study", "create", "--owner", "trial/owner.key", "--circuit", "c.circuit", "--capacity", "30"];
    let study = json(&[&create[..], &["--analyst", "trial/analyst.pub"]].concat());
    let id = study["study"].as_str().unwrap();

    let contribute = |file: &str| ["contribute", "--study", id, "--vector", file].map(str::to_owned);
    let g = contribute("g=g.npy");
    let g: Vec<&str> = g.iter().map(String::as_str).collect();
    assert_eq!(json(&g)["contributions"], json!({ "accepted": 20, "refused": 0, "repeated": 0 }));
    assert_eq!(json(&g)["contributions"]["repeated"], 20, "the secret is kept beside the vectors");
    std::fs::write(files.path("wild.npy"), npy(1, LENGTH, |_, index| index as f64 - 1.0)).unwrap();
    let wild = contribute("g=wild.npy");
    let wild: Vec<&str> = wild.iter().map(String::as_str).collect();
    let refused = files.failure(wild.iter().copied().chain(federation), 1);
    assert!(refused.contains("row 1, element 3: 2 is out of range: expected -1.0000 .. 1.0000"), "{refused}");
    assert!(refused.contains("--clip"), "{refused}");
    let output = files.quorate(wild.into_iter().chain(federation).chain(["--clip"])).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && stderr.contains("997 of 1000 elements were out of range"), "{stderr}");

    assert_eq!(
        json(&["seal", "--study", "study.toml", "--owner", "trial/owner.key"])["manifest"]["contributions"],
        21
    );
    let run = json(&["run", "--study", id, "--analyst", "trial/analyst.key", "--circuit", "c.circuit"]);
    let clipped = |index: usize| [-10_000, 0, 10_000][index.min(2)];
    let clear = |index| (0..ROWS).map(|row| unit(row, index)).sum::<i64>() + clipped(index);
    let clear: Vec<f64> = (0..LENGTH).map(|index| clear(index) as f64 / 10_000.0).collect();
    assert_eq!(numbers(&run, "total"), clear);
    up.stop();
}

#[test]
fn files_and_arguments_that_are_of_no_use() {
    let files = files();
    std::fs::write(files.path("short.npy"), npy(2, 999, |_, _| 0.0)).unwrap();
    std::fs::write(files.path("nan.npy"), npy(1, LENGTH, |_, _| f64::NAN)).unwrap();
    std::fs::write(files.path("cut.npy"), &npy(2, LENGTH, |_, _| 0.0)[..5_000]).unwrap();
    std::fs::write(files.path("t.csv"), "age\n3\n").unwrap();
    let refused = |more: &[&str], words: &[&str]| {
        let arguments = ["try", "--circuit", "c.circuit"].into_iter().chain(more.iter().copied());
        let message = files.failure(arguments, 1);
        assert!(words.iter().all(|word| message.contains(word)), "{words:?} expected in {message}");
    };
    refused(&["--vector", "g=short.npy"], &["the file's vectors have 999 elements, and the study's 1000"]);
    refused(&["--vector", "g=nan.npy", "--clip"], &["row 1, element 0: NaN is no number"]);
    refused(&["--vector", "g=cut.npy"], &["cut.npy", "its header makes it", "save it again"]);
    refused(&["--vector", "g=t.csv"], &["it is no .npy file", "np.save"]);
    refused(&["--vector", "g=none.npy"], &["none.npy", "check the path"]);
    refused(&["--vector", "g.npy"], &["names no column and file", "--vector g=gradient.npy"]);
    refused(&["--vector", "g=g.npy", "--vector", "g=g.npy"], &["column \"g\" twice"]);
    refused(&["--vector", "g=g.npy", "--vector", "x=g.npy"], &["\"x\" has no vectors", "[g]"]);
    refused(&["--csv", "t.csv", "--vector", "g=g.npy"], &["the file has 20 vectors, and there are 1 rows"]);
    refused(&["--csv", "t.csv"], &["no column \"g.0\""]);
    refused(&["--vector", "g=g.npy", "--bits", "sealed"], &["no bits of vectors", "bits = \"none\""]);
    let missing = files.failure(["try", "--circuit", "c.circuit"], 2);
    assert!(missing.contains("--csv"), "{missing}");
}
