//! The checker: names resolved, types settled, intervals carried through, for one circuit on one study.
//!
//! Intervals are of exact integers. A row value's interval is in units of its scale; an aggregate's is that of its
//! numerator over as many rows as the study has room for. Each must fit a field: the largest (F256) where everything
//! is linear in the columns, the largest that has products (F127) elsewhere. So nothing overflows unnoticed.
//!
//! `tree` is the result; `expression` and `call` have the typing rules, `number` the arithmetic of row values, `form` and
//! `aggregate` what is revealed of aggregates, over which rows; `blank` says where a value is known.

mod aggregate;
pub(crate) mod blank;
mod call;
mod category;
mod definition;
mod expression;
pub(crate) mod form;
mod group;
pub(crate) mod groups;
mod hypothesis;
mod model;
mod number;
mod permission;
pub(crate) mod polynomial;
pub(crate) mod privacy;
mod quantile;
pub(crate) mod stored;
pub(crate) mod tree;
pub(crate) mod words;

use std::collections::BTreeMap;

use quorate_field::{FieldId, Integer};
use quorate_privacy::Loss;

use crate::column::Column;
use crate::diagnostics::{Diagnostic, Diagnostics, Span};
use crate::interval::Interval;
use crate::study::Study;
use crate::syntax::{Circuit, Reveal, quote};
pub(crate) use call::FUNCTIONS;
use definition::Defined;
use form::{Atom, Form};
use groups::Groups;
use privacy::Private;
use tree::{Aggregate, Grouping};

use words::similar;

/// The largest field with products of shared values.
const FIELD_WITH_PRODUCTS: FieldId = FieldId::F127;

/// A checked circuit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// The circuit's name.
    pub(crate) name: String,
    /// The study's columns.
    pub(crate) columns: Vec<Column>,
    /// Most rows.
    pub(crate) rows_max: u64,
    /// What is revealed.
    pub(crate) reveals: Vec<CheckedReveal>,
    /// What tables are by.
    pub(crate) groupings: Vec<Grouping>,
    /// Secret aggregates that forms refer to.
    pub(crate) atoms: Vec<Atom>,
    /// Every computed value with its interval.
    pub(crate) nodes: Vec<Node>,
    /// Fewest rows of a group.
    pub(crate) min_group: u64,
    /// The groups of rows that it asks about, where the study judges them.
    pub(crate) groups: Groups,
    /// Whether there are groups among them that earlier circuits did not ask about.
    pub(crate) asks_anew: bool,
}

impl Checked {
    /// Whether it sums vectors.
    pub(crate) fn has_vectors(&self) -> bool {
        let mut forms = self.reveals.iter().flat_map(|reveal| reveal.forms.all());
        forms.any(|form| matches!(form, Form::Vector(..)))
    }
}

/// A checked `reveal`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CheckedReveal {
    pub(crate) name: String,
    pub(crate) span: Span,
    pub(crate) value: Aggregate,
    pub(crate) forms: Forms,
    /// How it is made private, if it is.
    pub(crate) private: Option<Private>,
}

/// One form, or one for each group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Forms {
    One(Form),
    Table(Vec<(String, Forms)>),
}

impl Forms {
    /// All of them, cell by cell.
    pub(crate) fn all(&self) -> Vec<&Form> {
        match self {
            Forms::One(form) => vec![form],
            Forms::Table(cells) => cells.iter().flat_map(|(_, cell)| cell.all()).collect(),
        }
    }
}

/// A computed value, as `explain` lists it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) span: Span,
    pub(crate) interval: Interval,
    pub(crate) field: FieldId,
}

/// Checks `circuit` on `study`.
///
/// # Errors
/// Everything that is wrong in it, each underlined. The analyst is to blame.
pub fn check(circuit: &Circuit, study: &Study) -> Result<Checked, Diagnostics> {
    check_after(circuit, study, &[])
}

