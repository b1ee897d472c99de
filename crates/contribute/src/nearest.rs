//! "Did you mean": the name that a mistyped one most resembles.

/// The candidate closest to `name`, if it is close enough to be a slip: at most a third of the letters differ
/// (Levenshtein's distance; upper and lower case count as the same).
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted: Vec<char> = name.to_lowercase().chars().collect();
    let allowed = wanted.len().div_ceil(3);
    let distances = candidates.into_iter().map(|candidate| {
        let letters: Vec<char> = candidate.to_lowercase().chars().collect();
        // Of two that are equally close, the one that begins alike: people rarely slip on the first letter.
        ((distance(&wanted, &letters), letters.first() != wanted.first()), candidate)
    });
    let close = distances.filter(|((distance, _), _)| *distance <= allowed);
    close.min_by_key(|(order, _)| *order).map(|(_, candidate)| candidate)
}

/// Insertions, deletions and replacements that make one text of the other. Names are short; longer ones are cut.
fn distance(a: &[char], b: &[char]) -> usize {
    const LENGTH_MAX: usize = 64;
    let (a, b) = (&a[..a.len().min(LENGTH_MAX)], &b[..b.len().min(LENGTH_MAX)]);
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_found_and_strangers_are_not() {
        let names = ["salary", "gender", "yrs.service"];
        assert_eq!(nearest("Salery", names), Some("salary"));
        assert_eq!(nearest("SALARY", names), Some("salary"));
        assert_eq!(nearest("yrs_service", names), Some("yrs.service"));
        assert_eq!(nearest("wage", ["age", "wages"]), Some("wages"));
        assert_eq!(nearest("height", names), None);
        assert_eq!(nearest("", names), None);
    }
}
