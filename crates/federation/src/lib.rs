//! Who the helpers are: the federation file, cards, keys and signatures.
//!
//! A federation is a fixed list of helpers and a threshold; its file is the one trust decision that owners,
//! contributors and analysts make ([`Federation`]). Its id is the hash of the file, so everybody who names the
//! same id means the same organisations, keys and threshold. Every party is its Ed25519 public key
//! ([`PublicKey`]); the same key names a helper in TLS and signs its receipts, under different labels
//! (`docs/decisions/0002-one-key-per-helper.md`). Answers travel in envelopes that the asker alone opens. What is *not* here: files, sockets, OS randomness.

mod envelope;
mod error;
mod file;
mod key;

pub use envelope::{EnvelopeError, EnvelopeKey, EnvelopeOpener};
pub use error::FederationError;
pub use file::{Card, Federation, HELPERS_MAX, Member};
pub use key::{KeyError, PublicKey, SecretKey, Signature};
