//! Bars for the groups of a table, each with its label and its number; by two groupings, groups of bars. Noisy numbers have whiskers.

use super::{panel_figures, whisker, widest};
use crate::picture::{Anchor, Color, Picture, Style};
use crate::scale::{Scale, hull};
use crate::theme;

/// Bars in groups: a table by one grouping is one group without a name.
pub(super) struct Bars {
    pub(super) groups: Vec<(String, Vec<Bar>)>,
}

/// One bar; without a value it is not shown.
pub(super) struct Bar {
    pub(super) label: String,
    pub(super) value: Option<f64>,
    /// Half the length of its whisker, if it has one.
    pub(super) margin: Option<f64>,
    pub(super) color: Color,
}

/// A bar's part of its row.
const BAR_HEIGHT: f64 = 18.0;
/// Between two groups.
const GROUP_GAP: f64 = 10.0;
const PADDING: f64 = 8.0;

impl Bars {
    pub(super) fn draw(&self, picture: &mut Picture, top: f64) -> f64 {
        let text = Style::new(theme::TEXT_SIZE, theme::INK);
        let heading = text.medium();
        let bars = || self.groups.iter().flat_map(|(_, bars)| bars);
        let values: Vec<f64> = bars().map(|bar| bar.value.unwrap_or(f64::NAN)).collect();
        let margins: Vec<Option<f64>> = bars().map(|bar| bar.margin).collect();
        let mut texts = panel_figures(&values, &margins, 5).into_iter();

        let groups = widest(self.groups.iter().map(|(name, _)| name.as_str()), heading, theme::LABEL_MAX);
        let groups = if groups > 0.0 { groups + 18.0 } else { 0.0 };
        let labels = widest(bars().map(|bar| bar.label.as_str()), text, theme::LABEL_MAX);
        let numbers = widest(texts.as_slice().iter().map(String::as_str), text, f64::INFINITY)
            .max(text.width(theme::NOT_SHOWN));
        let (low, high) = hull(bars().flat_map(Bar::ends), true);
        let room_left = if low < 0.0 { numbers + PADDING } else { 0.0 };
        let left = theme::MARGIN + groups + labels + 12.0;
        let right = theme::WIDTH - theme::MARGIN - numbers - PADDING;
        let scale = Scale::new((low, high), (left + room_left, right));

        let gaps = GROUP_GAP * (self.groups.len() - 1) as f64;
        let bottom = top + theme::ROW * values.len() as f64 + gaps + 4.0;
        axis(picture, &scale, top, bottom);
        let mut y = top + 2.0;
        for (name, bars) in &self.groups {
            for (index, bar) in bars.iter().enumerate() {
                let base = y + theme::ROW * 0.68;
                if index == 0 {
                    picture.text(
                        (theme::MARGIN, base),
                        Anchor::Start,
                        heading,
                        &heading.fitted(name, groups),
                    );
                }
                let label = text.fitted(&bar.label, labels);
                picture.text((left - 12.0, base), Anchor::End, text, &label);
                let number = texts.next().unwrap_or_default();
                draw_bar(picture, &scale, bar, &number, y);
                y += theme::ROW;
            }
            y += GROUP_GAP;
        }
        picture.line((scale.at(0.0), top), (scale.at(0.0), bottom), 1.0, theme::AXIS);
        bottom + theme::AXIS_FOOT
    }
}

impl Bar {
    /// Where it ends, and its whisker.
    fn ends(&self) -> [f64; 2] {
        let (value, margin) = (self.value.unwrap_or(f64::NAN), self.margin.unwrap_or(0.0));
        [value - margin, value + margin]
    }
}

fn draw_bar(picture: &mut Picture, scale: &Scale, bar: &Bar, number: &str, y: f64) {
    let text = Style::new(theme::TEXT_SIZE, theme::INK);
    let (zero, base) = (scale.at(0.0), y + theme::ROW * 0.68);
    let Some(value) = bar.value.filter(|value| value.is_finite()) else {
        let style = Style { color: theme::MUTED, ..text };
        return picture.text((zero + PADDING, base), Anchor::Start, style, theme::NOT_SHOWN);
    };
    let end = scale.at(value);
    let at = (zero.min(end), y + (theme::ROW - BAR_HEIGHT) / 2.0);
    picture.rectangle(at, ((end - zero).abs(), BAR_HEIGHT), bar.color);
    let [low, high] = bar.ends().map(|end| scale.at(end));
    if low < high {
        let middle = y + theme::ROW / 2.0;
        whisker(picture, (low, middle), (high, middle), theme::INK);
    }
    if value < 0.0 {
        picture.text((low - PADDING, base), Anchor::End, text, number);
    } else {
        picture.text((high + PADDING, base), Anchor::Start, text, number);
    }
}

/// Light lines at round values from `top` to `bottom`, with the values below.
pub(super) fn axis(picture: &mut Picture, scale: &Scale, top: f64, bottom: f64) {
    let style = Style::new(theme::SMALL_SIZE, theme::MUTED);
    for (value, text) in scale.ticks(6.0) {
        let x = scale.at(value);
        picture.line((x, top), (x, bottom), 1.0, theme::GRID);
        picture.text((x, bottom + 16.0), Anchor::Middle, style, &text);
    }
}
