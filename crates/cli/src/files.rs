//! What commands read from files: federations, circuits, studies, tables.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use quorate_circuit::{Column, Rounding, Study};
use quorate_client::{ClientError, Helpers};
use quorate_contribute::{BadRowsPolicy, Clipping, ContributeError, NpyError, Table, VectorFile};
use quorate_federation::Federation;
use quorate_hash::Digest;
use quorate_plot::{Chart, draw_charts};

use crate::failure::Failure;
use crate::output::{note_clipping, note_rounding};

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

/// Writes each chart that shows something into a directory, under its name, as SVG and as PNG.
pub(crate) fn write_charts(dir: &Path, charts: Vec<(String, Chart)>) -> Result<(), Failure> {
    let failed = |path: &Path, source| Failure::File { doing: "write", path: path.to_owned(), source };
    for (name, chart) in charts.into_iter().filter(|(_, chart)| !chart.series.is_empty()) {
        let picture = draw_charts(&[chart]);
        let png = picture.png().map_err(|error| failed(dir, std::io::Error::other(error)))?;
        for (ending, bytes) in [("svg", picture.svg().into_bytes()), ("png", png)] {
            let path = dir.join(format!("{name}.{ending}"));
            fs::write(&path, bytes).map_err(|source| failed(&path, source))?;
        }
    }
    Ok(())
}

/// The vectors of a NumPy file.
pub(crate) fn vectors(path: &Path) -> Result<VectorFile, Failure> {
    VectorFile::npy(open(path)?).map_err(|error| npy(path, &error))
}

/// A NumPy file that is none, or cannot be read.
pub(crate) fn npy(path: &Path, error: &NpyError) -> Failure {
    Failure::Invalid {
        message: format!("{}: {error}", path.display()),
        hint: Some("write it as numpy.save does, of float32 or float64 numbers".into()),
    }
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

/// Where a contributor's rows are, as arguments.
#[derive(Debug, clap::Args)]
pub(crate) struct RowsArguments {
    /// The table; each row is one contributor's, columns are found by the names in its first line, others are ignored
    #[arg(long, value_name = "FILE", required_unless_present = "vector")]
    csv: Option<PathBuf>,
    /// A column of vectors and its NumPy file: one vector, or one for each row; may be repeated
    #[arg(long, value_name = "NAME=FILE.npy")]
    vector: Vec<String>,
    /// Make elements of vectors that are out of range the nearest value that is declared, and vectors above their norm as
    /// short as it, instead of refusing them
    #[arg(long, requires = "vector")]
    clip: bool,
    /// The column of the table that says who contributes a row: rows with the same there are one contributor's block
    #[arg(long, value_name = "COLUMN", requires = "csv")]
    by: Option<String>,
    /// Refuse values of the table with more decimals than declared instead of rounding them
    #[arg(long)]
    exact: bool,
}

impl RowsArguments {
    /// The table, with what rounding and clipping did said once. `columns` are the study's.
    pub(crate) fn table(&self, columns: &[Column], policy: BadRowsPolicy) -> Result<Table, Failure> {
        let files = self.vector_files()?;
        let has_file = |column: &&Column| files.iter().any(|(name, _)| *name == column.name);
        let own: Vec<Column> = columns.iter().filter(|column| !has_file(column)).cloned().collect();
        let clipping = if self.clip { Clipping::Clip } else { Clipping::Refuse };
        let table = match &self.csv {
            Some(path) => self.csv_table(path, &own, policy)?.with_vectors(columns, files, clipping),
            None => match own.iter().find(|column| !column.is_presence()) {
                Some(column) => return Err(no_table(column)),
                None => Table::of_vectors(columns, files, clipping),
            },
        };
        let table = table.map_err(ClientError::Contribute)?;
        note_clipping(&table.clipped());
        Ok(table)
    }

    /// The file beside which the contributor's secret is kept: the table, or else the first vector's.
    pub(crate) fn first_file(&self) -> PathBuf {
        let vector =
            || self.vector.first().and_then(|given| given.split_once('=')).map(|(_, path)| path.into());
        self.csv.clone().or_else(vector).unwrap_or_default()
    }

    fn csv_table(&self, path: &Path, columns: &[Column], policy: BadRowsPolicy) -> Result<Table, Failure> {
        let rounding = if self.exact { Rounding::Exact } else { Rounding::HalfEven };
        let table = Table::read_by(columns, self.by.as_deref(), open(path)?, rounding, policy)
            .map_err(|error| Failure::Table { path: path.to_owned(), error })?;
        note_rounding(table.rounded());
        Ok(table)
    }

    fn vector_files(&self) -> Result<Vec<(String, VectorFile)>, Failure> {
        let invalid = |message: String, hint: &str| Failure::Invalid { message, hint: Some(hint.to_owned()) };
        let mut files: Vec<(String, VectorFile)> = Vec::with_capacity(self.vector.len());
        for given in &self.vector {
            let (name, path) = given.split_once('=').ok_or_else(|| {
                invalid(
                    format!("--vector {given:?} names no column and file"),
                    "write it as in --vector g=gradient.npy",
                )
            })?;
            if files.iter().any(|(other, _)| other == name) {
                return Err(invalid(
                    format!("--vector names column {name:?} twice"),
                    "give one file for each column",
                ));
            }
            let file = VectorFile::npy(open(Path::new(path))?).map_err(|error| {
                let error = ContributeError::Vectors { column: name.to_owned(), error };
                Failure::Table { path: path.into(), error }
            })?;
            files.push((name.to_owned(), file));
        }
        Ok(files)
    }
}

fn open(path: &Path) -> Result<File, Failure> {
    File::open(path).map_err(|source| Failure::File { doing: "read", path: path.to_owned(), source })
}

/// A column that has no file of vectors, where there is no table.
fn no_table(column: &Column) -> Failure {
    let hint = if column.is_vector() { "--vector NAME=FILE.npy" } else { "--csv FILE" };
    Failure::Invalid {
        message: format!("nothing says what column {:?} is: {}", column.name, column.declaration()),
        hint: Some(format!("give its values with {hint}")),
    }
}
