//! Files and commands that the tests share.

use std::path::{Path, PathBuf};

use assert_cmd::Command;
use tempfile::TempDir;

pub(crate) const CIRCUIT: &str = "circuit wages\n\
    input wage : 0.00 .. 100.00\n\
    input age  : 16 .. 99\n\
    reveal people = count()\n\
    reveal total = sum(wage)\n\
    reveal mean_age = mean(age)\n";

/// Twelve people: total 366.78, mean age 41.5.
pub(crate) const CSV: &str = "name,age,wage\n\
    a,30,10.5\nb,31,20\nc,53,30.28\nd,40,40\ne,41,50\nf,42,60\ng,43,16\nh,44,20\ni,45,30\nj,46,40\nk,47,50\nl,36,0\n";

/// A NumPy file of `rows` vectors of `length` numbers.
pub(crate) fn npy(rows: usize, length: usize, number: impl Fn(usize, usize) -> f64) -> Vec<u8> {
    let text = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': ({rows}, {length}), }}\n");
    let size = u16::try_from(text.len()).unwrap().to_le_bytes();
    let mut bytes = [b"\x93NUMPY\x01\x00", &size[..], text.as_bytes()].concat();
    bytes.extend((0..rows * length).flat_map(|place| number(place / length, place % length).to_le_bytes()));
    bytes
}

/// A directory with files in it.
pub(crate) struct Files(TempDir);

impl Files {
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let dir = Files(TempDir::new().unwrap());
        for (name, text) in files {
            std::fs::write(dir.path(name), text).unwrap();
        }
        dir
    }

    pub(crate) fn dir(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir().join(name)
    }

    /// `quorate` in this directory, with nothing of the environment that changes what it says.
    pub(crate) fn quorate<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_quorate"));
        command
            .current_dir(self.dir())
            .args(arguments)
            .env_remove("QUORATE_FEDERATION")
            .env_remove("QUORATE_LOG");
        command.timeout(std::time::Duration::from_secs(120));
        command
    }

    /// What a command that succeeds prints to standard output.
    pub(crate) fn output<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> String {
        let output = self.quorate(arguments).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{stderr}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// What a command that must fail says on standard error; it prints nothing to standard output.
    pub(crate) fn failure<'a>(&self, arguments: impl IntoIterator<Item = &'a str>, code: i32) -> String {
        let output = self.quorate(arguments).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{stderr}");
        assert!(output.stdout.is_empty(), "{}", String::from_utf8_lossy(&output.stdout));
        stderr
    }
}
