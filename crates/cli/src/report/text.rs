//! Results for people: aligned tables of rounded numbers, with how far noise may have taken them.

use quorate_circuit::{ChiSquared, Fit, FittedCoefficient, Outcome, Regression, TTest, Uncertainty, Vector};
use quorate_plot::{figure, figures, is_binned, noisy_figures};

use crate::output::aligned;

/// Characters of the longest bar.
const BAR_MAX: f64 = 40.0;

/// The results: numbers beside their names, each table and model below its own. `noise` is by name in the same order, or empty.
/// Bins get bars where `has_bars`.
pub(super) fn results(
    results: &[(String, Outcome)],
    noise: &[(String, Option<Uncertainty>)],
    has_bars: bool,
) -> String {
    let (mut blocks, mut scalars) = (Vec::new(), Vec::new());
    for (index, (name, outcome)) in results.iter().enumerate() {
        let noise = noise.get(index).and_then(|(_, noise)| noise.as_ref());
        if is_leaf(outcome) {
            scalars.push(std::iter::once(name.clone()).chain(leaf(outcome, noise)).collect());
            continue;
        }
        flush(&mut scalars, &mut blocks);
        push_blocks(name, outcome, noise, has_bars, &mut blocks);
    }
    flush(&mut scalars, &mut blocks);
    blocks.join("\n\n")
}

fn flush(scalars: &mut Vec<Vec<String>>, blocks: &mut Vec<String>) {
    if !scalars.is_empty() {
        blocks.push(aligned(std::mem::take(scalars), false, &[1]));
    }
}

/// A table by one or two groupings or a model is one block; a table of more has one for each of the first's groups.
fn push_blocks(
    name: &str,
    outcome: &Outcome,
    noise: Option<&Uncertainty>,
    has_bars: bool,
    blocks: &mut Vec<String>,
) {
    let text = match outcome {
        Outcome::Fit(fit) => match &**fit {
            Fit::Regression(regression) => model(regression, noise),
            Fit::TTest(test) => t_test(test),
            Fit::ChiSquared(test) => chi_squared(test),
        },
        Outcome::Vector(numbers) => vector(numbers, noise),
        Outcome::Table(cells) if cells.iter().all(|(_, cell)| is_leaf(cell)) => {
            one_way(cells, noise, has_bars)
        }
        Outcome::Table(cells) => match two_way(cells, noise) {
            Some(text) => text,
            None => {
                for (index, (label, cell)) in cells.iter().enumerate() {
                    let name = format!("{name} / {label}");
                    push_blocks(&name, cell, noise.and_then(|noise| noise.part(index)), has_bars, blocks);
                }
                return;
            }
        },
        cell => leaf(cell, noise).concat(),
    };
    let indented: Vec<String> = text.lines().map(|line| format!("  {line}").trim_end().to_owned()).collect();
    blocks.push(format!("{name}\n{}", indented.join("\n")));
}

fn is_leaf(outcome: &Outcome) -> bool {
    !matches!(outcome, Outcome::Table(_) | Outcome::Fit(_) | Outcome::Vector(_))
}

/// Groups below each other, with bars where they are bins.
fn one_way(cells: &[(String, Outcome)], noise: Option<&Uncertainty>, has_bars: bool) -> String {
    let noisy =
        cells.iter().enumerate().map(|(index, (_, cell))| (cell, noise.and_then(|noise| noise.part(index))));
    let Column { texts, margins } = Column::of(noisy);
    let values: Vec<f64> = cells.iter().map(|(_, cell)| cell.to_f64().unwrap_or(0.0)).collect();
    let largest = values.iter().copied().fold(0.0, f64::max);
    let has_bars = has_bars && is_binned(cells) && largest > 0.0;
    let mut rows = Vec::with_capacity(cells.len());
    for (index, ((label, _), text)) in cells.iter().zip(texts).enumerate() {
        let margin = margins.get(index).cloned();
        let bar = has_bars.then(|| bar(values[index] / largest));
        rows.push([label.clone(), text].into_iter().chain(margin).chain(bar).collect());
    }
    aligned(rows, false, &[1])
}

/// A bar for a part of the largest; none for what is below zero.
#[expect(clippy::cast_possible_truncation, reason = "between 0 and BAR_MAX")]
fn bar(part: f64) -> String {
    "█".repeat((part.max(0.0) * BAR_MAX).round() as usize)
}

