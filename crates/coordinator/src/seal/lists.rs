//! The lists that members exchange where their digests differ.

use quorate_wire::Refusal;

use super::agreement::{Item, bucket_of, digest_of};
use super::inbox::malformed;
use super::messages::Opening;

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
