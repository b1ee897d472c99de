//! Definitions: names that a circuit gives to expressions. A name stands for its expression, wherever it is used.

use std::collections::BTreeSet;

use super::Checker;
use super::expression::Typed;
use crate::diagnostics::Diagnostic;
use crate::syntax::{Definition, DefinitionKind, Expression, ExpressionKind, STATEMENT_MAX, quote};

/// What a name stands for.
pub(super) struct Defined {
    /// Nothing if what was wrong with it was said.
    typed: Option<Typed>,
    /// Values and operators, with earlier definitions written out.
    size: usize,
    /// Columns that it reads.
    columns: BTreeSet<usize>,
}

impl Checker<'_> {
    /// Takes the definitions up, in order.
    pub(super) fn definitions(&mut self, definitions: &[Definition]) {
        for definition in definitions {
            let typed = self.definition(definition);
            let (size, mut columns) = (self.size(&definition.expression), BTreeSet::new());
            self.columns_read(&definition.expression, &mut columns);
            self.definitions.insert(definition.name.text.clone(), Defined { typed, size, columns });
        }
    }

    fn definition(&mut self, definition: &Definition) -> Option<Typed> {
        let name = &definition.name;
        let is_input = self.study.column(&name.text).is_some_and(|column| self.inputs.contains(&column));
        if is_input || self.definitions.contains_key(&name.text) {
            let message = format!("{} has a meaning already", quote(&name.text));
            self.refuse(
                Diagnostic::new(name.span, message, "again").help("give each definition a name of its own"),
            );
            return None;
        }
        self.is_of_good_size(&definition.expression)?;
        let typed = self.expression(&definition.expression)?;
        let expected = match (definition.kind, &typed) {
            (_, Typed::Constant(..))
            | (DefinitionKind::Let, Typed::Aggregate(_))
            | (DefinitionKind::Define, Typed::Number(_) | Typed::Truth(_) | Typed::Grouping(_)) => {
                return Some(typed);
            }
            (DefinitionKind::Let, _) => ("an aggregate", "a row's value is named by `define`"),
            (DefinitionKind::Define, Typed::Aggregate(_)) => {
                ("a row's number or truth value", "an aggregate is named by `let`")
            }
            (DefinitionKind::Define, Typed::Vector(_)) => {
                ("a row's number or truth value", "name what is revealed of it: let total = sum(g)")
            }
            (DefinitionKind::Define, _) => {
                ("a row's number or truth value", "compare the category with a label: gender == female")
            }
        };
        let (message, label) = (format!("this is {typed}"), format!("expected {}", expected.0));
        self.refuse(Diagnostic::new(definition.expression.span, message, label).help(expected.1));
        None
    }

    /// What a name was defined as, if it was; nothing inside if that was refused.
    pub(super) fn meaning(&self, name: &str) -> Option<Option<Typed>> {
        self.definitions.get(name).map(|defined| defined.typed.clone())
    }

    /// The columns that a name's definition reads, if it is defined.
    pub(super) fn columns_defined(&self, name: &str) -> Option<&BTreeSet<usize>> {
        self.definitions.get(name).map(|defined| &defined.columns)
    }

    /// The names that are defined.
    pub(super) fn defined(&self) -> impl Iterator<Item = &str> {
        self.definitions.keys().map(String::as_str)
    }

    /// Refuses an expression that is too large with its definitions written out: what is written in a few lines could
    /// otherwise be as large as two to their number.
    pub(super) fn is_of_good_size(&mut self, expression: &Expression) -> Option<()> {
        let size = self.size(expression);
        if size <= STATEMENT_MAX {
            return Some(());
        }
        let label = "with its definitions written out";
        self.refuse(
            Diagnostic::new(expression.span, "this is too much for one statement", label).help(format!(
                "it has {size} values and operators, at most {STATEMENT_MAX}: reveal its parts"
            )),
        );
        None
    }

    /// Values and operators of an expression, with definitions written out.
    fn size(&self, expression: &Expression) -> usize {
        match &expression.kind {
            ExpressionKind::Name(name) => self.definitions.get(name).map_or(1, |defined| defined.size),
            kind => kind.parts().into_iter().fold(1, |sum, part| sum.saturating_add(self.size(part))),
        }
    }
}
