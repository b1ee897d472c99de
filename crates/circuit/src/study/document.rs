//! The study document: TOML in, a checked [`Study`] out.

use std::collections::BTreeMap;

use quorate_field::FieldId;
use quorate_hash::Digest;
use serde::Deserialize;

use super::privacy::{self, PrivacyDocument};
use super::{
    ANALYSTS_MAX, Bits, COLUMNS_MAX, DOCUMENT_MAX, Disclosure, Policy, Proportion, ROW_BYTES_MAX,
    ROWS_TOTAL_MAX, Security, Sharing, Study, StudyError, column_bound, smallest_field,
};
use crate::column::{Column, PROJECTIONS};
use crate::syntax::NAME_MAX;

/// The document as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    format: u32,
    name: String,
    federation: Digest,
    field: FieldId,
    rows_max: u32,
    capacity: u64,
    bits: String,
    security: String,
    owner: Digest,
    sharing: Sharing,
    policy: PolicyDocument,
    privacy: Option<PrivacyDocument>,
    columns: Vec<ColumnDocument>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyDocument {
    min_cohort: u64,
    excluded_max: String,
    analysts: Vec<Digest>,
    min_group: Option<u64>,
    order_statistics: Option<bool>,
    runs_max: Option<u64>,
    #[serde(default)]
    functions: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ColumnDocument {
    name: String,
    domain: String,
}

pub(super) fn parse(text: &str) -> Result<Study, StudyError> {
    if text.len() > DOCUMENT_MAX {
        return Err(StudyError::TooLong { bytes: text.len(), max: DOCUMENT_MAX });
    }
    let document: Document =
        toml::from_str(text).map_err(|error| StudyError::Document { message: error.to_string() })?;
    if document.format != 1 {
        return Err(value("format", document.format, "1", "this version reads format 1 only"));
    }
    check_name("name", &document.name)?;
    document.sharing.check().map_err(|expected| {
        value("sharing", document.sharing, expected, "make it fit the federation: `quorate federation show`")
    })?;
    let bits = Bits::parse(&document.bits).ok_or_else(|| {
        let expected = "\"sealed\", \"on demand\" or \"none\"";
        value(
            "bits",
            format!("{:?}", document.bits),
            expected,
            "\"none\" trusts contributors with their ranges",
        )
    })?;
    let security = check_security(&document.security)?;
    let policy = check_policy(document.policy, document.capacity)?;
    check_size(document.rows_max, document.capacity)?;
    let study = Study {
        name: document.name,
        federation: document.federation,
        sharing: document.sharing,
        columns: check_columns(document.columns)?,
        rows_max: document.rows_max,
        capacity: document.capacity,
        field: document.field,
        bits,
        security,
        owner: document.owner.0,
        policy,
        privacy: document.privacy.map(PrivacyDocument::budget).transpose()?,
        id: Study::id_of(text),
    };
    check_field(&study)?;
    check_row(&study)?;
    check_norms(&study)?;
    bits.check(&study.sharing, study.field, &study.columns)?;
    study.policy.disclosure.check(&study)?;
    privacy::check(&study)?;
    Ok(study)
}

fn check_security(security: &str) -> Result<Security, StudyError> {
    match security {
        "passive" => Ok(Security::Passive),
        "active" => Err(StudyError::NotBuiltYet {
            key: "security",
            value: security.to_owned(),
            help: "write security = \"passive\": helpers are trusted to follow the protocol",
        }),
        _ => Err(value("security", format!("{security:?}"), "\"passive\"", "no other value is built yet")),
    }
}

fn check_policy(policy: PolicyDocument, capacity: u64) -> Result<Policy, StudyError> {
    let PolicyDocument { min_cohort, excluded_max, analysts, .. } = policy;
    if min_cohort == 0 || min_cohort > capacity {
        let expected = format!("1 to {capacity}, which is `capacity`");
        return Err(value(
            "policy.min_cohort",
            min_cohort,
            &expected,
            "it is the fewest contributions to compute on",
        ));
    }
    let proportion = Proportion::parse(&excluded_max).ok_or_else(|| {
        let expected = "a decimal from \"0\" to \"1\" with at most nine decimals";
        value(
            "policy.excluded_max",
            format!("{excluded_max:?}"),
            expected,
            "\"0.05\" lets a seal leave out one in twenty",
        )
    })?;
    if analysts.is_empty() || analysts.len() > ANALYSTS_MAX {
        let expected = format!("1 to {ANALYSTS_MAX} keys");
        return Err(value(
            "policy.analysts",
            format!("{} keys", analysts.len()),
            &expected,
            "list who may ask, by public key",
        ));
    }
    let analysts = analysts.into_iter().map(|key| key.0).collect();
    let disclosure = Disclosure {
        min_group: policy.min_group.unwrap_or(1),
        order_statistics: policy.order_statistics,
        runs_max: policy.runs_max,
        functions: policy.functions,
    };
    Ok(Policy { min_cohort, excluded_max: proportion, analysts, disclosure })
}

fn check_size(rows_max: u32, capacity: u64) -> Result<(), StudyError> {
    if rows_max == 0 {
        return Err(value("rows_max", rows_max, "at least 1", "it is the most rows of one contribution"));
    }
    let total = capacity.checked_mul(rows_max.into());
    if capacity == 0 || total.is_none_or(|total| total > ROWS_TOTAL_MAX) {
        let most = ROWS_TOTAL_MAX / u64::from(rows_max);
        return Err(value(
            "capacity",
            capacity,
            &format!("1 to {most}"),
            "capacity * rows_max is at most 2^40",
        ));
    }
    Ok(())
}

fn check_columns(documents: Vec<ColumnDocument>) -> Result<Vec<Column>, StudyError> {
    if documents.is_empty() {
        return Err(no_columns(0));
    }
    let mut columns: Vec<Column> = Vec::with_capacity(documents.len());
    let mut names = std::collections::BTreeSet::new();
    for (index, ColumnDocument { name, domain }) in documents.into_iter().enumerate() {
        let number = index + 1;
        check_name(&format!("columns.{number}.name"), &name)?;
        let column = Column::parse(&*name, &domain).map_err(|diagnostics| {
            let reason =
                diagnostics.0.first().map_or(String::new(), |d| format!(" ({}: {})", d.message, d.label));
            let expected = format!("a range like 0 .. 1_000_000 or labels like female | male{reason}");
            value(
                &format!("columns.{number}.domain"),
                format!("{domain:?}"),
                &expected,
                "write it as a circuit's input does",
            )
        })?;
        for column in Column::stored([column]) {
            // Of a presence too, so that a message can mean one column only.
            if !names.insert(column.name.clone()) {
                let key = format!("columns.{number}.name");
                let found = format!("{:?}", column.name);
                return Err(value(&key, found, "a name of its own", "two columns have the same name"));
            }
            columns.push(column);
        }
        if columns.len() > COLUMNS_MAX {
            return Err(no_columns(columns.len()));
        }
    }
    Ok(columns)
}

fn no_columns(count: usize) -> StudyError {
    let expected = format!("1 to {COLUMNS_MAX} columns");
    let help = "each is a [[columns]] table, and one that is optional counts as two";
    value("columns", format!("{count} columns"), &expected, help)
}

fn check_name(key: &str, name: &str) -> Result<(), StudyError> {
    let is_good = !name.trim().is_empty()
        && name.trim() == name
        && name.len() <= NAME_MAX
        && !name.chars().any(|c| c.is_control() || c == '"');
    if is_good {
        return Ok(());
    }
    let shown: String = name.chars().take(40).collect();
    let expected =
        format!("1 to {NAME_MAX} bytes without quotes, control characters or white space at the ends");
    Err(value(key, format!("{shown:?}"), &expected, "circuits must be able to say it"))
}

fn check_field(study: &Study) -> Result<(), StudyError> {
    let rows = study.rows_total_max();
    let suffices = smallest_field(&study.columns, rows);
    if suffices.as_ref().is_ok_and(|field| *field <= study.field) {
        return Ok(());
    }
    let does_not_fit =
        |column: &&Column| column_bound(column, rows).is_none_or(|bound| bound > study.field.half());
    let (column, bound) = match study.columns.iter().find(does_not_fit) {
        Some(column) => (column.name.clone(), column_bound(column, rows).unwrap_or_default()),
        None => (String::new(), study.field.half()),
    };
    Err(StudyError::FieldTooSmall { declared: study.field, column, rows, bound, suffices: suffices.ok() })
}

/// Helpers can check the norms.
fn check_norms(study: &Study) -> Result<(), StudyError> {
    // As many numbers are compared as of the most columns.
    const NORMS_MAX: usize = COLUMNS_MAX / (PROJECTIONS + 1);
    let (sharing, field) = (study.sharing, study.field);
    let bounded = || study.columns.iter().filter(|column| column.norm().is_some());
    if bounded().count() > NORMS_MAX {
        let (found, expected) =
            (format!("{} with a norm", bounded().count()), format!("at most {NORMS_MAX}"));
        return Err(value("columns", found, &expected, "join vectors, or leave the norm of some away"));
    }
    match bounded().next() {
        Some(column) if !sharing.has_products(field) => {
            Err(StudyError::NoNorms { column: column.name.clone(), sharing, field })
        }
        _ => Ok(()),
    }
}

/// A row fits a message.
fn check_row(study: &Study) -> Result<(), StudyError> {
    let (cells, bytes) = (study.cells_per_row(), study.field.bytes());
    let most = ROW_BYTES_MAX / bytes;
    if cells <= most {
        return Ok(());
    }
    let expected = format!("at most {most} cells in {}", study.field);
    let help = "shorten the vectors, or split them over several studies";
    Err(value("columns", format!("{cells} cells in a row"), &expected, help))
}

pub(super) fn value(key: &str, found: impl ToString, expected: &str, help: &'static str) -> StudyError {
    StudyError::Value { key: key.to_owned(), found: found.to_string(), expected: expected.to_owned(), help }
}
