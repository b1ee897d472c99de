//! `quorate masks choose`: neighbours and threshold for a number of clients.

use clap::Args;
use quorate_masking::{CLIENTS_MAX, choose};
use serde_json::json;

use super::demand::{DemandArguments, bits, bits_or_none};
use crate::failure::Failure;
use crate::output::{self, aligned};

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  quorate masks choose --clients 100,1000,10000 --dropouts 0.3")]
pub(super) struct Arguments {
    /// Numbers of clients
    #[arg(long, value_name = "COUNTS", value_delimiter = ',', default_value = "100,1000,10000", value_parser = clap::value_parser!(u32).range(3..=CLIENTS_MAX as i64))]
    clients: Vec<u32>,
    #[command(flatten)]
    demand: DemandArguments,
    /// Print as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let demand = arguments.demand.demand();
    let heading = ["clients", "server", "neighbours", "threshold", "sigma", "eta"];
    let mut rows = vec![heading.map(str::to_owned).to_vec()];
    let mut lines = Vec::new();
    for &clients in &arguments.clients {
        for is_active in [false, true] {
            let server = if is_active { "may lie" } else { "follows" };
            match choose(clients, is_active, &demand) {
                Ok((neighbours, threshold, reached)) => {
                    lines.push(json!({
                        "clients": clients, "active": is_active, "neighbours": neighbours, "threshold": threshold,
                        "sigma": bits_or_none(reached.sigma), "eta": bits_or_none(reached.eta),
                    }));
                    rows.push(vec![
                        clients.to_string(),
                        server.to_owned(),
                        neighbours.to_string(),
                        threshold.to_string(),
                        bits(reached.sigma),
                        bits(reached.eta),
                    ]);
                }
                Err(infeasible) => {
                    lines.push(
                        json!({ "clients": clients, "active": is_active, "refused": infeasible.to_string() }),
                    );
                    rows.push(vec![clients.to_string(), server.to_owned(), format!("none: {infeasible}")]);
                }
            }
        }
    }
    if arguments.json {
        return output::json(&lines);
    }
    output::line(aligned(rows, true, &[0, 4, 5]))
}
