//! The binary `quorate`: the command line, and the only place that prints.
//!
//! One file per subcommand stands under `command`; `output` prints, `failure` says what went wrong and what to do. What
//! is *not* here: logic that another program could want; that is in the crates this one uses.

mod clear;
mod command;
mod draft;
mod failure;
mod files;
mod keys;
mod log;
mod output;
mod report;
mod saved;
mod trial;

use std::process::ExitCode;

use clap::Parser;

/// Statistics of private numbers, computed by independent helpers of whom no few learn anything.
#[derive(Debug, Parser)]
#[command(name = "quorate", version, arg_required_else_help = true, max_term_width = 110)]
#[command(
    after_help = "Start with `quorate demo`, then `quorate try --circuit FILE --csv FILE` on a file of your own."
)]
struct Arguments {
    #[command(flatten)]
    log: log::LogArguments,
    #[command(subcommand)]
    command: command::Command,
}

#[tokio::main]
async fn main() -> ExitCode {
    let Arguments { log, command } = Arguments::parse();
    let done = match log::start(&log, command.is_helper()) {
        Ok(()) => command::run(command).await,
        Err(failure) => Err(failure),
    };
    done.map_or_else(|failure| failure.report(), |()| ExitCode::SUCCESS)
}
