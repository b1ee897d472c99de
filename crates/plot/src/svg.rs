//! Pictures as SVG. Letters are paths; every text is there in words too, for who reads or searches the file.

use std::fmt::Write;

use crate::font::{Pen, outline};
use crate::picture::{Color, Picture, Shape, Text};

impl Picture {
    /// The picture as the text of an SVG file.
    pub fn svg(&self) -> String {
        let (width, height) = (number(self.width), number(self.height));
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} \
             {height}\">\n<rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>\n"
        );
        for shape in &self.shapes {
            svg.push_str(&element(shape));
            svg.push('\n');
        }
        svg.push_str("</svg>\n");
        svg
    }
}

fn element(shape: &Shape) -> String {
    match shape {
        Shape::Rectangle { x, y, width, height, color } => format!(
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"{}\"/>",
            number(*x),
            number(*y),
            number(*width),
            number(*height),
            hex(color)
        ),
        Shape::Line { from, to, width, color } => format!(
            "<path d=\"M{} {}L{} {}\" stroke=\"{}\" stroke-width=\"{}\"/>",
            number(from.0),
            number(from.1),
            number(to.0),
            number(to.1),
            hex(color),
            number(*width)
        ),
        Shape::Circle { center, radius, color } => format!(
            "<circle cx=\"{}\" cy=\"{}\" r=\"{}\" fill=\"{}\"/>",
            number(center.0),
            number(center.1),
            number(*radius),
            hex(color)
        ),
        Shape::Text(text) => lettering(text),
    }
}

fn lettering(text: &Text) -> String {
    let mut data = PathData(String::new());
    outline(text, &mut data);
    let words = escaped(&text.text);
    format!(
        "<path role=\"img\" aria-label=\"{words}\" d=\"{}\" fill=\"{}\"><title>{words}</title></path>",
        data.0,
        hex(&text.color)
    )
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            // XML has no other control characters.
            letter if letter.is_control() => escaped.push(' '),
            letter => escaped.push(letter),
        }
    }
    escaped
}

fn hex([red, green, blue]: &Color) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// With two decimals, as far as they are needed.
fn number(value: f64) -> String {
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// The `d` of a path.
struct PathData(String);

impl PathData {
    fn push(&mut self, command: char, points: &[(f64, f64)]) {
        self.0.push(command);
        for (index, (x, y)) in points.iter().enumerate() {
            let space = if index == 0 { "" } else { " " };
            // Writing to a string does not fail.
            let _written = write!(self.0, "{space}{} {}", number(*x), number(*y));
        }
    }
}

impl Pen for PathData {
    fn move_to(&mut self, to: (f64, f64)) {
        self.push('M', &[to]);
    }

    fn line_to(&mut self, to: (f64, f64)) {
        self.push('L', &[to]);
    }

    fn quad_to(&mut self, control: (f64, f64), to: (f64, f64)) {
        self.push('Q', &[control, to]);
    }

    fn curve_to(&mut self, first: (f64, f64), second: (f64, f64), to: (f64, f64)) {
        self.push('C', &[first, second, to]);
    }

    fn close(&mut self) {
        self.0.push('Z');
    }
}
