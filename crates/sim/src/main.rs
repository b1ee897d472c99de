//! Runs the simulator on many seeds, or tells the story of one.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for developers prints")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use quorate_sim::{Report, simulate};

/// Whole federations in one thread, from one seed.
#[derive(Parser)]
struct Arguments {
    /// How many seeds.
    #[arg(long, default_value_t = 200)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    first: u64,
    /// One seed only.
    #[arg(long)]
    seed: Option<u64>,
    /// Tell the story.
    #[arg(long)]
    verbose: bool,
    /// Run every seed twice and compare; otherwise every tenth.
    #[arg(long)]
    twice: bool,
    /// Go on after a failure.
    #[arg(long)]
    keep_going: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let (first, count) = arguments.seed.map_or((arguments.first, arguments.seeds), |seed| (seed, 1));
    let started = Instant::now();
    let mut total = Report::default();
    let mut failed = 0;
    for seed in first..first + count {
        let is_twice = arguments.twice || seed % 10 == 0;
        match run(seed, arguments.verbose, is_twice) {
            Ok(report) => total.add(&report),
            Err(reason) => {
                failed += 1;
                println!("seed {seed} FAILED: {reason}");
                println!("replay: cargo run --release -p quorate-sim -- --seed {seed} --verbose");
                if !arguments.keep_going {
                    return ExitCode::FAILURE;
                }
            }
        }
        if (seed + 1 - first).is_multiple_of(100) {
            eprintln!("{} of {count} seeds, {:.1} s", seed + 1 - first, started.elapsed().as_secs_f64());
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    println!("{count} seeds, {failed} failed, {seconds:.1} s, {} events", total.events);
    for (what, times) in &total.counts {
        println!("{times:>10} {what}");
    }
    if count == 1 {
        println!("digest {}", total.digest);
    }
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn run(seed: u64, is_verbose: bool, is_twice: bool) -> Result<Report, String> {
    let first = once(seed, is_verbose)?;
    if is_twice {
        let second = once(seed, false)?;
        if first != second {
            return Err(format!("a replay differs: {} and {}", first.digest, second.digest));
        }
    }
    Ok(first)
}

fn once(seed: u64, is_verbose: bool) -> Result<Report, String> {
    let lived = catch_unwind(AssertUnwindSafe(|| {
        let teller = is_verbose.then(|| Box::new(|line: &str| println!("{line}")) as Box<dyn FnMut(&str)>);
        simulate(seed, teller)
    }));
    match lived {
        Ok(lived) => lived.map_err(|broken| broken.to_string()),
        Err(_) => Err("a panic; see above".into()),
    }
}
