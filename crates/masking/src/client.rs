//! A client of one round, stage by stage: [`Joined`], [`Sharing`], [`Masked`], [`Agreed`].
//!
//! Each stage is given the server's message, checks it, and is consumed by it. What is checked: every key is signed, for this
//! very round and model, by the client that the round has in that place; every neighbour is one by its own choice or by
//! the client's; enough holders are there; whoever is said to have survived had shared its secrets before; in an active round
//! enough of the client's own holders have signed the same survivors. The server's message about survivors is one set, so
//! nobody can be in it and not, and shares are given once: of the self-mask's secret for whoever is in, of the mask key
//! for whoever is not.
//!
//! A client that meets a fault is out of the round, and its secrets are wiped.

use std::sync::Arc;

use quorate_federation::{SecretKey, Signature};
use quorate_hash::Digest;
use rand_core::CryptoRng;
use rayon::prelude::*;
use zeroize::Zeroizing;

use crate::graph::Graph;
use crate::keys::{Envelopes, RoundKey, fresh, self_seed};
use crate::mask::Sign;
use crate::message::{
    Agreement, Delivery, Envelope, Given, SealedShares, SignedKeys, commitment, is_ascending,
};
use crate::secret::{SHARE_BYTES, Share, share};
use crate::{Fault, Input, Members, Position, Round, Stage, Variant};

/// Who the client is.
struct Party {
    round: Arc<Round>,
    own: Position,
    identity: Arc<SecretKey>,
}

/// A client whose keys are sent.
pub struct Joined {
    party: Party,
    mask: RoundKey,
    seal: RoundKey,
    choice: Digest,
}

/// A client whose shares are sent.
pub struct Sharing {
    party: Party,
    mask: RoundKey,
    secret: Zeroizing<[u8; 32]>,
    neighbours: Vec<Neighbour>,
    /// Holders that the graph gives the client, there or not.
    holders: Vec<Position>,
}

/// Somebody the client masks with.
struct Neighbour {
    keys: SignedKeys,
    envelopes: Envelopes,
    /// It keeps shares of the client's secrets.
    is_holder: bool,
    /// The client keeps shares of its secrets.
    is_kept: bool,
}

/// A client whose masked vector is sent.
pub struct Masked {
    party: Party,
    neighbours: Vec<Known>,
    /// Neighbours of whom no shares were delivered: they cannot have survived.
    silent: Vec<Position>,
}

/// A neighbour that has shared its secrets.
struct Known {
    position: Position,
    is_holder: bool,
    shares: Option<Shares>,
}

/// Shares of a neighbour's two secrets. Either is given, never both.
struct Shares {
    self_mask: Share,
    mask_key: Share,
}

/// What a client has to say to who has survived.
pub enum Survived {
    /// Passive rounds: its shares.
    Unmasking(Vec<Given>),
    /// Active rounds: its signature first.
    Agreement(Agreed, Signature),
}

/// A client that has signed who has survived.
pub struct Agreed {
    masked: Masked,
    survivors: Members,
}

impl Joined {
    /// Takes part in a round with a lasting key, which must be one of the round's.
    ///
    /// Whether the round is strong enough, and its clients those that one knows, is for the caller to judge before:
    /// [`crate::Strength`].
    pub fn new(
        round: Arc<Round>,
        identity: Arc<SecretKey>,
        rng: &mut impl CryptoRng,
    ) -> Result<(Self, SignedKeys), Fault> {
        let own = round.position(&identity.public()).ok_or(Fault::Stranger)?;
        let (mask, seal) = (RoundKey::generate(rng), RoundKey::generate(rng));
        let choice = match round.terms().variant {
            Variant::Active => Digest(*fresh(rng)),
            Variant::Passive { .. } => Digest::default(),
        };
        let keys = SignedKeys::sign(&round, own, mask.public(), seal.public(), choice, &identity);
        Ok((Joined { party: Party { round, own, identity }, mask, seal, choice }, keys))
    }

