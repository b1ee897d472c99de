//! Trials: a whole study on fresh helper processes of this machine, gone when it ends. What `try` and `demo` share.

use std::sync::Arc;
use std::time::Instant;

use quorate_circuit::{Program, Sharing, Study, StudyDraft};
use quorate_client::{SavedRun, analyst, budget, contributor, owner};
use quorate_contribute::Table;
use quorate_federation::SecretKey;
use quorate_local::{LocalFederation, Network};
use quorate_sharing::ContributorSecret;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use tempfile::TempDir;

use crate::draft::{self, BitsArgument, Rules};
use crate::failure::Failure;
use crate::keys::random;
use crate::output::contributions_bar;
use crate::report::{Ordered, Report};
use crate::saved;

/// A study on helpers of this machine.
#[derive(Debug)]
pub(crate) struct Trial {
    // Declared before the directory, so that the processes are gone when it is removed.
    pub(crate) local: LocalFederation,
    _dir: TempDir,
    circuit: String,
    pub(crate) study: Study,
    pub(crate) program: Program,
    document: String,
    pub(crate) table: Arc<Table>,
    pub(crate) secret: ContributorSecret,
    owner: SecretKey,
    analyst: SecretKey,
    seconds: Ordered<f64>,
    bytes: Ordered<u64>,
    started: Instant,
}

/// A circuit's text, and what diagnostics call it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CircuitText<'a> {
    pub(crate) name: &'a str,
    pub(crate) text: &'a str,
}

impl Trial {
    /// Makes a federation, a study for the circuit with room for exactly the table's contributions, and starts the helpers.
    /// Everything that can be wrong with circuit and numbers is found before a process is started. `started` is when
    /// the command began to read the table.
    pub(crate) async fn start(
        circuit: CircuitText<'_>,
        sharing: Sharing,
        bits: Option<BitsArgument>,
        rules: Rules,
        table: Table,
        started: Instant,
    ) -> Result<Self, Failure> {
        Self::start_over(None, circuit, sharing, bits, rules, table, started).await
    }

    /// [`start`](Self::start) with a network between the helpers.
    pub(crate) async fn start_over(
        network: Option<Network>,
        circuit: CircuitText<'_>,
        sharing: Sharing,
        bits: Option<BitsArgument>,
        rules: Rules,
        table: Table,
        started: Instant,
    ) -> Result<Self, Failure> {
        let read = started.elapsed().as_secs_f64();
        let (owner, analyst) = (key()?, key()?);
        let parsed = draft::parse_circuit(circuit.name, circuit.text)?;
        let mut draft = StudyDraft {
            owner: *owner.public().as_bytes(),
            analysts: vec![*analyst.public().as_bytes()],
            disclosure: rules.disclosure,
            privacy: rules.privacy,
            rows_max: u32::try_from(table.largest_block(table.grouping())).unwrap_or(u32::MAX),
            ..draft::of_circuit(&parsed, sharing, bits, table.contributions(table.grouping()) as u64)
        };
        draft::document(draft.clone(), circuit.name, circuit.text)?;

        let dir = TempDir::with_prefix("quorate-").map_err(|source| Failure::File {
            doing: "make a directory in",
            path: std::env::temp_dir(),
            source,
        })?;
        let (helpers, threshold) = (sharing.helpers, sharing.threshold);
        let federation = quorate_local::create(dir.path(), "trial", helpers, threshold, &[owner.public()])?;
        draft.federation = *federation.id();
        let (document, study, program) = draft::document(draft, circuit.name, circuit.text)?;
        let local = LocalFederation::start_over(network, &this_program()?, dir.path()).await?;
        let plain = table.plain_bytes();
        let mut trial = Trial {
            local,
            _dir: dir,
            circuit: circuit.text.to_owned(),
            study,
            program,
            document,
            table: Arc::new(table),
            secret: ContributorSecret::from_bytes(*random()?),
            owner,
            analyst,
            seconds: Ordered(vec![("read".into(), read)]),
            bytes: Ordered(vec![("plain".into(), plain)]),
            started,
        };
        trial.seconds.push("start", started.elapsed().as_secs_f64() - read);
        Ok(trial)
    }

