//! Messages between server and clients, as the codec of `wire` writes them.
//!
//! Lists about clients are in ascending order of their positions, so that one list has one encoding and one meaning.

use quorate_federation::{SecretKey, Signature};
use quorate_hash::{Digest, Tagged};
use serde::{Deserialize, Serialize};

use crate::secret::SHARE_BYTES;
use crate::{Fault, Members, Position, Round};

const KEYS: &str = "quorate/1/masks/keys";
const SURVIVORS: &str = "quorate/1/masks/survivors";

/// A client's keys for one round, signed with its lasting key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedKeys {
    /// Whose.
    pub position: Position,
    /// X25519 key that masks are made from.
    pub mask: Digest,
    /// X25519 key that shares are sealed for.
    pub seal: Digest,
    /// Seed that chooses the client's holders in active rounds; zero in passive ones.
    pub choice: Digest,
    /// The signature, over the round's id as well.
    pub signature: Signature,
}

/// A client's shares for its holders, and what the server can check a recovered secret by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedShares {
    /// [`commitment`] of the self-mask's secret.
    pub commitment: Digest,
    /// One for each holder that is there.
    pub envelopes: Vec<Envelope>,
}

/// Two shares that one client alone can read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// Whom it is for.
    pub holder: Position,
    /// Ciphertext of the share of the self-mask's secret and then of the mask key.
    #[serde(with = "serde_bytes")]
    pub sealed: Vec<u8>,
}

/// What a client is told about one neighbour that has shared its secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// Who.
    pub neighbour: Position,
    /// Its envelope, if the client is one of its holders.
    #[serde(with = "serde_bytes")]
    pub sealed: Option<Vec<u8>>,
}

/// A holder's signature of who has survived.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agreement {
    /// Whose.
    pub position: Position,
    /// The signature of [`Members`] and the round's id.
    pub signature: Signature,
}

/// One share that a client gives the server: of the self-mask's secret if the other has survived, else of its mask key.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Given {
    /// Whose secret it is a share of.
    pub of: Position,
    /// The share.
    #[serde(with = "serde_bytes")]
    pub share: [u8; SHARE_BYTES],
}

/// What a client sends, stage by stage.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum FromClient {
    /// For [`crate::Stage::Keys`].
    Keys(SignedKeys),
    /// For [`crate::Stage::Shares`].
    Shares(SealedShares),
    /// For [`crate::Stage::Inputs`]: the masked vector, little-endian words.
    Input(#[serde(with = "serde_bytes")] Vec<u8>),
    /// For [`crate::Stage::Agreement`].
    Agreement(Signature),
    /// For [`crate::Stage::Unmasking`].
    Unmasking(Vec<Given>),
}

/// What the server sends at the end of each stage.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum FromServer {
    /// Keys of all the client's neighbours that are there.
    Neighbours(Vec<SignedKeys>),
    /// Which of them have shared their secrets, and their shares.
    Deliveries(Vec<Delivery>),
    /// Whose masked vectors have been added.
    Survivors(Members),
    /// Which of the client's holders have signed the same survivors.
    Agreements(Vec<Agreement>),
}

impl SignedKeys {
    /// Signs the keys of one round.
    pub fn sign(
        round: &Round,
        position: Position,
        mask: Digest,
        seal: Digest,
        choice: Digest,
        identity: &SecretKey,
    ) -> Self {
        let signature = identity.sign(KEYS, &statement(round, position, &mask, &seal, &choice));
        SignedKeys { position, mask, seal, choice, signature }
    }

    /// Whether the client that the round has in this place has signed them for this round.
    pub fn verify(&self, round: &Round) -> Result<(), Fault> {
        let key = round.key(self.position).ok_or(Fault::Stranger)?;
        let statement = statement(round, self.position, &self.mask, &self.seal, &self.choice);
        key.verify(KEYS, &statement, &self.signature).map_err(|_| Fault::Signature(self.position))
    }
}

fn statement(round: &Round, position: Position, mask: &Digest, seal: &Digest, choice: &Digest) -> Digest {
    Tagged::new(KEYS)
        .digest(round.id())
        .u64(position.into())
        .digest(mask)
        .digest(seal)
        .digest(choice)
        .finish()
}

impl Agreement {
    /// Signs who has survived a round.
    pub fn sign(round: &Round, survivors: &Members, identity: &SecretKey) -> Signature {
        identity.sign(SURVIVORS, &survivors_of(round, survivors))
    }

    /// Whether this client has signed these survivors of this round.
    pub fn verify(&self, round: &Round, survivors: &Members) -> Result<(), Fault> {
        let key = round.key(self.position).ok_or(Fault::Stranger)?;
        key.verify(SURVIVORS, &survivors_of(round, survivors), &self.signature)
            .map_err(|_| Fault::Signature(self.position))
    }
}

fn survivors_of(round: &Round, survivors: &Members) -> Digest {
    Tagged::new(SURVIVORS).digest(round.id()).bytes(survivors.as_bytes()).finish()
}

/// What the server keeps of the secret of a client's self-mask until it is recovered: hiding, as the secret is random.
pub fn commitment(round: &Round, position: Position, secret: &[u8; 32]) -> Digest {
    Tagged::new("quorate/1/masks/commitment").digest(round.id()).u64(position.into()).bytes(secret).finish()
}

/// Whether a list is in ascending order of positions, none twice.
pub(crate) fn is_ascending<T>(list: &[T], position: impl Fn(&T) -> Position) -> bool {
    list.is_sorted_by(|a, b| position(a) < position(b))
}

impl std::fmt::Debug for Given {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Given(of {})", self.of)
    }
}
