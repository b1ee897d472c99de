//! The interpreter of programs with products, bits and comparisons.
//!
//! A job is one computation of the `2t + 1` workers of a session, taken apart into tasks that are driven round by
//! round as everything here: [`RowTask`]s, one for each morsel of rows, which may be under way at once, and then one
//! [`ScalarTask`], and both again for every further pass over the rows; or, at sealing, one [`SealTask`] for each morsel. What they share is made once: a [`Session`] (who
//! works, with which keys) and a plan, a pure function of public data, so that all workers make the same one.
//!
//! Every protocol of a session draws under an instruction number of its own, given out by the [`Session`] while
//! plans are made, and within it by rows.
//!
//! What is *not* here: who carries messages, how many morsels are under way, where columns are kept.

mod batch;
mod decided;
mod gadget;
mod norm;
mod reference;
mod rehearsal;
mod rows;
mod scalars;
mod schedule;
mod seal;
#[cfg(test)]
mod tests;
mod truths;
mod way;

use std::sync::Arc;

use quorate_sharing::prss::SessionKeys;
use quorate_sharing::{HelperNumber, Scheme};

pub use decided::{Carried, Decided};
pub use norm::{NormPlan, Projected, norm_bits};
pub use rehearsal::rehearse;
pub use rows::{Morsel, RowPlan, RowTask, Sums};
pub use scalars::{ScalarPlan, ScalarTask};
pub use schedule::{ColumnBits, Schedule, column_bits};
pub use seal::{
    BLOCK_ROWS, Checked, Packer, SealPlan, SealSpread, SealTask, SealedBits, SpreadTask, width_of,
};

use crate::boolean::Workers;
use crate::round::Member;

/// One worker's place and keys in one session, and the instructions given out in it.
#[derive(Clone, Debug)]
pub struct Session {
    worker: Arc<Worker>,
    instructions: u32,
}

#[derive(Debug)]
struct Worker {
    member: Member,
    workers: Workers,
}

impl Session {
    /// Worker `me` of `workers`, exactly `2t + 1` helpers, ascending, with the keys of a session of which they are
    /// members. `None` if the threshold is 0.
    pub fn new(
        scheme: Scheme,
        me: HelperNumber,
        workers: &[HelperNumber],
        keys: SessionKeys,
    ) -> Option<Self> {
        let member = Member::new(scheme, me, workers, keys);
        let workers = Workers::new(&member)?;
        Some(Session { worker: Arc::new(Worker { member, workers }), instructions: 0 })
    }

    /// The worker as a member.
    pub fn member(&self) -> &Member {
        &self.worker.member
    }

    /// The worker in the Boolean domain.
    pub fn workers(&self) -> &Workers {
        &self.worker.workers
    }

    /// An instruction number that this session has not used. All workers must ask in the same order.
    pub(crate) fn next_instruction(&mut self) -> u32 {
        self.instructions += 1;
        self.instructions
    }
}
