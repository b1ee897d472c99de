//! Disclosure in the clear: which groups are accepted, on the rows themselves.

use super::direct::Oracle;
use crate::check::form::Form;
use crate::check::groups::Group;

/// Which groups of a circuit are accepted, and how many rows each has.
pub(super) struct Accepted {
    accepted: Vec<bool>,
    sizes: Vec<usize>,
    min_group: usize,
}

impl Accepted {
    /// Cuts the rows into blocks, group after group, as long as no piece is too small.
    pub(super) fn of(oracle: &Oracle<'_>, rows: usize) -> Self {
        let checked = oracle.checked;
        let min_group = usize::try_from(checked.min_group).unwrap_or(usize::MAX);
        let mut blocks: Vec<Vec<usize>> = vec![(0..rows).collect()];
        let (mut accepted, mut sizes) = (Vec::new(), Vec::new());
        for Group { conditions, .. } in &checked.groups.groups {
            let is_in = |row: &usize| {
                conditions.iter().all(|condition| oracle.truth(&condition.truth, *row) == Some(true))
            };
            let pieces: Vec<Vec<usize>> = blocks
                .iter()
                .flat_map(|block| {
                    let (inside, outside) = block.iter().copied().partition(is_in);
                    [inside, outside]
                })
                .collect();
            sizes.push((0..rows).filter(is_in).count());
            let is_good = pieces.iter().all(|piece| piece.is_empty() || piece.len() >= min_group);
            accepted.push(is_good);
            if is_good {
                blocks = pieces;
            }
        }
        Accepted { accepted, sizes, min_group }
    }

    /// Whether a result is shown.
    pub(super) fn shows(&self, oracle: &Oracle<'_>, form: &Form) -> bool {
        let checked = oracle.checked;
        let uses = checked.groups.uses(form, &checked.atoms, &checked.columns);
        uses.all().all(|group| self.accepted[group])
            && uses.named.iter().all(|group| self.sizes[*group] >= self.min_group)
    }
}
