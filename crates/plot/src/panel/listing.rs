//! Lists of numbers beside their names.

use super::widest;
use crate::picture::{Anchor, Picture, Style};
use crate::theme;

/// Names and numbers; `None` where there is no value.
pub(super) struct Listing {
    pub(super) rows: Vec<(String, Option<String>)>,
}

impl Listing {
    pub(super) fn draw(&self, picture: &mut Picture, top: f64) -> f64 {
        let (name_style, value_style) =
            (Style::new(theme::TEXT_SIZE, theme::INK), Style::new(theme::TEXT_SIZE, theme::INK).medium());
        let names =
            widest(self.rows.iter().map(|(name, _)| name.as_str()), name_style, 2.0 * theme::LABEL_MAX);
        let value = |value: &Option<String>| value.clone().unwrap_or_else(|| theme::NOT_SHOWN.to_owned());
        let values: Vec<String> = self.rows.iter().map(|(_, text)| value(text)).collect();
        let width = names + 48.0 + widest(values.iter().map(String::as_str), value_style, f64::INFINITY);
        let (left, right) = (theme::MARGIN, theme::MARGIN + width);
        for (index, ((name, is_there), value)) in self.rows.iter().zip(&values).enumerate() {
            let y = top + theme::ROW * index as f64;
            if index > 0 {
                picture.line((left, y), (right, y), 1.0, theme::GRID);
            }
            let base = y + theme::ROW * 0.68;
            picture.text((left, base), Anchor::Start, name_style, &name_style.fitted(name, names));
            let style =
                if is_there.is_some() { value_style } else { Style { color: theme::MUTED, ..name_style } };
            picture.text((right, base), Anchor::End, style, value);
        }
        top + theme::ROW * self.rows.len() as f64
    }
}
