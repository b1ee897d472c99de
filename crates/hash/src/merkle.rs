//! Merkle trees over digests, as in RFC 6962 section 2.1 (Laurie, Langley, Kasper, "Certificate Transparency",
//! 2013): a leaf is hashed under another prefix than an inner node, and a tree of `n` leaves is split at the
//! largest power of two below `n`. A proof is about log2(n) digests.

use sha2::{Digest as _, Sha256};

use crate::Digest;

/// The root of the tree over `leaves`, in order. The root of no leaves is SHA-256 of nothing.
pub fn root(leaves: &[Digest]) -> Digest {
    match leaves {
        [] => Digest(Sha256::digest([]).into()),
        [leaf] => hash_leaf(leaf),
        _ => {
            let (left, right) = leaves.split_at(split_point(leaves.len()));
            hash_node(&root(left), &root(right))
        }
    }
}

/// The sibling digests on the way from each leaf up to the root, lowest first, and the root. Every node is hashed once.
pub fn paths(leaves: &[Digest]) -> (Vec<Vec<Digest>>, Digest) {
    let mut paths = vec![Vec::new(); leaves.len()];
    let root = fill(leaves, &mut paths);
    (paths, root)
}

/// Appends to the path of each leaf its siblings within this tree; the tree's root.
fn fill(leaves: &[Digest], paths: &mut [Vec<Digest>]) -> Digest {
    if leaves.len() < 2 {
        return root(leaves);
    }
    let middle = split_point(leaves.len());
    let (left, right) = leaves.split_at(middle);
    let (left_paths, right_paths) = paths.split_at_mut(middle);
    let (left, right) = (fill(left, left_paths), fill(right, right_paths));
    left_paths.iter_mut().for_each(|path| path.push(right));
    right_paths.iter_mut().for_each(|path| path.push(left));
    hash_node(&left, &right)
}

/// The root that `leaf` at `index` in a tree of `count` leaves has with the siblings `path`; `None` if the path's
/// length does not fit the position.
pub fn root_from_path(leaf: &Digest, index: u64, count: u64, path: &[Digest]) -> Option<Digest> {
    if index >= count {
        return None;
    }
    // Walk down first to learn on which side each sibling stands, then hash upwards.
    let (mut sides, mut index, mut count) = (Vec::new(), index, count);
    while count > 1 {
        let left = 1_u64 << (u64::BITS - 1 - (count - 1).leading_zeros());
        let is_right = index >= left;
        (index, count) = if is_right { (index - left, count - left) } else { (index, left) };
        sides.push(is_right);
    }
    if sides.len() != path.len() {
        return None;
    }
    Some(sides.iter().rev().zip(path).fold(hash_leaf(leaf), |node, (is_right, sibling)| {
        if *is_right { hash_node(sibling, &node) } else { hash_node(&node, sibling) }
    }))
}

/// The largest power of two below `count`, for `count >= 2`.
fn split_point(count: usize) -> usize {
    1 << (usize::BITS - 1 - (count - 1).leading_zeros())
}

fn hash_leaf(leaf: &Digest) -> Digest {
    Digest(Sha256::new().chain_update([0]).chain_update(leaf.0).finalize().into())
}

fn hash_node(left: &Digest, right: &Digest) -> Digest {
    Digest(Sha256::new().chain_update([1]).chain_update(left.0).chain_update(right.0).finalize().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaves(count: u8) -> Vec<Digest> {
        (0..count).map(|i| Digest([i; 32])).collect()
    }

    #[test]
    fn every_leaf_of_every_small_tree_has_a_path_to_the_root_and_nothing_else_does() {
        for count in 1..=33 {
            let leaves = leaves(count);
            let root = root(&leaves);
            let (paths, same_root) = paths(&leaves);
            assert_eq!((paths.len(), same_root), (leaves.len(), root));
            for ((index, leaf), path) in leaves.iter().enumerate().zip(paths) {
                let (index, count) = (index as u64, u64::from(count));
                assert_eq!(root_from_path(leaf, index, count, &path), Some(root));
                assert_ne!(root_from_path(&Digest([99; 32]), index, count, &path), Some(root));
                assert_eq!(root_from_path(leaf, count, count, &path), None);
                if let Some((_, shorter)) = path.split_last() {
                    assert_eq!(root_from_path(leaf, index, count, shorter), None);
                }
            }
        }
    }

    #[test]
    fn order_and_number_of_leaves_matter() {
        let mut swapped = leaves(5);
        swapped.swap(1, 2);
        assert_ne!(root(&leaves(5)), root(&swapped));
        assert_ne!(root(&leaves(5)), root(&leaves(6)));
        assert_eq!(paths(&[]), (vec![], root(&[])));
    }
}
