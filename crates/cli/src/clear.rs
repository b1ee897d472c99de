//! Clear text: the results of a circuit without any secrecy, which the helpers' must equal.

use std::time::Instant;

use quorate_circuit::{Outcome, Program};
use quorate_client::analyst::Run;
use quorate_contribute::Table;
use quorate_field::Integer;

use crate::failure::Failure;

/// Results without secrecy.
pub(crate) struct ClearText {
    /// By name, in the circuit's order.
    pub(crate) results: Vec<(String, Outcome)>,
    /// How long it took.
    pub(crate) seconds: f64,
}

impl ClearText {
    /// What `program` gives on `table`.
    pub(crate) fn of(program: &Program, table: &Table) -> Result<Self, Failure> {
        let started = Instant::now();
        let column =
            |index: usize| (0..table.rows()).map(|row| table.row(row)[index]).collect::<Vec<Integer>>();
        let columns: Vec<Vec<Integer>> = (0..table.columns()).map(column).collect();
        let outputs = program
            .evaluate(&columns)
            .map_err(|error| Failure::Invalid { message: error.to_string(), hint: None })?;
        let results = program.outcomes(&outputs, table.rows() as u64);
        Ok(ClearText { results, seconds: started.elapsed().as_secs_f64() })
    }

    /// That the helpers' results are the same.
    pub(crate) fn compare(&self, run: &Run) -> Result<(), Failure> {
        for ((name, found), (_, expected)) in run.answer.results.iter().zip(&self.results) {
            if found != expected {
                let (name, found, expected) = (name.clone(), found.to_string(), expected.to_string());
                return Err(Failure::Differs { name, found, expected });
            }
        }
        Ok(())
    }
}
