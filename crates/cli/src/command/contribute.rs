//! `quorate contribute`: private numbers leave this machine only as shares.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use clap::Args;
use quorate_client::contributor;
use quorate_contribute::{BadRowsPolicy, Grouping};
use serde_json::json;

use crate::failure::Failure;
use crate::files::RowsArguments;
use crate::output::{bytes, contributions_bar, line, note, seconds};
use crate::{files, keys, output};

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  quorate contribute --study study.toml --csv wages.csv\n  quorate contribute --study \
    learning.toml --vector g=gradient.npy --clip\n\nThe secret beside the table \
    (wages.csv.secret) makes it harmless to repeat a command that broke off: every row counts once. Keep it until the \
    study is sealed. A row whose values changed since is a new contribution."
)]
pub(crate) struct Arguments {
    /// The federation file
    #[arg(long, value_name = "FILE", env = "QUORATE_FEDERATION", default_value = "federation.toml")]
    federation: PathBuf,
    /// The study's document, or its id
    #[arg(long, value_name = "STUDY")]
    study: String,
    #[command(flatten)]
    rows: RowsArguments,
    /// The whole file is one contributor's block; else each row is one contributor
    #[arg(long, conflicts_with = "by")]
    one_block: bool,
    /// Leave out rows that cannot be read or are out of range
    #[arg(long)]
    skip_bad: bool,
    /// The contributor's secret; FILE.secret beside the table, or else the first vectors, if not given
    #[arg(long, value_name = "FILE")]
    secret: Option<PathBuf>,
    /// Print as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let started = Instant::now();
    let helpers = files::helpers(&arguments.federation)?;
    let (_, study) = files::study(&arguments.study, &helpers).await?;
    let policy = if arguments.skip_bad { BadRowsPolicy::Skip } else { BadRowsPolicy::Refuse };
    let table = arguments.rows.table(&study.columns, policy)?;
    let skipped = table.skipped().count;
    if skipped > 0 {
        note(format_args!(
            "note: skipped {skipped} of {} rows\n{}",
            table.rows() as u64 + skipped,
            table.skipped()
        ));
    }
    let secret = arguments.secret.unwrap_or_else(|| beside(&arguments.rows.first_file()));
    let secret = keys::contributor_secret(&secret)?;
    let grouping = if arguments.one_block { Grouping::OneBlock } else { table.grouping() };

    let bar = contributions_bar(table.contributions(grouping) as u64);
    let done = contributor::upload(&helpers, &study, Arc::new(table), grouping, secret, |progress| {
        bar.set_position(progress.accepted);
    })
    .await?;
    bar.finish_and_clear();

    let took = started.elapsed().as_secs_f64();
    if arguments.json {
        return output::json(&json!({
            "study": study.id(),
            "contributions": { "accepted": done.accepted, "refused": skipped, "repeated": done.repeated },
            "bytes": { "uploaded": done.bytes },
            "seconds": { "total": took },
        }));
    }
    let n = helpers.federation().size();
    line(format_args!(
        "{} contributions are durable at all {n} helpers ({} of them were there already), {} in {}",
        done.accepted,
        done.repeated,
        bytes(done.bytes),
        seconds(took)
    ))
}

fn beside(csv: &std::path::Path) -> PathBuf {
    let mut name = csv.as_os_str().to_owned();
    name.push(".secret");
    name.into()
}
