//! `quorate keys`: keys of study owners and analysts.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;

use crate::failure::Failure;
use crate::{keys, output};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: KeysCommand,
}

#[derive(Debug, Subcommand)]
enum KeysCommand {
    /// Make a key file that only you can read, and its public half beside it
    #[command(
        after_help = "Example:\n  quorate keys new owner.key      # and owner.pub, which anybody may have"
    )]
    New(New),
}

#[derive(Debug, Args)]
struct New {
    /// The file to write; never overwritten
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Print as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    let KeysCommand::New(New { file, json }) = arguments.command;
    let key = keys::create(&file)?.public();
    let public = keys::public_path(&file);
    if json {
        return output::json(&json!({ "key": key, "secret_file": file, "public_file": public }));
    }
    output::line(format_args!("key     {key}"))?;
    output::line(format_args!("secret  {}   (keep it; whoever has it acts as you)", file.display()))?;
    output::line(format_args!("public  {}", public.display()))
}
