//! The store against everything its disk may do to it.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]
#![allow(clippy::cast_possible_truncation, reason = "small numbers")]

mod crash;
mod damage;
mod fault;
mod model;
mod real;
mod rules;
