//! Accuracy of private means and medians by group, in error observed over many draws.
//!
//! Beside the noise that three helpers draw, of whom one may tell what it drew (`helpers`), stand that of one whom everybody
//! trusts with the rows (`central`: the same sampler, one part) and that of three who each add all of it (`each in full`). The errors
//! are root mean squares; `formula` is what the first should be over the second, `sqrt(q / (q - t))`.
//!
//! ```text
//! cargo run --release -p quorate-circuit --example accuracy
//! cargo run --release -p quorate-circuit --example accuracy -- FILE NUMBER GROUP
//! ```
//!
//! FILE is comma-separated without quotes, NUMBER a column of it between 0 and 100, and GROUP one with a few labels.

#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use std::collections::BTreeSet;

use quorate_circuit::{Circuit, Outcome, Program, Sharing, SharingKind, StudyDraft, compile};
use quorate_field::Integer;
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

type Failure = Box<dyn std::error::Error>;

/// Means that are drawn of each kind of noise, and medians, whose every step looks at all rows.
const DRAWS: [usize; 2] = [4_000, 25];

/// Parts of noise, and how many of them suffice.
const WAYS: [(&str, u32, u32); 3] = [("central", 1, 1), ("helpers", 3, 2), ("each in full", 3, 1)];

/// Numbers in hundredths, and groups by their places among the labels.
struct Rows {
    labels: Vec<String>,
    numbers: Vec<i64>,
    groups: Vec<i64>,
}

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let rows = match arguments.as_slice() {
        [] => Rows::generated(),
        [file, number, group] => Rows::read(&std::fs::read_to_string(file)?, number, group)?,
        _ => return Err("expected nothing, or FILE NUMBER GROUP".into()),
    };
    println!("{} rows; formula {:.3}", rows.numbers.len(), (3.0_f64 / 2.0).sqrt());
    for (statistic, draws) in ["mean", "median"].into_iter().zip(DRAWS) {
        for with in ["epsilon 1", "epsilon 0.1", "rho 0.5", "rho 0.005"] {
            rows.report(statistic, with, draws)?;
        }
    }
    Ok(())
}

impl Rows {
    /// Wages, as it were, of two groups.
    fn generated() -> Rows {
        let mut rng = ChaCha20Rng::from_seed([1; 32]);
        let mut rows = Rows { labels: vec!["female".into(), "male".into()], numbers: vec![], groups: vec![] };
        for _ in 0..20_000 {
            let group = i64::from(rng.next_u32() % 100 < 55);
            let dice: i64 = (0..6).map(|_| i64::from(rng.next_u32() % 700)).sum();
            rows.numbers.push(dice * (10 + group) / 10);
            rows.groups.push(group);
        }
        rows
    }

    fn read(text: &str, number: &str, group: &str) -> Result<Rows, Failure> {
        let mut lines = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
        let names = lines.next().ok_or("an empty file")?;
        let place =
            |name: &str| names.iter().position(|other| *other == name).ok_or(format!("no column {name}"));
        let (number, group) = (place(number)?, place(group)?);
        let cells = lines.map(|line| Some((*line.get(number)?, *line.get(group)?)));
        let cells: Vec<(&str, &str)> = cells.collect::<Option<_>>().ok_or("a line that is too short")?;
        let labels: BTreeSet<&str> = cells.iter().map(|(_, label)| *label).collect();
        let labels: Vec<String> = labels.into_iter().map(str::to_owned).collect();
        let mut rows = Rows { labels, numbers: vec![], groups: vec![] };
        for (number, label) in cells {
            #[expect(clippy::cast_possible_truncation, reason = "between 0 and 10000")]
            rows.numbers.push((number.parse::<f64>()?.clamp(0.0, 100.0) * 100.0).round() as i64);
            rows.groups.push(rows.labels.iter().position(|other| other == label).unwrap_or(0).try_into()?);
        }
        Ok(rows)
    }