/// The first grouping's groups below each other, the second's beside each other; `None` of other tables.
fn two_way(cells: &[(String, Outcome)], noise: Option<&Uncertainty>) -> Option<String> {
    let mut lines: Vec<&[(String, Outcome)]> = Vec::with_capacity(cells.len());
    for (_, cell) in cells {
        match cell {
            Outcome::Table(line) if line.iter().all(|(_, cell)| is_leaf(cell)) => lines.push(line),
            _ => return None,
        }
    }
    let width = lines.first()?.len();
    if lines.iter().any(|line| line.len() != width) {
        return None;
    }
    let heading = std::iter::once(String::new()).chain(lines[0].iter().map(|(label, _)| label.clone()));
    let mut rows = vec![heading.collect::<Vec<_>>()];
    rows.extend(cells.iter().map(|(label, _)| vec![label.clone()]));
    for index in 0..width {
        let noise = |line: usize| noise.and_then(|noise| noise.part(line)?.part(index));
        let texts =
            Column::of(lines.iter().enumerate().map(|(line, cells)| (&cells[index].1, noise(line)))).joined();
        rows[1..].iter_mut().zip(texts).for_each(|(row, text)| row.push(text));
    }
    Some(aligned(rows, true, &(1..=width).collect::<Vec<_>>()))
}

/// The first few numbers, and how many there are.
fn vector(vector: &Vector, noise: Option<&Uncertainty>) -> String {
    const SHOWN: usize = 8;
    let margin = match noise {
        Some(Uncertainty::Vector { margin, .. }) => Some(*margin),
        _ => None,
    };
    let shown: Vec<Outcome> = (0..SHOWN).filter_map(|index| vector.get(index)).map(Outcome::Number).collect();
    let noisy = margin.map(|margin| {
        shown.iter().map(|number| (number.to_f64().unwrap_or(f64::NAN), margin)).collect::<Vec<_>>()
    });
    let texts: Vec<String> = match &noisy {
        Some(numbers) => noisy_figures(numbers).into_iter().map(|(text, _)| text).collect(),
        None => Column::of(shown.iter().map(|number| (number, None))).texts,
    };
    let rows = texts.into_iter().enumerate().map(|(index, text)| vec![index.to_string(), text]).collect();
    let mut text = aligned(rows, false, &[0, 1]);
    let more = vector.len() - shown.len();
    if more > 0 {
        text += &format!("\nand {more} more of {} numbers (--json gives all)", vector.len());
    }
    if let Some(margin) = margin {
        text += &format!("\neach ± {}", noisy_figures(&[(0.0, margin)]).swap_remove(0).1);
    }
    text
}

/// A row for each coefficient.
fn model(fit: &Regression, noise: Option<&Uncertainty>) -> String {
    let margins: Vec<Option<f64>> = (0..fit.coefficients.len())
        .map(|index| noise.and_then(|noise| noise.part(index)?.margin()))
        .collect();
    let of_noise = noise.is_some().then_some("noise");
    let heading = ["", "estimate"].into_iter().chain(of_noise).chain(["standard error", "t", "p"]);
    let row = |(one, margin): (&FittedCoefficient, &Option<f64>)| {
        let exact = || (figure(one.estimate), String::new());
        let (estimate, margin) = margin.map_or_else(exact, |margin| noisy(one.estimate, margin));
        let numbers = [one.standard_error, one.t(), fit.p_value(one)].map(figure);
        let margin = of_noise.map(|_| margin);
        [one.name.clone(), estimate].into_iter().chain(margin).chain(numbers).collect()
    };
    let heading = heading.map(str::to_owned).collect();
    let rows = std::iter::once(heading).chain(fit.coefficients.iter().zip(&margins).map(row)).collect();
    let table = aligned(rows, true, &[1, 2, 3, 4, 5]);
    let apart = of_noise.map_or("", |_| "\nstandard errors, t and p do not count the noise");
    format!("{table}\n\nR^2 {}, {} rows{apart}", figure(fit.r_squared), fit.rows)
}

/// Both groups, and how they differ.
fn t_test(test: &TTest) -> String {
    let means = figures(&test.samples.each_ref().map(|sample| sample.mean));
    let mut rows = vec![["", "mean", "rows"].map(str::to_owned).to_vec()];
    for (sample, mean) in test.samples.iter().zip(means) {
        rows.push(vec![sample.label.clone(), mean, sample.rows.to_string()]);
    }
    let TTest { difference, margin, t, freedom, p_value, .. } = test;
    let [low, middle, high] = [difference - margin, *difference, difference + margin].map(figure);
    let [t, freedom, p_value] = [*t, *freedom, *p_value].map(figure);
    let table = aligned(rows, true, &[1, 2]);
    format!("{table}\n\ndifference {middle} [{low}, {high}], t {t}, df {freedom}, p {p_value}")
}

