//! `quorate study`: what is asked of contributors, and who may ask of the result.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use quorate_circuit::{Proportion, Study, StudyDraft};
use quorate_client::owner;
use quorate_federation::{Federation, SecretKey};
use serde_json::json;

use crate::draft::{self, BitsArgument, RulesArguments, SharingArgument};
use crate::failure::Failure;
use crate::{files, keys, output};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: StudyCommand,
}

#[derive(Debug, Subcommand)]
enum StudyCommand {
    /// Create a study at all helpers, from a circuit's inputs or a document
    #[command(
        after_help = "Examples:\n  quorate study create --owner owner.key --circuit wages.circuit --capacity 10000 \
        --analyst analyst.pub\n  quorate study create --owner owner.key --circuit private.circuit --capacity 10000 --analyst analyst.pub --privacy \
        epsilon=1,delta=0.000001\n  quorate study create --owner owner.key --document study.toml"
    )]
    Create(Box<Create>),
    /// Show a study's document and what is checked of contributions
    #[command(after_help = "Example:\n  quorate study show study.toml")]
    Show(Show),
}

#[derive(Debug, Args)]
struct Create {
    /// The federation file
    #[arg(long, value_name = "FILE", env = "QUORATE_FEDERATION", default_value = "federation.toml")]
    federation: PathBuf,
    /// The owner's key file
    #[arg(long, value_name = "FILE")]
    owner: PathBuf,
    /// The study's document, sent as it is
    #[arg(long, value_name = "FILE", required_unless_present = "circuit", conflicts_with = "circuit")]
    document: Option<PathBuf>,
    /// A circuit whose inputs become the study's columns
    #[arg(long, value_name = "FILE", requires = "analyst", requires = "capacity")]
    circuit: Option<PathBuf>,
    /// Where to write the document made from --circuit
    #[arg(long, value_name = "FILE", default_value = "study.toml")]
    out: PathBuf,
    #[command(flatten)]
    rules: Rules,
    /// Print as JSON
    #[arg(long)]
    json: bool,
}

/// What a document made from a circuit says besides its columns.
#[derive(Debug, Args)]
struct Rules {
    /// The study's name; the circuit's if not given
    #[arg(long)]
    name: Option<String>,
    /// Most contributions; nothing can overflow with so many
    #[arg(long, value_name = "COUNT")]
    capacity: Option<u64>,
    /// Most rows of one contribution
    #[arg(long, value_name = "COUNT", default_value_t = 1)]
    rows_max: u32,
    /// Fewest contributions that may be computed on
    #[arg(long, value_name = "COUNT", default_value_t = 10)]
    min_cohort: u64,
    /// Largest share of contributions that a seal may leave out
    #[arg(long, value_name = "SHARE", default_value = "0.05")]
    excluded_max: String,
    /// Who may run circuits: a public key or a file with one; may be repeated
    #[arg(long, value_name = "KEY")]
    analyst: Vec<String>,
    /// How values are split
    #[arg(long, value_enum, default_value = "shamir")]
    sharing: SharingArgument,
    /// What sealing makes of the values' bits [default: sealed, where the helpers can]
    #[arg(long, value_enum)]
    bits: Option<BitsArgument>,
    #[command(flatten)]
    disclosure: RulesArguments,
}

#[derive(Debug, Args)]
struct Show {
    /// The study's document, or its id
    #[arg(value_name = "STUDY")]
    study: String,
    /// The federation file, for a study given by its id
    #[arg(long, value_name = "FILE", env = "QUORATE_FEDERATION", default_value = "federation.toml")]
    federation: PathBuf,
    /// Print as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    match arguments.command {
        StudyCommand::Create(arguments) => create(*arguments).await,
        StudyCommand::Show(Show { study, federation, json }) => {
            let (document, study) = match study.parse() {
                Ok(id) => files::helpers(&federation)?.study(&id).await?,
                Err(_) => files::study_file(study.as_ref())?,
            };
            if !json {
                output::line(document.trim_end())?;
                output::line("")?;
            }
            print(&study, json)
        }
    }
}

