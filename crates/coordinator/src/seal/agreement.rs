//! Which contributions are sealed, and by which helpers.
//!
//! Members compare one digest per bucket of ids and exchange lists only where digests differ. From these every
//! member computes the same: the sealing helpers S are the largest set of members with at most `excluded_max` of
//! the union of all contributions left out (ties: keeps most, then lowest numbers); what S has in common is sealed.
//! One lying helper can therefore not shrink the set to a victim and strangers.

use std::collections::BTreeMap;

use quorate_circuit::Proportion;
use quorate_hash::{Digest, Tagged, merkle};
use quorate_wire::{Code, LeftOut, Refusal};
use serde::{Deserialize, Serialize};

/// One contribution, as far as helpers must agree on it: its id and its number of rows. The id commits to every
/// helper's piece, but a contributor may have told two helpers different numbers of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Item {
    pub(crate) id: Digest,
    pub(crate) rows: u32,
}

/// What S agreed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Agreed {
    /// S, ascending.
    pub(crate) members: Vec<u8>,
    /// What they have in common, ascending.
    pub(crate) items: Vec<Item>,
    pub(crate) left_out: LeftOut,
}

/// Above this many members, S is found greedily instead of among all subsets.
const EXACT_MEMBERS_MAX: usize = 16;

/// How many buckets a study's ids are compared in: about 64 contributions each when the study is full.
pub(crate) fn bucket_count(capacity: u64) -> u32 {
    let wanted = (capacity / 64).clamp(1, 1 << 16).next_power_of_two();
    u32::try_from(wanted).unwrap_or(1 << 16)
}

/// The bucket of an id: its leading bits.
pub(crate) fn bucket_of(id: &Digest, buckets: u32) -> u32 {
    let [a, b, c, d, ..] = id.0;
    let leading = u64::from(u32::from_be_bytes([a, b, c, d]));
    u32::try_from((leading * u64::from(buckets)) >> 32).unwrap_or(0)
}

/// One digest per bucket and its number of items; the items are ascending.
pub(crate) fn bucket_digests(items: &[Item], buckets: u32) -> (Vec<Digest>, Vec<u32>) {
    let mut rest = items;
    let digest = |bucket| {
        let end = rest.iter().position(|item| bucket_of(&item.id, buckets) != bucket).unwrap_or(rest.len());
        let (these, others) = rest.split_at(end);
        rest = others;
        (digest_of(these), u32::try_from(end).unwrap_or(u32::MAX))
    };
    (0..buckets).map(digest).unzip()
}

/// The digest of one bucket's items.
pub(crate) fn digest_of(items: &[Item]) -> Digest {
    items
        .iter()
        .fold(Tagged::new("quorate/1/bucket").u64(items.len() as u64), |hash, item| {
            hash.joined(&item.id.0, &item.rows.to_le_bytes())
        })
        .finish()
}

/// The Merkle root over items in ascending order.
pub(crate) fn items_root<'a>(items: impl Iterator<Item = &'a Item>) -> Digest {
    let leaf = |item: &Item| Tagged::new("quorate/1/item").digest(&item.id).u64(item.rows.into()).finish();
    merkle::root(&items.map(leaf).collect::<Vec<_>>())
}

/// Buckets in which not all members have the same digest.
pub(crate) fn differing(buckets: &BTreeMap<u8, &[Digest]>) -> Vec<u32> {
    let Some(first) = buckets.values().next() else { return Vec::new() };
    let differs = |bucket: &usize| buckets.values().any(|digests| digests[*bucket] != first[*bucket]);
    (0..first.len()).filter(differs).filter_map(|bucket| u32::try_from(bucket).ok()).collect()
}

