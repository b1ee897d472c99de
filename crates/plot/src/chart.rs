//! Line charts: numbers against numbers, a line for each series, with axes that say their units.
//!
//! Every axis may be logarithmic; a linear vertical one begins at zero, so that heights can be compared. Points that an axis
//! cannot show (not finite; not positive on a logarithmic one) are left out.

use crate::picture::{Anchor, Color, Picture, Style};
use crate::scale::{Scale, hull};
use crate::theme;

/// A chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Chart {
    /// What it shows.
    pub title: String,
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// The lines, in the order of their legend.
    pub series: Vec<Series>,
}

/// An axis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Axis {
    /// What it counts, with its unit.
    pub label: String,
    /// Whether it is logarithmic.
    pub is_log: bool,
}

/// A line.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Its words in the legend.
    pub name: String,
    /// Its points, in the order in which they are joined.
    pub points: Vec<(f64, f64)>,
}

const HEIGHT: f64 = 300.0;
/// From the title to the highest point, with the vertical axis' label.
const HEAD: f64 = 26.0;
/// From the lowest point to what is below: the numbers and the label of the horizontal axis.
const FOOT: f64 = 46.0;
/// From the axes to the outermost points.
const INSET: f64 = 12.0;
const RADIUS: f64 = 4.0;
const LEGEND_ROW: f64 = 21.0;
/// The legend's line beside a name.
const KEY: f64 = 26.0;

/// Colours that are told apart with every kind of colour vision, after Okabe and Ito, "Color universal design", 2008.
const COLORS: [Color; 7] = [
    theme::ACCENT,
    [213, 94, 0],
    [0, 158, 115],
    [204, 121, 167],
    [86, 180, 233],
    [230, 159, 0],
    [70, 70, 70],
];

impl Axis {
    /// A linear axis.
    pub fn linear(label: impl Into<String>) -> Self {
        Axis { label: label.into(), is_log: false }
    }

    /// A logarithmic axis.
    pub fn log(label: impl Into<String>) -> Self {
        Axis { label: label.into(), is_log: true }
    }

    fn shows(&self, value: f64) -> bool {
        value.is_finite() && (!self.is_log || value > 0.0)
    }

    fn scale(&self, bounds: (f64, f64), pixels: (f64, f64)) -> Scale {
        if self.is_log { Scale::log(bounds, pixels) } else { Scale::new(bounds, pixels) }
    }
}

impl Chart {
    /// Draws it from `top` downwards; returns where it ends.
    pub(crate) fn draw(&self, picture: &mut Picture, top: f64) -> f64 {
        let title = Style::new(theme::TITLE_SIZE, theme::INK).medium();
        let words = title.fitted(&self.title, theme::WIDTH - 2.0 * theme::MARGIN);
        picture.text((theme::MARGIN, top + 15.0), Anchor::Start, title, &words);

        let text = Style::new(theme::TEXT_SIZE, theme::INK);
        let names = self.series.iter().map(|series| text.width(&series.name));
        let legend = names.fold(0.0, f64::max).min(theme::LABEL_MAX);
        let right = theme::WIDTH - theme::MARGIN - legend - KEY - 24.0;
        let legend_height = LEGEND_ROW * self.series.len() as f64;
        let top = top + theme::TITLE + HEAD;
        let bottom = top + HEIGHT.max(legend_height);
        let (x, y) = self.axes(picture, (top, right, bottom));
        for (index, series) in self.series.iter().enumerate() {
            let place = (right + 24.0, top + LEGEND_ROW * (index as f64 + 0.5));
            draw_key(picture, place, index);
            let name = text.fitted(&series.name, legend);
            picture.text((place.0 + KEY + 6.0, place.1 + 5.0), Anchor::Start, text, &name);
            self.draw_series(picture, &x, &y, (index, series));
        }
        bottom + FOOT
    }

    /// The points of a series that both axes show.
    fn shown<'a>(&'a self, series: &'a Series) -> impl Iterator<Item = (f64, f64)> + 'a {
        series.points.iter().copied().filter(|(x, y)| self.x.shows(*x) && self.y.shows(*y))
    }

    /// Draws both axes, with light lines at round values; the scales.
    fn axes(&self, picture: &mut Picture, (top, right, bottom): (f64, f64, f64)) -> (Scale, Scale) {
        let (small, text) =
            (Style::new(theme::SMALL_SIZE, theme::MUTED), Style::new(theme::TEXT_SIZE, theme::INK));
        let points = || self.series.iter().flat_map(|series| self.shown(series));
        let y = self.y.scale(hull(points().map(|(_, y)| y), !self.y.is_log), (bottom, top)).rounded(6.0);
        let ticks = y.ticks(6.0);
        let numbers = ticks.iter().map(|(_, text)| small.width(text)).fold(0.0, f64::max);
        let left = theme::MARGIN + numbers + 12.0;
        picture.text((theme::MARGIN, top - 14.0), Anchor::Start, text, &self.y.label);
        for (value, number) in ticks {
            let at = y.at(value);
            picture.line((left, at), (right, at), 1.0, theme::GRID);
            picture.text((left - 8.0, at + 4.0), Anchor::End, small, &number);
        }
        let bounds = hull(points().map(|(x, _)| x), false);
        let x = self.x.scale(bounds, (left + INSET, right - INSET));
        // Whole numbers have no ticks between them.
        let is_whole = points().all(|(x, _)| x.fract() == 0.0);
        let wanted = if is_whole { (bounds.1 - bounds.0).clamp(1.0, 8.0) } else { 8.0 };
        for (value, number) in x.ticks(wanted) {
            let at = x.at(value);
            picture.line((at, bottom), (at, bottom + 4.0), 1.0, theme::AXIS);
            picture.text((at, bottom + 18.0), Anchor::Middle, small, &number);
        }
        picture.line((left, bottom), (right, bottom), 1.0, theme::AXIS);
        picture.text(((left + right) / 2.0, bottom + 38.0), Anchor::Middle, text, &self.x.label);
        (x, y)
    }

    fn draw_series(&self, picture: &mut Picture, x: &Scale, y: &Scale, (index, series): (usize, &Series)) {
        let points: Vec<(f64, f64)> =
            self.shown(series).map(|point| (x.at(point.0), y.at(point.1))).collect();
        for pair in points.windows(2) {
            picture.line(pair[0], pair[1], 2.0, color(index));
        }
        for point in points {
            draw_mark(picture, point, index);
        }
    }
}

fn draw_key(picture: &mut Picture, (x, y): (f64, f64), index: usize) {
    picture.line((x, y), (x + KEY, y), 2.0, color(index));
    draw_mark(picture, (x + KEY / 2.0, y), index);
}

/// Discs, where colours begin again rings, and then squares.
fn draw_mark(picture: &mut Picture, (x, y): (f64, f64), index: usize) {
    match index / COLORS.len() {
        0 => picture.circle((x, y), RADIUS, color(index)),
        1 => {
            picture.circle((x, y), RADIUS + 0.5, color(index));
            picture.circle((x, y), RADIUS - 1.5, theme::WHITE);
        }
        _ => picture.rectangle((x - RADIUS, y - RADIUS), (2.0 * RADIUS, 2.0 * RADIUS), color(index)),
    }
}

fn color(index: usize) -> Color {
    COLORS[index % COLORS.len()]
}
