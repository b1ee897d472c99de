//! Tokens of a circuit's text, and the limits that hold before anything is parsed.
//!
//! One linear pass, no recursion. What comes out is bounded in number, in length and in nesting, so that the
//! parser behind it, which does recurse, can never meet a text that exhausts the stack.

use std::fmt;

use crate::date::{date_text, parse_date};
use crate::diagnostics::{Diagnostic, Diagnostics, Span};

/// Longest circuit, in bytes.
pub const SOURCE_MAX: usize = 64 * 1024;
/// Most tokens in a circuit.
pub const TOKENS_MAX: usize = 16 * 1024;
/// Most tokens in one statement, and most values and operators of one with its definitions written out.
pub const STATEMENT_MAX: usize = 600;
/// Deepest nesting of parentheses, and most `not`, `if` and signs that may nest in one statement.
pub const NESTING_MAX: usize = 32;
/// Longest name, in bytes.
pub const NAME_MAX: usize = 128;
/// Most digits of a number.
pub const DIGITS_MAX: usize = 100;

/// One token. Names are unquoted already; a quoted name is never a keyword.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token<'text> {
    Name(&'text str),
    Quoted(&'text str),
    Number(&'text str),
    /// In days since 1970-01-01.
    Date(i64),
    Keyword(Keyword),
    Symbol(&'static str),
}

/// Words that are not names unless quoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keyword {
    Circuit,
    Input,
    Reveal,
    And,
    Or,
    Not,
    If,
    Then,
    Else,
    Where,
    By,
    Let,
    Define,
    Weighted,
    Optional,
    With,
}

const KEYWORDS: [(&str, Keyword); 16] = [
    ("circuit", Keyword::Circuit),
    ("input", Keyword::Input),
    ("reveal", Keyword::Reveal),
    ("and", Keyword::And),
    ("or", Keyword::Or),
    ("not", Keyword::Not),
    ("if", Keyword::If),
    ("then", Keyword::Then),
    ("else", Keyword::Else),
    ("where", Keyword::Where),
    ("by", Keyword::By),
    ("let", Keyword::Let),
    ("define", Keyword::Define),
    ("weighted", Keyword::Weighted),
    ("optional", Keyword::Optional),
    ("with", Keyword::With),
];

const NESTED: &str = "the expression is nested too deeply";

/// Longest first, so that the first that fits is the right one.
const SYMBOLS: [&str; 20] =
    ["..", "==", "!=", "<=", ">=", "<", ">", "=", ":", "|", "(", ")", "[", "]", ",", "+", "-", "*", "/", "~"];

/// A token and its place.
pub(crate) type Placed<'text> = (Token<'text>, Span);

impl fmt::Display for Token<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Token::Name(name) | Token::Number(name) => write!(f, "`{name}`"),
            Token::Quoted(name) => write!(f, "`\"{name}\"`"),
            Token::Date(days) => write!(f, "`{}`", date_text(&(*days).into())),
            Token::Symbol(symbol) => write!(f, "`{symbol}`"),
            Token::Keyword(keyword) => write!(f, "`{keyword}`"),
        }
    }
}

impl fmt::Display for Keyword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(KEYWORDS.iter().find(|(_, keyword)| keyword == self).map_or("", |(word, _)| word))
    }
}

/// Whether `name` must be quoted to be read as a name.
pub(crate) fn needs_quotes(name: &str) -> bool {
    let mut characters = name.chars();
    !characters.next().is_some_and(is_name_start)
        || !characters.all(is_name_part)
        || KEYWORDS.iter().any(|(word, _)| *word == name)
}

/// The tokens of `text`, within all limits.
pub(crate) fn tokenize(text: &str) -> Result<Vec<Placed<'_>>, Diagnostics> {
    let head = &text[..floor_boundary(text, SOURCE_MAX.min(text.len()))];
    let (tokens, diagnostics) = read_tokens(head);
    let beyond = if text.len() > SOURCE_MAX {
        let span = Span::new(head.len(), text.len());
        Diagnostic::new(span, "the circuit is too long", format!("beyond {SOURCE_MAX} bytes"))
            .help(format!("a circuit has at most {SOURCE_MAX} bytes; this one has {}", text.len()))
    } else if let Some((_, span)) = tokens.get(TOKENS_MAX) {
        Diagnostic::new(*span, "the circuit has too many words", "one too many")
            .help(format!("at most {TOKENS_MAX} names, numbers and symbols"))
    } else {
        return diagnostics.or(tokens);
    };
    // Where both are true, nesting is what its author would rather hear of.
    let nested = statements(&tokens).find_map(|range| check_nesting(&tokens[range]).err());
    Err(nested.filter(|nested| nested.message == NESTED).unwrap_or(beyond).into())
}

