//! Helpers that stay: `quorate up` as a child of a test.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use crate::files::Files;

/// `quorate up`, stopped with Ctrl-C.
pub(crate) struct Up(Child);

impl Up {
    /// Starts helpers in the directory `trial`, or those that are there again.
    pub(crate) fn start(files: &Files, helpers: u8) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_quorate"));
        let helpers = helpers.to_string();
        command.args(["up", "--helpers", &helpers, "--dir", "trial"]).current_dir(files.dir());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let ready = stdout.lines().any(|line| line.unwrap().contains("this protects nobody"));
        assert!(ready, "the helpers did not start");
        Up(child)
    }

    pub(crate) fn stop(mut self) {
        let id = self.0.id().to_string();
        assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
        assert!(self.0.wait().unwrap().success());
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}