/// Chooses S and its common items.
///
/// `common` are this helper's items of the buckets in which all members agree; `lists` are all members' items of
/// the others; `needed` is the smallest S that may seal.
pub(crate) fn agree(
    common: Vec<Item>,
    lists: &BTreeMap<u8, Vec<Item>>,
    needed: usize,
    excluded_max: &Proportion,
) -> Result<Agreed, Refusal> {
    let members: Vec<u8> = lists.keys().copied().collect();
    let mut holders: BTreeMap<Item, u64> = BTreeMap::new();
    for (place, items) in lists.values().enumerate() {
        for item in items {
            *holders.entry(*item).or_default() |= 1 << place;
        }
    }
    let mut by_holders: BTreeMap<u64, u64> = BTreeMap::new();
    for mask in holders.values() {
        *by_holders.entry(*mask).or_default() += 1;
    }
    let union = common.len() as u64 + holders.len() as u64;
    let lost = Lost::new(members.len(), &by_holders);
    let reported: Vec<(u8, u64)> =
        lists.iter().map(|(member, items)| (*member, common.len() as u64 + items.len() as u64)).collect();
    let Some(set) = choose(members.len(), needed, &lost, |count| excluded_max.allows(count, union)) else {
        return Err(disagreement(&reported, union, excluded_max));
    };
    let mut items = common;
    items.extend(holders.iter().filter(|(_, mask)| *mask & set == set).map(|(item, _)| *item));
    items.sort_unstable();
    let members =
        members.iter().enumerate().filter(|(place, _)| set >> place & 1 == 1).map(|(_, m)| *m).collect();
    Ok(Agreed { members, items, left_out: LeftOut { contributions: lost.by(set), reported } })
}

/// How many of the items that not all members hold a set of places loses.
struct Lost<'a> {
    by_holders: &'a BTreeMap<u64, u64>,
    total: u64,
    /// Items that at least these places hold, for every set of places, where there are few enough.
    kept: Vec<u64>,
}

impl<'a> Lost<'a> {
    /// Superset sums over all sets of places (Yates 1937), so that a choice among all of them stays cheap however
    /// the items are spread.
    fn new(places: usize, by_holders: &'a BTreeMap<u64, u64>) -> Self {
        let mut kept = Vec::new();
        if places <= EXACT_MEMBERS_MAX {
            kept.resize(1 << places, 0);
            for (mask, count) in by_holders {
                kept[usize::try_from(*mask).unwrap_or(0)] += count;
            }
            for place in 0..places {
                for set in (0..kept.len()).filter(|set| (set >> place) & 1 == 0) {
                    kept[set] += kept[set | (1 << place)];
                }
            }
        }
        Lost { by_holders, total: by_holders.values().sum(), kept }
    }

    fn by(&self, set: u64) -> u64 {
        match usize::try_from(set).ok().and_then(|set| self.kept.get(set)) {
            Some(kept) => self.total - kept,
            None => {
                self.by_holders.iter().filter(|(mask, _)| *mask & set != set).map(|(_, count)| count).sum()
            }
        }
    }
}

/// The best set of places as a mask: the largest allowed one, of those the one that loses least, of those the one
/// with the lowest numbers. `None` if no allowed set has `needed` places.
fn choose(places: usize, needed: usize, lost: &Lost<'_>, allowed: impl Fn(u64) -> bool) -> Option<u64> {
    let all = if places == 64 { u64::MAX } else { (1 << places) - 1 };
    if places > EXACT_MEMBERS_MAX {
        // Take away whoever costs most until what is left is allowed.
        let mut set = all;
        while !allowed(lost.by(set)) {
            let without = (0..places).filter(|place| set >> place & 1 == 1).map(|place| set & !(1 << place));
            set = without.min_by_key(|set| (lost.by(*set), std::cmp::Reverse(set.reverse_bits())))?;
        }
        return (set.count_ones() as usize >= needed).then_some(set);
    }
    (1..=all)
        .filter(|set| set.count_ones() as usize >= needed && allowed(lost.by(*set)))
        .max_by_key(|set| (set.count_ones(), std::cmp::Reverse(lost.by(*set)), set.reverse_bits()))
}

