//! The printer: a tree as text that parses to the same tree.

use std::fmt::{self, Display};

use super::token::needs_quotes;
use super::tree::{
    Binary, Circuit, Definition, DefinitionKind, Expression, ExpressionKind, PrivacyAmount, Unary,
};
use crate::column::declaration;
use crate::date::date_text;
use quorate_field::quantity::scaled_decimal;

/// `name` as it is written in a circuit: in quotes where it must be.
pub(crate) fn quote(name: &str) -> String {
    if needs_quotes(name) { format!("\"{name}\"") } else { name.to_owned() }
}

impl Display for Circuit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "circuit {}\n", quote(&self.name.text))?;
        for input in &self.inputs {
            let declaration = declaration(input.is_optional, &input.domain);
            writeln!(f, "input {} : {declaration}", quote(&input.name.text))?;
        }
        writeln!(f)?;
        for Definition { kind, name, expression } in &self.definitions {
            let word = match kind {
                DefinitionKind::Let => "let",
                DefinitionKind::Define => "define",
            };
            writeln!(f, "{word} {} = {expression}", quote(&name.text))?;
        }
        self.reveals.iter().try_for_each(|reveal| {
            write!(f, "reveal {} = {}", quote(&reveal.name.text), reveal.expression)?;
            if let Some(privacy) = &reveal.privacy {
                f.write_str(" with")?;
                for PrivacyAmount { name, digits, decimals, .. } in &privacy.amounts {
                    write!(f, " {} {}", quote(&name.text), scaled_decimal(digits, *decimals, true))?;
                }
            }
            writeln!(f)
        })
    }
}

/// With parentheses around every operand that is not a single word.
impl Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ExpressionKind::Number { digits, decimals } => {
                f.write_str(&scaled_decimal(digits, *decimals, true))
            }
            ExpressionKind::Date { days } => f.write_str(&date_text(&(*days).into())),
            ExpressionKind::Name(name) => f.write_str(&quote(name)),
            ExpressionKind::Call { function, arguments } => {
                let arguments: Vec<_> = arguments.iter().map(ToString::to_string).collect();
                write!(f, "{}({})", quote(&function.text), arguments.join(", "))
            }
            ExpressionKind::List(elements) => {
                let elements: Vec<_> = elements.iter().map(ToString::to_string).collect();
                write!(f, "[{}]", elements.join(", "))
            }
            ExpressionKind::Model { outcome, predictors } => write!(f, "{outcome} ~ {predictors}"),
            ExpressionKind::Unary { operator, operand } => {
                let operator = match operator {
                    Unary::Negate => "-",
                    Unary::Plus => "+",
                    Unary::Not => "not ",
                };
                write!(f, "{operator}{}", Operand(operand))
            }
            ExpressionKind::Binary { operator, left, right } => {
                write!(f, "{} {} {}", Operand(left), operator.symbol(), Operand(right))
            }
            ExpressionKind::If { condition, yes, no } => {
                write!(f, "if {} then {} else {}", Operand(condition), Operand(yes), Operand(no))
            }
            ExpressionKind::Where { body, condition } => {
                write!(f, "{} where {}", Operand(body), Operand(condition))
            }
            ExpressionKind::Weighted { body, weight } => {
                write!(f, "{} weighted {}", Operand(body), Operand(weight))
            }
            ExpressionKind::By { body, category } => write!(f, "{} by {}", Operand(body), Operand(category)),
        }
    }
}

impl Binary {
    /// As it is written.
    pub fn symbol(self) -> &'static str {
        match self {
            Binary::Add => "+",
            Binary::Subtract => "-",
            Binary::Multiply => "*",
            Binary::Divide => "/",
            Binary::Compare(comparison) => comparison.symbol(),
            Binary::And => "and",
            Binary::Or => "or",
        }
    }
}

struct Operand<'a>(&'a Expression);

impl Display for Operand<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.kind {
            ExpressionKind::Number { .. }
            | ExpressionKind::Date { .. }
            | ExpressionKind::Name(_)
            | ExpressionKind::Call { .. }
            | ExpressionKind::List(_) => write!(f, "{}", self.0),
            _ => write!(f, "({})", self.0),
        }
    }
}
