//! Panels: which kind of picture each result becomes.

mod bars;
mod histogram;
mod intervals;
mod listing;

use quorate_circuit::{
    ChiSquared, Circuit, Fit, FittedCoefficient, Outcome, Regression, TTest, Uncertainty, margin_of_mean,
};

use crate::groups::{Group, groups};
use crate::number::{edges, figure, noisy_figures, with_digits};
use crate::picture::{Anchor, Color, Picture, Style};
use crate::theme;
use bars::{Bar, Bars};
use histogram::Histogram;
use intervals::{Interval, Intervals};
use listing::Listing;

/// A part of a picture with a title of its own.
pub(crate) struct Panel {
    title: String,
    content: Content,
    /// What else there is to say, in small letters below.
    note: String,
}

enum Content {
    Listing(Listing),
    Bars(Bars),
    Histogram(Histogram),
    Intervals(Intervals),
}

/// The panels of results, in their order; numbers that follow each other are one list.
pub(crate) fn panels(
    results: &[(String, Outcome)],
    noise: &[(String, Option<Uncertainty>)],
    circuit: Option<&Circuit>,
) -> Vec<Panel> {
    let groups = circuit.map(groups).unwrap_or_default();
    let mut panels: Vec<Panel> = Vec::new();
    for (index, (name, outcome)) in results.iter().enumerate() {
        let noise = noise.get(index).and_then(|(_, noise)| noise.as_ref());
        // What noise leaves of spreads and counts gives no interval.
        let with_intervals = groups.iter().find(|group| group.mean == index && noise.is_none());
        match with_intervals.and_then(|group| means(results, group)) {
            Some(intervals) => {
                let note = "means with 95% intervals".to_owned();
                push_noted(&mut panels, name, Content::Intervals(intervals), note);
            }
            None => push_outcome(&mut panels, name, outcome, noise),
        }
    }
    panels
}

fn push(panels: &mut Vec<Panel>, title: &str, content: Content) {
    push_noted(panels, title, content, String::new());
}

fn push_noted(panels: &mut Vec<Panel>, title: &str, content: Content, note: String) {
    panels.push(Panel { title: title.to_owned(), content, note });
}

/// What whiskers are of, where results are noisy.
const OF_NOISE: &str = "whiskers: 95% intervals of the noise alone";

fn push_outcome(panels: &mut Vec<Panel>, name: &str, outcome: &Outcome, noise: Option<&Uncertainty>) {
    match outcome {
        Outcome::Fit(fit) => {
            let (content, note) = match &**fit {
                Fit::Regression(regression) => model(regression, noise),
                Fit::TTest(test) => t_test(test),
                Fit::ChiSquared(test) => chi_squared(test),
            };
            push_noted(panels, name, content, note);
        }
        Outcome::Table(cells) => push_table(panels, name, cells, noise),
        number => {
            let row = (name.to_owned(), shown(number, noise));
            match panels.last_mut() {
                Some(Panel { title, content: Content::Listing(listing), .. }) if title.is_empty() => {
                    listing.rows.push(row);
                }
                _ => push(panels, "", Content::Listing(Listing { rows: vec![row] })),
            }
        }
    }
}

fn push_table(panels: &mut Vec<Panel>, name: &str, cells: &[(String, Outcome)], noise: Option<&Uncertainty>) {
    let note = if noise.is_some() { OF_NOISE.to_owned() } else { String::new() };
    let is_number =
        |cell: &Outcome| matches!(cell, Outcome::Number(_) | Outcome::Real(_) | Outcome::Undefined(_));
    if cells.iter().all(|(_, cell)| is_number(cell)) {
        let content = match edges(cells) {
            Some(edges) => Content::Histogram(Histogram {
                edges: edges.into_iter().map(str::to_owned).collect(),
                values: cells.iter().map(|(_, cell)| cell.to_f64()).collect(),
                margins: (0..cells.len())
                    .map(|index| noise.and_then(|noise| noise.part(index)?.margin()))
                    .collect(),
            }),
            None => Content::Bars(Bars { groups: vec![(String::new(), bars_of(cells, noise, false))] }),
        };
        return push_noted(panels, name, content, note);
    }
    let mut groups = Vec::with_capacity(cells.len());
    for (index, (label, cell)) in cells.iter().enumerate() {
        match cell {
            Outcome::Table(inner) if inner.iter().all(|(_, cell)| is_number(cell)) => {
                groups.push((label.clone(), bars_of(inner, noise.and_then(|noise| noise.part(index)), true)));
            }
            _ => break,
        }
    }
    if groups.len() == cells.len() {
        return push_noted(panels, name, Content::Bars(Bars { groups }), note);
    }
    if cells.iter().all(|(_, cell)| !matches!(cell, Outcome::Table(_) | Outcome::Fit(_))) {
        let row = |(index, (label, cell)): (usize, &(String, Outcome))| {
            (label.clone(), shown(cell, noise.and_then(|noise| noise.part(index))))
        };
        let rows = cells.iter().enumerate().map(row).collect();
        return push(panels, name, Content::Listing(Listing { rows }));
    }
    for (index, (label, cell)) in cells.iter().enumerate() {
        let (title, noise) = (format!("{name} / {label}"), noise.and_then(|noise| noise.part(index)));
        match cell {
            Outcome::Table(_) | Outcome::Fit(_) => push_outcome(panels, &title, cell, noise),
            _ => {
                let rows = vec![(String::new(), shown(cell, noise))];
                push(panels, &title, Content::Listing(Listing { rows }));
            }
        }
    }
}