    /// Creates the study, and does not contribute yet.
    pub(crate) async fn create_study(&self) -> Result<(), Failure> {
        owner::create_study(self.local.helpers(), &self.owner, &self.document).await?;
        Ok(())
    }

    /// Creates the study and uploads every row as one contribution, or every block where the table says whose rows they are.
    pub(crate) async fn contribute(&mut self) -> Result<(), Failure> {
        let started = Instant::now();
        self.create_study().await?;
        let helpers = self.local.helpers();
        let grouping = self.table.grouping();
        let bar = contributions_bar(self.table.contributions(grouping) as u64);
        let (table, secret) = (Arc::clone(&self.table), self.secret.duplicate());
        let uploaded = contributor::upload(helpers, &self.study, table, grouping, secret, |progress| {
            bar.set_position(progress.accepted);
        })
        .await?;
        bar.finish_and_clear();
        self.seconds.push("contribute", started.elapsed().as_secs_f64());
        self.bytes.push("uploaded", uploaded.bytes);
        Ok(())
    }

    /// Seals the study.
    pub(crate) async fn seal(&mut self) -> Result<(), Failure> {
        let started = Instant::now();
        owner::seal(self.local.helpers(), &self.owner, &self.study, &[]).await?;
        self.seconds.push("seal", started.elapsed().as_secs_f64());
        Ok(())
    }

    /// Runs the circuit with the helpers that are up.
    pub(crate) async fn run(&self) -> Result<(analyst::Run, Report), Failure> {
        let run = self.run_circuit(&self.circuit).await?;
        let spent = budget::spent_after(self.local.helpers(), &self.study, &run).await;
        let total = self.started.elapsed().as_secs_f64();
        let mut bytes = self.bytes.clone();
        bytes.push("helper_memory_peak", self.local.usage_of_all().memory_peak_bytes);
        let report = Report::of(&self.study, &run, 0, spent).after(&self.seconds, &bytes).total(total);
        Ok((run, report))
    }

    /// A run of the trial's circuit, to be written down.
    pub(crate) fn saved(&self, run: &analyst::Run) -> SavedRun {
        let federation = self.local.helpers().federation();
        SavedRun::new(run, &self.circuit, &self.document, federation, saved::now())
    }

    /// Runs a circuit on the study with the helpers that are up.
    pub(crate) async fn run_circuit(&self, circuit: &str) -> Result<analyst::Run, Failure> {
        Ok(analyst::run(self.local.helpers(), &self.analyst, &self.study, circuit).await?)
    }

    /// A step's seconds, 0 if it was not done.
    pub(crate) fn seconds_of(&self, step: &str) -> f64 {
        self.seconds.0.iter().find(|(name, _)| name == step).map_or(0.0, |(_, seconds)| *seconds)
    }

    /// A step's bytes, 0 if it was not done.
    pub(crate) fn bytes_of(&self, step: &str) -> u64 {
        self.bytes.0.iter().find(|(name, _)| name == step).map_or(0, |(_, bytes)| *bytes)
    }

    /// Stops the helpers and removes everything.
    pub(crate) fn end(self) {
        // Their data goes with them: there is nothing to stop cleanly for.
        drop(self);
    }
}

/// The program that runs now: helpers are the same one.
pub(crate) fn this_program() -> Result<std::path::PathBuf, Failure> {
    std::env::current_exe().map_err(|source| Failure::File { doing: "find", path: "quorate".into(), source })
}

fn key() -> Result<SecretKey, Failure> {
    Ok(SecretKey::generate(&mut ChaCha20Rng::from_seed(*random()?)))
}
