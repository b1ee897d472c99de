//! Prime fields and their slice kernels.
//!
//! Three fields carry all statistics: [`F61`] (2^61-1), [`F127`] (2^127-1) and [`F256`] (2^256-189); [`tiny`]
//! has small Mersenne primes for exhaustive tests. [`Field`] is what the protocols are generic over, [`FieldId`]
//! is how documents and frames name one, and [`with_field!`] goes from the second to the first. Signed integers
//! embed centred: `x` is `x mod p`, `|x| <= (p-1)/2` ([`Integer`] is the exact side of that map).
//!
//! Invariants: a value is canonical (`< p`) at all times, and bytes are checked at the door ([`Field::read`],
//! [`read_slice`]). Arithmetic, comparison by [`subtle`] and every slice kernel run in constant time: no branch
//! and no memory index depends on a value. `==`, `Debug` and [`Integer`] are for public values only.
//!
//! The kernels of F61 and F127 exist once per [`Backend`], chosen when the program runs; all satisfy one suite
//! of laws. This is the only crate with `unsafe` code, in those backends. What is *not* here: shares,
//! polynomials, randomness.

#![cfg_attr(test, allow(clippy::cast_possible_truncation))]

mod backend;
mod encoding;
mod f127;
mod f256;
mod f61;
mod field;
mod id;
mod integer;
#[cfg(test)]
mod laws;
mod operators;
pub mod quantity;
pub mod roofline;
pub mod tiny;

pub use backend::{Backend, BackendError, force_backend};
pub use encoding::{NonCanonical, NonCanonicalAt, check_slice, read_slice, write_slice};
pub use f61::F61;
pub use f127::F127;
pub use f256::F256;
pub use field::{Field, NamedField};
pub use id::{FieldId, ParseFieldIdError};
pub use integer::{Integer, ParseIntegerError};
pub use quantity::Quantity;
