//! Permissions: which functions the study lets an analyst ask of which columns.

use std::collections::BTreeSet;

use super::Checker;
use crate::diagnostics::{Diagnostic, Span};
use crate::syntax::{Expression, ExpressionKind, quote};

impl Checker<'_> {
    /// Refuses what the study's rules forbid of the columns that `arguments` read. `function` is a function's name, or `where`,
    /// `by` or `weighted`.
    pub(super) fn permit(&mut self, function: &str, arguments: &[&Expression], span: Span) -> Option<()> {
        let mut columns = BTreeSet::new();
        arguments.iter().for_each(|argument| self.columns_read(argument, &mut columns));
        let disclosure = &self.study.policy.disclosure;
        let names = columns.iter().map(|column| Some(self.study.columns[*column].name.as_str()));
        let refused = std::iter::once(None).chain(names).find_map(|name| {
            let rule = disclosure.refusal(function, name)?;
            Some((rule, name.map(quote)))
        });
        let Some((rule, name)) = refused else { return Some(()) };
        let message = match name {
            Some(name) => format!("the study does not allow `{function}` of {name}"),
            None => format!("the study does not allow `{function}`"),
        };
        self.refuse(
            Diagnostic::new(span, message, format!("forbidden by {rule}"))
                .help("its owner decides what may be asked: `quorate study show` lists the rules"),
        );
        None
    }

    /// The columns that an expression reads, those of its definitions included.
    pub(super) fn columns_read(&self, expression: &Expression, columns: &mut BTreeSet<usize>) {
        match &expression.kind {
            ExpressionKind::Name(name) => match self.columns_defined(name) {
                Some(defined) => columns.extend(defined),
                None => {
                    columns.extend(self.study.column(name).filter(|column| self.inputs.contains(column)));
                }
            },
            kind => kind.parts().into_iter().for_each(|part| self.columns_read(part, columns)),
        }
    }
}
