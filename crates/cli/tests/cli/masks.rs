//! Masked rounds between real processes: the mean is that of whoever stayed, and whoever does not belong stays out.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::Value;

use crate::files::{Files, npy};

const CLIENTS: usize = 9;

/// Keys of a server and of clients, the file of those enrolled, and a vector for each.
fn keys(length: usize) -> Files {
    let files = Files::new(&[]);
    let mut enrolled = String::from("# everybody\n\n");
    files.output(["keys", "new", "server.key"]);
    for client in 0..CLIENTS {
        files.output(["keys", "new", &format!("{client}.key")]);
        enrolled += &std::fs::read_to_string(files.path(&format!("{client}.pub"))).unwrap();
        let vector = npy(1, length, |_, index| number(client, index));
        std::fs::write(files.path(&format!("{client}.npy")), vector).unwrap();
    }
    std::fs::write(files.path("enrolled"), enrolled).unwrap();
    files
}

/// A multiple of 2^-10 in -1 .. 1: exact in single precision and after scaling.
fn number(client: usize, index: usize) -> f64 {
    ((index * 37 + client * 411) % 2049) as f64 / 1024.0 - 1.0
}

/// A process that is killed if it is not waited for.
struct Process {
    child: Child,
    stderr: Receiver<String>,
}

impl Process {
    fn start(files: &Files, arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_quorate"));
        command.args(arguments).current_dir(files.dir()).env("QUORATE_LOG", "info");
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (sender, stderr) = channel();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        std::thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Process { child, stderr }
    }

    /// The first line on standard error that contains `text`.
    fn said(&self, text: &str) -> String {
        loop {
            let line = self.stderr.recv_timeout(Duration::from_secs(60)).unwrap();
            if line.contains(text) {
                return line;
            }
        }
    }

