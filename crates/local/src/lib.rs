//! A federation of helper processes on this machine: for demonstrations, trials, benchmarks and tests.
//!
//! [`create`] makes the helpers' directories, keys and the federation file; [`LocalFederation`] starts one process per
//! helper, waits until each is ready, kills single helpers and measures them. A [`Network`] holds back what they send
//! each other. The processes end with their owner in every case: when it is dropped they are killed, and when this process
//! itself is killed the pipe that each holds as its standard input closes, at which they stop. What is *not* here:
//! protocol logic. All keys of such a federation are in one place; it protects nobody.

#![cfg_attr(test, allow(clippy::cast_possible_truncation))]

mod create;
mod error;
mod network;
mod ports;
mod process;
mod usage;

pub use create::{FEDERATION_FILE, create, helper_dir, helper_log};
pub use error::LocalError;
pub use network::Network;
pub use process::LocalFederation;
pub use usage::{Usage, cpu_of_process, cpu_of_thread};
