//! What this helper's last runs took: how fast the federation computes, for estimates of later runs.

use std::collections::VecDeque;

use quorate_wire::RecentRuns;

/// So many are remembered.
const RUNS_MAX: usize = 16;

/// The last runs that helpers computed together, in this life.
#[derive(Debug, Default)]
pub(crate) struct Recent(VecDeque<RecentRuns>);

impl Recent {
    /// One more run.
    pub(crate) fn add(&mut self, elapsed_ms: u64, rounds: u64, busy_us: u64) {
        if self.0.len() == RUNS_MAX {
            self.0.pop_front();
        }
        self.0.push_back(RecentRuns { runs: 1, elapsed_us: 1_000 * elapsed_ms, rounds, busy_us });
    }

    /// All of them together.
    pub(crate) fn total(&self) -> RecentRuns {
        self.0.iter().fold(RecentRuns::default(), |all, run| RecentRuns {
            runs: all.runs + run.runs,
            elapsed_us: all.elapsed_us + run.elapsed_us,
            rounds: all.rounds + run.rounds,
            busy_us: all.busy_us + run.busy_us,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_runs_are_added_up_and_older_ones_are_forgotten() {
        let mut recent = Recent::default();
        recent.add(1_000_000, 1_000_000, 1_000_000);
        (0..RUNS_MAX).for_each(|_| recent.add(2, 3, 4));
        let all = RUNS_MAX as u64;
        let expected = RecentRuns { runs: all, elapsed_us: 2_000 * all, rounds: 3 * all, busy_us: 4 * all };
        assert_eq!(recent.total(), expected);
    }
}
