//! Recombining shares: values from any `t + 1`, detection and correction with more.
//!
//! Result shares of degree `t` from `m` helpers are a Reed-Solomon word of dimension `t + 1`. With `m = t + 1` it
//! has no redundancy: any shares recombine to something. Each further share is one more that fits or does not. A
//! word that does not fit is decoded with up to `(m - t - 1) / 2` errors, and the wrong helpers are named, **only**
//! if `m >= 3t + 1`: then, as long as at most `t` helpers lie, the honest ones determine the word alone. With fewer
//! points `t` liars could make an honest helper look like one, and the answer is
//! [`RecombineError::Inconsistent`] with nobody named.
//!
//! A helper that is wrong in one position of a vector is wrong: one set of at most `(m - t - 1) / 2` helpers must
//! explain all positions, or nothing is corrected.
//!
//! Not constant-time: it branches on values that are being *revealed* to whoever calls it.

mod decoder;

pub use decoder::{Decoded, Decoder};
use quorate_field::Field;

use crate::lagrange::{first_off_degree, lagrange_at_zero};
use crate::{HelperNumber, Scheme, SchemeKind};

/// Recombined values, and how sure they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recombined<F: Field> {
    /// The values.
    pub values: Vec<F>,
    /// Shares beyond those needed: `m - t - 1`. With 0, nothing vouches for the values.
    pub redundancy: usize,
    /// The helpers whose shares were wrong, ascending.
    pub wrong: Vec<HelperNumber>,
}

/// Shares that do not recombine: a peer's doing, or too few of them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecombineError {
    /// Fewer shares than the scheme needs.
    #[error("{found} shares, but {needed} are needed: wait for more helpers")]
    TooFew {
        /// `t + 1`, or `n` in additive sharing.
        needed: usize,
        /// How many there are.
        found: usize,
    },
    /// A number that is no helper's.
    #[error("a share of helper {helper}, but the helpers are 1 to {helpers}")]
    Unknown {
        /// The number.
        helper: HelperNumber,
        /// `n`.
        helpers: u8,
    },
    /// Two shares of one helper.
    #[error("two shares of helper {helper}")]
    Duplicate {
        /// Its number.
        helper: HelperNumber,
    },
    /// A vector of another length than the first one.
    #[error("helper {helper} sent {found} shares where others sent {expected}")]
    Length {
        /// Who sent it.
        helper: HelperNumber,
        /// The first vector's length.
        expected: usize,
        /// This one's.
        found: usize,
    },
    /// The shares contradict each other, and too few agree to say whose are wrong.
    #[error(
        "the shares of {points} helpers do not fit together (threshold {threshold}, first at position {position}); \
         who is wrong cannot be said: ask more helpers or run again"
    )]
    Inconsistent {
        /// How many helpers' shares there are.
        points: usize,
        /// `t`.
        threshold: usize,
        /// The first position at which they do not fit, from 0.
        position: usize,
    },
}

/// The values that the shares of some helpers stand for: `points` are one vector of shares per helper, of equal
/// lengths and, for Shamir, of degree `t`. See the module's documentation for what more than `t + 1` give.
pub fn recombine<F: Field>(
    scheme: &Scheme,
    points: &[(HelperNumber, &[F])],
) -> Result<Recombined<F>, RecombineError> {
    check_points(scheme, points)?;
    match scheme.kind() {
        SchemeKind::Additive => Ok(recombine_additive(points)),
        SchemeKind::Shamir => recombine_shamir(scheme.threshold().into(), points),
    }
}

/// Each helper is known and there once, lengths are equal, and there are enough.
fn check_points<F: Field>(scheme: &Scheme, points: &[(HelperNumber, &[F])]) -> Result<(), RecombineError> {
    let mut seen = 0_u64;
    for &(helper, values) in points {
        if !scheme.has_helper(helper) {
            return Err(RecombineError::Unknown { helper, helpers: scheme.helpers() });
        }
        let bit = 1 << (helper - 1);
        if seen & bit != 0 {
            return Err(RecombineError::Duplicate { helper });
        }
        seen |= bit;
        let (expected, found) = (points[0].1.len(), values.len());
        if found != expected {
            return Err(RecombineError::Length { helper, expected, found });
        }
    }
    let (needed, found) = (scheme.needed(), points.len());
    if found < needed { Err(RecombineError::TooFew { needed, found }) } else { Ok(()) }
}

fn recombine_additive<F: Field>(points: &[(HelperNumber, &[F])]) -> Recombined<F> {
    let rows: Vec<&[F]> = points.iter().map(|(_, values)| *values).collect();
    let mut values = vec![F::ZERO; rows[0].len()];
    F::accumulate_rows(&mut values, &rows);
    Recombined { values, redundancy: 0, wrong: Vec::new() }
}

fn recombine_shamir<F: Field>(
    threshold: usize,
    points: &[(HelperNumber, &[F])],
) -> Result<Recombined<F>, RecombineError> {
    let redundancy = points.len() - threshold - 1;
    let mut wrong: Vec<HelperNumber> = Vec::new();
    let mut trusted = points.to_vec();

    // Every turn takes at least one more helper out of `trusted`; see the end of the loop for why the result is
    // then the unique word within the decoder's reach of the one received, in every position.
    while let Some(position) = first_off_degree(threshold, &trusted) {
        let inconsistent = RecombineError::Inconsistent { points: points.len(), threshold, position };
        if points.len() < 3 * threshold + 1 {
            return Err(inconsistent);
        }
        let helpers: Vec<HelperNumber> = points.iter().map(|(helper, _)| *helper).collect();
        let word: Vec<F> = points.iter().map(|(_, values)| values[position]).collect();
        let decoder = Decoder::new(&helpers, threshold);
        let Some(decoded) = decoder.decode(&word) else { return Err(inconsistent) };
        wrong.extend(decoded.wrong);
        wrong.sort_unstable();
        wrong.dedup();
        if wrong.len() > decoder.errors_max() {
            return Err(inconsistent);
        }
        // The trusted points did not fit at `position`, and the decoded word does: one of them is newly wrong.
        // At least m - errors_max >= t + 1 + errors_max points stay trusted.
        trusted.retain(|(helper, _)| !wrong.contains(helper));
    }

    let (helpers, rows): (Vec<HelperNumber>, Vec<&[F]>) = trusted[..=threshold].iter().copied().unzip();
    let mut values = vec![F::ZERO; rows[0].len()];
    F::weighted_sum(&mut values, &lagrange_at_zero(&helpers), &rows);
    Ok(Recombined { values, redundancy, wrong })
}