/// The rows that were counted, and how they depend.
fn chi_squared(test: &ChiSquared) -> String {
    let heading = std::iter::once(String::new()).chain(test.columns.iter().cloned());
    let mut rows = vec![heading.collect::<Vec<_>>()];
    for (label, counts) in test.rows.iter().zip(&test.counts) {
        rows.push(std::iter::once(label.clone()).chain(counts.iter().map(u64::to_string)).collect());
    }
    let table = aligned(rows, true, &(1..=test.columns.len()).collect::<Vec<_>>());
    let [statistic, p_value, cramers_v] = [test.statistic, test.p_value, test.cramers_v].map(figure);
    format!("{table}\n\nchi-squared {statistic}, df {}, p {p_value}, Cramér's V {cramers_v}", test.freedom)
}

/// A column's cells as text, with equally many decimals.
struct Column {
    texts: Vec<String>,
    /// How far noise may have taken each, empty where it did not; none at all if there is no noise.
    margins: Vec<String>,
}

impl Column {
    fn of<'a>(cells: impl Iterator<Item = (&'a Outcome, Option<&'a Uncertainty>)>) -> Self {
        let cells: Vec<(&Outcome, Option<&Uncertainty>)> = cells.collect();
        let value = |cell: &Outcome| cell.to_f64().unwrap_or(f64::NAN);
        let is_number = |cell: &Outcome| matches!(cell, Outcome::Number(_) | Outcome::Real(_));
        let exact = cells
            .iter()
            .filter(|(cell, noise)| is_number(cell) && noise.and_then(Uncertainty::margin).is_none());
        let numbers: Vec<f64> = exact.map(|(cell, _)| value(cell)).collect();
        let noisy = cells
            .iter()
            .filter_map(|(cell, noise)| Some((value(cell), noise.and_then(Uncertainty::margin)?)));
        let mut noisy = noisy_figures(&noisy.collect::<Vec<_>>()).into_iter();
        let mut exact = figures(&numbers).into_iter();
        let has_noise = cells.iter().any(|(_, noise)| noise.is_some());
        let (mut texts, mut margins) = (Vec::new(), Vec::new());
        for (cell, noise) in cells {
            let (text, margin) = match (cell, noise) {
                (_, Some(Uncertainty::Number(_))) => noisy.next().unwrap_or_default(),
                (Outcome::Number(quantity), _) if quantity.is_integer() && is_whole(&numbers) => {
                    exact.next();
                    (quantity.to_string(), String::new())
                }
                (Outcome::Number(_) | Outcome::Real(_), _) => {
                    (exact.next().unwrap_or_default(), String::new())
                }
                (Outcome::Undefined(why), _) => {
                    let why = why.to_string();
                    (why.split(':').next().unwrap_or_default().to_owned(), String::new())
                }
                (other, _) => (other.to_string(), String::new()),
            };
            texts.push(text);
            let of_rank = |rows: &f64| format!("± {:.0} rows of its rank", rows.ceil());
            margins.push(match noise {
                Some(Uncertainty::Rank { rows }) => of_rank(rows),
                _ if margin.is_empty() => margin,
                _ => format!("± {margin}"),
            });
        }
        if !has_noise {
            margins.clear();
        }
        Column { texts, margins }
    }

    /// Numbers and margins in one.
    fn joined(self) -> Vec<String> {
        let widest = self.margins.iter().map(|margin| margin.chars().count()).max().unwrap_or(0);
        let mut margins = self.margins.into_iter();
        let joined = |text: String| match margins.next() {
            // Numbers stand below each other.
            Some(margin) => format!("{text} {margin:widest$}"),
            None => text,
        };
        self.texts.into_iter().map(joined).collect()
    }
}

/// A number and its margin as text.
fn noisy(value: f64, margin: f64) -> (String, String) {
    let (value, margin) = noisy_figures(&[(value, margin)]).swap_remove(0);
    (value, format!("± {margin}"))
}

fn is_whole(numbers: &[f64]) -> bool {
    numbers.iter().all(|number| number.fract() == 0.0)
}

/// A number on a line of its own, and how far noise may have taken it.
fn leaf(outcome: &Outcome, noise: Option<&Uncertainty>) -> Vec<String> {
    match outcome {
        Outcome::Undefined(why) => vec![why.to_string()],
        other => {
            let Column { texts, margins } = Column::of(std::iter::once((other, noise)));
            [texts, margins].concat()
        }
    }
}

#[cfg(test)]
mod tests;
