//! The processes of a local federation: started, watched, measured, killed.

use std::fs::{self, File, OpenOptions};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use quorate_client::Helpers;
use quorate_federation::Federation;
use quorate_helper::HelperDir;
use tokio::net::TcpListener;

use crate::create::{FEDERATION_FILE, helper_dir, helper_log};
use crate::network::{Relays, allow_files};
use crate::ports::free_ports;
use crate::{LocalError, Network, Usage};

/// How long helpers may take to become ready: many share few cores.
const READY_TIMEOUT: Duration = Duration::from_secs(60);
const READY_POLL: Duration = Duration::from_millis(20);
/// How long a clean stop may take before helpers are killed; a helper limits itself to ten seconds.
const STOP_TIMEOUT: Duration = Duration::from_secs(12);
/// Lines of a log that an error shows.
const TAIL_LINES: usize = 12;

/// Running helpers. Dropping it kills them.
#[derive(Debug)]
pub struct LocalFederation {
    binary: PathBuf,
    dir: PathBuf,
    helpers: Helpers,
    processes: Vec<Process>,
    relays: Relays,
}

#[derive(Debug)]
struct Process {
    number: u8,
    /// Its standard input is a pipe that closes when this process ends in whatever way; the helper stops then.
    child: Child,
    is_running: bool,
}

impl LocalFederation {
    /// Starts all helpers of the federation in `dir` (made by [`create`](crate::create())) with `binary helper run`, and
    /// waits until each is ready.
    ///
    /// # Errors
    /// The directory has no federation, the program does not start, or a helper does not become ready.
    pub async fn start(binary: &Path, dir: &Path) -> Result<Self, LocalError> {
        Self::start_over(None, binary, dir).await
    }

    /// [`start`](Self::start) with a network between the helpers; `None` leaves them on the loopback.
    ///
    /// # Errors
    /// As [`start`](Self::start); there are no ports for the relays.
    pub async fn start_over(network: Option<Network>, binary: &Path, dir: &Path) -> Result<Self, LocalError> {
        let path = dir.join(FEDERATION_FILE);
        let text =
            fs::read_to_string(&path).map_err(|source| LocalError::File { doing: "read", path, source })?;
        let federation = Federation::parse(&text)?;
        let numbers: Vec<u8> = federation.members().map(|(number, _)| number).collect();
        let relays = match network {
            Some(network) => put_between(network, dir, &federation).await?,
            None => Relays::default(),
        };
        let helpers = Helpers::new(federation)?;
        let (binary, dir) = (binary.to_owned(), dir.to_owned());
        let mut local = LocalFederation { binary, dir, helpers, processes: Vec::new(), relays };
        for number in numbers {
            let child = spawn(&local.binary, &local.dir, number)?;
            local.processes.push(Process { number, child, is_running: true });
        }
        local.wait_until_ready().await?;
        Ok(local)
    }

    /// Connections to the helpers.
    pub fn helpers(&self) -> &Helpers {
        &self.helpers
    }

    /// The numbers of the helpers that run.
    pub fn running(&mut self) -> Vec<u8> {
        self.processes
            .iter_mut()
            .filter_map(|process| process.ended().is_none().then_some(process.number))
            .collect()
    }

    /// Kills one helper at once (SIGKILL): no goodbye, as when its machine fails.
    ///
    /// # Errors
    /// There is no such helper, or it does not run.
    pub fn kill(&mut self, helper: u8) -> Result<(), LocalError> {
        let found = self.processes.iter_mut().find(|process| process.number == helper);
        let Some(process) = found.filter(|process| process.is_running) else {
            return Err(LocalError::NotRunning { helper });
        };
        process.kill();
        tracing::info!(helper, "killed");
        Ok(())
    }

