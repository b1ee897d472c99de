//! Graph: who masks with whom, and who keeps whose shares.
//!
//! Edges are drawn among all clients of the round, before it is known who takes part, so that the server decides
//! nothing by saying who is there. A client's **holders** keep shares of its secrets; it masks with its holders and with
//! those whose holder it is.
//!
//! Passive rounds: positions in the order of `H("quorate/1/masks/ring"; seed, position)` stand on a ring, and holders are
//! those within `k/2` to either side (a Harary graph on random vertices: Bell et al. 2020, section 3.2). Active rounds: every
//! client draws its own holders (section 4 there), by a seed that its signature covers. Where `k = n - 1` all others
//! are holders.

use chacha20::ChaCha20;
use chacha20::cipher::StreamCipher as _;
use quorate_hash::{Digest, Tagged};
use quorate_sharing::keystream;

use crate::{Position, Round, Variant};

/// Clients that an active client may have been chosen by, beyond three times the number that it expects.
const CHOSEN_SLACK: u32 = 40;

/// Everybody's place on the ring of a passive round.
pub struct Ring {
    /// Positions in the ring's order.
    order: Vec<Position>,
    /// Where each position stands in it.
    places: Vec<usize>,
}

impl Ring {
    /// The ring of a seed.
    pub fn new(seed: &Digest, clients: u32) -> Self {
        let mut keyed: Vec<(Digest, Position)> = (0..clients)
            .map(|position| {
                (Tagged::new("quorate/1/masks/ring").digest(seed).u64(position.into()).finish(), position)
            })
            .collect();
        keyed.sort_unstable();
        let order: Vec<Position> = keyed.into_iter().map(|(_, position)| position).collect();
        let mut places = vec![0; order.len()];
        for (place, &position) in order.iter().enumerate() {
            places[position as usize] = place;
        }
        Ring { order, places }
    }

    /// Those within `neighbours / 2` on both sides, in ascending order. `neighbours` is even and less than the ring's length.
    pub fn within(&self, position: Position, neighbours: u32) -> Vec<Position> {
        let (n, half) = (self.order.len(), neighbours as usize / 2);
        let place = self.places[position as usize];
        let mut within: Vec<Position> = (1..=half)
            .flat_map(|step| [self.order[(place + step) % n], self.order[(place + n - step) % n]])
            .collect();
        within.sort_unstable();
        within
    }
}

/// The `count` clients that a seed chooses for `position`, in ascending order: eight-byte little-endian words of the seed's
/// keystream modulo `clients`, those from the last multiple of it skipped, as are the client itself and repetitions.
pub fn chosen(seed: &Digest, position: Position, count: u32, clients: u32) -> Vec<Position> {
    let mut chosen = crate::Members::none(clients);
    let mut stream: ChaCha20 = keystream(seed.as_bytes(), 1);
    let (n, fair) = (u64::from(clients), u64::MAX - u64::MAX % u64::from(clients));
    while chosen.count() < count {
        let mut word = [0; 8];
        stream.write_keystream(&mut word);
        let word = u64::from_le_bytes(word);
        let candidate = Position::try_from(word % n).unwrap_or(Position::MAX);
        if word < fair && candidate != position {
            chosen.insert(candidate);
        }
    }
    chosen.iter().collect()
}

/// Who keeps shares of whose secrets, as far as one party can say.
pub struct Graph {
    ring: Option<Ring>,
    neighbours: u32,
    clients: u32,
}

impl Graph {
    /// The graph of a round.
    pub fn new(round: &Round) -> Self {
        let (neighbours, clients) = (round.terms().neighbours, round.clients());
        let is_complete = neighbours == clients - 1;
        let ring = match round.terms().variant {
            Variant::Passive { seed } if !is_complete => Some(Ring::new(&seed, clients)),
            Variant::Passive { .. } | Variant::Active => None,
        };
        Graph { ring, neighbours, clients }
    }

    /// The holders of a client's shares, in ascending order. `choice` is the client's own seed, which a passive or complete
    /// round does not look at.
    pub fn holders(&self, position: Position, choice: &Digest) -> Vec<Position> {
        if self.neighbours == self.clients - 1 {
            return (0..self.clients).filter(|&other| other != position).collect();
        }
        match &self.ring {
            Some(ring) => ring.within(position, self.neighbours),
            None => chosen(choice, position, self.neighbours, self.clients),
        }
    }

    /// Whether `holder` keeps shares of the client at `of`, whose own seed `choice` is.
    pub fn is_holder(&self, holder: Position, of: Position, choice: &Digest) -> bool {
        let is_complete = self.neighbours == self.clients - 1;
        holder != of && (is_complete || self.holders(of, choice).binary_search(&holder).is_ok())
    }

    /// The most clients whose holder one client can be.
    pub fn in_degree_max(&self) -> u32 {
        match self.ring {
            Some(_) => self.neighbours,
            None => (3 * self.neighbours + CHOSEN_SLACK).min(self.clients - 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_is_regular_and_mutual() {
        let ring = Ring::new(&Digest([5; 32]), 31);
        for position in 0..31 {
            let within = ring.within(position, 6);
            assert_eq!(within.len(), 6);
            assert!(within.iter().is_sorted_by(|a, b| a < b) && !within.contains(&position));
            assert!(within.iter().all(|&other| ring.within(other, 6).contains(&position)));
        }
        assert_ne!(ring.within(3, 6), Ring::new(&Digest([6; 32]), 31).within(3, 6));
    }

    #[test]
    fn a_choice_is_of_distinct_others_and_the_same_for_whoever_recomputes_it() {
        for (count, clients) in [(3, 4), (10, 100), (99, 100), (1, 3)] {
            let chosen = chosen(&Digest([7; 32]), 2, count, clients);
            assert_eq!(chosen.len(), count as usize);
            assert!(chosen.iter().is_sorted_by(|a, b| a < b));
            assert!(!chosen.contains(&2) && chosen.iter().all(|&other| other < clients));
        }
        assert_eq!(chosen(&Digest([7; 32]), 2, 10, 100), chosen(&Digest([7; 32]), 2, 10, 100));
        assert_ne!(chosen(&Digest([7; 32]), 2, 10, 100), chosen(&Digest([8; 32]), 2, 10, 100));
    }

    /// Each of 9 others with probability 1/3: over 3,000 seeds 1,000 times each, with a deviation of 26.
    #[test]
    fn a_choice_favours_nobody() {
        let mut times = [0_u32; 10];
        for seed in 0..3000_u64 {
            let seed = Tagged::new("test").u64(seed).finish();
            chosen(&seed, 4, 3, 10).into_iter().for_each(|other| times[other as usize] += 1);
        }
        assert_eq!(times[4], 0);
        for (other, &times) in times.iter().enumerate().filter(|(other, _)| *other != 4) {
            assert!(times.abs_diff(1000) < 130, "{other} was chosen {times} times");
        }
    }
}