    /// Shares the client's secrets among its holders. `keys`: what the server says of all its neighbours.
    pub fn share(
        self,
        keys: Vec<SignedKeys>,
        rng: &mut impl CryptoRng,
    ) -> Result<(Sharing, SealedShares), Fault> {
        let Joined { party, mask, seal, choice } = self;
        let (round, own) = (Arc::clone(&party.round), party.own);
        let graph = Graph::new(&round);
        if !is_ascending(&keys, |keys| keys.position) || keys.iter().any(|keys| keys.position == own) {
            return Err(party.server(Stage::Keys, "they are not of distinct others in ascending order"));
        }
        let holders = graph.holders(own, &choice);
        let neighbours = keys
            .into_par_iter()
            .map(|keys| {
                keys.verify(&round)?;
                let is_holder = holders.binary_search(&keys.position).is_ok();
                let is_kept = graph.is_holder(own, keys.position, &keys.choice);
                if !is_holder && !is_kept {
                    return Err(party.server(Stage::Keys, "they are of a client that is no neighbour"));
                }
                let envelopes = seal.envelopes(round.id(), own, keys.position, &keys.seal)?;
                Ok(Neighbour { keys, envelopes, is_holder, is_kept })
            })
            .collect::<Result<Vec<_>, Fault>>()?;
        let kept = neighbours.iter().filter(|neighbour| neighbour.is_kept).count();
        if kept > graph.in_degree_max() as usize {
            return Err(
                party.server(Stage::Keys, "more clients have chosen this one than chance would have it")
            );
        }
        let present: Vec<&Neighbour> = neighbours.iter().filter(|neighbour| neighbour.is_holder).collect();
        party.needs_company(Stage::Keys, present.len())?;

        let secret = fresh(rng);
        let positions: Vec<Position> = present.iter().map(|holder| holder.keys.position).collect();
        let threshold = round.terms().threshold;
        let self_mask = share(&secret, threshold, &positions, rng);
        let mask_key = share(&mask.secret(), threshold, &positions, rng);
        let envelopes = present.iter().zip(self_mask.iter().zip(&mask_key)).map(|(holder, (one, other))| {
            let content = Zeroizing::new([one.as_slice(), other.as_slice()].concat());
            Envelope { holder: holder.keys.position, sealed: holder.envelopes.close(&content) }
        });
        let shares =
            SealedShares { commitment: commitment(&round, own, &secret), envelopes: envelopes.collect() };
        Ok((Sharing { party, mask, secret, neighbours, holders }, shares))
    }
}

impl Sharing {
    /// Masks the client's vector. `deliveries`: which of the neighbours have shared their secrets, and their shares. `weight`
    /// is 1 where the round has none.
    pub fn mask(
        self,
        deliveries: &[Delivery],
        input: Input<'_>,
        weight: u32,
    ) -> Result<(Masked, Vec<u8>), Fault> {
        let Sharing { party, mask, secret, neighbours, holders } = self;
        let (round, own) = (Arc::clone(&party.round), party.own);
        let mut words = round.terms().encoding.encode(input, weight)?;
        if !is_ascending(deliveries, |delivery| delivery.neighbour) {
            return Err(party.server(Stage::Shares, "they are not of distinct clients in ascending order"));
        }
        let known = deliveries.iter().map(|delivery| {
            let place = neighbours.binary_search_by_key(&delivery.neighbour, |known| known.keys.position);
            let neighbour = place.map(|place| &neighbours[place]);
            neighbour
                .map_err(|_| party.server(Stage::Shares, "they are of a client whose keys were not shown"))
        });
        let known = known.collect::<Result<Vec<_>, Fault>>()?;
        party.needs_company(Stage::Shares, known.iter().filter(|neighbour| neighbour.is_holder).count())?;
        if known.iter().zip(deliveries).any(|(known, delivery)| known.is_kept != delivery.sealed.is_some()) {
            return Err(party.server(Stage::Shares, "an envelope is missing, or is for somebody else"));
        }

        // y_i = x_i + PRG(b_i) + sum_{i<j} PRG(s_ij) - sum_{j<i} PRG(s_ij)
        let pairs = known.par_iter().map(|neighbour| {
            let (other, public) = (neighbour.keys.position, &neighbour.keys.mask);
            Ok((mask.pair_seed(round.id(), own, other, public)?, Sign::of_pair(own, other)))
        });
        let mut masks = pairs.collect::<Result<Vec<_>, Fault>>()?;
        masks.push((self_seed(&secret, round.id(), own), Sign::Plus));
        words.mask(&masks);

        let is_silent = |position: &Position| {
            deliveries.binary_search_by_key(position, |delivery| delivery.neighbour).is_err()
        };
        let shown = neighbours.iter().map(|neighbour| neighbour.keys.position);
        let silent = shown.chain(holders).filter(is_silent).collect();
        let neighbours = known.iter().zip(deliveries).map(|(neighbour, delivery)| Known {
            position: neighbour.keys.position,
            is_holder: neighbour.is_holder,
            // An envelope that does not open is its sender's affair: its secrets have one holder less.
            shares: delivery
                .sealed
                .as_deref()
                .and_then(|sealed| Shares::read(&neighbour.envelopes.open(sealed)?)),
        });
        Ok((Masked { neighbours: neighbours.collect(), silent, party }, words.to_bytes()))
    }
}

