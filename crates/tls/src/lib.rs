//! TLS 1.3 with pinned Ed25519 keys: who is at the other end is a key of the federation file and nothing else.
//!
//! Every helper shows a self-signed X.509 certificate (RFC 8410) that is only an envelope for its key. The other
//! end compares the key with the one it expects, byte by byte, and the handshake signature (RFC 8446, 4.4.3),
//! checked by the provider, proves possession. There is no authority, no host name, no date and no revocation
//! list: a key is changed by changing the federation file. Key exchange is X25519MLKEM768
//! (draft-ietf-tls-ecdhe-mlkem) where both ends know it, X25519 else: shares recorded today stay secret from
//! tomorrow's quantum computers. Sessions are never resumed, so that every connection proves its key.
//!
//! Three kinds of connection, kept apart by ALPN: the API (`h2`, `http/1.1`, which is what our clients speak; they show no
//! certificate), helper to helper ([`PEER_PROTOCOL`]; both ends show one) and rounds of pairwise masks ([`MASKS_PROTOCOL`];
//! both do). What is *not* here: sockets, files, key logs.

mod certificate;
mod config;
mod fault;
mod pin;

pub use certificate::peer_key;
pub use config::{
    MASKS_PROTOCOL, PEER_PROTOCOL, client_config, masks_client_config, masks_server_config, server_config,
};
pub use fault::TlsFault;
