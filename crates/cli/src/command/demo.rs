//! `quorate demo`: the whole story in a few seconds, on this machine.

mod salaries;

use std::time::Instant;

use clap::Args;
use quorate_circuit::{Rounding, Sharing, SharingKind};
use quorate_client::analyst::Run;
use quorate_contribute::{BadRowsPolicy, Packer, Table, scheme_of};
use quorate_field::{Field, with_field};
use quorate_sharing::{PieceHeader, PieceRef, read_piece};
use quorate_wire::{Contribution, PieceBytes};
use serde_json::json;

use crate::clear::ClearText;
use crate::draft::{self, Rules};
use crate::failure::Failure;
use crate::output::{self, aligned, bytes, heading, line, seconds};
use crate::report::{Report, helpers};
use crate::trial::{CircuitText, Trial};

/// The circuit that stands in `circuits/`, with a sample of its own.
const CIRCUIT: CircuitText<'_> =
    CircuitText { name: "salaries.circuit", text: include_str!("../../../../circuits/salaries.circuit") };
const SHARING: Sharing = Sharing { kind: SharingKind::Shamir, helpers: 4, threshold: 1 };
const PEOPLE: u32 = 1_000;
/// Who is killed.
const VICTIM: u8 = 3;

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  quorate demo")]
pub(crate) struct Arguments {
    /// Print the results as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let started = Instant::now();
    let columns = draft::parse_circuit(CIRCUIT.name, CIRCUIT.text)?.inputs();
    let csv = salaries::csv(PEOPLE);
    let table = Table::read(&columns, csv.as_bytes(), Rounding::Exact, BadRowsPolicy::Refuse)
        .map_err(|error| Failure::Table { path: "generated salaries".into(), error })?;
    let say = Say { quiet: arguments.json };

    say.heading("1. Four organisations run one helper each; here, four processes on this machine.")?;
    let mut trial = Trial::start(CIRCUIT, SHARING, None, Rules::default(), table, started).await?;
    say.line(format!(
        "   No helper alone learns anything; any two of them can answer. ({})",
        seconds(trial.seconds_of("start"))
    ))?;

    say.heading(format!(
        "\n2. {PEOPLE} people upload salary, bonus and years, split into one share per helper."
    ))?;
    trial.contribute().await?;
    let took = trial.seconds_of("contribute");
    let rate = f64::from(PEOPLE) / took.max(1e-9);
    say.line(format!(
        "   Durable at all four, with signed receipts, in {} ({rate:.0} people per second).",
        seconds(took)
    ))?;
    say.line(what_helpers_hold(&trial)?)?;

    say.heading("\n3. The study is sealed, and a circuit runs. The analyst alone puts the result together.")?;
    trial.seal().await?;
    let (first, report) = trial.run().await?;
    let clear = ClearText::of(&trial.program, &trial.table)?;
    clear.compare(&first)?;
    say.line(indented(&results(&first, &clear)))?;
    say.line(format!("   {}: {}.", helpers(&first.answer.quorum), report.integrity_text()))?;

    say.heading(format!("\n4. Helper {VICTIM} is killed (SIGKILL), and the circuit runs again."))?;
    trial.local.kill(VICTIM)?;
    let (second, second_report) = trial.run().await?;
    clear.compare(&second)?;
    let quorum = helpers(&second.answer.quorum);
    say.line(format!("   The same results from {quorum}: {}.", second_report.integrity_text()))?;

    say.heading("\n5. What secrecy cost")?;
    say.line(indented(&costs(&trial, &first, &clear)))?;
    if arguments.json {
        print_json(&report, &second_report)?;
    }
    trial.end();
    Ok(())
}

/// Prints the story, unless only JSON is wanted.
struct Say {
    quiet: bool,
}

impl Say {
    fn heading(&self, text: impl std::fmt::Display) -> Result<(), Failure> {
        if self.quiet { Ok(()) } else { heading(text) }
    }

    fn line(&self, text: impl std::fmt::Display) -> Result<(), Failure> {
        if self.quiet { Ok(()) } else { line(text) }
    }
}

fn print_json(first: &Report, second: &Report) -> Result<(), Failure> {
    output::json(
        &json!({ "run": first, "killed": VICTIM, "run_after_kill": second, "equals_clear_text": true }),
    )
}

