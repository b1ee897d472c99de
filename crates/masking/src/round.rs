//! Round: what server and clients must mean the same by, in one document.

use quorate_federation::PublicKey;
use quorate_hash::{Digest, Tagged};
use quorate_wire::{CodecError, decode, encode};
use serde::{Deserialize, Serialize};

use crate::{Encoding, EncodingFault};

/// A client's place in its round's list, from 0.
pub type Position = u32;

/// Clients of one round.
pub const CLIENTS_MAX: usize = 16_384;

/// Words of one vector.
pub const LENGTH_MAX: u32 = 1 << 20;

/// The largest document of a round: its clients' keys, and little else.
const DOCUMENT_MAX: usize = 64 * CLIENTS_MAX;

/// What a round is. The document's hash is in every signature, every key and every mask.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// The round's number in its training; the same terms with another number are another round.
    pub number: u64,
    /// The server's key: where clients connect to.
    pub server: PublicKey,
    /// The clients' keys; their order is their positions.
    pub clients: Vec<PublicKey>,
    /// What the server is trusted with.
    pub variant: Variant,
    /// Clients that keep shares of each client's secrets: `k` of the papers. In a passive round an even number or all
    /// others.
    pub neighbours: u32,
    /// How many of those recover a secret: `t` of the papers, one more than the degree of the sharing.
    pub threshold: u32,
    /// With fewer inputs than this the round ends without a sum.
    pub survivors_min: u32,
    /// What the vectors are.
    pub encoding: Encoding,
    /// The hash of the model and of whatever else clients compute their vectors from. Clients who were shown different
    /// ones have different rounds, whose masks do not cancel.
    pub model: Digest,
}

/// What the server is trusted with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Variant {
    /// It follows the protocol, and looks at whatever it sees. Neighbours are those within `k/2` on a ring in an order that
    /// this seed gives.
    Passive {
        /// Public randomness of the ring.
        seed: Digest,
    },
    /// It may send anything to anybody. Clients choose who keeps their shares, and sign whom they believe to have survived.
    Active,
}

/// A round whose terms have been read and checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Round {
    document: Vec<u8>,
    id: Digest,
    terms: Terms,
}

/// A round that cannot be: the server's fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RoundFault {
    /// The bytes are no round.
    #[error("the round's document cannot be read: {0}")]
    Document(#[from] CodecError),
    /// Too few or too many.
    #[error("a round has 3 to {CLIENTS_MAX} clients, not {0}")]
    Clients(usize),
    /// The same client twice.
    #[error("client {0} stands in the round twice: its secrets would be shared with itself")]
    Twice(PublicKey),
    /// Not a number of neighbours.
    #[error("{neighbours} neighbours among {clients} clients: choose an even number from 2, or all {} others", clients - 1)]
    Neighbours {
        /// `k`.
        neighbours: u32,
        /// `n`.
        clients: u32,
    },
    /// Not a threshold.
    #[error(
        "a threshold of {threshold} among {neighbours} neighbours: choose more than half of them, and at most all"
    )]
    Threshold {
        /// `t`.
        threshold: u32,
        /// `k`.
        neighbours: u32,
    },
    /// More or fewer than there can be.
    #[error(
        "at least {survivors_min} survivors of {clients} clients: choose more than the threshold of {threshold}, and at most all"
    )]
    Survivors {
        /// The least.
        survivors_min: u32,
        /// `n`.
        clients: u32,
        /// `t`.
        threshold: u32,
    },
    /// Vectors that cannot be added.
    #[error(transparent)]
    Encoding(#[from] EncodingFault),
}

impl Round {
    /// A round with these terms.
    pub fn new(terms: Terms) -> Result<Self, RoundFault> {
        let document = encode(&terms);
        Round::checked(document, terms)
    }

    /// Reads what [`Round::document`] gives, from anybody.
    pub fn read(document: Vec<u8>) -> Result<Self, RoundFault> {
        let terms = decode(&document, DOCUMENT_MAX)?;
        Round::checked(document, terms)
    }

