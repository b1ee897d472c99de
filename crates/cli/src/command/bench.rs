//! `quorate bench`: what computing costs, measured through real helper processes.

mod engine;

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
}

pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    match arguments.what {
        What::Engine(arguments) => engine::run(arguments).await,
    }
}
