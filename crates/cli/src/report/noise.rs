//! Noise in results, as it is printed for programs.

use quorate_circuit::Uncertainty;
use serde::ser::{SerializeMap, Serializer};

/// How far noise may have taken each result, by name in the order of results.
pub(super) type Noise = [(String, Option<Uncertainty>)];

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
