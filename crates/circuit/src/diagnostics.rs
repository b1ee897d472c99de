//! Diagnostics: what is wrong in a circuit's text, where, and what to do about it.
//!
//! Every diagnostic underlines a place, says at that place what was expected or found, and where possible ends
//! in a help line. Rendering is by the `ariadne` crate; [`Diagnostics`]' own `Display` is one plain line each, for
//! logs and machines that have no source text at hand.

use std::fmt;

use ariadne::{CharSet, Color, Config, IndexType, Label, Report, ReportKind, Source};
use serde::{Deserialize, Serialize};

/// A range of bytes in a circuit's text, `start..end`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Span {
    /// The bytes `start..end`.
    pub fn new(start: usize, end: usize) -> Self {
        Span { start, end }
    }

    /// The smallest span that covers both.
    #[must_use]
    pub fn to(self, other: Span) -> Span {
        Span { start: self.start.min(other.start), end: self.end.max(other.end) }
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    /// The place to underline.
    pub span: Span,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// What to write under the underlined place.
    pub label: String,
    /// What to do.
    pub help: Option<String>,
}

impl Diagnostic {
    /// A diagnostic without a help line.
    pub fn new(span: Span, message: impl Into<String>, label: impl Into<String>) -> Self {
        Diagnostic { span, message: message.into(), label: label.into(), help: None }
    }

    /// The same with a help line.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// Everything that is wrong with a circuit, in the order of the text. Never empty when it is an error.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub struct Diagnostics(pub Vec<Diagnostic>);

impl Diagnostics {
    /// Adds one.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.0.push(diagnostic);
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `value` if there is none, else the diagnostics, in the order of the text.
    pub fn or<T>(self, value: T) -> Result<T, Diagnostics> {
        if self.is_empty() { Ok(value) } else { Err(self.in_order()) }
    }

    /// The same in the order of the text.
    #[must_use]
    pub fn in_order(mut self) -> Self {
        self.0.sort_by_key(|diagnostic| diagnostic.span);
        self
    }

    /// All diagnostics drawn over `source`, the text they are about, for a terminal that shows colours or not.
    pub fn render(&self, source: &str, color: bool) -> String {
        self.render_named("circuit", source, color)
    }

    /// The same with the name that the place is given by, say a file name.
    pub fn render_named(&self, name: &str, source: &str, color: bool) -> String {
        self.0.iter().map(|diagnostic| draw(diagnostic, name, source, color)).collect()
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(diagnostic: Diagnostic) -> Self {
        Diagnostics(vec![diagnostic])
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, diagnostic) in self.0.iter().enumerate() {
            let Diagnostic { span, message, label, help } = diagnostic;
            let break_line = if index == 0 { "" } else { "\n" };
            write!(f, "{break_line}bytes {}..{}: {message}: {label}", span.start, span.end)?;
            if let Some(help) = help {
                write!(f, " (help: {help})")?;
            }
        }
        Ok(())
    }
}

/// Longer lines are shown by a piece around the place: a megabyte of parentheses helps nobody.
const LINE_MAX: usize = 240;

fn draw(diagnostic: &Diagnostic, name: &str, source: &str, color: bool) -> String {
    let span = clamp(diagnostic.span, source);
    let line_start = source[..span.start].rfind('\n').map_or(0, |at| at + 1);
    let line_end = source[span.end..].find('\n').map_or(source.len(), |at| span.end + at);
    if line_end - line_start > LINE_MAX {
        return draw_long(diagnostic, span, name, source);
    }
    let config =
        Config::new().with_color(color).with_index_type(IndexType::Byte).with_char_set(CharSet::Unicode);
    let mut report = Report::build(ReportKind::Error, (name, span.start..span.end))
        .with_config(config)
        .with_message(&diagnostic.message)
        .with_label(
            Label::new((name, span.start..span.end)).with_message(&diagnostic.label).with_color(Color::Red),
        );
    if let Some(help) = &diagnostic.help {
        report = report.with_help(help);
    }
    let mut out = Vec::new();
    match report.finish().write((name, Source::from(source)), &mut out) {
        Ok(()) => String::from_utf8_lossy(&out).into_owned(),
        Err(_) => draw_long(diagnostic, span, name, source),
    }
}

/// A diagnostic about a place in a line too long to show.
fn draw_long(diagnostic: &Diagnostic, span: Span, name: &str, source: &str) -> String {
    let line = source[..span.start].matches('\n').count() + 1;
    let column = source[..span.start].chars().rev().take_while(|&c| c != '\n').count() + 1;
    let piece: String = source[span.start..].chars().take(40).take_while(|&c| c != '\n').collect();
    let help = diagnostic.help.as_ref().map(|help| format!("\nHelp: {help}")).unwrap_or_default();
    let Diagnostic { message, label, .. } = diagnostic;
    format!("Error: {message}\n at {name}:{line}:{column}: `{piece}` …: {label}{help}\n")
}

/// `span` moved to character boundaries inside `source`.
fn clamp(span: Span, source: &str) -> Span {
    let floor =
        |at: usize| (0..=at.min(source.len())).rev().find(|&at| source.is_char_boundary(at)).unwrap_or(0);
    let start = floor(span.start);
    Span { start, end: floor(span.end).max(start) }
}
