//! Lies: what a lying helper does to what it says.
//!
//! A lying helper runs the real coordinator; its words are changed on the way out, or the coordinator is shown other
//! records than there are, or there are two of it with one key (after Bano et al., "Twins: BFT systems made robust",
//! OPODIS 2021), each of which talks to some of the others. What TLS would catch between honest helpers (altered
//! frames) is therefore a lie, too.

use quorate_federation::SecretKey;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use crate::analyst::opener;
use quorate_hash::{Digest, Tagged};
use quorate_wire::{Blob, Elements, RunReply, SealedReply, decode, encode, limits};
use serde::{Deserialize, Serialize};

use crate::chance::Chance;

/// A way to lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lie {
    /// Bits of frames flip, some of the time.
    Flips,
    /// Wrong result shares, correctly signed.
    Results,
    /// Wrong shares when shares are opened to the other helpers, the same to all of them.
    Openings,
    /// Wrong shares when shares are opened, to one other helper only.
    Equivocates,
    /// Contributions that it has are not reported.
    Omits,
    /// It is two.
    Twin,
}

impl Lie {
    /// All of them.
    pub(crate) const ALL: [Lie; 6] =
        [Lie::Flips, Lie::Results, Lie::Openings, Lie::Equivocates, Lie::Omits, Lie::Twin];
}

/// A frame between helpers, as the coordinator encodes it: the simulator listens on the wire.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Frame {
    /// The version of the messages.
    pub(crate) version: u16,
    /// The attempt.
    pub(crate) scope: Digest,
    /// The sender's life.
    pub(crate) boot: [u8; 16],
    /// The receiver's life.
    pub(crate) to: [u8; 16],
    /// The exchange of the attempt.
    pub(crate) lane: u16,
    /// The round; the largest number is an abort.
    pub(crate) round: u32,
    /// The message.
    pub(crate) body: Blob,
}

/// The round in which the coin is opened; those after it open the check of contributions.
pub(crate) const OPENING_ROUND: u32 = 4;

/// The round number of a word about lives; larger ones are aborts.
pub(crate) const HELLO_ROUND: u32 = u32::MAX - 1;

/// Reads a frame.
pub(crate) fn read_frame(bytes: &[u8]) -> Option<Frame> {
    decode(bytes, limits::MESSAGE_MAX).ok()
}

/// Changes a frame as this lie does; `element` is the size of the study's field elements.
pub(crate) fn alter_frame(lie: Lie, to: u8, frame: Vec<u8>, element: usize, chance: &mut Chance) -> Vec<u8> {
    match lie {
        Lie::Flips if chance.hit(150) => {
            let mut frame = frame;
            let at = chance.index(frame.len());
            frame[at] ^= 1 << chance.index(8);
            frame
        }
        Lie::Openings => alter_opening(frame, 0, element),
        // A lower number than the other, or the reverse: whoever it is, the others hear another word.
        Lie::Equivocates => {
            let victim = read_frame(&frame).map_or(0, |frame| frame.scope.0[0] % 7 + 1);
            if victim == to { alter_opening(frame, to, element) } else { frame }
        }
        _ => frame,
    }
}

/// Flips the lowest bit of one element, the same one however often the frame is repeated.
fn alter_opening(bytes: Vec<u8>, salt: u8, element: usize) -> Vec<u8> {
    let Some(mut frame) = read_frame(&bytes) else { return bytes };
    if !(OPENING_ROUND..HELLO_ROUND).contains(&frame.round) || frame.lane != 0 {
        return bytes;
    }
    let mut body = frame.body.as_slice().to_vec();
    let size = if frame.round == OPENING_ROUND { 16 } else { element };
    // Behind the session (32 bytes) and the length (8 bytes) there are only elements.
    let elements = body.len().saturating_sub(40) / size;
    if elements > 0 {
        let draw = Tagged::new("quorate/1/sim").digest(&frame.scope).u64(salt.into()).finish();
        let at = 40 + (usize::from(draw.0[0]) % elements) * size;
        body[at] ^= 1;
    }
    frame.body = Blob::new(body);
    encode(&frame)
}

/// Replaces one result share by another one and signs it.
pub(crate) fn alter_reply(sealed: &mut SealedReply, request: &Digest, key: &SecretKey) {
    let Ok(mut reply) = sealed.open(&opener(), request) else { return };
    let draw = usize::from(reply.session.0[0]);
    let (count, vectors) = (reply.shares.len(), reply.vectors.len());
    let place = draw % (count + vectors).max(1);
    if let Some(share) = reply.shares.get_mut(place) {
        let flipped = if share.starts_with('7') { "3" } else { "7" };
        share.replace_range(..1, flipped);
    } else if let Some(vector) = reply.vectors.get_mut(place - count) {
        let mut bytes = vector.as_slice().to_vec();
        bytes[0] ^= 1;
        *vector = Elements::new(bytes);
    }
    reply.signature = RunReply::sign(reply.helper, &reply.session, &reply.shares, &reply.vectors, key);
    let mut rng = ChaCha20Rng::from_seed(reply.session.0);
    if let Ok(altered) = SealedReply::close(&reply, &opener().key(), request, &mut rng) {
        *sealed = altered;
    }
}
