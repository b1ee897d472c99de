//! Secret sharing: split, commit, recombine, and keyed randomness.
//!
//! Sections 1, 2 and 4 of `docs/protocols.md`. In reading order:
//!
//! - [`Scheme`]: additive or Shamir, how many helpers, which threshold.
//! - [`Shares`], [`Seed`], [`ContributorSecret`]: what must stay secret, as types.
//! - [`expand`]: a seed's stream of field elements, addressed by position.
//! - [`split`]: a contributor's block of rows into one [`Piece`] per helper, with commitments and an id.
//! - [`check_piece`], [`read_piece`], [`verify_piece`]: what a helper checks before it believes a piece.
//! - [`recombine`]: values from any `t + 1` shares; more shares detect and correct wrong ones.
//! - [`prss`]: shares of random values without communication.
//!
//! Here is no input or output, no logging, no clock and no randomness but what the caller's keys give: every
//! function is deterministic. Nothing branches or indexes by a share; where a function branches on *opened* or
//! *revealed* values its documentation says so.

#![cfg_attr(test, allow(clippy::cast_possible_truncation))]

mod commitment;
mod derivation;
mod lagrange;
mod piece;
mod polynomial;
pub mod prss;
mod recombine;
mod scheme;
mod seed;
mod shares;
mod split;
mod stream;

pub use commitment::{CommitmentError, commitment, contribution_id, verify_piece};
pub use lagrange::{is_degree_at_most, lagrange_at, lagrange_at_zero, lagrange_at_zero_through};
pub use piece::{Piece, PieceError, PieceHeader, PieceKind, PieceRef, check_piece, read_piece};
pub use recombine::{Decoded, Decoder, RecombineError, Recombined, recombine};
pub use scheme::{HELPERS_MAX, HelperNumber, Scheme, SchemeError, SchemeKind};
pub use seed::{ContributorSecret, Seed};
pub use shares::Shares;
pub use split::{Dealing, DealtPiece, split};
pub use stream::{Stream, expand, expand_into, keystream};
