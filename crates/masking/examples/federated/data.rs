//! Data: rows with a label, made up or from a CSV file, and dealt to the clients.

use std::f64::consts::TAU;
use std::path::Path;

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

use crate::Failure;

/// Features of made-up rows, beside the intercept.
const FEATURES: usize = 10;
/// Made-up rows of each client.
const ROWS: usize = 200;

/// A row.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// 1 for the intercept, then the features.
    pub(crate) features: Vec<f64>,
    /// 0 or 1.
    pub(crate) label: f64,
}

/// The rows of one client, at least one.
pub(crate) type Batch = Vec<Row>;

/// Rows whose labels follow a logistic model that the seed draws.
pub(crate) fn generated(clients: usize, seed: u64) -> Vec<Row> {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    let truth: Vec<f64> = (0..=FEATURES).map(|_| 2.0 * uniform(&mut rng) - 1.0).collect();
    let row = |_| {
        let features: Vec<f64> =
            std::iter::once(1.0).chain((0..FEATURES).map(|_| normal(&mut rng))).collect();
        let score: f64 = features.iter().zip(&truth).map(|(feature, weight)| feature * weight).sum();
        let is_one = uniform(&mut rng) < 1.0 / (1.0 + (-score).exp());
        Row { features, label: f64::from(u8::from(is_one)) }
    };
    (0..clients * ROWS).map(row).collect()
}

/// The rows of a CSV file: a label of 0 and 1 (or no and yes), and features that are numbers or the like. Without names,
/// every column but the label is a feature.
pub(crate) fn read(path: &Path, label: &str, names: &[String]) -> Result<Vec<Row>, Failure> {
    let file = path.display();
    let mut reader = csv::Reader::from_path(path).map_err(|error| format!("{file}: {error}"))?;
    let header: Vec<String> = reader.headers()?.iter().map(str::to_owned).collect();
    let place = |name: &str| {
        header
            .iter()
            .position(|column| column == name)
            .ok_or_else(|| format!("{file} has no column {name:?}: its columns are {}", header.join(", ")))
    };
    let label = place(label)?;
    let features: Vec<usize> = match names {
        [] => (0..header.len()).filter(|column| *column != label).collect(),
        names => names.iter().map(|name| place(name)).collect::<Result<_, _>>()?,
    };
    let mut rows = Vec::new();
    for (line, record) in (2..).zip(reader.records()) {
        let record = record.map_err(|error| format!("{file}: {error}"))?;
        let cell = |column: usize| {
            let (name, text) = (&header[column], record[column].trim());
            number(text).ok_or_else(|| {
                format!("{file}, line {line}: {name} is {text:?}, no number: choose columns with --features")
            })
        };
        let features = std::iter::once(Ok(1.0)).chain(features.iter().map(|column| cell(*column)));
        let row = Row { features: features.collect::<Result<_, _>>()?, label: cell(label)? };
        if row.label != 0.0 && row.label != 1.0 {
            return Err(
                format!("{file}, line {line}: a label of {}: choose one of 0 and 1", row.label).into()
            );
        }
        rows.push(row);
    }
    Ok(rows)
}

fn number(text: &str) -> Option<f64> {
    match text.to_ascii_lowercase().as_str() {
        "yes" | "true" => Some(1.0),
        "no" | "false" => Some(0.0),
        text => text.parse().ok().filter(|number: &f64| number.is_finite()),
    }
}

/// Features with mean 0 and variance 1, but for the intercept. Over all rows at once, as only an example can: clients would first
/// sum their counts, sums and squares, by a round of their own.
pub(crate) fn standardise(rows: &mut [Row]) -> Result<(), Failure> {
    let features = rows.first().map_or(0, |row| row.features.len());
    let count = rows.len() as f64;
    for place in 1..features {
        let mean = rows.iter().map(|row| row.features[place]).sum::<f64>() / count;
        let variance = rows.iter().map(|row| (row.features[place] - mean).powi(2)).sum::<f64>() / count;
        if variance <= 0.0 {
            return Err(
                format!("feature {place} is the same in every row: choose others with --features").into()
            );
        }
        for row in rows.iter_mut() {
            row.features[place] = (row.features[place] - mean) / variance.sqrt();
        }
    }
    Ok(())
}

/// Deals rows to clients, in an order that the seed draws.
pub(crate) fn deal(mut rows: Vec<Row>, clients: usize, seed: u64) -> Result<Vec<Batch>, Failure> {
    if rows.len() < clients {
        return Err(format!("{} rows for {clients} clients: choose fewer with --clients", rows.len()).into());
    }
    shuffle(&mut rows, &mut ChaCha20Rng::seed_from_u64(seed));
    let mut batches = vec![Batch::new(); clients];
    rows.into_iter().enumerate().for_each(|(place, row)| batches[place % clients].push(row));
    Ok(batches)
}

/// Fisher and Yates's, without regard to a bias of 2^-50.
pub(crate) fn shuffle<T>(items: &mut [T], rng: &mut ChaCha20Rng) {
    for last in (1..items.len()).rev() {
        #[expect(clippy::cast_possible_truncation, reason = "at most `last`")]
        let chosen = (rng.next_u64() % (last as u64 + 1)) as usize;
        items.swap(last, chosen);
    }
}

/// From 0 to below 1.
fn uniform(rng: &mut ChaCha20Rng) -> f64 {
    (rng.next_u64() >> 11) as f64 / 2_f64.powi(53)
}

/// Box and Muller's.
fn normal(rng: &mut ChaCha20Rng) -> f64 {
    let radius = (-2.0 * (1.0 - uniform(rng)).ln()).sqrt();
    radius * (TAU * uniform(rng)).cos()
}
