//! Pictures: lists of shapes, in pixels from the upper left corner.

/// Red, green, blue.
pub(crate) type Color = [u8; 3];

/// A picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    pub(crate) width: f64,
    pub(crate) height: f64,
    pub(crate) shapes: Vec<Shape>,
}

/// What is drawn, the later over the earlier.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Shape {
    /// A filled rectangle.
    Rectangle { x: f64, y: f64, width: f64, height: f64, color: Color },
    /// A straight line.
    Line { from: (f64, f64), to: (f64, f64), width: f64, color: Color },
    /// A filled circle.
    Circle { center: (f64, f64), radius: f64, color: Color },
    /// A line of text.
    Text(Text),
}

/// A line of text.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Text {
    /// Where it begins on its base line.
    pub(crate) at: (f64, f64),
    pub(crate) size: f64,
    pub(crate) weight: Weight,
    pub(crate) color: Color,
    pub(crate) text: String,
}

/// How strong letters are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weight {
    Regular,
    Medium,
}

/// Which end of a text is where it is put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

/// How a text looks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    pub(crate) size: f64,
    pub(crate) weight: Weight,
    pub(crate) color: Color,
}

impl Style {
    pub(crate) const fn new(size: f64, color: Color) -> Self {
        Style { size, weight: Weight::Regular, color }
    }

    pub(crate) const fn medium(self) -> Self {
        Style { weight: Weight::Medium, ..self }
    }

    /// How wide a text is.
    pub(crate) fn width(&self, text: &str) -> f64 {
        crate::font::width(text, self.weight, self.size)
    }

    /// The text, or its beginning and an ellipsis where it is wider than `most`.
    pub(crate) fn fitted(&self, text: &str, most: f64) -> String {
        if self.width(text) <= most {
            return text.to_owned();
        }
        let mut shorter: String = text.to_owned();
        while shorter.pop().is_some() {
            let candidate = format!("{}…", shorter.trim_end());
            if self.width(&candidate) <= most {
                return candidate;
            }
        }
        "…".to_owned()
    }
}

impl Picture {
    pub(crate) fn new(width: f64) -> Self {
        Picture { width, height: 0.0, shapes: vec![] }
    }

    pub(crate) fn rectangle(&mut self, (x, y): (f64, f64), (width, height): (f64, f64), color: Color) {
        self.shapes.push(Shape::Rectangle { x, y, width, height, color });
    }

    pub(crate) fn line(&mut self, from: (f64, f64), to: (f64, f64), width: f64, color: Color) {
        self.shapes.push(Shape::Line { from, to, width, color });
    }

    pub(crate) fn circle(&mut self, center: (f64, f64), radius: f64, color: Color) {
        self.shapes.push(Shape::Circle { center, radius, color });
    }

    /// Puts a text with one end or its middle at `x`, standing on `y`.
    pub(crate) fn text(&mut self, (x, y): (f64, f64), anchor: Anchor, style: Style, text: &str) {
        let before = match anchor {
            Anchor::Start => 0.0,
            Anchor::Middle => style.width(text) / 2.0,
            Anchor::End => style.width(text),
        };
        let Style { size, weight, color } = style;
        self.shapes.push(Shape::Text(Text {
            at: (x - before, y),
            size,
            weight,
            color,
            text: text.to_owned(),
        }));
    }
}