/// The first person's numbers, and what each helper holds of them.
fn what_helpers_hold(trial: &Trial) -> Result<String, Failure> {
    let study = &trial.study;
    let failed = |error| Failure::Table { path: "generated salaries".into(), error };
    let packer = Packer::new(study, trial.secret.duplicate()).map_err(failed)?;
    let packed = packer.pack(0, 1, trial.table.row(0)).map_err(failed)?;
    let names = study.columns.iter().map(|column| column.name.clone());
    let mut rows = vec![std::iter::once("of the first person".to_owned()).chain(names).collect::<Vec<_>>()];
    let plain = trial.table.row(0).iter().zip(&study.columns).map(|(value, column)| {
        quorate_circuit::Quantity::new(*value, column.domain.scale())
            .map_or_else(String::new, |q| q.to_string())
    });
    rows.push(std::iter::once("true value".to_owned()).chain(plain).collect());
    for (helper, contribution) in (1..).zip(&packed.contributions) {
        let shares = with_field!(study.field, F => shares_in_hex::<F>(trial, helper, contribution))?;
        rows.push(std::iter::once(format!("helper {helper} holds")).chain(shares).collect());
    }
    Ok(indented(&aligned(rows, true, &[1, 2, 3])))
}

/// One helper's shares of a row, as it would expand and store them.
fn shares_in_hex<F: Field>(
    trial: &Trial,
    helper: u8,
    contribution: &Contribution,
) -> Result<Vec<String>, Failure> {
    let failed = |error| Failure::Table { path: "generated salaries".into(), error };
    let scheme = scheme_of(&trial.study).map_err(failed)?;
    let header = PieceHeader { helper, rot: contribution.rot, rows: contribution.rows };
    let piece = match &contribution.piece {
        PieceBytes::Seed(seed) => PieceRef::Seed(seed),
        PieceBytes::Data(data) => PieceRef::Data(data.as_slice()),
    };
    let shares = read_piece::<F>(&scheme, &header, trial.study.columns.len(), piece)
        .map_err(|error| Failure::Invalid { message: error.to_string(), hint: None })?;
    let hex = |share: &F| {
        let mut bytes = vec![0; F::BYTES];
        share.write(&mut bytes);
        bytes.iter().rev().map(|byte| format!("{byte:02x}")).collect()
    };
    Ok(shares.as_slice().iter().map(hex).collect())
}

fn results(run: &Run, clear: &ClearText) -> String {
    let heading = ["result", "by the helpers", "clear text", ""].map(str::to_owned).to_vec();
    let rows = run.answer.results.iter().zip(&clear.results).map(|((name, secret), (_, clear))| {
        vec![name.clone(), secret.to_string(), clear.to_string(), "equal".to_owned()]
    });
    aligned(std::iter::once(heading).chain(rows).collect(), true, &[1, 2])
}

fn costs(trial: &Trial, run: &Run, clear: &ClearText) -> String {
    let (plain, uploaded) = (trial.bytes_of("plain"), trial.bytes_of("uploaded"));
    let per_person =
        |bytes: u64| format!("{} ({} per person)", output::bytes(bytes), bytes / u64::from(PEOPLE));
    let usage = trial.local.usage_of_all();
    let rows = [
        ["", "plain", "secret"].map(str::to_owned),
        ["bytes uploaded".into(), per_person(plain), per_person(uploaded)],
        ["bytes between helpers, run".into(), "0 B".into(), bytes(run.bytes_between_helpers())],
        ["bytes of results".into(), "-".into(), bytes(run.bytes_of_results())],
        ["time to upload".into(), "-".into(), seconds(trial.seconds_of("contribute"))],
        ["time to seal, once".into(), "-".into(), seconds(trial.seconds_of("seal"))],
        ["time to compute".into(), seconds(clear.seconds), seconds(run.seconds)],
        ["memory of the largest helper".into(), "-".into(), bytes(usage.memory_peak_bytes)],
    ];
    aligned(rows.into_iter().map(|row| row.to_vec()).collect(), true, &[1, 2])
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("   {line}")).collect::<Vec<_>>().join("\n")
}