impl Masked {
    /// Answers who has survived: whose masked vectors are in the sum.
    pub fn survive(self, survivors: Members) -> Result<Survived, Fault> {
        let (terms, clients) = (self.party.round.terms(), self.party.round.clients());
        let refuse = |reason| Err(self.party.server(Stage::Inputs, reason));
        if !survivors.is_of(clients) || !survivors.contains(self.party.own) {
            return refuse("its survivors are no set of clients with this one in it");
        }
        if survivors.count() < terms.survivors_min {
            return refuse("it asks for the sum of fewer clients than the round allows");
        }
        if self.silent.iter().any(|&neighbour| survivors.contains(neighbour)) {
            return refuse("a neighbour is said to have survived that had shared nothing");
        }
        let alive =
            self.neighbours.iter().filter(|known| known.is_holder && survivors.contains(known.position));
        self.party.needs_company(Stage::Inputs, alive.count())?;
        if let Variant::Passive { .. } = terms.variant {
            return Ok(Survived::Unmasking(self.give(&survivors)));
        }
        let signature = Agreement::sign(&self.party.round, &survivors, &self.party.identity);
        Ok(Survived::Agreement(Agreed { masked: self, survivors }, signature))
    }

    /// One share for each neighbour: of the self-mask's secret or of the mask key.
    fn give(self, survivors: &Members) -> Vec<Given> {
        let kept = self.neighbours.into_iter().filter_map(|known| Some((known.position, known.shares?)));
        kept.map(|(of, shares)| {
            let share = if survivors.contains(of) { shares.self_mask } else { shares.mask_key };
            Given { of, share: *share }
        })
        .collect()
    }
}

impl Agreed {
    /// Gives the client's shares, if enough of its own holders have signed the same survivors.
    pub fn unmask(self, agreements: &[Agreement]) -> Result<Vec<Given>, Fault> {
        let Agreed { masked, survivors } = self;
        if !is_ascending(agreements, |agreement| agreement.position) {
            return Err(masked
                .party
                .server(Stage::Agreement, "they are not of distinct clients in ascending order"));
        }
        let is_holder = |agreement: &Agreement| {
            let found = masked.neighbours.binary_search_by_key(&agreement.position, |known| known.position);
            found.is_ok_and(|place| masked.neighbours[place].is_holder)
                && survivors.contains(agreement.position)
        };
        if !agreements.iter().all(is_holder) {
            return Err(masked
                .party
                .server(Stage::Agreement, "they are of somebody who keeps no share of this client"));
        }
        agreements.par_iter().try_for_each(|agreement| agreement.verify(&masked.party.round, &survivors))?;
        masked.party.needs_company(Stage::Agreement, agreements.len())?;
        Ok(masked.give(&survivors))
    }
}

impl Party {
    fn server(&self, stage: Stage, reason: &'static str) -> Fault {
        Fault::Server { stage, reason }
    }

    /// At least as many holders as recover a secret.
    fn needs_company(&self, stage: Stage, found: usize) -> Result<(), Fault> {
        let needed = self.round.terms().threshold;
        let found = u32::try_from(found).unwrap_or(u32::MAX);
        if found < needed { Err(Fault::Lonely { stage, found, needed }) } else { Ok(()) }
    }
}

impl Shares {
    fn read(content: &[u8]) -> Option<Self> {
        let (shares, rest) = content.as_chunks::<SHARE_BYTES>();
        match shares {
            [self_mask, mask_key] if rest.is_empty() => {
                Some(Shares { self_mask: Share::new(*self_mask), mask_key: Share::new(*mask_key) })
            }
            _ => None,
        }
    }
}