    /// What it printed, if it succeeded, or else what it said.
    fn end(mut self) -> Result<String, String> {
        let mut text = String::new();
        self.child.stdout.take().unwrap().read_to_string(&mut text).unwrap();
        let success = self.child.wait().unwrap().success();
        if success { Ok(text) } else { Err(self.stderr.iter().collect::<Vec<_>>().join("\n")) }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A server, and where it is.
fn serve(files: &Files, length: usize, more: &[&str]) -> (Process, String) {
    let length = length.to_string();
    let arguments =
        ["masks", "serve", "--listen", "127.0.0.1:0", "--key", "server.key", "--enrolled", "enrolled"];
    let wanted = ["--dimensions", &length, "--dropouts", "0.3", "--json", "--out", "mean.npy"];
    let server = Process::start(files, &[&arguments[..], &wanted, more].concat());
    let said = server.said("listening at ");
    let address = said.split_whitespace().nth(2).unwrap().trim_end_matches(',').to_owned();
    (server, address)
}

fn join(files: &Files, client: usize, address: &str, more: &[&str]) -> Process {
    let (key, vector) = (format!("{client}.key"), format!("{client}.npy"));
    let arguments = ["masks", "join", "--server", address, "--server-key", "server.pub", "--key", &key];
    let wanted = ["--vector", &vector, "--enrolled", "enrolled", "--dropouts", "0.3", "--json"];
    Process::start(files, &[&arguments[..], &wanted, more].concat())
}

fn assert_mean(report: &Value, clients: &[usize], length: usize) {
    let mean = report["mean"].as_array().unwrap();
    assert_eq!(mean.len(), length);
    for (index, found) in mean.iter().enumerate() {
        let expected =
            clients.iter().map(|client| number(*client, index)).sum::<f64>() / clients.len() as f64;
        // Reading JSON may lose the last bit.
        assert!(
            (found.as_f64().unwrap() - expected).abs() < 1e-15,
            "number {index}: {found}, not {expected}"
        );
    }
}

#[test]
fn the_mean_of_vectors_of_processes() {
    let files = keys(1000);
    let (server, address) = serve(&files, 1000, &[]);
    let clients: Vec<Process> = (0..CLIENTS).map(|client| join(&files, client, &address, &[])).collect();
    let text = server.end().unwrap();
    let report: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(report["survivors"], CLIENTS);
    assert_mean(&report, &(0..CLIENTS).collect::<Vec<_>>(), 1000);
    for client in clients {
        let taken: Value = serde_json::from_str(&client.end().unwrap()).unwrap();
        assert!(taken["counted"] == true && taken["survivors"] == CLIENTS, "{taken}");
    }
    let written = std::fs::read(files.path("mean.npy")).unwrap();
    assert!(written.len() > 8000 && written.starts_with(b"\x93NUMPY"));
}

/// One is killed when the round has begun, wherever it is by then: the mean is that of the others, or of all.
#[test]
fn a_client_that_is_killed_is_left_out() {
    const LENGTH: usize = 300_000;
    let files = keys(LENGTH);
    let (server, address) = serve(&files, LENGTH, &["--patience", "20", "--stage", "20"]);
    let mut clients: Vec<Process> = (0..CLIENTS).map(|client| join(&files, client, &address, &[])).collect();
    server.said("a round begins");
    drop(clients.remove(4));
    let text = server.end().unwrap();
    let report: Value = serde_json::from_str(&text).unwrap();
    let stayed: Vec<usize> =
        (0..CLIENTS).filter(|client| *client != 4 || report["survivors"] == CLIENTS).collect();
    assert_eq!(report["survivors"], stayed.len());
    assert_mean(&report, &stayed, LENGTH);
    for client in clients {
        client.end().unwrap();
    }
}

#[test]
fn weak_rounds_strangers_and_wrong_files_are_refused_with_a_hint() {
    let files = keys(10);
    let serve = ["masks", "serve", "--listen", "127.0.0.1:0", "--key", "server.key", "--dimensions", "10"];
    let said = files.failure([&serve[..], &["--enrolled", "server.key"]].concat(), 1);
    assert!(said.contains("hint:"), "{said}");
    let message = files.failure([&serve[..], &["--enrolled", "0.pub"]].concat(), 1);
    assert!(message.contains("a round takes at least 3"), "{message}");
    let wide = ["--enrolled", "enrolled", "--bound", "1e18"];
    let message = files.failure([&serve[..], &wide].concat(), 1);
    assert!(message.contains("--fraction-bits"), "{message}");
    let none = ["--enrolled", "enrolled", "--wait", "0"];
    let message = files.failure([&serve[..], &none].concat(), 1);
    assert!(message.contains("0 clients are connected"), "{message}");

    // A graph of two neighbours betrays nobody only if nobody is corrupt.
    let (server, address) = self::serve(&files, 10, &["--neighbours", "2", "--threshold", "2"]);
    let clients: Vec<Process> = (0..CLIENTS).map(|client| join(&files, client, &address, &[])).collect();
    server.said("2 neighbours and a threshold of 2 reach");
    server.end().unwrap_err();
    drop(clients);

    let nobody =
        ["--server", "127.0.0.1:1", "--server-key", "server.pub", "--key", "0.key", "--enrolled", "enrolled"];
    let message = files.failure([&["masks", "join"], &nobody[..], &["--vector", "0.npy"]].concat(), 1);
    assert!(message.contains("cannot connect to 127.0.0.1:1"), "{message}");
    let message = files.failure([&["masks", "join"], &nobody[..], &["--vector", "0.key"]].concat(), 1);
    assert!(message.contains("no .npy file"), "{message}");
}

#[test]
fn the_bench_is_exact_and_says_what_the_issue_of_a_graph_is() {
    let files = Files::new(&[]);
    let arguments =
        ["masks", "bench", "--clients", "30", "--dimensions", "2000", "--dropouts", "0.1", "--rounds", "1"];
    let line: Value =
        serde_json::from_str(&files.output([&arguments[..], &["--neighbours", "10", "--json"]].concat()))
            .unwrap();
    assert_eq!(line["exact"], true);
    for name in ["client_seconds", "server_seconds", "bytes_up_per_client", "prg_fraction"] {
        assert!(line[name].as_f64().is_some_and(|value| value >= 0.0), "{name}: {line}");
    }
    assert!(
        line["sigma"].is_null() && line["eta"].is_null(),
        "one corrupt client and three that vanish are certainly borne: {line}"
    );
    let several = files
        .output([&arguments[..], &["--neighbours", "chosen,all", "--active", "--plot", "plots"]].concat());
    assert!(several.lines().next().unwrap().contains("of PRG"), "{several}");
    assert!(files.path("plots").join("masks-server.png").exists());
    assert!(files.output(["masks", "explain"]).contains("the sum of 5 survivors"));
    let chosen: Value = serde_json::from_str(&files.output([
        "masks",
        "choose",
        "--clients",
        "100",
        "--corrupt",
        "0.8",
        "--json",
    ]))
    .unwrap();
    assert!(chosen[0]["neighbours"].as_u64().is_some_and(|neighbours| neighbours < 100), "{chosen}");
    let refused = chosen[1]["refused"].as_str().unwrap();
    assert!(refused.contains("no graph of 100 clients bears 10 that vanish and 80"), "{refused}");
}
