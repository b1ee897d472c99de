//! The language from text to results, and the study document: everything a user can get wrong, each with its message.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]
#![allow(missing_docs, unreachable_pub, reason = "nothing imports a test")]

mod blanks;
mod cells;
mod circuits;
mod definitions;
mod groups;
mod mistakes;
mod neighbours;
mod order;
mod plans;
mod private;
mod programs;
mod properties;
mod reference;
mod studies;
mod support;
mod vectors;
mod whole;
