//! Durable contributions, sealed columns and control records

#![cfg_attr(test, allow(clippy::cast_possible_truncation))]

mod columns;
mod disk;
mod error;
mod reader;
mod store;
mod write;

pub use columns::Columns;
pub use disk::{Disk, DiskFile, Fate, Fault, OsDisk, SimDisk};
pub use error::{Refusal, StoreError};
pub use reader::{ControlRecord, Reader};
pub use store::{Recovery, Store, Torn};
pub use write::{Limits, Write};
