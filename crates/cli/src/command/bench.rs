//! `quorate bench`: what computing costs, measured through real helper processes; and what kernels take.

mod engine;
mod explain;
mod generated;
mod ingest;
mod kernel;
mod network;
mod schemes;
mod secrecy;
mod thresholds;

use clap::{Args, Subcommand};

use crate::failure::Failure;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Products, sums of products, comparisons and conversions per second
    Engine(engine::Arguments),
    /// How long runs take, beside how long `explain` says that they take
    Explain(explain::Arguments),
    /// How fast contributions become durable, in bulk and alone
    Ingest(ingest::Arguments),
    /// Slice kernels, beside what this machine can read
    Kernel(kernel::Arguments),
    /// What each number of helpers and each threshold costs, and what it bears
    Thresholds(thresholds::Arguments),
    /// What secrecy costs, beside the same sums at one server that sees everything
    Secrecy(secrecy::Arguments),
    /// The server of `secrecy` that sees everything
    #[command(hide = true)]
    PlainServer(secrecy::plain::ServerArguments),
}

pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    match arguments.what {
        What::Engine(arguments) => engine::run(arguments).await,
        What::Explain(arguments) => explain::run(arguments).await,
        What::Ingest(arguments) => ingest::run(arguments).await,
        What::Kernel(arguments) => kernel::run(&arguments),
        What::Thresholds(arguments) => thresholds::run(arguments).await,
        What::Secrecy(arguments) => secrecy::run(arguments).await,
        What::PlainServer(arguments) => secrecy::plain::serve(arguments).await,
    }
}
