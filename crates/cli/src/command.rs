//! The subcommands, one file each.

mod bench;
mod budget;
mod contribute;
mod demo;
mod explain;
mod federation;
mod helper;
mod keys;
mod masks;
mod run;
mod seal;
mod show;
mod status;
mod study;
mod try_out;
mod up;

use clap::Subcommand;

use crate::failure::Failure;

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// See it work: 1,000 salaries, 4 helpers, one of them killed
    Demo(demo::Arguments),
    /// Run a circuit on a CSV file with fresh helpers on this machine
    Try(try_out::Arguments),
    /// Check a circuit: what it reveals and costs, and why nothing overflows
    Explain(explain::Arguments),
    /// Start a federation of helpers on this machine until Ctrl-C
    Up(up::Arguments),
    /// Make and run a helper
    Helper(helper::Arguments),
    /// Make, join and show federations
    Federation(federation::Arguments),
    /// Make keys of owners and analysts
    Keys(keys::Arguments),
    /// Create and show studies
    Study(study::Arguments),
    /// Upload private numbers to the helpers, split
    Contribute(contribute::Arguments),
    /// Close a study: helpers agree on one checked set
    Seal(seal::Arguments),
    /// Run a circuit on a sealed study
    Run(run::Arguments),
    /// Show a saved result again, after checking it
    Show(show::Arguments),
    /// Show which helpers answer and how far their studies are
    Status(status::Arguments),
    /// Show what a study's results cost of its budget of privacy, and what is left
    Budget(budget::Arguments),
    /// Sum vectors by pairwise masks: one server, its clients online, no helpers
    Masks(masks::Arguments),
    /// Measure what computing costs, with fresh helpers on this machine
    Bench(bench::Arguments),
}

impl Command {
    /// Whether it is a helper process.
    pub(crate) fn is_helper(&self) -> bool {
        matches!(self, Command::Helper(_))
    }
}

/// Does it. Ctrl-C and SIGTERM end every command in order: helpers of this machine are killed, temporary files removed.
pub(crate) async fn run(command: Command) -> Result<(), Failure> {
    match command {
        // These two stop in their own way.
        Command::Helper(arguments) => helper::run(arguments).await,
        Command::Up(arguments) => up::run(arguments).await,
        command => tokio::select! {
            done = run_to_end(command) => done,
            () = stopped() => Err(Failure::Interrupted),
        },
    }
}

async fn run_to_end(command: Command) -> Result<(), Failure> {
    match command {
        Command::Bench(arguments) => bench::run(arguments).await,
        Command::Budget(arguments) => budget::run(arguments).await,
        Command::Demo(arguments) => demo::run(arguments).await,
        Command::Try(arguments) => try_out::run(arguments).await,
        Command::Explain(arguments) => explain::run(arguments).await,
        Command::Up(arguments) => up::run(arguments).await,
        Command::Helper(arguments) => helper::run(arguments).await,
        Command::Federation(arguments) => federation::run(arguments),
        Command::Keys(arguments) => keys::run(arguments),
        Command::Masks(arguments) => masks::run(arguments).await,
        Command::Study(arguments) => study::run(arguments).await,
        Command::Contribute(arguments) => contribute::run(arguments).await,
        Command::Seal(arguments) => seal::run(arguments).await,
        Command::Run(arguments) => run::run(arguments).await,
        Command::Show(arguments) => show::run(arguments),
        Command::Status(arguments) => status::run(arguments).await,
    }
}

/// Completes when this process is asked to stop. Without signals, never.
pub(crate) async fn stopped() {
    if quorate_helper::stop_signal().await.is_err() {
        std::future::pending().await
    }
}
