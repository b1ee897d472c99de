//! The circuit language's syntax: limits, tokens, tree, parser, printer.
//!
//! `tree` is what everything else works on; `token` holds every limit that is checked before parsing.

mod parser;
mod print;
mod token;
mod tree;
mod written;

pub use token::{DIGITS_MAX, NAME_MAX, NESTING_MAX, SOURCE_MAX, STATEMENT_MAX, TOKENS_MAX};
pub use tree::{
    Binary, Circuit, Comparison, Definition, DefinitionKind, Expression, ExpressionKind, Input, Name,
    Privacy, PrivacyAmount, Reveal, Unary,
};

pub(crate) use parser::parse_declaration;
pub(crate) use print::quote;