async fn create(arguments: Create) -> Result<(), Failure> {
    let Create { federation, owner, document, circuit, out, rules, json } = arguments;
    let key = keys::read(&owner)?;
    let helpers = files::helpers(&federation)?;
    let document = match (document, circuit) {
        (Some(document), _) => files::text(&document)?,
        (None, Some(circuit)) => {
            let document = draft_document(helpers.federation(), &key, &circuit, &rules)?;
            files::write_new(&out, &document)?;
            document
        }
        (None, None) => {
            let message = "neither --document nor --circuit is given".to_owned();
            return Err(Failure::Invalid { message, hint: None });
        }
    };
    let study = owner::create_study(&helpers, &key, &document).await?;
    print(&study, json)
}

fn draft_document(
    federation: &Federation,
    key: &SecretKey,
    circuit: &std::path::Path,
    rules: &Rules,
) -> Result<String, Failure> {
    let (name, text) = (circuit.display().to_string(), files::text(circuit)?);
    let parsed = draft::parse_circuit(&name, &text)?;
    let threshold = match rules.sharing {
        SharingArgument::Shamir => Some(federation.threshold()),
        SharingArgument::Additive => None,
    };
    let sharing = draft::sharing(rules.sharing, federation.size(), threshold)?;
    let excluded_max = Proportion::parse(&rules.excluded_max).ok_or_else(|| Failure::Invalid {
        message: format!("--excluded-max {:?} is no proportion", rules.excluded_max),
        hint: Some("write a decimal from 0 to 1, as in 0.05 for one in twenty".into()),
    })?;
    let analysts = rules.analyst.iter().map(|key| Ok(*keys::public(key)?.as_bytes()));
    let draft::Rules { disclosure, privacy } = rules.disclosure.rules()?;
    let from_circuit = draft::of_circuit(&parsed, sharing, rules.bits, rules.capacity.unwrap_or(1));
    let draft = StudyDraft {
        name: rules.name.clone().unwrap_or_else(|| from_circuit.name.clone()),
        federation: *federation.id(),
        rows_max: rules.rows_max,
        owner: *key.public().as_bytes(),
        min_cohort: rules.min_cohort,
        excluded_max,
        analysts: analysts.collect::<Result<_, Failure>>()?,
        disclosure,
        privacy,
        ..from_circuit
    };
    // A circuit that the engine cannot run yet may still say what is asked of contributors.
    match draft::document(draft.clone(), &name, &text) {
        Ok((document, ..)) => Ok(document),
        Err(Failure::Circuit { .. }) => Ok(draft.document()?.0),
        Err(failure) => Err(failure),
    }
}

/// What holds for contributions, and for what may be asked, in words.
fn rules(study: &Study) -> Vec<String> {
    let privacy = study.privacy.map(|budget| {
        format!(
            "privacy: all results together cost a contribution at most {budget}; every one of them is noisy"
        )
    });
    [study.norm_rules(), study.policy.disclosure.rules(), privacy.into_iter().collect()].concat()
}

fn print(study: &Study, json: bool) -> Result<(), Failure> {
    if json {
        let columns: Vec<_> = study.declared().map(|column| json!(column)).collect();
        return output::json(&json!({
            "study": study.id(),
            "name": study.name,
            "field": study.field.to_string(),
            "capacity": study.capacity,
            "rows_max": study.rows_max,
            "columns": columns,
            "sharing": study.sharing,
            "inputs": study.input_checks().to_string(),
            "rules": rules(study),
        }));
    }
    let rows = [
        ("study", study.id().to_string()),
        ("name", study.name.clone()),
        ("sharing", format!("{}, in {}", study.sharing, study.field)),
        ("room", format!("{} contributions of at most {} rows", study.capacity, study.rows_max)),
        ("inputs", study.input_checks().to_string()),
    ];
    let rules = rules(study).into_iter().map(|rule| ("rule", rule));
    let rows = rows.into_iter().chain(rules).map(|(name, value)| vec![name.to_owned(), value]).collect();
    output::line(output::aligned(rows, false, &[]))
}