/// The statements' positions among the tokens: a new one at each word that begins one.
pub(crate) fn statements<'a>(tokens: &'a [Placed<'_>]) -> impl Iterator<Item = std::ops::Range<usize>> + 'a {
    let begins = |token: &Token<'_>| {
        matches!(
            token,
            Token::Keyword(
                Keyword::Circuit | Keyword::Input | Keyword::Reveal | Keyword::Let | Keyword::Define
            )
        )
    };
    let mut from = 0;
    std::iter::from_fn(move || {
        let rest = tokens.get(from + 1..)?;
        let to =
            rest.iter().position(|(token, _)| begins(token)).map_or(tokens.len(), |length| from + 1 + length);
        let range = from..to;
        from = to;
        Some(range)
    })
}

/// Tokens until one more than there may be, and what is none.
fn read_tokens(text: &str) -> (Vec<Placed<'_>>, Diagnostics) {
    const REPORTED: usize = 20;
    let (mut tokens, mut diagnostics, mut at) = (Vec::new(), Diagnostics::default(), 0);
    while let Some(first) = text[at..].chars().next().filter(|_| tokens.len() <= TOKENS_MAX) {
        if first.is_whitespace() {
            at += first.len_utf8();
        } else if first == '#' {
            at += text[at..].find('\n').unwrap_or(text.len() - at);
        } else {
            let (token, length) = next_token(&text[at..], first, at);
            match token {
                Ok(token) => tokens.push((token, Span::new(at, at + length))),
                Err(diagnostic) if diagnostics.0.len() < REPORTED => diagnostics.push(diagnostic),
                Err(_) => {}
            }
            at += length;
        }
    }
    (tokens, diagnostics)
}

/// The token at the start of `rest`, which begins with `first`, and how many bytes to go on by.
fn next_token<'text>(rest: &'text str, first: char, at: usize) -> (Result<Token<'text>, Diagnostic>, usize) {
    if first == '"' {
        return quoted(rest, at);
    }
    if first.is_ascii_digit() {
        return date(rest, at).unwrap_or_else(|| number(rest, at));
    }
    if is_name_start(first) {
        let length = rest.find(|c| !is_name_part(c)).unwrap_or(rest.len());
        let name = &rest[..length];
        let keyword = KEYWORDS.iter().find(|(word, _)| *word == name);
        let token = match keyword {
            Some((_, keyword)) => Ok(Token::Keyword(*keyword)),
            None => within(length, NAME_MAX, "name", at).map(|()| Token::Name(name)),
        };
        return (token, length);
    }
    match SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol)) {
        Some(symbol) => (Ok(Token::Symbol(symbol)), symbol.len()),
        None => {
            let span = Span::new(at, at + first.len_utf8());
            let diagnostic = Diagnostic::new(span, format!("unexpected character {first:?}"), "not part of any word")
                .help("a name with other characters than letters, digits and _ is written in quotes: \"yrs.service\"");
            (Err(diagnostic), first.len_utf8())
        }
    }
}

fn quoted(rest: &str, at: usize) -> (Result<Token<'_>, Diagnostic>, usize) {
    let end = rest[1..].find(['"', '\n']).map(|end| end + 1);
    let Some(end) = end.filter(|&end| rest.as_bytes()[end] == b'"') else {
        let length = end.unwrap_or(rest.len());
        let span = Span::new(at, at + length);
        return (
            Err(Diagnostic::new(span, "a quoted name does not end", "no closing `\"` in this line")),
            length,
        );
    };
    let (name, length) = (&rest[1..end], end + 1);
    let span = Span::new(at, at + length);
    let token = if name.trim().is_empty() {
        Err(Diagnostic::new(span, "a name is empty", "nothing between the quotes"))
    } else if name.chars().any(char::is_control) {
        Err(Diagnostic::new(span, "a name holds a control character", "not allowed in a name"))
    } else {
        within(name.len(), NAME_MAX, "name", at).map(|()| Token::Quoted(name))
    };
    (token, length)
}

