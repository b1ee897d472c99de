//! `quorate budget`: what a study's results cost of a contributor's privacy, as every helper's ledger has it, and what is left.

use std::path::PathBuf;

use clap::Args;
use quorate_circuit::Study;
use quorate_client::budget::{behind, budgets, most_spent};
use quorate_client::{HelperError, Reports};
use quorate_privacy::{Budget, Loss};
use quorate_wire::Spent;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::report::helpers as listed;
use crate::{files, output};

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  quorate budget study.toml --federation federation.toml\n  quorate budget ID --json"
)]
pub(crate) struct Arguments {
    /// The study's document, or its id
    #[arg(value_name = "STUDY")]
    study: String,
    /// The federation file
    #[arg(long, value_name = "FILE", env = "QUORATE_FEDERATION", default_value = "federation.toml")]
    federation: PathBuf,
    /// Print as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let helpers = files::helpers(&arguments.federation)?;
    let (_, study) = files::study(&arguments.study, &helpers).await?;
    let reports = budgets(&helpers, &study.id()).await;
    // Nobody knows: the first says why.
    let known = match most_spent(&reports) {
        Some(spent) => spent.clone(),
        None => return reports.into_iter().find_map(Result::err).map_or(Ok(()), |error| Err(unknown(error))),
    };
    let ledgers =
        Ledgers { study, numbers: helpers.numbers().collect(), known, behind: behind(&reports), reports };
    if arguments.json { output::json(&ledgers.json()) } else { ledgers.print() }
}

fn unknown(error: HelperError) -> Failure {
    quorate_client::ClientError::from(error).into()
}

/// What the helpers say of one study.
struct Ledgers {
    study: Study,
    numbers: Vec<u8>,
    /// What the helper that knows most knows.
    known: Spent,
    behind: Vec<u8>,
    reports: Reports<Spent>,
}

impl Ledgers {
    fn json(&self) -> Value {
        let helper = |(number, report): (&u8, &Result<Spent, HelperError>)| match report {
            Ok(Spent { runs, loss, ledger, .. }) => json!({
                "helper": number, "up": true, "runs": runs, "spent": loss, "ledger": ledger,
                "behind": self.behind.contains(number),
            }),
            Err(error) => json!({ "helper": number, "up": false, "error": error.to_string() }),
        };
        json!({
            "study": self.study.id(),
            "budget": self.study.privacy,
            "runs": self.known.runs,
            "spent": self.known.loss,
            "left": self.study.privacy.map(|budget| budget.left(&self.known.loss)),
            "agree": self.behind.is_empty(),
            "helpers": self.numbers.iter().zip(&self.reports).map(helper).collect::<Vec<_>>(),
        })
    }

    fn print(&self) -> Result<(), Failure> {
        let (runs, loss) = (self.known.runs, &self.known.loss);
        let runs = if runs == 1 { "1 run".to_owned() } else { format!("{runs} runs") };
        let (budget, left) = match self.study.privacy {
            Some(budget) => (budget.to_string(), format!("{} {}", budget.measure(), budget.left(loss))),
            None => ("none: results may be exact, and cost what they cost".to_owned(), "no bound".to_owned()),
        };
        let rows = [
            ("study", format!("{} {}", self.study.name, self.study.id().short())),
            ("budget", budget),
            ("spent", format!("{} by {runs}", amount(self.study.privacy, loss))),
            ("left", left),
        ];
        let rows = rows.into_iter().map(|(name, value)| vec![name.to_owned(), value]).collect();
        output::line(output::aligned(rows, false, &[]))?;
        output::line("")?;
        output::line(output::aligned(self.rows(), true, &[1]))?;
        if !self.behind.is_empty() {
            output::line(format_args!("\n{}", advice(&self.behind)))?;
        }
        Ok(())
    }

    /// One row per helper.
    fn rows(&self) -> Vec<Vec<String>> {
        let mut rows = vec![["helper", "runs", "spent", ""].map(str::to_owned).to_vec()];
        for (number, report) in self.numbers.iter().zip(&self.reports) {
            match report {
                Ok(spent) => {
                    let state = if self.behind.contains(number) { "behind" } else { "" };
                    let spent = [spent.runs.to_string(), amount(self.study.privacy, &spent.loss)];
                    rows.push([number.to_string()].into_iter().chain(spent).chain([state.into()]).collect());
                }
                Err(error) => {
                    output::note(error);
                    rows.push([number.to_string(), "-".into(), "-".into(), "down".into()].to_vec());
                }
            }
        }
        rows
    }
}

/// A loss in the budget's measure; without a budget in both that there are.
fn amount(budget: Option<Budget>, loss: &Loss) -> String {
    budget.map_or_else(|| loss.to_string(), |budget| budget.spent_words(loss))
}

/// What to do about helpers whose ledgers lack something.
fn advice(behind: &[u8]) -> String {
    let (were, they) = if behind.len() == 1 { ("was", "it learns") } else { ("were", "they learn") };
    format!(
        "{} {were} away when others charged a run. Nothing is spent twice: every run has helpers that know, and {they} of it with \
         the next run. A helper that stays behind was put back to an older state: its operator should say why.",
        listed(behind)
    )
}
