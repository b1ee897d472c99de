//! The command line as its users meet it: the real binary, real files, real helper processes.

#![allow(clippy::unwrap_used, reason = "helpers of tests: what they expect is the test")]

mod bad_contributions;
mod bad_input;
mod benches;
mod budgets;
mod files;
mod lifecycle;
mod masks;
mod norms;
mod privacy;
mod results;
mod rules;
mod study;
mod trials;
mod up;
mod vectors;
