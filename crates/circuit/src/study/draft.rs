//! Drafts: studies before they have a document. `study create` and `try` write their documents here.

use quorate_field::FieldId;
use quorate_hash::Digest;
use quorate_privacy::Budget;
use toml::{Table, Value};

use super::privacy::budget_text;
use super::{Bits, Disclosure, Proportion, Sharing, Study, StudyError, smallest_field};
use crate::check::check;
use crate::column::Column;
use crate::lower::lower;
use crate::syntax::Circuit;

/// Everything that a document says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StudyDraft {
    /// What people call it.
    pub name: String,
    /// The federation's digest.
    pub federation: Digest,
    /// How values are split.
    pub sharing: Sharing,
    /// The columns, as they are declared or as they are stored.
    pub columns: Vec<Column>,
    /// Most rows of one contribution.
    pub rows_max: u32,
    /// Most contributions.
    pub capacity: u64,
    /// What sealing makes of the columns' bits, or `None` for the most that the helpers can do.
    pub bits: Option<Bits>,
    /// The field, or `None` for the smallest that holds every column's sum.
    pub field: Option<FieldId>,
    /// The owner's Ed25519 key.
    pub owner: [u8; 32],
    /// Fewest contributions to compute on.
    pub min_cohort: u64,
    /// Largest share of contributions that a seal may leave out.
    pub excluded_max: Proportion,
    /// The keys of those who may ask.
    pub analysts: Vec<[u8; 32]>,
    /// What may not be asked.
    pub disclosure: Disclosure,
    /// What all answers together may cost a contributor's privacy.
    pub privacy: Option<Budget>,
}

impl StudyDraft {
    /// A draft that asks for nothing: one row of each contributor, no fewest, any loss, no rules; the owner, who alone may ask, and
    /// the federation are yet to be named.
    pub fn new(name: &str, sharing: Sharing, columns: Vec<Column>, capacity: u64) -> Self {
        StudyDraft {
            name: name.to_owned(),
            federation: Digest::default(),
            sharing,
            columns,
            rows_max: 1,
            capacity,
            bits: None,
            field: None,
            owner: [0; 32],
            min_cohort: 1,
            excluded_max: Proportion::EVERYTHING,
            analysts: vec![[0; 32]],
            disclosure: Disclosure::default(),
            privacy: None,
        }
    }

    /// The document's text and the study that it is.
    ///
    /// # Errors
    /// As [`Study::parse`]: nothing is written that would not be read.
    pub fn document(&self) -> Result<(String, Study), StudyError> {
        let rows = self.capacity.saturating_mul(self.rows_max.into());
        let smallest = smallest_field(&self.columns, rows).unwrap_or(FieldId::F256);
        let text = self.text(self.field.unwrap_or(smallest));
        let study = Study::parse(&text)?;
        Ok((text, study))
    }

    /// The same with the smallest field in which `circuit` can run, unless the draft has one; where there is none, the
    /// smallest that holds the columns.
    ///
    /// # Errors
    /// As [`StudyDraft::document`].
    pub fn document_for(&self, circuit: &Circuit) -> Result<(String, Study), StudyError> {
        let (text, study) = self.document()?;
        if self.field.is_some() {
            return Ok((text, study));
        }
        let larger = FieldId::ALL.into_iter().filter(|field| *field >= study.field);
        for field in larger {
            let draft = StudyDraft { field: Some(field), ..self.clone() };
            // A field without products is of no use to a study that asks for bits.
            let Ok((text, study)) = draft.document() else { continue };
            if check(circuit, &study).is_ok_and(|checked| lower(&checked, &study).is_ok()) {
                return Ok((text, study));
            }
        }
        Ok((text, study))
    }

    fn text(&self, field: FieldId) -> String {
        let count = |number: u64| Value::Integer(i64::try_from(number).unwrap_or(i64::MAX));
        let key = |key: &[u8; 32]| Value::String(Digest(*key).to_string());
        let declared = self.columns.iter().filter(|column| !column.is_presence());
        let columns = declared.map(|column| {
            Value::Table(Table::from_iter([
                ("name".to_owned(), Value::String(column.name.clone())),
                ("domain".to_owned(), Value::String(column.declaration())),
            ]))
        });
        let line = |name: &str, value: Value| format!("{name} = {value}\n");
        let mut text = line("format", count(1));
        text += &line("name", Value::String(self.name.clone()));
        text += &line("federation", Value::String(self.federation.to_string()));
        text += &line("field", Value::String(field.as_str().to_owned()));
        text += &line("rows_max", count(self.rows_max.into()));
        text += &line("capacity", count(self.capacity));
        let bits = self.bits.unwrap_or_else(|| Bits::best_for(&self.sharing, field, &self.columns));
        text += &line("bits", Value::String(bits.as_str().to_owned()));
        text += &line("security", Value::String("passive".to_owned()));
        text += &line("owner", key(&self.owner));
        text += "\n[sharing]\n";
        let kind = match self.sharing.kind {
            super::SharingKind::Shamir => "shamir",
            super::SharingKind::Additive => "additive",
        };
        text += &line("kind", Value::String(kind.to_owned()));
        text += &line("helpers", count(self.sharing.helpers.into()));
        text += &line("threshold", count(self.sharing.threshold.into()));
        text += "\n[policy]\n";
        text += &line("min_cohort", count(self.min_cohort));
        text += &line("excluded_max", Value::String(self.excluded_max.to_string()));
        text += &line("analysts", Value::Array(self.analysts.iter().map(key).collect()));
        let (lines, functions) = self.disclosure.text();
        text += &lines;
        text += &functions;
        text += &self.privacy.as_ref().map(budget_text).unwrap_or_default();
        for column in columns {
            text += "\n[[columns]]\n";
            text += &toml::to_string(&column).unwrap_or_default();
        }
        text
    }
}
