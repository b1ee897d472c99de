//! Agenda: the virtual clock, and what happens when.

use std::collections::BTreeMap;

/// Happenings in the order of their times; at the same time, in the order in which they were put down.
pub(crate) struct Agenda<T> {
    now_us: u64,
    sequence: u64,
    waiting: BTreeMap<(u64, u64), T>,
}

impl<T> Default for Agenda<T> {
    fn default() -> Self {
        Agenda { now_us: 0, sequence: 0, waiting: BTreeMap::new() }
    }
}

impl<T> Agenda<T> {
    /// Virtual milliseconds since the beginning.
    pub(crate) fn now_ms(&self) -> u64 {
        self.now_us / 1_000
    }

    /// Virtual microseconds since the beginning.
    pub(crate) fn now_us(&self) -> u64 {
        self.now_us
    }

    /// Something will happen `after_us` from now.
    pub(crate) fn after_us(&mut self, after_us: u64, happening: T) {
        self.sequence += 1;
        self.waiting.insert((self.now_us + after_us, self.sequence), happening);
    }

    /// Something will happen `after_ms` from now.
    pub(crate) fn after_ms(&mut self, after_ms: u64, happening: T) {
        self.after_us(after_ms * 1_000, happening);
    }

    /// Moves the clock to the next happening.
    pub(crate) fn next(&mut self) -> Option<T> {
        let ((at_us, _), happening) = self.waiting.pop_first()?;
        self.now_us = at_us;
        Some(happening)
    }
}
