//! Frames: messages between helpers as they go over the wire.

use quorate_hash::Digest;
use quorate_wire::{Blob, Code, Refusal, decode, encode};
use serde::{Deserialize, Serialize};

/// The version of the messages between helpers.
pub(crate) const VERSION: u16 = 4;

/// The round number under which an attempt is aborted; the body is the refusal.
pub(crate) const ABORT: u32 = u32::MAX;

/// The round number under which a helper says which life it lives, because it was spoken to in another one.
pub(crate) const HELLO: u32 = u32::MAX - 1;

/// A message between helpers: the header, then the body.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) header: Header,
    pub(crate) body: Body,
}

/// What stands before a body.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Header {
    pub(crate) version: u16,
    /// The digest of the signed request that the attempt serves.
    pub(crate) scope: Digest,
    /// The sender's life.
    pub(crate) boot: [u8; 16],
    /// The receiver's life, as far as the sender knows. What was said to an earlier one is not heard by a later one.
    pub(crate) to: [u8; 16],
    /// Which of the attempt's exchanges it is of: 0, or one of those that computations go on in side by side.
    pub(crate) lane: u16,
    pub(crate) round: u32,
    /// Bytes of the body.
    pub(crate) length: u64,
}

/// Bytes of an encoded header.
const HEADER_BYTES: usize = 80;

/// The body of a frame that came, left where it is. Wiped when dropped.
#[derive(Debug)]
pub(crate) struct Body {
    frame: Blob,
}

impl Frame {
    /// Reads a frame; `None` if it is none.
    pub(crate) fn read(bytes: Vec<u8>) -> Option<Frame> {
        let frame = Blob::new(bytes);
        let (header, body) = frame.as_slice().split_at_checked(HEADER_BYTES)?;
        let header: Header = decode(header, HEADER_BYTES).ok()?;
        (header.length == body.len() as u64).then_some(Frame { header, body: Body { frame } })
    }

    /// The bytes of a frame.
    pub(crate) fn write(
        scope: Digest,
        (lane, round): (u16, u32),
        body: &[u8],
        boot: [u8; 16],
        to: [u8; 16],
    ) -> Vec<u8> {
        let length = body.len() as u64;
        let header = Header { version: VERSION, scope, boot, to, lane, round, length };
        let mut bytes = Vec::with_capacity(HEADER_BYTES + body.len());
        bytes.extend_from_slice(&encode(&header));
        bytes.extend_from_slice(body);
        bytes
    }

    /// The frame that tells a helper which life this one lives.
    pub(crate) fn hello(scope: Digest, lane: u16, to: [u8; 16], boot: [u8; 16]) -> Vec<u8> {
        Frame::write(scope, (lane, HELLO), &[], boot, to)
    }

    /// The frame that tells a helper that an attempt is over here; whatever life it lives, the attempt is over.
    pub(crate) fn abort(scope: Digest, refusal: &Refusal, boot: [u8; 16]) -> Vec<u8> {
        Frame::write(scope, (0, ABORT), &Frame::abort_body(refusal), boot, [0; 16])
    }

    /// The body of an abort.
    pub(crate) fn abort_body(refusal: &Refusal) -> Vec<u8> {
        serde_json::to_vec(refusal).unwrap_or_default()
    }

    /// Why helper `from` aborted; a body that does not read is still an abort.
    pub(crate) fn refusal(&self, from: u8) -> Refusal {
        serde_json::from_slice(self.body.as_slice()).unwrap_or_else(|_| {
            Refusal::new(Code::Disagreement, format!("helper {from} aborted the attempt")).about(vec![from])
        })
    }
}

impl Body {
    /// The bytes.
    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.frame.as_slice()[HEADER_BYTES..]
    }
}

impl AsRef<[u8]> for Body {
    fn as_ref(&self) -> &[u8] {
        self.as_slice()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_read_as_it_was_written_and_not_otherwise() {
        let bytes = Frame::write(Digest([1; 32]), (2, 3), &[7, 8], [4; 16], [5; 16]);
        assert_eq!(bytes.len(), HEADER_BYTES + 2);
        let frame = Frame::read(bytes.clone()).unwrap();
        assert_eq!((frame.header.lane, frame.header.round, frame.body.as_slice()), (2, 3, &[7, 8][..]));
        for length in 0..bytes.len() {
            assert!(Frame::read(bytes[..length].to_vec()).is_none(), "{length} bytes");
        }
        assert!(Frame::read([&bytes[..], &[0]].concat()).is_none(), "a byte too many");
    }

    #[test]
    fn an_abort_says_why() {
        let refusal = Refusal::new(Code::Policy, "no").about(vec![2]);
        let frame = Frame::read(Frame::abort(Digest([1; 32]), &refusal, [4; 16])).unwrap();
        assert_eq!(frame.refusal(3).message, "no");
        let garbled = Frame::read(Frame::write(Digest([1; 32]), (0, ABORT), b"{", [4; 16], [0; 16])).unwrap();
        assert_eq!(garbled.refusal(3).helpers, [3]);
    }
}