/// Four, two and two digits with `-` between them, if the text begins with these: then it is a date or a mistake.
fn date(rest: &str, at: usize) -> Option<(Result<Token<'_>, Diagnostic>, usize)> {
    const SHAPE: &[u8] = b"dddd-dd-dd";
    let fits = |(byte, shape): (&u8, &u8)| if *shape == b'd' { byte.is_ascii_digit() } else { byte == shape };
    let is_shaped = rest.len() >= SHAPE.len() && rest.as_bytes().iter().zip(SHAPE).all(fits);
    if !is_shaped {
        return None;
    }
    let length = rest.find(|c| !is_name_part(c) && c != '-').unwrap_or(rest.len());
    let token = parse_date(&rest[..length]).map(Token::Date).ok_or_else(|| {
        let label = "expected year, month and day, such as 2024-03-01";
        Diagnostic::new(Span::new(at, at + length), "there is no such date", label)
            .help("a subtraction is written with spaces: 2024 - 03 - 01")
    });
    Some((token, length))
}

/// Digits and `_`, then perhaps a point and digits. Of `0..5` it takes `0` only.
fn number(rest: &str, at: usize) -> (Result<Token<'_>, Diagnostic>, usize) {
    let digits = |from: usize| {
        let tail = &rest[from..];
        from + tail.find(|c: char| !c.is_ascii_digit() && c != '_').unwrap_or(tail.len())
    };
    let mut end = digits(0);
    let after = &rest.as_bytes()[end..];
    if after.first() == Some(&b'.') && after.get(1).is_some_and(u8::is_ascii_digit) {
        end = digits(end + 1);
    }
    let glued = &rest[end..];
    if glued.chars().next().is_some_and(is_name_start) {
        let length = end + glued.find(|c| !is_name_part(c)).unwrap_or(glued.len());
        let span = Span::new(at, at + length);
        let diagnostic =
            Diagnostic::new(span, "neither a number nor a name", "a name cannot begin with a digit")
                .help("write numbers with digits, `_` and `.`, as in 1_000_000 or 0.25; quote such a name");
        return (Err(diagnostic), length);
    }
    (within(end, DIGITS_MAX, "number", at).map(|()| Token::Number(&rest[..end])), end)
}

fn within(length: usize, max: usize, what: &str, at: usize) -> Result<(), Diagnostic> {
    if length <= max {
        return Ok(());
    }
    let span = Span::new(at, at + length);
    Err(Diagnostic::new(span, format!("a {what} is too long"), format!("at most {max} bytes")))
}

/// Refuses a statement whose parsing would recurse too deeply or grow too large.
pub(crate) fn check_nesting(statement: &[Placed<'_>]) -> Result<(), Diagnostic> {
    let (mut open, mut nested, mut prefix) = (0_usize, 0_usize, true);
    for (token, span) in statement {
        match token {
            Token::Symbol("(" | "[") => open += 1,
            Token::Symbol(")" | "]") => open = open.saturating_sub(1),
            Token::Keyword(Keyword::If | Keyword::Not) => nested += 1,
            Token::Symbol("-" | "+") if prefix => nested += 1,
            _ => {}
        }
        prefix = matches!(token, Token::Keyword(_))
            || matches!(token, Token::Symbol(s) if ![")", "]"].contains(s));
        if open + nested > NESTING_MAX {
            return Err(Diagnostic::new(*span, NESTED, "one level too many").help(format!(
                "a statement may nest at most {NESTING_MAX} levels of parentheses, `if`, `not` and signs; \
                     reveal the parts under names of their own"
            )));
        }
    }
    match statement.get(STATEMENT_MAX) {
        None => Ok(()),
        Some((_, span)) => Err(Diagnostic::new(*span, "the statement is too long", "one word too many")
            .help(format!("a statement has at most {STATEMENT_MAX} names, numbers and symbols"))),
    }
}

fn is_name_start(c: char) -> bool {
    c.is_alphabetic() || c == '_'
}

fn is_name_part(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn floor_boundary(text: &str, at: usize) -> usize {
    (0..=at).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
}
