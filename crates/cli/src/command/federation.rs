//! `quorate federation`: the fixed list of helpers that everybody trusts, or not.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use quorate_federation::{Card, Federation};
use quorate_helper::HelperDir;
use quorate_local::FEDERATION_FILE;
use serde_json::json;

use crate::failure::Failure;
use crate::files::{federation, text, write_new};
use crate::{keys, output};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: FederationCommand,
}

#[derive(Debug, Subcommand)]
enum FederationCommand {
    /// Make a federation file from the helpers' cards, or a whole federation on this machine for trials
    #[command(
        after_help = "Examples:\n  quorate federation new --name wages --threshold 1 a/card.toml b/card.toml \
        c/card.toml d/card.toml\n  quorate federation new --local 4 --dir trial"
    )]
    New(New),
    /// Make a helper a member of a federation
    #[command(after_help = "Example:\n  quorate federation join --dir helper federation.toml")]
    Join(Join),
    /// Show who the helpers of a federation are
    #[command(after_help = "Example:\n  quorate federation show federation.toml")]
    Show(Show),
}

#[derive(Debug, Args)]
struct New {
    /// The federation's name
    #[arg(long, default_value = "trial", required_unless_present = "local")]
    name: String,
    /// How many helpers may collude and learn nothing; one more of them can answer
    #[arg(long, default_value_t = 1, required_unless_present = "local")]
    threshold: u8,
    /// The helpers' cards, in the order of their numbers
    #[arg(value_name = "CARD", required_unless_present = "local", conflicts_with = "local")]
    cards: Vec<PathBuf>,
    /// The file to write
    #[arg(long, value_name = "FILE", default_value = FEDERATION_FILE, conflicts_with = "local")]
    out: PathBuf,
    /// Make this many helpers on this machine, with the keys of an owner and an analyst: for trials only
    #[arg(long, value_name = "HELPERS", requires = "dir")]
    local: Option<u8>,
    /// The directory for --local
    #[arg(long, value_name = "DIR", requires = "local")]
    dir: Option<PathBuf>,
    /// Print as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct Join {
    /// The helper's directory
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
    /// The federation file
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

#[derive(Debug, Args)]
struct Show {
    /// The federation file
    #[arg(value_name = "FILE", env = "QUORATE_FEDERATION", default_value = FEDERATION_FILE)]
    file: PathBuf,
    /// Print as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    match arguments.command {
        FederationCommand::New(arguments) => new(&arguments),
        FederationCommand::Join(Join { dir, file }) => {
            let federation = HelperDir::join(&dir, &text(&file)?)?;
            print(&federation, false)?;
            output::line(format_args!("\nNext: quorate helper run --dir {}", dir.display()))
        }
        FederationCommand::Show(Show { file, json }) => print(&federation(&file)?, json),
    }
}

fn new(arguments: &New) -> Result<(), Failure> {
    let New { name, threshold, cards, out, local, dir, json } = arguments;
    if let (Some(helpers), Some(dir)) = (local, dir) {
        let federation = LocalTrial::create(dir, name, *helpers, *threshold)?;
        return print(&federation, *json);
    }
    let card = |path: &PathBuf| {
        Card::parse(&text(path)?).map_err(|error| Failure::Federation { path: path.clone(), error })
    };
    let cards = cards.iter().map(card).collect::<Result<Vec<_>, _>>()?;
    let federation = Federation::of_cards(name, *threshold, cards)
        .map_err(|error| Failure::Federation { path: out.clone(), error })?;
    write_new(out, federation.text())?;
    print(&federation, *json)?;
    if !json {
        let out = out.display();
        output::line(format_args!(
            "\nNext: send {out} to every helper; each runs quorate federation join --dir DIR {out}"
        ))?;
    }
    Ok(())
}

/// A federation on this machine with the keys of its owner and analyst.
#[derive(Debug)]
pub(crate) struct LocalTrial;

impl LocalTrial {
    pub(crate) const OWNER: &str = "owner.key";
    pub(crate) const ANALYST: &str = "analyst.key";

    /// Makes it in `dir`.
    pub(crate) fn create(
        dir: &std::path::Path,
        name: &str,
        helpers: u8,
        threshold: u8,
    ) -> Result<Federation, Failure> {
        // Checked first: a number that cannot be should leave no keys behind.
        let failed = |source| Failure::File { doing: "make the directory", path: dir.to_owned(), source };
        if dir.join(FEDERATION_FILE).exists() {
            return Err(quorate_local::LocalError::Exists { dir: dir.to_owned() }.into());
        }
        std::fs::create_dir_all(dir).map_err(failed)?;
        let owner = keys::create(&dir.join(Self::OWNER))?;
        keys::create(&dir.join(Self::ANALYST))?;
        Ok(quorate_local::create(dir, name, helpers, threshold, &[owner.public()])?)
    }
}

/// Shows the helpers and says what the file decides.
fn print(federation: &Federation, json: bool) -> Result<(), Failure> {
    if json {
        let helpers: Vec<_> = federation
            .members()
            .map(|(number, member)| json!({ "number": number, "member": member }))
            .collect();
        let (name, threshold) = (federation.name(), federation.threshold());
        return output::json(
            &json!({ "name": name, "id": federation.id(), "threshold": threshold, "helpers": helpers }),
        );
    }
    output::line(format_args!("federation {federation}\nid         {}\n", federation.id()))?;
    let heading = ["", "name", "address", "peer address", "key"].map(str::to_owned).to_vec();
    let member = |(number, member): (u8, &quorate_federation::Member)| {
        let key = member.key.to_string();
        vec![
            number.to_string(),
            member.name.clone(),
            member.address.clone(),
            member.peer_address.clone(),
            key,
        ]
    };
    let rows = std::iter::once(heading).chain(federation.members().map(member)).collect();
    output::line(output::aligned(rows, true, &[]))?;
    output::line(trust(federation))
}

/// The trust decision that the file is, in words.
fn trust(federation: &Federation) -> String {
    let (n, t) = (federation.size(), federation.threshold());
    let together =
        if t == 1 { "No helper alone learns".to_owned() } else { format!("No {t} helpers together learn") };
    let mut text = format!(
        "\n{together} anything about anyone's numbers. Any {} of them could, if they colluded: whoever uses this \
         file trusts that they do not.",
        t + 1
    );
    if n <= 2 * t {
        text += "\nWith fewer than 2t+1 helpers, contributions cannot be checked and products cannot be computed.";
    } else if n == 2 * t + 1 {
        text += "\nWith exactly 2t+1 helpers, products need all of them; one more lets a helper be away.";
    }
    text
}