    /// A line for each group.
    fn report(&self, statistic: &str, with: &str, draws: usize) -> Result<(), Failure> {
        let labels: Vec<String> = self.labels.iter().map(|label| format!("{label:?}")).collect();
        let text = format!(
            "circuit accuracy\ninput number : 0.00 .. 100.00\ninput label : {}\nreveal r = {statistic}(number) by label with {with}\n",
            labels.join(" | ")
        );
        let sharing = Sharing { kind: SharingKind::Shamir, helpers: 3, threshold: 1 };
        let circuit = Circuit::parse(&text)?;
        let capacity = self.numbers.len() as u64;
        let draft = StudyDraft::new("accuracy", sharing, circuit.inputs(), capacity);
        let program = compile(&text, &draft.document_for(&circuit)?.1)?;
        let table =
            [&self.numbers, &self.groups].map(|column| column.iter().copied().map(Integer::from).collect());
        let exact = program.evaluate(&table)?;
        let expected = values(&program, &exact, capacity);
        let mut squares = vec![[0.0; 3]; expected.len()];
        for (way, (_, parts, honest)) in WAYS.into_iter().enumerate() {
            let mut rng = ChaCha20Rng::from_seed([2; 32]);
            let samplers: Option<Vec<_>> =
                program.noise.iter().map(|noise| noise.distribution.sampler(honest)).collect();
            let samplers = samplers.ok_or("noise beyond 512 bits")?;
            for _ in 0..draws {
                let of = |sampler: &quorate_privacy::Sampler, rng: &mut ChaCha20Rng| {
                    (0..parts).try_fold(Integer::ZERO, |sum, _| sum.checked_add(&sampler.draw(rng)))
                };
                let noise: Option<Vec<Integer>> =
                    samplers.iter().map(|sampler| of(sampler, &mut rng)).collect();
                let noise = noise.ok_or("noise beyond 512 bits")?;
                let outputs = noisy(&program, &table, &exact, &noise)?;
                for (squares, (found, expected)) in
                    squares.iter_mut().zip(values(&program, &outputs, capacity).iter().zip(&expected))
                {
                    squares[way] += (found - expected).powi(2) / draws as f64;
                }
            }
        }
        for ((label, squares), value) in self.labels.iter().zip(squares).zip(expected) {
            let errors = squares.map(f64::sqrt);
            let shown: Vec<String> =
                WAYS.iter().zip(errors).map(|((name, ..), error)| format!("{name} {error:.4}")).collect();
            let ratio = errors[1] / errors[0];
            println!(
                "{statistic:6} {with:11} {label:8} exact {value:.3}  {}  ratio {ratio:.3}",
                shown.join("  ")
            );
        }
        Ok(())
    }
}

/// The outputs with noise: added to sums, or to what an order statistic's search compares.
fn noisy(
    program: &Program,
    table: &[Vec<Integer>],
    exact: &[Integer],
    noise: &[Integer],
) -> Result<Vec<Integer>, Failure> {
    let sums = program.outputs.iter().zip(exact).map(|(output, exact)| {
        let entry = output.noise?;
        exact.checked_add(&noise[entry as usize])
    });
    match sums.collect::<Option<Vec<_>>>() {
        Some(outputs) => Ok(outputs),
        None => Ok(program.evaluate_with(table, noise)?),
    }
}

/// The cells of the one table that is revealed.
fn values(program: &Program, outputs: &[Integer], rows: u64) -> Vec<f64> {
    let outcome = program.outcomes(outputs, rows).into_iter().next();
    let Some((_, Outcome::Table(cells))) = outcome else { return vec![] };
    cells.into_iter().map(|(_, cell)| number(&cell)).collect()
}

fn number(outcome: &Outcome) -> f64 {
    match outcome {
        Outcome::Number(number) => number.to_f64(),
        Outcome::Real(number) => *number,
        _ => f64::NAN,
    }
}
