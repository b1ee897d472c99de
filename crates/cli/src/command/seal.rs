//! `quorate seal`: the helpers agree on one checked set, and nothing can be added any more.

use std::path::PathBuf;

use clap::Args;
use quorate_client::owner;

use crate::failure::Failure;
use crate::report::helpers as listed;
use crate::{files, keys, output};

#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  quorate seal --study study.toml --owner owner.key\n\nWhen the helpers cannot agree because of one of them:\n  quorate seal --study study.toml --owner owner.key --without 3"
)]
pub(crate) struct Arguments {
    /// The federation file
    #[arg(long, value_name = "FILE", env = "QUORATE_FEDERATION", default_value = "federation.toml")]
    federation: PathBuf,
    /// The study's document, or its id
    #[arg(long, value_name = "STUDY")]
    study: String,
    /// Helpers that shall take no part, by number: the others seal without them
    #[arg(long, value_name = "NUMBERS", value_delimiter = ',')]
    without: Vec<u8>,
    /// The owner's key file
    #[arg(long, value_name = "FILE")]
    owner: PathBuf,
    /// Print the signed manifest as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let key = keys::read(&arguments.owner)?;
    let helpers = files::helpers(&arguments.federation)?;
    let (_, study) = files::study(&arguments.study, &helpers).await?;
    let signed = owner::seal(&helpers, &key, &study, &arguments.without).await?;
    if arguments.json {
        return output::json(&signed);
    }
    let manifest = &signed.manifest;
    let rows = vec![
        ("manifest", manifest.id().to_string()),
        ("sealed by", format!("{}, all of them signed", listed(&manifest.members))),
        ("contributions", format!("{} with {} rows", manifest.contributions, manifest.rows)),
        ("left out", format!("{} that not all of them had", manifest.left_out.contributions)),
        (
            "excluded",
            format!(
                "{} that failed the degree check, {} with a value out of its range, {} with a vector above its norm",
                manifest.excluded.off_degree, manifest.excluded.out_of_range, manifest.excluded.above_norm
            ),
        ),
    ];
    let rows = rows.into_iter().map(|(name, value)| vec![name.to_owned(), value]).collect();
    output::line(output::aligned(rows, false, &[]))
}
