//! The contributor without input or output: a table of private values becomes one upload per helper.
//!
//! [`Table`] reads CSV text and holds the cells as the integers that the study's columns declare, beside vectors that stay in
//! their files ([`VectorFile`]) until they are wanted; [`Packer`] splits
//! blocks of rows into one piece per helper (section 2 of `docs/protocols.md`) and gathers them into uploads of a
//! bounded size. Everything is a function of the contributor's secret, the position of a block and its values, so an
//! upload that was interrupted is repeated byte for byte and counted once. What is *not* here: sockets, files,
//! randomness, tokio; this crate is also compiled for browsers.

#![cfg_attr(test, allow(clippy::cast_possible_truncation))]

mod error;
mod nearest;
mod packing;
mod table;
mod vector;

pub use error::ContributeError;
pub use nearest::nearest;
pub use packing::{Batch, Batches, Grouping, Packed, Packer, scheme_of};
pub use table::{BadRow, BadRowReason, BadRows, BadRowsPolicy, Rounded, Table};
pub use vector::{Clipped, Clipping, NpyError, Source, VectorFile, npy_bytes};
