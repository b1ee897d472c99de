//! `quorate helper`: one organisation's server.

use std::io::Read;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use quorate_helper::HelperDir;
use serde_json::json;
use tokio::sync::oneshot;

use super::stopped;
use crate::failure::Failure;
use crate::files::write_new;
use crate::{keys, output};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: HelperCommand,
}

#[derive(Debug, Subcommand)]
enum HelperCommand {
    /// Make a helper's directory with a fresh key, which never leaves it
    #[command(
        after_help = "Example:\n  quorate helper init --dir helper --name \"Statistics Office\" \\\n    \
        --address helper.example.org:7100 --peer-address helper.example.org:7200 --owner owner.pub"
    )]
    Init(Init),
    /// Run the helper of a directory until SIGTERM or Ctrl-C
    #[command(after_help = "Example:\n  quorate helper run --dir helper")]
    Run(Run),
}

#[derive(Debug, Args)]
struct Init {
    /// The directory to make
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
    /// The organisation's name
    #[arg(long)]
    name: String,
    /// host:port where contributors, owners and analysts reach the helper
    #[arg(long, value_name = "HOST:PORT")]
    address: String,
    /// host:port where the other helpers reach it
    #[arg(long, value_name = "HOST:PORT")]
    peer_address: String,
    /// Whose studies it keeps: a public key or a file with one; may be repeated
    #[arg(long, value_name = "KEY")]
    owner: Vec<String>,
    /// Print the card as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct Run {
    /// The helper's directory
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
    /// Stop when standard input closes: for programs that start helpers and may be killed
    #[arg(long, hide = true)]
    stop_with_stdin: bool,
}

pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    match arguments.command {
        HelperCommand::Init(arguments) => init(&arguments),
        HelperCommand::Run(Run { dir, stop_with_stdin }) => {
            let shutdown = async move {
                tokio::select! {
                    () = stopped() => {}
                    () = stdin_closed(), if stop_with_stdin => {}
                }
            };
            Ok(quorate_helper::run(&dir, shutdown).await?)
        }
    }
}

fn init(arguments: &Init) -> Result<(), Failure> {
    let Init { dir, name, address, peer_address, owner, json } = arguments;
    let owners = owner.iter().map(|key| keys::public(key)).collect::<Result<Vec<_>, _>>()?;
    let card = HelperDir::init(dir, name, address, peer_address, &owners)?;
    let path = dir.join("card.toml");
    let failed = |error| Failure::Federation { path: path.clone(), error };
    write_new(&path, &card.to_text().map_err(failed)?)?;
    if *json {
        let key = card.member.key;
        return output::json(&json!({ "directory": dir, "card": path, "key": key }));
    }
    output::line(format_args!("helper  {}", dir.display()))?;
    output::line(format_args!("key     {}", card.member.key))?;
    output::line(format_args!("card    {}", path.display()))?;
    output::line(
        "\nNext: send the card to the federation's organiser; it holds nothing secret. When the federation file",
    )?;
    output::line(format_args!("comes back: quorate federation join --dir {} FILE", dir.display()))
}

/// Completes when standard input ends. A thread of its own: a runtime would wait for a read that never returns.
pub(super) async fn stdin_closed() {
    let (closed, when_closed) = oneshot::channel();
    let watch = move || {
        let mut buffer = [0; 64];
        while matches!(std::io::stdin().read(&mut buffer), Ok(1..)) {}
        let _ = closed.send(());
    };
    if std::thread::Builder::new().name("stdin".to_owned()).spawn(watch).is_ok() {
        drop(when_closed.await);
    } else {
        std::future::pending().await
    }
}
