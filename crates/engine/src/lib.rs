//! Protocols as pure round functions, and the interpreter of programs.
//!
//! Every protocol is a function from what a helper holds to what it sends, and from what it received to what it
//! holds next; who carries the messages is not known here. Reading order: [`session`] (what randomness is bound
//! to), [`keys`] (how keys are made), [`coin`], [`degree`] (the check of contributions), [`projection`] (of vectors whose norm is checked), [`linear`] (the interpreter
//! of row programs), [`noise`] (what helpers add to results), [`round`] (members and messages), [`product`] (products of shares), [`opening`] (of masked
//! values), [`verified`] (which results may be released), [`interpret`] (the interpreter of all other programs).
//!
//! What is *not* here: sockets, clocks, the operating system's randomness, policy.

#![cfg_attr(test, allow(clippy::cast_possible_truncation))]

pub mod boolean;
pub mod coin;
pub mod degree;
mod error;
pub mod interpret;
pub mod keys;
pub mod linear;
pub mod noise;
pub mod opening;
pub mod product;
pub mod projection;
pub mod round;
pub mod session;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod verified;

pub use error::EngineError;