    /// Starts a helper again that was killed, and waits until all that run are ready.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub async fn start_again(&mut self, helper: u8) -> Result<(), LocalError> {
        let is_gone = |process: &&mut Process| process.number == helper && !process.is_running;
        if let Some(process) = self.processes.iter_mut().find(is_gone) {
            (process.child, process.is_running) = (spawn(&self.binary, &self.dir, helper)?, true);
        }
        self.wait_until_ready().await
    }

    /// What a running helper has used so far.
    pub fn usage(&self, helper: u8) -> Option<Usage> {
        let process = self.processes.iter().find(|process| process.number == helper && process.is_running)?;
        Usage::of(process.child.id())
    }

    /// What all running helpers have used so far: processor time of all, memory of the largest.
    pub fn usage_of_all(&self) -> Usage {
        let usages = self.processes.iter().filter_map(|process| self.usage(process.number));
        usages.fold(Usage::default(), |all, one| Usage {
            cpu: all.cpu + one.cpu,
            memory_peak_bytes: all.memory_peak_bytes.max(one.memory_peak_bytes),
        })
    }

    /// Bytes that helpers sent each other so far, with TLS and heartbeats; `None` without a network between them.
    pub fn bytes_between_helpers(&self) -> Option<u64> {
        self.relays.bytes()
    }

    /// Waits until every helper has a connection to every other one.
    ///
    /// # Errors
    /// A helper does not find the others, or does not answer.
    pub async fn wait_until_connected(&self) -> Result<(), LocalError> {
        let deadline = Instant::now() + READY_TIMEOUT;
        let others = usize::from(self.helpers.federation().size()) - 1;
        for helper in self.helpers.numbers() {
            loop {
                let last = match self.helpers.status(helper).await {
                    Ok(status) if status.connected.len() == others => break,
                    Ok(status) => format!("connected to {} of {others} others", status.connected.len()),
                    Err(error) => error.to_string(),
                };
                if Instant::now() > deadline {
                    let (seconds, log) = (READY_TIMEOUT.as_secs(), helper_log(&self.dir, helper));
                    return Err(LocalError::NotReady { helper, seconds, last, log });
                }
                tokio::time::sleep(READY_POLL).await;
            }
        }
        Ok(())
    }

    /// Asks all helpers to stop and waits for it; those that take too long are killed.
    pub async fn stop(mut self) {
        for process in &mut self.processes {
            drop(process.child.stdin.take());
        }
        let deadline = Instant::now() + STOP_TIMEOUT;
        while !self.running().is_empty() && Instant::now() < deadline {
            tokio::time::sleep(READY_POLL).await;
        }
    }

    async fn wait_until_ready(&mut self) -> Result<(), LocalError> {
        let deadline = Instant::now() + READY_TIMEOUT;
        for index in 0..self.processes.len() {
            let helper = self.processes[index].number;
            let log = helper_log(&self.dir, helper);
            while let Err(error) = self.helpers.is_ready(helper).await {
                if let Some(status) = self.processes[index].ended() {
                    let tail = tail(&log);
                    return Err(LocalError::Stopped { helper, status, log, tail });
                }
                if Instant::now() > deadline {
                    let (seconds, last) = (READY_TIMEOUT.as_secs(), error.to_string());
                    return Err(LocalError::NotReady { helper, seconds, last, log });
                }
                tokio::time::sleep(READY_POLL).await;
            }
        }
        Ok(())
    }
}

impl Process {
    /// How the process ended, if it did.
    fn ended(&mut self) -> Option<String> {
        match self.child.try_wait() {
            Ok(None) => None,
            Ok(Some(status)) => {
                self.is_running = false;
                Some(status.to_string())
            }
            Err(error) => Some(error.to_string()),
        }
    }

    fn kill(&mut self) {
        // Errors mean that it has ended already.
        drop(self.child.kill());
        drop(self.child.wait());
        self.is_running = false;
    }
}

impl Drop for LocalFederation {
    fn drop(&mut self) {
        for process in &mut self.processes {
            if process.is_running {
                // First all signals, then all waiting: they die together.
                drop(process.child.kill());
            }
        }
        self.processes.iter_mut().filter(|process| process.is_running).for_each(Process::kill);
    }
}

/// Lets each helper listen for the others on another port, and relays where the federation file says that it does.
async fn put_between(network: Network, dir: &Path, federation: &Federation) -> Result<Relays, LocalError> {
    allow_files();
    let mut relays = Relays::default();
    // As many as no helper has, running or not.
    let is_taken = |port: u16| {
        let is_its = |address: &str| address.rsplit_once(':').is_some_and(|(_, its)| its == port.to_string());
        federation.members().any(|(_, member)| is_its(&member.address) || is_its(&member.peer_address))
    };
    let ports = free_ports(3 * usize::from(federation.size()))?.into_iter().filter(|port| !is_taken(*port));
    for ((number, member), port) in federation.members().zip(ports) {
        let at = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        HelperDir::listen_for_peers(&helper_dir(dir, number), at)?;
        let address = &member.peer_address;
        let failed = |source| LocalError::Relay { helper: number, address: address.clone(), source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        relays.add(listener, at, network).map_err(failed)?;
    }
    Ok(relays)
}

fn spawn(binary: &Path, dir: &Path, number: u8) -> Result<Child, LocalError> {
    let log = open_log(helper_log(dir, number))?;
    let mut command = Command::new(binary);
    command.args(["helper", "run", "--stop-with-stdin", "--dir"]).arg(helper_dir(dir, number));
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(log);
    command.spawn().map_err(|source| LocalError::Spawn { helper: number, binary: binary.to_owned(), source })
}

fn open_log(path: PathBuf) -> Result<File, LocalError> {
    let opened = OpenOptions::new().create(true).append(true).open(&path);
    opened.map_err(|source| LocalError::File { doing: "write", path, source })
}

fn tail(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_program_that_ends_at_once_is_reported_with_its_log() {
        let dir = tempfile::tempdir().unwrap();
        crate::create(dir.path(), "trial", 2, 1, &[]).unwrap();
        let error = LocalFederation::start(Path::new("/bin/false"), dir.path()).await.unwrap_err();
        assert!(matches!(error, LocalError::Stopped { helper: 1, .. }), "{error}");
    }

    #[tokio::test]
    async fn a_program_that_is_not_there_is_named() {
        let dir = tempfile::tempdir().unwrap();
        crate::create(dir.path(), "trial", 2, 1, &[]).unwrap();
        let error = LocalFederation::start(Path::new("/nowhere/quorate"), dir.path()).await.unwrap_err();
        assert!(error.to_string().starts_with("could not start helper 1 (/nowhere/quorate)"), "{error}");
    }
}