/// A bar for each cell, in shades of one colour where `has_shades`.
fn bars_of(cells: &[(String, Outcome)], noise: Option<&Uncertainty>, has_shades: bool) -> Vec<Bar> {
    let bar = |(index, (label, cell)): (usize, &(String, Outcome))| {
        let color = if has_shades { theme::tint(index, cells.len()) } else { theme::ACCENT };
        Bar {
            label: label.clone(),
            value: cell.to_f64(),
            margin: noise.and_then(|noise| noise.part(index)?.margin()),
            color,
        }
    };
    cells.iter().enumerate().map(bar).collect()
}

/// A number in words.
fn shown(outcome: &Outcome, noise: Option<&Uncertainty>) -> Option<String> {
    if let (Some(value), Some(margin)) = (outcome.to_f64(), noise.and_then(Uncertainty::margin)) {
        let (value, margin) = noisy_figures(&[(value, margin)]).swap_remove(0);
        return Some(format!("{value} ± {margin}"));
    }
    match outcome {
        Outcome::Truth(truth) => Some(truth.to_string()),
        Outcome::Number(quantity) if quantity.is_integer() => Some(quantity.to_string()),
        // A picture of a gradient says nothing: how long it is.
        Outcome::Vector(vector) => Some(format!("{} numbers", vector.len())),
        other => other.to_f64().map(figure),
    }
}

/// Means with their intervals, if all three results are tables by one grouping.
fn means(results: &[(String, Outcome)], group: &Group) -> Option<Intervals> {
    let table = |index: usize| match results.get(index) {
        Some((_, Outcome::Table(cells))) => Some(cells),
        _ => None,
    };
    let (means, spreads, counts) = (table(group.mean)?, table(group.spread)?, table(group.count)?);
    let is_leaf = |cell: &Outcome| !matches!(cell, Outcome::Table(_) | Outcome::Fit(_));
    if means.iter().any(|(_, cell)| !is_leaf(cell)) {
        return None;
    }
    let mut rows = Vec::with_capacity(means.len());
    for (((label, mean), (_, spread)), (_, count)) in means.iter().zip(spreads).zip(counts) {
        let deviation = spread.to_f64().map(|spread| if group.is_variance { spread.sqrt() } else { spread });
        let count = match count {
            Outcome::Number(count) => count.numerator().to_i128().and_then(|count| u64::try_from(count).ok()),
            _ => None,
        };
        let margin = deviation.zip(count).and_then(|(deviation, count)| margin_of_mean(deviation, count));
        rows.push(Interval { label: label.clone(), middle: mean.to_f64(), margin });
    }
    Some(Intervals { rows, has_zero: false })
}

/// A model's coefficients but for the intercept, which has other units than most.
fn model(fit: &Regression, noise: Option<&Uncertainty>) -> (Content, String) {
    let row = |(index, one): (usize, &FittedCoefficient)| Interval {
        label: one.name.clone(),
        middle: Some(one.estimate),
        // A standard error does not count noise, so an interval is of one or the other.
        margin: if noise.is_some() {
            noise.and_then(|noise| noise.part(index)?.margin())
        } else {
            Some(fit.margin(one))
        },
    };
    let intercept = figure(fit.coefficients.first().map_or(f64::NAN, |one| one.estimate));
    let slopes = fit.coefficients.iter().enumerate().skip(1);
    let intervals = Intervals { rows: slopes.map(row).collect(), has_zero: true };
    let apart = if intervals.is_apart() { "; each on a scale of its own around zero" } else { "" };
    let of = if noise.is_some() { " of the noise alone" } else { "" };
    let note = format!(
        "coefficients with 95% intervals{of}; intercept {intercept}, R² {}, {} rows{apart}",
        figure(fit.r_squared),
        fit.rows
    );
    (Content::Intervals(intervals), note)
}

