//! Salaries of people who do not exist: the same ones every time.

use std::fmt::Write;

/// A table of `people` rows with the columns of `circuits/salaries.circuit`.
pub(super) fn csv(people: u32) -> String {
    let mut numbers = SplitMix(20_260_101);
    let mut text = "name,salary,bonus,years\n".to_owned();
    for person in 1..=people {
        let years = numbers.below(41);
        // Three draws added up: most people are near the middle, few at the ends.
        let salary = 24_000 + 900 * years + (0..3).map(|_| numbers.below(16_000)).sum::<u64>();
        let bonus_cents = numbers.below(10) / 5 * numbers.below(1_200_000);
        let (units, cents) = (bonus_cents / 100, bonus_cents % 100);
        // Writing to a string does not fail.
        let _ = writeln!(text, "person {person},{salary},{units}.{cents:02},{years}");
    }
    text
}

/// SplitMix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014. For made-up data only.
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_is_splitmix64() {
        let mut numbers = SplitMix(1_234_567);
        assert_eq!([numbers.next(), numbers.next()], [6_457_827_717_110_365_317, 3_203_168_211_198_807_973]);
    }

    #[test]
    fn people_are_the_same_every_time_and_differ() {
        let text = csv(1_000);
        assert_eq!(text, csv(1_000));
        let rows: std::collections::BTreeSet<&str> = text.lines().collect();
        assert_eq!(rows.len(), 1_001);
    }
}