fn disagreement(reported: &[(u8, u64)], union: u64, excluded_max: &Proportion) -> Refusal {
    let each: Vec<String> =
        reported.iter().map(|(helper, count)| format!("helper {helper} has {count}")).collect();
    let message = format!(
        "the helpers hold too different sets of contributions: of {union} in all, {}; the study lets at most {excluded_max} \
         of them be left out",
        each.join(", ")
    );
    Refusal::new(Code::Policy, message)
        .hint("let contributors finish their uploads (uploading again is harmless), then seal again")
        .about(reported.iter().map(|(helper, _)| *helper).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(number: u8) -> Item {
        Item { id: Digest([number; 32]), rows: 1 }
    }

    fn lists(of: &[(u8, &[u8])]) -> BTreeMap<u8, Vec<Item>> {
        of.iter().map(|(member, items)| (*member, items.iter().map(|i| item(*i)).collect())).collect()
    }

    fn agreed(
        of: &[(u8, &[u8])],
        needed: usize,
        excluded_max: &str,
    ) -> Result<(Vec<u8>, Vec<u8>, u64), Refusal> {
        let common = (0..10).map(item).collect();
        let agreed = agree(common, &lists(of), needed, &Proportion::parse(excluded_max).unwrap())?;
        let items = agreed.items.iter().map(|item| item.id.0[0]).filter(|id| *id >= 10).collect();
        Ok((agreed.members, items, agreed.left_out.contributions))
    }

    #[test]
    fn all_seal_when_all_have_the_same() {
        let same: [(u8, &[u8]); 3] = [(1, &[10, 11]), (2, &[10, 11]), (3, &[10, 11])];
        assert_eq!(agreed(&same, 3, "0").unwrap(), (vec![1, 2, 3], vec![10, 11], 0));
    }

    #[test]
    fn unfinished_uploads_are_left_out_within_the_limit() {
        let of: [(u8, &[u8]); 3] = [(1, &[10, 11]), (2, &[10]), (3, &[10, 11])];
        assert_eq!(agreed(&of, 3, "0.1").unwrap(), (vec![1, 2, 3], vec![10], 1));
        let refusal = agreed(&of, 3, "0.01").unwrap_err();
        assert_eq!(refusal.code, Code::Policy);
        assert!(refusal.message.contains("helper 2 has 11"), "{refusal}");
    }

    #[test]
    fn a_helper_that_lacks_much_is_left_out_where_the_others_suffice() {
        let of: [(u8, &[u8]); 4] = [(1, &[10, 11]), (2, &[]), (3, &[10, 11]), (4, &[10, 11])];
        assert_eq!(agreed(&of, 3, "0").unwrap(), (vec![1, 3, 4], vec![10, 11], 0));
        assert!(agreed(&of, 4, "0").is_err());
    }

    /// A liar that claims to have only the victim's contribution cannot shrink the set: it is left out itself.
    #[test]
    fn a_liar_cannot_shrink_the_set() {
        let everything: Vec<u8> = (10..200).collect();
        let of: [(u8, &[u8]); 4] = [(1, &everything), (2, &everything), (3, &[10]), (4, &everything)];
        assert_eq!(agreed(&of, 3, "0.05").unwrap().0, [1, 2, 4]);
        let three = &of[..3];
        assert!(agreed(three, 3, "0.05").is_err());
    }

    #[test]
    fn ties_go_to_who_keeps_most_and_then_to_the_lowest_numbers() {
        let of: [(u8, &[u8]); 3] = [(1, &[10]), (2, &[11]), (3, &[12])];
        assert_eq!(agreed(&of, 2, "0.3").unwrap().0, [1, 2, 3], "3 of 13 may be left out");
        assert_eq!(
            agreed(&of, 1, "0").map(|a| a.0).unwrap_err().code,
            Code::Policy,
            "11 and 12 are lost by 1 alone"
        );
    }

    #[test]
    fn different_rows_are_different_items() {
        let mut lists = lists(&[(1, &[10]), (2, &[10])]);
        lists.get_mut(&2).unwrap()[0].rows = 2;
        let agreed = agree(Vec::new(), &lists, 2, &Proportion::parse("1").unwrap()).unwrap();
        assert_eq!((agreed.items.len(), agreed.left_out.contributions), (0, 2));
    }

    #[test]
    fn buckets_partition_the_ids_in_order() {
        for buckets in [1, 2, 64, 65_536] {
            let items: Vec<Item> = (0..=255).map(item).collect();
            let (digests, sizes) = bucket_digests(&items, buckets);
            assert_eq!(digests.len(), buckets as usize);
            for (bucket, digest) in (0..).zip(&digests) {
                let these: Vec<Item> =
                    items.iter().copied().filter(|item| bucket_of(&item.id, buckets) == bucket).collect();
                assert_eq!((digest_of(&these), these.len()), (*digest, sizes[bucket as usize] as usize));
            }
        }
    }

    #[test]
    fn more_members_than_subsets_can_be_tried_for() {
        let everything: Vec<u8> = (10..50).collect();
        let mut lists: BTreeMap<u8, Vec<Item>> =
            (1..=31).map(|member| (member, everything.iter().map(|i| item(*i)).collect())).collect();
        lists.get_mut(&7).unwrap().clear();
        let agreed = agree(Vec::new(), &lists, 21, &Proportion::parse("0.01").unwrap()).unwrap();
        assert_eq!(agreed.members.len(), 30);
        assert!(!agreed.members.contains(&7));
    }
}