/// Checks `circuit` on a `study` that was asked circuits before: where it has a smallest group, what they asked about counts.
///
/// # Errors
/// Everything that is wrong in it, each underlined, or in an earlier circuit. The analyst is to blame.
pub fn check_after(circuit: &Circuit, study: &Study, earlier: &[Circuit]) -> Result<Checked, Diagnostics> {
    let mut groups = Groups::default();
    if study.policy.disclosure.has_groups() {
        for circuit in earlier {
            let Checked { reveals, atoms, columns, .. } = checked(circuit, study)?;
            groups.extend(reveals.iter().flat_map(|reveal| reveal.forms.all()), &atoms, &columns);
        }
    }
    let mut checked = checked(circuit, study)?;
    if study.policy.disclosure.has_groups() {
        let forms = checked.reveals.iter().flat_map(|reveal| reveal.forms.all());
        let known = groups.groups.len();
        groups.extend(forms, &checked.atoms, &checked.columns);
        checked.asks_anew = groups.groups.len() > known;
    }
    checked.groups = groups;
    Ok(checked)
}

fn checked(circuit: &Circuit, study: &Study) -> Result<Checked, Diagnostics> {
    let mut checker = Checker {
        study,
        inputs: vec![],
        definitions: BTreeMap::new(),
        groupings: vec![],
        rows_max: study.rows_total_max(),
        atoms: vec![],
        atom_numbers: BTreeMap::new(),
        nodes: vec![],
        diagnostics: Diagnostics::default(),
    };
    checker.inputs(circuit);
    checker.definitions(&circuit.definitions);
    let mut reveals: Vec<CheckedReveal> = Vec::with_capacity(circuit.reveals.len());
    for reveal in &circuit.reveals {
        if reveals.iter().any(|earlier| earlier.name == reveal.name.text) {
            checker.refuse(
                Diagnostic::new(
                    reveal.name.span,
                    format!("{} is revealed twice", quote(&reveal.name.text)),
                    "again",
                )
                .help("give each result a name of its own"),
            );
        }
        let (name, span) = (reveal.name.text.clone(), reveal.expression.span);
        match checker.reveal(reveal) {
            Some((value, forms, private)) => {
                reveals.push(CheckedReveal { name, span, value, forms, private });
            }
            None if checker.diagnostics.is_empty() => {
                checker.refuse(overflow(span, None, FieldId::F256, checker.rows_max));
            }
            None => {}
        }
    }
    let losses: Vec<(Loss, Span)> = reveals
        .iter()
        .filter_map(|reveal| reveal.private.map(|private| (private.loss, private.span)))
        .collect();
    checker.check_losses(&losses);
    let Checker { groupings, atoms, nodes, diagnostics, rows_max, .. } = checker;
    let (name, columns) = (circuit.name.text.clone(), study.columns.clone());
    let (min_group, groups) = (study.policy.disclosure.min_group, Groups::default());
    diagnostics.or(Checked {
        name,
        columns,
        rows_max,
        reveals,
        groupings,
        atoms,
        nodes,
        min_group,
        groups,
        asks_anew: false,
    })
}

/// A circuit being checked. Functions that find something wrong say so in `diagnostics` and return `None`.
struct Checker<'a> {
    study: &'a Study,
    /// Columns of the study that the circuit declared.
    inputs: Vec<usize>,
    /// What names stand for.
    definitions: BTreeMap<String, Defined>,
    groupings: Vec<Grouping>,
    rows_max: u64,
    atoms: Vec<Atom>,
    /// Their positions by meaning.
    atom_numbers: BTreeMap<String, usize>,
    nodes: Vec<Node>,
    diagnostics: Diagnostics,
}

