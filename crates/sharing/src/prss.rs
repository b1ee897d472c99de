//! Pseudo-random secret sharing: shares of values that nobody knows, without communication.
//!
//! Section 4 of `docs/protocols.md`, after Cramer, Damgård, Ishai, "Share conversion, pseudorandom secret-sharing
//! and applications to secure computation", TCC 2005. For every set `A` of `t` helpers, the helpers *outside* `A`
//! hold a key `k_A`. With `r_A` a pseudo-random field element from `k_A`, and `f_A` the polynomial of degree `t` with
//! `f_A(0) = 1` and `f_A(i) = 0` for `i` in `A`,
//!
//! ```text
//! f = sum over all A of r_A * f_A,      share of helper j: f(j) = sum over A without j of r_A * f_A(j)
//! ```
//!
//! is a sharing of degree `t` of `sum_A r_A`: helper `j` needs no key that it lacks, since `f_A(j) = 0` for `j` in `A`.
//! Any `t` helpers lack the key of exactly the set they are: that one `r_A` hides the value.
//!
//! The `r_A` themselves are a replicated sharing of `sum_A r_A`, over the field or, as words of the same streams, over
//! bits ([`SessionKeys::set_stream`]). With `t` values a set, `r_{A,l}`, the polynomial
//! `sum_A sum_l r_{A,l} * x^l * f_A(x)` has degree `2t` and is zero at 0 ([`SessionKeys::zero_shares`]).
//!
//! Beside the sets' keys stands one key for each pair of helpers ([`PairKeys`]), for what only two may know.
//!
//! Differs from the paper: every element is addressed by a typed [`Draw`] and a row, and all keys are bound to one
//! session ([`SetKeys::bind`]): nothing is ever drawn twice for two uses.
//!
//! Cost: no messages; C(n-1, t) streams per helper and draw. Offered for at most [`SETS_MAX`] sets.
//! What is *not* here: agreeing on keys and sessions, which takes messages.

mod draw;
mod keys;
mod pair;
#[cfg(test)]
mod secrecy;
mod set;
mod stream;

pub use draw::{Draw, Purpose};
pub use keys::{SessionKeys, SetKeys, SetKeysError, combine_set_key, set_key_fingerprint};
pub use pair::{PairKeys, combine_pair_key, pair_key_fingerprint};
pub use set::HelperSet;
pub use stream::DrawStream;
#[cfg(feature = "testing")]
pub use stream::{KeyName, Script};

pub use crate::scheme::SETS_MAX;
