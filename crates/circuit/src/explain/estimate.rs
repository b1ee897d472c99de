//! Estimates: how long a run takes.
//!
//! ```text
//! seconds = rounds * round trip / 2 + pace * (start + busy)
//! busy    = keys + rounds * hop + turns * turn + sum over what the run does (ANDs, products, ...) of how many / rate
//! ```
//!
//! `start` is what every request costs, and `keys` what every run costs that helpers compute together, however little it
//! is. Rounds wait for the network, one after the other; everything else keeps processors at work. Morsels in several lanes
//! hide some of the waiting behind the work, so the sum is an upper bound of the two together; it is at most twice what the
//! longer of them takes alone, and nearly that one where a network is either near or far. The rates are those of helpers
//! that share two processor cores (`docs/performance.md`). What other machines make of them is one number, the `pace`: the
//! time that the helpers' last runs took beside waiting for the network, over what these rates say of them. One number
//! cannot be fitted wrongly, and the parts that circuits are made of get faster together on a faster machine.
//!
//! A workload is counted by the engine, on the plan that a run follows. What is *not* here: other runs at the same time.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::write_aligned;

/// What a run makes helpers do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Workload {
    /// Rows.
    pub rows: u64,
    /// Rounds of messages that follow each other.
    pub rounds: u64,
    /// Rounds of all morsels: those of different lanes go on side by side.
    pub turns: u64,
    /// Conjunctions of shared bits.
    pub ands: u64,
    /// Products of shared numbers.
    pub products: u64,
    /// Numbers whose bits are made.
    pub conversions: u64,
    /// Truths that become numbers, or are counted.
    pub numbers: u64,
    /// Numbers read or added up by each helper alone.
    pub terms: u64,
    /// Bytes that each helper sends to the others, on average.
    pub bytes: u64,
}

/// How fast a federation computes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Speed {
    /// Microseconds from one helper to another and back, of the two that are farthest from each other; `None` if nobody
    /// measured it.
    pub round_trip_us: Option<u64>,
    /// Percent of the time that the default rates say; `None` if the federation has not computed yet.
    pub pace_percent: Option<u64>,
}

/// What a run on so many rows takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Estimate {
    /// What helpers do.
    pub workload: Workload,
    /// Microseconds from the request to the answer.
    pub microseconds: u64,
    /// How fast they are.
    pub speed: Speed,
}

/// What every request costs: signatures, TLS, the disk.
const START_US: f64 = 8_000.0;
/// The keys of a run, and their confirmation.
const KEYS_US: f64 = 4_000.0;
/// A round trip on one machine.
const ROUND_TRIP_US: u64 = 150;
/// What a message waits for threads in a round, at both ends.
const HOP_US: f64 = 100.0;
/// A round of one morsel: messages framed, copied and encrypted.
const TURN_US: f64 = 50.0;

/// With less work than this, what runs took says little about rates.
const BUSY_MIN_US: u64 = 20_000;
/// Bounds of a pace, in percent.
const PACE_MIN: u64 = 1;
const PACE_MAX: u64 = 100_000;

/// Operations in a microsecond, where three helpers of which one may be curious share two cores.
const ANDS: f64 = 1_100.0;
const PRODUCTS: f64 = 20.0;
const CONVERSIONS: f64 = 9.0;
const NUMBERS: f64 = 13.0;
const TERMS: f64 = 400.0;