impl Checker<'_> {
    /// Every input is a column of the study, declared alike.
    fn inputs(&mut self, circuit: &Circuit) {
        for input in &circuit.inputs {
            let name = &input.name.text;
            let Some(column) = self.study.column(name) else {
                let names = self.study.declared().map(|column| column.name.as_str());
                let help = match similar(name, names) {
                    Some(close) => format!("did you mean {}?", quote(close)),
                    None => format!("the study's columns are {}", list(&self.study.columns)),
                };
                let message = format!("the study has no column {}", quote(name));
                self.refuse(Diagnostic::new(input.name.span, message, "unknown column").help(help));
                continue;
            };
            let found = &self.study.columns[column];
            if found.domain != input.domain || found.is_optional() != input.is_optional {
                let declared = found.declaration();
                let message = format!("{} is declared otherwise in the study", quote(name));
                let label = format!("the study says {declared}");
                let help = format!("write: input {} : {declared}", quote(name));
                self.refuse(Diagnostic::new(input.span, message, label).help(help));
            }
            if self.inputs.contains(&column) {
                let message = format!("{} is declared twice", quote(name));
                self.refuse(Diagnostic::new(input.name.span, message, "again").help("remove this line"));
            }
            self.inputs.push(column);
        }
    }

    fn reveal(&mut self, reveal: &Reveal) -> Option<(Aggregate, Forms, Option<Private>)> {
        let expression = &reveal.expression;
        self.is_of_good_size(expression)?;
        let value = self.aggregate(expression)?;
        let forms = self.forms(&value)?;
        let private = self.privacy(reveal, &forms)?;
        Some((value, forms, private))
    }

    fn refuse(&mut self, diagnostic: Diagnostic) {
        // An expression that is computed once per label is refused once.
        if !self.diagnostics.0.contains(&diagnostic) {
            self.diagnostics.push(diagnostic);
        }
    }

    /// Notes a computed value, if a field holds it; else refuses it.
    fn fit(&mut self, span: Span, interval: Option<Interval>, is_linear: bool) -> Option<Interval> {
        let (interval, field) = self.fits(span, interval, is_linear)?;
        match self.nodes.iter_mut().find(|node| node.span == span) {
            Some(node) => {
                node.interval = node.interval.hull(&interval);
                node.field = node.field.max(field);
            }
            None => self.nodes.push(Node { span, interval, field }),
        }
        Some(interval)
    }

    /// The field that holds a value: the smallest, but not below the study's. Refuses a value that none holds.
    fn fits(
        &mut self,
        span: Span,
        interval: Option<Interval>,
        is_linear: bool,
    ) -> Option<(Interval, FieldId)> {
        let largest = if is_linear { FieldId::F256 } else { FIELD_WITH_PRODUCTS };
        let needed =
            interval.and_then(|interval| Some((interval, FieldId::smallest_for(&interval.bound())?)));
        match needed.filter(|(_, field)| *field <= largest) {
            Some((interval, field)) => Some((interval, field.max(self.study.field))),
            None => {
                self.refuse(overflow(span, interval, largest, self.rows_max));
                None
            }
        }
    }
}

/// The diagnostic for a value that leaves the field.
pub(crate) fn overflow(
    span: Span,
    interval: Option<Interval>,
    largest: FieldId,
    rows_max: u64,
) -> Diagnostic {
    let label = match interval {
        Some(interval) => format!("between {} and {} over {rows_max} rows", interval.min, interval.max),
        None => format!("beyond 512 bits over {rows_max} rows"),
    };
    let products = if largest == FieldId::F256 { "" } else { " with products" };
    Diagnostic::new(span, "this can overflow", label).help(format!(
        "the largest field{products}, {largest}, holds integers up to {}: narrow the inputs' ranges or decimals, or \
         ask of a study with room for fewer rows",
        largest.half()
    ))
}

fn list(columns: &[Column]) -> String {
    const SHOWN: usize = 12;
    let columns: Vec<_> = columns.iter().filter(|column| !column.is_presence()).collect();
    let names: Vec<_> = columns.iter().take(SHOWN).map(|column| quote(&column.name)).collect();
    let more =
        if columns.len() > SHOWN { format!(" and {} more", columns.len() - SHOWN) } else { String::new() };
    format!("{}{more}", names.join(", "))
}

/// Units that make one, for an interval's reader.
pub(crate) fn unit(scale: &Integer) -> Option<String> {
    if *scale == Integer::ONE {
        None
    } else {
        crate::Quantity::new(Integer::ONE, *scale).map(|unit| unit.to_string())
    }
}
