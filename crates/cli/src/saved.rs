//! Result files: written by `run` and `try`, read and checked by `show`.

use std::io;
use std::path::Path;

use quorate_client::SavedRun;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::failure::Failure;
use crate::{files, keys};

/// Whether a result can be written to `path`, before it costs a run to know.
pub(crate) fn check_new(path: Option<&Path>) -> Result<(), Failure> {
    match path {
        Some(path) if path.exists() => Err(Failure::Invalid {
            message: format!("{} exists already", path.display()),
            hint: Some("results are not overwritten: give another name after --save".into()),
        }),
        _ => Ok(()),
    }
}

/// Writes a new result file that only its owner may read: the result is the analyst's to show.
pub(crate) fn write(path: &Path, saved: &SavedRun) -> Result<(), Failure> {
    keys::write_secret(path, saved.to_text().as_bytes())
}

/// Reads a result file; nothing of it is checked yet.
pub(crate) fn read(path: &Path) -> Result<SavedRun, Failure> {
    let text = match files::text(path) {
        // Not text: no result file, whatever it is.
        Err(Failure::File { source, .. }) if source.kind() == io::ErrorKind::InvalidData => String::new(),
        text => text?,
    };
    SavedRun::parse(&text).map_err(|error| Failure::Saved { path: path.to_owned(), error: Box::new(error) })
}

/// The time, as result files have it: `2026-01-31T12:00:00Z`.
pub(crate) fn now() -> String {
    let now = OffsetDateTime::now_utc();
    let whole = now.replace_nanosecond(0).unwrap_or(now);
    whole.format(&Rfc3339).unwrap_or_default()
}
