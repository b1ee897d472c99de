//! The font: widths and outlines of text.

use std::sync::LazyLock;

use ttf_parser::{Face, OutlineBuilder};

use crate::picture::{Text, Weight};

static REGULAR: LazyLock<Face<'static>> =
    LazyLock::new(|| face(include_bytes!("../fonts/Roboto-Regular.ttf")));
static MEDIUM: LazyLock<Face<'static>> = LazyLock::new(|| face(include_bytes!("../fonts/Roboto-Medium.ttf")));

#[expect(clippy::expect_used, reason = "the fonts are part of the program; a test reads them")]
fn face(bytes: &'static [u8]) -> Face<'static> {
    Face::parse(bytes, 0).expect("a font of this crate")
}

fn face_of(weight: Weight) -> &'static Face<'static> {
    match weight {
        Weight::Regular => &REGULAR,
        Weight::Medium => &MEDIUM,
    }
}

/// A pen that draws in pixels.
pub(crate) trait Pen {
    fn move_to(&mut self, to: (f64, f64));
    fn line_to(&mut self, to: (f64, f64));
    fn quad_to(&mut self, control: (f64, f64), to: (f64, f64));
    fn curve_to(&mut self, first: (f64, f64), second: (f64, f64), to: (f64, f64));
    fn close(&mut self);
}

/// How wide a text is, in pixels.
pub(crate) fn width(text: &str, weight: Weight, size: f64) -> f64 {
    let face = face_of(weight);
    let units: u32 = text.chars().map(|letter| u32::from(advance(face, letter))).sum();
    f64::from(units) * size / f64::from(face.units_per_em())
}

/// Draws the outlines of a text. A letter that the font has not is drawn as its empty box.
pub(crate) fn outline(text: &Text, pen: &mut dyn Pen) {
    let face = face_of(text.weight);
    let scale = text.size / f64::from(face.units_per_em());
    let mut x = text.at.0;
    for letter in text.text.chars() {
        let glyph = face.glyph_index(letter).unwrap_or_default();
        let _bounds = face.outline_glyph(glyph, &mut Placed { pen, x, y: text.at.1, scale });
        x += f64::from(advance(face, letter)) * scale;
    }
}

fn advance(face: &Face<'_>, letter: char) -> u16 {
    let glyph = face.glyph_index(letter).unwrap_or_default();
    face.glyph_hor_advance(glyph).unwrap_or(0)
}

/// A letter's outline, from font units upwards to pixels downwards.
struct Placed<'a> {
    pen: &'a mut dyn Pen,
    x: f64,
    y: f64,
    scale: f64,
}

impl Placed<'_> {
    fn at(&self, x: f32, y: f32) -> (f64, f64) {
        (self.x + f64::from(x) * self.scale, self.y - f64::from(y) * self.scale)
    }
}

impl OutlineBuilder for Placed<'_> {
    fn move_to(&mut self, x: f32, y: f32) {
        self.pen.move_to(self.at(x, y));
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.pen.line_to(self.at(x, y));
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        self.pen.quad_to(self.at(x1, y1), self.at(x, y));
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        self.pen.curve_to(self.at(x1, y1), self.at(x2, y2), self.at(x, y));
    }

    fn close(&mut self) {
        self.pen.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_have_their_widths() {
        for weight in [Weight::Regular, Weight::Medium] {
            let [narrow, wide] = ["il", "MW"].map(|text| width(text, weight, 14.0));
            assert!(0.0 < narrow && narrow < wide && wide < 40.0, "{weight:?}: {narrow}, {wide}");
            assert!((width("MWMW", weight, 28.0) - 4.0 * wide).abs() < 1e-9);
            for letters in ["áßŁő", "αω", "Жя", "…−≤"] {
                assert!(
                    letters.chars().all(|letter| face_of(weight).glyph_index(letter).is_some()),
                    "{letters}"
                );
            }
        }
    }
}
