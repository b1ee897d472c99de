//! Numbers for people: about six significant digits.

use quorate_circuit::Outcome;

/// Digits that are shown of what is not whole.
const SIGNIFICANT: i32 = 6;

/// A number as text.
pub fn figure(value: f64) -> String {
    figures(&[value]).swap_remove(0)
}

/// Numbers as text, with equally many decimals: as the largest of them wants. Whole numbers are never rounded.
pub fn figures(values: &[f64]) -> Vec<String> {
    with_digits(values, SIGNIFICANT)
}

/// Numbers as text and how far noise may have taken each, all rounded alike: to the second digit of the least margin.
pub fn noisy_figures(numbers: &[(f64, f64)]) -> Vec<(String, String)> {
    let is_margin = |margin: &f64| margin.is_finite() && *margin > 0.0;
    let least = numbers.iter().map(|(_, margin)| *margin).filter(is_margin).fold(f64::INFINITY, f64::min);
    let largest = numbers.iter().map(|(value, margin)| value.abs().max(*margin)).fold(0.0, f64::max);
    if !(1e-12..1e15).contains(&least) || largest >= 1e15 {
        return numbers.iter().map(|(value, margin)| (figure(*value), figure(*margin))).collect();
    }
    let places = places(least, 2);
    // Before the point zeros take the place of the digits that say nothing; and zero has no sign.
    let unit = 10_f64.powf(least.log10().floor() - 1.0);
    let rounded = |value: f64| format!("{:.places$}", (value / unit).round_ties_even() * unit + 0.0);
    numbers.iter().map(|(value, margin)| (rounded(*value), rounded(*margin))).collect()
}

/// [`figures`] with so many significant digits.
pub(crate) fn with_digits(values: &[f64], significant: i32) -> Vec<String> {
    let largest =
        values.iter().filter(|value| value.is_finite()).fold(0.0_f64, |max, value| max.max(value.abs()));
    let is_plain = largest == 0.0 || (1e-4..1e15).contains(&largest);
    let places = places(largest, significant);
    let fixed = |value: f64| format!("{:.places$}", value + 0.0);
    let texts: Vec<String> = values.iter().map(|value| fixed(*value)).collect();
    let zeros = |text: &String| text.len() - text.trim_end_matches('0').len();
    let is_shown = |(value, _): &(&f64, &String)| value.is_finite();
    let cut = values.iter().zip(&texts).filter(is_shown).map(|(_, text)| zeros(text)).min().unwrap_or(0);
    let cut = if cut >= places { places + 1 } else { cut };
    let shown = |(value, text): (&f64, String)| match value {
        value if value.is_nan() => "-".to_owned(),
        value if value.is_infinite() => if *value > 0.0 { "inf" } else { "-inf" }.to_owned(),
        value if !is_plain || is_lost(*value, &text) => scientific(*value, significant),
        _ if places == 0 => text,
        _ => text[..text.len() - cut].to_owned(),
    };
    values.iter().zip(texts).map(shown).collect()
}

/// Decimals that give a number of this size so many significant digits.
#[expect(clippy::cast_possible_truncation, reason = "a logarithm, held above zero")]
fn places(largest: f64, significant: i32) -> usize {
    if largest == 0.0 { 0 } else { (significant - 1 - largest.log10().floor() as i32).max(0) as usize }
}

/// Whether nothing but zeros is left of a number.
fn is_lost(value: f64, text: &str) -> bool {
    value != 0.0 && !text.contains(|digit: char| matches!(digit, '1'..='9'))
}

fn scientific(value: f64, significant: i32) -> String {
    let digits = usize::try_from(significant - 1).unwrap_or(0);
    let text = format!("{value:.digits$e}");
    match text.split_once('e') {
        Some((mantissa, exponent)) if mantissa.contains('.') => {
            format!("{}e{exponent}", mantissa.trim_end_matches('0').trim_end_matches('.'))
        }
        _ => text,
    }
}

/// Whether the groups of a table are bins, one beside the other: `0..18`, `18..40`.
pub fn is_binned(cells: &[(String, Outcome)]) -> bool {
    edges(cells).is_some()
}

/// The edges of a table's bins, in its own words.
pub(crate) fn edges(cells: &[(String, Outcome)]) -> Option<Vec<&str>> {
    let mut edges: Vec<&str> = Vec::with_capacity(cells.len() + 1);
    for (label, _) in cells {
        let (low, high) = label.split_once("..")?;
        let is_ascending = low.parse::<f64>().ok()? < high.parse::<f64>().ok()?;
        if !is_ascending || edges.last().is_some_and(|last| *last != low) {
            return None;
        }
        if edges.is_empty() {
            edges.push(low);
        }
        edges.push(high);
    }
    (!edges.is_empty()).then_some(edges)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn six_digits_and_never_fewer_than_the_whole_ones() {
        for (value, text) in [
            (0.0, "0"),
            (-0.0, "0"),
            (12.0, "12"),
            (1_234_567.0, "1234567"),
            (1_234_567.89, "1234568"),
            (366.78, "366.78"),
            (1.0 / 3.0, "0.333333"),
            (-52_341.678_9, "-52341.7"),
            (0.000_012_345_678, "1.23457e-5"),
            (2.2e-16, "2.2e-16"),
            (f64::NAN, "-"),
            (f64::INFINITY, "inf"),
        ] {
            assert_eq!(figure(value), text);
        }
    }

    #[test]
    fn numbers_of_one_column_have_equally_many_decimals() {
        assert_eq!(figures(&[52_341.67, 48_000.0]), ["52341.7", "48000.0"]);
        assert_eq!(figures(&[10.0, 200.0]), ["10", "200"]);
        assert_eq!(figures(&[1.5, 2.25]), ["1.50", "2.25"]);
        assert_eq!(figures(&[123_456.0, 0.000_01]), ["123456", "1e-5"], "not shown as zero");
        assert!(figures(&[]).is_empty());
    }

    #[test]
    fn noise_leaves_two_digits_of_what_it_says_nothing_about() {
        let shown = |numbers: &[(f64, f64)]| {
            let texts = noisy_figures(numbers).into_iter();
            texts.map(|(value, margin)| format!("{value} ± {margin}")).collect::<Vec<_>>()
        };
        assert_eq!(shown(&[(52_341.27, 1_592.4)]), ["52300 ± 1600"]);
        assert_eq!(shown(&[(52_341.27, 81.6)]), ["52341 ± 82"]);
        assert_eq!(shown(&[(0.456_78, 0.012_3)]), ["0.457 ± 0.012"]);
        assert_eq!(shown(&[(-3.2, 4_500.0), (12.7, 99_000.0)]), ["0 ± 4500", "0 ± 99000"]);
        assert_eq!(shown(&[(17.25, 0.0), (f64::NAN, 1.5)]), ["17.2 ± 0.0", "NaN ± 1.5"]);
        assert_eq!(shown(&[(1.5, f64::INFINITY)]), ["1.5 ± inf"]);
        assert_eq!(shown(&[(2e20, 3e18)]), ["2e20 ± 3e18"]);
    }

    #[test]
    fn bins_are_known_by_their_edges() {
        let cells = |labels: &[&str]| -> Vec<(String, Outcome)> {
            labels.iter().map(|label| ((*label).to_owned(), Outcome::Truth(true))).collect()
        };
        assert_eq!(edges(&cells(&["-1.5..0", "0..18"])).unwrap(), ["-1.5", "0", "18"]);
        for others in [&["0..18", "20..40"][..], &["women", "men"], &[], &["18..0"], &["a..b"]] {
            assert!(!is_binned(&cells(others)), "{others:?}");
        }
    }
}