impl Workload {
    /// Microseconds that the work takes at the default rates, where `threshold` helpers may be curious.
    pub fn busy_us(&self, threshold: u8) -> u64 {
        let t = f64::from(threshold);
        // More helpers share the cores, and each holds more of every bit and draws more for every number.
        let workers = (2.0 * t + 1.0) / 3.0;
        let sub_shares = (1..=threshold).fold(1.0, |sets, i| sets * (t + f64::from(i)) / f64::from(i)) / 2.0;
        let (of_bits, of_numbers) = (workers * sub_shares, workers * t.max(1.0));
        let count = |count: u64| count as f64;
        let keys = if self.rounds > 1 { KEYS_US } else { 0.0 };
        let busy = keys
            + count(self.rounds) * HOP_US
            + count(self.turns) * TURN_US * workers
            + count(self.ands) / ANDS * of_bits
            + count(self.conversions) / CONVERSIONS * of_bits
            + count(self.products) / PRODUCTS * of_numbers
            + count(self.numbers) / NUMBERS * of_numbers
            + count(self.terms) / TERMS * workers;
        whole(busy)
    }
}

/// What a helper's last runs took, all together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecentRuns {
    /// How many.
    pub runs: u64,
    /// Microseconds from the helper's first sight of the request to its answer.
    pub elapsed_us: u64,
    /// Rounds of messages that followed each other.
    pub rounds: u64,
    /// Microseconds of work at the default rates, [`Workload::busy_us`].
    pub busy_us: u64,
}

impl Speed {
    /// Of a helper whose slowest link takes `round_trip_us`, and whose last runs were these.
    pub fn measured(round_trip_us: Option<u64>, recent: &RecentRuns) -> Speed {
        let mut speed = Speed { round_trip_us, pace_percent: None };
        if recent.busy_us >= BUSY_MIN_US {
            // Helpers say this of themselves: whatever they say must not overflow.
            let waited = recent.rounds.saturating_mul(speed.round_trip()) / 2;
            let worked = recent.elapsed_us.saturating_sub(waited);
            let percent = worked.saturating_mul(100) / recent.busy_us;
            speed.pace_percent = Some(percent.clamp(PACE_MIN, PACE_MAX));
        }
        speed
    }

    /// A federation is as fast as its slowest helper and its longest link.
    #[must_use]
    pub fn slowest(self, other: Speed) -> Speed {
        Speed {
            round_trip_us: self.round_trip_us.max(other.round_trip_us),
            pace_percent: self.pace_percent.max(other.pace_percent),
        }
    }

    /// The round trip that is reckoned with, in microseconds.
    pub fn round_trip(&self) -> u64 {
        self.round_trip_us.unwrap_or(ROUND_TRIP_US)
    }
}

impl Estimate {
    /// How long `workload` takes where `threshold` helpers may be curious.
    pub fn new(workload: Workload, threshold: u8, speed: Speed) -> Estimate {
        let pace = speed.pace_percent.unwrap_or(100) as f64 / 100.0;
        let waiting = workload.rounds as f64 * speed.round_trip() as f64 / 2.0;
        let microseconds = whole(waiting + pace * (START_US + workload.busy_us(threshold) as f64));
        Estimate { workload, microseconds, speed }
    }

    /// In seconds.
    pub fn seconds(&self) -> f64 {
        self.microseconds as f64 / 1e6
    }
}

/// The nearest whole number of microseconds.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "saturates, and is never negative"
)]
fn whole(microseconds: f64) -> u64 {
    microseconds.round() as u64
}

