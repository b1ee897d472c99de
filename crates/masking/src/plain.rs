//! Plain mask cancellation: the idea, and what it lacks.
//!
//! Every pair of contributors has a seed in common; of each pair one adds the seed's mask to its vector and the other
//! subtracts it. Each masked vector alone is uniformly random, and in the sum of all of them every mask meets its
//! opposite. But in the sum of all but one, the masks of the missing contributor meet nothing, and it is uniformly random
//! as well: one dropout destroys it. [`crate::client`] and [`crate::server`] are the protocol that survives.
//!
//! T. Ács, C. Castelluccia, "I have a DREAM! (DiffeRentially privatE smArt Metering)", Information Hiding 2011, and
//! K. Kursawe et al., "Privacy-friendly aggregation for the smart-grid", PETS 2011.

use quorate_sharing::Seed;

use crate::mask::Sign;
use crate::{Position, Words};

/// Masks the vector of the contributor at `own`. `seeds`: of every other contributor, the seed in common with it.
pub fn mask(vector: &mut Words, own: Position, seeds: Vec<(Position, Seed)>) {
    let masks: Vec<(Seed, Sign)> =
        seeds.into_iter().map(|(other, seed)| (seed, Sign::of_pair(own, other))).collect();
    vector.mask(&masks);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Encoding, Input, Ring};

    const ENCODING: Encoding =
        Encoding { ring: Ring::Mod32, length: 64, fraction_bits: 0, bound: 1000, weight_max: 0 };

    fn masked(contributors: Position) -> Vec<Words> {
        let seed = |a: Position, b: Position| {
            let mut seed = [0; 32];
            seed[0] = u8::try_from(a.min(b)).unwrap();
            seed[1] = u8::try_from(a.max(b)).unwrap();
            Seed::from_bytes(seed)
        };
        let vectors = (0..contributors).map(|own| {
            let mut vector = ENCODING.encode(Input::Integers(&[i64::from(own); 64]), 1).unwrap();
            let others = (0..contributors).filter(|other| *other != own);
            mask(&mut vector, own, others.map(|other| (other, seed(own, other))).collect());
            vector
        });
        vectors.collect()
    }

    fn sum(vectors: &[Words]) -> Vec<i64> {
        let mut sum = Words::zeros(&ENCODING);
        for vector in vectors {
            assert!(sum.add_bytes(&vector.to_bytes()));
        }
        ENCODING.decode(&sum).0
    }

    #[test]
    fn the_masks_of_all_cancel_and_one_dropout_leaves_noise() {
        let vectors = masked(10);
        assert_eq!(sum(&vectors), [45; 64]);
        let noise = sum(&vectors[..9]);
        assert!(noise.iter().filter(|number| number.unsigned_abs() > 1 << 24).count() > 50, "{noise:?}");
    }
}
