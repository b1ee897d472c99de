//! What a private run promises and costs, and how much noise to expect.

use std::fmt;

use quorate_privacy::{Amount, Budget, Distribution, Loss};
use serde::{Deserialize, Serialize};

use super::write_aligned;
use crate::program::{Parts, Program, is_laplace, within};
use crate::study::Study;

/// The privacy of a run's results.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Privacy {
    /// What the run costs.
    pub loss: Loss,
    /// What the study may cost in all, if there is a bound.
    pub budget: Option<Budget>,
    /// What was spent before, if that is known.
    pub spent: Option<Loss>,
    /// What of the budget is left after the run, if that is known; 0 also where the run would be refused.
    pub left: Option<Amount>,
    /// Most rows of a contribution: what one is replaced by another of.
    pub rows_max: u32,
    /// How many helpers draw noise.
    pub parts: u32,
    /// How many of them nobody is taken to know the noise of.
    pub honest: u32,
    /// The numbers that have noise.
    pub noise: Vec<ExplainedNoise>,
    /// The standard errors to expect of results, in their units, as far as they are known before: once the number of rows is.
    pub results: Vec<ExpectedError>,
}

/// The noise of one number, or of each of a vector.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExplainedNoise {
    /// What the noise is added to.
    pub meaning: String,
    /// Numbers with such noise.
    pub numbers: u32,
    /// `discrete Gaussian` or `discrete Laplace`.
    pub mechanism: String,
    /// The most that one contribution moves it, in its units; of a vector, 1: the noise is for all of it.
    pub sensitivity: String,
    /// The standard error of all parts together, in the same units.
    pub stderr: f64,
}

/// What noise to expect in a result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExpectedError {
    /// The result's name.
    pub name: String,
    /// The standard error of the noise.
    pub stderr: f64,
    /// Half the width of an interval that has the noise with 95 percent.
    pub margin: f64,
}

impl Privacy {
    /// Of a program that was lowered for `study`; nothing if no result is noisy.
    pub(super) fn of(program: &Program, study: &Study) -> Option<Privacy> {
        if program.noise.is_empty() {
            return None;
        }
        let parts = study.noise_parts(program.is_linear());
        let mut noise: Vec<ExplainedNoise> = Vec::new();
        for entry in &program.noise {
            let mechanism = match entry.distribution {
                Distribution::Gaussian { .. } => "discrete Gaussian",
                Distribution::Laplace { .. } => "discrete Laplace",
            };
            let explained = ExplainedNoise {
                meaning: entry.meaning.clone(),
                numbers: entry.count,
                mechanism: mechanism.to_owned(),
                sensitivity: entry.sensitivity.to_string(),
                stderr: parts.error(&entry.distribution),
            };
            // The steps of an order statistic are all alike.
            match noise.last_mut().filter(|last| last.meaning == explained.meaning && entry.rank.is_some()) {
                Some(last) => last.numbers += 1,
                None => noise.push(explained),
            }
        }
        let (spent, left, results) = (None, None, Vec::new());
        let Parts { all: parts, honest } = parts;
        let (loss, budget, rows_max) = (program.loss, study.privacy, study.rows_max);
        Some(Privacy { loss, budget, spent, left, rows_max, parts, honest, noise, results })
    }

    /// Whether the run costs more than is left, as far as that is known.
    pub fn is_refused(&self) -> bool {
        let known = self.budget.zip(self.spent);
        known.is_some_and(|(budget, spent)| !budget.allows(&spent.plus(&self.loss)))
    }

    /// With what was spent before, and on how many rows the run will be.
    pub(super) fn expect(&mut self, program: &Program, spent: Option<Loss>, rows: Option<u64>) {
        self.spent = spent;
        self.left = self.budget.zip(spent).map(|(budget, spent)| budget.left(&spent.plus(&self.loss)));
        let Some(rows) = rows else { return };
        let factor = within(program.noise.iter().any(|noise| is_laplace(&noise.distribution)));
        let errors = program.expected_errors(rows, Parts { all: self.parts, honest: self.honest });
        let expected = |(name, stderr): (String, Option<f64>)| {
            stderr.map(|stderr| ExpectedError { name, stderr, margin: factor * stderr })
        };
        self.results = errors.into_iter().filter_map(expected).collect();
    }
}

/// A double with few digits.
fn short(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        size if size >= 1000.0 => format!("{value:.0}"),
        size if size >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3e}"),
    }
}

impl fmt::Display for Privacy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whose = match self.rows_max {
            1 => "one row".to_owned(),
            rows => format!("one contribution of up to {rows} rows"),
        };
        writeln!(
            f,
            "\nprivacy: what {whose} says, within the declared ranges, may be replaced by anything else:"
        )?;
        let rows = self.noise.iter().map(|noise| {
            let meaning = match noise.numbers {
                1 => noise.meaning.clone(),
                numbers => format!("{} ({numbers} times)", noise.meaning),
            };
            let moves = format!("moves by at most {}", noise.sensitivity);
            [meaning, moves, format!("{}, standard error {}", noise.mechanism, short(noise.stderr))]
        });
        write_aligned(f, &rows.collect::<Vec<_>>())?;
        writeln!(
            f,
            "  {} helpers draw a part each, of which any {} are noise enough",
            self.parts, self.honest
        )?;
        if !self.results.is_empty() {
            writeln!(f, "\nnoise to expect in results:")?;
            let rows = self.results.iter().map(|result| {
                let within = format!("95% within {} of the exact result", short(result.margin));
                [result.name.clone(), format!("standard error {}", short(result.stderr)), within]
            });
            write_aligned(f, &rows.collect::<Vec<_>>())?;
        }
        write!(f, "\nthe run costs {}", self.loss)?;
        match (self.budget, self.spent, self.left) {
            (None, ..) => writeln!(f, "; the study has no budget"),
            (Some(budget), Some(spent), Some(left)) => {
                write!(f, " of the study's {budget}: {} is spent, ", budget.spent_words(&spent))?;
                match self.is_refused() {
                    true => writeln!(f, "so helpers refuse it"),
                    false => writeln!(f, "{left} would be left"),
                }
            }
            (Some(budget), ..) => writeln!(f, " of the study's {budget}; its helpers say what is spent"),
        }
    }
}
