//! Hardening of the process against reading its memory: no core files, no debugger of the same user.
//!
//! Best effort: root can read everything, and shares that were moved may leave copies.

use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
use tracing::warn;

/// Applies what the operating system allows; says what it did not.
pub(crate) fn harden() {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    if let Err(error) = setrlimit(Resource::Core, none) {
        warn!(%error, "core files could not be switched off; a crash may write shares to disk");
    }
    if let Err(error) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
        warn!(%error, "other processes of this user may still be able to read this one's memory");
    }
}
