//! What commands read from files: federations, circuits, studies, tables.

use std::fs::{self, File};
use std::path::Path;

use quorate_circuit::{Column, Rounding, Study};
use quorate_client::Helpers;
use quorate_contribute::{BadRowsPolicy, Table};
use quorate_federation::Federation;
use quorate_hash::Digest;

use crate::failure::Failure;
use crate::output::note_rounding;

/// A text file.
pub(crate) fn text(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|source| Failure::File { doing: "read", path: path.to_owned(), source })
}

/// Makes a directory, unless it is there.
pub(crate) fn make_dir(path: &Path) -> Result<(), Failure> {
    let failed = |source| Failure::File { doing: "make the directory", path: path.to_owned(), source };
    std::fs::create_dir_all(path).map_err(failed)
}

/// Writes a new text file; never overwrites one.
pub(crate) fn write_new(path: &Path, text: &str) -> Result<(), Failure> {
    use std::io::Write;
    let write = || File::create_new(path)?.write_all(text.as_bytes());
    write().map_err(|source| Failure::File { doing: "write", path: path.to_owned(), source })
}

/// Connections to the helpers of the federation in this file.
pub(crate) fn helpers(path: &Path) -> Result<Helpers, Failure> {
    Ok(Helpers::new(federation(path)?)?)
}

/// A federation file.
pub(crate) fn federation(path: &Path) -> Result<Federation, Failure> {
    Federation::parse(&text(path)?).map_err(|error| Failure::Federation { path: path.to_owned(), error })
}

/// A study, given as the file of its document or as its id, which any helper can resolve.
pub(crate) async fn study(given: &str, helpers: &Helpers) -> Result<(String, Study), Failure> {
    match given.parse::<Digest>() {
        Ok(id) => Ok(helpers.study(&id).await?),
        Err(_) => study_file(Path::new(given)),
    }
}

/// A study's document and its meaning.
pub(crate) fn study_file(path: &Path) -> Result<(String, Study), Failure> {
    let text = text(path)?;
    let study = Study::parse(&text)?;
    Ok((text, study))
}

/// A table, with what rounding did said once. `by` names the column that says who contributes a row.
pub(crate) fn table(
    path: &Path,
    columns: &[Column],
    by: Option<&str>,
    rounding: Rounding,
    policy: BadRowsPolicy,
) -> Result<Table, Failure> {
    let file =
        File::open(path).map_err(|source| Failure::File { doing: "read", path: path.to_owned(), source })?;
    let table = Table::read_by(columns, by, file, rounding, policy)
        .map_err(|error| Failure::Table { path: path.to_owned(), error })?;
    note_rounding(table.rounded());
    Ok(table)
}
