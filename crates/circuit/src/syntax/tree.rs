//! The syntax tree of a circuit: what the text says, before anything is known of what it means.

use quorate_field::Integer;

use crate::column::{Column, Domain};
use crate::diagnostics::{Diagnostics, Span};

/// A parsed circuit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Circuit {
    /// What it calls itself.
    pub name: Name,
    /// The columns that it reads, in the order of the text.
    pub inputs: Vec<Input>,
    /// Names that it gives to expressions, in the order of the text. Each may use those before it.
    pub definitions: Vec<Definition>,
    /// What it reveals, in the order of the text.
    pub reveals: Vec<Reveal>,
}

/// A name and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// Without quotes.
    pub text: String,
    /// With quotes.
    pub span: Span,
}

/// `input name : domain`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// The column's name.
    pub name: Name,
    /// Its declared values.
    pub domain: Domain,
    /// Whether it may be blank.
    pub is_optional: bool,
    /// The place of the declaration.
    pub span: Span,
}

/// `let name = expression` or `define name = expression`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// What it may name.
    pub kind: DefinitionKind,
    /// The name.
    pub name: Name,
    /// What it stands for.
    pub expression: Expression,
}

/// What a definition names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DefinitionKind {
    /// `let`: an aggregate.
    Let,
    /// `define`: a row's value.
    Define,
}

/// `reveal name = expression`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reveal {
    /// The result's name.
    pub name: Name,
    /// What it is.
    pub expression: Expression,
    /// What it may cost of privacy, if it is to be noisy.
    pub privacy: Option<Privacy>,
}

/// `with epsilon 0.5 delta 0.000001`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Privacy {
    /// The amounts, in the order of the text.
    pub amounts: Vec<PrivacyAmount>,
    /// From `with` to the last amount.
    pub span: Span,
}

/// `epsilon 0.5`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrivacyAmount {
    /// What it is an amount of.
    pub name: Name,
    /// All digits of the number.
    pub digits: Integer,
    /// How many of them stand behind the point.
    pub decimals: u32,
    /// The number's place.
    pub span: Span,
}

/// An expression and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expression {
    /// What it says.
    pub kind: ExpressionKind,
    /// Where.
    pub span: Span,
}

/// What an expression says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExpressionKind {
    /// `1_000.50`: the integer 100050 with two decimals.
    Number {
        /// All digits.
        digits: Integer,
        /// How many of them stand behind the point.
        decimals: u32,
    },
    /// `2024-03-01`.
    Date {
        /// Days since 1970-01-01.
        days: i64,
    },
    /// A column, or a label of a category.
    Name(String),
    /// `function(arguments)`.
    Call {
        /// The function's name.
        function: Name,
        /// Its arguments.
        arguments: Vec<Expression>,
    },
    /// `[a, b, c]`.
    List(Vec<Expression>),
    /// `y ~ x1 + x2`.
    Model {
        /// What is explained.
        outcome: Box<Expression>,
        /// By what: a sum.
        predictors: Box<Expression>,
    },
    /// An operator before its operand.
    Unary {
        /// The operator.
        operator: Unary,
        /// Its operand.
        operand: Box<Expression>,
    },
    /// An operator between two operands.
    Binary {
        /// The operator.
        operator: Binary,
        /// Before it.
        left: Box<Expression>,
        /// Behind it.
        right: Box<Expression>,
    },
    /// `if condition then yes else no`.
    If {
        /// Decides.
        condition: Box<Expression>,
        /// Where it holds.
        yes: Box<Expression>,
        /// Where it does not.
        no: Box<Expression>,
    },
    /// `body where condition`: every aggregate in the body is over the rows where the condition holds.
    Where {
        /// The aggregate.
        body: Box<Expression>,
        /// Which rows.
        condition: Box<Expression>,
    },
    /// `mean(x) weighted w`.
    Weighted {
        /// The mean.
        body: Box<Expression>,
        /// How much each row counts.
        weight: Box<Expression>,
    },
    /// `body by category`: the body once for each label.
    By {
        /// The aggregate.
        body: Box<Expression>,
        /// The category.
        category: Box<Expression>,
    },
}

impl ExpressionKind {
    /// The expressions that it is made of, in the order of the text.
    pub fn parts(&self) -> Vec<&Expression> {
        match self {
            ExpressionKind::Number { .. } | ExpressionKind::Date { .. } | ExpressionKind::Name(_) => vec![],
            ExpressionKind::Call { arguments: parts, .. } | ExpressionKind::List(parts) => {
                parts.iter().collect()
            }
            ExpressionKind::Model { outcome, predictors } => vec![outcome, predictors],
            ExpressionKind::Unary { operand, .. } => vec![operand],
            ExpressionKind::Binary { left, right, .. } => vec![left, right],
            ExpressionKind::If { condition, yes, no } => vec![condition, yes, no],
            ExpressionKind::Where { body, condition } => vec![body, condition],
            ExpressionKind::Weighted { body, weight } => vec![body, weight],
            ExpressionKind::By { body, category } => vec![body, category],
        }
    }
}

/// An operator with one operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unary {
    /// `-`
    Negate,
    /// `+`
    Plus,
    /// `not`
    Not,
}

/// An operator with two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binary {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `==`, `!=`, `<`, `<=`, `>` or `>=`
    Compare(Comparison),
    /// `and`
    And,
    /// `or`
    Or,
}

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

impl Comparison {
    /// All of them.
    pub const ALL: [Comparison; 6] = [
        Comparison::Equal,
        Comparison::NotEqual,
        Comparison::Less,
        Comparison::LessOrEqual,
        Comparison::Greater,
        Comparison::GreaterOrEqual,
    ];

    /// Whether it holds of two values in this order.
    pub fn holds(self, order: std::cmp::Ordering) -> bool {
        match self {
            Comparison::Equal => order.is_eq(),
            Comparison::NotEqual => order.is_ne(),
            Comparison::Less => order.is_lt(),
            Comparison::LessOrEqual => order.is_le(),
            Comparison::Greater => order.is_gt(),
            Comparison::GreaterOrEqual => order.is_ge(),
        }
    }

    /// As it is written.
    pub fn symbol(self) -> &'static str {
        match self {
            Comparison::Equal => "==",
            Comparison::NotEqual => "!=",
            Comparison::Less => "<",
            Comparison::LessOrEqual => "<=",
            Comparison::Greater => ">",
            Comparison::GreaterOrEqual => ">=",
        }
    }
}

impl Circuit {
    /// Reads a circuit's text.
    ///
    /// # Errors
    /// Everything that is no circuit in it: the limits first, then each statement that does not parse.
    pub fn parse(text: &str) -> Result<Circuit, Diagnostics> {
        super::parser::parse_circuit(text)
    }

    /// The columns that it reads, as a study would declare them.
    pub fn inputs(&self) -> Vec<Column> {
        let column = |input: &Input| {
            let (name, domain) = (input.name.text.clone(), input.domain.clone());
            if input.is_optional { Column::optional(name, domain) } else { Column::new(name, domain) }
        };
        self.inputs.iter().map(column).collect()
    }
}
