//! Whole helpers over real sockets: what comes in at each door, how they find each other, how they stop.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod bodies;
mod directory;
mod doors;
mod meeting;
mod support;