impl fmt::Display for Estimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Estimate { workload, speed, .. } = self;
        writeln!(f, "\na run on {} rows:", workload.rows)?;
        let milliseconds = speed.round_trip() as f64 / 1e3;
        let trip = match speed.round_trip_us {
            Some(_) => format!("round trip: measured, {milliseconds} ms"),
            None => format!("round trip: default, {milliseconds} ms"),
        };
        let pace = match speed.pace_percent {
            Some(percent) => format!("rates: measured, {percent}% of the default times"),
            None => "rates: defaults, of helpers that share two processor cores".to_owned(),
        };
        write_aligned(
            f,
            &[
                ["seconds, about".to_owned(), format!("{:.3}", self.seconds()), pace],
                ["rounds between helpers".to_owned(), workload.rounds.to_string(), trip],
                [
                    "bytes from each helper to the others".to_owned(),
                    workload.bytes.to_string(),
                    "on average".to_owned(),
                ],
            ],
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORKLOAD: Workload = Workload {
        rows: 10_000,
        rounds: 20,
        turns: 20,
        ands: 5_000_000,
        products: 100_000,
        conversions: 0,
        numbers: 0,
        terms: 40_000,
        bytes: 1,
    };

    #[test]
    fn an_estimate_is_rounds_and_work_at_the_measured_pace() {
        let near = Estimate::new(WORKLOAD, 1, Speed::default());
        let far = Estimate::new(WORKLOAD, 1, Speed { round_trip_us: Some(50_000), pace_percent: None });
        // Twenty rounds of half a round trip.
        assert_eq!(far.microseconds - near.microseconds, 10 * (50_000 - ROUND_TRIP_US));
        let slow = Estimate::new(WORKLOAD, 1, Speed { round_trip_us: None, pace_percent: Some(300) });
        assert_eq!(slow.microseconds - near.microseconds, 2 * (WORKLOAD.busy_us(1) + whole(START_US)));
        // More helpers share the cores, each with more of every bit and number.
        assert!(WORKLOAD.busy_us(2) > 2 * WORKLOAD.busy_us(1));
    }

    #[test]
    fn a_pace_is_what_runs_took_over_what_they_should() {
        let busy_us = 100_000;
        let run = |worked_us: u64| RecentRuns {
            runs: 2,
            elapsed_us: 30 * ROUND_TRIP_US / 2 + worked_us,
            rounds: 30,
            busy_us,
        };
        let pace = |recent: &RecentRuns| Speed::measured(None, recent).pace_percent;
        assert_eq!(pace(&run(100_000)), Some(100));
        assert_eq!(pace(&run(250_000)), Some(250));
        // The estimate of the same work is then what it took.
        let speed = Speed::measured(None, &run(250_000));
        let expected = 20 * ROUND_TRIP_US / 2 + (whole(START_US) + WORKLOAD.busy_us(1)) * 5 / 2;
        assert!(Estimate::new(WORKLOAD, 1, speed).microseconds.abs_diff(expected) <= 1);
        // Too little work says nothing, and no clock makes a pace of nothing.
        assert_eq!(pace(&RecentRuns { busy_us: BUSY_MIN_US - 1, ..run(100_000) }), None);
        assert_eq!(pace(&RecentRuns { elapsed_us: 0, ..run(0) }), Some(PACE_MIN));
        let absurd = RecentRuns { runs: 1, elapsed_us: u64::MAX, rounds: u64::MAX, busy_us: BUSY_MIN_US };
        assert_eq!(Speed::measured(Some(u64::MAX), &absurd).pace_percent, Some(PACE_MAX));
        assert!(Estimate::new(WORKLOAD, 1, Speed::measured(Some(u64::MAX), &absurd)).seconds().is_finite());
    }

    #[test]
    fn a_federation_is_as_fast_as_its_slowest() {
        let one = Speed { round_trip_us: Some(5), pace_percent: None };
        let other = Speed { round_trip_us: Some(3), pace_percent: Some(90) };
        assert_eq!(one.slowest(other), Speed { round_trip_us: Some(5), pace_percent: Some(90) });
        assert_eq!(Speed::default().slowest(one), one);
    }

    #[test]
    fn a_page_says_where_its_rates_are_from() {
        let page = |speed| Estimate::new(WORKLOAD, 1, speed).to_string();
        let defaults = page(Speed::default());
        assert!(
            defaults.contains("rates: defaults") && defaults.contains("round trip: default"),
            "{defaults}"
        );
        let measured = page(Speed { round_trip_us: Some(1_500), pace_percent: Some(80) });
        assert!(measured.contains("rates: measured, 80%"), "{measured}");
        assert!(measured.contains("round trip: measured, 1.5 ms"), "{measured}");
    }
}