    fn checked(document: Vec<u8>, terms: Terms) -> Result<Self, RoundFault> {
        let clients = u32::try_from(terms.clients.len()).unwrap_or(u32::MAX);
        if terms.clients.len() > CLIENTS_MAX || clients < 3 {
            return Err(RoundFault::Clients(terms.clients.len()));
        }
        let mut keys = terms.clients.clone();
        keys.sort_unstable();
        if let Some(pair) = keys.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(RoundFault::Twice(pair[0]));
        }
        let neighbours = terms.neighbours;
        let is_even_where_it_must = neighbours.is_multiple_of(2) || terms.variant == Variant::Active;
        let is_some = (2..clients).contains(&neighbours) && is_even_where_it_must;
        if !is_some && neighbours != clients - 1 {
            return Err(RoundFault::Neighbours { neighbours, clients });
        }
        let threshold = terms.threshold;
        if !(neighbours / 2 + 1..=neighbours).contains(&threshold) {
            return Err(RoundFault::Threshold { threshold, neighbours });
        }
        let survivors_min = terms.survivors_min;
        if !(threshold + 1..=clients).contains(&survivors_min) {
            return Err(RoundFault::Survivors { survivors_min, clients, threshold });
        }
        terms.encoding.check(clients)?;
        let id = Tagged::new("quorate/1/masks/round").bytes(&document).finish();
        Ok(Round { document, id, terms })
    }

    /// The document's hash, which names the round.
    pub fn id(&self) -> &Digest {
        &self.id
    }

    /// The document, as it travels.
    pub fn document(&self) -> &[u8] {
        &self.document
    }

    /// What it says.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// `n`.
    pub fn clients(&self) -> u32 {
        // `checked` holds it to `CLIENTS_MAX`.
        u32::try_from(self.terms.clients.len()).unwrap_or(u32::MAX)
    }

    /// The key of the client at a position.
    pub fn key(&self, position: Position) -> Option<&PublicKey> {
        self.terms.clients.get(usize::try_from(position).ok()?)
    }

    /// Where the client with this key stands.
    pub fn position(&self, key: &PublicKey) -> Option<Position> {
        let position = self.terms.clients.iter().position(|client| client == key)?;
        u32::try_from(position).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Ring;

    fn terms() -> Terms {
        Terms {
            number: 1,
            server: PublicKey::from_bytes([9; 32]),
            clients: (0..10).map(|client| PublicKey::from_bytes([client; 32])).collect(),
            variant: Variant::Passive { seed: Digest([1; 32]) },
            neighbours: 4,
            threshold: 3,
            survivors_min: 4,
            encoding: Encoding { ring: Ring::Mod32, length: 5, fraction_bits: 8, bound: 1000, weight_max: 0 },
            model: Digest([2; 32]),
        }
    }

    #[test]
    fn a_round_reads_back_and_every_term_is_in_its_id() {
        let round = Round::new(terms()).unwrap();
        assert_eq!(Round::read(round.document().to_vec()).unwrap(), round);
        let changed: [fn(&mut Terms); 6] = [
            |terms| terms.number = 2,
            |terms| terms.model = Digest([3; 32]),
            |terms| terms.clients.swap(0, 1),
            |terms| terms.threshold = 4,
            |terms| terms.variant = Variant::Active,
            |terms| terms.encoding.bound = 999,
        ];
        for change in changed {
            let mut other = terms();
            change(&mut other);
            other.survivors_min = 5;
            assert_ne!(Round::new(other).unwrap().id(), round.id());
        }
    }

    #[test]
    fn rounds_that_cannot_be_are_refused() {
        let refused = |change: fn(&mut Terms)| {
            let mut terms = terms();
            change(&mut terms);
            Round::new(terms).unwrap_err()
        };
        assert_eq!(refused(|terms| terms.clients.truncate(2)), RoundFault::Clients(2));
        assert!(matches!(refused(|terms| terms.clients[3] = terms.clients[7]), RoundFault::Twice(_)));
        assert!(matches!(refused(|terms| terms.neighbours = 5), RoundFault::Neighbours { .. }));
        assert!(matches!(refused(|terms| terms.neighbours = 10), RoundFault::Neighbours { .. }));
        assert!(matches!(refused(|terms| terms.neighbours = 0), RoundFault::Neighbours { .. }));
        assert!(matches!(refused(|terms| terms.threshold = 2), RoundFault::Threshold { .. }));
        assert!(matches!(refused(|terms| terms.threshold = 5), RoundFault::Threshold { .. }));
        assert!(matches!(refused(|terms| terms.survivors_min = 3), RoundFault::Survivors { .. }));
        assert!(matches!(refused(|terms| terms.survivors_min = 11), RoundFault::Survivors { .. }));
        assert!(matches!(refused(|terms| terms.encoding.length = 0), RoundFault::Encoding(_)));
        let round = Round::new(terms()).unwrap();
        assert!(matches!(Round::read(round.document()[..50].to_vec()), Err(RoundFault::Document(_))));
    }
}
