//! `quorate up`: helpers on this machine until Ctrl-C, and what to type next.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use quorate_local::{FEDERATION_FILE, LocalFederation, helper_log};

use super::federation::LocalTrial;
use super::stopped;
use crate::failure::Failure;
use crate::output::{heading, line, note};
use crate::trial::this_program;

const WATCH_EVERY: Duration = Duration::from_millis(500);

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  quorate up --helpers 4 --dir trial")]
pub(crate) struct Arguments {
    /// Where the helpers live; made if it is not there, else the federation in it is started again
    #[arg(long, value_name = "DIR", default_value = "quorate-local")]
    dir: PathBuf,
    /// How many helpers
    #[arg(long, value_name = "N", default_value_t = 4)]
    helpers: u8,
    /// How many of them may collude and learn nothing
    #[arg(long, value_name = "T", default_value_t = 1)]
    threshold: u8,
}

pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let Arguments { dir, helpers, threshold } = arguments;
    if dir.join(FEDERATION_FILE).exists() {
        note(format_args!("note: starting the federation that is in {}", dir.display()));
    } else {
        LocalTrial::create(&dir, "local", helpers, threshold)?;
    }
    let program = this_program()?;
    let mut local = tokio::select! {
        local = LocalFederation::start(&program, &dir) => local?,
        () = stopped() => return Err(Failure::Interrupted),
    };
    say_what_next(&dir, &local)?;
    tokio::select! {
        () = stopped() => {}
        () = watch(&mut local, &dir) => {}
    }
    note("stopping");
    local.stop().await;
    Ok(())
}

fn say_what_next(dir: &Path, local: &LocalFederation) -> Result<(), Failure> {
    let federation = local.helpers().federation();
    let dir = dir.display();
    heading(format_args!(
        "{} helpers are running. Ctrl-C stops them; what they store stays in {dir}.",
        federation.size()
    ))?;
    for (number, member) in federation.members() {
        line(format_args!("  helper {number}  https://{}  log {dir}/helper-{number}.log", member.address))?;
    }
    line("\nNext, in another terminal:")?;
    line(format_args!("  export QUORATE_FEDERATION={dir}/{FEDERATION_FILE}"))?;
    line(format_args!(
        "  quorate study create --owner {dir}/{} --circuit FILE.circuit --capacity 10000 --analyst {dir}/analyst.pub",
        LocalTrial::OWNER
    ))?;
    line("  quorate contribute --study study.toml --csv FILE.csv")?;
    line(format_args!("  quorate seal --study study.toml --owner {dir}/{}", LocalTrial::OWNER))?;
    line(format_args!(
        "  quorate run --study study.toml --analyst {dir}/{} --circuit FILE.circuit",
        LocalTrial::ANALYST
    ))?;
    line("  quorate status")?;
    line("\nAll keys are on one machine: this protects nobody. See `quorate helper init` for the real thing.")
}

/// Says when a helper stops; ends when none is left.
async fn watch(local: &mut LocalFederation, dir: &Path) {
    let mut running = local.running();
    while !running.is_empty() {
        tokio::time::sleep(WATCH_EVERY).await;
        let now = local.running();
        for number in running.iter().filter(|number| !now.contains(number)) {
            note(format_args!("helper {number} stopped; its log is {}", helper_log(dir, *number).display()));
        }
        running = now;
    }
}
