//! `quorate bench engine`: steady rates of products, bits and comparisons, with helper processes over TLS on loopback.
//!
//! Each figure comes from whole runs as an analyst makes them, from the signed request to the recombined result, on a
//! study of generated numbers: the first run warms up, the mean of the next ones counts. So a rate includes everything
//! around the protocol: keys, reading columns, the result's way.

use std::fmt::Write as _;
use std::time::Instant;

use clap::{Args, ValueEnum};
use quorate_circuit::Rounding;
use quorate_contribute::{BadRowsPolicy, Table};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use serde_json::{Map, Value, json};

use crate::draft::{self, BitsArgument, Rules, SharingArgument};
use crate::failure::Failure;
use crate::output;
use crate::trial::{CircuitText, Trial};

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  quorate bench engine --helpers 5 --threshold 2 --rows 100000 --json")]
pub(crate) struct Arguments {
    /// How many helpers
    #[arg(long, value_name = "N", default_value_t = 3)]
    helpers: u8,
    /// How many of them may collude and learn nothing
    #[arg(long, value_name = "T", default_value_t = 1)]
    threshold: u8,
    /// Rows of the generated tables
    #[arg(long, value_name = "COUNT", default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(100..=10_000_000))]
    rows: u32,
    /// Runs that a figure is the mean of
    #[arg(long, value_name = "COUNT", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1000))]
    runs: u32,
    /// Measure these only
    #[arg(long, value_enum, value_delimiter = ',', value_name = "PART")]
    only: Vec<Part>,
    /// Print as JSON
    #[arg(long)]
    json: bool,
}

/// What is measured on one study.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Products and sums of products
    Products,
    /// Comparisons of columns with bits
    Sealed,
    /// Comparisons of columns without bits
    OnDemand,
    /// The job "sum, mean, variance, count(x > c)"
    Job,
}

/// Columns of 32 bits.
const WIDE: usize = 4;
/// Columns whose products of three fit the field of 2^61 - 1.
const SMALL: usize = 8;
/// Comparisons of each wide column, in the circuit that has many.
const COMPARISONS: usize = 8;
/// ANDs of a comparison of 32 bits with an odd constant, one bit after the other.
const ANDS_OF_COMPARISON: usize = 31;

/// What was measured so far.
struct Bench<'a> {
    arguments: &'a Arguments,
    rates: Map<String, Value>,
    /// By figure: processor seconds of all helpers, and seconds on the clock, of one run.
    cpu: Map<String, Value>,
}

pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let mut bench = Bench { arguments: &arguments, rates: Map::new(), cpu: Map::new() };
    for part in Part::value_variants() {
        if !arguments.only.is_empty() && !arguments.only.contains(part) {
            continue;
        }
        match part {
            Part::Products => bench.arithmetic().await?,
            Part::Sealed => bench.sealed().await?,
            Part::OnDemand => bench.on_demand().await?,
            Part::Job => bench.job().await?,
        }
    }
    let Bench { rates, cpu, .. } = bench;
    if arguments.json {
        let mut report = rates;
        let setting = json!({
            "helpers": arguments.helpers,
            "threshold": arguments.threshold,
            "rows": arguments.rows,
            "runs": arguments.runs,
        });
        report.insert("setting".into(), setting);
        report.insert("cpu".into(), cpu.into());
        return output::json(&report);
    }
    let mut rows =
        vec![vec!["figure".into(), "value".into(), "CPU s of helpers".into(), "s on the clock".into()]];
    for (name, value) in &rates {
        let of = |key: &str| cpu.get(name).and_then(|usage| usage[key].as_f64()).unwrap_or_default();
        let value = value.as_f64().unwrap_or_default();
        let value = if value > 1_000.0 { format!("{value:.0}") } else { format!("{value:.4}") };
        rows.push(vec![
            name.clone(),
            value,
            format!("{:.3}", of("helpers_cpu_seconds")),
            format!("{:.3}", of("seconds")),
        ]);
    }
    output::line(output::aligned(rows, true, &[1, 2, 3]))
}

