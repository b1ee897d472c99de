//! Scales: values to pixels, and the ticks between.

use crate::number::{figure, figures};

/// A scale, linear or logarithmic.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scale {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
    is_log: bool,
}

impl Scale {
    /// The interval `low ..= high` of values laid over the pixels from `from` to `to`.
    pub(crate) fn new((low, high): (f64, f64), (from, to): (f64, f64)) -> Self {
        let high = if high > low { high } else { low + 1.0 };
        Scale { low, high, from, to, is_log: false }
    }

    /// The interval of positive values, widened to 1, 2 or 5 times a power of ten at both ends, laid over pixels so that equal
    /// ratios are equally long.
    pub(crate) fn log((low, high): (f64, f64), (from, to): (f64, f64)) -> Self {
        let low = if low > 0.0 { low } else { 1.0 };
        let (below, above) = (round_log(low, false), round_log(high.max(low), true));
        let above = if above > below { above } else { below * 10.0 };
        Scale { low: below, high: above, from, to, is_log: true }
    }

    /// The same pixels for an interval that ends with one of `wanted` ticks.
    pub(crate) fn rounded(self, wanted: f64) -> Self {
        let ticks = self.ticks(wanted);
        match ticks[..] {
            [.., (before, _), (last, _)] if last < self.high => Scale { high: 2.0 * last - before, ..self },
            _ => self,
        }
    }

    /// Where a value is.
    pub(crate) fn at(&self, value: f64) -> f64 {
        let part = if self.is_log {
            (value / self.low).ln() / (self.high / self.low).ln()
        } else {
            (value - self.low) / (self.high - self.low)
        };
        self.from + part * (self.to - self.from)
    }

    /// About `wanted` round values with their texts.
    pub(crate) fn ticks(&self, wanted: f64) -> Vec<(f64, String)> {
        if self.is_log {
            return log_ticks(self.low, self.high);
        }
        let raw = (self.high - self.low) / wanted;
        let power = 10_f64.powf(raw.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * power).into_iter().find(|step| *step >= raw);
        let step = step.unwrap_or(raw);
        let mut values = Vec::new();
        let mut index = (self.low / step).ceil();
        // The last tick may be missed by a rounding error only.
        while index * step <= self.high + step * 1e-9 && values.len() < 100 {
            values.push(index * step);
            index += 1.0;
        }
        let texts = figures(&values);
        values.into_iter().zip(texts).collect()
    }
}

/// The nearest 1, 2 or 5 times a power of ten that is not above, or not below, a positive value.
fn round_log(value: f64, is_above: bool) -> f64 {
    let power = 10_f64.powf(value.log10().floor());
    let mut candidates = [1.0, 2.0, 5.0, 10.0].into_iter().map(|factor| factor * power);
    if is_above {
        return candidates.find(|candidate| *candidate >= value * (1.0 - 1e-9)).unwrap_or(value);
    }
    candidates.rfind(|candidate| *candidate <= value * (1.0 + 1e-9)).unwrap_or(value)
}

/// Ticks of a logarithmic interval: 1, 2 and 5 times the powers of ten where these are few, else the powers alone.
fn log_ticks(low: f64, high: f64) -> Vec<(f64, String)> {
    let factors: &[f64] = if high / low < 1_000.0 { &[1.0, 2.0, 5.0] } else { &[1.0] };
    let mut ticks = Vec::new();
    let mut exponent = low.log10().floor();
    while 10_f64.powf(exponent) <= high * (1.0 + 1e-9) && ticks.len() < 100 {
        let values = factors.iter().map(|factor| factor * 10_f64.powf(exponent));
        let is_within = |value: &f64| (low * (1.0 - 1e-9)..=high * (1.0 + 1e-9)).contains(value);
        ticks.extend(values.filter(is_within).map(|value| (value, figure(value))));
        exponent += 1.0;
    }
    ticks
}

/// The least interval with all of these values, those that are none left out; with zero in it if `has_zero`.
pub(crate) fn hull(values: impl Iterator<Item = f64>, has_zero: bool) -> (f64, f64) {
    let start = if has_zero { (0.0, 0.0) } else { (f64::INFINITY, f64::NEG_INFINITY) };
    let hull = values
        .filter(|value| value.is_finite())
        .fold(start, |(low, high), value| (f64::min(low, value), f64::max(high, value)));
    if hull.0 <= hull.1 { hull } else { (0.0, 1.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_within() {
        let texts = |low, high| -> Vec<String> {
            Scale::new((low, high), (0.0, 1.0)).ticks(5.0).into_iter().map(|(_, text)| text).collect()
        };
        assert_eq!(texts(0.0, 100.0), ["0", "20", "40", "60", "80", "100"]);
        assert_eq!(texts(0.0, 0.37), ["0.0", "0.1", "0.2", "0.3"]);
        assert_eq!(texts(-3.0, 4.0), ["-2", "0", "2", "4"]);
        assert_eq!(texts(5.0, 5.0), ["5.0", "5.2", "5.4", "5.6", "5.8", "6.0"], "nothing between");
    }

    #[test]
    fn a_logarithmic_scale_goes_by_ratios() {
        let scale = Scale::log((130.0, 9_000.0), (0.0, 100.0));
        let texts: Vec<String> = scale.ticks(6.0).into_iter().map(|(_, text)| text).collect();
        assert_eq!(texts, ["100", "200", "500", "1000", "2000", "5000", "10000"]);
        assert_eq!([100.0, 1_000.0, 10_000.0].map(|value| scale.at(value).round()), [0.0, 50.0, 100.0]);
        let texts: Vec<String> =
            Scale::log((0.003, 40.0), (0.0, 1.0)).ticks(6.0).into_iter().map(|(_, text)| text).collect();
        assert_eq!(texts, ["0.01", "0.1", "1", "10"], "powers alone where they are many");
        let one = Scale::log((1_000.0, 1_000.0), (0.0, 10.0));
        assert_eq!(one.at(1_000.0), 0.0, "one value");
    }

    #[test]
    fn a_rounded_scale_ends_with_a_tick() {
        let last = |high| {
            let ticks = Scale::new((0.0, high), (0.0, 1.0)).rounded(5.0).ticks(5.0);
            ticks.last().unwrap().1.clone()
        };
        assert_eq!([last(1_400.0), last(1_500.0), last(100.0)], ["1500", "1500", "100"]);
    }

    #[test]
    fn values_are_laid_over_pixels() {
        let scale = Scale::new((10.0, 20.0), (100.0, 0.0));
        assert_eq!([10.0, 15.0, 20.0].map(|value| scale.at(value)), [100.0, 50.0, 0.0]);
        assert_eq!(hull([3.0, f64::NAN, -1.0].into_iter(), false), (-1.0, 3.0));
        assert_eq!(hull([3.0].into_iter(), true), (0.0, 3.0));
        assert_eq!(hull(std::iter::empty(), false), (0.0, 1.0));
    }
}
