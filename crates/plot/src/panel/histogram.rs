//! Histograms: touching bars between labelled edges. All bars are equally wide, whatever the bins' widths are. Noisy numbers have
//! whiskers.

use super::{panel_figures, whisker};
use crate::picture::{Anchor, Picture, Style};
use crate::scale::{Scale, hull};
use crate::theme;

/// A number for each bin, between two of the edges.
pub(super) struct Histogram {
    /// In the circuit's words, one more than there are values.
    pub(super) edges: Vec<String>,
    pub(super) values: Vec<Option<f64>>,
    /// Half the length of each number's whisker, if it has one.
    pub(super) margins: Vec<Option<f64>>,
}

const HEIGHT: f64 = 220.0;
/// Above the highest bar, for its number.
const HEAD: f64 = 20.0;
/// Widest that a bar becomes.
const BAR_MAX: f64 = 110.0;

impl Histogram {
    pub(super) fn draw(&self, picture: &mut Picture, top: f64) -> f64 {
        let small = Style::new(theme::SMALL_SIZE, theme::MUTED);
        let bounds = hull((0..self.values.len()).flat_map(|index| self.ends(index)), true);
        let bottom = top + HEAD + HEIGHT;
        // Numbers of what is below zero stand below their bars.
        let foot = if bounds.0 < 0.0 { HEAD } else { 0.0 };
        let scale = Scale::new(bounds, (bottom - foot, top + HEAD));
        let ticks = scale.ticks(5.0);
        let ticks_width = ticks.iter().map(|(_, text)| small.width(text)).fold(0.0, f64::max);
        let left = theme::MARGIN + ticks_width + 12.0;
        // Half of the last edge's label is beyond the last bar.
        let last = self.edges.last().map_or(0.0, |edge| small.width(edge) / 2.0);
        let step = ((theme::WIDTH - theme::MARGIN - last - left) / self.values.len() as f64).min(BAR_MAX);
        let right = left + step * self.values.len() as f64;
        for (value, text) in ticks {
            let y = scale.at(value);
            picture.line((left, y), (right, y), 1.0, theme::GRID);
            picture.text((left - 10.0, y + 4.0), Anchor::End, small, &text);
        }
        self.draw_bars(picture, &scale, left, step);
        let zero = scale.at(0.0);
        picture.line((left, zero), (right, zero), 1.0, theme::AXIS);
        self.draw_edges(picture, left, step, bottom);
        bottom + theme::AXIS_FOOT
    }

    fn draw_bars(&self, picture: &mut Picture, scale: &Scale, left: f64, step: f64) {
        let (text, zero) = (Style::new(theme::SMALL_SIZE, theme::INK), scale.at(0.0));
        let values: Vec<f64> = self.values.iter().map(|value| value.unwrap_or(f64::NAN)).collect();
        let texts = panel_figures(&values, &self.margins, 4);
        // Numbers that would touch each other are left to the axis.
        let has_numbers = texts.iter().all(|number| text.width(number) < step - 4.0);
        for (index, (value, number)) in values.iter().zip(&texts).enumerate() {
            let x = left + step * index as f64;
            let middle = x + step / 2.0;
            if !value.is_finite() {
                let style = Style { color: theme::MUTED, ..text };
                let words = style.fitted(theme::NOT_SHOWN, step - 4.0);
                picture.text((middle, zero - 6.0), Anchor::Middle, style, &words);
                continue;
            }
            let end = scale.at(*value);
            // A thin line of white keeps neighbours apart and lets them touch.
            picture.rectangle((x + 0.5, end.min(zero)), (step - 1.0, (end - zero).abs()), theme::ACCENT);
            let [low, high] = self.ends(index).map(|end| scale.at(end));
            if low > high {
                whisker(picture, (middle, low), (middle, high), theme::INK);
            }
            if has_numbers {
                let y = if *value < 0.0 { low + 14.0 } else { high - 6.0 };
                picture.text((middle, y), Anchor::Middle, text, number);
            }
        }
    }

    /// Where a bar ends, and its whisker.
    fn ends(&self, index: usize) -> [f64; 2] {
        let (value, margin) = (self.values[index].unwrap_or(f64::NAN), self.margins[index].unwrap_or(0.0));
        [value - margin, value + margin]
    }

    fn draw_edges(&self, picture: &mut Picture, left: f64, step: f64, bottom: f64) {
        let small = Style::new(theme::SMALL_SIZE, theme::MUTED);
        let widest = self.edges.iter().map(|edge| small.width(edge)).fold(0.0, f64::max) + 10.0;
        let mut free_from = f64::NEG_INFINITY;
        for (index, edge) in self.edges.iter().enumerate() {
            let x = left + step * index as f64;
            picture.line((x, bottom), (x, bottom + 4.0), 1.0, theme::AXIS);
            if x >= free_from {
                picture.text((x, bottom + 18.0), Anchor::Middle, small, edge);
                free_from = x + widest;
            }
        }
    }
}