impl Bench<'_> {
    /// Products that stay rows, and sums of products.
    async fn arithmetic(&mut self) -> Result<(), Failure> {
        let pairs = || (0..SMALL).flat_map(|left| (0..left).map(move |right| (left, right)));
        let products: String = pairs().fold(String::new(), |text, (a, b)| {
            text + &format!("reveal p{a}_{b} = sum(s{a} * s{b} * s{a})\n")
        });
        let terms: String = pairs()
            .fold(String::new(), |text, (a, b)| text + &format!("reveal t{a}_{b} = sum(s{a} * s{b})\n"));
        let trial = self.trial("s", SMALL, 1_000, BitsArgument::None).await?;
        let rows = f64::from(self.arguments.rows);
        let count = pairs().count() as f64 * rows;
        self.rate(&trial, "products_per_s", count, &products).await?;
        self.rate(&trial, "terms_per_s", count, &terms).await?;
        trial.end();
        Ok(())
    }

    /// Comparisons of columns whose bits the seal made.
    async fn sealed(&mut self) -> Result<(), Failure> {
        let conditions = (0..WIDE).flat_map(|column| {
            (0..COMPARISONS)
                .map(move |index| format!("w{column} < {}", constant(column * COMPARISONS + index)))
        });
        let many = joined(conditions);
        let trial = self.trial("w", WIDE, u32::MAX, BitsArgument::Sealed).await?;
        let comparisons = (WIDE * COMPARISONS) as f64 * f64::from(self.arguments.rows);
        self.rate(&trial, "comparisons_sealed_per_s", comparisons, &many).await?;
        let ands = WIDE * COMPARISONS * (ANDS_OF_COMPARISON + 1) - 1;
        let seconds = comparisons / self.rates["comparisons_sealed_per_s"].as_f64().unwrap_or(f64::INFINITY);
        self.rates
            .insert("ands_per_s".into(), (ands as f64 * f64::from(self.arguments.rows) / seconds).into());
        trial.end();
        Ok(())
    }

    /// Comparisons that begin with a conversion.
    async fn on_demand(&mut self) -> Result<(), Failure> {
        let one_each = joined((0..WIDE).map(|column| format!("w{column} < {}", constant(column))));
        let trial = self.trial("w", WIDE, u32::MAX, BitsArgument::OnDemand).await?;
        let comparisons = WIDE as f64 * f64::from(self.arguments.rows);
        self.rate(&trial, "comparisons_per_s", comparisons, &one_each).await?;
        self.rates.insert("a2b_per_s".into(), self.rates["comparisons_per_s"].clone());
        trial.end();
        Ok(())
    }

    /// The job "sum, mean, variance, count(x > c)".
    async fn job(&mut self) -> Result<(), Failure> {
        let trial = self.trial("x", 1, 1_000_000, BitsArgument::Sealed).await?;
        let reveals = "reveal total = sum(x0)\nreveal average = mean(x0)\nreveal spread = variance(x0)\n\
                       reveal high = count(x0 > 500_000)\n";
        let seconds = self.measure(&trial, "job_seconds", reveals).await?;
        self.rates.insert("job_seconds".into(), seconds.into());
        self.rates.insert("job_with_seal_seconds".into(), (seconds + trial.seconds_of("seal")).into());
        trial.end();
        Ok(())
    }

    /// A sealed study of columns of uniform numbers up to `max`.
    async fn trial(
        &self,
        name: &str,
        columns: usize,
        max: u32,
        bits: BitsArgument,
    ) -> Result<Trial, Failure> {
        let started = Instant::now();
        let sharing =
            draft::sharing(SharingArgument::Shamir, self.arguments.helpers, Some(self.arguments.threshold))?;
        let text = circuit(name, columns, max, "reveal rows = count()\n");
        let csv = csv(name, columns, max, self.arguments.rows);
        let inputs = draft::parse_circuit("the benchmark", &text)?.inputs();
        let table = Table::read(&inputs, csv.as_bytes(), Rounding::Exact, BadRowsPolicy::Refuse)
            .map_err(|error| Failure::Table { path: "generated numbers".into(), error })?;
        let text = CircuitText { name: "the benchmark", text: &text };
        let mut trial = Trial::start(text, sharing, Some(bits), Rules::default(), table, started).await?;
        trial.contribute().await?;
        trial.seal().await?;
        Ok(trial)
    }

    async fn rate(&mut self, trial: &Trial, name: &str, count: f64, reveals: &str) -> Result<(), Failure> {
        let seconds = self.measure(trial, name, reveals).await?;
        self.rates.insert(name.into(), (count / seconds).into());
        Ok(())
    }

    /// Seconds of a run.
    async fn measure(&mut self, trial: &Trial, name: &str, reveals: &str) -> Result<f64, Failure> {
        let inputs = trial.study.declared().fold(String::new(), |mut text, column| {
            let _ = writeln!(text, "input {} : {}", column.name, column.declaration());
            text
        });
        let circuit = format!("circuit bench\n{inputs}{reveals}");
        trial.run_circuit(&circuit).await?;
        let before = trial.local.usage_of_all().cpu;
        let started = Instant::now();
        for _ in 0..self.arguments.runs {
            trial.run_circuit(&circuit).await?;
        }
        let runs = f64::from(self.arguments.runs);
        let seconds = started.elapsed().as_secs_f64() / runs;
        let cpu = (trial.local.usage_of_all().cpu - before).as_secs_f64() / runs;
        self.cpu.insert(name.into(), json!({ "helpers_cpu_seconds": cpu, "seconds": seconds }));
        Ok(seconds)
    }
}

fn circuit(name: &str, columns: usize, max: u32, reveals: &str) -> String {
    let inputs: String = (0..columns).map(|column| format!("input {name}{column} : 0 .. {max}\n")).collect();
    format!("circuit bench\n{inputs}{reveals}")
}

/// Odd, so that every comparison with one costs the same.
fn constant(index: usize) -> u32 {
    let spread = u32::try_from(index).unwrap_or(0).wrapping_mul(0x9e37_79b9);
    (spread >> 1) | 1 << 30 | 1
}

/// One bit of all these conditions, counted.
fn joined(conditions: impl Iterator<Item = String>) -> String {
    format!("reveal all = count({})\n", conditions.collect::<Vec<_>>().join(" and "))
}

fn csv(name: &str, columns: usize, max: u32, rows: u32) -> String {
    let mut rng = ChaCha20Rng::from_seed([1; 32]);
    let names: Vec<String> = (0..columns).map(|column| format!("{name}{column}")).collect();
    let mut csv = names.join(",");
    for _ in 0..rows {
        for column in 0..columns {
            let value = rng.next_u64() % (u64::from(max) + 1);
            let _ = write!(csv, "{}{value}", if column == 0 { '\n' } else { ',' });
        }
    }
    csv + "\n"
}
