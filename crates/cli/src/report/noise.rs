//! Noise in results: what it says of their parts, and how it is printed for programs.

use quorate_circuit::Uncertainty;
use serde::ser::{SerializeMap, Serializer};

/// How far noise may have taken each result, by name in the order of results.
pub(super) type Noise = [(String, Option<Uncertainty>)];

/// What noise says of one group of a table, or of one coefficient of a model.
pub(super) fn part(noise: Option<&Uncertainty>, index: usize) -> Option<&Uncertainty> {
    match noise {
        Some(Uncertainty::Parts(parts)) => parts.get(index)?.1.as_ref(),
        _ => None,
    }
}

/// Half the width of the 95% interval of a number's noise.
pub(super) fn margin(noise: Option<&Uncertainty>) -> Option<f64> {
    match noise {
        Some(Uncertainty::Number(margin)) => Some((margin.high - margin.low) / 2.0),
        _ => None,
    }
}

/// Whether no result has noise.
pub(super) fn is_none(noise: &Noise) -> bool {
    noise.iter().all(|(_, noise)| noise.is_none())
}

/// An object of those results that have noise.
pub(super) fn serialize<S: Serializer>(noise: &Noise, serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(None)?;
    let with_noise = noise.iter().filter_map(|(name, noise)| Some((name, noise.as_ref()?)));
    with_noise.into_iter().try_for_each(|(name, noise)| map.serialize_entry(name, noise))?;
    map.end()
}
