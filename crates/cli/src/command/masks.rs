//! `quorate masks`: sums of vectors by pairwise masks, with one server and its clients online.

mod bench;
mod choose;
mod demand;
mod explain;
mod join;
mod serve;
mod shape;

use std::path::Path;

use clap::{Args, Subcommand};
use quorate_federation::PublicKey;

use crate::failure::Failure;
use crate::files;

#[derive(Debug, Args)]
#[command(
    after_help = "The server learns the sum and nothing else about any vector, even if clients vanish halfway.\nExample, in four terminals (see docs/operating.md):\n  \
    quorate keys new server.key; for i in 1 2 3; do quorate keys new client$i.key; done; cat client?.pub > enrolled\n  \
    quorate masks serve --key server.key --enrolled enrolled --dimensions 1000 --out mean.npy\n  \
    quorate masks join --server 127.0.0.1:7200 --server-key server.pub --key client1.key --enrolled enrolled --vector gradient.npy"
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Show how masks cancel, what one dropout does to them, and the protocol that survives it
    Explain(explain::Arguments),
    /// Choose neighbours and threshold for a number of clients
    Choose(choose::Arguments),
    /// Serve rounds to enrolled clients
    Serve(serve::Arguments),
    /// Take part in rounds with a vector
    Join(join::Arguments),
    /// Measure what a round costs each client and the server
    Bench(bench::Arguments),
}

pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    match arguments.what {
        What::Explain(arguments) => explain::run(&arguments),
        What::Choose(arguments) => choose::run(&arguments),
        What::Serve(arguments) => serve::run(arguments).await,
        What::Join(arguments) => join::run(arguments).await,
        What::Bench(arguments) => bench::run(&arguments),
    }
}

/// The keys in a file: one in each line, blank lines and what follows a `#` left out.
fn enrolled(path: &Path) -> Result<Vec<PublicKey>, Failure> {
    let text = files::text(path)?;
    let lines =
        (1..).zip(text.lines()).map(|(number, line)| (number, line.split('#').next().unwrap_or("").trim()));
    let keys = lines.filter(|(_, line)| !line.is_empty()).map(|(number, line): (usize, _)| {
        line.parse().map_err(|error| Failure::Invalid {
            message: format!("{}, line {number}: {error}", path.display()),
            hint: Some("one public key in each line: `cat *.pub` of what `quorate keys new` made".into()),
        })
    });
    keys.collect()
}