/// The difference of two means.
fn t_test(test: &TTest) -> (Content, String) {
    let [first, second] = &test.samples;
    let label = format!("{} less {}", first.label, second.label);
    let row = Interval { label, middle: Some(test.difference), margin: Some(test.margin) };
    let note = format!(
        "difference of means with 95% interval; {} {} ({} rows), {} {} ({} rows); t = {}, df = {}, p = {}",
        first.label,
        figure(first.mean),
        first.rows,
        second.label,
        figure(second.mean),
        second.rows,
        figure(test.t),
        figure(test.freedom),
        figure(test.p_value),
    );
    (Content::Intervals(Intervals { rows: vec![row], has_zero: true }), note)
}

/// The rows that were counted.
fn chi_squared(test: &ChiSquared) -> (Content, String) {
    let count = test.columns.len();
    let bars = |counts: &Vec<u64>| -> Vec<Bar> {
        let cells = test.columns.iter().zip(counts).enumerate();
        cells
            .map(|(index, (label, rows))| Bar {
                label: label.clone(),
                value: Some(*rows as f64),
                margin: None,
                color: theme::tint(index, count),
            })
            .collect()
    };
    let groups = test.rows.iter().cloned().zip(test.counts.iter().map(bars)).collect();
    let note = format!(
        "χ² = {}, df = {}, p = {}, Cramér's V = {}",
        figure(test.statistic),
        test.freedom,
        figure(test.p_value),
        figure(test.cramers_v)
    );
    (Content::Bars(Bars { groups }), note)
}

impl Panel {
    /// Draws it from `top` downwards; returns where it ends.
    pub(crate) fn draw(&self, picture: &mut Picture, top: f64) -> f64 {
        let top = if self.title.is_empty() {
            top
        } else {
            let style = Style::new(theme::TITLE_SIZE, theme::INK).medium();
            let title = style.fitted(&self.title, theme::WIDTH - 2.0 * theme::MARGIN);
            picture.text((theme::MARGIN, top + 15.0), Anchor::Start, style, &title);
            top + theme::TITLE
        };
        let bottom = match &self.content {
            Content::Listing(listing) => listing.draw(picture, top),
            Content::Bars(bars) => bars.draw(picture, top),
            Content::Histogram(histogram) => histogram.draw(picture, top),
            Content::Intervals(intervals) => intervals.draw(picture, top),
        };
        if self.note.is_empty() {
            return bottom;
        }
        let style = Style::new(theme::SMALL_SIZE, theme::MUTED);
        let note = style.fitted(&self.note, theme::WIDTH - 2.0 * theme::MARGIN);
        picture.text((theme::MARGIN, bottom + 16.0), Anchor::Start, style, &note);
        bottom + 20.0
    }
}

/// Half a whisker's cap.
const CAP: f64 = 5.0;

/// A line with a cap at each end, along one of the axes.
fn whisker(picture: &mut Picture, from: (f64, f64), to: (f64, f64), color: Color) {
    let is_level = (from.1 - to.1).abs() < f64::EPSILON;
    let (x, y) = if is_level { (0.0, CAP) } else { (CAP, 0.0) };
    picture.line(from, to, 1.6, color);
    for end in [from, to] {
        picture.line((end.0 - x, end.1 - y), (end.0 + x, end.1 + y), 1.6, color);
    }
}

/// Numbers of one panel as text: those with noise to the digits that it leaves, with their margins.
fn panel_figures(values: &[f64], margins: &[Option<f64>], significant: i32) -> Vec<String> {
    let noisy: Vec<(f64, f64)> =
        values.iter().zip(margins).filter_map(|(value, margin)| Some((*value, (*margin)?))).collect();
    let mut noisy = noisy_figures(&noisy).into_iter();
    let exact = with_digits(values, significant);
    let text = |(exact, margin): (String, &Option<f64>)| match margin.and_then(|_| noisy.next()) {
        Some((value, margin)) => format!("{value} ± {margin}"),
        None => exact,
    };
    exact.into_iter().zip(margins).map(text).collect()
}

/// How wide the widest of these texts is, none counted wider than `most`.
fn widest<'a>(texts: impl Iterator<Item = &'a str>, style: Style, most: f64) -> f64 {
    texts.map(|text| style.width(text)).fold(0.0, f64::max).min(most)
}
