//! Sizes in pixels and colours.

use crate::picture::Color;

pub(crate) const WIDTH: f64 = 900.0;
pub(crate) const MARGIN: f64 = 28.0;
/// Between panels.
pub(crate) const GAP: f64 = 34.0;
/// From a panel's top to what is below its title.
pub(crate) const TITLE: f64 = 34.0;
/// A row of a panel.
pub(crate) const ROW: f64 = 27.0;
/// From the last row to the foot of the axis' labels.
pub(crate) const AXIS_FOOT: f64 = 24.0;
/// Widest label beside a row.
pub(crate) const LABEL_MAX: f64 = 260.0;

pub(crate) const TITLE_SIZE: f64 = 17.0;
pub(crate) const TEXT_SIZE: f64 = 14.0;
pub(crate) const SMALL_SIZE: f64 = 12.0;

pub(crate) const INK: Color = [31, 41, 51];
pub(crate) const MUTED: Color = [107, 117, 128];
pub(crate) const GRID: Color = [230, 233, 237];
pub(crate) const AXIS: Color = [150, 159, 170];
pub(crate) const ACCENT: Color = [45, 107, 160];
pub(crate) const WHITE: Color = [255, 255, 255];

/// What is said of a value that there is not.
pub(crate) const NOT_SHOWN: &str = "not shown";

/// The accent for the `index`th of `count` groups: lighter from group to group.
pub(crate) fn tint(index: usize, count: usize) -> Color {
    let part = if count < 2 { 0.0 } else { 0.6 * index as f64 / (count - 1) as f64 };
    #[expect(clippy::cast_possible_truncation, reason = "between two colours")]
    ACCENT.map(|channel| (f64::from(channel) + part * (255.0 - f64::from(channel))).round() as u8)
}
