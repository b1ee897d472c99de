//! The crate's public interface, tested as its users use it.

#![allow(clippy::unwrap_used, clippy::cast_possible_truncation, reason = "tests: a panic is a failure")]

mod piece;
mod prss;
mod published;
mod recombine;
mod split;
mod stream;
mod vectors;
