//! Results as pictures: [`draw`] makes one of named outcomes, as SVG and as PNG.
//!
//! Both are drawn from one list of shapes ([`Picture`]), letters as outlines of a font that comes with the crate: they look
//! the same everywhere, and need no display, no fonts of the system and no network. The same results give the same bytes.
//!
//! A table by one grouping becomes bars, by two groups of bars, one by bins a histogram; means of groups whose spread and
//! count are revealed too get 95 percent intervals, and so do a model's coefficients and the difference of
//! a t-test; numbers are listed. Where results are noisy, whiskers and intervals are of the noise, and that is said. What has no value
//! is said to be not shown. `panel` decides, `panel/…` draws, `picture` and `font` are what it is drawn with.
//!
//! Numbers against numbers are a [`Chart`], a line for each series ([`draw_charts`]).
//!
//! `fonts/` has Roboto, Copyright 2011 Google Inc., under the Apache License 2.0 (`fonts/LICENSE`), its Latin, Greek and
//! Cyrillic letters. What is *not* here: files, and what a result means.

mod chart;
mod font;
mod groups;
mod number;
mod panel;
mod picture;
mod png;
mod scale;
mod svg;
mod theme;

pub use chart::{Axis, Chart, Series};
pub use number::{figure, figures, is_binned, noisy_figures};
pub use picture::Picture;
pub use png::PngError;

use quorate_circuit::{Circuit, Outcome, Uncertainty};

/// A picture of results, one panel below the other. `noise` is how far noise may have taken each of them, by name in the same order, or
/// empty. The circuit says which of them belong together; without it no means have intervals.
pub fn draw(
    results: &[(String, Outcome)],
    noise: &[(String, Option<Uncertainty>)],
    circuit: Option<&Circuit>,
) -> Picture {
    let mut picture = Picture::new(theme::WIDTH);
    let mut top = theme::MARGIN;
    for panel in panel::panels(results, noise, circuit) {
        top = panel.draw(&mut picture, top) + theme::GAP;
    }
    picture.height = top - theme::GAP + theme::MARGIN;
    picture
}

/// A picture of charts, one below the other.
pub fn draw_charts(charts: &[Chart]) -> Picture {
    let mut picture = Picture::new(theme::WIDTH);
    let mut top = theme::MARGIN;
    for chart in charts {
        top = chart.draw(&mut picture, top) + theme::GAP;
    }
    picture.height = top - theme::GAP + theme::MARGIN;
    picture
}
