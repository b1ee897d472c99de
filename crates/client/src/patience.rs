//! How long a client goes on asking a helper that does not answer.

use std::time::Duration;

/// Tries of one request, with growing pauses between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    tries: u32,
    first_pause: Duration,
    longest_pause: Duration,
}

impl Patience {
    /// One try.
    pub const ONCE: Patience = Patience::new(1, Duration::ZERO, Duration::ZERO);
    /// About half a second: is this helper there?
    pub const BRIEF: Patience = Patience::new(3, Duration::from_millis(150), Duration::from_millis(300));
    /// About eight seconds: an answer that cost something is worth waiting for.
    pub const PAID: Patience = Patience::new(6, Duration::from_millis(250), Duration::from_millis(4_000));
    /// About half a minute: a helper that restarts is waited for.
    pub const LONG: Patience = Patience::new(16, Duration::from_millis(100), Duration::from_millis(3_000));

    const fn new(tries: u32, first_pause: Duration, longest_pause: Duration) -> Self {
        Patience { tries, first_pause, longest_pause }
    }

    /// The pauses between the tries: each twice the one before, up to the longest. No randomness: the helpers that a
    /// client waits for are few, and it asks each only once at a time.
    pub fn pauses(&self) -> impl Iterator<Item = Duration> + use<> {
        let Patience { tries, first_pause, longest_pause } = *self;
        (1..tries).scan(first_pause, move |pause, _| {
            let this = *pause;
            *pause = (*pause * 2).min(longest_pause);
            Some(this)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_the_longest_and_end() {
        assert_eq!(Patience::ONCE.pauses().count(), 0);
        let pauses: Vec<_> = Patience::BRIEF.pauses().map(|pause| pause.as_millis()).collect();
        assert_eq!(pauses, [150, 300]);
        let total: Duration = Patience::LONG.pauses().sum();
        assert!((25..45).contains(&total.as_secs()), "{total:?}");
    }
}
