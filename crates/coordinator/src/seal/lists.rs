//! The lists that members exchange where their digests differ.

use std::collections::{BTreeMap, VecDeque};

use quorate_wire::Refusal;

use super::agreement::{Item, bucket_of, digest_of};
use super::inbox::malformed;
use super::messages::Opening;

/// Items of one member in one message: 36 bytes each, well under the largest message.
const PAGE_ITEMS: u64 = 100_000;

/// Cuts the differing buckets into pages that fit one message, whoever sends it; `None` if one bucket alone does not.
pub(super) fn pages(differing: &[u32], openings: &BTreeMap<u8, Opening>) -> Option<VecDeque<Vec<u32>>> {
    let mut pages: VecDeque<Vec<u32>> = VecDeque::from([Vec::new()]);
    let mut filled = 0;
    for bucket in differing {
        let size =
            openings.values().map(|opening| opening.sizes[*bucket as usize]).max().map_or(0, u64::from);
        if size > PAGE_ITEMS {
            return None;
        }
        if filled + size > PAGE_ITEMS {
            pages.push_back(Vec::new());
            filled = 0;
        }
        filled += size;
        pages.back_mut()?.push(*bucket);
    }
    Some(pages)
}

/// The items of the buckets in which members differ.
pub(super) fn lists(items: &[Item], differing: &[u32], buckets: u32) -> Vec<(u32, Vec<Item>)> {
    let in_bucket = |bucket: u32| {
        let begin = items.partition_point(|item| bucket_of(&item.id, buckets) < bucket);
        let end = items.partition_point(|item| bucket_of(&item.id, buckets) <= bucket);
        (bucket, items[begin..end].to_vec())
    };
    differing.iter().map(|bucket| in_bucket(*bucket)).collect()
}

/// A member's lists must be of the differing buckets and be what its digests say.
pub(super) fn check_lists(
    member: u8,
    lists: Vec<(u32, Vec<Item>)>,
    differing: &[u32],
    buckets: u32,
    opening: &Opening,
) -> Result<Vec<Item>, Refusal> {
    if !lists.iter().map(|(bucket, _)| bucket).eq(differing) {
        return Err(malformed(member, "list", "other buckets than those that differ"));
    }
    let fits = |(bucket, items): &(u32, Vec<Item>)| digest_of(items) == opening.buckets[*bucket as usize];
    if !lists.iter().all(fits) {
        return Err(malformed(member, "list", "not what its digest says"));
    }
    let in_its_bucket =
        |(bucket, items): &(u32, Vec<Item>)| items.iter().all(|item| bucket_of(&item.id, buckets) == *bucket);
    if !lists.iter().all(in_its_bucket) {
        return Err(malformed(member, "list", "an item in another's bucket"));
    }
    let items: Vec<Item> = lists.into_iter().flat_map(|(_, items)| items).collect();
    if !items.is_sorted_by(|a, b| a.id < b.id) {
        return Err(malformed(member, "list", "not ascending"));
    }
    Ok(items)
}
