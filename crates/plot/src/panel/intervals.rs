//! Estimates as points with their intervals: means of groups, coefficients of a model.

use super::{bars, whisker, widest};
use crate::number::with_digits;
use crate::picture::{Anchor, Picture, Style};
use crate::scale::{Scale, hull};
use crate::theme;

/// Estimates below each other.
pub(super) struct Intervals {
    pub(super) rows: Vec<Interval>,
    /// Whether zero is on the scale, with a line.
    pub(super) has_zero: bool,
}

/// `middle - margin ..= middle + margin`. Without a middle it is not shown, without a margin it is a point.
pub(super) struct Interval {
    pub(super) label: String,
    pub(super) middle: Option<f64>,
    pub(super) margin: Option<f64>,
}

/// Where the largest estimate is so many times the smallest, each has a scale of its own.
const RATIO_MAX: f64 = 40.0;

impl Interval {
    fn ends(&self) -> Option<(f64, f64, f64)> {
        let middle = self.middle.filter(|middle| middle.is_finite())?;
        let margin = self.margin.filter(|margin| margin.is_finite()).unwrap_or(0.0);
        Some((middle - margin, middle, middle + margin))
    }

    /// How far it reaches from zero.
    fn reach(&self) -> Option<f64> {
        let (low, _, high) = self.ends()?;
        Some(low.abs().max(high.abs())).filter(|reach| *reach > 0.0)
    }

    fn text(&self) -> String {
        match self.ends() {
            None => theme::NOT_SHOWN.to_owned(),
            Some((low, middle, high)) if low < high => {
                let texts = with_digits(&[low, middle, high], 5);
                format!("{} [{}, {}]", texts[1], texts[0], texts[2])
            }
            Some((_, middle, _)) => with_digits(&[middle], 5).swap_remove(0),
        }
    }
}

impl Intervals {
    pub(super) fn draw(&self, picture: &mut Picture, top: f64) -> f64 {
        let text = Style::new(theme::TEXT_SIZE, theme::INK);
        let texts: Vec<String> = self.rows.iter().map(Interval::text).collect();
        let labels = widest(self.rows.iter().map(|row| row.label.as_str()), text, theme::LABEL_MAX);
        let numbers = widest(texts.iter().map(String::as_str), text, f64::INFINITY);
        let (left, right) = (theme::MARGIN + labels + 18.0, theme::WIDTH - theme::MARGIN - numbers - 18.0);
        let pixels = (left, right);
        let is_apart = self.is_apart();
        let common = Scale::new(self.bounds(), pixels);

        let bottom = top + theme::ROW * self.rows.len() as f64 + 4.0;
        if !is_apart {
            bars::axis(picture, &common, top, bottom);
        }
        if self.has_zero {
            let zero = if is_apart { (left + right) / 2.0 } else { common.at(0.0) };
            picture.line((zero, top), (zero, bottom), 1.0, theme::AXIS);
        }
        for (index, (row, number)) in self.rows.iter().zip(&texts).enumerate() {
            let y = top + theme::ROW * (index as f64 + 0.5) + 2.0;
            let label = text.fitted(&row.label, labels);
            picture.text((theme::MARGIN + labels, y + 5.0), Anchor::End, text, &label);
            let scale = match row.reach() {
                Some(reach) if is_apart => Scale::new((-reach * 1.02, reach * 1.02), pixels),
                _ => common,
            };
            draw_point(picture, &scale, row, y);
            let style = if row.ends().is_some() { text } else { Style { color: theme::MUTED, ..text } };
            picture.text((theme::WIDTH - theme::MARGIN, y + 5.0), Anchor::End, style, number);
        }
        if is_apart { bottom } else { bottom + theme::AXIS_FOOT }
    }

    /// Whether one scale would leave some of them without a length.
    pub(super) fn is_apart(&self) -> bool {
        let reaches = || self.rows.iter().filter_map(Interval::reach);
        let (least, most) = (reaches().fold(f64::INFINITY, f64::min), reaches().fold(0.0, f64::max));
        self.has_zero && most > least * RATIO_MAX
    }

    /// What a common scale has on it: a little more than all.
    fn bounds(&self) -> (f64, f64) {
        let ends = self.rows.iter().filter_map(Interval::ends).flat_map(|(low, _, high)| [low, high]);
        let (low, high) = hull(ends, self.has_zero);
        let more = if high > low { (high - low) * 0.04 } else { high.abs().max(1.0) * 0.1 };
        (low - more, high + more)
    }
}

fn draw_point(picture: &mut Picture, scale: &Scale, row: &Interval, y: f64) {
    let Some((low, middle, high)) = row.ends() else { return };
    if low < high {
        whisker(picture, (scale.at(low), y), (scale.at(high), y), theme::ACCENT);
    }
    picture.circle((scale.at(middle), y), 4.5, theme::ACCENT);
}
