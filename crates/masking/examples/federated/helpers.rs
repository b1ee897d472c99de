//! By helpers: clients split what they send among three, upload it and leave.
//!
//! A round is a study with a vector column for the gradient of the batch's loss, and one for its rows; threshold 1, so that one of the
//! three processes may be away and no single one learns anything. Who has not uploaded when the study is sealed is left out.

use std::io::Cursor;
use std::path::PathBuf;
use std::sync::Arc;

use quorate_circuit::{
    Bits, Circuit, Column, Disclosure, Outcome, Rounding, Sharing, SharingKind, Study, StudyDraft,
};
use quorate_client::{Helpers as Connections, analyst, contributor, owner};
use quorate_contribute::{BadRowsPolicy, Clipping, Table, VectorFile, npy_bytes};
use quorate_federation::SecretKey;
use quorate_local::LocalFederation;
use quorate_sharing::ContributorSecret;
use rand_core::Rng;
use tempfile::TempDir;
use tokio::task::JoinSet;

use crate::model::Model;
use crate::training::{Setting, Summed};
use crate::{Failure, fresh_rng};

/// Three helpers, of which none learns anything alone.
const SHARING: Sharing = Sharing { kind: SharingKind::Shamir, helpers: 3, threshold: 1 };
/// Numbers are rounded to so many decimals.
const DECIMALS: u8 = 6;

/// A federation of helper processes.
pub(crate) struct Helpers {
    // Declared before the directory, so that the processes are gone when it is removed.
    local: LocalFederation,
    _dir: TempDir,
    owner: SecretKey,
    analyst: SecretKey,
    setting: Arc<Setting>,
}

impl Helpers {
    /// Starts the helpers.
    pub(crate) async fn start(setting: &Arc<Setting>) -> Result<Self, Failure> {
        let binary = binary()?;
        let mut rng = fresh_rng()?;
        let (owner, analyst) = (SecretKey::generate(&mut rng), SecretKey::generate(&mut rng));
        let dir = TempDir::with_prefix("quorate-")?;
        let (helpers, threshold) = (SHARING.helpers, SHARING.threshold);
        quorate_local::create(dir.path(), "training", helpers, threshold, &[owner.public()])?;
        let local = LocalFederation::start(&binary, dir.path()).await?;
        Ok(Helpers { local, _dir: dir, owner, analyst, setting: Arc::clone(setting) })
    }

    /// A round: the mean gradient at a model of those who stay.
    pub(crate) async fn sum(&mut self, number: u64, model: &Model) -> Result<Summed, Failure> {
        let leaving = self.setting.leaving(number);
        let survivors: Vec<usize> =
            (0..self.setting.batches.len()).filter(|client| !leaving.contains_key(client)).collect();
        let circuit = self.circuit(number);
        let study = self.create_study(&circuit).await?;
        let mut uploads = JoinSet::new();
        for client in &survivors {
            let table = self.table(&study, *client, model)?;
            uploads.spawn(upload(self.local.helpers().clone(), study.clone(), table));
        }
        while let Some(uploaded) = uploads.join_next().await {
            uploaded??;
        }
        owner::seal(self.local.helpers(), &self.owner, &study, &[]).await?;
        let run = analyst::run(self.local.helpers(), &self.analyst, &study, &circuit).await?;
        let [(_, Outcome::Vector(gradient)), (_, Outcome::Number(rows))] = run.answer.results.as_slice()
        else {
            return Err("the helpers answer another question".into());
        };
        let rows = rows.to_f64();
        let sums = (0..gradient.len()).filter_map(|place| gradient.get(place));
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
        Ok(Summed {
            mean: sums.map(|sum| sum.to_f64() / rows).collect(),
            rows: rows as u64,
            // Half a unit of every client, on average over their rows.
            rounding: survivors.len() as f64 * 0.5 * 10_f64.powi(-i32::from(DECIMALS)) / rows,
            survivors,
        })
    }

    /// Stops the helpers.
    pub(crate) async fn end(self) -> Result<(), Failure> {
        self.local.stop().await;
        Ok(())
    }

    fn circuit(&self, number: u64) -> String {
        let (length, rows) = (self.setting.coefficients(), self.setting.rows_max());
        let (bound, decimals) = (self.bound(), usize::from(DECIMALS));
        format!(
            "circuit round_{number}\n\
             input gradient : vector[{length}] of -{bound:.decimals$} .. {bound:.decimals$}\n\
             input rows : 1 .. {rows}\n\
             reveal sum_of_gradients = sum(gradient)\n\
             reveal sum_of_rows = sum(rows)\n"
        )
    }

    /// Of a batch's gradient: clipped on average, and added up.
    fn bound(&self) -> f64 {
        self.setting.bound * self.setting.rows_max() as f64
    }

    async fn create_study(&self, circuit: &str) -> Result<Study, Failure> {
        let helpers = self.local.helpers();
        let circuit = Circuit::parse(circuit).map_err(|_| "the circuit of a round is wrong")?;
        let capacity = self.setting.batches.len() as u64;
        let draft = StudyDraft {
            federation: *helpers.federation().id(),
            owner: *self.owner.public().as_bytes(),
            analysts: vec![*self.analyst.public().as_bytes()],
            bits: Some(Bits::None),
            // A sum of few tells too much of each.
            min_cohort: capacity / 2,
            disclosure: Disclosure { runs_max: Some(1), ..Disclosure::default() },
            ..StudyDraft::new(&circuit.name.text, SHARING, circuit.inputs(), capacity)
        };
        let (document, _) = draft.document_for(&circuit)?;
        Ok(owner::create_study(helpers, &self.owner, &document).await?)
    }

    /// What a client contributes: one row.
    fn table(&self, study: &Study, client: usize, model: &Model) -> Result<Table, Failure> {
        let batch = &self.setting.batches[client];
        let rows = batch.len() as f64;
        let gradient = model.gradient(batch, self.setting.bound).mean;
        let sum: Vec<f64> = gradient.into_iter().map(|slope| slope * rows).collect();
        let vector = VectorFile::npy(Cursor::new(npy_bytes(&sum)))?;
        let plain: Vec<Column> = study.columns.iter().filter(|column| !column.is_vector()).cloned().collect();
        let text = format!("rows\n{rows}\n");
        let table = Table::read(&plain, text.as_bytes(), Rounding::Exact, BadRowsPolicy::Refuse)?;
        Ok(table.with_vectors(&study.columns, vec![("gradient".into(), vector)], Clipping::Refuse)?)
    }
}

/// One client's upload, with a secret of its own.
async fn upload(helpers: Connections, study: Study, table: Table) -> Result<(), Failure> {
    let mut secret = [0; 32];
    fresh_rng()?.fill_bytes(&mut secret);
    let (grouping, secret) = (table.grouping(), ContributorSecret::from_bytes(secret));
    contributor::upload(&helpers, &study, Arc::new(table), grouping, secret, |_| ()).await?;
    Ok(())
}

/// The program `quorate`, which each helper runs.
fn binary() -> Result<PathBuf, Failure> {
    if let Some(named) = std::env::var_os("QUORATE_BINARY") {
        return Ok(named.into());
    }
    let own = std::env::current_exe()?;
    // An example is in `examples/` beside it.
    let beside = own.ancestors().nth(2).unwrap_or(&own).join("quorate");
    if beside.is_file() {
        return Ok(beside);
    }
    let build = "build it with `cargo build --release -p quorate-cli`, name it in QUORATE_BINARY, or train --by masks";
    Err(format!("helpers run the program quorate, and there is no {}: {build}", beside.display()).into())
}
