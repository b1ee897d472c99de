//! `quorate status`: which helpers answer, and how far their studies are.

use std::path::PathBuf;

use clap::Args;
use quorate_wire::{Status, StudyState};
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::report::helpers as listed;
use crate::{files, output};

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  quorate status --federation federation.toml")]
pub(crate) struct Arguments {
    /// The federation file
    #[arg(long, value_name = "FILE", env = "QUORATE_FEDERATION", default_value = "federation.toml")]
    federation: PathBuf,
    /// Print as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let helpers = files::helpers(&arguments.federation)?;
    let reports = helpers.statuses().await;
    if arguments.json {
        let reports: Vec<Value> = helpers
            .numbers()
            .zip(&reports)
            .map(|(number, report)| match report {
                Ok(status) => json!({ "helper": number, "up": true, "status": status }),
                Err(error) => json!({ "helper": number, "up": false, "error": error.to_string() }),
            })
            .collect();
        return output::json(&json!({ "federation": helpers.federation().id(), "helpers": reports }));
    }
    output::line(format_args!("federation {}\n", helpers.federation()))?;
    let heading = ["helper", "", "version", "connected to", "study", "state", "contributions"];
    let mut rows = vec![heading.map(str::to_owned).to_vec()];
    for (number, report) in helpers.numbers().zip(reports) {
        match report {
            Ok(status) => rows.extend(rows_of(&status)),
            Err(error) => {
                output::note(error);
                rows.push(vec![number.to_string(), "down".into()]);
            }
        }
    }
    output::line(output::aligned(rows, true, &[6]))
}

/// One row per study; the helper's own cells stand in the first.
fn rows_of(status: &Status) -> Vec<Vec<String>> {
    let helper = [status.helper.to_string(), "up".into(), status.version.clone(), listed(&status.connected)];
    let mut rows: Vec<Vec<String>> = status
        .studies
        .iter()
        .map(|study| {
            let state = match &study.state {
                StudyState::Open => "open".to_owned(),
                StudyState::Sealing => "sealing".to_owned(),
                StudyState::Prepared { .. } => "waiting for signatures".to_owned(),
                StudyState::Sealed { manifest } => {
                    format!("sealed, {} in the set", manifest.manifest.contributions)
                }
            };
            let name = format!("{} {}", study.name, study.study.short());
            let mut row = vec![String::new(); 4];
            row.extend([name, state, study.contributions.to_string()]);
            row
        })
        .collect();
    if rows.is_empty() {
        rows.push(vec![String::new(); 4]);
    }
    rows[0][..4].clone_from_slice(&helper);
    rows
}
