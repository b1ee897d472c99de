//! Pictures as PNG, with two pixels for each of the picture's.

use tiny_skia::{Color as Tone, FillRule, Paint, PathBuilder, Pixmap, Rect, Stroke, Transform};

use crate::font::{Pen, outline};
use crate::picture::{Color, Picture, Shape};
use crate::theme::WHITE;

/// Pixels for each of the picture's: sharp on screens and on paper.
const DENSITY: f32 = 2.0;

/// A picture that is too large to be drawn: results of very many groups.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the picture cannot be drawn: {reason}; SVG has no such limit")]
pub struct PngError {
    reason: String,
}

impl Picture {
    /// The picture as the bytes of a PNG file.
    ///
    /// # Errors
    /// It is too large.
    pub fn png(&self) -> Result<Vec<u8>, PngError> {
        let pixels = |length: f64| (narrow(length) * DENSITY).ceil();
        #[expect(clippy::cast_possible_truncation, reason = "saturates")]
        let (width, height) = (pixels(self.width) as u32, pixels(self.height) as u32);
        let mut pixmap = Pixmap::new(width, height)
            .ok_or_else(|| PngError { reason: format!("it has {width} times {height} pixels") })?;
        pixmap.fill(tone(WHITE));
        for shape in &self.shapes {
            paint(&mut pixmap, shape);
        }
        pixmap.encode_png().map_err(|error| PngError { reason: error.to_string() })
    }
}

fn paint(pixmap: &mut Pixmap, shape: &Shape) {
    let scaled = Transform::from_scale(DENSITY, DENSITY);
    let of = |color: &Color| {
        let mut paint = Paint { anti_alias: true, ..Paint::default() };
        paint.set_color(tone(*color));
        paint
    };
    match shape {
        Shape::Rectangle { x, y, width, height, color } => {
            // One without an area is none.
            let rectangle = Rect::from_xywh(narrow(*x), narrow(*y), narrow(*width), narrow(*height));
            if let Some(rectangle) = rectangle {
                pixmap.fill_rect(rectangle, &of(color), scaled, None);
            }
        }
        Shape::Line { from, to, width, color } => {
            let mut path = PathBuilder::new();
            Pen::move_to(&mut path, *from);
            Pen::line_to(&mut path, *to);
            if let Some(path) = path.finish() {
                let stroke = Stroke { width: narrow(*width), ..Stroke::default() };
                pixmap.stroke_path(&path, &of(color), &stroke, scaled, None);
            }
        }
        Shape::Circle { center, radius, color } => {
            let path = PathBuilder::from_circle(narrow(center.0), narrow(center.1), narrow(*radius));
            if let Some(path) = path {
                pixmap.fill_path(&path, &of(color), FillRule::Winding, scaled, None);
            }
        }
        Shape::Text(text) => {
            let mut path = PathBuilder::new();
            outline(text, &mut path);
            if let Some(path) = path.finish() {
                pixmap.fill_path(&path, &of(&text.color), FillRule::Winding, scaled, None);
            }
        }
    }
}

fn tone([red, green, blue]: Color) -> Tone {
    Tone::from_rgba8(red, green, blue, 255)
}

#[expect(clippy::cast_possible_truncation, reason = "pixels")]
fn narrow(value: f64) -> f32 {
    value as f32
}

impl Pen for PathBuilder {
    fn move_to(&mut self, (x, y): (f64, f64)) {
        PathBuilder::move_to(self, narrow(x), narrow(y));
    }

    fn line_to(&mut self, (x, y): (f64, f64)) {
        PathBuilder::line_to(self, narrow(x), narrow(y));
    }

    fn quad_to(&mut self, (x1, y1): (f64, f64), (x, y): (f64, f64)) {
        PathBuilder::quad_to(self, narrow(x1), narrow(y1), narrow(x), narrow(y));
    }

    fn curve_to(&mut self, (x1, y1): (f64, f64), (x2, y2): (f64, f64), (x, y): (f64, f64)) {
        self.cubic_to(narrow(x1), narrow(y1), narrow(x2), narrow(y2), narrow(x), narrow(y));
    }

    fn close(&mut self) {
        PathBuilder::close(self);
    }
}
