//! `bench thresholds` and `bench secrecy`, small: the commands compare every result with the clear text themselves.

use serde_json::Value;

use crate::files::Files;

fn json(files: &Files, arguments: &[&str]) -> Value {
    serde_json::from_str(&files.output(arguments.iter().copied())).unwrap()
}

/// Every number of an object is above zero, but for these.
fn assert_above_zero(costs: &Value, except: &[&str]) {
    let numbers = costs.as_object().unwrap().iter().filter(|(name, _)| !except.contains(&name.as_str()));
    for (name, value) in numbers {
        assert!(value.as_f64().is_some_and(|value| value > 0.0), "{name}: {costs}");
    }
}

#[test]
fn what_thresholds_cost_and_bear() {
    let files = Files::new(&[]);
    let arguments = ["bench", "thresholds", "--schemes", "3:1,4:1,additive:2", "--contributors", "50"];
    let report = json(&files, &[&arguments[..], &["--runs", "1", "--plot", "plots", "--json"]].concat());
    assert!(report["network"].is_null());
    let lines = report["lines"].as_array().unwrap();
    assert_eq!(lines.len(), 6, "two circuits, three schemes");
    for line in lines {
        let is_nonlinear_additive = line["sharing"] == "additive" && line["circuit"] == "nonlinear";
        assert_eq!(line["costs"].is_null(), is_nonlinear_additive, "{line}");
        if is_nonlinear_additive {
            continue;
        }
        // Fifty rows may fit the memory that a helper has anyway, and helpers compute linear circuits each alone.
        assert_above_zero(&line["costs"], &["rounds", "helper_memory_bytes_per_contribution"]);
        assert_eq!(line["costs"]["rounds"].as_u64().is_some(), line["circuit"] == "nonlinear", "{line}");
    }
    // One contribution is three values of eight bytes; two of three helpers get them, one a seed, all more than that.
    let bytes = |index: usize| lines[index]["costs"]["bytes_per_contributor"].as_u64().unwrap();
    assert!(bytes(0) > 2 * 24 + 32 && bytes(1) > bytes(0) && bytes(2) < bytes(0));
    let may = serde_json::json!({ "crash": 2, "collude": 1, "lie_noticed": 1, "lie_corrected": 1 });
    assert_eq!(lines[1]["may"], may, "linear, four helpers");
    let name = |entry: std::io::Result<std::fs::DirEntry>| entry.unwrap().file_name().into_string().unwrap();
    let mut plots: Vec<String> = std::fs::read_dir(files.path("plots")).unwrap().map(name).collect();
    plots.sort();
    assert_eq!(plots.len(), 28, "{plots:?}");
    for expected in
        ["upload-by-helpers.svg", "time-by-contributors-nonlinear.png", "work-by-threshold-linear.svg"]
    {
        assert!(plots.iter().any(|plot| plot == expected), "{plots:?}");
    }
}

/// A circuit of one's own over a network: every round waits for the way of its messages.
#[test]
fn a_network_between_the_helpers_is_waited_for() {
    let circuit = "circuit c\ninput day : 2024-01-01 .. 2024-12-31\ninput x : optional -1.0 .. 1.0\n\
                   reveal late = count(day > 2024-06-30)\nreveal mean_x = mean(x) where day > 2024-06-30\n";
    let files = Files::new(&[("c.circuit", circuit)]);
    let arguments = ["bench", "thresholds", "--schemes", "3:1", "--contributors", "20", "--runs", "1"];
    let more = ["--circuit", "c.circuit", "--delay-ms", "10", "--rate-mbit", "100", "--json"];
    let report = json(&files, &[&arguments[..], &more].concat());
    assert_eq!(report["network"], serde_json::json!({ "round_trip_ms": 20.0, "rate_mbit": 100 }));
    let costs = &report["lines"][0]["costs"];
    let of = |name: &str| costs[name].as_f64().unwrap();
    assert!(of("rounds") > 2.0 && of("run_seconds") >= 0.010 * of("rounds"), "{costs}");
    assert!(of("seal_seconds") >= 0.020, "{costs}");
}

#[test]
fn what_secrecy_costs() {
    let files = Files::new(&[]);
    let report = json(&files, &["bench", "secrecy", "--values", "2,40", "--contributors", "20", "--json"]);
    assert_eq!(report["contributors"], 20);
    let lines = report["lines"].as_array().unwrap();
    let variants: Vec<&str> = lines.iter().map(|line| line["variant"].as_str().unwrap()).collect();
    assert_eq!(variants[..5], ["plain", "additive 2", "additive 3", "(3, 1)", "(3, 1) with bits"]);
    assert_eq!(variants[5..7], ["masks, passive", "masks, active"]);
    assert_eq!(variants[7..], variants[..7], "40 values");
    for line in lines {
        let costs = &line["costs"];
        if line["variant"] == "plain" {
            // Its length, and eight bytes a value.
            assert_eq!(costs["bytes_per_contribution"], 8.0 + 8.0 * line["values"].as_f64().unwrap());
            assert_above_zero(costs, &["seal_seconds", "bytes_between_servers"]);
            continue;
        }
        if line["variant"].as_str().unwrap().starts_with("masks") {
            assert_above_zero(costs, &["seal_seconds", "run_seconds", "bytes_between_servers"]);
            continue;
        }
        assert_above_zero(costs, &[]);
        let ratio = |name: &str| line["ratios"][name].as_f64().unwrap();
        assert!(
            ratio("bytes_per_contribution") > 1.0 && ratio("bytes_in_all") > ratio("bytes_per_contribution")
        );
    }
    let of_many = |index: usize| lines[index + 7]["ratios"]["bytes_per_contribution"].as_f64().unwrap();
    assert!(of_many(2) < of_many(3), "additive sharing sends less than Shamir's");
}

#[test]
fn schemes_that_cannot_be() {
    let files = Files::new(&[]);
    for (schemes, expected) in [
        ("3:3", "a threshold of at least 1 and below the number of helpers"),
        ("three", "expected N:T as in 5:2, or additive:N"),
        ("additive:1", "2 to 64 helpers"),
    ] {
        let message = files.failure(["bench", "thresholds", "--schemes", schemes], 2);
        assert!(message.contains(expected), "{message}");
    }
    let message = files.failure(["bench", "thresholds", "--network", "lan", "--delay-ms", "1"], 2);
    assert!(message.contains("cannot be used with"), "{message}");
}
