//! Durable contributions, sealed columns and control records.
//!
//! Three kinds of files under one directory, written by one process through the [`Disk`] trait:
//!
//! | files | content | made durable by |
//! |---|---|---|
//! | `contributions/00000001.log` ... | contributions, append-only | one sync per batch |
//! | `columns/<study>-<generation>.columns` | immutable columns of a sealed study | sync, rename, sync of the directory |
//! | `control.redb` | control records: ledger, receipts, manifests | `redb`, two-phase commit |
//!
//! Invariants: what a commit has acknowledged survives any crash; what it has not may be absent, but is never half
//! there; a flipped byte is detected, never accepted; after a failed write nothing more is acknowledged. The tests hold
//! all three to it on [`SimDisk`], at every step of a trace.
//!
//! What is *not* here: any knowledge of what the bytes mean, encryption, threads, clocks and randomness.

#![cfg_attr(test, allow(clippy::cast_possible_truncation))]

mod columns;
mod control;
mod disk;
mod error;
mod index;
mod log;
mod reader;
mod store;
mod sync;
mod write;

pub use columns::Columns;
pub use disk::{Disk, DiskFile, Fate, Fault, OsDisk, SimDisk};
pub use error::{Refusal, StoreError};
pub use reader::{ControlRecord, Reader};
pub use store::{Recovery, Store, Torn};
pub use write::{Limits, Write};
